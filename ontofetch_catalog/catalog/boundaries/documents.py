"""The documents beside a release: manifest.json, the two audits and LATEST.json.

They say what the rows say, so that the rows can be made anew from them; this module writes and never reads them.
"""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from ontofetch_hookspecs import layout
from ontofetch_hookspecs.light_dataclasses import fields_of

from ..journal import IntentDraft
from ..repo import audit_lines, latest, notes, origins, releases, validations

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

MANIFEST_FORMAT = 1
LATEST_FORMAT = 1


def draft_extract_audit(
    connection: duckdb.DuckDBPyConnection,
    draft: IntentDraft,
    row: releases.VersionRow,
    given: tuple[pa.Table, str, int] | None = None,
    *,
    in_parts: bool = False,
) -> None:
    """Write the extract audit of a release anew and record its sha256.

    Args:
        given: As in `audit_lines.audit_lines`.
        in_parts: Whether the release may have so many files that some are put in order at a time.
    """
    target = f"{row.fs_relpath}/{layout.EXTRACT_AUDIT}"
    found = releases.find_artifacts(connection, row.version_id)
    has_remarks = any(json.loads(artifact.extraction or "{}").get("remarks") for artifact in found)
    all_lines = (
        audit_lines.audit_lines_in_parts(connection, row.version_id)
        if in_parts
        else audit_lines.audit_lines(connection, row.version_id, given, has_remarks=has_remarks)
    )
    with closing(all_lines) as lines:
        digest, _ = draft.write(target, lines)
    releases.update_version(connection, row.version_id, {"extract_audit": digest})


def draft_validation_audit(
    connection: duckdb.DuckDBPyConnection, draft: IntentDraft, row: releases.VersionRow
) -> releases.VersionRow:
    """Write the validation audit of a release anew and record its sha256; return its row as it is now."""
    target = f"{row.fs_relpath}/{layout.VALIDATION_AUDIT}"
    with closing(validations.audit_lines(connection, row.version_id)) as lines:
        digest, _ = draft.write(target, lines)
    releases.update_version(connection, row.version_id, {"validation_audit": digest})
    return replace(row, validation_audit=digest)


def draft_manifest(
    connection: duckdb.DuckDBPyConnection,
    draft: IntentDraft,
    version_id: str,
    row: releases.VersionRow | None = None,
) -> None:
    """Write the manifest of a release anew, from its rows as they stand in the open transaction.

    Args:
        connection: In that transaction.
        draft: Of the boundary.
        row: Its row, where that was read or changed just now.
    """
    row = row or releases.find_version(connection, version_id)
    if row is None:
        raise LookupError(version_id)
    draft.write(row.manifest, [encode_manifest(connection, row)])


def encode_manifest(connection: duckdb.DuckDBPyConnection, row: releases.VersionRow) -> bytes:
    """Return what the manifest of a release says, from its rows."""
    version_id = row.version_id
    content = _plain(fields_of(row))
    found = releases.find_artifacts(connection, version_id)
    known = origins.find_origins(connection, version_id)
    artifacts = []
    for recorded in found:
        artifact = _plain(fields_of(recorded))
        # the release is named once, and when a file was verified is no property of the release
        del artifact["version_id"], artifact["verified_at"]
        artifact["extraction"] = json.loads(artifact["extraction"]) if artifact["extraction"] else None
        if (told := known.get(recorded.relpath, [])) not in ([], [releases.origin_of(recorded)]):
            # a single origin is what the artifact says of itself
            artifact["origins"] = [_plain(fields_of(origin)) for origin in told]
        artifacts.append(artifact)
    document = {"format": MANIFEST_FORMAT, **content, "artifacts": artifacts}
    if said := notes.find_notes(connection, version_id):
        document["notes"] = [_plain(fields_of(note)) for note in said]
    return _encode(document)


def draft_documents(connection: duckdb.DuckDBPyConnection, draft: IntentDraft, version_id: str) -> None:
    """Write the documents of a release anew from its rows: the audits that it has, and the manifest."""
    row = releases.find_version(connection, version_id)
    if row is None:
        raise LookupError(version_id)
    draft_audits(connection, draft, row)
    draft_manifest(connection, draft, version_id)


def draft_audits(
    connection: duckdb.DuckDBPyConnection, draft: IntentDraft, row: releases.VersionRow, *, has_files: bool = True
) -> None:
    """Write the audits that a release has anew; of one that has no files any more they go to quarantine."""
    for name, column, write in (
        (layout.EXTRACT_AUDIT, "extract_audit", draft_extract_audit),
        (layout.VALIDATION_AUDIT, "validation_audit", draft_validation_audit),
    ):
        if getattr(row, column) is None:
            continue
        if has_files:
            write(connection, draft, row)
        else:
            draft.displace(f"{row.fs_relpath}/{name}", keep=True)
            releases.update_version(connection, row.version_id, {column: None})


def draft_pointer(connection: duckdb.DuckDBPyConnection, draft: IntentDraft, slot: str) -> None:
    """Write the LATEST.json of a series as its pointer says, or take it away where the series has no latest."""
    pointer = latest.find_pointer(connection, slot)
    row = releases.find_version(connection, pointer.version_id) if pointer else None
    if pointer and row:
        draft_latest(draft, slot, row, pointer.updated_at, pointer.updated_by)
    elif pointer is None:
        draft.displace(layout.latest_file(slot), keep=False)


def draft_latest(
    draft: IntentDraft, slot: str, row: releases.VersionRow, updated_at: datetime, updated_by: str
) -> None:
    """Write the LATEST.json of a series anew."""
    draft.write(layout.latest_file(slot), [encode_latest(slot, row, updated_at, updated_by)])


def encode_latest(slot: str, row: releases.VersionRow, updated_at: datetime, updated_by: str) -> bytes:
    """Return what the LATEST.json of a series says."""
    document = {
        "format": LATEST_FORMAT,
        "slot": slot,
        "version_id": row.version_id,
        "version": row.version,
        "path": row.fs_relpath,
        "updated_at": _text(updated_at),
        "updated_by": updated_by,
    }
    return _encode(document)


def _encode(document: dict[str, Any]) -> bytes:
    return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {name: _text(value) if isinstance(value, date) else value for name, value in values.items()}


def _text(value: date) -> str:
    return value.isoformat(timespec="microseconds") + "Z" if isinstance(value, datetime) else value.isoformat()
