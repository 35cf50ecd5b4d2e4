"""What commands print: the options of output, rows for people or as data, messages for people.

Rows go to stdout or to the file of `--out`, everything else to stderr; it does not know where the rows come from.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import UsageError
from ..rendering.text import safe_lines, safe_text
from .destination import STDOUT, check_destination, descriptor_of, is_special, write_file

if TYPE_CHECKING:
    import polars as pl

    from ontofetch_hookspecs.events import Table

    from ..rendering.cells import Look

__all__ = [
    "FORMATS",
    "OutputOptions",
    "Page",
    "add_output_options",
    "emit",
    "safe_text",
    "save",
    "say",
    "say_lines",
]

FORMATS = ("table", "json", "jsonl", "csv", "parquet", "markdown", "html")
ENDINGS = {f".{name}": name for name in FORMATS if name != "table"} | {
    ".ndjson": "jsonl", ".md": "markdown", ".htm": "html", ".txt": "table"
}  # fmt: skip
DOCUMENTS = ("markdown", "html")
TABLE_ROWS = 20
MOST_ROWS = 1 << 31  # more than a frame can have
COLUMNS = re.compile("0{0,9}[1-9][0-9]{0,5}")
UNLIMITED = 1_000_000  # cells: a pipe has no width, and a cut path is of no use to the next program


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputOptions:
    """How rows are printed.

    Args:
        format: One of FORMATS.
        out: File to write instead of stdout.
        top: Most rows of each section; None: 20 in a table, else all.
        bytes: Whether a table shows exact sizes.
        profile: Whether the command tells its plans and timings on stderr.
    """

    format: str = "table"
    out: Path | None = None
    top: int | None = None
    bytes: bool = False
    profile: bool = False

    @classmethod
    def from_args(cls, args: argparse.Namespace) -> OutputOptions:
        """Return the options that `add_output_options` put into `args`; to be called before the work is done.

        Without a format the ending of `--out` says it, else it is a table.

        Raises:
            UsageError: The ending says no format, or the file of `--out` is none.
            OntofetchError: It can't be written.
        """
        out = Path(args.out) if args.out and args.out != "-" else None
        if out is not None and descriptor_of(out) == STDOUT:
            out = None
        by_ending = "table" if out is None or args.format else _format_of(out)
        if out is not None:
            check_destination(out)
        return cls(format=args.format or by_ending, out=out, top=args.top, bytes=args.bytes, profile=args.profile)

    @property
    def rows(self) -> int | None:
        """Return the most rows of a section, None for all."""
        return TABLE_ROWS if self.top is None and self.format == "table" else self.top


def _format_of(out: Path) -> str:
    """Return the format that the ending of a file says; a table where it has none, or is a pipe or a device."""
    ending = out.suffix.casefold()
    if ending and ending not in ENDINGS and not is_special(out):
        known = f"{', '.join(sorted(ENDINGS))}"
        raise UsageError(
            f"{safe_text(out)} ends in {safe_text(ending)}, and no format is written under that ending.",
            subject=str(out),
            hint=f"End it in one of {known}, or choose by --format.",
        )
    return ENDINGS.get(ending, "table")


@dataclass(frozen=True, slots=True)
class Page:
    """What a page of html has beside the rows.

    Args:
        title: Its title.
        pictures: Returns SVG; called only for a page.
    """

    title: str = "ontofetch"
    pictures: Callable[[], Sequence[str]] = tuple


PLAIN = Page()


def add_output_options(parser: argparse.ArgumentParser) -> None:
    """Add `--format`, `--json`, `--out`, `--top`, `--bytes` and `--profile` to `parser`."""
    group = parser.add_argument_group("output")
    group.add_argument(
        "--format", choices=FORMATS, help="how rows are printed (default: table, or the ending of --out)"
    )
    group.add_argument("--json", dest="format", action="store_const", const="json", help="short for --format json")
    group.add_argument("--out", metavar="FILE", help="write the rows to FILE instead of stdout (-)")
    group.add_argument(
        "--top", metavar="N", type=_count, help=f"at most N rows (default: {TABLE_ROWS} in a table, else all)"
    )
    group.add_argument("--bytes", action="store_true", help="exact sizes in tables")
    group.add_argument("--profile", action="store_true", help="tell plans and timings on stderr")


def _count(text: str) -> int:
    digits = text.lstrip("0")
    number = 0 if not (text.isascii() and text.isdigit()) else int(digits or "0") if len(digits) < 10 else MOST_ROWS
    if number < 1:
        raise argparse.ArgumentTypeError(f"{safe_text(text)!r} is not a whole number from 1 on")
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
) -> None:
    """Print `sections` (name → table, the main one first) as `options` say.

    Args:
        sections: Anything with `__arrow_c_stream__`; times without a zone are UTC.
        options: The format, the file, the number of rows.
        parameters: What the rows answer; part of the json.
        titles: Name of a section → its heading in a table; a lone section has none unless it is named here.
        look: What else a table shows or leaves out; instead of `titles`.
        page: What a page of html has beside the rows.
        nothing: What is said of a lone table without rows, of which nothing is printed.

    Raises:
        UsageError: Parquet would go to a terminal.
        OntofetchError: The file of `--out` can't be written.
    """
    from ..rendering.encode import to_frame
    from ..rendering.styles import style_of

    frames = {name: to_frame(table) for name, table in sections.items()}
    look = look or style_of(sections, titles or {})
    if options.format == "table":
        drawn = _as_text(frames, options, look)
        _write_text(drawn, options)
        if nothing and not drawn:
            say(nothing)
        return
    if options.format in DOCUMENTS:
        _write_text(_as_document(frames, options, look, parameters or {}, page), options)
        return
    kept = {name: look.cut(name, frame, options.rows) for name, frame in frames.items()}
    _write_data(kept, options, parameters or {})


def _as_text(frames: Mapping[str, pl.DataFrame], options: OutputOptions, look: Look) -> str:
    from ..rendering.tables import draw

    width = shutil.get_terminal_size((UNLIMITED, 0)).columns if options.out is None else _columns()
    colour = options.out is None and _wants_colour()
    return draw(frames, look, rows=options.rows, exact=options.bytes, width=width, colour=colour)


def _as_document(
    frames: Mapping[str, pl.DataFrame],
    options: OutputOptions,
    look: Look,
    parameters: Mapping[str, object],
    page: Page,
) -> str:
    if options.format == "markdown":
        from ..rendering.markdown import as_markdown

        return as_markdown(frames, look, rows=options.rows, exact=options.bytes)
    from ..rendering.pages import as_page

    return as_page(
        frames, look, title=page.title, parameters=parameters, pictures=page.pictures(), rows=options.rows,
        exact=options.bytes,
    )  # fmt: skip


def _columns() -> int:
    text = os.environ.get("COLUMNS", "")
    return int(text) if COLUMNS.fullmatch(text) else UNLIMITED


def _wants_colour() -> bool:
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _write_data(frames: Mapping[str, pl.DataFrame], options: OutputOptions, parameters: Mapping[str, object]) -> None:
    from ..rendering import encode

    main = next(iter(frames.values()))
    if options.format == "json":
        data = encode.as_json(frames, parameters)
    elif options.format == "jsonl":
        data = encode.as_jsonl(main)
    elif options.format == "csv":
        data = encode.as_csv(main)
    else:
        data = encode.as_parquet(main)
    if options.out is not None:
        save(options.out, data)
    elif options.format == "parquet" and sys.stdout.isatty():
        raise UsageError(
            "Parquet is binary and this is a terminal.", subject="--format", hint="Add --out FILE.parquet."
        )
    elif sys.stdout.isatty():
        _write_stdout(safe_lines(data.decode()).encode())
    else:
        _write_stdout(data)


def _write_text(text: str, options: OutputOptions) -> None:
    if options.out is not None:
        save(options.out, text.encode())
    else:
        # a terminal that can't show a letter gets a question mark, not a traceback
        _write_stdout(text.encode(sys.stdout.encoding or "utf-8", "replace"))


def save(path: Path, data: bytes) -> None:
    """Write `data` to a file, a pipe or a device that a user named; say so of a file.

    Raises:
        UsageError: There is something else.
        OntofetchError: It can't be written.
    """
    if write_file(path, data):
        say(f"Wrote {safe_text(path)}.")


def _write_stdout(data: bytes) -> None:
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        # the reader (`head`, a pager) has seen enough; the interpreter must not complain at exit either
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def say(message: object) -> None:
    """Print one line for people to stderr."""
    sys.stderr.write(safe_text(message) + "\n")
    sys.stderr.flush()


def say_lines(text: str) -> None:
    """Print lines for people to stderr, such as a plan."""
    sys.stderr.write(safe_lines(text) + "\n")
    sys.stderr.flush()
