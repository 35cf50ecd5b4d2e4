"""The form of findings: columns, sentences for single things, tables for many.

One row is one finding; what is wrong and what to do about it is decided by the checks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from .codes import BY_CODE

if TYPE_CHECKING:
    import pyarrow as pa

Progress = Callable[[int, int], None]
COLUMNS: Mapping[str, str] = {
    "code": "CAT001 …, see the table of codes",
    "severity": "error, warning or note",
    "subject": "what it is about: a path below the root, a table with a key, a boundary …",
    "version_id": "the release it belongs to, null where there is none",
    "message": "a sentence",
    "fix": "the safe fix that --fix applies, null where there is none",
    "unsafe_fixes": "fixes to be asked for by name (--fix CODE=FIX), separated by commas",
}


def make_schema() -> pa.Schema:
    """Return the Arrow schema of findings: COLUMNS, all text."""
    import pyarrow as pa

    return pa.schema([pa.field(name, pa.string()) for name in COLUMNS])


class Findings:
    """Collect findings, single ones and tables of them; never writes anything."""

    def __init__(self) -> None:
        self._tables: list[pa.Table] = []

    def add(
        self, code: str, subject: str, message: str, *, version_id: str | None = None, fix: str | None = None,
        unsafe: Sequence[str] = (),
    ) -> None:  # fmt: skip
        """Add one finding."""
        import pyarrow as pa

        row = {
            "code": code,
            "severity": BY_CODE[code].severity,
            "subject": subject,
            "version_id": version_id,
            "message": message,
            "fix": fix,
            "unsafe_fixes": ", ".join(unsafe) or None,
        }
        self._tables.append(pa.Table.from_pylist([row], schema=make_schema()))

    def add_table(self, code: str, table: pa.Table, severity: str = "") -> None:
        """Add the findings of a query; its columns are those of COLUMNS but code and severity.

        Args:
            severity: Of a code that is not the catalog's.
        """
        import pyarrow as pa

        if not len(table):
            return
        count = len(table)
        columns = {
            "code": pa.repeat(pa.scalar(code), count),
            "severity": pa.repeat(pa.scalar(severity or BY_CODE[code].severity), count),
        } | {name: table[name] for name in COLUMNS if name not in ("code", "severity")}
        self._tables.append(pa.table(columns).select(list(COLUMNS)).cast(make_schema()))

    def extend(self, found: pa.Table) -> None:
        """Add findings that were collected elsewhere."""
        self._tables.append(found)

    def among(self, code: str, subjects: Sequence[str]) -> list[str]:
        """Return those of some subjects that a finding of this code is about, in their order."""
        import pyarrow as pa
        import pyarrow.compute as pc

        # a release may have more findings than memory should hold as objects
        asked = pa.array(list(subjects), pa.string())
        tables = [table.filter(pc.equal(table["code"], code)) for table in self._tables]
        kept = [table["subject"].filter(pc.is_in(table["subject"], value_set=asked)) for table in tables]
        found = {subject for column in kept for subject in column.to_pylist()}
        return [subject for subject in subjects if subject in found]

    def table(self) -> pa.Table:
        """Return all findings, by code, and within a code by subject."""
        import pyarrow as pa

        found = pa.concat_tables([make_schema().empty_table(), *self._tables])
        return found.sort_by([("code", "ascending"), ("subject", "ascending")])
