"""The hostile stores that are tried by name: documents, rows, plans, intents, stages and backups of a stranger."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import duckdb

from . import packing as p
from .oracles import Attack, Prepare, Words
from .places import SECRET, Place

GB = 1_000_000_000
BOUNDARY = "0123456789abcdef0123456789abcdef"
SHORT = 15.0  # seconds: what is tried here is small
Plant = Callable[[Path, Place], None]
NEXT = ("pull", "next.nt", "--service", "s", "--ontology", "o", "--version", "3", "-q")

LOOKS: tuple[Words, ...] = (
    ("db", "status"),
    ("db", "doctor", "--json"),
    ("db", "versions"),
    ("db", "verify", "-q"),
    ("report", "latest", "--json"),
    (),
)
WRITES: tuple[Words, ...] = (
    NEXT,
    ("db", "recover"),
    ("db", "doctor", "--fix", "--yes"),
    ("db", "share", "--by", "hardlink"),
    ("db", "refresh"),
    ("db", "backup", "--include-data"),
    ("db", "rebuild", "--replace"),
)
# where a document lies in the store of the place, and the commands that meet it
DOCUMENTS: dict[str, tuple[Words, ...]] = {
    ".catalog/generation.json": (*LOOKS[:2], *WRITES),
    ".catalog/restore.json": (*LOOKS[:2], NEXT, ("db", "recover"), ("db", "doctor", "--fix", "--yes")),
    f".catalog/intents/{BOUNDARY}.json": (*LOOKS[:2], ("db", "recover"), NEXT),
    f".catalog/staging/{BOUNDARY}/stage.json": (*LOOKS[:2], NEXT, WRITES[2]),
    f".catalog/staging/{BOUNDARY}/.lock": (*LOOKS[:2], NEXT, WRITES[2]),
    ".catalog/.duck.lock": (*LOOKS[:2], NEXT),
    "s/o/LATEST.json": (LOOKS[1], ("db", "latest", "get", "s/o"), WRITES[2], WRITES[4], WRITES[5]),
    "s/o/1/manifest.json": (LOOKS[1], WRITES[2], WRITES[4], WRITES[5]),
    "s/o/2/manifest.json": (LOOKS[1], ("db", "pin", "s/o/2"), NEXT, WRITES[5]),
    "s/o/1/.extract.audit.json": (LOOKS[1], ("report", "latest", "--source", "audits"), WRITES[2], WRITES[5]),
    "s/o/1/.validation.audit.json": (LOOKS[1], WRITES[2], WRITES[5]),
    "s/o/1/data/sample.ttl": (("db", "verify", "-q"), ("db", "doctor", "--hash"), WRITES[4], WRITES[5]),
    "s/o/1/src/sample.ttl": (("db", "verify", "-q"), ("db", "doctor", "--hash"), WRITES[4], WRITES[5]),
    ".catalog/ontofetch.duckdb": (*LOOKS[:2], NEXT, ("db", "rebuild")),
    ".catalog/ontofetch.duckdb.wal": (*LOOKS[:2], NEXT, ("db", "rebuild")),
}


def replace(path: Path) -> Path:
    """Make room at a path and return it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_symlink() or path.is_file():
        path.unlink()
    elif path.is_dir():
        shutil.rmtree(path)
    return path


def sparse(count: int) -> Plant:
    """Return what plants a file with a hole."""

    def plant(path: Path, place: Place) -> None:
        del place
        with replace(path).open("wb") as stream:
            stream.truncate(count)

    return plant


def holding(data: bytes) -> Plant:
    """Return what plants a file of these bytes."""
    return lambda path, _: replace(path).write_bytes(data) and None


def linking(target: str) -> Plant:
    """Return what plants a link to something outside."""
    return lambda path, place: replace(path).symlink_to(place.outside / target)


def _socket(path: Path, place: Place) -> None:
    del place
    # the name of a socket is short, its folder's may not be
    folder = os.open(replace(path).parent, os.O_RDONLY)
    try:
        with socket.socket(socket.AF_UNIX) as bound:
            bound.bind(f"/proc/self/fd/{folder}/{path.name}")
    finally:
        os.close(folder)


