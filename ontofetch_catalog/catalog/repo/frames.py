"""Own the SQL of bare rows for analyses of one's own: files, results, events, deltas, with only the columns asked for.

Releases stand in it as constants, so that DuckDB skips the row groups of all the others.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..connection import literal
from .reports import REASON

_RESULTS = f"(SELECT * EXCLUDE (details), CASE WHEN NOT passed THEN {REASON} END AS reason FROM validations)"  # noqa: S608
_EVENTS = "(SELECT * REPLACE (payload::VARCHAR AS payload) FROM events)"
_TABLES = {"files": "extracted_files", "validations": _RESULTS, "events": _EVENTS}


def select_rows(table: str, columns: Sequence[str], *, version_id: str | None = None, most: int | None = None) -> str:
    """Return the SQL of rows of `files`, `validations` or `events`, in no particular order.

    Args:
        table: One of the three.
        columns: Those that are read; `reason` of validations is the first line of why a file failed.
        version_id: Only of this release; None for all.
        most: So many rows at most.
    """
    where = "" if version_id is None else f" WHERE version_id = {literal(version_id)}"
    return f"SELECT {', '.join(columns)} FROM {_TABLES[table]}{where}{_limit(most)}"  # noqa: S608


def select_delta(a: str, b: str, columns: Sequence[str], *, unchanged: bool = False, most: int | None = None) -> str:
    """Return the SQL of what changed from A to B, as `version_delta_files` says, in no particular order."""
    where = "" if unchanged else " WHERE change <> 'UNCHANGED'"
    return f"SELECT {', '.join(columns)} FROM version_delta_files({literal(a)}, {literal(b)}){where}{_limit(most)}"  # noqa: S608


def _limit(most: int | None) -> str:
    return "" if most is None else f" LIMIT {most}"
