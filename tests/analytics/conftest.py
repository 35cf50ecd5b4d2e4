from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from ontofetch_catalog.analytics import Catalog
from ontofetch_catalog.analytics.sources.catalog import CatalogReader
from ontofetch_catalog.catalog.connection import Store
from ontofetch_catalog.catalog.sessions import writing
from ontofetch_hookspecs.version_keys import version_key

RECORDED = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
VERIFIED = datetime(2026, 1, 5, tzinfo=UTC)
TIME = pa.timestamp("us", "UTC")


FORMATS = {"ttl": "turtle", "obo": "obo", "owl": "rdfxml"}
# the bytes of a file; or with (validator → passed) and the reason of a failure
Given = bytes | tuple[bytes, Mapping[str, bool]] | tuple[bytes, Mapping[str, bool], str]


class Shelf:
    """A real store that tests put releases into, row by row as the boundaries would."""

    def __init__(self, root: Path) -> None:
        self.store = Store(root, {"durability": "off"})
        self.catalog = Catalog.open(root)
        self.pointers = 0
        with writing(self.store):
            pass

    def add(
        self, version_id: str, files: Mapping[str, Given], *, released: date | None = None, latest: bool = False
    ) -> str:
        """Record a release with `files` (path → bytes, or bytes and results), in the order given."""
        service, ontology, version = version_id.split("/")
        release = {
            "version_id": version_id,
            "service": service,
            "ontology": ontology,
            "version": version,
            "version_key": version_key(version),
            "released": released,
            "fs_relpath": version_id,
            "layout": "native",
            "created_at": RECORDED,
            "run_id": "run-1",
        }
        rows = {"versions": pa.Table.from_pylist([release], schema=RELEASE)}
        rows["extracted_files"] = pa.Table.from_pylist(
            [file_row(version_id, path, given) for path, given in files.items()], schema=FILE
        )
        rows["validations"] = pa.Table.from_pylist(
            [row for path, given in files.items() for row in result_rows(version_id, path, given)], schema=RESULT
        )
        if latest:
            self.pointers += 1
            updated_at = RECORDED + timedelta(hours=self.pointers)
            pointer = {"slot": f"{service}/{ontology}", "version_id": version_id, "updated_at": updated_at}
            rows["latest_pointer"] = pa.Table.from_pylist([pointer], schema=POINTER)
        self.insert(rows)
        self.write_documents(release, rows, latest=latest)
        return version_id

    def write_documents(self, release: Mapping[str, Any], rows: Mapping[str, pa.Table], *, latest: bool) -> None:
        """Write manifest, audits and LATEST.json as they lie beside a release."""
        folder = self.store.root / release["version_id"]
        folder.mkdir(parents=True)
        artifact = {"artifact_id": "a" * 64, "relpath": "a.zip", "source_url": "https://example.org/a.zip"}
        document = {**release, "released": spell(release["released"]), "created_at": spell(release["created_at"])}
        (folder / "manifest.json").write_text(json.dumps({**document, "artifacts": [artifact]}))
        for table, name in (("extracted_files", ".extract.audit.json"), ("validations", ".validation.audit.json")):
            lines = [{key: spell(value) for key, value in row.items()} for row in rows[table].to_pylist()]
            for line in lines:
                line.pop("verified_at", None)
                if "details" in line:
                    line |= {"details": json.loads(line["details"]), "reused_from": None}
            (folder / name).write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))
        if latest:
            pointer = {"version_id": release["version_id"]}
            (folder.parent / "LATEST.json").write_text(json.dumps(pointer))

    def insert(self, rows: Mapping[str, pa.Table]) -> None:
        """Put rows (table → rows) into the catalog as a writer does."""
        with writing(self.store) as session:
            insert(session.connection, rows)


class OpenShelf(Shelf):
    """A shelf whose database stays open between writes and reports, for tests that make many releases."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.connection = duckdb.connect(str(self.store.database))
        self.catalog = Catalog(self)

    @contextmanager
    def open(self) -> Iterator[CatalogReader]:
        """Be a source of reports."""
        yield CatalogReader(self.connection, None, self.store)

    def insert(self, rows: Mapping[str, pa.Table]) -> None:
        """Put rows into the open database."""
        insert(self.connection, rows)


def insert(connection: duckdb.DuckDBPyConnection, rows: Mapping[str, pa.Table]) -> None:
    """Put rows (table → rows) into the catalog."""
    for table, new in rows.items():
        connection.register("new_rows", new)
        connection.execute(f"INSERT INTO {table} BY NAME SELECT * FROM new_rows")
        connection.unregister("new_rows")


RELEASE = pa.schema(
    {name: pa.string() for name in ("version_id", "service", "ontology", "version", "version_key")}
    | {"released": pa.date32(), "created_at": TIME}
    | {name: pa.string() for name in ("fs_relpath", "layout", "run_id")}
)
FILE = pa.schema(
    {name: pa.string() for name in ("version_id", "relpath", "file_id", "artifact_id", "format")}
    | {"size_bytes": pa.int64(), "mtime": TIME, "verified_at": TIME}
)
RESULT = pa.schema(
    {name: pa.string() for name in ("version_id", "relpath", "file_id", "validator", "validator_version", "details")}
    | {"passed": pa.bool_(), "run_at": TIME}
)
POINTER = pa.schema({"slot": pa.string(), "version_id": pa.string(), "updated_at": TIME})


def file_row(version_id: str, path: str, given: Given) -> dict[str, object]:
    """Return the row of a file."""
    content = given if isinstance(given, bytes) else given[0]
    return {
        "version_id": version_id,
        "relpath": path,
        "file_id": hashlib.sha256(content).hexdigest(),
        "artifact_id": "a" * 64,
        "format": FORMATS.get(path.rpartition(".")[2], "unknown"),
        "size_bytes": len(content),
        "mtime": RECORDED,
        "verified_at": VERIFIED,
    }


def result_rows(version_id: str, path: str, given: Given) -> list[dict[str, object]]:
    """Return the rows of a file's results."""
    if isinstance(given, bytes):
        return []
    content, results, *reason = given
    return [
        {
            "version_id": version_id,
            "relpath": path,
            "file_id": hashlib.sha256(content).hexdigest(),
            "validator": validator,
            "validator_version": "1",
            "passed": passed,
            "details": json.dumps({} if passed else {"error": "".join(reason)}),
            "run_at": RECORDED,
        }
        for validator, passed in results.items()
    ]


def spell(value: object) -> Any:
    """Return a value as a document spells it."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return value.isoformat() if isinstance(value, date) else value


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    """Return an empty store."""
    return Shelf(tmp_path / "store")


@pytest.fixture(scope="module")
def open_shelf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenShelf]:
    """Return a store that all tests of a module share."""
    shelf = OpenShelf(tmp_path_factory.mktemp("shared") / "store")
    yield shelf
    shelf.connection.close()
