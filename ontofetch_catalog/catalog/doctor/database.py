"""The checks of the database as a whole: is it there, readable, of our schema, as far as its record, unbroken."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from ...errors import CatalogBehind, CatalogUnreadable, SchemaError
from .. import migrations
from ..connection import Store
from ..generation import check_generation, read_generation
from ..repo import events, row_checks
from .findings import Findings

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa


def check_schema(connection: duckdb.DuckDBPyConnection, findings: Findings) -> bool:
    """Look whether the schema is that of this package; return whether the tables can be read as it says."""
    applied = migrations.applied_migrations(connection)
    known = len(migrations.available_migrations())
    if applied and max(applied) > known:
        message = f"The catalog's schema is at {max(applied)}, this installation knows {known}."
        findings.add("CAT006", "schema_version", message)
        return False
    try:
        pending = migrations.pending_migrations(connection)
    except SchemaError as error:
        findings.add("CAT007", "schema_version", error.message)
        return False
    if pending:
        message = f"{migrations.count_pending(pending)}, from {pending[0].name} on."
        findings.add("CAT005", "schema_version", message, fix="migrate")
        return False
    other = _first_difference(connection)
    if other:
        findings.add("CAT007", other, f"{other} is not as the migrations make it.")
    return not other


def _first_difference(connection: duckdb.DuckDBPyConnection) -> str:
    """Return the name of a table, view or macro that differs from those of a new catalog; empty if none does."""
    wanted = wanted_parts()
    found = _parts(row_checks.describe_schema(connection))
    return min((name for name in wanted | found if wanted.get(name) != found.get(name)), default="")


@lru_cache(maxsize=1)
def wanted_parts() -> dict[str, list[str]]:
    """Return what the migrations make: name of a table, view or macro → its parts; made once per process."""
    with migrations.opened_new(migrations.available_migrations()) as fresh:
        return _parts(row_checks.describe_schema(fresh))


def _parts(described: pa.Table) -> dict[str, list[str]]:
    parts: dict[str, list[str]] = {}
    for row in described.to_pylist():
        parts.setdefault(str(row["name"]), []).append(str(row["part"]))
    return parts


def check_record(store: Store, connection: duckdb.DuckDBPyConnection, findings: Findings) -> bool:
    """Look whether the catalog has come as far as its generation record says; return whether it has come further."""
    name = store.generation.relpath
    try:
        if read_generation(store) is None:
            message = f"There is no generation record {name}: a loss of committed rows would go unnoticed."
            findings.add("CAT009", name, message, fix="write")
            return False
        return check_generation(store, connection)
    except CatalogUnreadable as error:
        findings.add("CAT009", name, error.message, unsafe=["write"])
    except CatalogBehind as error:
        findings.add("CAT008", name, error.message, unsafe=["accept"])
    return False


def check_chain(connection: duckdb.DuckDBPyConnection, findings: Findings) -> None:
    """Look whether each event's digest follows from the one before it."""
    broken = row_checks.find_broken_event(connection)
    if broken is not None:
        count = events.count_events(connection)
        message = f"Event {broken:,} of {count:,} does not follow from the one before it: the events were changed."
        findings.add("CAT010", f"events: {broken}", message)
