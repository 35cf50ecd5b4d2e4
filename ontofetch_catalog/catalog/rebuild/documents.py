"""The reading of a release's documents: manifest and LATEST.json, checked as strictly as what a host sends.

They may have been changed by anybody; what breaks a rule of the catalog is refused with a sentence, and nothing of that
release is taken over. What its audits list is read elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from ontofetch_hookspecs import layout
from ontofetch_hookspecs.light_dataclasses import dataclass
from ontofetch_hookspecs.names import (
    check_relpath,
    check_sha256,
    check_size,
    check_text,
    path_key,
    quote,
)
from ontofetch_hookspecs.store_paths import StorePath

from ...errors import EventError, OntofetchError
from .. import extractions, fsops
from ..boundaries.documents import LATEST_FORMAT, MANIFEST_FORMAT
from ..boundaries.notes import check_note
from ..connection import Store
from ..repo import audits, notes, origins, releases
from ..repo.latest import Pointer
from .values import day_of, digest_of, items_of, time_of, url_of

_MORE = frozenset(["origins"])  # what an artifact says of itself where there is more to say
_SAID = frozenset(["notes"])  # what people say of a release, where they do


def _columns(row: type) -> frozenset[str]:
    return frozenset(field.name for field in fields(row))


# documents say what the rows say
_MANIFEST = _columns(releases.VersionRow) | {"format", "artifacts"}
_ARTIFACT = _columns(releases.ArtifactRow) - {"version_id", "verified_at"}
_ORIGIN, _NOTE = _columns(origins.Origin), _columns(notes.Note)


class DocumentRefused(OntofetchError):
    """A document of a release is missing, damaged, or breaks the rules of the catalog."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseDocuments:
    """What the manifest of a release says, ready to be recorded, and the audits that belong to it.

    Args:
        manifest: Where it lies.
        version: Its row.
        artifacts: Its artifacts' rows.
        origins: path of an artifact → its origins, where there is more to say than its row does.
        notes: What people say of it.
        extract: The audit of its files; None if nothing was unpacked.
        validation: The audit of its results; None if nothing was judged.
        audit_bytes: How long both are.
    """

    manifest: StorePath

    version: releases.VersionRow
    artifacts: list[releases.ArtifactRow]
    origins: Mapping[str, list[origins.Origin]]
    notes: list[notes.Note]
    extract: audits.Audit | None
    validation: audits.Audit | None
    audit_bytes: int


def read_release(store: Store, folder: str, manifest: str = layout.MANIFEST) -> ReleaseDocuments:
    """Return what the manifest in a folder service/ontology/version says; never writes.

    Args:
        folder: Below the root.
        manifest: Name of its manifest.

    Raises:
        DocumentRefused: It is missing, damaged, or says what the catalog can't hold, or an audit is another one.
    """
    path = store.path(folder) / manifest
    try:
        document = read_json(path)
        version = _read_version(document, folder, manifest)
        extract, files_bytes = _read_audit(store, version, layout.EXTRACT_AUDIT, version.extract_audit)
        validation, results_bytes = _read_audit(store, version, layout.VALIDATION_AUDIT, version.validation_audit)
        return ReleaseDocuments(
            manifest=path,
            version=version,
            artifacts=_read_artifacts(document["artifacts"], version.version_id),
            origins=_read_origins(document["artifacts"]),
            notes=_read_notes(document.get("notes", [])),
            extract=extract,
            validation=validation,
            audit_bytes=files_bytes + results_bytes,
        )
    except EventError as error:
        raise refused(path, error.message) from error


def read_latest(store: Store, slot: str) -> Pointer | None:
    """Return what the LATEST.json of a series says, None if there is none.

    Raises:
        DocumentRefused: It is damaged, or says what the catalog can't hold.
    """
    path = store.path(layout.latest_file(slot))
    if not path.exists():
        return None
    try:
        return _read_latest(read_json(path), slot)
    except EventError as error:
        raise refused(path, error.message) from error


def _read_latest(document: Mapping[str, Any], slot: str) -> Pointer:
    if document.get("format") != LATEST_FORMAT or document.get("slot") != slot:
        raise EventError("It is not the LATEST.json of this series.", subject=slot)
    version_id = str(document.get("version_id"))
    if layout.series_of(version_id) != slot:
        raise EventError(f"It names {quote(version_id)}, of another series.", subject=slot)
    return Pointer(
        version_id=version_id,
        updated_at=time_of("updated_at", document.get("updated_at")),
        updated_by=check_text("updated_by", document.get("updated_by"), most=200, optional=False) or "",
    )


def read_json(path: StorePath) -> dict[str, Any]:
    """Return the object in a document.

    Raises:
        DocumentRefused: There is no regular file, it is too long, or holds something else.
    """
    try:
        found = path.read_json()
    except (OSError, ValueError) as error:
        raise refused(path, f"It can't be read: {getattr(error, 'strerror', None) or error}.") from error
    if not isinstance(found, dict):
        raise refused(path, "It is no JSON object.")
    return found


