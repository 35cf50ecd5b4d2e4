"""Own `ontofetch pull`: its options, and the row it prints."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from datetime import date

from ontofetch_hookspecs import HostInfo, UsageError, Validator, add_common_options
from ontofetch_hookspecs.names import check_segment, quote, unsafe_character

from ..cli.output import OutputOptions, add_output_options, emit, say
from ..errors import EXIT_FINDINGS, EXIT_OK
from .extract import Strip
from .fetch import parse_source
from .manager import Plugins
from .pipeline import Pull, Request, all_validators


def main(argv: list[str], host: HostInfo, plugins: Plugins) -> int:
    """Pull one artifact and return 0, or 3 if files fail validation."""
    import pyarrow as pa

    args = _parser(host.name).parse_args(argv)
    request = _request(args)
    contributed = tuple(item for _, item in plugins.each("register_validators") if isinstance(item, Validator))
    summary = Pull(host, request, all_validators(contributed)).run()
    emit({"pull": pa.Table.from_pylist([asdict(summary)])}, options=OutputOptions.from_args(args))
    if summary.failed:
        say(f"{summary.failed:,} files fail validation; `{host.name} report validation` shows which.")
        return EXIT_FINDINGS
    return EXIT_OK


def _parser(name: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=f"{name} pull",
        description="Fetch one artifact of a release, unpack it, validate it, record it, and point latest at it.",
        epilog=f"example: {name} pull https://example.org/hp.obo --service obo --ontology hp --version 2025-09-15",
        allow_abbrev=False,
    )
    parser.add_argument("source", metavar="SOURCE", help="a file, a file: or an http(s): URL")
    parser.add_argument("--service", required=True, metavar="S", help="where it comes from, e.g. obo")
    parser.add_argument("--ontology", required=True, metavar="O", help="which ontology, e.g. hp")
    parser.add_argument("--version", required=True, metavar="V", help="which release, e.g. 2025-09-15")
    parser.add_argument("--released", metavar="DATE", help="its release date, e.g. 2025-09-15")
    parser.add_argument("--sha256", metavar="H", help="refuse anything but these bytes")
    parser.add_argument(
        "--include", metavar="GLOB", action="append", default=[], help="unpack only what matches; * crosses /"
    )
    parser.add_argument(
        "--strip",
        metavar="auto|0|N",
        default="auto",
        help="leading folders to take off (default: auto, one that all share)",
    )
    parser.add_argument("--header", metavar="K:V", action="append", default=[], help="send a header, to this host only")
    parser.add_argument("--replace", action="store_true", help="take other bytes under a recorded version")
    parser.add_argument("--no-validate", action="store_true", help="do not validate")
    parser.add_argument("--no-set-latest", action="store_true", help="leave the latest pointer alone")
    parser.add_argument("--accept-failures", action="store_true", help="set latest although files fail validation")
    add_output_options(parser)
    add_common_options(parser)
    return parser


def _request(args: argparse.Namespace) -> Request:
    for field in ("service", "ontology", "version"):
        check_segment(field, getattr(args, field))
    return Request(
        source=parse_source(args.source),
        service=args.service,
        ontology=args.ontology,
        version=args.version,
        released=_date(args.released),
        sha256=_sha256(args.sha256),
        include=tuple(args.include),
        strip=_strip(args.strip),
        headers=dict(_header(text) for text in args.header),
        replace=args.replace,
        validate=not args.no_validate,
        set_latest=not args.no_set_latest,
        accept_failures=args.accept_failures,
    )


def _date(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise UsageError(
            f"--released is {quote(text)}, not a date.", subject="--released", hint="Write 2025-09-15."
        ) from error


def _sha256(text: str | None) -> str | None:
    if text is None:
        return None
    folded = text.strip().casefold().removeprefix("sha256:")
    if len(folded) != 64 or set(folded) - set("0123456789abcdef"):
        raise UsageError(f"--sha256 is {quote(text)}, not 64 hex digits.", subject="--sha256")
    return folded


def _strip(text: str) -> Strip:
    if text == "auto":
        return "auto"
    if text.isascii() and text.isdigit() and int(text) <= 100:
        return int(text)
    raise UsageError(f"--strip is {quote(text)}, neither auto nor a number of folders.", subject="--strip")


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon or not name.strip() or unsafe_character(text) is not None:
        # the value may be a secret, so it is not repeated here
        raise UsageError(f"--header {quote(name)} is not of the form 'Name: value'.", subject="--header")
    return name.strip(), value.strip()