def _hard_link(path: Path, place: Place) -> None:
    os.link(place.outside / "secret.txt", replace(path))


PLANTS: dict[str, Plant] = {
    "pipe": lambda path, _: os.mkfifo(replace(path)),
    "socket": _socket,
    "folder": lambda path, _: replace(path).mkdir(),
    "link": linking("secret.txt"),
    "link-to-pipe": linking("pipe"),
    "link-to-nothing": linking("nothing"),
    "link-to-folder": linking("data"),
    "huge": sparse(GB),
    "deep": holding(b"[" * 1_000_000),
    "deep-object": holding(b'{"a":' * 500_000),
    "long-number": holding(b"9" * 1_000_000),
    "long-name": holding(json.dumps({"format": 1, "x" * 1_000_000: 1}).encode()),
    "not-utf8": holding(b'{"format": "\xff\xfe"}'),
    "surrogate": holding(b'{"format": "\\ud800", "path": "\\udfff"}'),
    "infinity": holding(b'{"format": 1e999, "counter": NaN, "events": -Infinity}'),
    "list": holding(b"[]"),
    "null": holding(b"null"),
    "empty": holding(b""),
}


def planted(name: str, plant: Plant, commands: tuple[Words, ...]) -> Prepare:
    """Return what plants something at a path of the store, and the commands."""

    def prepare(place: Place, stack: ExitStack) -> list[Words]:
        del stack
        place.give("next.nt", b"<a:s> <a:p> <a:o> .\n")
        plant(place.root / name, place)
        return list(commands)

    return prepare


def _short(path: str) -> str:
    """Return a document's name without the folders that it is always in."""
    return path.removeprefix(".catalog/").replace(f"{BOUNDARY}/", "").replace(BOUNDARY, "intent").replace("/", "-")


def _documents() -> Iterator[Attack]:
    for path, commands in DOCUMENTS.items():
        for name, plant in PLANTS.items():
            if name == "huge" and path.startswith("s/o/1/data"):
                continue
            yield Attack(f"{_short(path)}-{name}", "documents", planted(path, plant, commands), True, SHORT)


# --- folders that are links -----------------------------------------------------------------------------------------

FOLDERS = (
    *("s", "s/o", "s/o/1", "s/o/1/data", "s/o/1/src", ".catalog/intents", ".catalog/staging", ".catalog/quarantine"),
    *(".catalog/backups", ".catalog/plans", ".catalog/restoring", ".catalog"),
)


def _link_folder(path: str) -> Prepare:
    def prepare(place: Place, stack: ExitStack) -> list[Words]:
        del stack
        place.give("next.nt", b"<a:s> <a:p> <a:o> .\n")
        there = place.root / path
        there.parent.mkdir(parents=True, exist_ok=True)
        if there.exists():
            # the outside has everything that the folder has, so that nothing seems amiss
            shutil.copytree(there, place.outside / "all", symlinks=True)
        else:
            (place.outside / "all").mkdir()
        (place.outside / "all/canary.txt").write_bytes(SECRET)
        replace(there).symlink_to(place.outside / "all")
        prune = ("db", "prune", "--version", "s/o/1", "--min-age", "0s", "--yes", "0s", "--override", "large-plan")
        plans = sorted(plan.name for plan in (place.root / ".catalog/plans").iterdir()) if path != ".catalog" else []
        applied = [("db", "prune", "--apply", plan) for plan in plans]
        return [*LOOKS, *WRITES, ("db", "verify", "-q"), prune, *applied]

    return prepare


# --- rows -----------------------------------------------------------------------------------------------------------

