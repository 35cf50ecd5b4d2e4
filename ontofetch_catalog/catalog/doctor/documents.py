"""The checks of the documents beside the releases: LATEST.json, manifests and audits against the rows."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ontofetch_hookspecs import layout
from ontofetch_hookspecs.json_documents import parse_json
from ontofetch_hookspecs.names import relpath_fault
from ontofetch_hookspecs.store_paths import StorePath

from .. import fsops
from ..boundaries.documents import encode_latest, encode_manifest
from ..connection import Store
from ..portions import in_portions
from ..remembering import Memory, remembering
from ..repo import audit_lines, latest, notes, origins, releases, validations
from .findings import Findings

if TYPE_CHECKING:
    import duckdb

_AT_ONCE = 20_000  # lines of audits that are made at a time
_AROUND = 100  # lines that a release counts for by itself: what else is read of it
_NOTHING = hashlib.sha256().hexdigest()


def check_latest(store: Store, connection: duckdb.DuckDBPyConnection, findings: Findings) -> None:
    """Compare the LATEST.json of every series with its newest pointer."""
    pointers = {row["slot"]: row for row in latest.list_newest(connection).to_pylist()}
    recorded = {row.version_id: row for row in releases.list_versions(connection)}
    series = {f"{row.service}/{row.ontology}" for row in recorded.values()}
    for slot in sorted(series | set(pointers)):
        if relpath_fault(slot):
            continue
        name = layout.latest_file(slot)
        found = read_document(store.path(name))
        pointer = pointers.get(slot)
        row = recorded.get(pointer["version_id"]) if pointer else None
        if pointer is not None and row is None:
            # a pointer to nothing has a finding of its own
            continue
        wanted = encode_latest(slot, row, pointer["updated_at"], pointer["updated_by"]) if pointer and row else None
        if found == wanted:
            continue
        told = version_in_document(found)
        known = told in recorded
        decided = row is not None and told in (None, row.version_id)
        points = f"points at {row.version_id}" if row else "has no latest"
        message = f"{name} {_says(found, told)}, the catalog {points}."
        findings.add(
            "CAT019",
            name,
            message,
            version_id=row.version_id if row else None,
            fix="catalog" if decided else None,
            unsafe=[fix for fix, offered in (("catalog", not decided), ("disk", known and not decided)) if offered],
        )


def version_in_document(document: bytes | None) -> str | None:
    """Return the release that a LATEST.json names, None if it names none."""
    try:
        found: Any = parse_json(document or b"")
        told = found["version_id"]
    except (ValueError, KeyError, TypeError):
        return None
    return told if isinstance(told, str) else None


def _says(found: bytes | None, told: str | None) -> str:
    if found is None:
        return "is not there"
    return f"points at {told}" if told else "names no release"


def check_releases(
    store: Store, connection: duckdb.DuckDBPyConnection, findings: Findings, leave_out: Collection[str]
) -> None:
    """Compare manifests and audits with what the rows would write, but for releases with faults in their rows."""
    known = remembering(connection, Memory())
    lines = audit_lines.count_lines(connection)
    rows = [row for row in releases.list_versions(connection) if row.version_id not in leave_out]
    for some in in_portions(rows, lambda row: _AROUND + lines.get(row.version_id, 0), _AT_ONCE):
        _read_ahead(known, [row.version_id for row in some])
        digests = _audits_of(connection, [row.version_id for row in some], lines)
        for row in some:
            _check_manifest(store, known, row, findings)
            for file, recorded, written in (
                (layout.EXTRACT_AUDIT, row.extract_audit, digests[0]),
                (layout.VALIDATION_AUDIT, row.validation_audit, digests[1]),
            ):
                name = f"{row.fs_relpath}/{file}"
                fault = _audit_fault(store.path(name), recorded, written.get(row.version_id))
                if fault:
                    message = f"The audit {name} {fault}."
                    findings.add("CAT021", name, message, version_id=row.version_id, fix="rewrite")


def _read_ahead(connection: duckdb.DuckDBPyConnection, version_ids: Sequence[str]) -> None:
    """Read what manifests are made of, for some releases at once."""
    releases.read_artifacts_ahead(connection, version_ids)
    origins.read_origins_ahead(connection, version_ids)
    notes.read_notes_ahead(connection, version_ids)


def _audits_of(
    connection: duckdb.DuckDBPyConnection, version_ids: Sequence[str], lines: Mapping[str, int]
) -> tuple[dict[str, str], dict[str, str]]:
    """Return what audits of some releases are as their rows would write them: extract audits, and validation audits.

    Each is a sha256 by the name of its release; one without lines is left out.
    """
    if sum(lines.get(name, 0) for name in version_ids) <= _AT_ONCE:
        return audit_lines.audit_digests(connection, version_ids), validations.audit_digests(connection, version_ids)
    # a portion by itself: all of its lines together would take too much memory
    (version_id,) = version_ids
    made = (
        _digest(audit_lines.audit_lines_in_parts(connection, version_id)),
        _digest(validations.audit_lines(connection, version_id)),
    )
    extracted, validated = ({version_id: digest} if digest else {} for digest in made)
    return extracted, validated


def _digest(lines: Iterable[bytes | memoryview]) -> str:
    """Return the sha256 of some lines; empty if there is none."""
    written, empty = hashlib.sha256(), True
    for chunk in lines:
        written.update(chunk)
        empty = False
    return "" if empty else written.hexdigest()


def _check_manifest(
    store: Store, connection: duckdb.DuckDBPyConnection, row: releases.VersionRow, findings: Findings
) -> None:
    name = row.manifest
    found = read_document(store.path(name))
    if found != encode_manifest(connection, row):
        message = f"The manifest {name} {'is not there' if found is None else 'says something else than the rows'}."
        findings.add("CAT020", name, message, version_id=row.version_id, fix="rewrite")


def _audit_fault(path: StorePath, recorded: str | None, written: str | None) -> str:
    """Return what is wrong with an audit, as the end of a sentence; empty if nothing is.

    Args:
        recorded: The sha256 that is recorded of it.
        written: That of what the rows would write, None if it has no line.
    """
    try:
        found: str | None = fsops.hash_file(path)[0]
    except FileNotFoundError:
        found = None
    except OSError as error:
        return f"can't be read: {error.strerror}"
    if recorded is None:
        if found is None and written is None:
            return ""
        return "is there but not recorded" if found else "is missing although there are rows for it"
    if found is None:
        return "is not there"
    if found != recorded:
        return "has another sha256 than is recorded"
    return "" if (written or _NOTHING) == recorded else "says something else than the rows"


def read_document(path: StorePath) -> bytes | None:
    """Return the bytes of a document, None if there is no regular file of a sensible size."""
    try:
        return path.read_bytes()
    except OSError:
        return None
