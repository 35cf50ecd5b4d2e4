"""The documents of a release that somebody has removed: found on the way into a download, and written anew with it.

They say what the rows say; files that are gone are the affair of the boundaries that publish them.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from ontofetch_hookspecs import layout
from ontofetch_hookspecs.names import quote

from ..connection import Store
from ..journal import IntentDraft
from ..repo import latest, releases
from .documents import draft_extract_audit, draft_pointer, draft_validation_audit

if TYPE_CHECKING:
    import duckdb

_log = logging.getLogger("ontofetch.catalog")


def find_lost_documents(store: Store, connection: duckdb.DuckDBPyConnection, row: releases.VersionRow) -> list[str]:
    """Return the paths below the root of the documents that a release and its series should have and have not."""
    slot = layout.series_of(row.version_id)
    wanted = [row.manifest]
    wanted += [f"{row.fs_relpath}/{layout.EXTRACT_AUDIT}"] if row.extract_audit is not None else []
    wanted += [f"{row.fs_relpath}/{layout.VALIDATION_AUDIT}"] if row.validation_audit is not None else []
    pointer = latest.find_latest(connection, slot)
    if pointer is not None and releases.find_version(connection, pointer[0]) is not None:
        wanted.append(layout.latest_file(slot))
    return [path for path in wanted if not store.path(path).exists()]


def draft_lost_documents(
    connection: duckdb.DuckDBPyConnection, draft: IntentDraft, row: releases.VersionRow, lost: list[str]
) -> None:
    """Write lost documents anew from the rows, all but the manifest, which every boundary writes; say so."""
    slot = layout.series_of(row.version_id)
    for path in lost:
        _log.warning("%s was gone: it is written anew from the catalog", quote(path))
        if path == layout.latest_file(slot):
            draft_pointer(connection, draft, slot)
        elif path.endswith(layout.EXTRACT_AUDIT):
            draft_extract_audit(connection, draft, row)
        elif path.endswith(layout.VALIDATION_AUDIT):
            draft_validation_audit(connection, draft, row)
