"""The checks that plugins contribute: how they are called, and what of their answers becomes findings.

A check gets a catalog to read, no connection, and no fix: what a plugin has mended, it mends by the ways there are for
that, so that rows and files change together. One that fails is a finding of its own, and the others go on.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from ontofetch_hookspecs import ask_contribution
from ontofetch_hookspecs.light_dataclasses import dataclass

from ...errors import OntofetchError
from .findings import Findings

if TYPE_CHECKING:
    import pyarrow as pa

    from ontofetch_hookspecs import Finding

MOST_FOUND = 100_000  # by one check: more is no answer that anybody reads
MOST_CHARACTERS = 500  # of a subject or a message
_COLUMNS = ("subject", "version_id", "message")


@dataclass(frozen=True, slots=True)
class PluginChecks:
    """The checks of plugins.

    Args:
        checks: (plugin, check).
        catalog: What they are called with: an open `analytics.Catalog`.
    """

    checks: Sequence[tuple[str, Finding]]
    catalog: object


def check_all(plugins: PluginChecks, findings: Findings) -> None:
    """Make the checks one after the other."""
    for plugin, check in plugins.checks:
        title = f"its finding {check.code}"
        try:
            found = ask_contribution(plugin, title, check.target, plugins.catalog, read=_as_rows)
        except OntofetchError as error:
            findings.add("CAT034", f"{plugin}: {check.code}", error.message)
        else:
            findings.add_table(check.code, found, check.severity)


def _as_rows(answer: Any) -> pa.Table:
    """Return an answer as a table of findings without fixes.

    Raises:
        TypeError, ValueError: It is something else, has too many rows, or one without subject or message.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    table = _as_table(answer)
    if len(table) > MOST_FOUND:
        raise ValueError(f"more than {MOST_FOUND:,} rows were returned")
    texts = {name: pc.utf8_slice_codeunits(table[name].cast(pa.string()), 0, MOST_CHARACTERS) for name in _COLUMNS}
    for name in ("subject", "message"):
        if pc.any(pc.fill_null(pc.equal(texts[name], ""), fill_value=True)).as_py():
            raise ValueError(f"a row has no {name}")
    texts["version_id"] = pc.if_else(pc.equal(texts["version_id"], ""), None, texts["version_id"])
    nothing = pa.nulls(len(table), pa.string())
    return pa.table({**texts, "fix": nothing, "unsafe_fixes": nothing})


def _as_table(answer: Any) -> pa.Table:
    import pyarrow as pa

    if hasattr(answer, "__arrow_c_stream__"):
        table = pa.table(answer)
        lacking = [name for name in _COLUMNS if name not in table.column_names]
        if lacking:
            raise ValueError(f"a table without the column {lacking[0]} was returned")
        return table.select(list(_COLUMNS))
    if isinstance(answer, str | bytes) or not isinstance(answer, Iterable):
        raise TypeError(f"a {type(answer).__name__} was returned, not rows of subject, version_id and message")
    rows = list(islice(answer, MOST_FOUND + 1))
    if not all(isinstance(row, tuple) and len(row) == len(_COLUMNS) for row in rows):
        raise TypeError("a row was returned that is no tuple of subject, version_id and message")
    columns = zip(*rows, strict=True) if rows else [()] * len(_COLUMNS)
    return pa.table({name: pa.array(column, pa.string()) for name, column in zip(_COLUMNS, columns, strict=True)})
