"""What the tables of the verbs leave out where a terminal is narrow, and how wide records are shown.

Only a table asks for it: the other formats always carry every column.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ontofetch_hookspecs.extensions import Look

# section → columns that give way, the last one first; what answers the question of the verb is not among them
_DETAILS = {
    "pull": ("not_judged", "passed", "artifact", "sha256"),
    "series": ("newest_failed", "set_at", "incomplete"),
    "artifacts": ("source_url", "recorded_at", "incomplete", "sha256"),
    "doubts": ("validator",),
    "documents": ("relpath", "title", "licence", "version_iri", "version", "ontology_iri", "imports"),
    "release": ("latest_at", "replaced", "pinned_at", "tags", "released", "previous", "next", "last_verified"),
    "results": ("run_at", "validator_version", "sha256"),
    "log": ("event_id", "type"),
    "pointers": ("updated_by",),
    "versions": (
        *("failed", "tags", "created_at", "released", "passed", "not_judged", "not_validated", "pinned", "artifacts"),
    ),
    "files": ("mtime", "format", "file_id", "verified_at", "artifact_id"),
    "stats": (
        *("failed", "passed", "not_judged", "not_validated", "last_verified", "formats", "artifact_bytes", "artifacts"),
    ),
    "origins": ("content_type", "told_at", "etag", "last_modified", "incomplete", "recorded_at"),
    "found": ("sources", "format", "kind", "sha256"),
    "delta": ("size_delta", "previous_relpath", "size_b", "size_a", "format", "file_id_b", "file_id_a"),
    "events": ("type", "level", "boundary_id", "run_id", "config_hash", "digest"),
    # of doctor and of verify
    "findings": (
        *("fix", "outcome", "found", "expected", "unsafe_fixes", "version_id"),
        *("size_bytes", "found_bytes", "verified_at", "kind", "relpath"),
    ),
    "fixed": ("subjects", "version_id"),
    "plan": ("version_id", "touched_at", "kind", "batch"),
    "kept": ("version_id",),
    "plans": ("restored", "purged", "batches"),
    "plugins": ("reason", "distribution", "spent", "milliseconds", "hooks"),
}
_HIDDEN = {"findings": ("subject",)}  # the message names it
_OF_CHANGES = {"added_bytes": "size added", "removed_bytes": "size removed", "modified_delta_bytes": "size modified"}
_OWN_HEADINGS = {  # where two columns would read the same
    "release": {"artifact_bytes": "size of artifacts"},
    "series_page": {"artifact_bytes": "size of artifacts"},
    "documents": {"version_iri": "version IRI", "ontology_iri": "ontology IRI"},
    "change": _OF_CHANGES,
    "summary": _OF_CHANGES,
}
_RECORDS = ("summary", "status", "release", "series_page", "documents", "change", "meaning")


def style_of(sections: Iterable[str], titles: Mapping[str, str]) -> Look:
    """Return how the tables of these sections are drawn; `titles` as in `Look`."""
    from ontofetch_hookspecs.extensions import Look

    return Look(
        titles=titles,
        details={name: _DETAILS[name] for name in sections if name in _DETAILS},
        hidden=_HIDDEN,
        headings={name: _OWN_HEADINGS[name] for name in sections if name in _OWN_HEADINGS},
        records=[name for name in sections if name in _RECORDS],
    )
