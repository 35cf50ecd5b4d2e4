"""The command `log`: what happened to a store, a series or a release, in sentences, newest first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ontofetch_hookspecs import HostInfo

from ..console.output import emit, parse, say
from ..errors import EXIT_OK, VersionUnknown
from .common import command, make_parser, reading

if TYPE_CHECKING:
    import duckdb


@command()
def main(argv: list[str], host: HostInfo) -> int:
    """Print the story of a store."""
    from ..catalog.repo import story

    parser = make_parser(
        host, "log", "What happened, newest first; `db events` has every detail of it.", "log obo/hp --top 50"
    )
    parser.add_argument("what", nargs="?", metavar="RELEASE|SERIES", help="only of this one (default: of all)")
    parser.add_argument("--all", action="store_true", help="also commands that found nothing to do")
    args, options = parse(parser, argv)
    with reading(host) as connection:
        version_id, series = _resolve(connection, args.what) if args.what else ("", "")
        rows, total = story.list_story(
            connection, version_id or None, series or None, unchanged=args.all, most=options.most
        )
    parameters = {"series": series or None, "version_id": version_id or None, "all": args.all}
    nothing = "Nothing has happened yet."
    emit({"log": rows}, options=options, parameters=parameters, nothing=nothing, totals={"log": total})
    return EXIT_OK


def _resolve(connection: duckdb.DuckDBPyConnection, name: str) -> tuple[str, str]:
    """Return the release or the series that is meant, of what is recorded first, else of what was."""
    from ..catalog.repo import naming

    try:
        return naming.resolve_release_or_series(connection, name)
    except VersionUnknown:
        told = naming.resolve_told(connection, name)
        if told is None:
            raise
    say(f"{max(told)} is recorded no more; this is what happened to it.")
    return told
