"""The SQL of other names: what was recorded under a release, a series or a service is recorded under another."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from .. import fsops
from ..connection import literal
from .pruning import OF_CONTENTS, RELEASE_TABLES
from .version_keys import fill_keys

if TYPE_CHECKING:
    import duckdb


def rename(connection: duckdb.DuckDBPyConnection, old: str, new: str) -> int:
    """Record everything of a release, a series or a service under another name; return how many rows changed.

    The pointers of a release that goes to another series join the history there, by their times.
    """
    moved = _below("version_id", old)
    # results that were taken over from one of them; those of other releases tell of the name it had
    fsops.execute(
        connection,
        f"UPDATE validations SET reused_from = {_renamed('reused_from', old, new)}"
        f" WHERE {moved} AND {_below('reused_from', old, also='#')}",
    )
    changed = 0
    # what is known of contents knows nothing of releases
    for table in (name for name in RELEASE_TABLES if name not in OF_CONTENTS):
        changed += fsops.execute(
            connection,
            f"UPDATE {table} SET version_id = {_renamed('version_id', old, new)} WHERE {moved}",
        )
    here = _below("version_id", new)
    fsops.execute(
        connection,
        f"""
        UPDATE versions SET service = split_part(version_id, '/', 1), ontology = split_part(version_id, '/', 2),
            version = split_part(version_id, '/', 3), fs_relpath = version_id, version_key = NULL
        WHERE {here}
        """,
    )
    fill_keys(connection)
    _rename_slots(connection, old, new)
    return changed


def _rename_slots(connection: duckdb.DuckDBPyConnection, old: str, new: str) -> None:
    if old.count("/") < 2:
        # also the rows without a release
        fsops.execute(
            connection,
            f"UPDATE latest_pointer SET slot = {_renamed('slot', old, new)} WHERE {_below('slot', old)}",
        )
        return
    slot = literal(new.rpartition("/")[0])
    mine = f"version_id = {literal(new)}"
    fsops.execute(connection, f"UPDATE latest_pointer SET slot = {slot} WHERE {mine}")
    fsops.execute(
        connection,
        f"UPDATE latest_pointer SET updated_at = updated_at + INTERVAL 1 MICROSECOND WHERE slot = {slot} AND {mine}"
        f" AND updated_at IN (SELECT updated_at FROM latest_pointer WHERE slot = {slot}"
        " GROUP BY updated_at HAVING count(*) > 1)",
    )


def list_pointed(connection: duckdb.DuckDBPyConnection, names: Iterable[str]) -> list[str]:
    """Return the series that have pointers and belong to one of these services or series, sorted."""
    chosen = " OR ".join(_below("slot", name) for name in names) or "false"
    rows = connection.execute(f"SELECT DISTINCT slot FROM latest_pointer WHERE {chosen} ORDER BY slot").fetchall()
    return [str(slot) for (slot,) in rows]


def _below(column: str, name: str, also: str = "/") -> str:
    parts = [f"{column} = {literal(name)}", *(f"starts_with({column}, {literal(name + end)})" for end in {"/", also})]
    return f"({' OR '.join(parts)})"


def _renamed(column: str, old: str, new: str) -> str:
    return f"{literal(new)} || substr({column}, {len(old) + 1})"
