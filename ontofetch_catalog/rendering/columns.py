"""How one column reads: its heading, its values as cells, which are signed, coloured, cut or broken into lines."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ontofetch_hookspecs.light_dataclasses import dataclass

from . import text
from .few_rows import FewValues, Kind
from .palette import BAD, GOOD, SOFT, WORDS

if TYPE_CHECKING:
    import pyarrow as pa

MIDNIGHT = "T00:00:00Z"  # a column of days is shown as days
FREE_TEXT = ("details", "payload", "help", "meaning", "command")
SENTENCES = (
    "reason",
    "message",
    "story",
    "before",
    "after",
    "definition",
    "label",
)  # for people: broken into lines rather than cut
SIGNED = ("net", "delta", "growth")
SHARES = ("share", "rate")
HEADINGS = {"slot": "series"}  # what readers call a column whose name is older than the word


@dataclass(frozen=True, slots=True)
class Column:
    """One shown column.

    Args:
        name: Its name in the frame.
        heading: Its heading, a word or more a line.
        styles: Name of a colour, `dim` or nothing for each cell.
        right: Whether it is right-aligned.
        cut: What may be cut: `end`, `time` (the seconds), nothing; `wrap` and names, `fold`, are broken into lines.
        foreign: What words from outside it has: `text` such as names of files, `label` such as formats, or nothing.
        width: Cells of a terminal it has.
    """

    name: str
    heading: tuple[str, ...]
    cells: tuple[str, ...]
    styles: tuple[str, ...]
    right: bool
    cut: str
    foreign: str = ""
    width: int = 0


def column_of(name: str, column: pa.ChunkedArray | FewValues, heading: str, *, exact: bool) -> Column:
    """Return a column as it is shown; with `exact` sizes are in bytes instead of binary units."""
    kind = column.kind if isinstance(column, FewValues) else _kind_of(column.type)
    words = name.split("_")
    signed = any(word in words for word in SIGNED)
    values: list[object] = column.to_pylist()
    right, shortened = kind.numeric, ""
    if kind.whole and (words[-1] == "bytes" or words[0] in ("size", "bytes")) and not exact:
        words = words[:-1] if words[-1] == "bytes" and len(words) > 1 else ["size", *words[1:]]
        cells = [text.ABSENT if value is None else text.human_size(int(str(value)), signed=signed) for value in values]
    elif kind.whole:
        cells = [
            text.ABSENT if value is None else text.whole_number(int(str(value)), signed=signed) for value in values
        ]
    else:
        shortened = _cut(words, kind)
        safe = text.safe_name if shortened == "fold" else text.safe_text
        cells = [_cell(value, safe, share=words[-1] in SHARES) for value in values]
        if shortened == "time" and all(cell.endswith(MIDNIGHT) for cell in cells if cell != text.ABSENT):
            cells, shortened = [cell.removesuffix(MIDNIGHT) for cell in cells], ""
    styles = tuple(_style(value, name, signed=signed) for value in values)
    return Column(
        name,
        (text.safe_text(heading or HEADINGS.get(name) or " ".join(words)),),
        tuple(cells),
        styles,
        right,
        shortened,
        kind.foreign,
    )


def _kind_of(kind: pa.DataType) -> Kind:
    from pyarrow import types

    whole = types.is_integer(kind)
    is_text = types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind)
    is_label = types.is_dictionary(kind) and not kind.ordered
    return Kind(
        whole=whole,
        numeric=whole or types.is_floating(kind) or types.is_decimal(kind),
        temporal=types.is_temporal(kind),
        moment=types.is_timestamp(kind),
        foreign="text" if is_text else "label" if is_label else "",
    )


def _cut(words: list[str], kind: Kind) -> str:
    if kind.temporal:
        return "time" if kind.moment else ""
    if kind.numeric:
        return ""
    if words[-1] in SENTENCES:
        return "wrap"
    # what one may have to type is never cut
    return "end" if words[-1] in FREE_TEXT else "fold"


def _cell(value: object, safe: Callable[[object], str], *, share: bool) -> str:
    from datetime import date, datetime

    if value is None:
        return text.ABSENT
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.1%}" if share else f"{value:,.1f}"
    if isinstance(value, date | datetime):
        return text.utc_time(value)
    shown = safe(value)
    return shown[: text.HASH_SHOWN] if text.HASH.fullmatch(shown) else shown


def _style(value: object, name: str, *, signed: bool) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        if signed and value:
            return GOOD if value > 0 else BAD
        return BAD if value and name.partition("_")[0] in ("failed", "failures", "regressed") else ""
    if name == "passed" and isinstance(value, bool):
        return GOOD if value else BAD
    return SOFT if value is None else WORDS.get(str(value), "")
