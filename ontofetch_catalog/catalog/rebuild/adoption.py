"""The taking over of one release from disk: as its documents say, else by scanning and hashing what is there."""

from __future__ import annotations

import logging
import stat
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import field, replace
from typing import TYPE_CHECKING

from ontofetch_hookspecs import layout
from ontofetch_hookspecs.light_dataclasses import dataclass
from ontofetch_hookspecs.names import path_key, quote, relpath_fault

from ...content.archives import HARD_LINK, read_entries
from ...errors import ExtractError, OntofetchError
from .. import extractions, fsops, journal, sessions
from ..boundaries.documents import draft_extract_audit, draft_manifest
from ..connection import Store
from ..repo import from_documents, latest, releases
from .documents import DocumentRefused, read_latest, read_release
from .hashing import adopted_artifact, describe
from .places import ReleaseFolder
from .recording import reader, record

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

_log = logging.getLogger("ontofetch.catalog.rebuild")
Progress = Callable[[int, int], None]


class AdoptionRefused(OntofetchError):
    """A folder can't be taken over as a release."""


@dataclass(slots=True, kw_only=True)
class Adopted:
    """What was taken over: rows, their bytes, and paths that were left (below the root)."""

    rows: int = 0
    bytes: int = 0
    left: list[str] = field(default_factory=list)


def adopt(
    store: Store,
    connection: duckdb.DuckDBPyConnection,
    draft: journal.IntentDraft,
    folder: ReleaseFolder,
    progress: Progress | None = None,
) -> Adopted:
    """Record the release in a folder inside the open transaction; what has no documents gets them.

    Raises:
        AdoptionRefused: It is no release that can be recorded.
    """
    adopted = None
    if folder.manifest:
        try:
            adopted = _record_documents(store, connection, folder)
        except DocumentRefused as error:
            _log.warning("%s The release is hashed instead.", error.message)
    if adopted is None:
        adopted = _hash_release(store, connection, draft, folder, progress)
    record_latest(store, connection, layout.series_of(folder.path))
    return adopted


def _record_documents(store: Store, connection: duckdb.DuckDBPyConnection, folder: ReleaseFolder) -> Adopted:
    told = read_release(store, folder.path, folder.manifest)
    with reader() as lines:
        for refusal in record(connection, lines, [told]):
            raise refusal
    ((_, rows, size),) = from_documents.list_sizes(connection, folder.path)
    return Adopted(rows=rows, bytes=size)


def record_latest(store: Store, connection: duckdb.DuckDBPyConnection, slot: str) -> bool:
    """Record the pointer that a LATEST.json tells of, if the series has none and the release is recorded."""
    try:
        told = read_latest(store, slot)
    except DocumentRefused as error:
        _log.warning("%s", error.message)
        return False
    if told is None or latest.find_latest(connection, slot) or not releases.find_version(connection, told.version_id):
        return False
    latest.add_pointer(connection, slot, told.version_id, told.updated_at, told.updated_by)
    return True


def _hash_release(
    store: Store,
    connection: duckdb.DuckDBPyConnection,
    draft: journal.IntentDraft,
    folder: ReleaseFolder,
    progress: Progress | None,
) -> Adopted:
    known = folder.layout
    if known is None:
        raise AdoptionRefused(
            f"{quote(folder.path)} has neither sources nor data of a known layout.",
            subject=folder.path,
            hint="The manifest alone can't be taken over; move the folder away, or bring its files back.",
        )
    left: list[str] = []
    sources = _list(store, f"{folder.path}/{known.source}", left, folded=True)
    if known.shared:
        # deeper lies what the other program has made of its downloads
        sources = {name: size for name, size in sources.items() if "/" not in name and not name.startswith(".")}
    data = _list(store, f"{folder.path}/{known.data}", left)
    if not sources:
        raise AdoptionRefused(
            f"{quote(folder.path)} has no artifact below {known.source}: what its files came out of is not known.",
            subject=folder.path,
            hint="Put the downloaded file there, or record the release with `ontofetch pull`.",
        )
    before, total = sum(sources.values()), sum(sources.values()) + sum(data.values())
    told = None if progress is None else lambda done: progress(done, total)
    row = _version_row(store, folder, known)
    artifacts = _artifact_rows(row, describe(store, f"{folder.path}/{known.source}", list(sources), told))
    own, artifacts, strangers = _attribute(store, f"{folder.path}/{known.source}", artifacts, list(data))
    left += [f"{folder.path}/{known.data}/{relpath}" for relpath in strangers]
    after = None if progress is None else lambda done: progress(before + done, total)
    table = describe(store, f"{folder.path}/{known.data}", list(own), after)
    releases.insert_version(connection, row)
    for artifact in artifacts:
        releases.insert_artifact(connection, artifact)
    from_documents.insert_files(connection, _named(table, row.version_id, list(own.values())))
    if own:
        draft.displace(f"{folder.path}/{layout.EXTRACT_AUDIT}", keep=True)
        draft_extract_audit(connection, draft, row)
    for name in known.documents:
        draft.displace(f"{folder.path}/{name}", keep=True)
    draft_manifest(connection, draft, row.version_id)
    size = sum(artifact.size_bytes for artifact in artifacts)
    return Adopted(rows=1 + len(artifacts) + len(own), bytes=size, left=left)


