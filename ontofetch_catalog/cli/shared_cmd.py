"""`init`, `db move` and `db sweep`: make a store, share one with other machines, free what none of them needs."""

from __future__ import annotations

from dataclasses import asdict, replace

from ontofetch_hookspecs import HostInfo
from ontofetch_hookspecs.names import quote

from ..console.output import OutputOptions, emit, parse, say
from ..errors import EXIT_OK, CatalogBehind, CatalogUnavailable
from ..rendering.progress import bar
from .common import command, make_parser, reading, store_of, store_to_write
from .db_hold import table_of_holds
from .numbers import duration

_CATALOG = "postgresql://user@server/database, without a password: ~/.pgpass or PGPASSWORD has it"
_OBJECTS = "s3://bucket/prefix, or file:///absolute/folder that all machines see"


@command("init")
def init(argv: list[str], host: HostInfo) -> int:
    """Make a store, of its own or a copy of a shared catalog, and return the exit code."""
    from ..catalog import sessions
    from ..catalog.joining import join

    parser = make_parser(
        host,
        "init",
        "Make a store; with --catalog and --objects one that shares its catalog with other machines.",
        "init --catalog postgresql://curator@db.example.org/ontologies --objects s3://ontologies/files",
    )
    parser.add_argument("--catalog", metavar="URL", help=_CATALOG)
    parser.add_argument("--objects", metavar="URL", help=_OBJECTS)
    args, options = parse(parser, argv)
    if (args.catalog is None) != (args.objects is None):
        parser.error("--catalog and --objects belong together: rows and bytes of a shared catalog")
    store = store_of(host)
    if args.catalog is not None:
        with bar("copy") as update:
            join(replace(store, progress=update), args.catalog, args.objects)
    else:
        with sessions.writing(store):
            pass
    return tell_store(host, options)


def move(argv: list[str], host: HostInfo) -> int:
    """Carry a store's catalog to a shared one, or back, and return the exit code."""
    from ..catalog.joining import join, leave

    parser = make_parser(
        host,
        "db move",
        "Carry the catalog of this store to a shared one, whole, or make a copy a store of its own again.",
        "db move --to postgresql://curator@db.example.org/ontologies --objects s3://ontologies/files",
    )
    parser.add_argument("--to", metavar="URL|local", required=True, help=_CATALOG + "; or `local`")
    parser.add_argument("--objects", metavar="URL", help=_OBJECTS)
    parser.add_argument(
        "--as-is", action="store_true", help="with --to local: what this copy has, though nobody answers any more"
    )
    args, options = parse(parser, argv)
    if args.as_is and args.to != "local":
        parser.error("--as-is goes with `--to local` alone")
    try:
        store = store_of(host) if args.as_is else store_to_write(host)
    except (CatalogBehind, CatalogUnavailable):
        if args.to != "local":
            raise
        # it may go its own way all the same
        store = store_of(host)
    if args.to != "local" and "://" not in args.to:
        parser.error(f"--to is {quote(args.to)}, neither `local` nor an address like postgresql://server/database")
    if (args.to == "local") != (args.objects is None):
        parser.error("--objects goes with the address of a database, and `--to local` goes without")
    with bar("move") as update:
        moving = replace(store, progress=update)
        moved = leave(moving, as_is=args.as_is) if args.to == "local" else join(moving, args.to, args.objects)
    if not moved:
        say(f"{store.root} is a store of its own already.")
    return tell_store(host, options)


def tell_store(host: HostInfo, options: OutputOptions) -> int:
    """Print where a store and its catalog are and what it has; return the exit code."""
    import pyarrow as pa

    from ..catalog.repo import queries
    from ..catalog.shared.address import read_address

    with reading(host) as connection:
        counts = queries.count_all(connection).to_pylist()[0]
    address = read_address(store_of(host))
    told = {
        "root": str(host.root),
        "catalog": address.catalog if address else None,
        "objects": address.objects if address else None,
        **counts,
    }
    emit({"store": pa.Table.from_pylist([told])}, options=options, well=True)
    return EXIT_OK


def sweep(argv: list[str], host: HostInfo) -> int:
    """Free the bytes of a shared catalog that no path has any more, and return the exit code."""
    import pyarrow as pa

    from ..catalog.joining import Swept
    from ..catalog.joining import sweep as free

    parser = make_parser(
        host,
        "db sweep",
        "Condemn the contents of a shared catalog that no path has and no backup needs, and free those condemned for"
        " long enough. `db hold` lists what is kept for backups.",
        "db sweep --grace 7d --dry-run",
    )
    parser.add_argument(
        "--grace",
        metavar="AGE",
        type=duration,
        default=duration("7d"),
        help="how long a condemned content is kept (default: 7d)",
    )
    parser.add_argument("--dry-run", action="store_true", help="only show what would be condemned and freed")
    args, options = parse(parser, argv)
    store = store_to_write(host)
    with bar("sweep", unit="objects") as update:
        done = free(store, args.grace, dry_run=args.dry_run, progress=update)
    if done is None:
        say(f"{host.root} is a store of its own: `{host.name} db prune --purge` frees what it does not need.")
    told = asdict(done or Swept(condemned=0, freed_objects=0, orphaned_objects=0))
    del told["holds"]
    sections = {"swept": pa.Table.from_pylist([told])}
    if done is not None and done.holds:
        sections["holds"] = table_of_holds((hold, (contents, size)) for hold, contents, size in done.holds)
    emit(sections, options=options, parameters={"dry_run": args.dry_run}, titles={"holds": "Held"}, well=True)
    return EXIT_OK
