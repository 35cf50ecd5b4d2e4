"""A small host for tests: stages releases made of plain texts, calls the hooks, and recounts what is on disk.

The recount uses os, hashlib and duckdb alone, so that it can't repeat a mistake of the package.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from ontofetch_catalog.catalog import migrations
from ontofetch_catalog.catalog.connection import STORAGE_VERSION
from ontofetch_catalog.plugins.catalog import CatalogPlugin
from ontofetch_hookspecs import Receipt, Stage, find_receipt
from ontofetch_hookspecs.testing import (
    make_manager,
    sample_download_done,
    sample_extract_done,
    sample_set_latest,
    sample_validate_done,
)
from tests import instance

TIME = datetime(2025, 1, 2, 3, 4, 5, tzinfo=UTC)
Texts = Mapping[str, str] | Mapping[str, bytes]


def files_table(texts: Texts) -> pa.Table:
    """Return FILES_COLUMNS for files with these contents."""
    rows = sorted(texts.items())
    return pa.table(
        {
            "relpath": pa.array([name for name, _ in rows], pa.string()),
            "file_id": pa.array([sha256(encoded(text)) for _, text in rows], pa.string()),
            "format": pa.array(["turtle"] * len(rows), pa.string()),
            "size_bytes": pa.array([len(encoded(text)) for _, text in rows], pa.int64()),
            "mtime": pa.array([TIME] * len(rows), pa.timestamp("us", "UTC")),
        }
    )


def results_table(texts: Texts, *, failing: tuple[str, ...] = (), validator: str = "rdf-syntax") -> pa.Table:
    """Return RESULTS_COLUMNS for these files, those in `failing` with a failure."""
    rows = sorted(texts.items())
    details = ['{"error": "line 1"}' if name in failing else '{"triples": 1}' for name, _ in rows]
    return pa.table(
        {
            "relpath": pa.array([name for name, _ in rows], pa.string()),
            "file_id": pa.array([sha256(encoded(text)) for _, text in rows], pa.string()),
            "validator": pa.array([validator] * len(rows), pa.string()),
            "validator_version": pa.array(["1"] * len(rows), pa.string()),
            "passed": pa.array([name not in failing for name, _ in rows], pa.bool_()),
            "details": pa.array(details, pa.string()),
            "run_at": pa.array([TIME] * len(rows), pa.timestamp("us", "UTC")),
            "reused_from": pa.array([None] * len(rows), pa.string()),
        }
    )


def encoded(text: str | bytes) -> bytes:
    """Return the bytes of a file that is given as text, or as bytes."""
    return text.encode() if isinstance(text, str) else text


def sha256(data: bytes) -> str:
    """Return the sha256 of `data` in hex."""
    return hashlib.sha256(data).hexdigest()


class Templates:
    """Stores that are made once for many tests: what is pulled first into an empty store is copied from here."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find(self, pulled: tuple[object, ...]) -> Path:
        """Return where the store lies that holds these pulls, or would lie."""
        return self._folder / sha256(repr(pulled).encode())


