"""How a shared catalog is made in a database that has none, by whichever machine is the first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ontofetch_hookspecs.names import quote

from ...errors import UsageError
from .address import Address
from .log_line import Line
from .log_schema import FORMAT, LOCK, SCHEMA

if TYPE_CHECKING:
    import psycopg


def create(address: Address, key: bytes) -> tuple[str, bytes]:
    """Make the tables of a shared catalog where they are missing; return identity and key of the one that is there.

    Args:
        address: Where; its identity is that of a new one.
        key: By which the plans of a new one prove to be its own.

    Raises:
        CatalogUnavailable, UsageError: As `Line` does.
        UsageError: Its objects are elsewhere.
    """
    import psycopg

    line = Line(address, 60.0, "init")

    with line.explained("opened"):
        opened = psycopg.connect(address.catalog, connect_timeout=10)
    with line.explained("made"), opened as connection:
        _forget_unused(connection, address.objects)
        if not _is_made(connection):
            _make_tables(connection)
            connection.execute(
                "INSERT INTO ontofetch.store (identity, format, objects, key) VALUES (%s, %s, %s, %s)"
                " ON CONFLICT DO NOTHING",
                [address.identity, FORMAT, address.objects, key],
            )
        found = connection.execute("SELECT identity, objects, key FROM ontofetch.store").fetchone()
    if found is None or found[1] != address.objects:
        raise UsageError(
            f"The shared catalog at {line.where} keeps its bytes at {quote(found[1] if found else '')}.",
            subject="--objects",
            hint="Name that one with --objects.",
        )
    return str(found[0]), bytes(found[2])


def _forget_unused(connection: psycopg.Connection[Any], objects: str) -> None:
    """Forget a catalog whose bytes are to be elsewhere and which nobody has joined: its address was mistyped."""
    found = connection.execute("SELECT to_regclass('ontofetch.boundaries') IS NOT NULL").fetchone()
    if not found or not found[0]:
        return
    # whoever has joined has appended to the log
    unused = "FROM ontofetch.store WHERE objects <> %s AND NOT EXISTS (SELECT 1 FROM ontofetch.boundaries)"
    may = f"SELECT has_table_privilege('ontofetch.store', 'DELETE') {unused}"
    if (found := connection.execute(may.encode(), [objects]).fetchone()) and found[0]:
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        connection.execute(f"DELETE {unused}".encode(), [objects])


def _make_tables(connection: psycopg.Connection[Any]) -> None:
    # two machines may be the first
    connection.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
    connection.execute(SCHEMA)


def _is_made(connection: psycopg.Connection[Any]) -> bool:
    """Say whether all tables are there, or as many as this user can have."""
    found = connection.execute("SELECT to_regclass('ontofetch.leases') IS NOT NULL").fetchone()
    if not found or not found[0] or connection.execute("TABLE ontofetch.store").fetchone() is None:
        return False
    return has_holds(connection) or not _is_owner(connection)


def _is_owner(connection: psycopg.Connection[Any]) -> bool:
    found = connection.execute(
        "SELECT pg_has_role(relowner, 'USAGE') FROM pg_class WHERE oid = 'ontofetch.contents'::regclass"
    ).fetchone()
    return bool(found and found[0])


def has_holds(connection: psycopg.Connection[Any]) -> bool:
    """Say whether a catalog has the table of holds, which came after the others."""
    found = connection.execute("SELECT to_regclass('ontofetch.holds') IS NOT NULL").fetchone()
    return bool(found and found[0])


def require_holds(line: Line) -> None:
    """Make what a catalog from before holds lacks, if this user owns it.

    Raises:
        UsageError: Another one does.
        CatalogUnavailable: The server does not answer.
    """
    with line.explained("made"), line.in_use().transaction():
        connection = line.in_use()
        if has_holds(connection):
            return
        if not _is_owner(connection):
            raise UsageError(
                f"The shared catalog at {line.where} was made before backups were held.",
                subject=line.address.catalog,
                hint="Its owner runs `ontofetch init --catalog … --objects …` once more.",
            )
        _make_tables(connection)
