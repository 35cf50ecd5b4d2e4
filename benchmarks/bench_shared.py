"""What a catalog costs that several machines share, beside a store of one's own; the server is on loopback."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pyarrow as pa
import pytest

from ontofetch_catalog.catalog import sessions
from ontofetch_catalog.catalog.connection import Store
from ontofetch_catalog.plugins.catalog import CatalogPlugin
from ontofetch_hookspecs.samples import sample_validate_done
from ontofetch_hookspecs.testing import make_manager
from ontofetch_hookspecs.together import recording_together
from tests.shared import postgres
from tests.shared.copies import without_password

from . import data
from .children import SCRIPT, run
from .conftest import LEDGER
from .harness import Race, Side, pick, timed

FILES = pick(50_000, 2_000)
WRITERS, READERS, BOUNDARIES = pick(8, 3), pick(8, 3), pick(25, 5)
ROWS = 1000  # of each
PER_SECOND = 20  # boundaries that are wanted
_HERE = Path(__file__).parents[1]
_number = itertools.count()
pytestmark = pytest.mark.skipif(postgres.binaries() is None, reason=postgres.MISSING)
_WRITER = "import sys; from benchmarks.bench_shared import write; write(*sys.argv[1:])"
_READER = "import sys; from benchmarks.bench_shared import read_on; read_on(*sys.argv[1:])"


@pytest.fixture(scope="module")
def server(scratch: Path) -> Iterator[postgres.Postgres]:
    """Return a server that keeps what it acknowledges; machines agree to it in a folder of their own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CONFIG_HOME", str(scratch / "config"))
        patch.setenv("PGPASSWORD", postgres.PASSWORD)
        found = postgres.Postgres({})
        yield found
        found.remove()


@pytest.fixture
def catalog(server: postgres.Postgres, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Return the address of a fresh database."""
    with server.database() as name:
        yield without_password(server.dsn(name), monkeypatch)


def join(root: Path, catalog: str, objects: Path) -> None:
    """Make a machine a copy."""
    run([SCRIPT, "init", "--catalog", catalog, "--objects", objects.as_uri(), "-q"], root)


def write(root: str, count: str) -> None:
    """Record as many validations of all files of the release, one boundary each, in one run, as `update` does."""
    files = data.files_table(ROWS)
    manager = make_manager(CatalogPlugin(), root=Path(root))
    with recording_together():
        for number in range(int(count)):
            manager.hook.on_validate_done(event=sample_validate_done(Path(root), _results(files, number)))


def _results(files: pa.Table, number: int) -> pa.Table:
    return pa.table(
        {
            "relpath": files["relpath"],
            "file_id": files["file_id"],
            "validator": pa.array(["bench"] * ROWS),
            "validator_version": pa.array(["1"] * ROWS),
            "passed": pa.array([True] * ROWS),
            "details": pa.array([f'{{"by": {os.getpid()}, "number": {number}}}'] * ROWS),
            "run_at": files["mtime"],
            "reused_from": pa.nulls(ROWS, pa.string()),
        }
    )


def read_on(root: str, until: str) -> None:
    """Read again and again until a file is there; the events that are seen have no gap and never become fewer."""
    last = 0
    while not Path(until).exists():
        with sessions.reading(Store(Path(root))) as connection:
            first, number, count = connection.execute(
                "SELECT min(event_id), max(event_id), count(*) FROM events"
            ).fetchall()[0]
        if number - first + 1 != count or number < last:
            raise RuntimeError(f"{count} events, the newest is {number}, before that it was {last}")
        last = number


def test_pull(race: Race, room: Path, catalog: str) -> None:
    """A pull of very many small files, whose bytes also go to the objects, beside one into a store of its own."""
    archive = room / "small.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        for number in range(FILES):
            packed.writestr(f"data/d{number // 100}/f{number}.txt", f"{number} of one\n")

    def pull(root: object) -> None:
        version = str(next(_number))
        words = ["pull", archive, "--service", "b", "--ontology", "p", "--version", version, "--no-validate", "-q"]
        run([SCRIPT, *words], Path(str(root)))

    def shared() -> Path:
        # in a catalog of its own: contents that are known would not be put again
        root = room / f"shared-{next(_number)}"
        with psycopg.connect(catalog) as connection:
            connection.execute("DROP SCHEMA IF EXISTS ontofetch CASCADE")
        join(root, catalog, root.with_suffix(".objects"))
        return root

    race("shared.pull", Side(pull, shared), Side(pull, lambda: room / f"local-{next(_number)}"))


def test_opening(race: Race, room: Path, catalog: str) -> None:
    """A copy that is up to date is opened: one question to the server."""
    join(room / "shared", catalog, room / "objects")
    store = Store(room / "shared")

    def opened() -> None:
        with sessions.reading(store):
            pass

    race.within("shared.open", Side(lambda _: opened()), 0.3)


def test_report(race: Race, room: Path, catalog: str) -> None:
    """The report of the latest releases, beyond the start of the program."""
    join(room / "shared", catalog, room / "objects")
    source = room / "one.txt"
    source.write_text("one\n")
    run([SCRIPT, "pull", source, "--service", "b", "--ontology", "p", "--version", "1", "-q"], room / "shared")

    def measure() -> float:
        start = timed(Side(lambda _: run([SCRIPT, "--help"])))
        return timed(Side(lambda _: run([SCRIPT, "report", "latest"], room / "shared"))) - start, 1.5

    race.weigh("shared.report", measure, unit="s")


@pytest.mark.parametrize("layout", ["machines", "processes"])
def test_boundaries(room: Path, catalog: str, request: pytest.FixtureRequest, layout: str) -> None:
    """Boundaries of 1,000 rows beside readers: of machines with a copy each, and of processes that share one: shown."""
    roots = [room / f"machine-{number}" for number in range(WRITERS + READERS if layout == "machines" else 1)]
    join(roots[0], catalog, room / "objects")
    data.make_store(roots[0])
    data.record_tree(roots[0], data.files_table(ROWS), lambda folder: data.write_tree(folder, ROWS))
    for root in roots[1:]:
        join(root, catalog, room / "objects")
    everybody = list(itertools.islice(itertools.cycle(roots), WRITERS + READERS))
    end = room / "end"
    environment = {**os.environ, "PYTHONPATH": str(_HERE)}

    def child(*words: object) -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "-c", *map(str, words)], cwd=room, env=environment)

    readers = [child(_READER, root, end) for root in everybody[WRITERS:]]
    before = _count_events(roots[0])
    start = time.perf_counter()
    writers = [child(_WRITER, root, BOUNDARIES) for root in everybody[:WRITERS]]
    codes = [one.wait() for one in writers]
    seconds = time.perf_counter() - start
    end.touch()
    codes += [one.wait() for one in readers]
    if any(codes):
        raise RuntimeError(f"the children ended with {codes}")
    assert _count_events(roots[0]) == before + WRITERS * BOUNDARIES
    told = f"{WRITERS} {layout} x {BOUNDARIES} boundaries beside {READERS} readers ({PER_SECOND} a second are wanted)"
    request.config.stash[LEDGER].contrasts.append((told, seconds, "s"))


def _count_events(root: Path) -> int:
    with sessions.reading(Store(root)) as connection:
        return connection.execute("SELECT count(*) FROM events WHERE event_id > 0").fetchall()[0][0]
