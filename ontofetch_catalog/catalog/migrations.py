"""The numbered SQL files: which there are, which are applied, whether both agree, and applying what is pending.

It runs inside a transaction that somebody else opens and commits; it neither locks nor copies anything.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from ontofetch_hookspecs.light_dataclasses import dataclass

from ..errors import SchemaError, SchemaPending
from . import fsops

if TYPE_CHECKING:
    import duckdb

_FILE = re.compile(r"(\d{4})_[a-z0-9_]+\.sql")


@dataclass(frozen=True, slots=True)
class Migration:
    """One SQL file: its number, its name without ending, the sha256 of its bytes, its text."""

    version: int
    name: str
    checksum: str
    sql: str


@lru_cache(maxsize=1)
def available_migrations() -> tuple[Migration, ...]:
    """Return the migrations of this package in order.

    Raises:
        SchemaError: The package is incomplete: numbers are missing or double.
    """
    found = []
    for entry in _folder().iterdir():
        match = _FILE.fullmatch(entry.name)
        if match:
            data = entry.read_bytes()
            found.append(
                Migration(int(match[1]), entry.name[:-4], hashlib.sha256(data).hexdigest(), data.decode("utf-8"))
            )
    found.sort(key=lambda migration: migration.version)
    if not found or [migration.version for migration in found] != list(range(1, len(found) + 1)):
        raise SchemaError(
            "The migrations of this installation are incomplete.", hint="Install ontofetch-catalog again."
        )
    return tuple(found)


def _folder() -> Path:
    """Return where the SQL lies: inside an installed package, beside it in a checkout."""
    package = Path(__file__).parents[1]
    inside = package / "migrations"
    return inside if inside.is_dir() else package.parent / "migrations"


def applied_migrations(connection: duckdb.DuckDBPyConnection) -> dict[int, str]:
    """Return version → checksum of what is applied; empty for a database without a schema."""
    try:
        return dict(connection.execute("SELECT version, checksum FROM schema_version").fetchall())
    except fsops.driver().CatalogException:
        # asking the catalog's tables first would cost more than all else that a small boundary asks
        return {}


def pending_migrations(connection: duckdb.DuckDBPyConnection) -> tuple[Migration, ...]:
    """Return what is still to be applied, in order; never writes.

    Raises:
        SchemaError: An applied file was changed or is unknown, or the schema is newer than this package.
    """
    ours = {migration.version: migration for migration in available_migrations()}
    applied = applied_migrations(connection)
    newest = max(applied, default=0)
    if newest > max(ours):
        raise SchemaError(
            f"The catalog's schema is at {newest}, newer than the {max(ours)} that this installation knows.",
            subject=str(newest),
            hint="Upgrade with `pip install -U ontofetch-catalog`.",
        )
    for version, checksum in sorted(applied.items()):
        if version not in ours:
            raise SchemaError(
                f"The catalog has applied a migration {version:04d} that this installation does not know.",
                subject=str(version),
                hint="Use the installation that made it.",
            )
        if checksum != ours[version].checksum:
            raise SchemaError(
                f"Migration {ours[version].name} was applied with checksum {checksum[:12]}…, "
                f"but its file now has {ours[version].checksum[:12]}….",
                subject=ours[version].name,
                hint="Applied migrations are never edited: install the released package again.",
            )
    missing = [version for version in ours if version <= newest and version not in applied]
    if missing:
        raise SchemaError(
            f"The catalog has applied migration {newest:04d} but not {missing[0]:04d}.",
            subject=str(missing[0]),
            hint="Bring the catalog back with `ontofetch db restore BACKUP` or `ontofetch db rebuild`.",
        )
    return tuple(ours[version] for version in sorted(ours) if version not in applied)


def apply_migrations(
    connection: duckdb.DuckDBPyConnection, pending: Sequence[Migration], applied_at: datetime
) -> list[str]:
    """Apply `pending` inside the open transaction, record each with its checksum, and return their names."""
    for migration in pending:
        fsops.execute(connection, migration.sql)
        fsops.execute(
            connection,
            "INSERT INTO schema_version VALUES (?, ?, ?)",
            [migration.version, migration.checksum, applied_at.replace(tzinfo=None)],
        )
    return [migration.name for migration in pending]


@contextmanager
def opened_new(migrations: Sequence[Migration]) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a new catalog in memory, without rows, as some migrations make it."""
    fresh = fsops.open_database(Path(":memory:"), fsops.CLOSED, read_only=False)
    try:
        fsops.execute(fresh, ";\n".join(migration.sql for migration in migrations))
        yield fresh
    finally:
        fsops.close_database(fresh)


def count_pending(pending: Sequence[Migration]) -> str:
    """Return how many migrations are pending, in words."""
    return "1 migration is pending" if len(pending) == 1 else f"{len(pending)} migrations are pending"


def require_current_schema(connection: duckdb.DuckDBPyConnection) -> None:
    """Check that a reader of this version understands the schema.

    Raises:
        SchemaPending: The schema is older.
        SchemaError: It is newer or edited.
    """
    pending = pending_migrations(connection)
    if pending:
        raise SchemaPending(
            f"The catalog's schema is older than this installation: {count_pending(pending)}.",
            subject=pending[0].name,
            hint="Apply them with `ontofetch db migrate`.",
        )
