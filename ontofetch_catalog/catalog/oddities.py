"""What a pull should hear of the meaning of a release: files that kept their version and say something else.

It asks the catalog one question and prints nothing where there is nothing.
"""

from __future__ import annotations

import logging
from pathlib import Path

from ontofetch_hookspecs.names import quote

from .connection import Store
from .lookups import lookup_oddities
from .repo.meaning import RESERIALISED, SAME_VERSION

_log = logging.getLogger("ontofetch.meaning")
_NAMED = 5


def warn_of_oddities(root: Path, version_id: str) -> None:
    """Log what is odd about a release beside the one before it: a few files by name, the others by their number."""
    told = lookup_oddities(Store(root, {}), version_id).to_pylist()
    said = {
        SAME_VERSION: "%s keeps the version %s of %s and says something else; `ontofetch report meaning` shows what",
        RESERIALISED: "%s has other bytes (%s) than in %s and says the same",
    }
    for oddity, sentence in said.items():
        rows = [row for row in told if row["oddity"] == oddity]
        for row in rows[:_NAMED]:
            version = quote(row["version"]) if oddity == SAME_VERSION else "reserialised"
            _log.warning(sentence, quote(row["relpath"]), version, row["previous_version_id"])
        if len(rows) > _NAMED:
            _log.warning("%d more files: %s", len(rows) - _NAMED, oddity)
