"""The tables of terms as they lie on disk: which there are, which are sound, and recording those that no row names.

Their facts stand in their own metadata, so that a catalog which was lost can learn them again.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from ontofetch_hookspecs.layout import FACTS

from ..errors import EventError
from . import fsops, given_facts, journal, sessions
from .boundaries.engine import MaintenanceBoundary, Recorded
from .connection import Store
from .repo import facts, held_facts

if TYPE_CHECKING:
    import duckdb

_NAME = re.compile(rf"{re.escape(FACTS)}/([0-9a-f]{{2}})/(\1[0-9a-f]{{62}})\.[0-9a-f]{{12}}\.parquet")


def list_on_disk(store: Store) -> dict[str, int]:
    """Return path → size in bytes of what lies in the folder of the tables; -1 for what is no regular file."""
    folder = store.path(FACTS)
    if not folder.is_dir():
        return {}
    return {
        f"{FACTS}/{relpath}": found.st_size if stat.S_ISREG(found.st_mode) else -1
        for relpath, found in fsops.walk(folder)
    }


def content_of(path: str) -> str:
    """Return the content whose table a path may be; empty if it can be none."""
    match = _NAME.fullmatch(path)
    return match[2] if match else ""


def is_sound(store: Store, path: str, sha256: str) -> bool:
    """Say whether a table of terms has the recorded content."""
    try:
        return fsops.hash_file(store.path(path))[0] == sha256
    except OSError:
        return False


def read_row(store: Store, path: str) -> dict[str, Any] | None:
    """Return a table's row, columns FACTS_COLUMNS, as its own metadata has it; None if it is no sound table."""
    from ..content.term_tables import read_sealed

    content_id = content_of(path)
    if not content_id:
        return None
    try:
        with os.fdopen(store.path(path).open_file(), "rb") as stream:
            text = read_sealed(stream).decode()
            version = str(given_facts.parse(text).get("facts_version"))
        given_facts.read_facts(content_id, text, version)
        sha256, size = fsops.hash_file(store.path(path))
    except (OSError, ValueError, EventError):
        return None
    if facts.table_path(content_id, version) != path:
        return None
    about = {"file_id": content_id, "content_id": content_id, "facts_version": version, "facts": text}
    return about | {"reason": None, "table": path, "table_sha256": sha256, "table_bytes": size}


def list_adoptable(connection: duckdb.DuckDBPyConnection, paths: Sequence[str]) -> list[str]:
    """Return those of these tables whose content a file of a release has as it is stored."""
    held = set(held_facts.list_unrecorded(connection, sorted({content_of(path) for path in paths} - {""})))
    return [path for path in paths if content_of(path) in held]


class AdoptFacts(MaintenanceBoundary):
    """Record the facts of tables of terms that lie on disk and that no row names.

    A table of a compressed file's content is left: which file that is, nothing on disk says.
    """

    kind: ClassVar[str] = "facts"
    done: ClassVar[str] = "adopted"

    def record(self, connection: duckdb.DuckDBPyConnection, draft: journal.IntentDraft) -> Recorded:
        """Record what the tables say of themselves."""
        del draft
        known = set(held_facts.list_tables(connection)["table_path"].to_pylist())
        paths = sorted(set(list_on_disk(self.store)) - known)
        return Recorded(rows=adopt_tables(self.store, connection, list_adoptable(connection, paths)))


def adopt_tables(store: Store, connection: duckdb.DuckDBPyConnection, paths: Sequence[str]) -> int:
    """Record what these tables say of themselves; return how many could be."""
    rows = [row for path in paths if (row := read_row(store, path)) is not None]
    return facts.insert_facts(connection, *given_facts.as_rows(rows, sessions.utc_now())) if rows else 0
