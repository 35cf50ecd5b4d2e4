"""The tables of terms beside the catalog: opened for reading, checked against what the catalog says of them.

Which contents have one is not known here; the rows of `repo.facts` say it.
"""

from __future__ import annotations

import hashlib
import os
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from ontofetch_hookspecs.names import quote

from ..content.facts import FORMATS
from ..errors import CatalogUnreadable
from .connection import Store

if TYPE_CHECKING:
    from io import BufferedReader

    import pyarrow as pa
    import pyarrow.parquet as pq

__all__ = ["FORMATS", "MAKE_AGAIN", "open_terms", "read_table", "read_terms"]

MAKE_AGAIN = "`ontofetch db facts` makes it again."
MOST_BYTES = 1 << 32
_TO_PUBLISH = timedelta(minutes=10)  # what a boundary may take from writing rows to the last of its renames


def read_table(store: Store, row: Mapping[str, Any]) -> bytes:
    """Return the Parquet of a content's table of terms, as it was recorded; it is hashed when `open_terms` would.

    Args:
        row: With table_path, table_sha256 and table_bytes, as `repo.facts.facts_of` has them; recorded_at (UTC) too,
            if it is known.

    Raises:
        CatalogUnreadable: It is lost, no regular file, or not what the catalog says; the sentence says what to do.
    """
    path, size = str(row["table_path"]), int(row["table_bytes"])
    with _opened(store, path) as stream:
        state = os.fstat(stream.fileno())
        data = stream.read(size + 1) if 0 <= size <= MOST_BYTES else b""
    if len(data) != size:
        raise _unusable(path, "has another size than was recorded")
    if not _is_untouched(state, row.get("recorded_at")) and hashlib.sha256(data).hexdigest() != row["table_sha256"]:
        raise _unusable(path, "is damaged: its sha256 is not the recorded one")
    return data


@contextmanager
def open_terms(store: Store, row: Mapping[str, Any]) -> Iterator[pq.ParquetFile]:
    """Give the table of terms of a content, opened and not read yet.

    It is hashed as a whole, unless nobody has touched it since it was recorded: it was hashed then. What a disk loses
    by itself is not seen so; `db verify` and `db doctor --hash` hash every table.

    Args:
        row: As for `read_table`; recorded_at (UTC) too, if it is known.

    Raises:
        CatalogUnreadable: As `read_table`.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    from ..content.facts.sealed import table_fault

    path = str(row["table_path"])
    with _opened(store, path) as stream:
        state = os.fstat(stream.fileno())
        if state.st_size != row["table_bytes"]:
            raise _unusable(path, "has another size than was recorded")
        if not _is_untouched(state, row.get("recorded_at")):
            if hashlib.file_digest(stream, "sha256").hexdigest() != row["table_sha256"]:
                raise _unusable(path, "is damaged: its sha256 is not the recorded one")
            stream.seek(0)
        try:
            found = pq.ParquetFile(stream)
        except (pa.ArrowException, OSError, ValueError) as error:
            raise _unusable(path, "is no table of Parquet") from error
        if fault := table_fault(found):
            raise _unusable(path, f"can't be used: {fault}")
        yield found


def read_terms(
    store: Store, row: Mapping[str, Any], columns: Sequence[str] | None = None, iris: Sequence[str] | None = None
) -> pa.Table:
    """Return a content's table of terms, or a part of it; no more of the file is read than that takes.

    Args:
        row: As for `open_terms`.
        columns: Some of its columns; None for all.
        iris: Leave out what can have none of these IRIs, which are sorted; None leaves out nothing.

    Raises:
        CatalogUnreadable: As `open_terms`.
    """
    import pyarrow as pa

    with open_terms(store, row) as found:
        groups = [n for n in range(found.num_row_groups) if iris is None or _may_have(found, n, iris)]
        try:
            # whoever reads many tables has a thread for each
            return found.read_row_groups(groups, None if columns is None else list(columns), use_threads=False)
        except (pa.ArrowException, OSError, ValueError) as error:
            raise _unusable(str(row["table_path"]), "can't be read") from error


def _may_have(table: pq.ParquetFile, group: int, iris: Sequence[str]) -> bool:
    """Say whether a part of a table may have one of some sorted IRIs, as the smallest and the largest it has say."""
    known = table.metadata.row_group(group).column(table.schema_arrow.get_field_index("iri")).statistics
    if known is None or not known.has_min_max:
        return True
    at = bisect_left(iris, known.min)
    return at < len(iris) and iris[at] <= known.max


def _is_untouched(state: os.stat_result, recorded_at: datetime | None) -> bool:
    """Say whether a file is as it was when its row was written: not written to since, and no other put in its place.

    Its last change of any kind may be its own publishing, which comes right after.
    """
    if recorded_at is None:
        return False
    moment = recorded_at.replace(tzinfo=recorded_at.tzinfo or UTC)
    return state.st_mtime <= moment.timestamp() and state.st_ctime <= (moment + _TO_PUBLISH).timestamp()


@contextmanager
def _opened(store: Store, path: str) -> Iterator[BufferedReader]:
    try:
        descriptor = store.path(path).open_file()
    except OSError as error:
        raise _unusable(path, f"can't be read: {error.strerror}") from error
    with os.fdopen(descriptor, "rb") as stream:
        yield stream


def _unusable(path: str, what: str) -> CatalogUnreadable:
    return CatalogUnreadable(f"The table of terms {quote(path)} {what}.", subject=path, hint=MAKE_AGAIN)
