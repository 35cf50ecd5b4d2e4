"""`ontofetch add`: name the source of a series once, by looking at a document or asking a registry."""

from __future__ import annotations

import argparse
import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pyarrow as pa

from ontofetch_hookspecs import HostInfo, UsageError, add_common_options
from ontofetch_hookspecs.names import SEGMENT, quote
from ontofetch_hookspecs.redaction import redact_url
from ontofetch_hookspecs.store_paths import StorePath, make_root

from ...console.destination import write_below, write_file
from ...console.output import OutputOptions, add_output_options, emit, say, say_lines
from ...console.parser import Parser
from ...errors import EXIT_OK
from ...guesses import perhaps
from ...named_files import open_named
from ...series_file import Part, Series, as_toml, read_series_file
from ...settings_file import CONFIG_FILE
from ..credentials import Credentials
from ..manager import Plugins
from .asking import Asker
from .documents import head_of

_SCHEME = re.compile(r"([a-z][a-z0-9-]{1,30}):(?!/).+")
_PREFIX = re.compile(r"[A-Za-z][A-Za-z0-9._-]*")
_OBO = ("purl.obolibrary.org", "/obo/")


def main(argv: list[str], host: HostInfo, plugins: Plugins) -> int:
    """Write an entry into the sources file, and print what was found."""
    args, options = _arguments(argv, host, plugins)
    credentials = Credentials.from_environment(args.header_file)
    asker = Asker(host, plugins, credentials)
    series, found = _series(args, host, asker, credentials)
    text = as_toml(series)
    if args.dry_run:
        say_lines(text)
    else:
        _write(host, args.sources, series, text)
    row = {
        "series": series.name,
        "source": series.source or redact_url(series.parts[0].url),
        "version": found or None,
        "how": series.version or ("source" if series.source and found else "from-document"),
        "added": not args.dry_run,
    }
    emit({"added": pa.Table.from_pylist([row])}, options=options, well=not args.dry_run)
    if not args.dry_run:
        say(f"Pull it with `{host.name} update {series.name}`.")
    return EXIT_OK


def _releases(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text)):
        raise argparse.ArgumentTypeError(f"{quote(text)} is not a number of releases, from 1 on")
    return int(text)


def _arguments(argv: list[str], host: HostInfo, plugins: Plugins) -> tuple[argparse.Namespace, OutputOptions]:
    schemes = Asker(host, plugins, Credentials()).schemes.values()
    width = max((len(f"{one.name}:{one.example}") for one in schemes), default=0) + 2
    parser = Parser(
        f"{host.name} add",
        "Name the source of a series once, so that `update` asks it. SOURCE is an address, a file, or one of:\n\n"
        + "\n".join(f"  {f'{one.name}:{one.example}':<{width}}{one.help}" for one in schemes)
        + "\n\nA bare prefix, such as hp, is looked up in the Bioregistry.",
        f"{host.name} add obo:hp; {host.name} add https://example.org/go.owl --service example --ontology go",
    )
    parser.add_argument("source", metavar="SOURCE", help="where the releases come from")
    parser.add_argument("--service", metavar="S", help="how the service is called (default: what SOURCE says)")
    parser.add_argument("--ontology", metavar="O", help="how the ontology is called (default: what SOURCE says)")
    parser.add_argument(
        "--version", metavar="HOW", help="from-document, from-header, from-url[:REGEX], date, or a version"
    )
    parser.add_argument("--keep", metavar="N", type=_releases, help="how many releases `db prune` leaves")
    parser.add_argument(
        "--files", metavar="GLOB", action="append", default=[], help="which files of a registry's version"
    )
    parser.add_argument("--sources", metavar="FILE", help="the sources file (default: ontofetch.toml of the store)")
    parser.add_argument("--header-file", metavar="FILE", help="send the headers of FILE")
    parser.add_argument("--dry-run", action="store_true", help="show the entry, write nothing")
    add_output_options(parser, host.manager)
    add_common_options(parser)
    args = parser.parse_args(argv)
    return args, OutputOptions.from_args(args)


