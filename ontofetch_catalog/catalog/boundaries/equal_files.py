"""The staged files of a release that the store has already: each is stored as the one that is there.

It happens before anything is made durable, so that what is stored already is not written again, and by who writes
alone, so that nobody takes away what is there. Whatever stands in its way leaves a file as it was staged.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ontofetch_hookspecs.names import quote
from ontofetch_hookspecs.stage_records import BESIDE
from ontofetch_hookspecs.store_paths import StorePath

from ...errors import EventError
from ..connection import Store
from ..equal_files import storing, ways
from ..repo import equal_files as repo
from . import staged

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

_log = logging.getLogger("ontofetch.catalog")


@dataclass(slots=True)
class StoredOnce:
    """How many files of a release are stored as others are, and their bytes."""

    files: int = 0
    bytes: int = 0


def is_wanted(store: Store, folder: StorePath) -> bool:
    """Say whether what is staged in a folder is to be stored as equal files of the store are, as far as it can be."""
    return staged.stage_of(folder) is not None and ways.way_of(store) != ways.OFF


def store_staged_once(
    store: Store, connection: duckdb.DuckDBPyConnection, version_id: str, folder: StorePath, files: pa.Table
) -> StoredOnce:
    """Let staged files be stored as equal ones of the store are, and as each other.

    Args:
        store: The store.
        connection: Its catalog, open for writing.
        version_id: Their release.
        folder: Where they are staged.
        files: relpath, file_id, size_bytes, and more.
    """
    done = StoredOnce()
    way, stage = ways.way_of(store), staged.stage_of(folder)
    if way == ways.OFF or stage is None or not len(files):
        return done
    held = repo.find_holders(
        connection,
        version_id,
        files.select(["relpath", "file_id", "size_bytes"]),
        ways.usable_layouts(way),
        folder=folder.relpath,
        artifacts=not ways.by_kind(way),
    )
    storer = storing.Storer(store, way, stage / BESIDE)
    differing: list[str] = []
    try:
        for relpath, source, size in zip(*(held[name].to_pylist() for name in held.column_names), strict=True):
            if storer.is_useless:
                break
            put = _put(storer, source, f"{folder.relpath}/{relpath}")
            if put.outcome in (storing.Outcome.ONCE, storing.Outcome.BEFORE):
                done.files += 1
                done.bytes += size
            elif put.outcome == storing.Outcome.DIFFERING:
                differing.append(source)
    finally:
        storer.close()
    if differing:
        _log.warning(
            "%s recorded files don't have the bytes that the catalog says, %s for one, so that nothing of %s is stored"
            " as they are; `ontofetch db verify` says which",
            f"{len(differing):,}",
            quote(differing[0]),
            version_id,
        )
    if done.files:
        _log.info("%s files of %s are stored already (%s)", f"{done.files:,}", version_id, way)
    return done


def _put(storer: storing.Storer, source: str, target: str) -> storing.Put:
    try:
        return storer.put(source, target)
    except EventError as error:
        # a row names what is no path below the root
        return storing.Put(storing.Outcome.LEFT, reason=str(error))
