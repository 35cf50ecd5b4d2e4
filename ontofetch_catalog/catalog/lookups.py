"""The answers to the host's four questions, read from the catalog with the database closed again afterwards.

The files of a release are read when the host asks for them, if it does.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ontofetch_hookspecs import layout
from ontofetch_hookspecs.file_checks import has_size
from ontofetch_hookspecs.records import ArtifactRecord, DownloadRecord, VersionRecord
from ontofetch_hookspecs.redaction import redact_url
from ontofetch_hookspecs.together import answering

from . import extractions
from .connection import Store
from .repo import facts, files, latest, meaning, releases, validations
from .sessions import asking

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa


class RecordedFiles:
    """The files of a release as a table that is read from the catalog when somebody asks for it first.

    Most who look a release up want none of its files, of which there may be a million.
    """

    def __init__(self, store: Store, version_id: str) -> None:
        self._store = store
        self._version_id = version_id

    @cached_property
    def _table(self) -> pa.Table:
        with asking(self._store) as connection:
            return files.list_files(connection, self._version_id)

    def __len__(self) -> int:
        return len(self._table)

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        return self._table.__arrow_c_stream__(requested_schema)

    def __getattr__(self, name: str) -> Any:
        # what a pyarrow.Table can do; names with an underscore are looked for before there is a store
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._table, name)


@contextmanager
def _asked(store: Store) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the catalog for one question, or for all that are asked together."""
    with answering() as kept:
        yield kept.enter_once(("catalog", store.root), lambda: asking(store))


def lookup_download(store: Store, url: str) -> DownloadRecord | None:
    """Return the last record of a URL, credentials aside; None if there is none, or no catalog."""
    if not store.database.exists():
        return None
    with _asked(store) as connection:
        artifact = releases.find_download(connection, redact_url(url))
        version = releases.find_version(connection, artifact.version_id) if artifact else None
    if artifact is None or version is None:
        return None
    return DownloadRecord(version_id=artifact.version_id, artifact=_artifact_record(version, artifact))


def lookup_version(store: Store, version_id: str) -> VersionRecord | None:
    """Return the record of a release; None if it is not recorded, or there is no catalog."""
    if not store.database.exists():
        return None
    with _asked(store) as connection:
        return _version_record(store, connection, version_id)


def _version_record(store: Store, connection: duckdb.DuckDBPyConnection, version_id: str) -> VersionRecord | None:
    slot = layout.series_of(version_id)
    version = releases.find_version(connection, version_id)
    if version is None:
        return None
    artifacts = releases.find_artifacts(connection, version_id)
    pointer = latest.find_latest(connection, slot)
    return VersionRecord(
        version_id=version_id,
        fs_relpath=version.fs_relpath,
        layout=version.layout,
        released=version.released,
        plan_hash=version.plan_hash,
        artifacts=tuple(_artifact_record(version, artifact) for artifact in artifacts),
        files=RecordedFiles(store, version_id),
        failed=validations.count_failed_files(connection, version_id),
        latest=pointer[0] if pointer else None,
        before_latest=pointer is not None and latest.comes_before(connection, version_id, pointer[0]),
        undecided=pointer is None or pointer[1] < version.created_at,
    )


def lookup_validations(
    store: Store, file_ids: Sequence[str], validator: str, validator_version: str
) -> pa.Table | None:
    """Return the known results for these contents, columns KNOWN_RESULTS_COLUMNS; None if there is no catalog."""
    if not store.database.exists():
        return None
    with _asked(store) as connection:
        return validations.known_results(connection, file_ids, validator, validator_version)


def _artifact_record(version: releases.VersionRow, artifact: releases.ArtifactRow) -> ArtifactRecord:
    extraction = extractions.decode(artifact.extraction) if artifact.extraction else None
    return ArtifactRecord(
        relpath=artifact.relpath,
        path=f"{version.source_folder}/{artifact.relpath}",
        artifact_id=artifact.artifact_id,
        size_bytes=artifact.size_bytes,
        source_url=artifact.source_url,
        etag=artifact.etag,
        last_modified=artifact.last_modified,
        content_type=artifact.content_type,
        include=extraction.include if extraction else (),
        exclude=extraction.exclude if extraction else (),
        strip=extraction.strip if extraction else None,
    )


def lookup_oddities(store: Store, version_id: str) -> pa.Table:
    """Return what is odd about the meaning of a release's files beside the release before, as `find_oddities`."""
    with _asked(store) as connection:
        return meaning.find_oddities(connection, version_id)


def lookup_facts(store: Store, file_ids: Sequence[str], facts_versions: Sequence[str]) -> pa.Table | None:
    """Return the facts of these contents that are known, columns KNOWN_FACTS_COLUMNS; None if there is no catalog.

    Those whose table of terms is not there with its size are left out.
    """
    import pyarrow as pa

    if not store.database.exists():
        return None
    with _asked(store) as connection:
        found = facts.known_facts(connection, file_ids, facts_versions)
    sizes = zip(found["table_path"].to_pylist(), found["table_bytes"].to_pylist(), strict=True)
    kept = [path is None or has_size(store.path(path), size) for path, size in sizes]
    return found.filter(pa.array(kept, pa.bool_())).select(["file_id", "facts_version", "reason"])