def _series(
    args: argparse.Namespace, host: HostInfo, asker: Asker, credentials: Credentials
) -> tuple[Series, str | None]:
    """Return the entry, and the version that was found on the way."""
    text = args.source
    if not asker.is_name(text) and not os.path.exists(text):
        scheme = _SCHEME.fullmatch(text)
        if scheme is not None and scheme[1] != "file":
            raise UsageError(
                f"There is no scheme {quote(scheme[1])}.",
                subject=text,
                hint=f"{perhaps(scheme[1], asker.schemes)}There are: {', '.join(f'{one}:' for one in asker.schemes)}",
            )
        if _PREFIX.fullmatch(text) and "." not in text:
            text = f"bioregistry:{text}"
    shared = {"version": args.version or "", "keep": args.keep, "files": tuple(sorted(set(args.files)))}
    if asker.is_name(text):
        scheme_name, _, name = text.partition(":")
        listing = asker.ask(text)
        pinned = args.version if args.version and not args.version.startswith(("from-", "date")) else ""
        found = listing.newest(pinned)
        listing.files(found, shared["files"])
        if scheme_name == "bioregistry":
            # who publishes it is a better name than who knows where it is
            scheme_name = _names_of(listing.versions[0].url)[0] or scheme_name
        service, ontology = args.service or scheme_name, args.ontology or _last_name(name)
        return _checked(args, Series(service=service, ontology=ontology, source=text, **shared)), found
    head = head_of(text, host, credentials)
    service, ontology = _names_of(head.address)
    series = Series(
        service=args.service or service,
        ontology=args.ontology or ontology,
        parts=(Part(url=head.address),),
        **shared,
    )
    if not series.version:
        series = replace(series, version=head.how)
    return _checked(args, series), head.version


def _checked(args: argparse.Namespace, series: Series) -> Series:
    """Return an entry whose names can be those of a series.

    Raises:
        UsageError: They can't be, or nothing says them.
    """
    for option, name in (("--service", series.service), ("--ontology", series.ontology)):
        if not name or not SEGMENT.fullmatch(name):
            told = f"{quote(name)} can't be one" if name else f"{quote(redact_url(args.source))} does not say one"
            raise UsageError(f"A name is missing: {told}.", subject=option, hint=f"Give one with {option}.")
    return series


def _last_name(name: str) -> str:
    last = name.rstrip("/").rpartition("/")[2].partition("@")[0] or name
    return re.sub(r"\.(owl|obo|ttl)$", "", last) if SEGMENT.fullmatch(last) else ""


def _names_of(address: str) -> tuple[str, str]:
    """Return what the service and the ontology of an address could be called; empty where that can't be told."""
    parts = urlsplit(address)
    host, path = parts.hostname or "", parts.path
    stem = path.rpartition("/")[2].partition(".")[0]
    ontology = stem.casefold() if SEGMENT.fullmatch(stem) else ""
    if host == _OBO[0] and path.startswith(_OBO[1]):
        return "obo", path.removeprefix(_OBO[1]).split("/")[0].partition(".")[0].casefold()
    labels = [label for label in host.split(".") if label]
    # the name before the ending: `example` of data.example.org; an address of numbers has none
    named = len(labels) > 1 and not labels[-1].isdigit()
    return (labels[-2] if named else "" if host else "local"), ontology


def _write(host: HostInfo, named: str | None, series: Series, text: str) -> None:
    with _alone(host.root) as place:
        known = read_series_file(host.root, named if named is None or os.path.exists(named) else None)
        if named is not None and not os.path.exists(named):
            known = replace(known, path=quote(named), series={})
        if series.name in known.series:
            raise UsageError(
                f"{known.path} names {series.name} already.",
                subject=series.name,
                hint="Change its entry there, or give this one another name with --service and --ontology.",
            )
        former = _bytes_of(place, named)
        data = former + (b"" if not former else b"\n" if former.endswith(b"\n") else b"\n\n") + text.encode()
        if named is None:
            write_below(place, data)
        else:
            write_file(Path(named), data)
    say(f"Wrote {series.name} into {known.path}.")


@contextmanager
def _alone(root: Path) -> Iterator[StorePath]:
    """Give the sources file of a store while nobody else adds to it."""
    make_root(root)
    folder = StorePath(root, "").open_folder()
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield StorePath(root, CONFIG_FILE)
    finally:
        os.close(folder)


def _bytes_of(place: StorePath, named: str | None) -> bytes:
    try:
        if named is None:
            return place.read_bytes()
        with open_named(named) as stream:
            return stream.read()
    except FileNotFoundError:
        return b""
