"""`rm`: remove a release, a series or an artifact to quarantine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ontofetch_hookspecs import HostInfo
from ontofetch_hookspecs.names import quote
from ontofetch_hookspecs.processes import user_name

from ..console.output import OutputOptions, emit, parse, say
from ..errors import EXIT_OK, UsageError, VersionUnknown
from ..rendering.text import counted, human_size
from .ask import confirm
from .changing import change, find_named, show_done
from .common import command, make_parser, reading, store_to_write, table_of
from .source_hints import say_asked_again

if TYPE_CHECKING:
    from ..catalog.prune.selection import Release
    from ..catalog.undoing.removal import Wanted

_TEXT = """Remove a release, all releases of a series, or one artifact of a release.

Everything goes to quarantine: `undo` brings it back, and no byte is freed before `db prune --purge`. A series whose
latest is removed points at the release that was latest before, or has no latest. A pinned release is not removed."""


@command("rm")
def main(argv: list[str], host: HostInfo) -> int:
    """Run `rm` and return its exit code."""
    from ..catalog.undoing.changes import describe
    from ..catalog.undoing.removal import Removal

    parser = make_parser(host, "rm", _TEXT, "rm obo/hp/2025-09-15 --yes")
    parser.add_argument("name", metavar="RELEASE|SERIES", help="version_id or an end of it; or service/ontology")
    parser.add_argument("--artifact", metavar="NAME", help="only this artifact of the release, and what came out of it")
    parser.add_argument("--adopted", action="store_true", help="also what was imported where it lies")
    parser.add_argument("--dry-run", action="store_true", help="show what would be taken and change nothing")
    parser.add_argument("--yes", action="store_true", help="don't ask")
    args, options = parse(parser, argv)
    store = store_to_write(host, dry_run=args.dry_run)
    wanted = _find(host, args.name, args.artifact, adopted=args.adopted)
    removal = Removal(store, wanted)
    with reading(host) as connection:
        found = describe(removal, connection)
        try:
            taken = removal.look(connection)
        except VersionUnknown:
            # the same command again, whose first run was stopped at its end: the boundary knows
            taken = []
    if args.dry_run:
        _show(taken, wanted, options)
        return EXIT_OK
    if taken:
        confirm(f"{_describe(taken, wanted)} would go to quarantine.", yes=args.yes, subject=wanted.name)
    outcome = change(host, found)
    plan = outcome.committed.payload.get("plan")
    hint = f"`{host.name} undo` brings it back; `{host.name} db prune --purge {plan}` frees the space."
    show_done(outcome, options, hint=hint)
    if not outcome.receipt.changed:
        say(f"{wanted.name} was removed already; `{host.name} undo --list` shows how to bring it back.")
    elif wanted.name.count("/") < 2:
        say_asked_again(host, wanted.name)
    return EXIT_OK


def _find(host: HostInfo, name: str, artifact: str | None, *, adopted: bool) -> Wanted:
    from ..catalog.repo import deeds
    from ..catalog.undoing.removal import Wanted

    with reading(host) as connection:
        try:
            whole = find_named(connection, name)
        except VersionUnknown:
            removed = deeds.find_removed(connection, name, artifact) if name else None
            if removed is None:
                raise
            whole = removed
    if artifact is not None and whole.count("/") != 2:
        raise UsageError(
            f"{quote(name)} is a series, and --artifact is one of a release.", subject=name, hint="Name the release."
        )
    return Wanted(name=whole, artifact=artifact, adopted=adopted, updated_by=user_name())


def _describe(taken: list[Release], wanted: Wanted) -> str:
    count = sum(len(item.entries) for item in taken)
    size = human_size(sum(entry.size for item in taken for entry in item.entries))
    what = f"{quote(wanted.artifact)} of {wanted.name}" if wanted.artifact is not None else wanted.name
    if wanted.name.count("/") != 2:
        what = f"The series {what} with {counted(len(taken), 'release')}"
    return f"{what} ({counted(count, 'file')}, {size})"


def _show(taken: list[Release], wanted: Wanted, options: OutputOptions) -> None:
    rows = ((item.version_id, len(item.entries), sum(entry.size for entry in item.entries)) for item in taken)
    table = table_of(rows, {"version_id": "string", "files": "int64", "size_bytes": "int64"})
    emit({"taken": table}, options=options, nothing=f"{wanted.name} was removed already.")
    say(f"Dry run, nothing was changed: {_describe(taken, wanted)} would go to quarantine.")
