"""`ontofetch pull`: its options, and the row it prints.

How an artifact is fetched, unpacked and recorded is not known here.
"""

from __future__ import annotations

import argparse
from dataclasses import asdict

import pyarrow as pa

from ontofetch_hookspecs import HostInfo, UsageError, add_common_options

from ..console.output import OutputOptions, add_output_options, emit
from ..console.parser import Parser
from ..errors import EXIT_FINDINGS, EXIT_OK, EventError
from .credentials import Credentials, read_header
from .given import read_date, read_globs, read_sha256, read_strip
from .manager import Plugins
from .pipeline import Pull
from .pools import add_executor, with_executor
from .request import Request, Summary
from .sources import parse_source

MANY = ("--from", "--locked")  # words that make a pull one of many


def main(argv: list[str], host: HostInfo, plugins: Plugins) -> int:
    """Pull one artifact, print a row about it, and return 0, or 3 if files of the release fail validation."""
    if any(word.partition("=")[0] in MANY for word in argv):
        from .updating.pull_many import pull_many

        return pull_many(argv, host, plugins)
    args = _parser(host).parse_args(argv)
    host = with_executor(host, args.executor)
    request = _request(args)
    options = OutputOptions.from_args(args)
    summary = Pull.run(host, plugins, request)
    emit({"pull": _table(summary)}, options=options, well=not summary.failed)
    return EXIT_FINDINGS if summary.failed else EXIT_OK


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
    _add_unpacking(parser)
    parser.add_argument(
        "--header", metavar="K:V", action="append", default=[], help="send a header, to this server only; repeatable"
    )
    parser.add_argument(
        "--header-file", metavar="FILE", help="send the headers of FILE, which a command line does not show"
    )
    _add_choices(parser)
    add_executor(parser)
    many = parser.add_argument_group("many at once, instead of SOURCE; `--from FILE --help` shows the options")
    many.add_argument("--from", dest="list", metavar="LIST", help="pull what a list names, a CSV file or JSON lines")
    many.add_argument("--locked", metavar="LOCK", help="bring exactly what a lock file names")
    add_output_options(parser, host.manager)
    add_common_options(parser)
    return parser


def _add_unpacking(parser: Parser) -> None:
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


def _add_choices(parser: Parser) -> None:
    """Add what is done, and what is left out, once the bytes are here."""
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


def _request(args: argparse.Namespace) -> Request:
    request = Request(
        source=parse_source(args.source, args.name),
        service=args.service,
        ontology=args.ontology,
        version=args.version,
        released=read_date(args.released),
        sha256=read_sha256(args.sha256),
        include=read_globs("--include", args.include),
        exclude=read_globs("--exclude", args.exclude),
        strip=read_strip(args.strip),
        portable=args.portable,
        credentials=Credentials.from_environment(args.header_file),
        headers=tuple(read_header(text, "A --header") for text in args.header),
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
