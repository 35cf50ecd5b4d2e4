"""Where a store lies and how its database file is opened: configuration, storage version, errors made sentences.

It takes no lock and knows neither schema nor rows.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ontofetch_hookspecs import layout
from ontofetch_hookspecs.light_dataclasses import dataclass
from ontofetch_hookspecs.names import quote
from ontofetch_hookspecs.store_paths import StorePath, below_root

from ..errors import CatalogUnavailable, CatalogUnreadable
from . import fsops
from .failures import explain

if TYPE_CHECKING:
    import duckdb

Watch = Callable[["duckdb.DuckDBPyConnection"], "duckdb.DuckDBPyConnection"]
Progress = Callable[[int, int | None], None]
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
        operation: What runs, as sentences name it (`db pin`); empty where nobody said so.
        progress: Called with the number of bytes done, and of all, where the bytes of a shared catalog go to and fro.
        may_write: Whether who reads is about to write, too: then a schema that is older is brought up to date first.
        watch: Stands between the connections of its sessions and whoever is inside: sees what is asked, adds nothing.
    """

    root: Path
    settings: Mapping[str, object] = field(default_factory=dict)
    run_id: str = ""
    config_hash: str = ""
    operation: str = ""
    may_write: bool = False
    watch: Watch | None = field(default=None, compare=False, repr=False)
    progress: Progress | None = field(default=None, compare=False, repr=False)

    @property
    def purpose(self) -> str:
        """Return what ends a sentence about something that is done for the operation that runs."""
        return f" for {self.operation}" if self.operation else ""

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
    def shared_by(self) -> StorePath:
        """Return the path of the file that says where the shared catalog is that this one is a copy of."""
        return self.path(f"{layout.CATALOG}/store.toml")

    @property
    def open_intents(self) -> list[StorePath]:
        """Return the files of the open boundaries, sorted; empty where nothing is open."""
        return [self.intents / name for name in self.intents.names() if name.endswith(".json") and name[0] != "."]

    @property
    def wait(self) -> float:
        """Return how many seconds to wait for others."""
        return float(str(self.settings.get("wait", 60.0)))

    def bounded(self, memory: int | None = None) -> Store:
        """Return it with little memory for DuckDB, unless a setting says how much; what is more goes to its disk.

        Args:
            memory: Bytes; None for what caring for a store may take, with as few threads as that needs.
        """
        if self.settings.get("duckdb_memory") or not os.access(self.root / layout.CATALOG, os.W_OK):
            return self
        if memory is not None:
            return replace(self, settings={**self.settings, "duckdb_memory": f"{memory}B"})
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
        CatalogUnavailable: The system refuses.
    """
    target = path or store.database
    config: dict[str, str | int | bool] = dict(fsops.CLOSED)
    if not read_only:
        config["storage_compatibility_version"] = STORAGE_VERSION
    threads = int(str(store.settings.get("duckdb_threads", 0)))
    if threads:
        config["threads"] = threads
    memory = str(store.settings.get("duckdb_memory", ""))
    if memory:
        config["memory_limit"] = memory
    before = _stat_files(target)
    try:
        connection = fsops.open_database(target, config, read_only=read_only)
    except fsops.driver().Error as error:
        what = f"The catalog {target} can't be opened{store.purpose}"
        raise explain(error, what, database=target, kind=CatalogUnavailable) from error
    if not _is_ours(target, before):
        connection.close()
        raise _no_catalog(target, "something else took its place while it was opened")
    return connection


def _is_ours(path: StorePath, before: tuple[int, int] | None) -> bool:
    """Say whether what DuckDB has opened by its name is what was looked at before, or the new file that is there."""
    try:
        identity = before or _stat_files(path)
    except (CatalogUnreadable, OSError):
        # a folder of its path became a link
        return False
    return identity is not None and _is_opened(path, identity)


def _is_opened(path: StorePath, identity: tuple[int, int]) -> bool:
    """Say whether the file of this device and inode is what DuckDB has opened by its name."""
    try:
        descriptors = [int(name) for name in os.listdir("/proc/self/fd")]
    except OSError:
        # no Linux: the name is looked at once more
        return _stat_files(path) == identity
    for descriptor in descriptors:
        with suppress(OSError):
            state = os.fstat(descriptor)
            if (state.st_dev, state.st_ino) == identity:
                return True
    return False


def _stat_files(path: StorePath) -> tuple[int, int] | None:
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


def fetch_one(
    connection: duckdb.DuckDBPyConnection, sql: str, parameters: Sequence[Any] | None = None
) -> tuple[Any, ...] | None:
    """Run a query that never writes and return its first row, None if it has none.

    The result is read to its end: DuckDB 2 refuses the next statement otherwise.
    """
    rows: list[tuple[Any, ...]] = connection.execute(sql, parameters or []).fetchall()
    return rows[0] if rows else None


def fetch_number(connection: duckdb.DuckDBPyConnection, sql: str, parameters: Sequence[Any] | None = None) -> int:
    """Return the one number that a query asks for; 0 where it has no row or no value."""
    found = fetch_one(connection, sql, parameters)
    return int(found[0] or 0) if found else 0


def fetch_text(connection: duckdb.DuckDBPyConnection, sql: str, parameters: Sequence[Any] | None = None) -> str | None:
    """Return the one text that a query asks for, None if it has no row."""
    found = fetch_one(connection, sql, parameters)
    return str(found[0]) if found else None


@contextmanager
def registered(connection: duckdb.DuckDBPyConnection, **tables: object) -> Iterator[None]:
    """Let the queries inside name Arrow tables, or a stream of them that passes by once, by these names."""
    for name, table in tables.items():
        connection.register(name, table)
    try:
        yield
    finally:
        for name in tables:
            connection.unregister(name)


def literal(text: str) -> str:
    """Return `text` as an SQL string literal; constants let DuckDB skip row groups where parameters might not."""
    return "'" + text.replace("'", "''") + "'"
