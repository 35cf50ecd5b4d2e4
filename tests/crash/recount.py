"""The recount: what a store holds, and which invariants it breaks, seen without a line of the package.

It runs as a process of its own that answers lines with lines (`Recounter` is its other end), and imports nothing but
the standard library and DuckDB. One in-memory connection attaches each catalog read-only, reads it and lets go again.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

# what changes from run to run by its nature (times, ids, digests of texts with times) is left out of a picture
COLUMNS = {
    "versions": "version_id, service, ontology, version, released::VARCHAR, fs_relpath, layout, plan_hash,"
    " extract_audit IS NOT NULL, validation_audit IS NOT NULL, pinned_at IS NOT NULL | extract_audit, validation_audit",
    "artifacts": "version_id, relpath, artifact_id, source_url, etag, last_modified, content_type, size_bytes, status,"
    " extraction::VARCHAR, verified_at IS NOT NULL",
    "origins": "version_id, relpath, source_url, etag, last_modified, content_type",
    "extracted_files": "version_id, relpath, file_id, artifact_id, format, size_bytes, mtime::VARCHAR,"
    " verified_at IS NOT NULL",
    "validations": "version_id, relpath, file_id, validator, validator_version, passed, details::VARCHAR, reused_from",
    "latest_pointer": "slot, version_id, updated_by | updated_at",
    "notes": "version_id, kind, text",
    "file_facts": "file_id, facts_version, content_id, digest, table_sha256, table_bytes, terms, heads, reason"
    " | recorded_at",
    "ontology_heads": "content_id, facts_version, position, title, imports::VARCHAR",
    "version_stats": "version_id, artifacts, artifact_bytes, files, size_bytes, formats, passed, failed, not_judged,"
    " not_validated | computed_at",
    "schema_version": "version, checksum",
}
EVENTS = "event_id, digest, type, boundary_id, run_id, ts, level, version_id, config_hash, payload::VARCHAR"
FOLDERS = {
    "native": ("src", "data"),
    "docstokg": ("original", "extracted"),
    "docstokg-tree": ("original", "extracted"),
}
SHARED = "docstokg-tree"  # another program's files lie in the same folders, also before anything is recorded
MANIFEST, BESIDE = "manifest.json", ".manifest.json"
DOCUMENTS = (".extract.audit.json", ".validation.audit.json", MANIFEST)
TERMS = ".catalog/facts/"
OF_ANOTHER = "ontologies/"  # the tree of another program, in stores that have one
LOCKS = (".duck.lock", ".duck.lock.desk")
MOST_READ = 1_000
Faults = list[tuple[str, str]]
Tables = dict[str, list[tuple[Any, ...]]]
_read: dict[bytes, Tables] = {}


def recount(connection: Any, root: Path) -> dict[str, Any]:
    """Return the picture of a store, its events, its open intents, and the faults found in it."""
    disk = list_files(root)
    found: dict[str, Any] = {"faults": [], "rows": None, "events": [], "intents": [], **picture_of(disk, root)}
    database = root / ".catalog/ontofetch.duckdb"
    if database.is_file():
        tables = read_tables(connection, database)
        if tables:
            compare(tables, root, disk, found)
    return found


def read_tables(connection: Any, database: Path) -> Tables:
    """Return table → its rows; empty if there is no schema. The very same bytes are read once."""
    content = hashlib.sha256()
    for path in (database, database.with_name(f"{database.name}.wal")):
        content.update(path.read_bytes() if path.exists() else b"")
        content.update(b"then the log")
    key = content.digest()
    if key not in _read:
        if len(_read) >= MOST_READ:
            _read.clear()
        _read[key] = _read_tables(connection, database)
    return _read[key]


def _read_tables(connection: Any, database: Path) -> Tables:
    from duckdb import CatalogException

    connection.execute(f"ATTACH '{database}' AS store (READ_ONLY)")
    found: Tables = {}
    try:
        for name, columns in {**COLUMNS, "events": EVENTS}.items():
            # asking which tables there are takes as long as reading one or two
            with suppress(CatalogException):
                found[name] = connection.execute(f"SELECT {columns.replace('|', ',')} FROM store.{name}").fetchall()
    finally:
        connection.execute("DETACH store")
    return found


def list_files(root: Path) -> dict[str, tuple[int, str]]:
    """Return path → (size, sha256) of every file below `root`, the database's left to DuckDB."""
    found = {}
    for folder, _, names in os.walk(root):
        for name in names:
            path = f"{folder}/{name}"
            relpath = path[len(str(root)) + 1 :]
            if not relpath.startswith(".catalog/") or ".duckdb" not in name:
                # a link is no file, wherever it leads
                data = f"link to {os.readlink(path)}".encode() if os.path.islink(path) else Path(path).read_bytes()
                found[relpath] = (len(data), hashlib.sha256(data).hexdigest())
    return found


