"""What `--profile` tells: the plan of each query with times, its hot operators, and what could be better about it.

It reads the plans of DuckDB 1.5 and of 2.x, which differ in names; whose queries they are is not known here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, cast

from ontofetch_hookspecs.light_dataclasses import dataclass

from .connection import fetch_one

if TYPE_CHECKING:
    import duckdb

ROW_GROUP = 122_880  # rows of a table that DuckDB skips or reads together
WIDE = 6  # columns from which on reading all of a table is worth a word
HOT = 3  # operators named as hot
_QUERY = re.compile(r"\s*(SELECT|WITH|FROM)\b", re.IGNORECASE)
_LOOPS = ("NESTED_LOOP_JOIN", "BLOCKWISE_NL_JOIN", "CROSS_PRODUCT")
_FRAMES = ("RESULT_COLLECTOR", "EXPLAIN_ANALYZE", "")
_Parameters = Sequence[Any] | Mapping[str, Any] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """One operator of a plan.

    Args:
        name: As DuckDB calls it: `HASH_JOIN`, `SEQ_SCAN` …
        milliseconds: Its own time, over all threads.
        rows: Rows that it gave.
        detail: Condition of a join, filters of a scan.
        table, columns: What a scan reads.
        rows_scanned: Rows that a scan looked at.
        row_groups: Row groups that a scan looked at, and had to choose from; None where DuckDB does not say (1.5).
        children: The operators below.
    """

    name: str
    milliseconds: float
    rows: int
    detail: str = ""
    table: str = ""
    columns: tuple[str, ...] = ()
    rows_scanned: int = 0
    row_groups: tuple[int, int] | None = None
    children: tuple[Operator, ...] = ()

    def walk(self, depth: int = 0) -> Iterator[tuple[int, Operator]]:
        """Yield this operator and all below it, with their depth."""
        yield depth, self
        for child in self.children:
            yield from child.walk(depth + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One query: its SQL, wall time, plan, bytes that went to disk for want of memory, and hints."""

    sql: str
    milliseconds: float
    plan: Operator
    spilled_bytes: int
    hints: tuple[str, ...] = ()

    @property
    def operators(self) -> list[Operator]:
        """Return all operators, the uppermost first."""
        return [operator for _, operator in self.plan.walk()]

    @property
    def hot(self) -> list[tuple[Operator, int]]:
        """Return the operators that took most of the time, with their share in percent."""
        total = sum(operator.milliseconds for operator in self.operators) or 1.0
        ranked = sorted(self.operators, key=lambda operator: -operator.milliseconds)[:HOT]
        return [(operator, round(100 * operator.milliseconds / total)) for operator in ranked if operator.milliseconds]


@dataclass(frozen=True, slots=True)
class Table:
    """How large a table is: rows (estimated) and columns."""

    rows: int
    columns: int


def profile_query(connection: duckdb.DuckDBPyConnection, sql: str, parameters: _Parameters = None) -> Profile:
    """Run a query that never writes under EXPLAIN ANALYZE and return its profile; the rows are thrown away."""
    found = fetch_one(connection, "EXPLAIN (ANALYZE, FORMAT JSON) " + sql, cast("Any", parameters))
    told = json.loads(found[1]) if found else {}
    plan = _as_operator(told)
    system = told.get("system", {})
    seconds = told.get("query", {}).get("total_time", told.get("latency", 0.0))
    spilled = max(
        system.get("total_bytes_spilled", 0),
        system.get("peak_temp_dir_size", 0),
        told.get("system_peak_temp_dir_size", 0),
    )
    tables = {
        str(name): Table(int(rows), int(columns))
        for name, rows, columns in connection.execute(
            "SELECT table_name, estimated_size, column_count FROM duckdb_tables()"
        ).fetchall()
    }
    profile = Profile(sql=sql, milliseconds=seconds * 1000, plan=plan, spilled_bytes=spilled)
    return replace(profile, hints=tuple(_hints_of(profile, tables)))


def _as_operator(told: Mapping[str, Any]) -> Operator:
    below = [_as_operator(child) for child in (*told.get("children", ()), *told.get("operator", ()))]
    name = str(told.get("name", told.get("operator_name", "")))
    if name in _FRAMES and len(below) == 1:
        return below[0]
    extra = told.get("extra_info", {})
    columns = extra.get("Projections", ()) if "Table" in extra else ()
    detail = " ".join(_text(extra[key]) for key in ("Join Type", "Conditions", "Filters", "Groups") if extra.get(key))
    groups = told.get("total_row_groups_to_scan")
    return Operator(
        name=name,
        milliseconds=1000 * told.get("timing", told.get("operator_timing", 0.0)),
        rows=told.get("intermediate_rows", told.get("operator_cardinality", 0)),
        detail=detail,
        table=str(extra.get("Table", "")).rpartition(".")[2],
        columns=(columns,) if isinstance(columns, str) else tuple(columns),
        rows_scanned=told.get("rows_scanned", told.get("operator_rows_scanned", 0)),
        row_groups=(told.get("row_groups_scanned", 0), groups) if groups is not None else None,
        children=tuple(below),
    )


def _text(value: object) -> str:
    return " AND ".join(map(str, value)) if isinstance(value, list) else str(value)


