"""The boundary that computes the statistics of releases and stores them for a while."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from .. import journal, sessions
from ..repo import stats
from .boundary import MaintenanceBoundary, Recorded

if TYPE_CHECKING:
    import duckdb


class Refresh(MaintenanceBoundary):
    """Compute the statistics of all releases."""

    kind: ClassVar[str] = "refresh"

    def record(self, connection: duckdb.DuckDBPyConnection, draft: journal.IntentDraft) -> Recorded:
        """Replace all rows of version_stats."""
        del draft
        return Recorded(rows=stats.refresh_statistics(connection, sessions.utc_now()))
