"""A store that a stranger made: whatever lies in it, nothing outside of its root is read, written or waited for."""

from __future__ import annotations

import json
import os
import re
import resource
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any

import duckdb
import pytest

from ontofetch_catalog.host.app import main
from ontofetch_hookspecs import Stage
from tests.releases import Releases, query, sha256

SECRET = "the-secret-of-the-victim"
VERSION = "example/sample/1.0"
DATA = f"{VERSION}/data"
TEXTS = {"a.ttl": "<a:b> <a:c> <a:d> .\n", "d/b.ttl": "<a:b> <a:c> <a:e> .\n"}
DEEP = "[" * 1_000_000
HELD = 600_000  # KiB that a command may add to what this process has held before
SECONDS = 60  # far more than any of the commands takes

# every command that reads or writes what lies in a store; {new} is a file to pull, {out} a path for a backup
COMMANDS = (
    "db status",
    "db versions",
    "db files 1.0",
    "db latest get example/sample",
    "db find a.ttl",
    "report latest",
    "report growth --a 1.0 --b 2.0",
    "db doctor",
    "db verify",
    f"db prune --version {VERSION} --min-age 0s --yes 0s",
    "db backup --include-data --to {out}",
    "pull {new} --service s --ontology o --version 1",
    "db recover",
    "db doctor --fix --yes",
    "db rebuild --replace",
)
Plant = Callable[[Path, Path], None]


class _Late(Exception):
    """A command waited for something."""


@contextmanager
def alarmed() -> Iterator[None]:
    """Raise _Late if what is inside waits for ever."""

    def late(number: int, frame: FrameType | None) -> None:
        raise _Late

    former = signal.signal(signal.SIGALRM, late)
    signal.alarm(SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, former)


@pytest.fixture(autouse=True)
def settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nobody wait for long."""
    monkeypatch.setenv("ONTOFETCH_DURABILITY", "off")
    monkeypatch.setenv("ONTOFETCH_WAIT", "2")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a store of two releases, and with the victim's folder: what each test gets a copy of."""
    folder = tmp_path_factory.mktemp("made")
    releases = Releases(folder / "store", settings={"durability": "off"})
    releases.pull("1.0", TEXTS)
    releases.pull("2.0", TEXTS | {"c.ttl": "<a:b> <a:c> <a:f> .\n"})
    with duckdb.connect(str(folder / "store/.catalog/ontofetch.duckdb")) as connection:
        connection.execute("CHECKPOINT")
    outside = folder / "outside"
    (outside / "data/d").mkdir(parents=True)
    (outside / "src").mkdir()
    for name in ("victim", "data/a.ttl", "data/secret.txt", "src/a.zip", "manifest.json", "stage.json"):
        (outside / name).write_text(SECRET)
    (outside / ".lock").write_text("")
    duckdb.connect(str(outside / "theirs.duckdb")).close()
    return folder


@pytest.fixture
def outside(made: Path, tmp_path: Path) -> Path:
    """Return the victim's folder, beside the store."""
    return Path(shutil.copytree(made / "outside", tmp_path / "outside"))


@pytest.fixture
def store(made: Path, tmp_path: Path) -> Path:
    """Return a store with two releases."""
    return Path(shutil.copytree(made / "store", tmp_path / "store", symlinks=True))


def peak() -> int:
    """Return the most memory that this process has held, in KiB."""
    found = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return found // 1024 if sys.platform == "darwin" else found


def recount(folder: Path) -> dict[str, tuple[int, int, int, str]]:
    """Return path → (mode, inode, mtime in ns, content) of all below a folder."""
    found = {}
    for here, folders, names in os.walk(folder):
        for name in (*folders, *names):
            path = Path(here, name)
            state = path.lstat()
            content = sha256(path.read_bytes()) if path.is_file() and not path.is_symlink() else ""
            found[str(path.relative_to(folder))] = (state.st_mode, state.st_ino, state.st_mtime_ns, content)
    return found


def carries(folder: Path, text: str) -> list[str]:
    """Return the files below a folder that have a text in them; links are not followed."""
    found = []
    for here, _, names in os.walk(folder):
        for name in names:
            path = Path(here, name)
            if path.is_file() and not path.is_symlink() and text.encode() in written(path):
                found.append(str(path))
    return found


