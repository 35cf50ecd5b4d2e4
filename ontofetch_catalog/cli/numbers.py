"""How amounts are written on the command line: lengths of time and shares, as argparse types."""

from __future__ import annotations

import argparse
import re

from ontofetch_hookspecs.names import quote

_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_PART = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)([smhdw])")


def duration(text: str) -> float:
    """Return a length of time in seconds: `90s`, `10m`, `1h30m`, `30d`, `2w`."""
    parts = _PART.findall(text)
    seconds = sum(float(number) * _UNITS[unit] for number, unit in parts)
    if "".join(number + unit for number, unit in parts) != text or not seconds:
        raise argparse.ArgumentTypeError(f"{quote(text)} is no length of time; write 90s, 10m, 1h30m, 30d or 2w")
    return seconds


def share(text: str) -> float:
    """Return a share between 0 and 1, written `5%`, `0.5%` or `100%`."""
    found = re.fullmatch(r"(\d{1,3}(?:\.\d{1,4})?)%", text)
    percent = float(found[1]) if found else 0.0
    if not 0 < percent <= 100:
        raise argparse.ArgumentTypeError(f"{quote(text)} is no share; write 5%, 0.5% or 100%")
    return percent / 100


def whole(text: str) -> int:
    """Return a whole number from 0 on."""
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise argparse.ArgumentTypeError(f"{quote(text)} is not a whole number from 0 on")
    return int(text)
