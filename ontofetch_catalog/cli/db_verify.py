"""`db verify`: what is to be hashed again, the bar, the findings and the summary."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from ontofetch_hookspecs import HostInfo

from ..console.output import OutputOptions, emit, say, warn
from ..errors import EXIT_FINDINGS, EXIT_OK
from ..rendering.progress import bar
from ..rendering.text import human_size
from .common import make_parser, mending_of_copy, reading, store_of, store_to_write
from .numbers import duration, share, whole

if TYPE_CHECKING:
    import argparse

    from ontofetch_hookspecs import Look

    from ..catalog.verify import Request, Result

_TEXT = """Hash the recorded files again and compare them with the catalog, longest unverified first.

Others may use the catalog meanwhile. What is intact is recorded every minute, so that an interrupted run keeps what
it did. Machines that share a catalog divide the releases, and each ends when all are done. Exit code 3 if a file is
missing or damaged."""


def main(argv: list[str], host: HostInfo) -> int:
    """Run `db verify` and return its exit code."""
    from ..catalog.boundaries.observers import notify_observers
    from ..catalog.verify import verify

    args = _arguments(argv, host)
    options = OutputOptions.from_args(args)
    store = store_to_write(host)
    request = _request(args, host)
    if request.scope.sample < 1.0:
        sample, seed = request.scope.sample, request.scope.seed
        say(f"A sample of {100 * sample:g} % of the files; --seed {seed} chooses the same again.")
    with bar("verify") as update:
        result = verify(
            store, request, progress=update, tell=lambda outcome: notify_observers(host.manager, store, outcome)
        )
    _show(result, request, options, host)
    return EXIT_FINDINGS if result.all_findings else EXIT_OK


def _arguments(argv: list[str], host: HostInfo) -> argparse.Namespace:
    parser = make_parser(host, "db verify", _TEXT, "db verify --sample 5% --max-duration 10m")
    parser.add_argument("name", nargs="?", metavar="VERSION|SERIES", help="only this release or series (default: all)")
    parser.add_argument("--sample", metavar="SHARE", type=share, help="only so many of the files, chosen by chance")
    parser.add_argument("--seed", metavar="N", type=whole, help="what chance begins with (default: another each time)")
    parser.add_argument("--max-duration", metavar="TIME", type=duration, help="begin no file after TIME, e.g. 10m")
    parser.add_argument("--resume", action="store_true", help="go on with the last run where it was interrupted")
    parser.add_argument(
        "--workers", metavar="N", type=whole, default=0, help="processes that hash (default: all cores)"
    )
    args = parser.parse_args(argv)
    if args.seed is not None and args.sample is None:
        parser.error("--seed needs --sample")
    if args.resume and (args.name or args.sample):
        parser.error("--resume goes on with what the last run was about; leave out the other words")
    return args


def _request(args: argparse.Namespace, host: HostInfo) -> Request:
    from ..catalog.repo.naming import resolve_release_or_series
    from ..catalog.verify import Request, Scope

    if args.resume:
        return Request.resumed(store_of(host), seconds=args.max_duration, workers=args.workers)
    version_id = slot = ""
    if args.name:
        with reading(host) as connection:
            version_id, slot = resolve_release_or_series(connection, args.name)
    seed = secrets.randbelow(1_000_000) if args.seed is None else args.seed
    scope = Scope(version_id=version_id, slot=slot, sample=args.sample or 1.0, seed=seed if args.sample else 0)
    return Request(scope=scope, seconds=args.max_duration, workers=args.workers)


def _look() -> Look:
    """Return what the table shows: the path says what its parts say, and the rest gives way where there is no room."""
    from ontofetch_hookspecs import Look

    return Look(
        titles={"findings": "Findings", "summary": "Summary", "shared": "Shared with other machines"},
        records=("summary",),
        hidden={"findings": ("version_id", "kind", "relpath", "found_bytes")},
        details={"findings": ("reason", "verified_at", "size_bytes", "found", "expected")},
        headings={"findings": {"verified_at": "last intact"}},
    )


def _show(result: Result, request: Request, options: OutputOptions, host: HostInfo) -> None:
    import pyarrow as pa

    from ..catalog.verify import FINDINGS, RECENT_DAYS

    percent = 100 * result.recent_bytes // result.all_bytes if result.all_bytes else 100
    summary = pa.Table.from_pylist(
        [
            {
                "checked_files": result.checked_files,
                "checked_bytes": result.checked_bytes,
                "left_files": result.left_files,
                "findings": len(result.findings),
                "seconds": round(result.seconds, 1),
                "recent_percent": percent,
            }
        ]
    )
    scope = request.scope
    shared = {} if result.shared is None else {"shared": result.shared}
    emit(
        {"findings": result.findings, "summary": summary, **shared},
        options=options,
        parameters={
            "version_id": scope.version_id or None,
            "series": scope.slot or None,
            "sample": scope.sample,
            "seed": scope.seed if scope.sample < 1.0 else None,
        },
        look=_look(),
        well=not result.all_findings,
    )
    rate = human_size(int(result.checked_bytes / result.seconds)) if result.seconds else "0 B"
    say(
        f"Verified {result.checked_files:,} files, {human_size(result.checked_bytes)} in {result.seconds:,.1f} s"
        f" ({rate}/s): {len(result.findings):,} damaged or missing."
    )
    say(f"{percent} % of the bytes verified in the last {RECENT_DAYS} days.")
    if not result.is_complete:
        say(f"{result.left_files:,} files are left; `{host.name} db verify --resume` goes on.")
    if elsewhere := result.all_findings - len(result.findings):
        warn(f"{elsewhere:,} files of other machines are damaged or missing; the rows of each say of which.")
    if result.changed_files:
        say(f"{result.changed_files:,} files were replaced while they were read; the next run looks at them.")
    if len(result.findings):
        # doctor looks again at what the events name
        hashing = "--hash " if len(result.findings) > FINDINGS else ""
        own = f"`{host.name} db doctor {hashing}--fix` brings back what is still in its archive."
        warn(mending_of_copy(host) or own)