def written(path: Path) -> bytes:
    """Return what is written in a file; a gap of a GB, where nothing is, is not read."""
    parts = []
    with path.open("rb", buffering=0) as file:
        end = 0
        # behind what is written last there is an error, as the system says it
        with suppress(OSError):
            while True:
                start = os.lseek(file.fileno(), end, os.SEEK_DATA)
                end = os.lseek(file.fileno(), start, os.SEEK_HOLE)
                parts.append(os.pread(file.fileno(), end - start, start))
    return b"".join(parts)


def execute(root: Path, *statements: str) -> None:
    """Run SQL on a catalog, as its author may."""
    with duckdb.connect(str(root / ".catalog/ontofetch.duckdb")) as connection:
        for statement in statements:
            connection.execute(statement)


# --- what a stranger plants -------------------------------------------------------------------------------------------


def link(place: str, target: str = "") -> Plant:
    """Put a link to something outside in a place of the store; what was there goes there first."""

    def plant(root: Path, outside: Path) -> None:
        path, goal = root / place, outside / target
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            shutil.copytree(path, goal, dirs_exist_ok=True)
            shutil.rmtree(path)
        elif path.exists():
            path.unlink()
        path.symlink_to(goal)

    return plant


def sound_database(root: Path, outside: Path) -> None:
    """Put a link to a database in the place of the catalog; it says just what the catalog said."""
    path = root / ".catalog/ontofetch.duckdb"
    shutil.move(path, outside / "theirs.duckdb")
    path.symlink_to(outside / "theirs.duckdb")


def pipe(place: str) -> Plant:
    """Put a pipe in a place of the store."""

    def plant(root: Path, outside: Path) -> None:
        path = root / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        os.mkfifo(path)

    return plant


def text(place: str, content: str) -> Plant:
    """Write a file of the store."""

    def plant(root: Path, outside: Path) -> None:
        path = root / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)

    return plant