def picture_of(disk: dict[str, tuple[int, str]], root: Path) -> dict[str, Any]:
    """Return what is comparable from run to run on disk: releases, what is staged, what is kept aside, what is odd."""
    outside = {path: digest for path, (_, digest) in disk.items() if not path.startswith(".catalog/")}
    folders = []
    for folder, names, _ in os.walk(root):
        if folder == str(root):
            names[:] = [name for name in names if name != ".catalog"]
        folders += [f"{folder}/{name}"[len(str(root)) + 1 :] for name in names]
    staged, kept, odd = {}, [], []
    for path, (_, digest) in disk.items():
        parts = path.split("/")
        if parts[0] != ".catalog" or path in [f".catalog/{name}" for name in (*LOCKS, "generation.json")]:
            continue
        if parts[1] == "staging" and len(parts) > 3:
            # the last is a file by one more name, on its way to the place of an equal one
            if parts[3] not in (".lock", "stage.json", ".beside"):
                staged["/".join(parts[2:])] = digest
        elif parts[1] == "quarantine" and len(parts) > 3:
            kept.append(["/".join(parts[3:]), digest])
        elif parts[1] not in ("intents", "backups", "plans", "facts"):
            odd.append(path)
    odd += [f".catalog/{name}" for name in ("new.duckdb", "new.duckdb.wal") if (root / ".catalog" / name).exists()]
    # documents carry times; whether they say what the rows say is looked at apart
    timed = (*DOCUMENTS, BESIDE, "LATEST.json")
    files = {path: digest for path, digest in outside.items() if os.path.basename(path) not in timed}
    documents = sorted(path for path in outside if path not in files)
    files |= {path: digest for path, (_, digest) in disk.items() if path.startswith(TERMS)}
    return {
        "files": files,
        "documents": documents,
        "folders": sorted(folders),
        "staged": staged,
        "kept": sorted(kept),
        "odd": sorted(odd),
    }


def compare(
    tables: dict[str, list[tuple[Any, ...]]], root: Path, disk: dict[str, tuple[int, str]], found: dict[str, Any]
) -> None:
    """Compare rows with rows and with the disk."""
    faults: Faults = found["faults"]
    found["rows"] = {
        name: sorted((row[: columns.partition("|")[0].count(",") + 1] for row in tables[name]), key=str)
        for name, columns in COLUMNS.items()
        if name in tables
    }
    folder = root / ".catalog/intents"
    found["intents"] = sorted(os.listdir(folder)) if folder.is_dir() else []
    check_keys(tables, faults)
    check_files(tables, disk, faults)
    check_terms(tables, disk, faults)
    check_latest(tables, root, disk, faults)
    check_documents(tables, root, disk, faults)
    found["events"] = check_events(tables, root, faults)


