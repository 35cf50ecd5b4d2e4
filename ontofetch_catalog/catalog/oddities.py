"""What a pull should hear of the meaning of a release: files that kept their version and say something else, or others.

It asks the catalog one question and prints nothing where there is nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ontofetch_hookspecs.names import quote

from ..errors import CatalogUnreadable
from .connection import Store
from .facts import read_terms
from .lookups import lookup_oddities
from .repo.meaning import OTHER_VERSION, RESERIALISED, SAME_VERSION

_log = logging.getLogger("ontofetch.meaning")
_NAMED = 5


def warn_of_oddities(root: Path, version_id: str) -> None:
    """Log what is odd about a release beside the one before it: a few files by name, the others by their number."""
    store = Store(root, {})
    told = lookup_oddities(store, version_id).to_pylist()
    said = {
        OTHER_VERSION: "%s states another version (%s) than in %s, and no term differs",
        SAME_VERSION: "%s keeps the version %s of %s and says something else; `ontofetch report meaning` shows what",
        RESERIALISED: "%s has other bytes (%s) than in %s and says the same",
    }
    for oddity, sentence in said.items():
        rows = [
            row for row in told if row["oddity"] == oddity and (oddity != OTHER_VERSION or _has_its_terms(store, row))
        ]
        for row in rows[:_NAMED]:
            version = "reserialised" if oddity == RESERIALISED else quote(row["version"])
            _log.warning(sentence, quote(row["relpath"]), version, row["previous_version_id"])
        if len(rows) > _NAMED:
            _log.warning("%d more files: %s", len(rows) - _NAMED, oddity)


def _has_its_terms(store: Store, row: Mapping[str, Any]) -> bool:
    """Say whether the tables of terms of both sides have the same digests; they are sorted alike."""
    names = ("table_path", "table_sha256", "table_bytes")
    try:
        a, b = (read_terms(store, {name: row[f"{name}_{side}"] for name in names}, ["digest"]) for side in "ab")
    except CatalogUnreadable:
        # what is lost is told by who looks after it
        return False
    return bool(a["digest"].equals(b["digest"]))
