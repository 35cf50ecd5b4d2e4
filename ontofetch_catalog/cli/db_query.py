"""The verbs of `db` that only look at rows: versions, files, stats, find, delta, events."""

from __future__ import annotations

import re
from dataclasses import replace

from ontofetch_hookspecs import HostInfo
from ontofetch_hookspecs.names import quote

from ..console.output import emit, parse, say
from ..errors import EXIT_OK, OntofetchError
from ..guesses import perhaps
from .common import make_parser, reading, say_incomplete, statistics_of

_MEMORY_TO_FIND = 60_000_000  # bytes that DuckDB may hold where a content or a path is looked for
_HASH = re.compile(r"[0-9a-f]{8,64}")


def versions(argv: list[str], host: HostInfo) -> int:
    """List releases in the order of their series."""
    from ..catalog.repo import queries
    from ..catalog.repo.naming import resolve_series
    from ..rendering.styles import style_of

    parser = make_parser(
        host,
        "db versions",
        "List releases in the order of their series; `db list` is the same.",
        "db versions pypi/brickschema",
    )
    parser.add_argument("series", nargs="?", metavar="SERIES", help="service/ontology, or the ontology alone")
    args, options = parse(parser, argv)
    with reading(host) as connection:
        slot = resolve_series(connection, args.series) if args.series else None
        rows = queries.list_versions(connection, slot, statistics_of(host, connection).relation)
    sections = {"versions": rows}
    look = style_of(sections, {})
    # of the many releases of one series it is the newest that one looks for
    look = replace(look, newest_last=("versions",)) if slot else look
    emit(sections, options=options, parameters={"series": slot}, look=look, nothing="No release is recorded.")
    import pyarrow.compute as pc

    say_incomplete(pc.sum(rows["incomplete"]).as_py() or 0, host)
    return EXIT_OK


def files(argv: list[str], host: HostInfo) -> int:
    """List the files of a release, and where its artifacts came from."""
    from ..catalog.repo import queries
    from ..catalog.repo.naming import resolve_version

    parser = make_parser(
        host,
        "db files",
        "List the files of a release, and its origins.",
        "db files brickschema/latest --include '*.ttl'",
    )
    parser.add_argument("version", metavar="VERSION", help="version_id, an end of it, or SERIES/latest")
    parser.add_argument("--include", metavar="GLOB", help="only paths that match; * crosses /")
    args, options = parse(parser, argv)
    with reading(host) as connection:
        version_id = resolve_version(connection, args.version)
        rows = queries.list_files(connection, version_id, args.include)
        origins = queries.list_origins(connection, version_id)
    parameters = {"version_id": version_id, "include": args.include}
    nothing = f"{version_id} has no file{' that matches' if args.include else ''}."
    sections = {"files": rows} if args.include else {"files": rows, "origins": origins}
    emit(sections, options=options, parameters=parameters, titles={"origins": "where it came from"}, nothing=nothing)
    return EXIT_OK


def stats(argv: list[str], host: HostInfo) -> int:
    """Sum up releases; of a single one also its formats."""
    from ..catalog.repo import queries
    from ..catalog.repo.naming import resolve_series, resolve_version

    parser = make_parser(
        host, "db stats", "Sum up releases: files, bytes, formats, validation.", "db stats brickschema/latest"
    )
    parser.add_argument("version", nargs="?", metavar="VERSION", help="one release (default: all)")
    parser.add_argument("--series", metavar="SERIES", help="the releases of one series")
    args, options = parse(parser, argv)
    with reading(host) as connection:
        slot = resolve_series(connection, args.series) if args.series else None
        version_id = resolve_version(connection, args.version) if args.version else None
        sections = {"stats": queries.list_stats(connection, slot, version_id, statistics_of(host, connection).relation)}
        if version_id:
            sections["formats"] = queries.list_formats(connection, version_id)
    parameters = {"version_id": version_id, "series": slot}
    emit(sections, options=options, parameters=parameters, nothing="No release is recorded.")
    return EXIT_OK


def find(argv: list[str], host: HostInfo) -> int:
    """Find a content by its sha256, or a path."""
    from ..catalog.repo import queries

    parser = make_parser(host, "db find", "Find a content by its sha256, or a path.", "db find 'Brick.ttl'")
    parser.add_argument(
        "what",
        metavar="HASH|PATH",
        help="8 or more digits of a sha256; or a path, its end, or a glob in which * crosses /",
    )
    args, options = parse(parser, argv)
    # of all rows it looks at one number: room that is used again is quicker than more of it
    with reading(host, _MEMORY_TO_FIND) as connection:
        rows = queries.find_content(connection, args.what.lower()) if _HASH.fullmatch(args.what.lower()) else None
        if rows is None or not len(rows):
            # a name may consist of hex digits as well
            rows = queries.find_path(connection, args.what)
    emit({"found": rows}, options=options, parameters={"what": args.what})
    if not len(rows):
        raise OntofetchError(
            f"Nothing recorded has the sha256 or path {quote(args.what)}.",
            subject=args.what,
            hint="A path is named whole, by what stands behind a /, or as a glob, such as '*.ttl'.",
        )
    return EXIT_OK


def delta(argv: list[str], host: HostInfo) -> int:
    """Compare two releases file by file."""
    from ..catalog.repo import queries
    from ..catalog.repo.naming import refuse_two_series, resolve_version

    parser = make_parser(
        host, "db delta", "Compare two releases file by file.", "db delta brickschema/0.7.9 brickschema/0.8.0"
    )
    parser.add_argument("a", metavar="A", help="the former release")
    parser.add_argument("b", metavar="B", help="the later release")
    parser.add_argument("--all", action="store_true", help="unchanged files too")
    parser.add_argument("--anyway", action="store_true", help="compare also releases of two series")
    args, options = parse(parser, argv)
    with reading(host) as connection:
        a, b = resolve_version(connection, args.a), resolve_version(connection, args.b)
        refuse_two_series(a, b, anyway=args.anyway)
        rows = queries.list_delta(connection, a, b, unchanged=args.all, most=options.most)
        summary = queries.sum_delta(connection, a, b)
    parameters = {"a": a, "b": b, "all": args.all}
    changes = ("added", "removed", "modified", "renamed", *(["unchanged"] if args.all else []))
    total = sum(summary[change][0].as_py() for change in changes)
    sections = {"delta": rows, "summary": summary}
    emit(sections, options=options, parameters=parameters, totals={"delta": total})
    if not len(rows):
        say(f"{a} and {b} have the same files.")
    return EXIT_OK


def events(argv: list[str], host: HostInfo) -> int:
    """List what was recorded, newest first."""
    from ..catalog.repo import queries
    from ..catalog.repo.naming import resolve_version

    parser = make_parser(host, "db events", "List what was recorded, newest first.", "db events --type 'extract.*'")
    parser.add_argument("--release", metavar="VERSION", help="only of this release")
    parser.add_argument("--type", metavar="GLOB", help="only of this type, e.g. 'latest.*'")
    args, options = parse(parser, argv)
    with reading(host) as connection:
        version_id = resolve_version(connection, args.release) if args.release else None
        rows, total = queries.list_events(connection, version_id, args.type, most=options.most)
        near = perhaps(args.type, queries.list_event_types(connection)) if args.type and not len(rows) else ""
    parameters = {"version_id": version_id, "type": args.type}
    nothing = f"No event fits. {near}".strip()
    emit({"events": rows}, options=options, parameters=parameters, nothing=nothing, totals={"events": total})
    return EXIT_OK
