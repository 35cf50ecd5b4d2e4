"""The values that a user writes about a release, on a command line or in a list: dates, hashes, globs, folders.

Each is read from text, and what is wrong becomes a sentence that names where it stands.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date

from ontofetch_hookspecs import UsageError
from ontofetch_hookspecs.names import quote, unsafe_character

from .unpacked import Strip

MOST_STRIP = 100
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


def read_date(text: str | None, where: str = "--released") -> date | None:
    """Return a date that is written as 2025-09-15; None for none."""
    if text is None:
        return None
    try:
        if _DATE.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise UsageError(f"{where} is {quote(text)}, not a date.", subject=where, hint="Write it as 2025-09-15.")


def read_sha256(text: str | None, where: str = "--sha256") -> str | None:
    """Return a sha256 in small letters; None for none."""
    if text is None:
        return None
    folded = text.strip().casefold().removeprefix("sha256:")
    if not re.fullmatch(r"[0-9a-f]{64}", folded):
        raise UsageError(
            f"{where} is {quote(text)}, not 64 hex digits.", subject=where, hint="`sha256sum FILE` prints them."
        )
    return folded


def read_globs(where: str, given: Sequence[str]) -> tuple[str, ...]:
    """Return globs, each once, sorted."""
    for text in given:
        if not text or len(text) > 4096 or unsafe_character(text) is not None:
            raise UsageError(f"{where} is {quote(text)}, not a glob.", subject=where, hint="For example: *.ttl")
    return tuple(sorted(set(given)))


def read_strip(text: str, where: str = "--strip") -> Strip:
    """Return how many leading folders are taken off."""
    if text == "auto":
        return "auto"
    if text.isascii() and text.isdigit() and int(text[:4]) <= MOST_STRIP:
        return int(text)
    raise UsageError(
        f"{where} is {quote(text)}, neither auto nor a number of folders from 0 to {MOST_STRIP}.", subject=where
    )