ROWS = {
    "fs-up": "UPDATE versions SET fs_relpath = '../outside' WHERE version = '1'",
    "fs-absolute": "UPDATE versions SET fs_relpath = '{outside}' WHERE version = '1'",
    "fs-dot": "UPDATE versions SET fs_relpath = '.' WHERE version = '1'",
    "fs-empty": "UPDATE versions SET fs_relpath = '' WHERE version = '1'",
    "fs-catalog": "UPDATE versions SET fs_relpath = '.catalog' WHERE version = '1'",
    "fs-inner-up": "UPDATE versions SET fs_relpath = 's/o/1/../../../../outside' WHERE version = '1'",
    "fs-nul": "UPDATE versions SET fs_relpath = 's/o' || chr(0) || '/1' WHERE version = '1'",
    "fs-null": "UPDATE versions SET fs_relpath = NULL WHERE version = '1'",
    "file-up": "UPDATE extracted_files SET relpath = '../../../../outside/secret.txt'",
    "file-absolute": "UPDATE extracted_files SET relpath = '{outside}/secret.txt'",
    "file-newline": "UPDATE extracted_files SET relpath = 'a' || chr(10) || 'b'",
    "artifact-up": "UPDATE artifacts SET relpath = '../../../../outside/secret.txt'",
    "service-up": "UPDATE versions SET service = '../outside', version_id = '../outside/o/1' WHERE version = '1'",
    "slot-up": "UPDATE latest_pointer SET slot = '../outside'",
    "slot-version": "UPDATE latest_pointer SET version_id = '../../outside'",
    "hash-odd": "UPDATE extracted_files SET file_id = '../../outside/secret.txt'",
    "size-negative": "UPDATE extracted_files SET size_bytes = -1",
    "size-huge": "UPDATE extracted_files SET size_bytes = 9223372036854775807",
    "layout-odd": "UPDATE versions SET layout = '../../outside'",
    "time-odd": "UPDATE versions SET created_at = 'infinity'::TIMESTAMP",
    "time-early": "UPDATE extracted_files SET mtime = '290000-01-01'::TIMESTAMP",
    "event-payload": "UPDATE events SET payload = repeat('[', 900)::VARCHAR || repeat(']', 900)",
    "version-surrogates": "UPDATE versions SET version = repeat('9', 100000)",
    "many-rows": "INSERT INTO extracted_files SELECT version_id, relpath || i, file_id, artifact_id, format,"
    " size_bytes, mtime, verified_at, NULL, NULL FROM extracted_files, range(200000) r(i) WHERE version_id = 's/o/1'",
    "view-latest": "CREATE OR REPLACE VIEW v_latest AS SELECT content AS slot, content AS service, content AS ontology,"
    " content AS version_id, content AS version, now()::TIMESTAMP AS updated_at, content AS updated_by"
    " FROM read_text('{outside}/secret.txt')",
    "view-files": "CREATE OR REPLACE TABLE kept AS FROM extracted_files; DROP TABLE extracted_files; CREATE VIEW"
    " extracted_files AS SELECT version_id, (SELECT content FROM read_text('{outside}/secret.txt')) AS relpath,"
    " file_id, artifact_id, format, size_bytes, mtime, verified_at FROM kept",
    "view-events": "CREATE OR REPLACE TABLE kept AS FROM events; DROP TABLE events; CREATE VIEW events AS SELECT"
    " * REPLACE ((SELECT content FROM read_text('{outside}/secret.txt')) AS payload) FROM kept",
    "view-glob": "CREATE OR REPLACE VIEW v_version_stats AS"
    " SELECT content AS version_id FROM read_text('{outside}/*.txt')",
    "view-endless": "CREATE OR REPLACE VIEW v_series_order AS WITH RECURSIVE t AS (SELECT 1 AS n UNION ALL SELECT n + 1"
    " FROM t) SELECT n::VARCHAR AS version_id FROM t",
    "view-large": "CREATE OR REPLACE VIEW v_latest AS SELECT repeat('x', 1000000) || i AS slot FROM range(10000) r(i)",
    "macro-lower": "CREATE OR REPLACE MACRO lower(x) AS (SELECT content FROM read_text('{outside}/secret.txt'))",
    "macro-count": "CREATE OR REPLACE MACRO coalesce2(x) AS 1; CREATE OR REPLACE MACRO strftime(a, b) AS (SELECT"
    " content FROM read_text('{outside}/secret.txt'))",
    "macro-delta": "CREATE OR REPLACE MACRO version_delta_files(a, b) AS TABLE SELECT content AS relpath"
    " FROM read_text('{outside}/secret.txt')",
    "schema-other": "CREATE SCHEMA other; CREATE VIEW other.versions AS SELECT content FROM read_text('{outside}/*')",
    "table-missing": "DROP TABLE validations",
    "column-missing": "ALTER TABLE versions DROP COLUMN fs_relpath",
    "column-other": "ALTER TABLE versions ALTER fs_relpath TYPE BLOB",
    "schema-future": "UPDATE schema_version SET version = 99999",
}
ROW_COMMANDS: tuple[Words, ...] = (
    *LOOKS,
    ("db", "files", "s/o/1"),
    ("db", "latest", "get", "s/o"),
    ("db", "delta", "s/o/1", "s/o/2"),
    ("db", "stats"),
    ("db", "events"),
    ("report", "growth", "--a", "s/o/1", "--b", "s/o/2"),
    ("report", "latest", "--version", "1"),
    ("db", "find", hashlib.sha256(SECRET).hexdigest()),
    *WRITES[:5],
)


