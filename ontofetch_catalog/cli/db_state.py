"""The verbs of `db` about the catalog itself: status, migrate, recover."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ontofetch_hookspecs import HostInfo
from ontofetch_hookspecs.layout import QUARANTINE, STAGING

from ..console.output import emit, parse, say, warn
from ..errors import EXIT_OK
from ..rendering.progress import bar
from .common import make_parser, reading, store_of, table_of
from .db_hold import table_of_holds

if TYPE_CHECKING:
    import pyarrow as pa

    from ..catalog.connection import Store
    from ..catalog.joining import State


def status(argv: list[str], host: HostInfo) -> int:
    """Show what the catalog holds and in which state it is."""
    import duckdb
    import pyarrow as pa

    from ..catalog import migrations
    from ..catalog.generation import read_generation
    from ..catalog.repo import queries
    from ..catalog.shared.address import read_address

    parser = make_parser(host, "db status", "Show what the catalog holds and in which state it is.", "db status --json")
    _, options = parse(parser, argv)
    store = store_of(host)
    with reading(host) as connection:
        counts = queries.count_all(connection).to_pylist()[0]
        schema = max(migrations.applied_migrations(connection))
    record = read_generation(store)
    values = {
        "root": str(store.root),
        **counts,
        "database_bytes": _database_bytes(store),
        "schema_version": schema,
        "generation": record.counter if record else 0,
        "open_boundaries": len(store.open_intents),
        "stages": _entries(store, STAGING),
        "quarantined": _entries(store, QUARANTINE),
        "durability": str(store.settings.get("durability", "full")),
        "duckdb": duckdb.__version__,
    }
    address = read_address(store)
    sections: dict[str, pa.Table] = {}
    lost = ""
    if address is not None:
        from ..catalog.joining import read_state
        from ..catalog.shared.signposts import what_is_lost

        found = read_state(store, address)
        values |= {"catalog": address.catalog, "objects": address.objects, **_shared_state(found)}
        sections["leases"] = _leases(found)
        sections["holds"] = table_of_holds((hold, ()) for hold in (found.holds if found else ()))
        lost = what_is_lost(store) if found else ""
    emit({"status": pa.Table.from_pylist([values]), **sections}, options=options)
    if lost:
        warn(lost)
    if values["durability"] == "off":
        warn("Durability is off (ONTOFETCH_DURABILITY): what is recorded may be lost when the machine stops.")
    return EXIT_OK


def _leases(found: State | None) -> pa.Table:
    """Return what machines that divide work are at right now."""
    leases = found.leases if found else ()
    return table_of(
        ((one.work.partition(" ")[0], one.item, one.who, one.since.replace(tzinfo=None)) for one in leases),
        {"work": "string", "item": "string", "who": "string", "since": "timestamp[us]"},
    )


def _shared_state(found: State | None) -> dict[str, object]:
    """Return how far this copy of a shared catalog is behind it, and who writes there; nulls if it does not answer."""
    return {
        "shared_events": found.events if found else None,
        "events_behind": found.behind if found else None,
        "held_by": found.held_by if found else None,
    }


def _entries(store: Store, folder: str) -> int:
    return len(store.path(folder).names())


def _database_bytes(store: Store) -> int:
    catalog = store.database.parent
    return sum((catalog / name).lstat().st_size for name in catalog.names() if name.startswith(store.database.name))


def migrate(argv: list[str], host: HostInfo) -> int:
    """Bring the schema up to date, or show with --dry-run what is pending."""
    from ..catalog import migrations, sessions
    from ..catalog.boundaries import notify_recovered

    parser = make_parser(host, "db migrate", "Bring the schema up to date.", "db migrate --dry-run")
    parser.add_argument("--dry-run", action="store_true", help="show what is pending and do nothing")
    args, options = parse(parser, argv)
    store = store_of(host)
    if args.dry_run:
        pending = sessions.pending(store)
    else:
        with sessions.writing(store) as session:
            done = session.migrated
        notify_recovered(host.manager, store, session.recovered)
        pending = tuple(item for item in migrations.available_migrations() if item.name in done)
    state = "pending" if args.dry_run else "applied"
    table = table_of(
        ((item.version, item.name, item.checksum, state) for item in pending),
        {"version": "int32", "name": "string", "checksum": "string", "state": "string"},
    )
    emit({"migrations": table}, options=options, parameters={"dry_run": args.dry_run}, well=not args.dry_run)
    if not pending:
        say("The schema is up to date.")
    return EXIT_OK


def recover(argv: list[str], host: HostInfo) -> int:
    """End what a dead process left open: finish what had committed, undo the rest."""
    from ..catalog import sessions
    from ..catalog.boundaries import notify_recovered
    from ..catalog.generation import require_database
    from ..catalog.joining import bring_back
    from ..catalog.shared.address import read_address

    parser = make_parser(
        host, "db recover", "End what a dead process left open: finish what had committed, undo the rest.", "db recover"
    )
    _, options = parse(parser, argv)
    ended, swapped, back = [], "", 0
    store = store_of(host)
    if require_database(store) or read_address(store) is not None:
        with bar("recover") as update:
            store = replace(store, progress=update)
            with sessions.writing(store) as session:
                ended, swapped = session.recovered, session.swapped
            back = bring_back(store) if read_address(store) is not None else 0
        notify_recovered(host.manager, store, ended)
    rows = [
        (item.boundary_id, "finished", item.event.type, item.event.version_id)
        if item.event
        else (item.boundary_id, "undone", None, None)
        for item in ended
    ]
    table = table_of(rows, dict.fromkeys(("boundary_id", "outcome", "type", "version_id"), "string"))
    emit({"recovered": table}, options=options, well=True)
    if swapped:
        say(f"The {swapped} that was interrupted is finished.")
    if back:
        say(f"{back:,} {'file that was' if back == 1 else 'files that were'} lost here came back from the objects.")
    if not ended and not swapped:
        say("Nothing was open.")
    return EXIT_OK
