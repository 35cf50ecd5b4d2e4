"""What a catalog's statements mean by functions and by our macros, whatever a file that came from elsewhere says.

A database may carry views and macros of its author's, and a macro of his may even be called like a function of DuckDB.
Nothing of that is executed: names are looked for among DuckDB's own first, and where a statement needs one of our
macros, or views (`views`), its text stands in it.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from ..connection import fetch_one, literal
from ..migrations import available_migrations

if TYPE_CHECKING:
    import duckdb

_MACRO = re.compile(r"\s*CREATE\s+(?:OR\s+REPLACE\s+)?MACRO\s+(\w+)\([^)]*\)\s+AS\s+TABLE\s", re.IGNORECASE)
_COMMENT = re.compile(r"--[^\n]*")
# how the macro version_deltas comes from its list of pairs to numbered ones
_NUMBER = "row_number() OVER () AS n"
_PAIRS_OF_LIST = f"SELECT p.a AS a, p.b AS b, {_NUMBER} FROM (SELECT DISTINCT unnest(pairs) AS p)"


def database_of(connection: duckdb.DuckDBPyConnection) -> str:
    """Return the name that DuckDB has given to the catalog of a connection."""
    path, current = fetch_one(connection, "SELECT current_setting('search_path'), current_database()") or ("", "")
    return str(path).rpartition(",")[2].partition(".")[0] or str(current)


def use_own_functions(connection: duckdb.DuckDBPyConnection, database: str = "") -> str:
    """Let a connection look among DuckDB's own functions before those of the catalog; to be called once, first of all.

    A table that is made without the name of its database would then be one of the system's: migrations come before.

    Args:
        database: The name that DuckDB has given to its catalog, where that is known already.

    Returns:
        That name.
    """
    database = database or database_of(connection)
    connection.execute(f"SET search_path = 'system.main,{database}.main'")
    return database


def deltas_of(pairs: str, bounds: tuple[str, str] = ("true", "true")) -> str:
    """Return the rows of our macro version_deltas for some pairs, as a table of a FROM clause.

    Args:
        pairs: A table (SQL) with a row for each, `a` and `b`; to make a list of it and rows of the list takes longer.
        bounds: Conditions that all rows of the earlier and of the later releases meet: others are not read then.
    """
    text = _with_text(
        "version_deltas", _PAIRS_OF_LIST, f"SELECT a, b, {_NUMBER} FROM (SELECT DISTINCT a, b FROM {pairs})"
    )
    for side, bound in zip("ab", bounds, strict=True):
        before, found, after = text.partition(f"JOIN pair ON version_id = {side}")
        if not found:
            raise ValueError("the macro version_deltas does not join releases with its pairs")
        text = f"{before}{found} AND {bound}{after}"
    return text


def delta_files_of(a: str, b: str) -> str:
    """Return the rows of version_delta_files for two releases, as a table of a FROM clause."""
    pair = deltas_of(f"(VALUES ({literal(a)}, {literal(b)})) pairs(a, b)")
    return _with_text("version_delta_files", "version_deltas([{'a': a, 'b': b}])", pair)


def delta_summary_of(a: str, b: str) -> str:
    """Return the row of version_delta_summary for two releases, as a table of a FROM clause."""
    return _with_text("version_delta_summary", "version_delta_files(a, b)", delta_files_of(a, b))


def _with_text(name: str, call: str, text: str) -> str:
    before, found, after = _own_macros()[name].partition(call)
    if not found or call in after:
        raise ValueError(f"the macro {name} has not just one {call}")
    return f"({before}{text}{after})"


@lru_cache(maxsize=1)
def _own_macros() -> dict[str, str]:
    """Return name → the query of our macros; a later migration may define one anew."""
    found: dict[str, str] = {}
    for migration in available_migrations():
        for statement in _COMMENT.sub("", migration.sql).split(";"):
            if match := _MACRO.match(statement):
                found[match[1]] = statement[match.end() :].strip()
    return found