def check_keys(tables: dict[str, list[tuple[Any, ...]]], faults: Faults) -> None:
    """Look for keys that occur twice and for rows that hang in the air."""
    keys = {
        "versions": [row[0] for row in tables["versions"]],
        "artifacts": [(row[0], row[1].casefold()) for row in tables["artifacts"]],
        "origins": [row[:3] for row in tables.get("origins", ())],
        "extracted_files": [(row[0], row[1].casefold()) for row in tables["extracted_files"]],
        "validations": [(row[0], row[1], row[3]) for row in tables["validations"]],
        "latest_pointer": [(row[0], row[3]) for row in tables["latest_pointer"]],
        "notes": tables.get("notes", []),
        "schema_version": [row[0] for row in tables["schema_version"]],
    }
    for name, values in keys.items():
        faults += [("keys-are-unique", f"{name}: {value}") for value, count in Counter(values).items() if count > 1]
    known = {row[0] for row in tables["versions"]}
    places = {"artifacts": 0, "extracted_files": 0, "validations": 0, "latest_pointer": 1, "notes": 0}
    for name, place in places.items():
        # a pointer without a release says that its series has no latest
        lost = {row[place] for row in tables.get(name, ())} - known - {None}
        faults += [("rows-have-releases", f"{name}: {version_id}") for version_id in sorted(lost)]
    files = {row[:3] for row in tables["extracted_files"]}
    faults += [("results-have-files", row[1]) for row in tables["validations"] if row[:3] not in files]


def check_files(tables: dict[str, list[tuple[Any, ...]]], disk: dict[str, tuple[int, str]], faults: Faults) -> None:
    """Compare artifacts and extracted files with the files below the folders of their releases."""
    recorded: dict[str, tuple[int, str]] = {}
    prefixes = []
    for version_id, *_, folder, layout in (row[:7] for row in tables["versions"]):
        src, data = FOLDERS[layout]
        prefixes += [f"{folder}/{src}/", f"{folder}/{data}/"]
        for row in tables["artifacts"]:
            if row[0] == version_id:
                recorded[f"{folder}/{src}/{row[1]}"] = (row[7], row[2])
        for row in tables["extracted_files"]:
            if row[0] == version_id:
                recorded[f"{folder}/{data}/{row[1]}"] = (row[5], row[2])
    for path, expected in recorded.items():
        if disk.get(path) != expected:
            faults.append(("rows-have-files", f"{path}: {'missing' if path not in disk else 'other bytes'}"))
    for path in disk:
        inside = path.startswith(tuple(prefixes)) or path.split("/")[3:4] in (["src"], ["data"])
        if not path.startswith((".catalog/", OF_ANOTHER)) and inside and path not in recorded:
            faults.append(("files-have-rows", path))


def check_terms(tables: dict[str, list[tuple[Any, ...]]], disk: dict[str, tuple[int, str]], faults: Faults) -> None:
    """Compare the facts that are recorded with the tables of terms on disk, one for each content and version."""
    recorded = {}
    for _, version, content, _, digest, size, *_ in (row for row in tables.get("file_facts", ()) if row[4]):
        short = hashlib.sha256(version.encode()).hexdigest()[:12]
        recorded[f"{TERMS}{content[:2]}/{content}.{short}.parquet"] = (size, digest)
    there = {path: told for path, told in disk.items() if path.startswith(TERMS)}
    faults += [("facts-have-tables", path) for path in sorted(recorded) if there.get(path) != recorded[path]]
    faults += [("tables-have-facts", path) for path in sorted(there.keys() - recorded.keys())]


def check_latest(
    tables: dict[str, list[tuple[Any, ...]]], root: Path, disk: dict[str, tuple[int, str]], faults: Faults
) -> None:
    """Compare every LATEST.json with the newest pointer of its series."""
    pointers = {slot: version_id for slot, version_id, _, _ in sorted(tables["latest_pointer"], key=lambda row: row[3])}
    pointers = {slot: version_id for slot, version_id in pointers.items() if version_id is not None}
    told = {}
    for path in disk:
        if path.endswith("/LATEST.json") and not path.startswith(".catalog/"):
            told[path.removesuffix("/LATEST.json")] = read_json(root / path).get("version_id")
    if told != pointers:
        faults.append(("latest-equals-pointer", f"files say {told}, rows say {pointers}"))


