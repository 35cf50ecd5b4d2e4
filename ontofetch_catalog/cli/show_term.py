"""The command `show` for a term: since when, under which labels, obsolete when, replaced by what."""

from __future__ import annotations

from ontofetch_hookspecs import HostInfo
from ontofetch_hookspecs.names import quote

from ..errors import EXIT_OK
from .output import OutputOptions, Page, emit, say, say_lines


def show_term(host: HostInfo, options: OutputOptions, word: str, series: str | None) -> int:
    """Print the life of a term, in one series or in all.

    Raises:
        UsageError: The catalog has no term of that name.
    """
    from ..analytics import Catalog
    from ..analytics.reports.term import term

    catalog = Catalog.open(host.root, settings=host.settings, tell=say_lines if options.profile else None)
    found = term(catalog, word=word, series=series)
    emit(found, options=options, parameters=found.parameters, look=found.look(), page=Page(f"Term {word}"))
    unknown = found["term"]["unknown"].sum()
    if unknown:
        say(
            f"Of {unknown:,} releases it is not known what they say of {quote(word)};"
            f" `{host.name} db facts` makes it known."
        )
    return EXIT_OK