def is_pruned(operator: Operator, tables: Mapping[str, Table]) -> bool:
    """Say whether a scan skipped part of its table, or had nothing to skip."""
    if operator.row_groups is not None:
        return operator.row_groups[0] < operator.row_groups[1] or operator.row_groups[1] < 2
    rows = tables[operator.table].rows if operator.table in tables else 0
    return operator.rows_scanned < rows or rows <= ROW_GROUP


def _hints_of(profile: Profile, tables: Mapping[str, Table]) -> Iterator[str]:
    for operator in profile.operators:
        if operator.table and not is_pruned(operator, tables):
            how = f"although it asks for {operator.detail}" if operator.detail else "without any condition"
            yield (
                f"{operator.table} is read whole {how}: name the release as a constant, so that the row groups of the"
                " others are skipped."
            )
        if operator.table in tables and operator.rows_scanned > ROW_GROUP:
            whole = tables[operator.table].columns
            if WIDE <= whole <= len(operator.columns):
                yield f"All {whole} columns of {operator.table} are read: name those that are needed."
        if operator.name in _LOOPS and min((child.rows for child in operator.children), default=0) > 1:
            yield f"A {operator.name} compares every row with every row: join on equal keys ({operator.detail})."
    if profile.spilled_bytes:
        yield (
            f"{profile.spilled_bytes:,} bytes went to disk for want of memory: raise the setting duckdb_memory, or ask"
            " for less."
        )


class Profiler:
    """Profile every query of the sessions of a store that has `watch` as its own."""

    def __init__(self) -> None:
        self.profiles: list[Profile] = []

    def watch(self, connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
        """Return a connection that profiles each query before it runs it."""
        return cast("duckdb.DuckDBPyConnection", _Watched(connection, self))

    def look(self, connection: duckdb.DuckDBPyConnection, sql: str, parameters: _Parameters) -> None:
        """Profile one statement, if it is a query."""
        import duckdb

        if not _QUERY.match(sql):
            return
        try:
            self.profiles.append(profile_query(connection, sql, parameters))
        except duckdb.Error:
            # what is wrong with the statement says the statement itself, which runs next
            return

    def as_text(self, *, with_json: bool) -> str:
        """Return all profiles for people, with `with_json` each with its JSON in a line; or that there is none."""
        if not self.profiles:
            return "-- no query was asked: what this command tells does not come out of one"
        parts = []
        for number, profile in enumerate(self.profiles, 1):
            parts.append(
                f"-- query {number} of {len(self.profiles)}: {profile.milliseconds:,.1f} ms\n{render(profile)}"
            )
            if with_json:
                parts.append(json.dumps(asdict(profile), ensure_ascii=False))
        spent = sum(profile.milliseconds for profile in self.profiles)
        return "\n".join([*parts, f"-- {len(self.profiles)} queries, {spent:,.1f} ms"])

    def as_json(self) -> str:
        """Return all profiles as a JSON list."""
        return json.dumps([asdict(profile) for profile in self.profiles], indent=1, ensure_ascii=False) + "\n"


class _Watched:
    """Stand before a connection; all but queries goes through."""

    # what is known of a connection hangs on it
    __slots__ = ("__weakref__", "connection", "passing", "profiler")

    def __init__(self, connection: duckdb.DuckDBPyConnection, profiler: Profiler) -> None:
        self.connection = connection
        self.profiler = profiler
        self.passing = set[str]()  # names of registered streams, which can be read only once

    def register(self, name: str, rows: Any) -> Any:
        if not hasattr(rows, "num_rows"):
            self.passing.add(name)
        return self.connection.register(name, rows)

    def unregister(self, name: str) -> Any:
        self.passing.discard(name)
        return self.connection.unregister(name)

    def look(self, query: str, parameters: _Parameters) -> None:
        # a profile would use up the rows that the query itself is to see
        if not any(name in query for name in self.passing):
            self.profiler.look(self.connection, query, parameters)

    def sql(self, query: str, *, params: _Parameters = None, **others: Any) -> Any:
        self.look(query, params)
        # an absent argument and None are not the same to every version of DuckDB
        given = {**others, "params": params} if params is not None else others
        return self.connection.sql(query, **given)

    def execute(self, query: str, parameters: _Parameters = None) -> Any:
        self.look(query, parameters)
        return self.connection.execute(query) if parameters is None else self.connection.execute(query, parameters)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.connection, name)


def render(profile: Profile) -> str:
    """Return a profile for people: the statement, its operators with times and rows, the hot ones, hints."""
    lines = [" ".join(profile.sql.split()), f"{'ms':>9} {'rows':>12}  operator"]
    for depth, operator in profile.plan.walk():
        parts = [operator.name, operator.table, operator.detail]
        if operator.columns:
            parts.append(f"[{', '.join(operator.columns)}]")
        if operator.row_groups is not None:
            parts.append(f"{operator.row_groups[0]:,} of {operator.row_groups[1]:,} row groups")
        elif operator.table:
            parts.append(f"{operator.rows_scanned:,} rows scanned")
        text = " ".join(part for part in parts if part)
        lines.append(f"{operator.milliseconds:>9,.1f} {operator.rows:>12,}  {'  ' * depth}{text}")
    hot = ", ".join(f"{operator.name} {operator.table}".strip() + f" {share} %" for operator, share in profile.hot)
    return "\n".join([*lines, f"hot: {hot or 'nothing'}", *(f"hint: {hint}" for hint in profile.hints)])
