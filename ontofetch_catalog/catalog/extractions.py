"""How an artifact was unpacked, as the column `artifacts.extraction` and the manifest say it: one small JSON object.

What was written before there was `exclude` or `remarks` has none. Who reads or writes rows is not known here.
"""

from __future__ import annotations

import json
from dataclasses import asdict

from ontofetch_hookspecs.light_dataclasses import dataclass
from ontofetch_hookspecs.names import check_text
from ontofetch_hookspecs.remarks import MOST_REMARKS, Remark

from ..errors import EventError

_NEEDED, _KNOWN = frozenset({"include", "strip"}), frozenset({"include", "exclude", "strip", "remarks"})
_MOST_STRIP = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Extraction:
    """How an artifact was unpacked; fields as in ExtractDone, what was remarked does not make it another."""

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    strip: int = 0


def encode(extraction: Extraction, remarks: tuple[Remark, ...] = ()) -> str:
    """Return what is recorded."""
    told = {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(extraction).items()}
    return json.dumps(told | {"remarks": [asdict(remark) for remark in remarks]}, sort_keys=True)


def decode(text: str) -> Extraction:
    """Return what was recorded."""
    told = json.loads(text)
    return Extraction(include=tuple(told["include"]), exclude=tuple(told.get("exclude", ())), strip=told["strip"])


def check(given: object) -> str | None:
    """Return what is recorded for what a manifest says, None for one that was not unpacked.

    Raises:
        EventError: It breaks a rule.
    """
    if given is None:
        return None
    if not isinstance(given, dict) or not _NEEDED <= set(given) <= _KNOWN:
        raise _unknown()
    strip, remarks = given["strip"], given.get("remarks", [])
    if not isinstance(strip, int) or isinstance(strip, bool) or not 0 <= strip <= _MOST_STRIP:
        raise _unknown()
    for name in ("include", "exclude"):
        globs = given.get(name, [])
        if not isinstance(globs, list):
            raise _unknown()
        for pattern in globs:
            check_text(name, pattern, optional=False)
    if not isinstance(remarks, list) or len(remarks) > MOST_REMARKS:
        raise _unknown()
    for remark in remarks:
        _check_remark(remark)
    return json.dumps(given, sort_keys=True)


def same_remarks(lines: list[str], version_id: str, artifacts: list[tuple[str, str | None]]) -> bool:
    """Say whether lines of an extract audit are what is remarked of artifacts, in any order.

    Args:
        lines: The lines that are about artifacts.
        artifacts: artifact_id and what is recorded of its extraction, of each.
    """
    told = [(artifact_id, json.loads(text).get("remarks")) for artifact_id, text in artifacts if text]
    expected = [
        {"version_id": version_id, "artifact_id": artifact_id, "remarks": remarks}
        for artifact_id, remarks in told
        if remarks
    ]
    try:
        found = [json.loads(line) for line in lines]
    except (ValueError, RecursionError):
        return False
    return sorted(map(_spelled, found)) == sorted(map(_spelled, expected))


def _spelled(content: object) -> str:
    return json.dumps(content, sort_keys=True)


def _check_remark(given: object) -> None:
    if not isinstance(given, dict) or set(given) != {"kind", "reason", "count", "names"}:
        raise _unknown()
    if not isinstance(given["names"], list):
        raise _unknown()
    Remark(kind=given["kind"], reason=given["reason"], count=given["count"], names=tuple(given["names"]))


def _unknown() -> EventError:
    return EventError("An extraction is not of the known format.", subject="extraction")
