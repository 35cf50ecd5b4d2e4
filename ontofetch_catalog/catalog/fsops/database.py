"""The calls that change a database, each by itself; the error of DuckDB goes through."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from .driver import driver
from .reading import Anywhere

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

# what a database may not do, whatever it has in it: reach files, load code, look at our variables
CLOSED = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "enable_external_access": False,
    "python_enable_replacements": False,
}
_CHANGES = re.compile(
    r"\b(?:INSERT\s+(?:OR\s+\w+\s+)?INTO|DELETE\s+FROM|UPDATE|CREATE\s+(?:OR\s+REPLACE\s+)?TEMP\s+TABLE)"
    r"\s+(?:\w+\.)*(\w+)",
    re.IGNORECASE,
)
# connection → the tables that statements of its open transaction have changed, by their names; None: others, too
_changed: WeakKeyDictionary[Any, set[str] | None] = WeakKeyDictionary()


def open_database(
    path: Anywhere, config: Mapping[str, str | int | bool], *, read_only: bool
) -> duckdb.DuckDBPyConnection:
    """Open a DuckDB file."""
    connect = driver().connect
    if read_only:
        opened: duckdb.DuckDBPyConnection = connect(str(path), read_only=True, config=dict(config))
        return opened
    # a checkpoint needs files beside the database, which DuckDB 1.5 counts as access to the outside; they can only be
    # named once it is open, and before that nothing of what is in it is executed
    later: dict[str, str | bool | int | float | list[str]] = dict(config)
    later.pop("enable_external_access", None)
    connection: duckdb.DuckDBPyConnection = connect(str(path), config=later)
    # whoever writes decides when to checkpoint; at close it would happen unseen, also to what is not ours
    connection.execute("PRAGMA disable_checkpoint_on_shutdown")
    if config.get("enable_external_access", True):
        return connection
    beside = ", ".join("'" + f"{path}.wal{end}".replace("'", "''") + "'" for end in (".checkpoint", ".recovery"))
    connection.execute(f"SET allowed_paths = [{beside}]")
    connection.execute("SET enable_external_access = false")
    return connection


def close_database(connection: duckdb.DuckDBPyConnection) -> None:
    """Close a connection and with it the file."""
    connection.close()


class Passing:
    """An Arrow table that is read and let go: what a statement names DuckDB holds until the transaction ends.

    That matters where one transaction has very many of them.
    """

    def __init__(self, table: pa.Table) -> None:
        self._table: pa.Table | None = table

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """Return what Arrow's interface between libraries asks for."""
        if self._table is None:
            raise LookupError("a table that was let go is read again")
        return self._table.__arrow_c_stream__(requested_schema)

    def let_go(self) -> None:
        """Let go of the table, whoever still holds this."""
        self._table = None


def execute(
    connection: duckdb.DuckDBPyConnection,
    sql: str,
    parameters: Sequence[Any] | Mapping[str, Any] | None = None,
    tables: Mapping[str, pa.Table | Passing] | None = None,
) -> int:
    """Run statements that change rows or schema and return the number of rows changed by the last.

    Args:
        sql: The statements; values go in as parameters.
        parameters: Their parameters.
        tables: Arrow tables that the statements name, visible only to them; what passes by is let go after them.
    """
    for name, table in (tables or {}).items():
        connection.register(name, table)
    try:
        result = connection.execute(sql, parameters) if parameters is not None else connection.execute(sql)
        # DuckDB 2 refuses the next statement as long as a result is not read to its end
        changed = result.fetchall() if result.description else []
        count = changed[0][0] if changed and isinstance(changed[0][0], int) else None
        _note_changes(connection, sql, count)
        return count or 0
    finally:
        for name, table in (tables or {}).items():
            connection.unregister(name)
            if isinstance(table, Passing):
                table.let_go()


def _note_changes(connection: duckdb.DuckDBPyConnection, sql: str, count: int | None) -> None:
    changed, named = _changed.get(connection), _CHANGES.findall(sql)
    if changed is None or not named:
        # whatever this statement does
        _changed[connection] = None
    elif count != 0 or ";" in sql:
        changed.update(name.lower() for name in named)


def changed_tables(connection: duckdb.DuckDBPyConnection) -> frozenset[str] | None:
    """Return the tables that may have changed since `begin`, beside other names; None where any may have."""
    changed = _changed.get(connection)
    return None if changed is None else frozenset(changed)


def begin(connection: duckdb.DuckDBPyConnection) -> None:
    """Begin a transaction."""
    connection.execute("BEGIN TRANSACTION")
    _changed[connection] = set()


def commit(connection: duckdb.DuckDBPyConnection) -> None:
    """Commit; when it fails the outcome is unknown and the connection may not be used again."""
    connection.execute("COMMIT")


def rollback(connection: duckdb.DuckDBPyConnection) -> None:
    """Roll back."""
    connection.execute("ROLLBACK")


def checkpoint(connection: duckdb.DuckDBPyConnection) -> None:
    """Move what is in the write-ahead log into the database file."""
    # where DuckDB's own names come first, see repo.definitions, the catalog is the last of them
    (path,) = connection.execute("SELECT current_setting('search_path')").fetchall()[0]
    connection.execute(f"CHECKPOINT {path.rpartition(',')[2].partition('.')[0]}".rstrip())


def lock_settings(connection: duckdb.DuckDBPyConnection) -> None:
    """Let no later statement of a connection change its settings."""
    connection.execute("SET lock_configuration = true")
