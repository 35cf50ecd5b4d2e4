"""Answers of a catalog that hold until something is written to the tables they came from.

Of one release the same few rows are asked for by every boundary of a pull, and again by the host in between. As long as
this process writes alone, what it has read stays true but for what it writes itself: whoever asks through `ask` gets
the rows that are known. Which questions those are, `repo` knows; when the database is let go, the memory goes with it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

Rows = list[tuple[Any, ...]]
MOST_ROWS = 10_000  # beyond which all is forgotten
MOST_OF_ONE = 1_000  # rows of one question that are remembered
_TABLE_ROWS = 10  # of a table that weigh as much as one row
_Key = tuple[str, tuple[Any, ...]]
_AS_TABLE = ("as a table",)  # in the place of parameters
# behind WITH there may be what writes
_QUESTION = re.compile(r"\s*(SELECT|FROM|WITH(?!.*\b(?:INSERT|DELETE|UPDATE)\b))\b", re.IGNORECASE | re.DOTALL)
_SAME_ROWS = re.compile(r"\s*(BEGIN|COMMIT|CHECKPOINT|SET\s+search_path)\b", re.IGNORECASE)
_UPDATE = re.compile(r"UPDATE (\w+) SET (\w+ = \?(?:, \w+ = \?)*) WHERE ")
_ASSIGNED = re.compile(r"(\w+) = \?")
_WORD = re.compile(r"\w+")
_TABLES = frozenset(
    (
        "versions",
        "artifacts",
        "origins",
        "notes",
        "latest_pointer",
        "events",
        "validations",
        "extracted_files",
        "file_facts",
        "ontology_heads",
    )
)
_HARMLESS = frozenset(("connection", "cursor", "close", "interrupt", "register", "unregister"))


class Memory:
    """Questions, and the rows that answer them now; one for all connections of a process to a database."""

    def __init__(self) -> None:
        self._rows: dict[_Key, Any] = {}  # rows, or a table of them
        self._of: dict[str, set[_Key]] = {}  # table → the questions that read it
        self._count = 0

    def recall(self, key: _Key) -> Any:
        """Return the rows of a question; None if they are not known."""
        return self._rows.get(key)

    def remember(self, key: _Key, tables: Iterable[str], rows: Rows | pa.Table) -> None:
        """Remember the rows of a question that reads these tables, until one of them is written; too many are not."""
        self._drop(key)
        weight = _weight(rows)
        if weight > MOST_OF_ONE:
            return
        if self._count + weight + 1 > MOST_ROWS:
            self.forget()
        self._count += weight + 1
        self._rows[key] = rows
        for table in tables:
            if table.partition(".")[0] not in _TABLES:
                raise LookupError(f"nobody would hear what is written to {table}")
            self._of.setdefault(table, set()).add(key)

    def forget(self, tables: Collection[str] | None = None) -> None:
        """Forget what was read from some tables or columns, by default everything."""
        if tables is None:
            self._rows.clear()
            self._of.clear()
            self._count = 0
            return
        for name in self._of.keys() & tables:
            for key in self._of.pop(name):
                self._drop(key)

    def _drop(self, key: _Key) -> None:
        rows = self._rows.pop(key, None)
        if rows is not None:
            self._count -= _weight(rows) + 1

    def hear(self, statement: object) -> None:
        """Forget what a statement may change: the tables that it names; all, if it names none that is known."""
        if not isinstance(statement, str):
            self.forget()
        elif update := _UPDATE.match(statement):
            table, assigned = update.groups()
            self.forget({table, *(f"{table}.{column}" for column in _ASSIGNED.findall(assigned))})
        elif not (_QUESTION.match(statement) or _SAME_ROWS.match(statement)):
            named = _TABLES.intersection(_WORD.findall(statement))
            self.forget({read for read in self._of if read.partition(".")[0] in named} if named else None)


def _weight(rows: Rows | pa.Table) -> int:
    return len(rows) if isinstance(rows, list) else len(rows) // _TABLE_ROWS


class Remembering:
    """Stand before a connection; what is asked through `ask` is remembered, what writes is heard.

    Args:
        memory: That of its database.
    """

    __slots__ = ("__weakref__", "connection", "memory")

    def __init__(self, connection: duckdb.DuckDBPyConnection, memory: Memory) -> None:
        self.connection = connection
        self.memory = memory

    def execute(self, query: str, parameters: object = None) -> Any:
        """Run a statement."""
        self.memory.hear(query)
        return self.connection.execute(query) if parameters is None else self.connection.execute(query, parameters)

    def sql(self, query: str, **others: Any) -> Any:
        """Ask, or run, a statement."""
        self.memory.hear(query)
        return self.connection.sql(query, **others)

    def __getattr__(self, name: str) -> Any:
        if name not in _HARMLESS:
            # whatever else a connection can do may write
            self.memory.forget()
        return getattr(self.connection, name)


def remembering(connection: duckdb.DuckDBPyConnection, memory: Memory) -> duckdb.DuckDBPyConnection:
    """Return a connection that remembers what is asked through it."""
    return cast("duckdb.DuckDBPyConnection", Remembering(connection, memory))


def ask(
    connection: duckdb.DuckDBPyConnection, sql: str, parameters: Sequence[Any] = (), *, of: Collection[str]
) -> Rows:
    """Return the rows of a question, from memory where they are known.

    Args:
        sql: A query whose rows follow from those of the catalog's tables, and from nothing else.
        parameters: Its parameters.
        of: The tables that it reads; of one of which it reads few columns, these, as `table.column`.
    """
    if not isinstance(connection, Remembering):
        return _fetch(connection, sql, parameters)
    key = (sql, tuple(parameters))
    rows = connection.memory.recall(key)
    if rows is None:
        rows = _fetch(connection.connection, sql, parameters)
        connection.memory.remember(key, of, rows)
    return rows


def note(
    connection: duckdb.DuckDBPyConnection, sql: str, parameters: Sequence[Any], rows: Rows, *, of: Collection[str]
) -> None:
    """Note what a question is answered by now, by whoever has just written it; arguments as for `ask`."""
    if isinstance(connection, Remembering):
        connection.memory.remember((sql, tuple(parameters)), of, rows)


def recall_table(connection: duckdb.DuckDBPyConnection, sql: str) -> pa.Table | None:
    """Return the rows of a query as a table where they are known, None else."""
    return connection.memory.recall((sql, _AS_TABLE)) if isinstance(connection, Remembering) else None


def ask_table(connection: duckdb.DuckDBPyConnection, sql: str, *, of: Collection[str]) -> pa.Table:
    """Return the rows of a query as a table, from memory where they are known; arguments as for `ask`."""
    found = recall_table(connection, sql)
    if found is None:
        found = connection.sql(sql).to_arrow_table()
        note_table(connection, sql, found, of=of)
    return found


def note_table(connection: duckdb.DuckDBPyConnection, sql: str, table: pa.Table, *, of: Collection[str]) -> None:
    """Note what a query is answered by now, by whoever has just written it; arguments as for `ask`."""
    if isinstance(connection, Remembering):
        connection.memory.remember((sql, _AS_TABLE), of, table)


def read_ahead(
    connection: duckdb.DuckDBPyConnection, sql: str, keys: Sequence[str], many: str, *, of: Collection[str]
) -> None:
    """Read what a question of one parameter is answered for each of some, and note it.

    Args:
        connection: One that remembers; another is asked when it comes to that.
        sql: As for `ask`.
        keys: What its parameter will be.
        many: The query that answers it for a list of them: the parameter, and then the columns.
        of: As for `ask`.
    """
    if not isinstance(connection, Remembering):
        return
    found: dict[str, Rows] = {key: [] for key in keys}
    for key, *row in _fetch(connection.connection, many, [list(keys)]):
        found[key].append(tuple(row))
    for key, rows in found.items():
        connection.memory.remember((sql, (key,)), of, rows)


def _fetch(connection: duckdb.DuckDBPyConnection, sql: str, parameters: Sequence[Any]) -> Rows:
    found = connection.execute(sql, list(parameters)) if parameters else connection.execute(sql)
    rows: Rows = found.fetchall()
    return rows
