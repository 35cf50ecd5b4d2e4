"""`db hold`: what a shared catalog keeps for backups, whatever a sweep finds that no path has any more."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from ontofetch_hookspecs import HostInfo
from ontofetch_hookspecs.names import quote, shell_word

from ..console.output import emit, parse, say
from ..errors import EXIT_OK
from .common import make_parser, store_of, table_of
from .numbers import duration

if TYPE_CHECKING:
    import pyarrow as pa

    from ..catalog.shared.log_holds import Hold

_TEXT = """Hold all contents that a shared catalog has now, under a name.

Until it is let go, `db sweep` frees none of them.

For backups by other programs: hold, then dump the database, then copy the objects. `db backup` holds by itself.
Without NAME, what is held is listed."""


def main(argv: list[str], host: HostInfo) -> int:
    """Hold, let go, or list what is held; return the exit code."""
    from ..catalog.holding import hold, holds_of, let_go

    parser = make_parser(host, "db hold", _TEXT, "db hold before-upgrade --for 90d")
    parser.add_argument("name", metavar="NAME", nargs="?", help="what it is called from now on")
    parser.add_argument(
        "--for", dest="length", metavar="AGE", type=duration, help="for how long (default: until let go)"
    )
    parser.add_argument("--let-go", metavar="NAME", help="let go of what is held under this name")
    args, options = parse(parser, argv)
    if args.let_go is not None and (args.name is not None or args.length is not None):
        parser.error("--let-go stands alone")
    if args.length is not None and args.name is None:
        parser.error("--for needs a NAME")
    store = store_of(host)
    if args.let_go is not None:
        let_go(store, args.let_go)
        say(f"{quote(args.let_go)} is let go: `{host.name} db sweep` condemns what nothing else needs.")
    if args.name is not None:
        found = [hold(store, args.name, args.length)]
        say(f"`{host.name} db hold --let-go {shell_word(args.name)}` lets go of it.")
    elif (listed := holds_of(store)) is None:
        found = []
        say(f"{host.root} is a store of its own: it frees nothing by `{host.name} db sweep`, so nothing is held there.")
    else:
        found = listed
    emit(
        {"holds": table_of_holds((one, ()) for one in found)},
        options=options,
        nothing="Nothing is held.",
        well=args.name is not None or args.let_go is not None,
    )
    return EXIT_OK


def table_of_holds(rows: Iterable[tuple[Hold, Sequence[int]]]) -> pa.Table:
    """Return holds as a table; with how many contents of how many bytes each keeps alone or with others, if given."""
    columns = {
        "name": "string", "event": "int64", "who": "string", "since": "timestamp[us]", "until": "timestamp[us]"
    }  # fmt: skip
    found = [
        (
            hold.name,
            hold.event,
            hold.who,
            hold.since.replace(tzinfo=None),
            hold.until.replace(tzinfo=None) if hold.until else None,
            *kept,
        )
        for hold, kept in rows
    ]
    if found and len(found[0]) > len(columns):
        columns |= {"contents": "int64", "size_bytes": "int64"}
    return table_of(found, columns)
