"""The way back to the original bytes: out of an artifact's archive, or out of another copy of an artifact.

Every byte that it hands on is checked against the recorded sha256 first or while it passes; it records nothing.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import IO, TYPE_CHECKING

from ontofetch_hookspecs.names import quote

from ...content.packed.archives import Budget, Entry, Limits, damage_named, read_entries
from ...content.packed.plain import open_archive
from ...content.packed.selection import find_sources
from .. import extractions, fsops, journal
from ..connection import Store
from ..repo import files, releases
from .repair import refuse

if TYPE_CHECKING:
    import duckdb


def restore_files(
    connection: duckdb.DuckDBPyConnection, draft: journal.IntentDraft, row: releases.VersionRow, relpaths: list[str]
) -> int:
    """Write these extracted files of a release anew from its artifacts, to be published; return the bytes.

    Raises:
        RepairFailed: An artifact is damaged too, or has no such file with the recorded content.
    """
    wanted = {found["relpath"]: found for found in files.list_paths(connection, row.version_id, relpaths).to_pylist()}
    total = 0
    for artifact in releases.find_artifacts(connection, row.version_id):
        own = {path: found for path, found in wanted.items() if found["artifact_id"] == artifact.artifact_id}
        if own and artifact.status != "failed" and artifact.extraction:
            total += _unpack(draft, row, artifact, own)
            for path in own:
                del wanted[path]
    if wanted:
        raise refuse(min(wanted), "its artifact is not there any more")
    return total


def _unpack(
    draft: journal.IntentDraft,
    row: releases.VersionRow,
    artifact: releases.ArtifactRow,
    own: Mapping[str, dict[str, object]],
) -> int:
    archive = draft.store.path(f"{row.source_folder}/{artifact.relpath}")
    check_content(draft.store, archive.relpath, artifact.artifact_id)
    strip = extractions.decode(artifact.extraction).strip if artifact.extraction else 0
    by_number: dict[int, list[str]] = {}
    with ExitStack() as stack:
        stream = stack.enter_context(open_archive(archive))
        for name, number in find_sources(_entries(draft.store, artifact, stream, stack)).items():
            relpath = name.split("/", strip)[-1] if name.count("/") >= strip else ""
            if relpath in own:
                by_number.setdefault(number, []).append(relpath)
        lost = set(own).difference(*by_number.values())
        if lost:
            raise refuse(min(lost), f"the artifact {quote(artifact.relpath)} has no such file")
        total = 0
        for number, entry in enumerate(_entries(draft.store, artifact, stream, stack)):
            chunks = _chunks(entry, artifact.relpath)
            for relpath in by_number.pop(number, []):
                target = f"{row.data_folder}/{relpath}"
                found = own[relpath]
                total += write_checked(draft, target, chunks, str(found["file_id"]), found["mtime"])
                # other names of the same bytes, which pass by only once
                chunks = _prepared(draft)
            if not by_number:
                break
    return total


def _entries(store: Store, artifact: releases.ArtifactRow, stream: IO[bytes], stack: ExitStack) -> Iterator[Entry]:
    stream.seek(0)
    # the rows may be a stranger's, and so may what they call whole
    budget = Budget(artifact.relpath, os.fstat(stream.fileno()).st_size, Limits.from_settings(store.settings))
    return read_entries(stream, artifact.relpath, stack, budget)


def _prepared(draft: journal.IntentDraft) -> Iterator[bytes]:
    """Yield the bytes of the file that was written last."""
    with os.fdopen(draft.store.path(draft.intent.moves[-1].source).open_file(), "rb") as stream:
        yield from iter(lambda: stream.read(fsops.CHUNK), b"")


def _chunks(entry: Entry, name: str) -> Iterator[bytes]:
    with damage_named(name), entry.open() as source:
        while chunk := source.read(fsops.CHUNK):
            yield chunk


def restore_artifact(
    connection: duckdb.DuckDBPyConnection, draft: journal.IntentDraft, row: releases.VersionRow, relpath: str
) -> int:
    """Write an artifact anew from another release's copy, to be published; return the bytes.

    Raises:
        RepairFailed: No copy is whole.
    """
    artifacts = releases.find_artifacts(connection, row.version_id)
    own = next((found for found in artifacts if found.relpath == relpath), None)
    target = f"{row.source_folder}/{relpath}"
    if own is None:
        raise refuse(target, "it is not recorded any more")
    for place in releases.find_copies(connection, own.artifact_id):
        other = releases.find_version(connection, place.version_id)
        if other is None or (place.version_id, place.relpath) == (row.version_id, relpath):
            continue
        source = f"{other.source_folder}/{place.relpath}"
        if is_whole(draft.store, source, own.artifact_id):
            with os.fdopen(draft.store.path(source).open_file(), "rb") as stream:
                chunks = iter(lambda: stream.read(fsops.CHUNK), b"")
                return write_checked(draft, target, chunks, own.artifact_id, None)
    raise refuse(target, "no other copy of it is whole", "Download it again with `ontofetch pull`.")


def write_checked(draft: journal.IntentDraft, target: str, chunks: Iterator[bytes], content: str, mtime: object) -> int:
    """Write bytes that must have this sha256, to be published as `target`; what is there goes into quarantine.

    Raises:
        RepairFailed: They have another one.
    """
    draft.displace(target, keep=True)
    digest, size = draft.write(target, chunks)
    if digest != content:
        raise refuse(target, f"its original has the sha256 {digest}, its row says {content}")
    if isinstance(mtime, datetime):
        prepared = draft.store.path(draft.intent.moves[-1].source)
        seconds = int(mtime.replace(tzinfo=UTC).timestamp())
        fsops.set_times(prepared, seconds * 1_000_000_000 + mtime.microsecond * 1000)
    return size


def check_content(store: Store, path: str, content: str) -> None:
    """Check that a file has a sha256.

    Raises:
        RepairFailed: It has not.
    """
    if not is_whole(store, path, content):
        raise refuse(path, "it is not whole itself", "Download it again with `ontofetch pull`.")


def is_whole(store: Store, path: str, sha256: str) -> bool:
    """Say whether a file of the store has these bytes."""
    try:
        return fsops.hash_file(store.path(path))[0] == sha256
    except OSError:
        return False
