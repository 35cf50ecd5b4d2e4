"""`undo`: take back what this store did last, or list what can be taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ontofetch_hookspecs import HostInfo
from ontofetch_hookspecs.processes import user_name

from ..console.output import OutputOptions, emit, parse, say
from ..errors import EXIT_OK, PreconditionFailed
from .changing import change, show_done
from .common import command, make_parser, reading, store_to_write, table_of
from .numbers import whole

if TYPE_CHECKING:
    from ..catalog.connection import Store
    from ..catalog.undoing.changes import Restoring
    from ..catalog.undoing.deeds import Deed

_TEXT = """Take back what this store did last: a pull, rm, mv, prune, pin, note or tag, or the latest of a series.

Nothing is lost by it: what a pull brought goes to quarantine, and what lies there comes back. ID is the number that
--list shows. What takes something back can be taken back by its ID, too."""
_SHOWN = 20


@command("undo")
def main(argv: list[str], host: HostInfo) -> int:
    """Run `undo` and return its exit code."""
    from ..catalog import sessions

    parser = make_parser(host, "undo", _TEXT, "undo --list")
    parser.add_argument("id", nargs="?", metavar="ID", type=whole, help="what --list shows (default: the last)")
    parser.add_argument("--list", action="store_true", help="show what was done last, and whether it can be taken back")
    parser.add_argument("--dry-run", action="store_true", help="say what would be taken back and change nothing")
    parser.add_argument("--yes", action="store_true", help="taken as by rm and mv; nothing is asked here in any case")
    args, options = parse(parser, argv)
    if args.list and args.id is not None:
        parser.error("--list shows all of them; ID takes one back")
    if args.list:
        _list(host, options)
        return EXIT_OK
    store = store_to_write(host, dry_run=args.dry_run)
    deed = _find(host, store, args.id)
    if deed is None:
        _emit([], options, well=True)
        say("There is nothing to undo.")
    elif deed.row.undone:
        if not args.dry_run:
            # a repeat that finds nothing left ends what the first one left open all the same
            with sessions.writing(store):
                pass
        _emit([deed], options, well=not args.dry_run)
        say(f"{deed.message} That was taken back already.")
    elif deed.why_not:
        raise PreconditionFailed(
            f"Event {deed.row.event_id} can't be undone: {deed.message} {deed.why_not}",
            subject=str(deed.row.event_id),
            hint=f"`{host.name} undo --list` shows what else can be: `{host.name} undo ID`.",
        )
    elif args.dry_run:
        _emit([deed], options)
        say(f"Dry run, nothing was changed. This would be taken back: {deed.message}")
    else:
        _undo(host, store, deed, options)
    return EXIT_OK


def _find(host: HostInfo, store: Store, event_id: int | None) -> Deed | None:
    from ..catalog.undoing import deeds

    with reading(host) as connection:
        if event_id is None:
            return deeds.find_last(store, connection, user_name())
        return deeds.find_deed(store, connection, event_id, user_name())


def _undo(host: HostInfo, store: Store, deed: Deed, options: OutputOptions) -> None:
    from ..catalog.undoing.changes import Restoring, undo_of

    with reading(host) as connection:
        found = undo_of(store, connection, deed, user_name())
    outcome = change(host, found)
    if isinstance(found, Restoring):
        _say_restored(found, deed, options)
        return
    show_done(outcome, options, hint=f"Taken back: {deed.message}")
    if outcome.receipt.changed:
        say(f"`{host.name} undo {_event_of(host, outcome.committed.boundary_id)}` does it again.")
    else:
        say(f"{deed.message} That was taken back already.")


def _event_of(host: HostInfo, boundary_id: str) -> int:
    from ..catalog.repo import events

    with reading(host) as connection:
        return events.number_of(connection, boundary_id)


def _say_restored(found: Restoring, deed: Deed, options: OutputOptions) -> None:
    import pyarrow as pa

    entries, size = (found.done.entries, found.done.bytes) if found.done else (0, 0)
    row = {"type": "prune.restored", "plan_id": found.plan.plan_id, "entries": entries, "size_bytes": size}
    emit({"done": pa.Table.from_pylist([row])}, options=options, well=True)
    say(f"Taken back: {deed.message} Rows and files are back where they were.")


def _list(host: HostInfo, options: OutputOptions) -> None:
    from ..catalog.undoing import deeds
    from .common import store_of

    with reading(host) as connection:
        found = deeds.list_deeds(store_of(host), connection, most=options.top or _SHOWN, user=user_name())
    _emit(found, options)
    if found:
        say(f"`{host.name} undo` takes back the last that can be, `{host.name} undo ID` any other.")


def _emit(found: list[Deed], options: OutputOptions, *, well: bool = False) -> None:
    rows = (
        (deed.row.event_id, deed.row.done_at, deed.what, not deed.why_not, deed.message, deed.why_not or None)
        for deed in found
    )
    times = {"id": "int64", "done_at": "timestamp[us]"}
    table = table_of(rows, {**times, "what": "string", "undoable": "bool", "message": "string", "why_not": "string"})
    emit({"deeds": table}, options=options, nothing="Nothing was done yet that could be undone.", well=well)
