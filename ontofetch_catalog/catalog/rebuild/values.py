"""The reading of single values in documents, checked: lists of objects, times, days, hashes, addresses."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from ontofetch_hookspecs.names import check_sha256, quote
from ontofetch_hookspecs.redaction import redact_url

from ...errors import EventError


def items_of(
    name: str, what: str, given: object, keys: frozenset[str], more: frozenset[str] = frozenset()
) -> list[dict[str, Any]]:
    """Return a list of objects of which each has these keys, and perhaps `more`."""
    if not isinstance(given, list) or not all(isinstance(item, dict) and set(item) - more == keys for item in given):
        raise EventError(f"{what} are not of the known format.", subject=name)
    return given


def url_of(told: str) -> str:
    """Return an address without the secrets in it."""
    # a file of the store has no secret, and its path below the root would come back as an absolute one
    return told if told.startswith("file:") else redact_url(told)


def digest_of(field: str, value: object) -> str | None:
    """Return a sha256, None for null."""
    return None if value is None else check_sha256(field, value)


def day_of(value: object) -> date | None:
    """Return a release date, None for null."""
    try:
        return None if value is None else date.fromisoformat(str(value))
    except ValueError as error:
        raise EventError(f"released is {quote(value)}, not a date.", subject="released") from error


def time_of(field: str, value: object) -> datetime:
    """Return a time in UTC without zone."""
    try:
        found = datetime.fromisoformat(str(value))
    except ValueError as error:
        raise EventError(f"{field} is {quote(value)}, not a time.", subject=field) from error
    if found.utcoffset() is None:
        raise EventError(f"{field} is {quote(value)}, without a zone.", subject=field)
    return found.astimezone(UTC).replace(tzinfo=None)