def _row(sql: str) -> Prepare:
    def prepare(place: Place, stack: ExitStack) -> list[Words]:
        del stack
        place.give("next.nt", b"<a:s> <a:p> <a:o> .\n")
        plans = place.root / ".catalog/plans"
        before = {plan.name for plan in plans.iterdir()}
        with duckdb.connect(str(place.root / ".catalog/ontofetch.duckdb")) as connection:
            connection.execute(sql.replace("{outside}", str(place.outside)))
        prune = ("db", "prune", "--version", "s/o/1", "--min-age", "0s", "--yes", "0s", "--override", "large-plan")
        return [*ROW_COMMANDS, prune, *(("db", "prune", "--apply", plan) for plan in sorted(before)), WRITES[5]]

    return prepare


# --- plans, intents, stages -----------------------------------------------------------------------------------------


def forge_plan(root: Path, change: Callable[[dict[str, Any], list[dict[str, Any]]], None]) -> str:
    """Change the plan of a store as somebody who knows the format, and return its id."""
    folder = next(iter(sorted((root / ".catalog/plans").iterdir())))
    document = json.loads((folder / "plan.json").read_bytes())
    entries = [json.loads(line) for line in (folder / "entries.jsonl").read_text().splitlines()]
    document.pop("digest", None)
    change(document, entries)
    data = "".join(json.dumps(entry) + "\n" for entry in entries).encode()
    (folder / "entries.jsonl").write_bytes(data)
    if isinstance(document.get("entries"), dict):
        document["entries"]["sha256"] = hashlib.sha256(data).hexdigest()
    document["digest"] = hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()
    (folder / "plan.json").write_text(json.dumps(document))
    return folder.name


def _entry_at(path: str, target: str) -> Callable[[Place], str]:
    """Return what makes the plan's entry another file: `path` as the plan says it, `target` where it lies."""

    def forge(place: Place) -> str:
        state = (place.top / target).lstat()

        def change(document: dict[str, Any], entries: list[dict[str, Any]]) -> None:
            del document
            entries[0].update(
                path=path.replace("{outside}", str(place.outside)),
                size_bytes=state.st_size,
                inode=state.st_ino,
                device=state.st_dev,
                links=state.st_nlink,
                mtime_ns=state.st_mtime_ns,
                ctime_ns=state.st_ctime_ns,
            )

        return forge_plan(place.root, change)

    return forge


def _plan(forge: Callable[[Place], str]) -> Prepare:
    def prepare(place: Place, stack: ExitStack) -> list[Words]:
        del stack
        name = forge(place)
        steps = [("db", "prune", step, name) for step in ("--apply", "--restore", "--apply", "--purge")]
        return [("db", "prune", "--plans"), *steps]

    return prepare


def _batch(**values: object) -> Callable[[Place], str]:
    def change(document: dict[str, Any], entries: list[dict[str, Any]]) -> None:
        del entries
        document["batches"][0].update(values)

    return lambda place: forge_plan(place.root, change)


def _name_of_plan(name: str) -> Callable[[Place], str]:
    def forge(place: Place) -> str:
        folder = next(iter(sorted((place.root / ".catalog/plans").iterdir())))
        shutil.copytree(folder, place.outside / "plan")
        return name.replace("{outside}", str(place.outside))

    return forge


