"""The command `show` for a term: since when, under which labels, obsolete when, replaced by what."""

from __future__ import annotations

from ontofetch_hookspecs import HostInfo
from ontofetch_hookspecs.names import quote

from ..errors import EXIT_OK
from .common import make_parser
from .output import OutputOptions, Page, emit, say, say_lines


def show_term(argv: list[str], host: HostInfo) -> int:
    """Print the life of a term."""
    from ..analytics import Catalog
    from ..analytics.reports.term import term

    parser = make_parser(
        host,
        "show",
        "Show the life of a term: since when, its labels, definitions and parents, obsolete when, replaced by what.",
        "show GO:0008150",
    )
    parser.add_argument("word", metavar="IRI|CURIE", help="the term: its IRI, a CURIE, or the last part of its IRI")
    parser.add_argument("--series", metavar="SERIES", help="only in this series (default: in all)")
    args = parser.parse_args(argv)
    options = OutputOptions.from_args(args)
    catalog = Catalog.open(host.root, settings=host.settings, tell=say_lines if options.profile else None)
    found = term(catalog, word=args.word, series=args.series)
    emit(found, options=options, parameters=found.parameters, look=found.look(), page=Page(f"Term {args.word}"))
    unknown = found["term"]["unknown"].sum()
    if unknown:
        say(
            f"Of {unknown:,} releases it is not known what they say of {quote(args.word)};"
            f" `{host.name} db facts` makes it known."
        )
    return EXIT_OK
