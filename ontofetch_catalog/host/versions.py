"""Which version a pull records: the one that was asked for, else what the document states, else a date.

What a document states is read by `content.stated`; what is done when it says something else is decided by who asks.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pyarrow as pa

from ontofetch_hookspecs.light_dataclasses import dataclass
from ontofetch_hookspecs.names import quote
from ontofetch_hookspecs.store_paths import StorePath

if TYPE_CHECKING:
    from ..content.stated import Stated

MOST_READ = 8  # documents whose header is read
_ONTOLOGIES = frozenset(
    {"rdfxml", "owlxml", "turtle", "ntriples", "nquads", "trig", "n3", "jsonld", "obo", "ofn", "omn", "obographs"}
)
_ENDINGS = (".owl", ".obo", ".ttl", ".rdf", ".ofn", ".omn", ".owx", ".owl.gz", ".obo.gz", ".ttl.gz")
_log = logging.getLogger("ontofetch.pull")


@dataclass(frozen=True, slots=True)
class Statement:
    """The version that the main document of an artifact states, and the path of that document."""

    stated: Stated
    relpath: str


def find_statement(files: pa.Table, folder: StorePath, ontology: str) -> Statement | None:
    """Return what the main document of an artifact states; None where there is none, or it states nothing.

    The main document is the only ontology there is, else the one that is called like the ontology; what lies higher up
    goes first.

    Args:
        files: relpath and format of what came out of the artifact.
        folder: Where these files lie.
        ontology: How the ontology is called.
    """
    for relpath in _main_documents(files, ontology):
        from ..content.stated import read_stated

        try:
            with os.fdopen((folder / relpath).open_file(), "rb") as stream:
                stated = read_stated(stream)
        except OSError as error:
            _log.warning("%s can't be read: %s", quote(relpath), error.strerror)
            continue
        if stated is not None:
            return Statement(stated, relpath)
    return None


def _main_documents(files: pa.Table, ontology: str) -> Sequence[str]:
    import pyarrow.compute as pc

    names = pc.utf8_lower(files["relpath"])
    endings = "|".join(ending.replace(".", r"\.") for ending in _ENDINGS)
    known = pc.is_in(files["format"], value_set=pa.array(sorted(_ONTOLOGIES)))
    found = files.filter(pc.or_(known, pc.match_substring_regex(names, f"({endings})$")))
    if len(found) > 1:
        bases = pc.extract_regex(pc.utf8_lower(found["relpath"]), r"(?:^|/)(?P<base>[^/.]*)[^/]*$").combine_chunks()
        found = found.filter(pc.equal(bases.field("base"), ontology.lower().partition(".")[0]))
    paths = [str(path) for path in found["relpath"].slice(0, 1000).to_pylist()]
    return sorted(paths, key=lambda path: (path.count("/"), len(path), path))[:MOST_READ]


def is_other(stated: str, version: str) -> bool:
    """Return whether a stated version is another one than `version`, however both are spelled."""
    from ontofetch_hookspecs.version_keys import version_key

    return version_key(stated) != version_key(version)


def version_by_date(last_modified: str | None, now: datetime) -> tuple[str, str]:
    """Return a version where none is stated, as a date, and where it is from: Last-Modified, else the pull."""
    try:
        if last_modified:
            from email.utils import parsedate_to_datetime

            changed = parsedate_to_datetime(last_modified)
            changed = changed if changed.tzinfo else changed.replace(tzinfo=UTC)
            return changed.astimezone(UTC).date().isoformat(), "the server's Last-Modified"
    except (ValueError, OverflowError):
        # a server may send anything
        pass
    return now.astimezone(UTC).date().isoformat(), "the date of this pull"