def _deep_line(place: Place) -> str:
    name = forge_plan(place.root, lambda document, entries: None)
    (place.root / ".catalog/plans" / name / "entries.jsonl").write_bytes(b"[" * 1_000_000 + b"\n")
    document = json.loads((place.root / ".catalog/plans" / name / "plan.json").read_bytes())
    document.pop("digest")
    document["entries"]["sha256"] = hashlib.sha256(b"[" * 1_000_000 + b"\n").hexdigest()
    document["digest"] = hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()
    (place.root / ".catalog/plans" / name / "plan.json").write_text(json.dumps(document))
    return name


PLANS: dict[str, Callable[[Place], str]] = {
    "entry-up": _entry_at("../outside/secret.txt", "outside/secret.txt"),
    "entry-absolute": _entry_at("{outside}/secret.txt", "outside/secret.txt"),
    "entry-inner-up": _entry_at("s/o/1/../../../../outside/data/secret.txt", "outside/data/secret.txt"),
    "entry-folder": _entry_at("../outside/empty", "outside/empty"),
    "entry-database": _entry_at(".catalog/ontofetch.duckdb", "store/.catalog/ontofetch.duckdb"),
    "entry-generation": _entry_at(".catalog/generation.json", "store/.catalog/generation.json"),
    "entry-recorded": _entry_at("s/o/2/data/sample.ttl", "store/s/o/2/data/sample.ttl"),
    "batch-up": _batch(batch="../../../outside"),
    "batch-version": _batch(version_id="../../outside", parts=["../../outside/data"]),
    "batch-parts": _batch(version_id="s/o/1", parts=["../../../outside/data", "/etc"]),
    "batch-number": _batch(batch=-1),
    "batch-float": _batch(batch=1e300),
    "name-up": _name_of_plan("../../../outside/plan"),
    "name-absolute": _name_of_plan("{outside}/plan/plan.json"),
    "deep-line": _deep_line,
}


def _intent(known: bool, **values: object) -> Prepare:
    """Return what plants an intent, of a boundary that has committed or not."""

    def prepare(place: Place, stack: ExitStack) -> list[Words]:
        del stack
        place.give("next.nt", b"<a:s> <a:p> <a:o> .\n")
        boundary = BOUNDARY
        if known:
            with duckdb.connect(str(place.root / ".catalog/ontofetch.duckdb"), read_only=True) as connection:
                boundary = connection.execute("SELECT boundary_id FROM events ORDER BY ts DESC LIMIT 1").fetchall()[0][
                    0
                ]
        (place.root / "lnk").symlink_to(place.outside)
        state = (place.outside / "secret.txt").lstat()
        moves = values.get("moves", ())
        assert isinstance(moves, tuple)
        told = {
            "format": 1,
            "boundary_id": boundary,
            "folders": list(values.get("folders", ())),  # type: ignore[call-overload]
            "stages": list(values.get("stages", ())),  # type: ignore[call-overload]
            "moves": [
                {"source": source, "target": target, "inode": state.st_ino, "size": state.st_size}
                for source, target in moves
            ],
        }
        path = place.root / ".catalog/intents" / f"{boundary}.json"
        path.write_text(json.dumps(told))
        return [("db", "status"), ("db", "recover"), NEXT]

    return prepare


INTENTS: dict[str, Prepare] = {
    "committed-stage-link": _intent(True, stages=("lnk",)),
    "committed-stage-deep": _intent(True, stages=("lnk/empty",)),
    "committed-stage-up": _intent(True, stages=("../outside",)),
    "committed-stage-catalog": _intent(True, stages=(".catalog",)),
    "committed-quarantine": _intent(True, folders=("lnk/empty/deep", "lnk/empty")),
    "undo-move-link": _intent(False, moves=(("lnk/new/sub/f", "s/o/1/manifest.json"),)),
    "undo-move-out": _intent(False, moves=(("s/o/9", "lnk/secret.txt"),)),
    "undo-move-up": _intent(False, moves=(("../outside/new", "../outside/secret.txt"),)),
    "undo-folders-link": _intent(False, folders=("lnk/empty/deep", "lnk/empty")),
    "undo-folders-up": _intent(False, folders=("../outside/empty/deep",)),
    "undo-database": _intent(False, moves=(("x", ".catalog/ontofetch.duckdb"),)),
}


