"""A quick way to open a database: attached to one DuckDB instance of this process, not in an instance of its own.

DuckDB takes 15 ms to make an instance, more than all else that happens to a small store, and 1 ms to attach a file; the
file, its log and its lock are the same. With one thread an instance has no threads of its own, so that forked children
may inherit it. It imports nothing of the package; who opens what is not known here.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from functools import lru_cache
from itertools import count
from pathlib import Path
from types import ModuleType
from typing import Any, cast
from unittest.mock import patch

import duckdb

_names = count()
_open: dict[str, _Attached] = {}


class _Beside:
    """Another connection to an attached file, and whatever connections are made of it."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, name: str) -> None:
        self._connection = connection
        self._name = name
        connection.execute(f"USE {name}")

    def __getattr__(self, name: str) -> Any:
        """Return what every connection has."""
        return getattr(self._connection, name)

    def cursor(self) -> _Beside:
        """Return another connection to the same file."""
        return _Beside(self._connection.cursor(), self._name)


class _Attached:
    """A connection to one attached file, which is let go when the connection is closed."""

    def __init__(
        self, instance: duckdb.DuckDBPyConnection, path: Path, options: str, template: Path | None = None
    ) -> None:
        self._instance = instance
        self._template = template
        self._connection = instance.cursor()
        self._name = f"store_{next(_names)}"
        quoted = str(path).replace("'", "''")
        self._connection.execute(f"ATTACH '{quoted}' AS {self._name} ({options})")
        _open[self._name] = self
        self._connection.execute(f"USE {self._name}")
        if template is not None:
            self._connection.execute(f"ATTACH '{template}' AS {self._name}_template (READ_ONLY)")

    @property
    def has_template(self) -> bool:
        """Say whether there is a schema that it may copy."""
        return self._template is not None

    def copy_schema(self) -> bool:
        """Copy the tables, views and macros of the template, if there is one for this file; say whether there was."""
        if self._template is not None:
            self._connection.execute(f"COPY FROM DATABASE {self._name}_template TO {self._name} (SCHEMA)")
        return self._template is not None

    def __getattr__(self, name: str) -> Any:
        """Return what every connection has."""
        return getattr(self._connection, name)

    def cursor(self) -> _Beside:
        """Return another connection to the same file."""
        return _Beside(self._connection.cursor(), self._name)

    def close(self) -> None:
        """Give back what is open and let the file go; a second time does nothing, as with every connection."""
        if not self._name:
            return
        with ExitStack() as ending:
            ending.callback(self._connection.close)
            with suppress(duckdb.TransactionException):
                self._connection.rollback()
            self._connection.execute(f"USE memory; DETACH {self._name}")
            self._let_template_go()
            del _open[self._name]
            self._name = ""

    def abandon(self) -> None:
        """Let the file go, whatever the connection is about; what was open in it is rolled back."""
        self._connection.close()
        self._instance.execute(f"DETACH {self._name}")
        self._let_template_go()
        del _open[self._name]
        self._name = ""

    def _let_template_go(self) -> None:
        if self._template is not None:
            self._instance.execute(f"DETACH {self._name}_template")


@lru_cache(maxsize=1)
def instance() -> duckdb.DuckDBPyConnection:
    """Return the instance of this process, which children inherit if it is there before they are forked."""
    made = _made()
    # to make a plan better takes longer than to look at a few rows; `PRAGMA disable_optimizer` is for one connection
    # alone, and cursors do not inherit it
    rules = made.execute("SELECT string_agg(name) FROM duckdb_optimizers()").fetchone()
    assert rules is not None
    made.execute("SET GLOBAL disabled_optimizers = ?", [rules[0]])
    return made


@lru_cache(maxsize=1)
def _optimizing() -> duckdb.DuckDBPyConnection:
    """Return the instance of this process that plans its statements as any other does."""
    return _made()


def _made() -> duckdb.DuckDBPyConnection:
    made = duckdb.connect(config={"threads": 1})
    # as the package wants it of a connection that writes; one that reads has nothing to write
    made.execute("PRAGMA disable_checkpoint_on_shutdown")
    return made


def copy_schema(connection: object) -> bool:
    """Copy the schema of its template into a new file that is attached; say whether it is one, and had one."""
    return isinstance(connection, _Attached) and connection.copy_schema()


def attached_names() -> list[str]:
    """Return the names of the databases that are attached now."""
    return list(_open)


def let_go() -> None:
    """Let go of every database that is attached still, as the end of a process does."""
    for attached in list(_open.values()):
        attached.abandon()


def attach(path: Path, config: Mapping[str, Any], *, read_only: bool) -> duckdb.DuckDBPyConnection:
    """Open a database as `effects.open_database` does, but for the instance."""
    return _attach(instance, path, config, read_only=read_only)


def reading(path: Path) -> duckdb.DuckDBPyConnection:
    """Open a database to read, attached to an instance that plans its statements as any other does."""
    return _attach(_optimizing, path, {}, read_only=True)


@contextmanager
def attaching(opens: ModuleType, *, optimizing: bool = True, template: Path | None = None) -> Iterator[None]:
    """Let a module that opens databases for all of this process do it by the quick way meanwhile.

    Settings are not locked then: they would be those of the instance. Processes that are started do as ever.

    Args:
        opens: The module.
        optimizing: Whether the best plan is looked for, as ever.
        template: A database whose schema a new one may copy, with `copy_schema`.
    """
    made = _optimizing if optimizing else instance

    def open_database(path: Path, config: Mapping[str, Any], *, read_only: bool) -> duckdb.DuckDBPyConnection:
        return _attach(made, path, config, read_only=read_only, template=template)

    with patch.multiple(opens, open_database=open_database, lock_settings=lambda _: None):
        yield


def _attach(
    instance: Callable[[], duckdb.DuckDBPyConnection],
    path: Path,
    config: Mapping[str, Any],
    *,
    read_only: bool,
    template: Path | None = None,
) -> duckdb.DuckDBPyConnection:
    if str(path) == ":memory:":
        return duckdb.connect(config=dict(config))
    stored = config.get("storage_compatibility_version", "latest")
    options = "READ_ONLY" if read_only else f"STORAGE_VERSION '{stored}'"
    if not read_only and "default_block_size" in config:
        options += f", BLOCK_SIZE {config['default_block_size']}"
    # one instance attaches a file once: of two new databases at once the second has no template
    is_free = not any(one.has_template for one in list(_open.values()))
    of_new = template if is_free and not read_only and not os.path.lexists(str(path)) else None
    return cast("duckdb.DuckDBPyConnection", _Attached(instance(), path, options, of_new))
