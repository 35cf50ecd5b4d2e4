"""What a catalog's statements mean by our views and macros, whatever a file that came from elsewhere says.

A database may carry views and macros of its author's, and a macro of his may even be called like a function of DuckDB.
No macro of a catalog is executed: names are looked for among DuckDB's own first, and where a statement needs one of
ours its text from the migrations stands in it. Views that are not ours are replaced for the connection.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from .. import fsops
from ..connection import fetch_one, literal
from ..migrations import available_migrations

if TYPE_CHECKING:
    import duckdb

# version of DuckDB → digest of our views as that version spells them; another version pays 5 ms at each opening
_BY_1_5 = "9ee0afcd0a44f9c912c0e0487596e6e4b464f80bddac214eee35f57e88c329d3"
_BY_2_0 = "448f0784d5f6f9caa4b8fa98b0385d2b966542fa5ce77b8340f69225e655ea08"
VIEWS_DIGESTS = dict.fromkeys((f"v1.5.{patch}" for patch in range(7)), _BY_1_5) | {"v2.0.0": _BY_2_0, "v2.0.1": _BY_2_0}
_VIEW = re.compile(r"\s*CREATE\s+(?:OR\s+REPLACE\s+)?VIEW\s+(\w+)", re.IGNORECASE)
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


def use_own_views(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Let a connection use our views alone; return the names of those in the catalog that are not ours, sorted.

    The schema is the current one; nothing is written but temporary views.
    """
    database = literal(database_of(connection))
    version, digest = fetch_one(
        connection,
        f"""
        SELECT (SELECT library_version FROM pragma_version()),
            sha256(string_agg(view_name || chr(10) || sql, chr(10) ORDER BY view_name))
        FROM duckdb_views() WHERE NOT internal AND database_name = {database}
        """,
    ) or ("", "")
    if digest and VIEWS_DIGESTS.get(str(version)) == digest:
        return []
    for sql in own_views().values():
        fsops.execute(connection, sql)
    differing = connection.execute(f"""
        SELECT view_name FROM (
            SELECT view_name, replace(sql, 'CREATE TEMP VIEW', 'CREATE VIEW') AS sql, database_name
            FROM duckdb_views() WHERE NOT internal AND database_name IN ('temp', {database})
        )
        GROUP BY view_name HAVING count(*) FILTER (database_name = {database}) > 0
            AND (count(*) <> 2 OR count(DISTINCT sql) <> 1)
        ORDER BY view_name
    """).fetchall()
    return [str(name) for (name,) in differing]


@lru_cache(maxsize=1)
def own_views() -> dict[str, str]:
    """Return name → statement that makes it for one connection, of our views, in the order of their migrations."""
    found: dict[str, str] = {}
    for migration in available_migrations():
        for statement in _COMMENT.sub("", migration.sql).split(";"):
            if match := _VIEW.match(statement):
                found[match[1]] = f"CREATE OR REPLACE TEMP VIEW {match[1]}{statement[match.end() :]}"
    return found


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
