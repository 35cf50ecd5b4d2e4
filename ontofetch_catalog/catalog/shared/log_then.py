"""Which paths a shared catalog had at an event, made once more from its log, and what has become of them since.

They lie in a table of the session's own, and go with it. What lies in quarantine, and plans, are no part of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ontofetch_hookspecs.layout import CATALOG, PLANS, QUARANTINE

from ...errors import CatalogUnavailable
from .log import Log
from .log_paths import move_paths
from .places import Op, Put

if TYPE_CHECKING:
    import psycopg

_FORMER = "pg_temp.former_paths"
_MEANT = f"NOT starts_with(path, '{QUARANTINE}/') AND NOT starts_with(path, '{PLANS}/')"
_FOLDER = "array_to_string(parts[1:level], '/')"
# the folders around a path, the outermost first
_AROUND = (
    "string_to_array(path, '/') AS parts, generate_series(1, cardinality(string_to_array(path, '/')) - 1) AS level"
)
_GONE = f"""
WITH gone AS (
    SELECT path FROM ontofetch.paths WHERE {_MEANT} AND NOT EXISTS (
        SELECT FROM {_FORMER} AS former WHERE former.path = ontofetch.paths.path
    )
), folders AS (SELECT DISTINCT {_FOLDER} AS folder FROM gone, {_AROUND} WHERE parts[1] <> '{CATALOG}'),
left_alone AS (
    SELECT folder FROM folders WHERE NOT EXISTS (
        SELECT FROM {_FORMER} AS former WHERE former.path > folder || '/' AND former.path < folder || '0'
    )
)
SELECT DISTINCT coalesce((
    SELECT {_FOLDER} FROM {_AROUND} WHERE {_FOLDER} IN (SELECT folder FROM left_alone) ORDER BY level LIMIT 1
), path) COLLATE "C" AS top FROM gone ORDER BY 1
"""  # noqa: S608 - our own names
_FIELDS = "sha256, size, mtime_ns, mode"
_COMING = f"""
SELECT path, {_FIELDS} FROM {_FORMER} AS former WHERE {_MEANT} AND NOT EXISTS (
    SELECT FROM ontofetch.paths AS now WHERE now.path = former.path
    AND (now.sha256, now.size, now.mtime_ns, now.mode) = (former.sha256, former.size, former.mtime_ns, former.mode)
) ORDER BY path
"""  # noqa: S608 - our own names


class Then:
    """Paths as of an event, which `take` brings further.

    Args:
        log: A line that nobody else gets.
    """

    def __init__(self, log: Log) -> None:
        self._log = log
        self._session: psycopg.Connection[Any] | None = None

    def _in_use(self) -> psycopg.Connection[Any]:
        """Return the connection whose session has the table.

        Raises:
            CatalogUnavailable: The server has ended that session, and the table has gone with it.
        """
        connection = self._log.in_use()
        if self._session is None:
            connection.execute(f"CREATE TEMP TABLE {_FORMER} (LIKE ontofetch.paths INCLUDING INDEXES)".encode())
            self._session = connection
        if connection is not self._session:
            raise CatalogUnavailable(
                f"The shared catalog at {self._log.where} has ended the session of this machine: it was silent for too"
                " long.",
                subject=self._log.address.catalog,
                hint="Nothing was changed. Run the same command again.",
            )
        return connection

    def take(self, moves: Sequence[Op]) -> None:
        """Do what a boundary did to paths."""
        with self._log.explained("read"):
            connection = self._in_use()
            with connection.transaction():
                move_paths(connection, moves, table=_FORMER)

    def count(self) -> int:
        """Return how many paths there were."""
        with self._log.explained("read"):
            found = self._in_use().execute(f"SELECT count(*) FROM {_FORMER} WHERE {_MEANT}".encode()).fetchone()  # noqa: S608
        return int(found[0]) if found else 0

    def gone(self) -> list[str]:
        """Return the paths that came since, of what came alone in a folder that folder, sorted."""
        with self._log.explained("read"):
            return [str(path) for (path,) in self._in_use().execute(_GONE.encode()).fetchall()]

    def coming(self) -> list[Put]:
        """Return the paths that have another content since, or none, with that which they had, sorted."""
        with self._log.explained("read"):
            return [Put(*row) for row in self._in_use().execute(_COMING.encode()).fetchall()]
