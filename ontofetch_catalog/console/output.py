"""What commands print: the options of output, rows in the format that was asked for, messages for people.

Rows go to stdout or to the file of `--out`, everything else to stderr; it does not know where the rows come from.
"""

from __future__ import annotations

import argparse
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, TypeGuard

from ontofetch_hookspecs.light_dataclasses import dataclass
from ontofetch_hookspecs.names import quote

from ..errors import UsageError
from ..rendering.exporters import TABLE_ROWS
from ..rendering.text import safe_lines, safe_text
from .destination import STDOUT, check_destination, descriptor_of, is_special, write_file
from .formats import BUILT_IN, DEFAULT, Formats, find_formats
from .quiet import is_quiet
from .terminal import harmless, wants_colour, width_of, write_stdout
from .told_commands import with_store

if TYPE_CHECKING:
    import pluggy
    import polars as pl

    from ontofetch_hookspecs import Look
    from ontofetch_hookspecs.columns import Table

__all__ = [
    "OutputOptions",
    "Page",
    "add_output_options",
    "emit",
    "get_ready",
    "parse",
    "print_document",
    "save",
    "say",
    "say_lines",
    "warn",
]

MOST_ROWS = 1 << 31  # more than a frame can have


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputOptions:
    """How rows are printed.

    Args:
        format: Name of a format.
        out: File to write instead of stdout.
        top: Most rows of each section; None: as many as the format shows, 20 in a table.
        bytes: Whether a table shows exact sizes.
        asked: Whether the format or the file was named: then the rows are wanted, also with `-q`.
        profile: Whether the command tells its plans and timings on stderr.
        formats: The formats that there are.
    """

    format: str = DEFAULT
    out: Path | None = None
    top: int | None = None
    bytes: bool = False
    asked: bool = False
    profile: bool = False
    formats: Formats = field(default_factory=lambda: find_formats(None))

    @classmethod
    def from_args(cls, args: argparse.Namespace) -> OutputOptions:
        """Return the options that `add_output_options` put into `args`; to be called before the work is done.

        Without a format the ending of `--out` says it, else it is a table.

        Raises:
            UsageError: There is no such format, the ending says none, or the file of `--out` is none.
            OntofetchError: It can't be written.
        """
        formats: Formats = args.formats
        out = Path(args.out) if args.out and args.out != "-" else None
        if out is not None and descriptor_of(out) == STDOUT:
            out = None
        by_ending = None if out is None or args.format or is_special(out) else formats.of_ending(out)
        name = args.format or by_ending or DEFAULT
        formats.find(name)
        if out is not None:
            check_destination(out)
        asked = bool(args.format or args.out)
        return cls(
            format=name, out=out, top=args.top, bytes=args.bytes, asked=asked, profile=args.profile, formats=formats
        )


@dataclass(frozen=True, slots=True)
class Page:
    """What a page of html has beside the rows.

    Args:
        pictures: Returns SVG; called only for a page.
    """

    title: str = "ontofetch"
    pictures: Callable[[], Sequence[str]] = tuple


PLAIN = Page()


def add_output_options(parser: argparse.ArgumentParser, manager: pluggy.PluginManager | None = None) -> None:
    """Add `--format`, `--json`, `--out`, `--top`, `--bytes` and `--profile` to `parser`.

    Args:
        parser: Of a command.
        manager: The host's, whose plugins say which formats there are; None: those that are built in.
    """
    formats = find_formats(manager)
    parser.set_defaults(formats=formats)
    group = parser.add_argument_group("output")
    group.add_argument(
        "--format",
        metavar=f"{{{','.join(formats.exporters)}}}",
        help="how rows are printed (default: table, or the ending of --out)",
    )
    group.add_argument("--json", dest="format", action="store_const", const="json", help="short for --format json")
    group.add_argument("--out", metavar="FILE", help="write the rows to FILE instead of stdout (-)")
    group.add_argument(
        "--top", metavar="N", type=_count, help=f"at most N rows (default: {TABLE_ROWS} in a table, else all)"
    )
    group.add_argument("--bytes", action="store_true", help="exact sizes in tables")
    group.add_argument("--profile", action="store_true", help="tell plans and timings on stderr")


def parse(parser: argparse.ArgumentParser, argv: Sequence[str]) -> tuple[argparse.Namespace, OutputOptions]:
    """Return the values of the words, and how rows are printed; raises as `OutputOptions.from_args` does."""
    args = parser.parse_args(argv)
    return args, OutputOptions.from_args(args)


def get_ready(options: OutputOptions) -> None:
    """Begin to import what draws coloured tables, beside whatever brings the rows, if such a one it is to be."""
    if options.format == DEFAULT and options.out is None and wants_colour():
        threading.Thread(target=import_module, args=("rich.console",), name="import").start()


