"""The command `log`: what happened to a store, a series or a release, in sentences, newest first."""

from __future__ import annotations

from ontofetch_hookspecs import HostInfo

from ..console.output import OutputOptions, emit
from ..console.quiet import take_options
from ..errors import EXIT_OK, VersionUnknown
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
        series = version_id = None
        if what:
            try:
                series = naming.resolve_series(connection, what)
            except VersionUnknown:
                version_id = naming.resolve_version(connection, what)
        rows, total = story.list_story(connection, version_id, series, unchanged=unchanged, most=options.most)
    parameters = {"series": series, "version_id": version_id, "all": unchanged}
    nothing = "Nothing has happened yet."
    emit({"log": rows}, options=options, parameters=parameters, nothing=nothing, totals={"log": total})
    return EXIT_OK
