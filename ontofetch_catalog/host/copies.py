"""The copies of an artifact that are there already, and what a server says of them.

It asks nobody and moves nothing: it reads records, headers and what is there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING

from ontofetch_hookspecs import DownloadRecord, Stage
from ontofetch_hookspecs.file_checks import has_size
from ontofetch_hookspecs.light_dataclasses import dataclass
from ontofetch_hookspecs.store_paths import StorePath

from .artifact_names import ending_of

if TYPE_CHECKING:
    import httpx
    import pyarrow as pa

    from ontofetch_hookspecs import VersionRecord

    from .sources import Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """One whole copy of an artifact.

    Args:
        path: Where its bytes lie.
        sha256, size_bytes: Of its bytes.
        etag, last_modified, content_type: What the server said, or None.
        stage: The stage that holds it, locked; None if it is a recorded one.
        record: The record of the release that it belongs to; None if it is staged.
        came_from: The last address that was asked, after all redirects; secrets may stand in it. None: a local file.
        length_known: Whether whoever sent it said how long it is; else nobody knows whether its end came.
    """

    path: Path
    sha256: str
    size_bytes: int
    etag: str | None = None
    last_modified: str | None = None
    content_type: str | None = None
    stage: Stage | None = None
    record: DownloadRecord | None = None
    came_from: str | None = field(default=None, repr=False, compare=False)
    length_known: bool = True


def copy_of_stage(stage: Stage) -> Copy:
    """Return the copy that a complete stage holds."""
    record = stage.record
    return Copy(
        path=stage.path / str(record.name),
        sha256=str(record.sha256),
        size_bytes=int(record.size or 0),
        etag=record.etag,
        last_modified=record.last_modified,
        content_type=record.content_type,
        stage=stage,
    )


def find_copies(root: Path, resumed: Stage | None, known: DownloadRecord | None) -> list[Copy]:
    """Return the copies that are there already, the staged one first."""
    copies = [] if resumed is None else [copy_of_stage(resumed)]
    if known is not None and has_size(StorePath(root, known.artifact.path), known.artifact.size_bytes):
        artifact = known.artifact
        copies.append(
            Copy(
                path=root / artifact.path,
                sha256=artifact.artifact_id,
                size_bytes=artifact.size_bytes,
                etag=_sendable(artifact.etag),
                last_modified=_sendable(artifact.last_modified),
                content_type=artifact.content_type,
                record=known,
            )
        )
    return copies


def find_lost(files: pa.Table, folder: StorePath) -> StorePath | None:
    """Return the first file of a table (relpath, size_bytes) that is not below `folder` with its size, or None."""
    for relpath, size in zip(files["relpath"].to_pylist(), files["size_bytes"].to_pylist(), strict=True):
        place = folder / str(relpath)
        if not has_size(place, size):
            return place
    return None


def _sendable(value: str | None) -> str | None:
    # another host may have recorded what no header can carry
    return value if value and value.isascii() and value.isprintable() else None


def conditions_of(copies: Sequence[Copy]) -> dict[str, str]:
    """Return the headers that let the server answer 304 Not Modified (RFC 9110, 13.1.2 and 13.1.3)."""
    marks = dict.fromkeys(copy.etag for copy in copies if copy.etag)
    if marks:
        return {"If-None-Match": ", ".join(marks)}
    dates = [copy.last_modified for copy in copies if copy.last_modified]
    return {"If-Modified-Since": dates[0]} if dates else {}


def choose(response: httpx.Response, copies: Sequence[Copy]) -> Copy | None:
    """Return the copy that a 304 is about; None if that can't be told."""
    marked = [copy for copy in copies if copy.etag]
    if not marked:
        return next((copy for copy in copies if copy.last_modified), None)
    told = response.headers.get("etag")
    if told is None:
        return marked[0] if len({copy.sha256 for copy in marked}) == 1 else None
    return next((copy for copy in marked if _opaque(copy.etag) == _opaque(told)), None)


def find_same(response: httpx.Response, copies: Sequence[Copy]) -> Copy | None:
    """Return the copy that a server which knows no conditions is about to send once more; None if it can't be told."""
    etag, date = response.headers.get("etag"), response.headers.get("last-modified")
    # the length is that of the bytes on the way, and the copy holds the document
    length = None if response.headers.get("content-encoding") else length_of(response)
    for copy in copies:
        if length != copy.size_bytes:
            continue
        if etag is not None and etag == copy.etag and not etag.startswith("W/"):
            return copy
        # a date has whole seconds only, so it speaks for a copy of an unfinished run and not for one of long ago
        if copy.stage is not None and etag is None and copy.etag is None and date and date == copy.last_modified:
            return copy
    return None


def _opaque(etag: str | None) -> str | None:
    # the weak comparison of RFC 9110, 8.8.3.2
    return None if etag is None else etag.removeprefix("W/")


def length_of(response: httpx.Response) -> int | None:
    """Return the number of bytes that the server announces, before a coding is undone; None if it does not."""
    text = response.headers.get("content-length", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else None


def name_of_copy(copy: Copy, source: Source, record: VersionRecord | None) -> str:
    """Return what the artifact that was fetched is called in its release.

    What is recorded of the same address in the same release keeps its name, however a server calls it today, so that a
    repeated pull finds it and other bytes in its place are noticed.
    """
    if source.name is not None and source.is_named:
        return source.name
    derived = source.name
    if derived is None:
        derived = copy.path.name if copy.record is None else copy.record.artifact.relpath
    artifacts = [] if record is None else [found for found in record.artifacts if found.source_url == source.shown]
    for artifact in artifacts:
        if artifact.artifact_id == copy.sha256:
            return artifact.relpath
    for artifact in artifacts:
        # OWL and OBO from one address are two artifacts
        if not source.is_ambiguous and ending_of(artifact.relpath) == ending_of(derived):
            return artifact.relpath
    return derived
