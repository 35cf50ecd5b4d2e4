"""`mv`: give a release, a series or a service another name."""

from __future__ import annotations

from ontofetch_hookspecs import HostInfo
from ontofetch_hookspecs.processes import user_name

from ..console.output import emit, parse, say
from ..errors import EXIT_OK, VersionUnknown
from .ask import confirm
from .changing import change, find_named, show_done
from .common import command, make_parser, reading, store_to_write, table_of
from .source_hints import say_asked_again

_TEXT = """Give a release, a series or a service another name.

Files, documents, origins, validation, notes, pins and the history of the latest pointers come along. Nothing is
overwritten. NEW may leave out what stays as it is in front: `mv obo/hp/2025-9-15 2025-09-15`."""


@command("mv")
def main(argv: list[str], host: HostInfo) -> int:
    """Run `mv` and return its exit code."""
    from ..catalog.repo import deeds
    from ..catalog.undoing.changes import describe
    from ..catalog.undoing.renaming import KINDS, Renaming, check_name, complete

    parser = make_parser(host, "mv", _TEXT, "mv obo/hpo obo/hp --yes")
    parser.add_argument("old", metavar="OLD", help="a release, a series (service/ontology) or a service")
    parser.add_argument("new", metavar="NEW", help="its new name")
    parser.add_argument("--dry-run", action="store_true", help="show what would be renamed and change nothing")
    parser.add_argument("--yes", action="store_true", help="don't ask where several releases are renamed")
    args, options = parse(parser, argv)
    store = store_to_write(host, dry_run=args.dry_run)
    with reading(host) as connection:
        try:
            old = find_named(connection, args.old, services=True)
        except VersionUnknown:
            # the same command again, whose first run was stopped at its end
            former = deeds.find_renamed(connection, args.old) if args.old else None
            if former is None or not deeds.was_renamed(connection, former, complete(former, args.new)):
                raise
            old = former
        new = complete(old, args.new)
        check_name(new)
        renaming = Renaming(store, old, new, updated_by=user_name())
        names = renaming.look(connection)
        found = describe(renaming, connection)
    if args.dry_run:
        table = table_of(names, {"version_id": "string", "new_version_id": "string"})
        emit({"renamed": table}, options=options, nothing="Nothing would change.")
        say("Dry run, nothing was changed.")
        return EXIT_OK
    if len(names) > 1:
        what = KINDS[old.count("/")]
        confirm(f"The {what} {old} with {len(names):,} releases would be called {new}.", yes=args.yes, subject=old)
    outcome = change(host, found)
    show_done(outcome, options, hint=f"`{host.name} undo` takes it back.")
    if not outcome.receipt.changed:
        say(f"It is called {new} already.")
    elif old.count("/") < 2:
        say_asked_again(host, old, new=new)
    return EXIT_OK