class Releases:
    """A host for tests, for one store.

    Attributes:
        templates: Set for a whole run of tests; None: each store is made from nothing.
    """

    templates: Templates | None = None

    def __init__(self, root: Path, *plugins: object, settings: Mapping[str, object] | None = None) -> None:
        self.root = root
        self.manager = make_manager(*plugins, CatalogPlugin(), root=root, settings=settings)
        # a plugin of the test's own wants to see each pull, and what is synced is not looked at in a copy
        plain = not plugins and (settings or {}).get("durability") == "off"
        self._pulled: tuple[object, ...] | None = (tuple(sorted((settings or {}).items())),) if plain else None

    def stage_file(self, name: str, data: bytes) -> Path:
        """Stage an artifact and return its path."""
        stage = Stage.create(self.root)
        with stage.write_file(f"src/{name}") as staged:
            staged.write(data)
        stage.complete(staged)
        stage.close()
        return staged.path

    def stage_tree(self, texts: Texts) -> Path:
        """Stage a folder of files and return its path."""
        stage = Stage.create(self.root)
        stage.folder("data")
        for name, text in texts.items():
            with stage.write_file(f"data/{name}", mtime=TIME.timestamp()) as staged:
                staged.write(encoded(text))
        stage.close()
        return stage.path / "data"

    def download(self, version: str, data: bytes, *, artifact: str = "a.zip", **changes: Any) -> Receipt:
        """Stage and record an artifact."""
        if "staged" not in changes:
            changes["staged"] = self.stage_file(artifact, data)
        event = sample_download_done(
            self.root, version=version, artifact=artifact, sha256=sha256(data), size_bytes=len(data), **changes
        )
        return self._receipt(self.manager.hook.on_download_done(event=event))

    def extract(self, version: str, data: bytes, texts: Texts, *, artifact: str = "a.zip", **changes: Any) -> Receipt:
        """Stage and record the files of an artifact."""
        if "staged" not in changes:
            changes["staged"] = self.stage_tree(texts)
        event = sample_extract_done(
            self.root,
            changes.pop("files", None) or files_table(texts),
            version_id=f"example/sample/{version}",
            artifact=artifact,
            artifact_id=sha256(data),
            **changes,
        )
        return self._receipt(self.manager.hook.on_extract_done(event=event))

    def validate(self, version: str, results: pa.Table) -> Receipt:
        """Record results."""
        event = sample_validate_done(self.root, results, version_id=f"example/sample/{version}")
        return self._receipt(self.manager.hook.on_validate_done(event=event))

    def set_latest(self, version: str, **changes: Any) -> Receipt:
        """Point the series at a release."""
        event = sample_set_latest(self.root, version_id=f"example/sample/{version}", **changes)
        return self._receipt(self.manager.hook.on_set_latest(event=event))

    def pull(self, version: str, texts: Texts) -> None:
        """Record a whole release: artifact, files, results, latest."""
        template = self._next_template(version, texts)
        if template is not None and template.exists():
            shutil.copytree(template, self.root, symlinks=True, dirs_exist_ok=True)
            return
        data = json.dumps(texts, default=bytes.hex).encode()
        self.download(version, data)
        self.extract(version, data, texts)
        self.validate(version, results_table(texts))
        self.set_latest(version)
        if template is not None:
            shutil.copytree(self.root, template, symlinks=True)

    def _next_template(self, version: str, texts: Texts) -> Path | None:
        """Return where a copy of this store with one more release belongs; None once it is a store of its own."""
        if self.templates is None or self._pulled is None:
            return None
        # nothing but what was pulled before may be in it
        before = self.templates.find(self._pulled) if len(self._pulled) > 1 else None
        if _names_below(self.root) != (_names_below(before) if before else set()):
            self._pulled = None
            return None
        self._pulled += ((version, tuple(texts.items())),)
        return self.templates.find(self._pulled)

    @staticmethod
    def _receipt(results: object) -> Receipt:
        receipt = find_receipt(results)
        assert receipt is not None
        return receipt

    # --- the recount --------------------------------------------------------------------------------------------------

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query, from a connection of its own that is closed again."""
        return query(self.root, sql)

    def tree(self, folder: str = "") -> dict[str, tuple[int, int, int, str]]:
        """Return path → (inode, size, mtime in ns, sha256) of every file outside of `.catalog`."""
        return snapshot(self.root / folder)

    def check(self) -> None:
        """Assert that rows, files, LATEST.json, audits and manifests agree."""
        assert_consistent(self.root)


def _names_below(folder: Path) -> set[tuple[str, int, int]]:
    """Return path, size and mtime in ns of each file below a folder, which may be absent."""
    found = set()
    for path in folder.rglob("*") if folder.exists() else ():
        state = path.lstat()
        if not path.is_dir():
            found.add((path.relative_to(folder).as_posix(), state.st_size, state.st_mtime_ns))
    return found


def older_store(root: Path, applied: int) -> None:
    """Make a store as an earlier package with fewer migrations would have left it, with a row in it."""
    (root / ".catalog").mkdir(parents=True)
    path = str(root / ".catalog/ontofetch.duckdb")
    with duckdb.connect(path, config={"storage_compatibility_version": STORAGE_VERSION}) as connection:
        for migration in migrations.available_migrations()[:applied]:
            connection.execute(migration.sql)
            connection.execute(
                "INSERT INTO schema_version VALUES (?, ?, now()::TIMESTAMP)", [migration.version, migration.checksum]
            )
        connection.execute("INSERT INTO latest_pointer VALUES ('s/o', 's/o/1', now()::TIMESTAMP, 'me')")
        connection.execute(
            "INSERT INTO versions (version_id, service, ontology, version, fs_relpath, layout, created_at)"
            " SELECT 's/o/' || v, 's', 'o', v, 's/o/' || v, 'native', now()::TIMESTAMP"
            " FROM (SELECT unnest(['1', '1-rc1', '05.02.2024']) AS v)"
        )
        connection.execute(
            "INSERT INTO artifacts (artifact_id, version_id, relpath, source_url, etag, size_bytes, recorded_at)"
            " SELECT repeat('0', 64), version_id, 'a.obo', 'https://example.org/a.obo', 'x', 1, now()::TIMESTAMP"
            " FROM versions"
        )


def take_schema_back(root: Path, applied: int) -> None:
    """Bring the catalog of a store to what an earlier package with fewer migrations would have made of it."""
    objects = """SELECT DISTINCT 'MACRO TABLE', function_name FROM duckdb_functions()
        WHERE function_type = 'table_macro' AND NOT internal
        UNION ALL SELECT 'VIEW', view_name FROM duckdb_views() WHERE NOT internal
        UNION ALL SELECT 'TABLE', table_name FROM duckdb_tables() WHERE NOT internal"""
    with duckdb.connect() as old, duckdb.connect(str(root / ".catalog/ontofetch.duckdb")) as catalog:
        for migration in migrations.available_migrations()[:applied]:
            old.execute(migration.sql)
        kept = set(old.execute(objects).fetchall())
        for kind, name in sorted(set(catalog.execute(objects).fetchall()) - kept):
            catalog.execute(f"DROP {kind} {name}")
        for name, sql in old.execute("SELECT view_name, sql FROM duckdb_views() WHERE NOT internal").fetchall():
            catalog.execute(f"DROP VIEW {name}")
            catalog.execute(sql)
        catalog.execute("ALTER TABLE versions DROP COLUMN version_key")
        catalog.execute("ALTER TABLE extracted_files DROP COLUMN content_key")
        catalog.execute("ALTER TABLE extracted_files DROP COLUMN name_key")
        catalog.execute("DELETE FROM schema_version WHERE version > ?", [applied])


def query(root: Path, sql: str) -> list[tuple[Any, ...]]:
    """Return the rows of a query over the catalog below `root`."""
    (rows,) = query_each(root, sql)
    return rows


def query_each(root: Path, *queries: str) -> list[list[tuple[Any, ...]]]:
    """Return the rows of each of several queries, for which the catalog is opened once."""
    connection = instance.reading(root / ".catalog/ontofetch.duckdb")
    try:
        return [connection.execute(sql).fetchall() for sql in queries]
    finally:
        connection.close()


def snapshot(root: Path) -> dict[str, tuple[int, int, int, str]]:
    """Return path → (inode, size, mtime in ns, sha256) of every file below `root`, outside of `.catalog`."""
    found = {}
    for folder, folders, names in os.walk(root):
        if ".catalog" in folders:
            folders.remove(".catalog")
        for name in names:
            path = Path(folder, name)
            state = path.lstat()
            found[path.relative_to(root).as_posix()] = (
                state.st_ino,
                state.st_size,
                state.st_mtime_ns,
                sha256(path.read_bytes()),
            )
    return found


def assert_consistent(root: Path) -> None:
    """Assert the invariants with a recount that imports nothing of the package."""
    disk = {path: (size, digest) for path, (_, size, _, digest) in snapshot(root).items()}
    rows, pointed, audits = query_each(
        root,
        "SELECT v.fs_relpath || '/src/' || a.relpath, a.size_bytes, a.artifact_id FROM artifacts a JOIN versions v"
        " USING (version_id) UNION ALL SELECT v.fs_relpath || '/data/' || f.relpath, f.size_bytes, f.file_id"
        " FROM extracted_files f JOIN versions v USING (version_id)",
        "SELECT slot, version_id FROM latest_pointer ORDER BY updated_at",
        "SELECT fs_relpath, extract_audit, validation_audit FROM versions",
    )
    recorded = {path: (size, digest) for path, size, digest in rows}
    assert len(rows) == len(recorded)
    assert recorded == {path: found for path, found in disk.items() if "/src/" in path or "/data/" in path}
    # the newest of a series counts; one without a release says that it has no latest
    newest = dict(pointed)
    pointers = {slot: version_id for slot, version_id in newest.items() if version_id is not None}
    told = {path.removesuffix("/LATEST.json"): path for path in disk if path.endswith("LATEST.json")}
    assert {slot: json.loads((root / path).read_bytes())["version_id"] for slot, path in told.items()} == pointers
    for folder, extract_audit, validation_audit in audits:
        manifest = json.loads((root / folder / "manifest.json").read_bytes())
        assert (manifest["extract_audit"], manifest["validation_audit"]) == (extract_audit, validation_audit)
        for name, digest in ((".extract.audit.json", extract_audit), (".validation.audit.json", validation_audit)):
            assert disk.get(f"{folder}/{name}", (0, None))[1] == digest
    intents = root / ".catalog/intents"
    assert not intents.exists() or not list(intents.iterdir())


def on_disk(path: object) -> Path:
    """Return a path of a store as one that tests may open and change as they like."""
    return Path(str(path))
