"""Samples for tests: events and their tables about one small file, valid as they stand."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from .changes import ChangeReleases
from .columns import Table
from .events import CatalogCommitted, CatalogRolledBack, DownloadDone, ExtractDone, SetLatest, ValidateDone
from .light_dataclasses import dataclass

if TYPE_CHECKING:
    import pyarrow as pa

SAMPLE_TIME = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
SAMPLE_BYTES = b"<urn:example:a> <urn:example:b> <urn:example:c> .\n"
SAMPLE_SHA256 = hashlib.sha256(SAMPLE_BYTES).hexdigest()


def _of_run(root: Path) -> dict[str, object]:
    """Return what every event has."""
    return {"root": root, "run_id": "run-1", "config_hash": "config-1"}


def sample_download_done(root: Path, **changes: object) -> DownloadDone:
    """Return a DownloadDone of one N-Triples file that lies in place; `changes` replace its fields."""
    values: dict[str, object] = {
        **_of_run(root),
        "service": "example",
        "ontology": "sample",
        "version": "1.0",
        "artifact": "sample.nt",
        "sha256": SAMPLE_SHA256,
        "size_bytes": len(SAMPLE_BYTES),
        "source_url": "https://example.org/sample.nt",
        "fetched_at": SAMPLE_TIME,
    }
    return DownloadDone(**(values | changes))  # type: ignore[arg-type]


def sample_extract_done(root: Path, files: Table, **changes: object) -> ExtractDone:
    """Return an ExtractDone of the sample artifact with `files` (FILES_COLUMNS); `changes` replace its fields."""
    values: dict[str, object] = {
        **_of_run(root),
        "version_id": "example/sample/1.0",
        "artifact": "sample.nt",
        "artifact_id": SAMPLE_SHA256,
        "files": files,
        "started_at": SAMPLE_TIME,
        "finished_at": SAMPLE_TIME,
    }
    return ExtractDone(**(values | changes))  # type: ignore[arg-type]


def sample_validate_done(root: Path, results: Table, **changes: object) -> ValidateDone:
    """Return a ValidateDone with `results` (columns RESULTS_COLUMNS); `changes` replace its fields."""
    values: dict[str, object] = {
        **_of_run(root),
        "version_id": "example/sample/1.0",
        "results": results,
        "started_at": SAMPLE_TIME,
        "finished_at": SAMPLE_TIME,
    }
    return ValidateDone(**(values | changes))  # type: ignore[arg-type]


def sample_set_latest(root: Path, **changes: object) -> SetLatest:
    """Return a SetLatest of the sample release; `changes` replace its fields."""
    values: dict[str, object] = {
        **_of_run(root),
        "version_id": "example/sample/1.0",
        "updated_by": "curator",
        "decided_at": SAMPLE_TIME,
    }
    return SetLatest(**(values | changes))  # type: ignore[arg-type]


def sample_change_releases(root: Path, **changes: object) -> ChangeReleases:
    """Return a ChangeReleases that removes the sample release; `changes` replace its fields."""
    values: dict[str, object] = {
        **_of_run(root),
        "kind": "remove",
        "name": "example/sample/1.0",
        "versions": ("example/sample/1.0",),
        "updated_by": "curator",
        "decided_at": SAMPLE_TIME,
    }
    return ChangeReleases(**(values | changes))  # type: ignore[arg-type]


def sample_committed(root: Path, **changes: object) -> CatalogCommitted:
    """Return a CatalogCommitted of the sample download; `changes` replace its fields."""
    values: dict[str, object] = {
        **_of_run(root),
        "boundary_id": "0" * 32,
        "type": "download.done",
        "version_id": "example/sample/1.0",
        "committed_at": SAMPLE_TIME,
    }
    return CatalogCommitted(**(values | changes))  # type: ignore[arg-type]


def sample_rolled_back(root: Path, **changes: object) -> CatalogRolledBack:
    """Return a CatalogRolledBack of the sample download; `changes` replace its fields."""
    values: dict[str, object] = {
        **_of_run(root),
        "type": "download.rolled_back",
        "version_id": "example/sample/1.0",
        "failed_at": SAMPLE_TIME,
        "plugin": "voter",
        "error": "Veto",
        "reason": "No.",
    }
    return CatalogRolledBack(**(values | changes))  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class SampleTables:
    """Tables of events about the sample, one row each.

    Args:
        files: Columns FILES_COLUMNS.
        results: Columns RESULTS_COLUMNS.
        facts: Columns FACTS_COLUMNS: a reason why there are none, so that no table of terms has to be staged.
    """

    files: pa.Table
    results: pa.Table
    facts: pa.Table


def sample_tables(**changes: object) -> SampleTables:
    """Return the tables of the sample's one file; `changes` replace values of columns. Needs pyarrow."""
    import pyarrow as pa

    moment = pa.timestamp("us", "UTC")
    file = {"relpath": "sample.nt", "file_id": SAMPLE_SHA256, "format": "ntriples", "size_bytes": len(SAMPLE_BYTES)}
    result = {"validator": "sample", "validator_version": "1", "passed": True, "details": "{}", "reused_from": None}
    types = {
        "size_bytes": pa.int64(),
        "passed": pa.bool_(),
        "mtime": moment,
        "run_at": moment,
        "table_bytes": pa.int64(),
    }

    def table(values: Mapping[str, object]) -> pa.Table:
        known = {name: changes.get(name, value) for name, value in values.items()}
        return pa.table({name: pa.array([value], types.get(name, pa.string())) for name, value in known.items()})

    about = {"relpath": file["relpath"], "file_id": file["file_id"]}
    content = {"file_id": file["file_id"], "content_id": file["file_id"], "facts_version": "1", "facts": None}
    none = {"reason": "it is a sample", "table": None, "table_sha256": None, "table_bytes": None}
    return SampleTables(
        table({**file, "mtime": SAMPLE_TIME}),
        table({**about, **result, "run_at": SAMPLE_TIME}),
        table({**content, **none}),
    )


def sample_events(root: Path) -> dict[str, object]:
    """Return hook → a valid event for each hook that takes one, its files in place below `root`."""
    tables = sample_tables()
    download = sample_download_done(root)
    place = root / download.version_id
    for part in ("src", "data"):
        place.joinpath(part).mkdir(parents=True, exist_ok=True)
        place.joinpath(part, download.artifact).write_bytes(SAMPLE_BYTES)
    return {
        "on_download_done": download,
        "on_extract_done": sample_extract_done(root, tables.files),
        "on_validate_done": sample_validate_done(root, tables.results),
        "on_set_latest": sample_set_latest(root),
        "on_change_releases": sample_change_releases(root),
        "on_catalog_committed": sample_committed(root),
        "on_boundary_failed": sample_rolled_back(root),
    }