def _count(text: str) -> int:
    digits = text.lstrip("0")
    number = 0 if not (text.isascii() and text.isdigit()) else int(digits or "0") if len(digits) < 10 else MOST_ROWS
    if number < 1:
        raise argparse.ArgumentTypeError(f"{quote(text)} is not a whole number from 1 on")
    return min(number, MOST_ROWS)


def emit(
    sections: Mapping[str, Table],
    *,
    options: OutputOptions,
    parameters: Mapping[str, object] | None = None,
    titles: Mapping[str, str] | None = None,
    look: Look | None = None,
    page: Page = PLAIN,
    nothing: str = "",
    well: bool = False,
) -> None:
    """Print `sections` (name → table, the main one first) as `options` say.

    Args:
        sections: Anything with `__arrow_c_stream__`; times without a zone are UTC.
        options: The format, the file, the number of rows.
        parameters: What the rows answer; part of the json.
        titles: Name of a section → its heading in a table; a lone section has none unless it is named here.
        look: What else a table shows or leaves out; instead of `titles`.
        page: What a page of html has beside the rows.
        nothing: What is said where nothing is printed, as of a lone table without rows.
        well: Whether the rows tell no more than that all went well: `-q` leaves them out, unless a format or a file
            is named.

    Raises:
        UsageError: What is binary would go to a terminal, or there is no such format.
        PluginFailed: The format failed.
        OntofetchError: The file of `--out` can't be written.
    """
    if well and is_quiet() and not options.asked:
        return
    from ..rendering.styles import style_of

    _, exporter = options.formats.find(options.format)
    if exporter.binary and options.out is None and sys.stdout.isatty():
        raise UsageError(
            f"{exporter.name.capitalize()} is binary and this is a terminal.",
            subject="--format",
            hint=f"Add --out FILE{next(iter(exporter.endings), '')}.",
        )
    data = _encode(sections, options, parameters or {}, look or style_of(sections, titles or {}), page)
    if nothing and not data:
        say(nothing)
    if options.out is not None:
        save(options.out, data)
    elif sys.stdout.isatty():
        write_stdout(harmless(data, colours=exporter.colours))
    else:
        write_stdout(data)


def _encode(
    sections: Mapping[str, Table], options: OutputOptions, parameters: Mapping[str, object], look: Look, page: Page
) -> bytes:
    """Return what the format that was asked for makes of the sections."""
    from ontofetch_hookspecs import ExportOptions, ask_contribution

    from ..rendering.cells import cut, drawable, to_rows

    plugin, exporter = options.formats.find(options.format)
    # a few rows of Python are drawn as they are by our own table; other formats get Arrow
    arrow = drawable if (plugin, exporter.name) == (BUILT_IN, DEFAULT) else to_rows
    # a frame of Polars stays one, with its own types; nobody imports Polars for anything else
    frames = {name: table if _is_frame(table) else arrow(table) for name, table in sections.items()}
    asked = ExportOptions(
        title=page.title,
        parameters=parameters,
        top=options.top,
        totals={name: len(frame) for name, frame in frames.items()},
        exact=options.bytes,
        width=width_of(options.out),
        colour=exporter.colours and options.out is None and wants_colour(),
        look=look,
        pictures=page.pictures,
    )
    kept: dict[str, Table] = {name: cut(look, name, frame, options.top) for name, frame in frames.items()}
    return ask_contribution(plugin, f"its format {exporter.name}", exporter.target, kept, asked, read=_as_bytes)


def _is_frame(table: object) -> TypeGuard[pl.DataFrame]:
    polars = sys.modules.get("polars")
    return polars is not None and isinstance(table, polars.DataFrame)


def _as_bytes(data: object) -> bytes:
    if not isinstance(data, bytes):
        raise TypeError(f"a {type(data).__name__} was returned, not bytes")
    return data


def save(path: Path, data: bytes) -> None:
    """Write `data` to a file, a pipe or a device that a user named; say so of a file.

    Raises:
        UsageError: There is something else.
        OntofetchError: It can't be written.
    """
    if write_file(path, data):
        say(f"Wrote {safe_text(path)}.")


def print_document(data: bytes) -> None:
    """Write a document to stdout; a terminal gets nothing that it would obey."""
    write_stdout(harmless(data, colours=False) if sys.stdout.isatty() else data)


def say(message: object) -> None:
    """Print one line for people to stderr, unless they want to hear only of what is wrong."""
    if not is_quiet():
        warn(message)


def warn(message: object) -> None:
    """Print one line for people to stderr, also with `-q`: of something that is wrong, or that is asked of them."""
    sys.stderr.write(safe_text(with_store(str(message))) + "\n")
    sys.stderr.flush()


def say_lines(text: str) -> None:
    """Print lines for people to stderr that they asked for, such as a plan."""
    sys.stderr.write(safe_lines(text) + "\n")
    sys.stderr.flush()
