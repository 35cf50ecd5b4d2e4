"""The name of a version inside of what an ontology says of itself: an IRI, or a text written for people.

What comes out is a legal name of a version, or nothing; what goes in may be anything.
"""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, unquote, urlsplit

from ontofetch_hookspecs.errors import EventError
from ontofetch_hookspecs.names import check_segment

_MOST = 2000  # characters that are looked at
_ENDINGS = "owl|obo|ttl|rdf|rdfs|xml|json|jsonld|ofn|omn|owx|nt|nq|trig|n3|html?|zip|gz|bz2|xz|zst|tar|tgz"
_ENDING = re.compile(rf"(?:\.(?:{_ENDINGS}))+$", re.IGNORECASE)
_DATE = r"[12][0-9]{3}[-_.][01]?[0-9][-_.][0-3]?[0-9](?![0-9])|[0-3][0-9]\.[01][0-9]\.[12][0-9]{3}(?![0-9])"
_NUMBERS = r"v?[0-9]+(?:\.[0-9]+)+(?:[-._+~]?[A-Za-z]+(?:[-._]?[0-9]+)?)*"
_IN_TEXT = re.compile(rf"(?<![A-Za-z0-9.])(?:{_DATE}|{_NUMBERS})", re.ASCII)
_COUNTED = re.compile(r"\b(?:version|release|rev|v)[ .:#-]{0,3}([0-9]{1,12})(?![0-9])", re.IGNORECASE | re.ASCII)
_WHOLE = re.compile(r"(?:v|ver|version|rel|release)?[-_.]?[0-9][A-Za-z0-9._+~-]*", re.IGNORECASE | re.ASCII)
_AT_END = re.compile(rf"[-_.]({_DATE}|[12][0-9]{{7}}|{_NUMBERS})$", re.ASCII)
_INTEGER = re.compile(r"[0-9]{1,12}")
_DAY = re.compile(r"([12][0-9]{3})/([01]?[0-9])/([0-3]?[0-9])(?=/|$)")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = "|".join(_MONTHS)
_DAY_OF_MONTH = r"[0-3]?[0-9](?:st|nd|rd|th)?"
_IN_WORDS = re.compile(
    rf"\b(?:({_DAY_OF_MONTH}) +({_MONTH})[a-z]*\.?|({_MONTH})[a-z]*\.? +({_DAY_OF_MONTH})),? +([12][0-9]{{3}})\b",
    re.IGNORECASE | re.ASCII,
)
_WITH_SLASHES = re.compile(r"([0-3]?[0-9])/([0-3]?[0-9])/([12][0-9]{3})(?![0-9])", re.ASCII)
_LEADERS = ("version", "versions", "release", "releases", "v")


def version_in_iri(iri: str) -> str | None:
    """Return the version that an IRI names, e.g. `2025-09-15` of `…/hp/releases/2025-09-15/hp.owl`; None if none."""
    try:
        parts = urlsplit(iri[:_MOST].strip())
        told = dict(parse_qsl(parts.query, max_num_fields=20))
    except ValueError:
        return None
    for text in (unquote(parts.fragment), *(told.get(name, "") for name in ("version", "release", "v"))):
        if _WHOLE.fullmatch(text) and (name := _legal(text)):
            return name
    path = unquote(parts.path)
    return _version_in_path(path.replace(":", "/") if parts.scheme == "urn" else path)


def version_in_text(text: str) -> str | None:
    """Return the version that a text names, e.g. `1.2` of `Version 1.2 (draft)`; None if none."""
    text = text[:_MOST].strip()
    if found := _WITH_SLASHES.match(text):
        return _day_with_slashes(int(found[1]), int(found[2]), found[3])
    if " " not in text:
        name = version_in_iri(text) if "://" in text else _version_in_path(text) if "/" in text else None
        if name or "://" in text:
            return name
    if any(letter.isdigit() for letter in text) and (name := _legal(text)):
        return name
    return _version_among_words(text)


def _version_among_words(text: str) -> str | None:
    if found := _IN_TEXT.search(text):
        return _legal(found[0])
    if found := _IN_WORDS.search(text):
        month = _MONTHS.index((found[2] or found[3]).lower()) + 1
        day = int((found[1] or found[4]).rstrip("stndrhSTNDRH"))
        return _legal(f"{found[5]}-{month:02}-{day:02}")
    found = _COUNTED.search(text)
    return _legal(found[1]) if found else None


def _day_with_slashes(first: int, second: int, year: str) -> str | None:
    """Return a day as `2015-10-21`; None where nobody can tell the month from the day."""
    if first > 12 >= second or first == second:
        first, second = second, first
    elif first <= 12 and second <= 12:
        return None
    return f"{year}-{first:02}-{second:02}" if 1 <= first <= 12 and 1 <= second <= 31 else None


def _version_in_path(path: str) -> str | None:
    days = list(_DAY.finditer(path))
    day = days[-1] if days else None
    segments = [segment for segment in path.split("/") if segment]
    for position in range(len(segments) - 1, -1, -1):
        is_last = position == len(segments) - 1
        whole = segments[position]
        bare = _ENDING.sub("", whole) if is_last else whole
        if _INTEGER.fullmatch(bare):
            # a number inside of a path may be anything: a year of its namespace, say
            leader = segments[position - 1].lower() if position else ""
            near_end = position >= len(segments) - 2 and day is None
            if (near_end or leader in _LEADERS) and (name := _legal(bare)):
                return name
        elif _WHOLE.fullmatch(bare):
            if name := _legal(bare):
                return name
        elif is_last and (end := _AT_END.search(bare)) and (name := _legal(end[1])):
            return name
    return _legal("-".join((day[1], day[2].zfill(2), day[3].zfill(2)))) if day else None


def _legal(name: str) -> str | None:
    try:
        return check_segment("version", name)
    except EventError:
        return None
