"""The command `show`: one page about a term, a release, a series, or a content, found by path or sha256."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from ontofetch_hookspecs import HostInfo
from ontofetch_hookspecs.names import quote, shell_word

from ..console.output import OutputOptions, Page, emit, parse, say, say_lines, warn
from ..console.quiet import take_options
from ..errors import EXIT_OK, OntofetchError, VersionUnknown
from .common import make_parser, profiled, reading, statistics_of, store_of

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

_HASH = re.compile(r"[0-9a-f]{8,64}")
_TERM = re.compile(r"[^/]+:.*")  # an IRI or a CURIE: no name of a release or of a series has a colon
_MEMORY = 150_000_000  # bytes that DuckDB may hold where a term is looked for
_MOST_CONTENTS = 1_000  # contents of one path whose results are asked for
_TITLES = {
    "release": "release",
    "documents": "what its documents state",
    "notes": "notes",
    "artifacts": "artifacts",
    "file_formats": "formats",
    "doubts": "failed or not judged",
    "change": "change against the one before",
    "meaning": "change in meaning against the one before",
    "series_page": "series",
    "versions": "releases",
    "pointers": "what was latest",
    "found": "where it is",
    "results": "what validators said",
}

Sections = dict[str, "pa.Table"]


def main(argv: list[str], host: HostInfo) -> int:
    """Print all that is recorded of one thing."""
    argv, host = take_options(argv, host)
    parser = make_parser(
        host,
        "show",
        "All that is recorded of a release, a series, a file, a content, or a term: since when, its labels, obsolete"
        " when, replaced by what.",
        "show obo/hp/latest",
    )
    parser.add_argument(
        "what",
        metavar="RELEASE|SERIES|PATH|HASH|TERM",
        help="a series, a release, the end of a file's path, 8 or more digits of a sha256, a term's IRI or CURIE",
    )
    parser.add_argument("--as", dest="kind", choices=(*_PAGES, "term"), help="what it is, where several fit")
    parser.add_argument("--series", metavar="SERIES", help="of a term: only in this series (default: in all)")
    args, options = parse(parser, argv)
    if args.kind == "term" or (args.kind is None and _TERM.fullmatch(args.what)):
        return _show_term(host, options, args.what, args.series)
    return profiled(argv, lambda: _show(host, options, args.what, args.kind))


def _show(host: HostInfo, options: OutputOptions, what: str, kind: str | None) -> int:
    from dataclasses import replace

    from ..rendering.styles import style_of

    with reading(host) as connection:
        for name, page in _PAGES.items():
            if kind not in (None, name):
                continue
            sections = page(connection, host, what)
            if sections is not None:
                break
        else:
            raise VersionUnknown(
                f"Nothing recorded is called {quote(what)}{f' as a {kind}' if kind else ''}.",
                subject=what,
                hint=f"{_perhaps(connection, what, kind)}`{host.name}` lists the series, `{host.name} db versions` the"
                f" releases{_as_term(host, what, kind)}.",
            )
    parameters = {"what": what, "kind": name}
    # of the many releases of a series it is the newest that one looks for
    look = replace(style_of(sections, _TITLES), newest_last=("versions",))
    emit(sections, options=options, parameters=parameters, look=look)
    return EXIT_OK


def _perhaps(connection: duckdb.DuckDBPyConnection, what: str, kind: str | None) -> str:
    """Return which release or series may be meant, where it may be one."""
    from ..catalog.repo.naming import near_names

    close = near_names(connection, what) if kind in (None, "series", "release") else []
    return f"Did you mean {' or '.join(close)}? " if close else ""


def _as_term(host: HostInfo, what: str, kind: str | None) -> str:
    """Return how to look among the terms, for the name of one alone may be that of anything."""
    return f"; `{host.name} show {shell_word(what)} --as term` looks among the terms" if kind is None else ""


def _show_term(host: HostInfo, options: OutputOptions, word: str, series: str | None) -> int:
    """Print the life of a term, in one series or in all.

    Raises:
        UsageError: The catalog has no term of that name.
    """
    from ..analytics import Catalog
    from ..analytics.reports.term import term

    # of all rows it looks at one number: what it has read of them need not be kept
    settings = store_of(host).bounded(_MEMORY).settings
    catalog = Catalog.open(host.root, settings=settings, tell=say_lines if options.profile else None)
    found = term(catalog, word=word, series=series)
    emit(found, options=options, parameters=found.parameters, look=found.look(), page=Page(f"Term {word}"))
    unknown = found["term"]["unknown"].sum()
    if unknown:
        say(
            f"Of {unknown:,} releases it is not known what they say of {quote(word)};"
            f" `{host.name} db facts` makes it known."
        )
    return EXIT_OK


def _series(connection: duckdb.DuckDBPyConnection, host: HostInfo, what: str) -> Sections | None:
    from ..catalog.repo import naming, pages, queries

    try:
        slot = naming.resolve_series(connection, what) if what else None
    except VersionUnknown:
        slot = None
    if slot is None:
        return None
    stats = statistics_of(host, connection).relation
    return {
        "series_page": pages.describe_series(connection, slot, stats),
        "versions": queries.list_versions(connection, slot, stats),
        "pointers": queries.list_latest(connection, slot, history=True).drop_columns("slot"),
    }


def _release(connection: duckdb.DuckDBPyConnection, host: HostInfo, what: str) -> Sections | None:
    from ..catalog.repo import naming, pages, queries

    try:
        version_id = naming.resolve_version(connection, what)
    except VersionUnknown:
        if what.rpartition("/")[2] in ("latest", "previous"):
            raise
        return None
    page = pages.describe_release(connection, version_id, statistics_of(host, connection).relation)
    sections = {
        "release": page,
        "documents": pages.list_headers(connection, version_id),
        "notes": pages.list_notes_of(connection, version_id),
        "artifacts": pages.list_artifacts(connection, version_id),
        "file_formats": queries.list_formats(connection, version_id),
        "doubts": pages.list_doubts(connection, version_id),
    }
    previous = page["previous"][0].as_py()
    if previous is not None:
        sections["change"] = queries.sum_delta(connection, previous, version_id)
        sections |= _meaning(connection, host, (previous, version_id))
    return sections


def _meaning(connection: duckdb.DuckDBPyConnection, host: HostInfo, step: tuple[str, str]) -> Sections:
    """Return how many terms came, went and became obsolete; nothing where it is not known what files say."""
    from ..catalog.repo import reports

    if not len(reports.read(connection, reports.select_any_facts())):
        return {}
    from ..analytics import Catalog
    from ..analytics.collect import collect
    from ..analytics.sources.catalog import CatalogReader
    from ..analytics.terms.grown import grown_terms

    catalog = Catalog.open(host.root, settings=host.settings)
    frame = collect({"meaning": grown_terms(catalog, CatalogReader(connection, store=store_of(host)), [step])})
    counts = frame["meaning"].drop("version_id")
    if counts.is_empty() or counts.null_count().sum_horizontal().sum():
        warn(
            f"Of some files it is not known what became of their terms; `{host.name} report meaning --a {step[0]}"
            f" --b {step[1]}` says of which."
        )
        return {}
    return {"meaning": counts.to_arrow()}


def _content(connection: duckdb.DuckDBPyConnection, host: HostInfo, what: str) -> Sections | None:
    del host
    from ..catalog.repo import queries

    digits = what.lower()
    return _with_results(connection, queries.find_content(connection, digits)) if _HASH.fullmatch(digits) else None


def _file(connection: duckdb.DuckDBPyConnection, host: HostInfo, what: str) -> Sections | None:
    del host
    from ..catalog.repo import queries

    return _with_results(connection, queries.find_path(connection, what))


def _with_results(connection: duckdb.DuckDBPyConnection, found: pa.Table) -> Sections | None:
    import pyarrow.compute as pc

    from ..catalog.repo import pages

    if not len(found):
        return None
    contents = pc.unique(found["sha256"])
    if len(contents) > _MOST_CONTENTS:
        raise OntofetchError(
            f"{len(contents):,} contents fit.", subject="show", hint="Name one of them by more of its path."
        )
    return {"found": found, "results": pages.list_results_of(connection, contents.to_pylist())}


# the first that fits is shown: who means a file that is called like a series says so
_PAGES: Mapping[str, Callable[[duckdb.DuckDBPyConnection, HostInfo, str], Sections | None]] = {
    "series": _series,
    "release": _release,
    "content": _content,
    "file": _file,
}
