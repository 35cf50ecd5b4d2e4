"""What is said of the results of a pull: which files fail and where, what was not judged, what is in doubt.

Nothing is recorded or decided here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ontofetch_hookspecs.layout import VALIDATION_AUDIT
from ontofetch_hookspecs.names import quote

from ..content.formats import UNKNOWN

if TYPE_CHECKING:
    import pyarrow as pa

    from .request import Summary

MOST_TOLD = 5  # failing files that are named; the catalog has all of them


def told_of(results: pa.Table) -> Iterator[str]:
    """Yield a line for each of the first failures, with its place, and one for what was not judged.

    Args:
        results: With relpath, validator, passed and details.
    """
    import pyarrow.compute as pc

    failures = results.filter(pc.equal(results["passed"], False))
    for row in failures.slice(0, MOST_TOLD).to_pylist():
        details = json.loads(row["details"])
        yield f"{row['relpath']} fails {row['validator']}: {details.get('error')}{_place_of(details)}"
    if len(failures) > MOST_TOLD:
        yield f"and {len(failures) - MOST_TOLD} more; all of them are in {VALIDATION_AUDIT}"
    unjudged = results.filter(pc.is_null(results["passed"]))
    for row in unjudged.slice(0, 1).to_pylist():
        reason = json.loads(row["details"])["not_judged"]
        others = f", and {len(unjudged) - 1} more, see {VALIDATION_AUDIT}" if len(unjudged) > 1 else ""
        yield f"{quote(row['relpath'])} is not judged by {row['validator']}: {reason}{others}"


def _place_of(details: dict[str, object]) -> str:
    line, column = details.get("line"), details.get("column")
    if not isinstance(line, int):
        return ""
    return f" at line {line:,}, column {column:,}" if isinstance(column, int) else f" at line {line:,}"


def doubt_about(files: pa.Table, summary: Summary) -> str | None:
    """Return why a release becomes latest only when it is asked for, None if nothing speaks against it.

    Args:
        files: Its files, with `format`.
        summary: Has the files by outcome.
    """
    import pyarrow.compute as pc

    if not len(files):
        return "it has no files"
    if summary.passed:
        return None
    if summary.not_judged:
        return f"none of its files passed, and {summary.not_judged:,} could not be judged"
    if pc.all(pc.equal(files["format"], UNKNOWN)).as_py():
        return "none of its files is in a format that is known"
    return None
