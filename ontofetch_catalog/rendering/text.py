"""How single values look to a person: hostile text made harmless, sizes, numbers, times, texts that must be short.

It knows nothing of tables, reports or the terminal they end up on.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

from ontofetch_hookspecs.characters import escape_unseen, printable

ABSENT = "-"
ELLIPSIS = "…"
HASH = re.compile(r"[0-9a-f]{64}")
HASH_SHOWN = 12  # as git and docker do: enough for `db find`, short enough for a column
SIZE_UNITS = ("KiB", "MiB", "GiB", "TiB", "PiB", "EiB")
FORMULA_STARTS = "=+-@\t\r\n\uff1d\uff0b\uff0d\uff20"  # OWASP, "CSV Injection"; the last four are full-width


def safe_text(text: object) -> str:
    r"""Return `text` with what a terminal could obey or hide written as an escape, e.g. `\x1b`, `\u202e`."""
    return printable(str(text))


def safe_name(text: object) -> str:
    """Return a name like `safe_text`, but with each backslash as two: what it shows is no other name's."""
    return printable(str(text).replace("\\", "\\\\"))


def safe_lines(text: str) -> str:
    """Return `text` like `safe_text`, but with its line ends and tabs kept."""
    return escape_unseen(text, keep="\n\t")


def human_size(size: int, *, signed: bool = False) -> str:
    """Return a number of bytes in binary units with one decimal, e.g. `12.3 MiB`; exact below 1,024 bytes."""
    amount = float(abs(size))
    sign = "-" if size < 0 else "+" if signed and size > 0 else ""
    if amount < 1024:
        return f"{sign}{abs(size)} B"
    power = 0
    # what would round to 1024.0 belongs to the next unit
    while amount >= 1023.95 and power < len(SIZE_UNITS):
        amount /= 1024
        power += 1
    return f"{sign}{amount:,.1f} {SIZE_UNITS[power - 1]}"


def whole_number(value: int, *, signed: bool = False) -> str:
    """Return `value` with thousands separators, e.g. `1,234,567`."""
    return f"{value:+,}" if signed and value else f"{value:,}"


def counted(number: int, one: str, several: str = "") -> str:
    """Return a number with what it counts, e.g. `1 file`, `1,234 files`; `several` is the plural that has no s."""
    return f"{number:,} {one if number == 1 else several or one + 's'}"


def utc_time(value: datetime | date) -> str:
    """Return a date as `2026-01-02`, a time as `2026-01-02T03:04:05Z`; a time without a zone is UTC already."""
    if not isinstance(value, datetime):
        return value.isoformat()
    if value.utcoffset() is not None:
        value = value.astimezone(UTC)
    return value.strftime("%Y-%m-%dT%H:%M:%SZ")


def shorten_middle(text: str, width: int) -> str:
    """Return `text` in at most `width` cells of a terminal, cut in the middle, with more of its end than of its start.

    The end of a path tells files apart.
    """
    from rich.cells import cell_len

    if cell_len(text) <= width:
        return text
    room = max(width - 1, 0)
    head = _fitting(text, room // 3)
    tail = _fitting(text[::-1], room - cell_len(head))[::-1]
    return f"{head}{ELLIPSIS}{tail}" if width > 0 else ""


def shorten_end(text: str, width: int) -> str:
    """Return `text` in at most `width` cells of a terminal, cut at its end."""
    from rich.cells import cell_len

    if cell_len(text) <= width:
        return text
    return _fitting(text, width - 1) + ELLIPSIS if width > 0 else ""


def _fitting(text: str, width: int) -> str:
    from rich.cells import cell_len

    end, used = 0, 0
    for ch in text:
        used += cell_len(ch)
        if used > width:
            break
        end += 1
    return text[:end]