def _stage(url: str, **links: str) -> Prepare:
    """Return what plants a complete stage of what is pulled next, with links inside of it."""

    def prepare(place: Place, stack: ExitStack) -> list[Words]:
        del stack
        data = b"<a:s> <a:p> <a:o> .\n"
        place.give("next.nt", data)
        stage = place.root / ".catalog/staging" / BOUNDARY
        (stage / "src").mkdir(parents=True)
        (stage / "src/next.nt").write_bytes(data)
        (stage / "data").mkdir()
        told = {
            "url": url.replace("{work}", str(place.work)),
            "name": "src/next.nt",
            "sha256": hashlib.sha256(data).hexdigest(),
            "size": len(data),
            "complete": True,
            "content_type": "$(touch x)",
        }
        for name, target in links.items():
            path = stage / name.replace("__", ".").replace("_slash_", "/")
            replace(path).symlink_to(place.outside / target)
        if not (stage / "stage.json").is_symlink():
            (stage / "stage.json").write_text(json.dumps(told))
        return [NEXT, ("db", "doctor", "--fix", "--yes")]

    return prepare


_URL = "file://{work}/next.nt"
STAGES: dict[str, Prepare] = {
    "record-new": _stage(_URL, stage__json__new="secret.txt"),
    "record-new-missing": _stage(_URL, stage__json__new="new.txt"),
    "record": _stage(_URL, stage__json="stage.json"),
    "lock": _stage(_URL, __lock="secret.txt"),
    "lock-missing": _stage(_URL, __lock="new.txt"),
    "lock-pipe": _stage(_URL, __lock="pipe"),
    "source": _stage(_URL, src_slash_next__nt="secret.txt"),
    "source-folder": _stage(_URL, src="src"),
    "data-folder": _stage(_URL, data="data"),
}


# --- backups --------------------------------------------------------------------------------------------------------


def _backup_of(members: list[tuple[bytes, bytes]], pack: Callable[[bytes], bytes]) -> Prepare:
    def prepare(place: Place, stack: ExitStack) -> list[Words]:
        del stack
        data = b"".join(p.tar_file(name, body) for name, body in members) + p.END
        name = place.give("b.tar.zst", pack(data))
        return [("db", "restore", name)]

    return prepare


def _zst(data: bytes) -> bytes:
    import zstandard

    return zstandard.compress(data)


def _backup_folder(plant: Callable[[Path, Place], None]) -> Prepare:
    """Return what makes a backup folder out of an honest store's own documents and then plants something in it."""

    def prepare(place: Place, stack: ExitStack) -> list[Words]:
        del stack
        backup = place.work / "backup"
        backup.mkdir()
        shutil.copy(place.root / ".catalog/ontofetch.duckdb", backup / "ontofetch.duckdb")
        (backup / "files.jsonl").write_text('{"path": "ontofetch.duckdb", "sha256": "x", "size_bytes": 1}\n')
        (backup / "manifest.json").write_text('{"format": 1}')
        plant(backup, place)
        return [("db", "restore", "backup")]

    return prepare


def _files_line(**values: object) -> Plant:
    line = json.dumps({"path": "x", "sha256": "0" * 64, "size_bytes": 1} | values) + "\n"
    return lambda backup, _: (backup / "files.jsonl").write_text(line) and None


