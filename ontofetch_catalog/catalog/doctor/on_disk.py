"""The check of files: what lies on disk beside what the rows say, of the whole store or of one release."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ..connection import Store
from ..repo import comparison
from ..scan import scan
from . import contents
from .findings import Findings, Progress

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

_FINDERS: dict[str, Callable[[duckdb.DuckDBPyConnection], pa.Table]] = {
    "CAT013": lambda connection: comparison.find_unrecorded(connection, usable=True),
    "CAT014": comparison.find_missing,
    "CAT015": comparison.find_resized,
    "CAT017": comparison.find_irregular,
    "CAT018": lambda connection: comparison.find_unrecorded(connection, usable=False),
}


def check_files(
    store: Store,
    connection: duckdb.DuckDBPyConnection,
    findings: Findings,
    progress: Progress | None = None,
    *,
    within: str | None = None,
    only: str | None = None,
) -> int:
    """Compare what lies on disk with the rows; return how many files were found.

    Args:
        progress: Called with the number of files found so far.
        within: Only this release's folder.
        only: Only this code's findings; one that contents tell needs none of them.
    """
    report = None if progress is None else lambda done: progress(done, done)
    found = scan(store, connection, within=within, progress=report)
    comparison.compare(connection, contents.layouts_table(), within)
    for code, find in _FINDERS.items():
        if only in (None, code):
            findings.add_table(code, find(connection))
    return found.entries
