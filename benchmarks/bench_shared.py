"""What a catalog costs that several machines share, beside a store of one's own; the server is on loopback."""

from __future__ import annotations

import importlib
import itertools
import os
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from ontofetch_catalog.analytics.catalog import Catalog
from ontofetch_catalog.catalog import sessions
from ontofetch_catalog.catalog.connection import Store
from tests.shared import postgres
from tests.shared.copies import without_password

from . import bare_boundaries, boundaries, data
from .children import SCRIPT, run
from .conftest import LEDGER
from .harness import Race, Side, pick, timed

FILES = pick(50_000, 2_000)
ROWS = pick(1_000_000, 50_000)
A, B = "example/growing/1.0", "example/growing/1.1"
WRITERS, READERS, BOUNDARIES = pick(8, 3), pick(8, 3), pick(25, 5)
OF_MACHINES = pick(3, 2)  # boundaries of each, where they have a copy each
_number = itertools.count()
pytestmark = pytest.mark.skipif(postgres.binaries() is None, reason=postgres.MISSING)


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
        _fresh(catalog)
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


def test_growth(race: Race, room: Path, catalog: str) -> None:
    """What changed between two large releases, read from a copy, beside a store of its own with the same rows."""
    join(room / "shared", catalog, room / "objects")
    sides = []
    for root in (room / "shared", room / "own"):
        data.make_store(root)
        data.fill_catalog(root, [A], ROWS)
        data.fill_successor(root, A, B)
        sides.append(Side(lambda _, root=root: Catalog.open(root).growth(A, B)["changes"]))
    race("shared.growth", *sides)


def test_boundaries(race: Race, room: Path, catalog: str) -> None:
    """Processes that share a root, beside others that read it, and what the engines alone take for the same rows."""

    def measure() -> tuple[float, float]:
        number = next(_number)
        root, bare = room / f"root-{number}", room / f"bare-{number}"
        _fresh(catalog)
        _fill(root, catalog, room / f"objects-{number}")
        mine = _counted("own_boundaries", [root])
        bare_boundaries.make(bare, catalog)
        return mine, _counted("bare_boundaries", [bare])

    race.weigh("shared.boundaries", measure, unit="s")


def test_boundaries_of_machines(room: Path, catalog: str, request: pytest.FixtureRequest) -> None:
    """The same of machines with a copy each, all on this one: shown."""
    roots = [room / f"machine-{number}" for number in range(WRITERS + READERS)]
    _fill(roots[0], catalog, room / "objects")
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(lambda root: join(root, catalog, room / "objects"), roots[1:]))
    told = f"{WRITERS} machines x {OF_MACHINES} boundaries beside {READERS} readers"
    request.config.stash[LEDGER].contrasts.append((told, _counted("own_boundaries", roots, OF_MACHINES), "s"))


def _fresh(catalog: str) -> None:
    with psycopg.connect(catalog) as connection:
        connection.execute("DROP SCHEMA IF EXISTS ontofetch CASCADE")


def _fill(root: Path, catalog: str, objects: Path) -> None:
    """Make a copy with a release whose files are recorded."""
    join(root, catalog, objects)
    data.make_store(root)
    data.record_tree(root, data.files_table(boundaries.ROWS), lambda folder: data.write_tree(folder, boundaries.ROWS))


def _counted(module: str, roots: list[Path], each: int = BOUNDARIES) -> float:
    """Return how long it takes to record all boundaries; each is there afterwards, with the one before it began."""
    look = importlib.import_module(f"benchmarks.{module}").look
    everybody = list(itertools.islice(itertools.cycle(roots), WRITERS + READERS))
    before = look(roots[0])
    seconds = boundaries.run(module, everybody, WRITERS, each, roots[0].parent)
    first, last, count = look(roots[0])
    assert count - before[2] == WRITERS * (each + 1)
    assert last - first + 1 == count
    return seconds
