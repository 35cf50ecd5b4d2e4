"""The tables of terms as they lie on disk: which there are, which are sound, and recording those that no row names.

Their facts stand in their own metadata, so that a catalog which was lost can learn them again.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from ontofetch_hookspecs.file_checks import has_size
from ontofetch_hookspecs.layout import FACTS, find_layout

from ..content.facts import FORMATS
from ..errors import EventError, ExtractError
from . import fsops, given_facts, journal, sessions
from .boundaries.boundary import MaintenanceBoundary, Recorded
from .connection import Store
from .repo import facts, held_facts, recording_facts

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


def count_known(
    store: Store, connection: duckdb.DuckDBPyConnection, versions: Mapping[str, str], *, again: bool
) -> dict[str, int]:
    """Return what `repo.held_facts.count_known` does, where a table that is not there with its size is lost."""
    tables = held_facts.list_tables(connection)
    sizes = zip(tables["table_path"].to_pylist(), tables["table_bytes"].to_pylist(), strict=True)
    lost = [path for path, size in sizes if not has_size(store.path(path), size)]
    return held_facts.count_known(connection, versions, lost, again=again)


def content_of(path: str) -> str:
    """Return the content whose table a path may be; empty if it can be none."""
    match = _NAME.fullmatch(path)
    return match[2] if match else ""


def read_row(store: Store, path: str) -> dict[str, Any] | None:
    """Return a table's row, columns FACTS_COLUMNS, as its own metadata has it; None if it is no sound table."""
    from ..content.facts.sealed import read_sealed

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


class _Hash:
    """Take bytes for their sha256 alone."""

    def __init__(self) -> None:
        self._inner = hashlib.sha256()

    def write(self, data: bytes, /) -> int:
        """Take bytes."""
        self._inner.update(data)
        return len(data)

    def __str__(self) -> str:
        return self._inner.hexdigest()


def find_files(store: Store, connection: duckdb.DuckDBPyConnection, paths: Sequence[str]) -> dict[str, list[str]]:
    """Return the file_ids of the files of releases that have the content of each of these tables; none: left out.

    Where no file has a content as it is stored, compressed ones that have no facts are looked into, within the bounds
    that hold for a pull.
    """
    contents = {path: content_of(path) for path in paths}
    stored = held_facts.list_unrecorded(connection, sorted(set(contents.values()) - {""}))
    found = {content: [content] for content in stored}
    sought = set(contents.values()) - {""} - found.keys()
    if sought:
        for row in held_facts.list_without(connection, sorted(FORMATS)).to_pylist():
            inside = _content_inside(store, f"{row['fs_relpath']}/{find_layout(row['layout']).data}/{row['relpath']}")
            if inside in sought:
                found.setdefault(inside, []).append(row["file_id"])
    return {path: found[content] for path, content in contents.items() if content in found}


def _content_inside(store: Store, path: str) -> str:
    """Return the sha256 of what is inside a compressed file; empty if it is none, or can't be read."""
    from ..content.packed.bounds import Budget, Limits
    from ..content.packed.insides import copy_inside
    from ..content.packed.signatures import compression_of

    limits = Limits.from_settings(store.settings)
    sha256 = _Hash()
    try:
        with os.fdopen(store.path(path).open_file(), "rb") as stream:
            compression = compression_of(stream.read(10))
            if not compression:
                return ""
            stream.seek(0)
            copy_inside(stream, compression, Budget(path, os.fstat(stream.fileno()).st_size, limits), sha256)
    except (OSError, EventError, ExtractError):
        return ""
    return str(sha256)


class AdoptFacts(MaintenanceBoundary):
    """Record the facts of tables of terms that lie on disk and that no row names."""

    kind: ClassVar[str] = "facts"
    done: ClassVar[str] = "adopted"

    def record(self, connection: duckdb.DuckDBPyConnection, draft: journal.IntentDraft) -> Recorded:
        """Record what the tables say of themselves."""
        del draft
        known = set(held_facts.list_tables(connection)["table_path"].to_pylist())
        return Recorded(rows=adopt_tables(self.store, connection, sorted(set(list_on_disk(self.store)) - known)))


def adopt_tables(store: Store, connection: duckdb.DuckDBPyConnection, paths: Sequence[str]) -> int:
    """Record what these tables say of themselves; return of how many files."""
    files = find_files(store, connection, paths)
    rows = [row | {"file_id": file_id} for path in files if (row := read_row(store, path)) for file_id in files[path]]
    return recording_facts.insert_facts(connection, *given_facts.as_rows(rows, sessions.utc_now())) if rows else 0
