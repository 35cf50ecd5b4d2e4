"""A catalog that is kept open between two boundaries of a run: its connections, what is known of its rows, its log."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import field
from typing import TYPE_CHECKING

from ontofetch_hookspecs.light_dataclasses import dataclass

from .. import fsops
from ..connection import Store
from ..kept import Wanted
from ..remembering import Memory, remembering
from ..repo import definitions
from .contents import note_sound
from .session import LogEntry, close

if TYPE_CHECKING:
    import duckdb

    from ..shared.replica import Copy

CHECKPOINT_BYTES = 1 << 17  # a log beyond this is moved into the database file at the end of a boundary
_log = logging.getLogger("ontofetch.catalog")


@dataclass(slots=True)
class Opened:
    """What is kept open between two boundaries.

    Args:
        connection: A connection that nobody uses but for others beside it.
        settings: Those it was opened with.
        copy: What ties it to a shared catalog.
        line: Closes the log of that.
        database: The name that DuckDB has given to the catalog.
        memory: What is known of its rows.
        entry: That of its log.
        spare: A connection beside the first one, ready for the next who is inside; None until there was one.
    """

    connection: duckdb.DuckDBPyConnection
    settings: Mapping[str, object]
    copy: Copy | None
    line: ExitStack
    database: str = ""
    memory: Memory = field(default_factory=Memory)
    entry: LogEntry = field(default_factory=LogEntry)
    spare: duckdb.DuckDBPyConnection | None = None

    def close(self, store: Store) -> None:
        """Close all of it, with the log of the database moved into its file if it has become long."""
        with self.line:
            if self.spare is not None:
                self.spare.close()
            checkpoint_if_due(store, self.connection)
            close(self.connection, store)
            note_sound(store)

    def beside(self) -> duckdb.DuckDBPyConnection:
        """Return a connection for whoever is inside now; the others of it are not used meanwhile."""
        if self.spare is None:
            self.spare = remembering(self.connection.cursor(), self.memory)
            definitions.use_own_functions(self.spare, self.database)
        return self.spare

    def rest(self) -> None:
        """Let other machines write."""
        if self.copy is not None:
            self.copy.log.let_go()


def fits(store: Store) -> Wanted:
    """Return what tells whether something that was kept open is a catalog with the same settings."""
    return lambda what: isinstance(what, Opened) and what.settings == store.settings


def checkpoint_if_due(store: Store, connection: duckdb.DuckDBPyConnection) -> None:
    """Move what is in the log into the database file, if it is much; what is committed stays so if that fails."""
    import duckdb

    log = store.database.with_name(store.database.name + ".wal")
    try:
        if log.exists() and log.lstat().st_size >= CHECKPOINT_BYTES:
            fsops.checkpoint(connection)
    except (OSError, duckdb.Error) as error:
        # the next boundary tries again
        _log.warning("the log of %s could not be checkpointed: %s", store.database, error)