def _list(store: Store, path: str, left: list[str], *, folded: bool = False) -> dict[str, int]:
    """Return the files below a folder that the catalog can hold, sorted, with their bytes; the others go to `left`.

    With `folded` it can't hold two that are one where case and normal forms are folded.
    """
    if not store.path(path).is_dir():
        return {}
    found: dict[str, tuple[str, int]] = {}
    for relpath, state in fsops.walk(store.path(path)):
        key = path_key(relpath) if folded else relpath
        if not stat.S_ISREG(state.st_mode) or relpath_fault(relpath) or key in found:
            left.append(f"{path}/{relpath}")
        else:
            found[key] = relpath, state.st_size
    return dict(sorted(found.values(), key=lambda item: item[0].encode()))


def _version_row(store: Store, folder: ReleaseFolder, known: layout.Layout) -> releases.VersionRow:
    service, ontology, version = layout.split_version_id(folder.path)
    return releases.VersionRow(
        version_id=folder.path,
        service=service,
        ontology=ontology,
        version=version,
        released=None,
        fs_relpath=folder.path,
        layout=known.name,
        created_at=sessions.utc_now(),
        plan_hash=None,
        run_id=store.run_id,
    )


def _artifact_rows(row: releases.VersionRow, found: pa.Table) -> list[releases.ArtifactRow]:
    return [adopted_artifact(row, item["relpath"], item["file_id"], item["size_bytes"]) for item in found.to_pylist()]


def _attribute(
    store: Store, folder: str, artifacts: Sequence[releases.ArtifactRow], data: Sequence[str]
) -> tuple[dict[str, str], list[releases.ArtifactRow], list[str]]:
    """Say which artifact each file came out of, and how many folders were taken off its names.

    Returns:
        path → artifact_id, the artifacts with their extraction, and the paths that none of them has.
    """
    if not data:
        return {}, list(artifacts), []
    wanted = set(data)
    owners: dict[str, str] = {}
    found = []
    for artifact in artifacts:
        names = _entry_names(store, f"{folder}/{artifact.relpath}", artifact.relpath)
        by_strip = {strip: {"/".join(name.split("/")[strip:]) for name in names} & wanted for strip in (0, 1)}
        strip = max(by_strip, key=lambda number: (len(by_strip[number]), -number))
        mine = by_strip[strip] - set(owners)
        owners |= dict.fromkeys(mine, artifact.artifact_id)
        extraction = extractions.encode(extractions.Extraction(strip=strip)) if mine else None
        found.append(replace(artifact, extraction=extraction))
    strangers = [relpath for relpath in data if relpath not in owners]
    if len(artifacts) == 1 and strangers:
        # there is nothing else that they could have come out of
        owners |= dict.fromkeys(strangers, artifacts[0].artifact_id)
        whole = found[0].extraction or extractions.encode(extractions.Extraction())
        found, strangers = [replace(found[0], extraction=whole)], []
    return {relpath: owners[relpath] for relpath in data if relpath in owners}, found, strangers


def _entry_names(store: Store, path: str, name: str) -> list[str]:
    try:
        with ExitStack() as stack:
            entries = read_entries(store.path(path), name, stack)
            return [entry.path for entry in entries if entry.kind in ("file", HARD_LINK)]
    except (ExtractError, OSError) as error:
        _log.warning("%s can't be looked into: %s", quote(path), error)
        return []


def _named(table: pa.Table, version_id: str, artifact_ids: list[str]) -> pa.Table:
    """Return files with the release and the artifacts that they are of."""
    import pyarrow as pa

    table = table.append_column("artifact_id", pa.array(artifact_ids, pa.string()))
    return table.append_column("version_id", pa.repeat(version_id, len(table)))
