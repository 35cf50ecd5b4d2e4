"""The check for releases that lie on disk and are not recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..connection import Store
from ..rebuild.places import find_folders
from ..repo import releases
from .findings import Findings

if TYPE_CHECKING:
    import duckdb


def check_releases(store: Store, connection: duckdb.DuckDBPyConnection, findings: Findings) -> None:
    """Compare the folders that look like a release with the recorded ones."""
    recorded = {row.fs_relpath for row in releases.list_versions(connection)}
    for folder in find_folders(store):
        if folder.path not in recorded:
            what = "has a manifest" if folder.manifest else "looks like a release"
            message = f"The folder {folder.path} {what} and is not recorded."
            # what another program keeps stays where that program looks for it
            movable = folder.layout is None or not folder.layout.shared
            findings.add("CAT028", folder.path, message, unsafe=["adopt", *(["quarantine"] if movable else [])])