def refused(path: StorePath, reason: str) -> DocumentRefused:
    """Return the error that says why what a document tells of is not taken over."""
    return DocumentRefused(f"{quote(path)} is not taken over. {reason}", subject=str(path))


def _read_version(document: Mapping[str, Any], folder: str, manifest: str) -> releases.VersionRow:
    if set(document) - _SAID != _MANIFEST or document["format"] != MANIFEST_FORMAT:
        raise EventError("It is no manifest of the known format.", subject="manifest")
    version_id = layout.make_version_id(document["service"], document["ontology"], document["version"])
    if (document["version_id"], document["fs_relpath"]) != (version_id, folder):
        raise EventError(f"It speaks of {quote(document['version_id'])}.", subject=folder)
    known = layout.find_layout(str(document["layout"]))
    if known.manifest != manifest:
        raise EventError(f"A {manifest} is not that of the layout {quote(known.name)}.", subject=folder)
    if known.version_folder(document["service"], document["ontology"], document["version"]) != folder:
        raise EventError(f"Its layout has another folder than {quote(folder)}.", subject=folder)
    return releases.VersionRow(
        version_id=version_id,
        service=document["service"],
        ontology=document["ontology"],
        version=document["version"],
        released=day_of(document["released"]),
        fs_relpath=folder,
        layout=known.name,
        created_at=time_of("created_at", document["created_at"]),
        plan_hash=check_text("plan_hash", document["plan_hash"]),
        run_id=check_text("run_id", document["run_id"], most=200, optional=False) or "",
        extract_audit=digest_of("extract_audit", document["extract_audit"]),
        validation_audit=digest_of("validation_audit", document["validation_audit"]),
        pinned_at=None if document["pinned_at"] is None else time_of("pinned_at", document["pinned_at"]),
    )


def _read_notes(given: object) -> list[notes.Note]:
    read = [
        check_note(str(item["kind"]), item["text"], time_of("created_at", item["created_at"]))
        for item in items_of("notes", "Its notes", given, _NOTE)
    ]
    if len({(note.kind, note.text) for note in read}) != len(read):
        raise EventError("Two of its notes are the same.", subject="notes")
    return read


def _read_artifacts(given: object, version_id: str) -> list[releases.ArtifactRow]:
    items = items_of("artifacts", "Its artifacts", given, _ARTIFACT, _MORE)
    rows = [_read_artifact(item, version_id) for item in items]
    if len({path_key(row.relpath) for row in rows}) != len(rows):
        raise EventError("Two of its artifacts are the same file where case and normal forms are folded.")
    return rows


def _read_origins(given: list[dict[str, Any]]) -> dict[str, list[origins.Origin]]:
    found: dict[str, list[origins.Origin]] = {}
    for item in given:
        told = items_of("origins", "The origins of an artifact", item.get("origins", []), _ORIGIN)
        read = [_read_origin(one) for one in told]
        if read and (
            len({one.source_url for one in read}) != len(read)
            or url_of(item["source_url"]) not in {one.source_url for one in read}
        ):
            raise EventError("The origins of an artifact are not those of its row.", subject="origins")
        if read:
            found[item["relpath"]] = read
    return found


def _read_origin(item: Mapping[str, Any]) -> origins.Origin:
    return origins.Origin(**_source(item), told_at=time_of("told_at", item["told_at"]))


def _source(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return what artifacts and their origins both say of where bytes came from, and when."""
    return {
        "source_url": url_of(check_text("source_url", item["source_url"], optional=False) or ""),
        "recorded_at": time_of("recorded_at", item["recorded_at"]),
        **{name: check_text(name, item[name]) for name in ("etag", "last_modified", "content_type")},
    }


def _read_artifact(item: Mapping[str, Any], version_id: str) -> releases.ArtifactRow:
    if item["status"] not in ("fresh", "cached", "failed"):
        raise EventError(f"A status is {quote(item['status'])}.", subject="status")
    return releases.ArtifactRow(
        artifact_id=check_sha256("artifact_id", item["artifact_id"]),
        version_id=version_id,
        relpath=check_relpath("artifact", item["relpath"]),
        size_bytes=check_size("size_bytes", item["size_bytes"]),
        status=item["status"],
        extraction=extractions.check(item["extraction"]),
        **_source(item),
    )


def _read_audit(
    store: Store, version: releases.VersionRow, name: str, recorded: str | None
) -> tuple[audits.Audit | None, int]:
    """Return where an audit is that has the recorded sha256, and its size; None if none is recorded.

    Raises:
        EventError: It is missing or has another one.
    """
    if recorded is None:
        return None, 0
    path = store.path(version.fs_relpath) / name
    try:
        digest, size = fsops.hash_file(path)
    except OSError as error:
        raise EventError(f"Its audit {name} can't be read: {error.strerror or error}.", subject=name) from error
    if digest != recorded:
        raise EventError(f"Its audit {name} has another sha256 than the manifest says.", subject=name)
    return audits.Audit(version.version_id, path), size
