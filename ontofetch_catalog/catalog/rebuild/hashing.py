"""What can be said of files without any record of them: size, time, sha256, the name of their format."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from ontofetch_hookspecs.names import quote
from ontofetch_hookspecs.store_paths import StorePath

from ...content.formats import HEAD_BYTES
from ...content.packed.insides import format_inside
from ...errors import OntofetchError
from ..connection import Store
from ..repo.releases import ArtifactRow, VersionRow

if TYPE_CHECKING:
    import pyarrow as pa

_CHUNK = 1 << 20
_AT_ONCE = 10_000  # files


class FileUnreadable(OntofetchError):
    """A file can't be hashed."""


def describe(
    store: Store, folder: str, relpaths: Sequence[str], progress: Callable[[int], None] | None = None
) -> Iterator[pa.Table]:
    """Yield FILES_COLUMNS for files below a folder, some thousands at a time, times UTC without zone; follows no link.

    Args:
        folder: Below its root.
        relpaths: The files, below the folder.
        progress: Called with the number of bytes read so far, also in the middle of a large file.

    Raises:
        FileUnreadable: One is no regular file, or can't be read.
    """
    done = 0

    def read(size: int) -> None:
        nonlocal done
        done += size
        if progress is not None:
            progress(done)

    for start in range(0, max(len(relpaths), 1), _AT_ONCE):
        yield _described(store.path(folder), relpaths[start : start + _AT_ONCE], read)


def adopted_artifact(row: VersionRow, relpath: str, digest: str, size: int) -> ArtifactRow:
    """Return the row of an artifact that nobody has told of: its source is the file itself, in its release's folder."""
    return ArtifactRow(
        artifact_id=digest,
        version_id=row.version_id,
        relpath=relpath,
        source_url=f"file:{row.source_folder}/{relpath}",
        etag=None,
        last_modified=None,
        content_type=None,
        size_bytes=size,
        status="fresh",
        recorded_at=row.created_at,
    )


def _described(folder: StorePath, relpaths: Sequence[str], told: Callable[[int], None]) -> pa.Table:
    import pyarrow as pa

    found = [_describe(folder, relpath, told) for relpath in relpaths]
    columns = list(zip(*found, strict=True)) if found else [(), (), (), ()]
    return pa.table(
        {
            "relpath": pa.array(list(relpaths), pa.string()),
            "file_id": pa.array(columns[0], pa.string()),
            "format": pa.array(columns[1], pa.string()),
            "size_bytes": pa.array(columns[2], pa.int64()),
            "mtime": pa.array(columns[3], pa.int64()).cast(pa.timestamp("us")),
        }
    )


def _describe(folder: StorePath, relpath: str, told: Callable[[int], None]) -> tuple[str, str, int, int]:
    """Return (sha256, format, size in bytes, mtime in µs since 1970) of one file, read once."""
    try:
        with os.fdopen((folder / relpath).open_file(), "rb", buffering=0) as stream:
            state = os.fstat(stream.fileno())
            head = os.pread(stream.fileno(), HEAD_BYTES, 0)
            digest = hashlib.sha256()
            while chunk := stream.read(_CHUNK):
                digest.update(chunk)
                told(len(chunk))
            stream.seek(0)
            found = format_inside(relpath, head, lambda: os.fdopen(os.dup(stream.fileno()), "rb"))
    except OSError as error:
        raise FileUnreadable(
            f"{quote(f'{folder}/{relpath}')} can't be read: {error.strerror or error}.", subject=relpath
        ) from error
    return digest.hexdigest(), found, state.st_size, state.st_mtime_ns // 1000
