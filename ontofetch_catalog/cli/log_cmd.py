"""The command `log`: what happened to a store, a series or a release, in sentences, newest first."""

from __future__ import annotations

from ontofetch_hookspecs import HostInfo

from ..console.output import OutputOptions, emit
from ..console.quiet import take_options
from ..errors import EXIT_OK
from .common import make_parser, profiled, reading


def main(argv: list[str], host: HostInfo) -> int:
    """Print the story of a store."""
    argv, host = take_options(argv, host)
    parser = make_parser(
        host, "log", "What happened, newest first; `db events` has every detail of it.", "log obo/hp --top 50"
    )
    parser.add_argument("what", nargs="?", metavar="RELEASE|SERIES", help="only of this one (default: of all)")
    parser.add_argument("--all", action="store_true", help="also commands that found nothing to do")
    args = parser.parse_args(argv)
    options = OutputOptions.from_args(args)
    return profiled(argv, lambda: _show(host, options, args.what, unchanged=args.all))


def _show(host: HostInfo, options: OutputOptions, what: str | None, *, unchanged: bool) -> int:
    from ..catalog.repo import naming, story

    with reading(host) as connection:
        version_id, series = naming.resolve_release_or_series(connection, what) if what else ("", "")
        rows = story.list_story(connection, version_id or None, series or None, unchanged=unchanged)
    parameters = {"series": series or None, "version_id": version_id or None, "all": unchanged}
    emit({"log": rows}, options=options, parameters=parameters, nothing="Nothing has happened yet.")
    return EXIT_OK
