"""The bytes of tables of terms, read whole for whoever scans them, and which formats have such tables.

What the tables say is not known here.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from typing import Any

from ontofetch_hookspecs.names import quote

from ..content.facts import FORMATS
from ..errors import CatalogUnreadable
from .connection import Store
from .facts import MAKE_AGAIN

__all__ = ["FORMATS", "read_table"]

MOST_BYTES = 1 << 32


def read_table(store: Store, row: Mapping[str, Any]) -> bytes:
    """Return the Parquet of a content's table of terms, as it was recorded.

    Args:
        store: The store.
        row: With table_path, table_sha256 and table_bytes, as `repo.facts.facts_of` has them.

    Raises:
        CatalogUnreadable: It is lost, no regular file, or not what the catalog says; the sentence says what to do.
    """
    path, size = str(row["table_path"]), int(row["table_bytes"])
    try:
        descriptor = store.path(path).open_file()
    except OSError as error:
        raise unusable(path, f"can't be read: {error.strerror}") from error
    with os.fdopen(descriptor, "rb") as stream:
        data = stream.read(size + 1) if 0 <= size <= MOST_BYTES else b""
    if len(data) != size:
        raise unusable(path, "has another size than was recorded")
    if hashlib.sha256(data).hexdigest() != row["table_sha256"]:
        raise unusable(path, "is damaged: its sha256 is not the recorded one")
    return data


def unusable(path: str, what: str) -> CatalogUnreadable:
    """Return the error of a table that can't be used."""
    return CatalogUnreadable(f"The table of terms {quote(path)} {what}.", subject=path, hint=MAKE_AGAIN)