def hole(place: str) -> Plant:
    """Put a file of 1 GB that takes no space in a place of the store."""

    def plant(root: Path, outside: Path) -> None:
        path = root / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{")
        os.truncate(path, 10**9)

    return plant


def sql(*statements: str) -> Plant:
    """Change the catalog; {outside} is the path of the victim's folder."""
    return lambda root, outside: execute(root, *(line.replace("{outside}", str(outside)) for line in statements))


def intent(**content: object) -> Plant:
    """Leave an intent behind."""

    def plant(root: Path, outside: Path) -> None:
        name = "3" * 32
        whole = {"format": 1, "boundary_id": name, "folders": [], "moves": [], "stages": []} | content
        state = (outside / "victim").stat()
        filled = json.dumps(whole).replace('"inode": 0', f'"inode": {state.st_ino}, "size": {state.st_size}')
        (root / f".catalog/intents/{name}.json").write_text(filled)
        (root / "lnk").symlink_to(outside)

    return plant


def committed_stage(stage: str) -> Plant:
    """Leave the intent of a committed boundary behind that retires a stage."""

    def plant(root: Path, outside: Path) -> None:
        ((name,),) = query(root, "SELECT boundary_id FROM events ORDER BY event_id DESC LIMIT 1")
        content = {"format": 1, "boundary_id": name, "folders": [], "moves": [], "stages": [stage]}
        (root / f".catalog/intents/{name}.json").write_text(json.dumps(content))
        (root / "lnk").symlink_to(outside)

    return plant


def move(source: str, target: str) -> dict[str, object]:
    """Return a move as an intent says it, with the inode of the victim."""
    return {"source": source, "target": target, "inode": 0}


STAGE = f".catalog/staging/{'5' * 32}"
ATTACKS: dict[str, Plant] = {
    # links in the places of the catalog's own folders and files
    "link/.catalog": link(".catalog", "theirs"),
    "link/intents": link(".catalog/intents", "theirs"),
    "link/staging": link(".catalog/staging", "theirs"),
    "link/quarantine": link(".catalog/quarantine"),
    "link/plans": link(".catalog/plans"),
    "link/backups": link(".catalog/backups"),
    "link/database": sound_database,
    "link/log": link(".catalog/ontofetch.duckdb.wal", "victim"),
    "link/spill": link(".catalog/ontofetch.duckdb.tmp"),
    "link/record": link(".catalog/generation.json", "victim"),
    "link/record-new": link(".catalog/.generation.json.new", "victim"),
    "link/lock": link(".catalog/.duck.lock", "victim"),
    "link/desk": link(".catalog/.duck.lock.desk", "made"),
    "link/key": link(".catalog/key", "victim"),
    "link/restoring": link(".catalog/restoring"),
    "link/restore-plan": link(".catalog/restore.json", "victim"),
    "link/stage": link(STAGE),
    "link/stage-record": link(f"{STAGE}/stage.json", "stage.json"),
    "link/stage-lock": link(f"{STAGE}/.lock", "victim"),
    "link/intent": link(f".catalog/intents/{'3' * 32}.json", "victim"),
    # and of releases
    "link/service": link("s"),
    "link/recorded-service": link("example", "theirs"),
    "link/ontology": link("s/o"),
    "link/release": link(VERSION, "theirs"),
    "link/data": link(DATA, "theirs"),
    "link/source": link(f"{VERSION}/src", "theirs"),
    "link/folder-of-data": link(f"{DATA}/d", "theirs"),
    "link/file": link(f"{DATA}/a.ttl", "data/a.ttl"),
    "link/manifest": link(f"{VERSION}/manifest.json", "manifest.json"),
    "link/audit": link(f"{VERSION}/.extract.audit.json", "victim"),
    "link/latest": link("example/sample/LATEST.json", "victim"),
    # rows that lead out
    "row/folder-climbs": sql("UPDATE versions SET fs_relpath = '../outside'"),
    "row/folder-absolute": sql("UPDATE versions SET fs_relpath = '{outside}'"),
    "row/folder-climbs-inside": sql("UPDATE versions SET fs_relpath = 'example/../../outside'"),
    "row/folder-nul": sql("UPDATE versions SET fs_relpath = 'example' || chr(0)"),
    "row/folder-null": sql("UPDATE versions SET fs_relpath = NULL"),
    "row/name-climbs": sql("UPDATE versions SET version_id = '../outside/1', service = '..', ontology = 'outside'"),
    "row/layout": sql("UPDATE versions SET layout = '../../outside'"),
    "row/file-climbs": sql("UPDATE extracted_files SET relpath = '../../../../outside/data/secret.txt'"),
    "row/file-absolute": sql("UPDATE extracted_files SET relpath = '{outside}/victim'"),
    "row/artifact-climbs": sql("UPDATE artifacts SET relpath = '../../../../outside/src/a.zip'"),
    "row/slot-climbs": sql("UPDATE latest_pointer SET slot = '../outside'"),
    "row/time": sql("UPDATE versions SET created_at = 'infinity'::TIMESTAMP"),
    "row/time-of-file": sql("UPDATE extracted_files SET mtime = TIMESTAMP '290000-01-01'"),
    "row/size": sql("UPDATE extracted_files SET size_bytes = -1"),
    # views and macros
    "view/reads": sql(
        "CREATE OR REPLACE VIEW v_latest AS SELECT slot, (SELECT content FROM read_text('{outside}/victim'))"
        " AS version_id, updated_at, updated_by FROM latest_pointer"
    ),
    "view/table": sql(
        "ALTER TABLE latest_pointer RENAME TO kept",
        "CREATE VIEW latest_pointer AS SELECT slot, version_id, updated_at,"
        " (SELECT content FROM read_text('{outside}/victim')) AS updated_by FROM kept",
    ),
    "view/order": sql(
        "CREATE OR REPLACE VIEW v_series_order AS SELECT *, 1 AS position, true AS is_latest,"
        " (SELECT content FROM read_text('{outside}/victim')) AS slot FROM versions"
    ),
    "macro/function": sql(
        # whoever asks for a path that climbs is told by DuckDB which text is no answer to that
        "CREATE MACRO regexp_matches(text, part) AS (SELECT content FROM read_text('{outside}/victim'))"
    ),
    "macro/delta": sql(
        "CREATE OR REPLACE MACRO version_deltas(pairs) AS TABLE SELECT 'example/sample/1.0' AS a,"
        " 'example/sample/2.0' AS b, 'ADDED' AS change, content AS relpath,"
        " NULL::VARCHAR AS previous_relpath, NULL::VARCHAR AS file_id_a, 'b' AS file_id_b, NULL::VARCHAR AS format_a,"
        " 'turtle' AS format_b, 'turtle' AS format, NULL::BIGINT AS size_a, 1::BIGINT AS size_b,"
        " 1::BIGINT AS size_delta FROM read_text('{outside}/victim')"
    ),
    # intents
    "intent/stage": committed_stage("lnk"),
    "intent/stage-climbs": committed_stage("../outside"),
    "intent/stage-staging": committed_stage(".catalog/staging/../../../outside"),
    "intent/undo-link": intent(moves=[move("lnk/new/f", "lnk/victim")]),
    "intent/undo-climbs": intent(moves=[move("example/stolen", "../outside/victim")]),
    "intent/undo-absolute": intent(moves=[move("example/stolen", "/etc/hostname")]),
    "intent/folders": intent(folders=["../outside/data/d"]),
    "intent/types": intent(moves=[{"source": 1, "target": None, "inode": "x", "size": {}}]),
    "intent/deep": text(f".catalog/intents/{'3' * 32}.json", DEEP),
    "intent/large": hole(f".catalog/intents/{'3' * 32}.json"),
    "intent/folder": lambda root, outside: (root / f".catalog/intents/{'3' * 32}.json").mkdir(),
    # pipes, which nobody may wait for
    "pipe/record": pipe(".catalog/generation.json"),
    "pipe/lock": pipe(".catalog/.duck.lock"),
    "pipe/desk": pipe(".catalog/.duck.lock.desk"),
    "pipe/log": pipe(".catalog/ontofetch.duckdb.wal"),
    "pipe/intent": pipe(f".catalog/intents/{'3' * 32}.json"),
    "pipe/restore-plan": pipe(".catalog/restore.json"),
    "pipe/key": pipe(".catalog/key"),
    "pipe/stage-record": pipe(f"{STAGE}/stage.json"),
    "pipe/stage-lock": pipe(f"{STAGE}/.lock"),
    "pipe/manifest": pipe(f"{VERSION}/manifest.json"),
    "pipe/audit": pipe(f"{VERSION}/.validation.audit.json"),
    "pipe/latest": pipe("example/sample/LATEST.json"),
    "pipe/file": pipe(f"{DATA}/a.ttl"),
    "pipe/artifact": pipe(f"{VERSION}/src/a.zip"),
    # documents
    "deep/record": text(".catalog/generation.json", DEEP),
    "deep/restore-plan": text(".catalog/restore.json", DEEP),
    "deep/stage-record": text(f"{STAGE}/stage.json", DEEP),
    "deep/manifest": text(f"{VERSION}/manifest.json", DEEP),
    "deep/latest": text("example/sample/LATEST.json", DEEP),
    "large/record": hole(".catalog/generation.json"),
    "large/stage-record": hole(f"{STAGE}/stage.json"),
    "large/manifest": hole(f"{VERSION}/manifest.json"),
    "large/latest": hole("example/sample/LATEST.json"),
    "number/record": text(".catalog/generation.json", f'{{"format": 1, "counter": {"9" * 5000}, "events": 1}}'),
    "nan/record": text(".catalog/generation.json", '{"format": 1, "counter": NaN, "events": NaN, "digest": ""}'),
    "swap/climbs": text(
        ".catalog/restore.json",
        json.dumps({"moves of format 1": [{"source": "../outside/victim", "target": "x", "inode": 1, "size": 1}]}),
    ),
}


# attacks on how the database is opened, and by what is in it; to all others it is a sound one of ours
OPENED = ("link/.catalog", "link/database", "link/log", "link/spill", "pipe/log", "row/", "view/", "macro/")


@pytest.mark.parametrize("name", ATTACKS)
def test_nothing_outside_of_a_foreign_store_is_touched(
    store: Path,
    outside: Path,
    capfd: pytest.CaptureFixture[str],
    request: pytest.FixtureRequest,
    name: str,
) -> None:
    """Every command ends with a code of the table; it neither changes nor shows what is outside, nor waits for it."""
    folder = store.parent
    new = folder / "new.ttl"
    new.write_text("<a:b> <a:c> <a:g> .\n")
    if not name.startswith(OPENED):
        request.getfixturevalue("quickest_databases")
    ATTACKS[name](store, outside)
    before, held = recount(outside), peak()
    for number, command in enumerate(COMMANDS):
        out = folder / f"{number}.tar.zst"
        words = command.format(new=new, out=out).split()
        with alarmed():
            code = main([*words, "--root", str(store)])
        shown = "".join(capfd.readouterr())
        assert code in (0, 1, 3), (command, code, shown)
        assert "should not happen" not in shown, (command, shown)
        assert not re.search(r"Traceback|\b[A-Z]\w+Error: ", shown), (command, shown)
        assert SECRET not in shown, (command, shown)
        assert recount(outside) == before, command
        assert peak() < held + HELD, command
    assert carries(store, SECRET) == []


@pytest.mark.parametrize("name", ["link/log", "link/spill", "pipe/log"])
def test_what_duckdb_opens_by_its_name_is_looked_at(
    store: Path, outside: Path, capfd: pytest.CaptureFixture[str], name: str
) -> None:
    """A link or a pipe in the place of the log, or of the folder for what memory can't hold, is refused at once."""
    ATTACKS[name](store, outside)
    for command in ("db status", "db recover"):
        assert main([*command.split(), "--root", str(store)]) == 1
        assert "is a link or no regular file" in capfd.readouterr().err


def test_a_complete_stage_does_not_let_a_link_be_written_through(store: Path, outside: Path, tmp_path: Path) -> None:
    """Whoever resumes a foreign stage writes its record anew, and never through the name that the record gets first."""
    new = tmp_path / "new.ttl"
    new.write_text("<a:b> <a:c> <a:g> .\n")
    stage = Stage.create(store, url=new.as_uri())
    with stage.write_file("src/new.ttl") as staged:
        staged.write(new.read_bytes())
    stage.complete(staged, content_type="$(touch pwned)")
    stage.close()
    (stage.path / "stage.json.new").symlink_to(outside / "victim")
    before = recount(outside)
    assert main(["pull", str(new), "--service", "s", "--ontology", "o", "--version", "1", "--root", str(store)]) == 0
    assert recount(outside) == before


@pytest.mark.parametrize(
    "theirs",
    [
        [
            f"VIEW {name} AS SELECT error('theirs') AS theirs"
            for name in ("v_latest", "v_series_order", "v_version_stats")
        ],
        [
            f"MACRO {call} AS 7"
            for call in ("sum(a)", "count(a)", "min(a)", "bool_and(a)", "coalesce(a, b)", "row_number()", "lag(a)")
        ],
    ],
    ids=["views", "macros"],
)
def test_a_foreign_view_is_not_asked(store: Path, capfd: pytest.CaptureFixture[str], theirs: list[str]) -> None:
    """Nor, within ours, a macro that is called like a function: the text of ours stands in each statement."""
    commands = (
        *([], ["db", "versions"], ["db", "stats"], ["db", "latest", "get", "example/sample"]),
        *(["show", "example/sample"], ["report", "latest"]),
    )
    answers = []
    for _ in range(2):
        for command in commands:
            assert main([*command, "--json", "--root", str(store)]) == 0
        answers.append(re.sub(r'"(recorded_at|age_days)": [^,\n]*', "", capfd.readouterr().out))
        with duckdb.connect(str(store / ".catalog/ontofetch.duckdb")) as connection:
            for what in theirs:
                connection.execute(f"CREATE OR REPLACE {what}")
    assert answers[0] == answers[1]
    assert main(["db", "doctor", "--root", str(store)]) == 3
    assert "is not as the migrations make it" in capfd.readouterr().out


def test_a_foreign_macro_is_not_asked_what_changed(store: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """The macros of a catalog are for its owner's own queries; the program has the text of ours in its statements."""
    words = (
        ["db", "delta", "example/sample/1.0", "example/sample/2.0", "--json"],
        ["report", "growth", "--series", "example/sample", "--json"],
        ["report", "latest", "--json"],
    )
    answers = []
    for _ in ("ours", "theirs"):
        for command in words:
            assert main([*command, "--root", str(store)]) == 0
        answers.append(re.sub(r'"(recorded_at|age_days)": [^,\n]*', "", capfd.readouterr().out))
        with duckdb.connect(str(store / ".catalog/ontofetch.duckdb")) as connection:
            for name, parameters in connection.execute(
                "SELECT function_name, array_to_string(parameters, ', ') FROM duckdb_functions()"
                " WHERE database_name = 'ontofetch' AND NOT internal"
            ).fetchall():
                connection.execute(f"CREATE OR REPLACE MACRO {name}({parameters}) AS TABLE SELECT error('theirs')")
    assert answers[0] == answers[1]


def test_a_foreign_macro_does_not_take_the_name_of_a_function(store: Path) -> None:
    """DuckDB's own functions are found first, whoever writes or reads."""
    from ontofetch_catalog.catalog import sessions
    from ontofetch_catalog.catalog.connection import Store

    execute(store, "CREATE MACRO lower(text) AS 'theirs'")
    with sessions.reading(Store(store)) as connection:
        assert connection.execute("SELECT lower('ABC')").fetchall() == [("abc",)]
        with pytest.raises(duckdb.Error, match="disabled"):
            connection.execute("SELECT * FROM read_text('/etc/hostname')")
        with pytest.raises(duckdb.Error, match="locked"):
            connection.execute("SET enable_external_access = true")
    with sessions.writing(Store(store, {"durability": "off"})) as session:
        assert session.connection.execute("SELECT lower('ABC')").fetchall() == [("abc",)]


@pytest.mark.parametrize("command", ["db recover", "db status"])
def test_a_catalog_exchanged_as_it_is_opened_is_left_as_it_is(
    store: Path, outside: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], command: str
) -> None:
    """Another database that takes the catalog's place at that very moment is noticed; it and its log stay the same."""
    theirs = outside / "theirs"
    shutil.copytree(store / ".catalog", theirs)
    with duckdb.connect(str(theirs / "ontofetch.duckdb")) as connection:
        connection.execute("PRAGMA disable_checkpoint_on_shutdown")
        connection.execute("CREATE TABLE theirs AS SELECT range FROM range(1000)")
    assert (theirs / "ontofetch.duckdb.wal").stat().st_size > 0
    before, connect, opened = recount(outside), duckdb.connect, []

    def exchanged(database: str, *args: Any, **options: Any) -> duckdb.DuckDBPyConnection:
        if not opened:
            (store / ".catalog").rename(store / "kept")
            (store / ".catalog").symlink_to(theirs)
        opened.append(connect(database, *args, **options))
        return opened[-1]

    monkeypatch.setattr(duckdb, "connect", exchanged)
    assert main([*command.split(), "--root", str(store)]) == 1
    assert "something else took its place while it was opened" in capfd.readouterr().err
    assert len(opened) == 1
    assert recount(outside) == before


def test_a_catalog_exchanged_as_it_is_made_gets_nothing(
    tmp_path: Path, outside: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Where nothing lies yet, DuckDB makes its empty file wherever the name leads; no schema and no row get there."""
    store, connect = tmp_path / "new", duckdb.connect

    def exchanged(database: str, *args: Any, **options: Any) -> duckdb.DuckDBPyConnection:
        (store / ".catalog").rename(store / "kept")
        (store / ".catalog").symlink_to(outside / "data")
        return connect(database, *args, **options)

    before = recount(outside)
    with monkeypatch.context() as patched:
        patched.setattr(duckdb, "connect", exchanged)
        assert main(["db", "migrate", "--root", str(store)]) == 1
    assert "something else took its place while it was opened" in capfd.readouterr().err
    after = recount(outside)
    assert after.keys() - before.keys() == {"data/new.duckdb"}
    assert {path for path in before if after[path] != before[path]} == {"data"}
    with duckdb.connect(str(outside / "data/new.duckdb"), read_only=True) as connection:
        assert connection.execute("SHOW TABLES").fetchall() == []