def check_documents(
    tables: dict[str, list[tuple[Any, ...]]], root: Path, disk: dict[str, tuple[int, str]], faults: Faults
) -> None:
    """Compare manifests and audits with the rows that they repeat."""
    expected = set()
    for row in tables["versions"]:
        version_id, folder, audits = row[0], row[5], row[11:13]
        for name, digest in zip(DOCUMENTS, audits, strict=False):
            if digest is not None:
                expected.add(f"{folder}/{name}")
            if disk.get(f"{folder}/{name}", (0, None))[1] != digest:
                faults.append(("documents-agree", f"{folder}/{name}"))
        name = f"{folder}/{BESIDE if row[6] == SHARED else MANIFEST}"
        expected.add(name)
        manifest = read_json(root / name)
        artifacts = sorted((item[1], item[2]) for item in tables["artifacts"] if item[0] == version_id)
        if "origins" in tables:
            origins = sorted(item[1:3] for item in tables["origins"] if item[0] == version_id)
            said = sorted(
                (item["relpath"], origin["source_url"])
                for item in manifest.get("artifacts", [])
                for origin in item.get("origins", [item])
            )
            if said != origins:
                faults.append(("documents-agree", f"origins of {folder}/manifest.json"))
        noted = sorted(item[1:] for item in tables.get("notes", ()) if item[0] == version_id)
        if sorted((item["kind"], item["text"]) for item in manifest.get("notes", [])) != noted:
            faults.append(("documents-agree", f"notes of {name}"))
        told = (
            manifest.get("version_id"),
            manifest.get("extract_audit"),
            manifest.get("validation_audit"),
            [(item["relpath"], item["artifact_id"]) for item in manifest.get("artifacts", [])],
        )
        if told != (version_id, *audits, artifacts):
            faults.append(("documents-agree", name))
    ours = (*DOCUMENTS, BESIDE)
    there = {path for path in disk if os.path.basename(path) in ours and not path.startswith(".catalog/")}
    there -= {path for path in there if path.startswith(OF_ANOTHER) and _is_of_another(path)}
    faults += [("documents-agree", f"{path} belongs to nothing") for path in sorted(there - expected)]


def _is_of_another(path: str) -> bool:
    """Say whether a document in the tree of another program is that program's own."""
    return os.path.basename(path) == MANIFEST or "_extracted/" in path


def check_events(tables: dict[str, list[tuple[Any, ...]]], root: Path, faults: Faults) -> list[list[Any]]:
    """Follow the chain of the events, compare it with generation.json, and return [type, boundary_id] of each."""
    rows = sorted(tables["events"])
    previous = "0" * 64
    digests = [previous]
    for number, row in enumerate(rows, 1):
        event_id, digest, kind, boundary_id, run_id, ts, level, version_id, config, payload = row
        fields = [boundary_id, run_id, ts.isoformat(), kind, level, version_id, config, payload]
        chained = json.dumps([previous, event_id, *fields], ensure_ascii=False)
        if event_id != number or digest != hashlib.sha256(chained.encode()).hexdigest():
            faults.append(("events-are-chained", f"event {event_id}"))
        previous = digest
        digests.append(digest)
    record = root / ".catalog/generation.json"
    if record.exists():
        told = read_json(record)
        count = told.get("events", -1)
        if not 0 <= count < len(digests) or digests[count] != told.get("digest"):
            faults.append(("generation-is-not-ahead", f"{told}, but there are {len(rows)} events"))
        elif count < len(rows):
            faults.append(("generation-is-current", f"{count} of {len(rows)} events"))
    else:
        faults.append(("generation-is-current", "there is no generation.json"))
    return [[row[2], row[3]] for row in rows]


def read_json(path: Path) -> dict[str, Any]:
    """Return the object in a file, empty if there is none."""
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


class Recounter:
    """The other end of the recount's process."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.crash.recount"],
            cwd=Path(__file__).parents[2],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def look(self, root: Path) -> dict[str, Any]:
        """Return what `recount` says of the store at `root`."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{root}\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, "the recount has ended"
        found: dict[str, Any] = json.loads(line)
        return found

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()


def main() -> None:
    """Answer each line, a root, with the recount of that store."""
    import duckdb

    connection = duckdb.connect(":memory:", config={"threads": 1})
    # to make a plan better takes longer than to read a few rows
    connection.execute("PRAGMA disable_optimizer")
    for line in sys.stdin:
        try:
            found = recount(connection, Path(line.rstrip("\n")))
        except duckdb.Error as error:
            found = {"faults": [("catalog-is-readable", str(error))]}
        assert not any(name.startswith("ontofetch") for name in sys.modules)
        print(json.dumps(found, default=str), flush=True)


if __name__ == "__main__":
    main()
