"""Which artifact of a release a path belongs to: two artifacts may not meet in one file or folder name.

It only asks the rows; what is done about a meeting is decided by who asked.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ontofetch_hookspecs.names import quote
from ontofetch_hookspecs.store_paths import StorePath

from ...errors import Conflict
from ..repo import files

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

_log = logging.getLogger("ontofetch.catalog")


def check_owners(
    connection: duckdb.DuckDBPyConnection,
    version_id: str,
    artifact_id: str,
    table: pa.Table,
    *,
    data: StorePath,
    leaving: Sequence[str] = (),
    portable: bool = False,
) -> None:
    """Check that no file of an artifact would meet one of another artifact of the release; never writes.

    What would meet only where case and normal forms are folded is let pass with a warning, where they are not.

    Args:
        table: Its files, with a column relpath.
        data: The folder of the release's files, which tells whether case is folded there.
        leaving: Artifacts whose files give way.
        portable: Whether what would meet on another file system is refused on this one too.

    Raises:
        Conflict: One would.
    """
    if not files.count_files(connection, version_id, other_than=artifact_id):
        return
    found = files.find_foreign_path(connection, version_id, artifact_id, table.select(["relpath"]), leaving)
    if found is None:
        return
    where = ""
    if found.is_folded:
        folds = (data / found.given).exists()
        if not folds and not portable:
            _log.warning(
                "%s of %s meets %s of another artifact where case and normal forms are folded: not portable",
                quote(found.given),
                version_id,
                quote(found.relpath),
            )
            return
        where = " where case and normal forms are folded" + (", as this file system does" if folds else "")
    raise Conflict(
        f"{quote(found.relpath)} of {version_id} belongs to another artifact (sha256 {found.artifact_id});"
        f" {quote(found.given)} would meet it{where}.",
        subject=version_id,
        hint="Leave it out with --include or --exclude, unpack into another place with --strip 0, or record it under"
        " another --version.",
    )
