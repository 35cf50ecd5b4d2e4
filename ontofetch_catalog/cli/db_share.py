"""The verb `db share`: store once what releases that are there have in common, or say what that would free."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from ontofetch_hookspecs import HostInfo
from ontofetch_hookspecs.names import quote

from ..console.output import OutputOptions, emit, parse, say, warn
from ..errors import EXIT_FINDINGS, EXIT_OK, PreconditionFailed
from ..rendering.progress import bar
from ..rendering.text import counted, human_size
from .common import make_parser, mending_of_copy, store_of, store_to_write

if TYPE_CHECKING:
    from ..catalog.connection import Store
    from ..catalog.equal_files_on_disk import Result

_TEXT = """Store once what the releases that are there have in common.

A pull does so by itself, as the setting store_share says; this is for what was recorded before, or has come together
since. With `reflink` files share their room on the disk and stay files of their own, where the file system can (Btrfs,
XFS). With `hardlink` one file gets several names: whoever changes it in place changes it for all of them. Bytes are
compared first, and what is not what the catalog says is left alone and named: then the exit code is 3."""


def main(argv: list[str], host: HostInfo) -> int:
    """Run `db share` and return its exit code."""
    from ..catalog.boundaries.observers import notify_observers
    from ..catalog.equal_files_on_disk import store_once

    parser = make_parser(host, "db share", _TEXT, "db share --dry-run")
    parser.add_argument(
        "--by", metavar="WAY", choices=("reflink", "hardlink"), help="how: reflink or hardlink (default: store_share)"
    )
    parser.add_argument("--dry-run", action="store_true", help="say what it would free, by a look at no file's bytes")
    args, options = parse(parser, argv)
    store = store_of(host) if args.dry_run else store_to_write(host)
    way = _way(store, args, host)
    with bar("share", unit="files") as update:
        result = store_once(
            store,
            way,
            dry_run=args.dry_run,
            progress=lambda done: update(done, None),
            tell=lambda outcome: notify_observers(host.manager, store, outcome),
        )
    _show(result, way, args, options)
    _say(result, way, host, dry_run=args.dry_run)
    return EXIT_FINDINGS if result.damaged else EXIT_OK


def _way(store: Store, args: argparse.Namespace, host: HostInfo) -> str:
    """Return how it is done.

    Raises:
        PreconditionFailed: The setting says not at all, or the file system can't.
    """
    from ..catalog.equal_files import ways

    way = args.by or str(store.settings.get("store_share", ways.REFLINK))
    if way == ways.OFF:
        raise PreconditionFailed(
            "The setting store_share is off: equal files stay apart.",
            subject="store_share",
            hint=f"`{host.name} db share --by hardlink`, or --by reflink, does it this once.",
        )
    if way == ways.REFLINK and store.path("").exists() and not ways.can_clone(store):
        raise PreconditionFailed(
            f"The file system of {quote(store.root)} has no reflinks.",
            subject=str(store.root),
            hint=f"`{host.name} db share --by hardlink` gives one file several names: see what that means in --help.",
        )
    return way


def _show(result: Result, way: str, args: argparse.Namespace, options: OutputOptions) -> None:
    import pyarrow as pa

    rows = sorted(result.releases.items())
    sections = {
        "releases": pa.table(
            {
                "version_id": pa.array([name for name, _ in rows], pa.string()),
                "files": pa.array([mine.files for _, mine in rows], pa.int64()),
                "size_bytes": pa.array([mine.size_bytes for _, mine in rows], pa.int64()),
                "freed_bytes": pa.array([mine.freed_bytes for _, mine in rows], pa.int64()),
            }
        )
    }
    if result.damaged:
        paths, releases, contents = zip(*sorted(result.damaged), strict=True)
        sections["damaged"] = pa.table(
            {
                "path": pa.array(paths, pa.string()),
                "version_id": pa.array(releases, pa.string()),
                "expected": pa.array(contents, pa.string()),
            }
        )
    total = result.total
    parameters = {
        "way": way,
        "dry_run": args.dry_run,
        "equal_files": result.equal_files,
        "before": result.before,
        "files": total.files,
        "left_files": result.left_files,
        "freed_bytes": total.freed_bytes,
    }
    titles = {"releases": "Would be stored once" if args.dry_run else "Stored once", "damaged": "Damaged"}
    emit(sections, options=options, parameters=parameters, titles=titles, nothing="", well=not result.damaged)


def _say(result: Result, way: str, host: HostInfo, *, dry_run: bool) -> None:
    total = result.total
    if total.files:
        verb = "would be" if dry_run else _are(total.files)
        freed = "would free" if dry_run else "freed"
        size = human_size(total.freed_bytes)
        say(f"{counted(total.files, 'file')} {verb} stored as equal ones ({way}); that {freed} {size}.")
    elif result.before:
        say(f"There is nothing to share: {counted(result.before, 'file')} {_are(result.before)} stored once already.")
    else:
        say("There is nothing to share.")
    if result.left is not None:
        path, reason = result.left
        files = f"{counted(result.left_files, 'file')} {_are(result.left_files)}"
        warn(f"{files} left alone, {quote(path)} for one: {reason}.")
    if result.damaged:
        number = len(result.damaged)
        own = f"`{host.name} db doctor --fix` brings back what their archives have."
        warn(
            f"{counted(number, 'file')} {_are(number)} not what the catalog says, and {_are(number)} left alone;"
            f" `{host.name} db verify` says more. {mending_of_copy(host) or own}"
        )


def _are(number: int) -> str:
    return "is" if number == 1 else "are"
