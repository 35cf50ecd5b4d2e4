"""`ontofetch pull`: its options, and the row it prints.

How an artifact is fetched, unpacked and recorded is not known here.
"""

from __future__ import annotations

import argparse
import re
from dataclasses import asdict
from datetime import date

import pyarrow as pa

from ontofetch_hookspecs import HostInfo, UsageError, add_common_options, refuse_without
from ontofetch_hookspecs.names import quote, unsafe_character

from ..cli.output import OutputOptions, add_output_options, emit
from ..errors import EXIT_FINDINGS, EXIT_OK, EventError, OntofetchError
from .argv import Parser
from .extract import Strip
from .manager import OUTERMOST, Plugins
from .pipeline import Pull
from .request import Request, Summary
from .sources import parse_source

MOST_STRIP = 100
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, 5.6.2
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


def main(argv: list[str], host: HostInfo, plugins: Plugins) -> int:
    """Pull one artifact, print a row about it, and return 0, or 3 if files of the release fail validation."""
    args = _parser(host).parse_args(argv)
    request = _request(args)
    options = OutputOptions.from_args(args)
    _refuse_broken_catalog(plugins)
    refuse_without(host)
    summary = Pull(host, plugins, request).run()
    emit({"pull": _table(summary)}, options=options)
    return EXIT_FINDINGS if summary.failed else EXIT_OK


def _refuse_broken_catalog(plugins: Plugins) -> None:
    record = plugins.find(OUTERMOST)
    if record is not None and record.state == "failed":
        raise OntofetchError(
            f"The plugin {OUTERMOST} is installed but does not work: {record.reason}.",
            subject=OUTERMOST,
            hint=f"Mend it; with `--no-plugin {OUTERMOST}` a release is published without being recorded.",
        )


def _table(summary: Summary) -> pa.Table:
    types = dict.fromkeys(("files", "bytes", "passed", "failed", "not_judged"), pa.int64()) | {"latest": pa.bool_()}
    return pa.table({name: pa.array([value], types.get(name, pa.string())) for name, value in asdict(summary).items()})


def _parser(host: HostInfo) -> Parser:
    name = host.name
    parser = Parser(
        f"{name} pull",
        "Fetch one artifact of a release, unpack it, validate it, record it, and make it the latest of its series.",
        f"{name} pull https://example.org/hp.obo --service obo --ontology hp --version 2025-09-15",
    )
    parser.add_argument("source", metavar="SOURCE", help="a local file, a file: or an http(s): URL")
    parser.add_argument("--service", required=True, metavar="S", help="where it comes from, e.g. obo")
    parser.add_argument("--ontology", required=True, metavar="O", help="which ontology, e.g. hp")
    parser.add_argument("--name", metavar="NAME", help="what the artifact is called (default: what its source says)")
    parser.add_argument(
        "--version", metavar="V", help="which release, e.g. 2025-09-15 (default: what the document states, else a date)"
    )
    parser.add_argument("--released", metavar="DATE", help="its release date, e.g. 2025-09-15")
    parser.add_argument("--sha256", metavar="H", help="refuse other bytes than these")
    parser.add_argument(
        "--include", metavar="GLOB", action="append", default=[], help="unpack only what matches; * crosses /"
    )
    parser.add_argument(
        "--exclude", metavar="GLOB", action="append", default=[], help="leave out of that what matches; repeatable"
    )
    parser.add_argument(
        "--strip",
        metavar="auto|0|N",
        default="auto",
        help="leading folders to take off names (default: auto, a single one that all share)",
    )
    parser.add_argument("--portable", action="store_true", help="refuse names that are one file where case is folded")
    parser.add_argument(
        "--header", metavar="K:V", action="append", default=[], help="send a header, to this server only; repeatable"
    )
    parser.add_argument("--replace", action="store_true", help="take other bytes under a recorded version")
    parser.add_argument("--no-validate", action="store_true", help="do not validate the files")
    parser.add_argument("--no-facts", action="store_true", help="do not record what the files say of terms")
    parser.add_argument("--no-set-latest", action="store_true", help="leave the latest pointer alone")
    parser.add_argument(
        "--accept-any", action="store_true", help="take a web page, an error message or a pointer for what it is"
    )
    parser.add_argument(
        "--accept-failures",
        action="store_true",
        help="make it latest although files fail validation, or none could be judged",
    )
    add_output_options(parser, host.manager)
    add_common_options(parser)
    return parser


def _request(args: argparse.Namespace) -> Request:
    request = Request(
        source=parse_source(args.source, args.name),
        service=args.service,
        ontology=args.ontology,
        version=args.version,
        released=_date(args.released),
        sha256=_sha256(args.sha256),
        include=_globs("--include", args.include),
        exclude=_globs("--exclude", args.exclude),
        strip=_strip(args.strip),
        portable=args.portable,
        headers=tuple(_header(text) for text in args.header),
        replace=args.replace,
        validate=not args.no_validate,
        facts=not args.no_facts,
        set_latest=not args.no_set_latest,
        accept_failures=args.accept_failures,
        accept_any=args.accept_any,
    )
    try:
        # before anything is fetched
        request.check_names()
    except EventError as error:
        raise UsageError(error.message, subject=error.subject, hint=error.hint) from error
    return request


def _date(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        if _DATE.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise UsageError(f"--released is {quote(text)}, not a date.", subject="--released", hint="Write it as 2025-09-15.")


def _sha256(text: str | None) -> str | None:
    if text is None:
        return None
    folded = text.strip().casefold().removeprefix("sha256:")
    if not re.fullmatch(r"[0-9a-f]{64}", folded):
        raise UsageError(f"--sha256 is {quote(text)}, not 64 hex digits.", subject="--sha256")
    return folded


def _globs(option: str, given: list[str]) -> tuple[str, ...]:
    for text in given:
        if not text or len(text) > 4096 or unsafe_character(text) is not None:
            raise UsageError(f"{option} is {quote(text)}, not a glob.", subject=option)
    return tuple(sorted(set(given)))


def _strip(text: str) -> Strip:
    if text == "auto":
        return "auto"
    if text.isascii() and text.isdigit() and int(text[:4]) <= MOST_STRIP:
        return int(text)
    raise UsageError(
        f"--strip is {quote(text)}, neither auto nor a number of folders from 0 to {MOST_STRIP}.", subject="--strip"
    )


def _header(text: str) -> tuple[str, str]:
    name, _, value = text.partition(":")
    name, value = name.strip(), value.strip()
    if _TOKEN.fullmatch(name) and value and value.isascii() and value.isprintable():
        return name, value
    # the value may be a secret, so it is not repeated here
    raise UsageError("A --header is not of the form 'Name: value', in plain ASCII.", subject="--header")
