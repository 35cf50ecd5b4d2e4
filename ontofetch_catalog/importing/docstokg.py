"""The trees of DocsToKG's downloader, `<id>/<version>/`: what its manifest.json says, held against what lies there.

The manifest comes from a stranger: of its paths only the name of the artifact counts, and that as a name; the list of
absolute paths in it is never looked at. Nothing is opened but below the tree, and through no link.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from ontofetch_hookspecs.errors import EventError
from ontofetch_hookspecs.layout import DOCSTOKG_TREE
from ontofetch_hookspecs.names import SEGMENT, check_relpath, check_segment, check_sha256, check_text, quote
from ontofetch_hookspecs.store_paths import StorePath

from .found import FoundArtifact, FoundResult, ImportRefused, Left

MANIFEST = "manifest.json"  # that downloader's own
AUDIT = ".extract.audit.json"
POINTER = ("latest", "latest.txt")
MOST_RESULTS = 30
MOST_DETAILS = 20_000  # characters
_TOO_LONG = json.dumps({"error": "what it said is too long to be kept"})


def is_tree(tree: StorePath) -> bool:
    """Say whether a folder looks like one of that downloader: a release with its manifest and `original/` beside it."""
    return any(
        (folder / MANIFEST).is_file() and (folder / DOCSTOKG_TREE.source).is_dir() for folder in _release_folders(tree)
    )


def find_artifacts(tree: StorePath, service: str = "") -> Iterator[FoundArtifact | Left]:
    """Yield what lies in a tree, sorted by path.

    Args:
        tree: Its folder, as the root of its paths.
        service: Service of all releases; empty: each has the resolver that its manifest names.
    """
    for folder in _release_folders(tree):
        if not (folder / MANIFEST).exists() and not (folder / DOCSTOKG_TREE.source).holds_files():
            # made for a download that failed, or by another program
            continue
        try:
            yield read_release(folder, service)
        except (ImportRefused, EventError) as error:
            yield Left(folder.relpath, error.message)


def _release_folders(tree: StorePath) -> Iterator[StorePath]:
    for ontology in _folders(tree):
        for version in _folders(ontology):
            if (version / MANIFEST).exists() or (version / DOCSTOKG_TREE.source).is_dir():
                yield version


def _folders(place: StorePath) -> list[StorePath]:
    try:
        entries = place.entries()
    except OSError:
        return []
    return [place / name for name, kind in entries if kind == stat.S_IFDIR and not name.startswith(".")]


def read_release(folder: StorePath, service: str = "") -> FoundArtifact:
    """Return what the manifest in a folder `<id>/<version>` says.

    Raises:
        ImportRefused: It can't be read, or says what no manifest of that downloader says.
        EventError: A name or a value breaks a rule of the catalog.
    """
    told = _read_manifest(folder)
    name = check_relpath("filename", told.get("filename"))
    if "/" in name:
        raise ImportRefused(f"The filename of {quote(folder.relpath)} is {quote(name)}, which is no name.")
    ontology, version = folder.relpath.split("/")[-2:]
    return FoundArtifact(
        service=check_segment("service", service or _as_segment(told.get("resolver"))),
        ontology=check_segment("ontology", ontology),
        version=check_segment("version", version),
        file=folder / DOCSTOKG_TREE.source / name,
        source_url=check_text("url", told.get("url"), optional=False) or "",
        sha256=check_sha256("sha256", told.get("sha256")),
        etag=check_text("etag", told.get("etag")),
        last_modified=check_text("last_modified", told.get("last_modified")),
        content_type=check_text("content_type", told.get("content_type")),
        cached=told.get("status") == "cached",
        fetched_at=_time(told.get("downloaded_at")),
        unpacked=folder / DOCSTOKG_TREE.source / f"{os.path.splitext(name)[0]}_extracted",
        validator_version=f"docstokg-{_as_segment(told.get('schema_version'))}",
        results=_read_results(told.get("validation")),
    )


def _read_manifest(folder: StorePath) -> dict[str, Any]:
    try:
        told = (folder / MANIFEST).read_json()
    except FileNotFoundError as error:
        raise ImportRefused(
            f"{quote(folder.relpath)} has no {MANIFEST}: its download did not come to an end."
        ) from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ImportRefused(f"The {MANIFEST} of {quote(folder.relpath)} can't be read: {quote(reason)}.") from error
    if not isinstance(told, dict) or "filename" not in told or "sha256" not in told:
        raise ImportRefused(f"The {MANIFEST} of {quote(folder.relpath)} is none of that downloader.")
    return told


def _read_results(told: object) -> tuple[FoundResult, ...]:
    if not isinstance(told, Mapping):
        return ()
    found = []
    for name, said in list(told.items())[:MOST_RESULTS]:
        if not isinstance(said, Mapping) or not SEGMENT.fullmatch(str(name)):
            continue
        passed, details = said.get("ok") is True, said.get("details")
        kept = dict(details) if isinstance(details, Mapping) else {}
        if not passed:
            kept.setdefault("error", f"{name} did not accept it")
        text = json.dumps(kept, sort_keys=True)
        found.append(
            FoundResult(
                validator=str(name),
                passed=passed,
                details=text if len(text) <= MOST_DETAILS else _TOO_LONG,
            )
        )
    return tuple(found)


def _as_segment(told: object) -> str:
    """Return a word of the manifest as a name that the catalog can hold; `unknown` where that is not to be had."""
    text = str(told) if isinstance(told, str | int | float) else ""
    return text if SEGMENT.fullmatch(text) else "unknown"


def _time(told: object) -> datetime:
    """Return the time that a manifest tells, now where it tells none."""
    try:
        found = datetime.fromisoformat(str(told))
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return datetime.now(UTC)


# --- what was unpacked ------------------------------------------------------------------------------------------------


def find_unpacked(folder: StorePath, sha256: str) -> tuple[StorePath, Mapping[str, tuple[int, str]]] | None:
    """Return the folder into which an archive was unpacked, and path → (size in bytes, sha256) of its audit.

    Args:
        folder: `original/<stem>_extracted`; several archives of one name may have been unpacked into it.
        sha256: Content of the archive.

    Returns:
        None where nothing was unpacked, or no audit says what came out of this archive.
    """
    places = [place for place in _folders(folder) if place.name.endswith(".d")]
    for place in sorted(places, key=lambda place: (place.name != f"{sha256[:12]}.d", place.name)):
        told = _read_audit(place, sha256)
        if told is not None:
            return place, told
    return None


def _read_audit(place: StorePath, sha256: str) -> dict[str, tuple[int, str]] | None:
    try:
        told = (place / AUDIT).read_json()
    except (OSError, ValueError):
        return None
    if not isinstance(told, dict) or told.get("archive_sha256") != sha256 or not isinstance(told.get("entries"), list):
        return None
    found: dict[str, tuple[int, str]] = {}
    for entry in told["entries"]:
        if not isinstance(entry, dict):
            return None
        path, size, digest = entry.get("path_rel"), entry.get("size"), entry.get("sha256")
        if not isinstance(path, str) or not isinstance(size, int) or not isinstance(digest, str):
            return None
        found[path] = (size, digest)
    return found


def read_pointer(ontology: StorePath) -> str | None:
    """Return the version that a series' `latest` link or `latest.txt` names; None if none does."""
    link, text = POINTER
    try:
        with (ontology / link).in_folder() as (folder, name):
            told = os.readlink(name, dir_fd=folder)
    except OSError:
        try:
            told = (ontology / text).read_bytes(1000).decode().strip()
        except (OSError, ValueError):
            return None
    return told if SEGMENT.fullmatch(told) else None
