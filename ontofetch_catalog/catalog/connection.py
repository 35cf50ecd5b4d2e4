"""Own where a store lies and how its database file is opened: configuration, storage version, errors made sentences.

It takes no lock and knows neither schema nor rows.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ontofetch_hookspecs import layout
from ontofetch_hookspecs.names import quote
from ontofetch_hookspecs.store_paths import StorePath, below_root

from ..errors import CatalogLocked, CatalogUnreadable
from . import effects

if TYPE_CHECKING:
    import duckdb

_OF_THE_SYSTEM = (errno.EACCES, errno.EPERM, errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS, errno.EMFILE)
Watch = Callable[["duckdb.DuckDBPyConnection"], "duckdb.DuckDBPyConnection"]
STORAGE_VERSION = "v1.5.0"  # of the oldest supported DuckDB, so that 1.5 and 2.x share a store
CARE_MEMORY, CARE_THREADS = "130MB", 2  # of DuckDB, where it compares a million rows with the disk


@dataclass(frozen=True, slots=True)
class Store:
    """One store: its root and the settings that matter to the catalog.

    Args:
        root: Absolute path.
        settings: Name → value, as in `HostInfo.settings`; what is missing has its default.
        run_id: Names the run in events.
        config_hash: Hash of the settings in events.
        watch: Stands between the connections of its sessions and whoever is inside: sees what is asked, adds nothing.
    """

    root: Path
    settings: Mapping[str, object] = field(default_factory=dict)
    run_id: str = ""
    config_hash: str = ""
    watch: Watch | None = field(default=None, compare=False, repr=False)

    @property
    def database(self) -> StorePath:
        """Return the path of the database file."""
        return self.path(layout.DATABASE)

    @property
    def generation(self) -> StorePath:
        """Return the path of the generation record."""
        return self.path(layout.GENERATION)

    @property
    def intents(self) -> StorePath:
        """Return the folder of the open boundaries."""
        return self.path(layout.INTENTS)

    @property
    def wait(self) -> float:
        """Return how many seconds to wait for others."""
        return float(str(self.settings.get("wait", 60.0)))

    def bounded(self) -> Store:
        """Return it with little memory for DuckDB, unless a setting says how much; what is more goes to its disk."""
        if self.settings.get("duckdb_memory") or not os.access(self.root / layout.CATALOG, os.W_OK):
            return self
        threads = self.settings.get("duckdb_threads") or CARE_THREADS
        return replace(self, settings={**self.settings, "duckdb_memory": CARE_MEMORY, "duckdb_threads": threads})

    def path(self, relpath: str) -> StorePath:
        """Return a root-relative path as one that can be opened.

        Raises:
            EventError: It would lead out of the store.
        """
        return StorePath(self.root, relpath, durable=self.settings.get("durability", "full") != "off")

    def inside(self, path: Path) -> StorePath | None:
        """Return an absolute path as one of the store; None if it does not lie below the root."""
        return self.path(below_root(self.root, path).relpath) if path.is_relative_to(self.root) else None

    def watched(self, connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
        """Return a connection as whoever is inside a session gets it."""
        return connection if self.watch is None else self.watch(connection)


def open_connection(store: Store, *, read_only: bool, path: StorePath | None = None) -> duckdb.DuckDBPyConnection:
    """Open the database of `store`, or the one at `path`; the caller holds the gate.

    Raises:
        CatalogLocked: A process that does not respect the gate has it open.
        CatalogUnreadable: The file is damaged or no database.
    """
    import duckdb

    target = path or store.database
    config: dict[str, str | int | bool] = dict(effects.CLOSED)
    if not read_only:
        config["storage_compatibility_version"] = STORAGE_VERSION
    threads = int(str(store.settings.get("duckdb_threads", 0)))
    if threads:
        config["threads"] = threads
    memory = str(store.settings.get("duckdb_memory", ""))
    if memory:
        config["memory_limit"] = memory
    before = _look_at_files(target)
    try:
        connection = effects.open_database(target, config, read_only=read_only)
    except duckdb.IOException as error:
        # a damaged block has a "lock" in it too, and so may a path
        if "could not set lock on file" in str(error).casefold():
            raise CatalogLocked(
                f"DuckDB can't lock {target}: another program has it open.",
                subject=str(target),
                hint="Close that program (a DuckDB shell, a notebook) and run the same command again.",
            ) from error
        raise unreadable(target, error) from error
    except duckdb.Error as error:
        raise unreadable(target, error) from error
    if not read_only:
        # the boundary decides when to checkpoint; at close it would happen unseen
        connection.execute("PRAGMA disable_checkpoint_on_shutdown")
    if before is not None and not _is_opened(target, before):
        connection.close()
        raise _no_catalog(target, "something else took its place while it was opened")
    return connection


def _is_opened(path: StorePath, identity: tuple[int, int]) -> bool:
    """Say whether the file of this device and inode is what DuckDB has opened by its name."""
    try:
        descriptors = [int(name) for name in os.listdir("/proc/self/fd")]
    except OSError:
        # no Linux: the name is looked at once more
        return _look_at_files(path) == identity
    for descriptor in descriptors:
        with suppress(OSError):
            state = os.fstat(descriptor)
            if (state.st_dev, state.st_ino) == identity:
                return True
    return False


def _look_at_files(path: StorePath) -> tuple[int, int] | None:
    """Return device and inode of a database's file, None if it is not there, and check what DuckDB opens by its name.

    DuckDB takes a path and follows links: its file, its log and its folder for what memory can't hold must be what
    they seem.

    Raises:
        CatalogUnreadable: One is a link, or no regular file or folder.
    """
    found = None
    for name, fits in (
        (path.name, stat.S_ISREG),
        (f"{path.name}.wal", stat.S_ISREG),
        (f"{path.name}.tmp", stat.S_ISDIR),
    ):
        try:
            state = path.with_name(name).lstat()
        except FileNotFoundError:
            continue
        except OSError as error:
            raise _no_catalog(path, error.strerror or str(error)) from error
        if not fits(state.st_mode):
            raise _no_catalog(path, f"{quote(name)} is a link or no regular file")
        if name == path.name:
            found = state.st_dev, state.st_ino
    return found


def _no_catalog(path: StorePath, reason: str) -> CatalogUnreadable:
    return CatalogUnreadable(
        f"The catalog {path} is not opened: {reason}.",
        subject=str(path),
        hint="Somebody may have put it there: look where it comes from, and move it away.",
    )


@contextmanager
def damage_told(store: Store) -> Iterator[None]:
    """Turn what DuckDB says of a damaged file, at whatever statement it meets the damage, into a sentence.

    Raises:
        CatalogUnreadable: A block or the log is not what was written.
    """
    import duckdb

    try:
        yield
    except duckdb.Error as error:
        if _is_damage(error):
            raise unreadable(store.database, error) from error
        raise


def _is_damage(error: duckdb.Error) -> bool:
    import duckdb

    # a checksum that fails has no class of its own; a full disk is an IOException too, and no damage
    kinds = (duckdb.IOException, duckdb.InternalException, duckdb.FatalException, duckdb.SerializationException)
    told = str(error).casefold()
    return (type(error) is duckdb.Error or isinstance(error, kinds)) and (
        "corrupt" in told or "could not read enough bytes" in told
    )


def unreadable(path: StorePath, error: Exception) -> CatalogUnreadable:
    """Return what DuckDB says of a database, as a sentence with what to do next."""
    reason = str(error).splitlines()[0].rstrip(".")
    hint = "Bring it back with `ontofetch db restore BACKUP`, or make it anew with `ontofetch db rebuild`."
    if any(os.strerror(code) in reason for code in _OF_THE_SYSTEM):
        # the disk or the rights are at fault, not the file
        hint = "Mend that and run the same command again."
    return CatalogUnreadable(f"The catalog {path} can't be read: {reason}.", subject=str(path), hint=hint)


def fetch_one(
    connection: duckdb.DuckDBPyConnection, sql: str, parameters: Sequence[Any] | None = None
) -> tuple[Any, ...] | None:
    """Run a query that never writes and return its first row, None if it has none.

    The result is read to its end: DuckDB 2 refuses the next statement otherwise.
    """
    rows: list[tuple[Any, ...]] = connection.execute(sql, parameters or []).fetchall()
    return rows[0] if rows else None


def literal(text: str) -> str:
    """Return `text` as an SQL string literal; constants let DuckDB skip row groups where parameters might not."""
    return "'" + text.replace("'", "''") + "'"
