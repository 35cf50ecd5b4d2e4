"""The tables of terms beside the catalog: opened for reading, checked against what the catalog says of them.

Which contents have one is not known here; the rows of `repo.facts` say it.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ontofetch_hookspecs.names import quote

from ..errors import CatalogUnreadable
from .connection import Store

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

MAKE_AGAIN = "`ontofetch db facts` makes it again."


@contextmanager
def open_terms(store: Store, row: Mapping[str, Any]) -> Iterator[pq.ParquetFile]:
    """Give the table of terms of a content, opened and not read yet.

    Args:
        store: The store.
        row: With table_path, table_sha256 and table_bytes, as `repo.facts.facts_of` has them.

    Raises:
        CatalogUnreadable: It is lost, no regular file, or not what the catalog says; the sentence says what to do.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    from ..content.term_tables import table_fault

    path = str(row["table_path"])
    try:
        descriptor = store.path(path).open_file()
    except OSError as error:
        raise _unusable(path, f"can't be read: {error.strerror}") from error
    with os.fdopen(descriptor, "rb") as stream:
        if os.fstat(descriptor).st_size != row["table_bytes"]:
            raise _unusable(path, "has another size than was recorded")
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


def read_terms(store: Store, row: Mapping[str, Any], columns: Sequence[str] | None = None) -> pa.Table:
    """Return a content's table of terms, or some of its columns; the arguments as for `open_terms`.

    Raises:
        CatalogUnreadable: As `open_terms`.
    """
    import pyarrow as pa

    with open_terms(store, row) as found:
        try:
            return found.read(columns=None if columns is None else list(columns))
        except (pa.ArrowException, OSError, ValueError) as error:
            raise _unusable(str(row["table_path"]), "can't be read") from error


def is_there(store: Store, path: str, size: int) -> bool:
    """Say whether a table of terms lies at its path with its size; what is in it is not looked at."""
    try:
        found = store.path(path).lstat()
    except OSError:
        return False
    return stat.S_ISREG(found.st_mode) and found.st_size == size


def _unusable(path: str, what: str) -> CatalogUnreadable:
    return CatalogUnreadable(f"The table of terms {quote(path)} {what}.", subject=path, hint=MAKE_AGAIN)
