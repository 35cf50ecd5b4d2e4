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

Rows = list[tuple[Any, ...]]
MOST_ROWS = 10_000  # beyond which all is forgotten
MOST_OF_ONE = 1_000  # rows of one question that are remembered
_Key = tuple[str, tuple[Any, ...]]
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
        self._rows: dict[_Key, Rows] = {}
        self._of: dict[str, set[_Key]] = {}  # table → the questions that read it
        self._count = 0

    def recall(self, key: _Key) -> Rows | None:
        """Return the rows of a question; None if they are not known."""
        return self._rows.get(key)

    def remember(self, key: _Key, tables: Iterable[str], rows: Rows) -> None:
        """Remember the rows of a question that reads these tables, until one of them is written; too many are not."""
        self._drop(key)
        if len(rows) > MOST_OF_ONE:
            return
        if self._count + len(rows) + 1 > MOST_ROWS:
            self.forget()
        self._count += len(rows) + 1
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
            self._count -= len(rows) + 1

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


def read_ahead(
    connection: duckdb.DuckDBPyConnection, sql: str, version_ids: Sequence[str], *, of: Collection[str]
) -> None:
    """Read what a question about one release is answered for each of some, and note it.

    Args:
        connection: One that remembers; another is asked when it comes to that.
        sql: A SELECT as for `ask`, whose one parameter stands in `version_id = ?`.
        version_ids: What its parameter will be.
        of: As for `ask`.
    """
    if not isinstance(connection, Remembering):
        return
    many = sql.replace("SELECT ", "SELECT version_id, ", 1).replace(
        "version_id = ?", "version_id IN (SELECT unnest(?))"
    )
    found: dict[str, Rows] = {version_id: [] for version_id in version_ids}
    for version_id, *row in _fetch(connection.connection, many, [list(version_ids)]):
        found[version_id].append(tuple(row))
    for version_id, rows in found.items():
        connection.memory.remember((sql, (version_id,)), of, rows)


def _fetch(connection: duckdb.DuckDBPyConnection, sql: str, parameters: Sequence[Any]) -> Rows:
    found = connection.execute(sql, list(parameters)) if parameters else connection.execute(sql)
    rows: Rows = found.fetchall()
    return rows
