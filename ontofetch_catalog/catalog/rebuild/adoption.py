"""The taking over of one release from disk: as its documents say, else by scanning and hashing what is there."""

from __future__ import annotations

import logging
import stat
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence, Set
from contextlib import ExitStack
from dataclasses import field, replace
from typing import TYPE_CHECKING

from ontofetch_hookspecs import layout
from ontofetch_hookspecs.light_dataclasses import dataclass
from ontofetch_hookspecs.names import path_key, quote, relpath_fault

from ...content.packed.archives import HARD_LINK, read_entries
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
    own, artifacts, strangers = _attribute(store, f"{folder.path}/{known.source}", artifacts, data)
    del data
    left += [f"{folder.path}/{known.data}/{relpath}" for relpath in strangers]
    after = None if progress is None else lambda done: progress(before + done, total)
    releases.insert_version(connection, row)
    for artifact in artifacts:
        releases.insert_artifact(connection, artifact)
    count = len(own)
    _record_files(connection, row.version_id, describe(store, f"{folder.path}/{known.data}", list(own), after), own)
    if count:
        draft.displace(f"{folder.path}/{layout.EXTRACT_AUDIT}", keep=True)
        draft_extract_audit(connection, draft, row, in_parts=True)
    for name in known.documents:
        draft.displace(f"{folder.path}/{name}", keep=True)
    draft_manifest(connection, draft, row.version_id)
    size = sum(artifact.size_bytes for artifact in artifacts)
    return Adopted(rows=1 + len(artifacts) + count, bytes=size, left=left)


def _record_files(
    connection: duckdb.DuckDBPyConnection, version_id: str, found: Iterable[pa.Table], own: dict[str, str]
) -> None:
    """Record files portion by portion; `own` says which artifact each came out of, and is empty then."""
    import pyarrow as pa

    artifact_ids = list(own.values())
    own.clear()
    done = 0
    for table in found:
        count = len(table)
        owners = pa.array(artifact_ids[done : done + count], pa.string())
        owned = table.append_column("artifact_id", owners)
        from_documents.insert_files(
            connection, owned.append_column("version_id", pa.array([version_id] * count, pa.string()))
        )
        done += count


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


def _artifact_rows(row: releases.VersionRow, found: Iterable[pa.Table]) -> list[releases.ArtifactRow]:
    return [
        adopted_artifact(row, item["relpath"], item["file_id"], item["size_bytes"])
        for table in found
        for item in table.to_pylist()
    ]


def _attribute(
    store: Store, folder: str, artifacts: Sequence[releases.ArtifactRow], data: Collection[str]
) -> tuple[dict[str, str], list[releases.ArtifactRow], list[str]]:
    """Say which artifact each file came out of, and how many folders were taken off its names.

    Returns:
        path → artifact_id, the artifacts with their extraction, and the paths that none of them has.
    """
    if not data:
        return {}, list(artifacts), []
    wanted = {relpath: relpath for relpath in data}
    owners: dict[str, str] = {}
    found = []
    for artifact in artifacts:
        by_strip = _find_entries(store, f"{folder}/{artifact.relpath}", artifact.relpath, wanted)
        strip = max(range(len(by_strip)), key=lambda number: (len(by_strip[number]), -number))
        mine = by_strip[strip] - owners.keys()
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


def _find_entries(store: Store, path: str, name: str, wanted: Mapping[str, str]) -> tuple[Set[str], Set[str]]:
    """Return which of some paths an archive has as they are, and which with a folder before them.

    Args:
        wanted: Each path by itself, so that no other text of it has to be held.
    """
    plain: set[str] = set()
    below: set[str] = set()
    try:
        with ExitStack() as stack:
            for entry in read_entries(store.path(path), name, stack):
                if entry.kind not in ("file", HARD_LINK):
                    continue
                inside = entry.path
                if inside in wanted:
                    plain.add(wanted[inside])
                if (stripped := inside.partition("/")[2]) in wanted:
                    below.add(wanted[stripped])
    except (ExtractError, OSError) as error:
        _log.warning("%s can't be looked into: %s", quote(path), error)
        return set(), set()
    return plain, below