BACKUPS: dict[str, Prepare] = {
    "up": _backup_of([(b"../outside/x", b"x"), (b"manifest.json", b"{}")], _zst),
    "store-up": _backup_of([(b"store/../../outside/x", b"x"), (b"manifest.json", b"{}")], _zst),
    "deep-manifest": _backup_of([(b"files.jsonl", b""), (b"manifest.json", b"[" * 1_000_000)], _zst),
    "deep-files": _backup_of([(b"files.jsonl", b"[" * 1_000_000), (b"manifest.json", b"{}")], _zst),
    "pax-bomb": _backup_of([], lambda _: p.bomb(p.header(b"x", 2**31, kind=b"x") + b"2147483648 a=", 2**31, b"", _zst)),
    "behind": _backup_of([], lambda data: p.bomb(data, 20 * 2**30, b"", _zst)),
    "huge-member": _backup_of([], lambda _: p.bomb(p.header(b"manifest.json", 20 * 2**30), 20 * 2**30, p.END, _zst)),
    "folder-pipe": _backup_folder(lambda backup, _: os.mkfifo(replace(backup / "manifest.json"))),
    "folder-files-pipe": _backup_folder(lambda backup, _: os.mkfifo(replace(backup / "files.jsonl"))),
    "folder-link": _backup_folder(
        lambda backup, place: replace(backup / "manifest.json").symlink_to(place.outside / "manifest.json")
    ),
    "folder-deep": _backup_folder(lambda backup, _: (backup / "manifest.json").write_bytes(b"[" * 1_000_000) and None),
    "folder-files-deep": _backup_folder(
        lambda backup, _: (backup / "files.jsonl").write_bytes(b"[" * 999_999) and None
    ),
    "folder-huge": _backup_folder(lambda backup, place: sparse(GB)(backup / "manifest.json", place)),
    "folder-files-huge": _backup_folder(lambda backup, place: sparse(GB)(backup / "files.jsonl", place)),
    "folder-line-up": _backup_folder(_files_line(path="../../outside/secret.txt")),
    "folder-line-absolute": _backup_folder(_files_line(path="/etc/passwd")),
    "folder-line-number": _backup_folder(_files_line(path=7)),
    "folder-line-null": _backup_folder(_files_line(path=None, sha256=None)),
}


def _foreign(words: Words, *names: str) -> Prepare:
    """Return what gives a command special files by name where it wants a file."""

    def prepare(place: Place, stack: ExitStack) -> list[Words]:
        del stack
        os.mkfifo(place.work / "pipe")
        (place.work / "folder").mkdir()
        place.give("deep.json", b"[" * 1_000_000)
        with (place.work / "huge").open("wb") as stream:
            stream.truncate(GB)
        return [tuple(word.replace("{}", name) for word in words) for name in names]

    return prepare


_SPECIAL = ("pipe", "folder", "huge", "deep.json", "/dev/zero", "/dev/null", "/dev/full", "/proc/self/mem")
FILES: dict[str, Prepare] = {
    "pull": _foreign(("pull", "{}", *NEXT[2:]), "pipe", "folder", "/dev/zero", "/dev/null", "/proc/self/mem"),
    "restore": _foreign(("db", "restore", "{}"), *_SPECIAL),
    "restore-key": _foreign(("db", "restore", "deep.json", "--verify-key", "{}"), *_SPECIAL),
    "backup-key": _foreign(("db", "backup", "--sign", "{}"), *_SPECIAL),
    "backup-to": _foreign(("db", "backup", "--to", "{}"), *_SPECIAL),
    "apply": _foreign(("db", "prune", "--apply", "{}"), *_SPECIAL),
    "join": _foreign(("report", "latest", "--join", "{}"), *_SPECIAL),
    "out": _foreign(("db", "versions", "--out", "{}"), "folder", "/dev/full", "pipe/x"),
}


def _attacks() -> Iterator[Attack]:
    yield from _documents()
    for path in FOLDERS:
        yield Attack(f"link-{path.replace('/', '-')}", "links", _link_folder(path), True, SHORT)
    for name, sql in ROWS.items():
        yield Attack(f"row-{name}", "rows", _row(sql), True, 120.0 if name == "many-rows" else SHORT)
    for name, forge in PLANS.items():
        yield Attack(f"plan-{name}", "plans", _plan(forge), planted=name.startswith("entry-"))
    for kind, prepared in (("intent", INTENTS), ("stage", STAGES)):
        for name, prepare in prepared.items():
            yield Attack(f"{kind}-{name}", f"{kind}s", prepare, True, SHORT)
    for name, prepare in BACKUPS.items():
        yield Attack(f"backup-{name}", "backups", prepare)
    for name, prepare in FILES.items():
        yield Attack(f"file-{name}", "special files", prepare, seconds=SHORT)


ATTACKS = tuple(_attacks())
