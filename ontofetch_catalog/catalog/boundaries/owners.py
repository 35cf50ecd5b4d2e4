"""Which artifact of a release a path belongs to: two artifacts may not meet in one file or folder name.

It only asks the rows; what is done about a meeting is decided by who asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ontofetch_hookspecs.names import quote

from ...errors import Conflict
from ..repo import files

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa


def check_owners(
    connection: duckdb.DuckDBPyConnection,
    version_id: str,
    artifact_id: str,
    table: pa.Table,
    leaving: Sequence[str] = (),
) -> None:
    """Check that no file of an artifact would meet one of another artifact of the release; never writes.

    Args:
        connection: An open connection.
        version_id: The release.
        artifact_id: The artifact.
        table: Its files, with a column relpath.
        leaving: Artifacts whose files give way.

    Raises:
        Conflict: One would.
    """
    if not files.count_files(connection, version_id, other_than=artifact_id):
        return
    found = files.find_foreign_path(connection, version_id, artifact_id, table.select(["relpath"]), leaving)
    if found is not None:
        raise Conflict(
            f"{quote(found[0])} of {version_id} belongs to another artifact (sha256 {found[1]}); one of these"
            " files would meet it where case and normal forms are folded.",
            subject=version_id,
            hint="Leave it out with --include or --exclude, unpack into another place with --strip 0, or record it"
            " under another --version.",
        )
