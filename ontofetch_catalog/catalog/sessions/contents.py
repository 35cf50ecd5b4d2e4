"""Whether what a database holds may be trusted: its rows keep the rules; asked once for each state.

Who opens it, and what for, is not known here.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from ..connection import Store
from ..repo import row_checks

if TYPE_CHECKING:
    import duckdb

_checked: dict[Path, tuple[tuple[int, int, int], ...]] = {}  # root → state of the files whose rows were checked last


def check_contents(store: Store, connection: duckdb.DuckDBPyConnection) -> None:
    """Refuse rows that break a rule; a database that is as this process left it was checked.

    Raises:
        CatalogUnreadable: There is such a row.
    """
    files = fingerprint(store)
    if _checked.get(store.root) != files:
        row_checks.refuse_invalid_releases(connection)
        _checked[store.root] = files


def note_sound(store: Store) -> None:
    """Note that the database is as a session of this process has left it, so that it need not be checked again."""
    # where that can't be seen, its rows are checked anew
    with suppress(OSError):
        _checked[store.root] = fingerprint(store)


def fingerprint(store: Store) -> tuple[tuple[int, int, int], ...]:
    """Return inode, size and time of the database's file and of its log, as far as they are there."""
    found = []
    for path in (store.database, store.database.with_name(f"{store.database.name}.wal")):
        with suppress(FileNotFoundError):
            state = path.lstat()
            found.append((state.st_ino, state.st_size, state.st_mtime_ns))
    return tuple(found)
