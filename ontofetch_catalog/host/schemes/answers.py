"""What the schemes have in common: asking for JSON, and taking values out of an answer that may be anything."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any
from urllib.parse import quote as percent

from ontofetch_hookspecs import SourceQuery, SourceVersion
from ontofetch_hookspecs.errors import EventError, UsageError
from ontofetch_hookspecs.names import check_segment, quote
from ontofetch_hookspecs.redaction import redact_url

from ...content.version_names import version_in_text
from ...errors import FetchError

JSON = {"Accept": "application/json"}
_DAY = re.compile(r"[12][0-9]{3}-[01][0-9]-[0-3][0-9]")
_LEADING_V = re.compile(r"[vV](?=[0-9])")


def ask_json(query: SourceQuery, url: str, headers: Mapping[str, str] = JSON) -> Any:
    """Return what a server answers as JSON.

    Raises:
        FetchError: It can't be had, or is no JSON that can be read.
    """
    return read_json(query, url, query.fetch(url, headers))


def read_json(query: SourceQuery, url: str, data: bytes) -> Any:
    """Return what an answer holds.

    Raises:
        FetchError: It is no JSON that can be read.
    """
    try:
        return query.read_json(data)
    except ValueError as error:
        raise FetchError(
            f"{quote(redact_url(url))} answers with something else than JSON: {str(error)[:200]}.",
            subject=redact_url(url),
            hint="Look whether the address of this scheme in your settings is that of a registry of its kind.",
        ) from error


def checked_name(query: SourceQuery, pattern: str, form: str) -> str:
    """Return the name that is asked for if it is of a form.

    Raises:
        UsageError: It is not.
    """
    if not re.fullmatch(pattern, query.name):
        raise UsageError(f"{quote(query.name)} is not of the form {form}.", subject=query.name)
    return query.name


def address(base: str, *parts: str) -> str:
    """Return an address below a base, each part as one segment of the path."""
    return "/".join([base, *(percent(part, safe="@") for part in parts)])


def find(value: Any, *keys: str) -> Any:
    """Return what stands below these keys; None where one of them is missing, or no object is there."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def text(value: Any, *keys: str) -> str | None:
    """Return the text that stands below these keys; None if there is no text."""
    found = find(value, *keys)
    return found if isinstance(found, str) and found else None


def objects(value: Any, *keys: str) -> list[dict[str, Any]]:
    """Return the objects of the list below these keys; whatever else is in it is left out."""
    found = find(value, *keys)
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def day(value: str | None) -> date | None:
    """Return the date that a time of ISO 8601 begins with; None where there is none."""
    found = _DAY.match(value or "")
    try:
        return date.fromisoformat(found[0]) if found else None
    except ValueError:
        return None


def version_of(value: str | None) -> str:
    """Return a version as a release may be called, e.g. `1.2` of `v1.2`; empty where it has none."""
    plain = _LEADING_V.sub("", (value or "").strip(), count=1)
    try:
        return check_segment("version", plain)
    except EventError:
        return version_in_text(plain) or ""


def versions(candidates: Sequence[Mapping[str, Any]]) -> Iterator[SourceVersion]:
    """Yield the versions that these fields make; those that a registry has, and nobody could record, are left out."""
    for fields in candidates:
        try:
            yield SourceVersion(**fields)
        except EventError:
            continue
