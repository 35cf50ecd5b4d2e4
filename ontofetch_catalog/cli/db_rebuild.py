"""The verb `db rebuild`: make the catalog anew from the disk, and say what it was made of and what is lost."""

from __future__ import annotations

from ontofetch_hookspecs import HostInfo

from ..console.output import emit, parse, say
from ..errors import EXIT_FINDINGS, EXIT_OK
from ..rendering.progress import bar
from .common import make_parser, store_of, table_of
from .shared_cmd import tell_store

_TEXT = """Make the catalog anew from the disk alone: manifests, audits, LATEST.json; what has none is hashed.

For a catalog that is lost, damaged or behind its record. The former database is kept below .catalog/backups. Lost are
events, times of verification, and all but the newest of the latest pointers. Exit code 3 if a release is left out.
The copy of a shared catalog is made anew from there, and nothing is lost."""


def main(argv: list[str], host: HostInfo) -> int:
    """Rebuild the catalog and print a row per release."""
    from ..catalog.boundaries import notify_observers
    from ..catalog.joining import renew
    from ..catalog.rebuild.build import rebuild
    from ..catalog.rebuild.former import LOST
    from ..catalog.shared.address import read_address

    parser = make_parser(host, "db rebuild", _TEXT, "db rebuild")
    parser.add_argument("--replace", action="store_true", help="also if there is a catalog that can be used")
    args, options = parse(parser, argv)
    store = store_of(host)
    if read_address(store) is not None:
        renew(store)
        return tell_store(host, options)
    with bar("hash") as update:
        made = rebuild(
            store,
            replace=args.replace,
            progress=update,
            tell=lambda outcome: notify_observers(host.manager, store, outcome),
        )
    rows = made.releases
    table = table_of(
        ((row.version_id, row.source, row.rows, row.bytes, row.message or None) for row in rows),
        {"version_id": "string", "source": "string", "rows": "int64", "size_bytes": "int64", "message": "string"},
    )
    left = any(row.source == "left" for row in rows)
    emit({"releases": table}, options=options, parameters={"root": str(store.root)}, well=not left)
    kept = f" What there was of the former catalog is kept as {made.kept}." if made.kept else ""
    say(f"The catalog below {store.root} is made anew. Lost are its {LOST}.{kept}")
    say(f"`{host.name} db doctor` looks whether rows and files agree.")
    return EXIT_FINDINGS if left else EXIT_OK
