"""The repairs of a release: its files, artifacts, documents, and the latest pointer of its series."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from .. import fsops, journal, sessions
from ..boundaries.boundary import Recorded
from ..boundaries.documents import draft_latest, draft_manifest, draft_pointer
from ..rebuild.hashing import adopted_artifact, describe
from ..repo import files, latest, listing, releases, validations
from . import recover_files
from .contents import check_these
from .documents import check_latest, read_document, version_in_document
from .findings import Findings
from .on_disk import check_files
from .repair import Repair, below, redraft, refuse

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa


class FileRepair(Repair):
    """Mend files of one release; the release is looked at again first."""

    def still_found(self, connection: duckdb.DuckDBPyConnection) -> list[str]:
        """Scan the release again and return the subjects that still have the finding."""
        findings = Findings()
        within = self.version(connection).fs_relpath
        try:
            check_files(self.store, connection, findings, within=within, only=self.code)
            if self.code == "CAT016":
                check_these(self.store, connection, findings, self.subjects)
        finally:
            listing.drop_listing(connection)
        return findings.among(self.code, self.subjects)


class MoveFiles(FileRepair):
    """Move files without a row, or what is no regular file, into quarantine."""

    def mend(self, connection: duckdb.DuckDBPyConnection, draft: journal.IntentDraft) -> Recorded:
        """Collect one move per subject."""
        del connection
        for subject in self.subjects:
            draft.displace(subject, keep=True)
        return Recorded(rows=len(self.subjects))


class Restore(FileRepair):
    """Bring the recorded bytes back."""

    def mend(self, connection: duckdb.DuckDBPyConnection, draft: journal.IntentDraft) -> Recorded:
        """Write the files anew from their originals."""
        row = self.version(connection)
        total = recover_files.restore_files(connection, draft, row, below(row, "data", self.subjects))
        for relpath in below(row, "source", self.subjects):
            total += recover_files.restore_artifact(connection, draft, row, relpath)
        return Recorded(rows=len(self.subjects), bytes=total)


class Drop(FileRepair):
    """Un-record what is not there any more, and of an artifact also what came out of it."""

    def mend(self, connection: duckdb.DuckDBPyConnection, draft: journal.IntentDraft) -> Recorded:
        """Remove the rows, and write the documents anew."""
        row = self.version(connection)
        removed = files.delete_paths(connection, self.version_id, below(row, "data", self.subjects))
        for relpath in below(row, "source", self.subjects):
            removed += 1 + self._drop_artifact(connection, draft, row, relpath)
        validations.delete_vanished(connection, self.version_id)
        redraft(connection, draft, self.version_id)
        return Recorded(rows=removed)

    def _drop_artifact(
        self, connection: duckdb.DuckDBPyConnection, draft: journal.IntentDraft, row: releases.VersionRow, relpath: str
    ) -> int:
        all_artifacts = releases.find_artifacts(connection, self.version_id)
        own = next(artifact for artifact in all_artifacts if artifact.relpath == relpath)
        releases.delete_artifact(connection, self.version_id, relpath)
        if any(other.artifact_id == own.artifact_id and other.relpath != relpath for other in all_artifacts):
            return 0
        data = row.data_folder
        for path in files.covering_paths(connection, self.version_id, own.artifact_id):
            draft.displace(f"{data}/{path}".rstrip("/"), keep=True)
        return files.delete_files(connection, self.version_id, own.artifact_id)


class Fail(FileRepair):
    """Mark artifacts as failed: their rows stay, and nobody counts on their bytes."""

    def mend(self, connection: duckdb.DuckDBPyConnection, draft: journal.IntentDraft) -> Recorded:
        """Change the status, and write the manifest anew."""
        row = self.version(connection)
        relpaths = below(row, "source", self.subjects)
        if not relpaths:
            raise refuse(self.subjects[0], "only an artifact can be marked as failed")
        for relpath in relpaths:
            releases.update_artifact(connection, self.version_id, relpath, {"status": "failed"})
        draft_manifest(connection, draft, self.version_id)
        return Recorded(rows=len(relpaths))


class Accept(FileRepair):
    """Record the files as they are now; results for their former contents go."""

    def in_place(self) -> list[str]:
        """Return them."""
        return self.subjects

    def mend(self, connection: duckdb.DuckDBPyConnection, draft: journal.IntentDraft) -> Recorded:
        """Hash them, change their rows, and write the documents anew."""
        row = self.version(connection)
        found = describe_files(self, row, below(row, "data", self.subjects))
        files.update_contents(connection, self.version_id, found)
        validations.delete_vanished(connection, self.version_id)
        redraft(connection, draft, self.version_id)
        return Recorded(rows=len(found), bytes=_total(found))


class Adopt(FileRepair):
    """Record files that have no row: as artifacts below the sources, below the data as files of the one artifact."""

    def in_place(self) -> list[str]:
        """Return them."""
        return self.subjects

    def mend(self, connection: duckdb.DuckDBPyConnection, draft: journal.IntentDraft) -> Recorded:
        """Hash them, add their rows, and write the documents anew."""
        row = self.version(connection)
        now = sessions.utc_now()
        artifacts = releases.find_artifacts(connection, self.version_id)
        relpaths = below(row, "data", self.subjects)
        if relpaths and len(artifacts) != 1:
            raise refuse(relpaths[0], "the release has no single artifact that it could have come out of")
        found = describe_files(self, row, relpaths)
        if relpaths:
            files.insert_files(connection, self.version_id, artifacts[0].artifact_id, found)
        for relpath in below(row, "source", self.subjects):
            digest, size = fsops.hash_file(self.store.path(f"{row.source_folder}/{relpath}"))
            artifact = adopted_artifact(row, relpath, digest, size)
            releases.insert_artifact(connection, replace(artifact, recorded_at=now))
        redraft(connection, draft, self.version_id)
        return Recorded(rows=len(self.subjects), bytes=_total(found))


def describe_files(repair: Repair, row: releases.VersionRow, relpaths: list[str]) -> pa.Table:
    """Return what is on disk at these paths below the data of a release: the columns of FILES_COLUMNS, times UTC."""
    import pyarrow as pa

    return pa.concat_tables(describe(repair.store, row.data_folder, relpaths))


def _total(found: pa.Table) -> int:
    import pyarrow.compute as pc

    return pc.sum(found["size_bytes"]).as_py() or 0


class Rewrite(Repair):
    """Write the documents of a release anew from its rows."""

    def mend(self, connection: duckdb.DuckDBPyConnection, draft: journal.IntentDraft) -> Recorded:
        """Write audits and manifest."""
        self.version(connection)
        redraft(connection, draft, self.version_id)
        return Recorded(rows=len(self.subjects))


class LatestFromCatalog(Repair):
    """Write a LATEST.json as the pointer says; where there is no pointer it goes into quarantine."""

    def still_found(self, connection: duckdb.DuckDBPyConnection) -> list[str]:
        """Compare the LATEST.json again."""
        findings = Findings()
        check_latest(self.store, connection, findings)
        return findings.among(self.code, self.subjects)

    def mend(self, connection: duckdb.DuckDBPyConnection, draft: journal.IntentDraft) -> Recorded:
        """Write the files."""
        for subject in self.subjects:
            draft.displace(subject, keep=True)
            draft_pointer(connection, draft, os.path.dirname(subject))
        return Recorded(rows=len(self.subjects))


class LatestFromDisk(LatestFromCatalog):
    """Set the pointer to the release that a LATEST.json names."""

    def mend(self, connection: duckdb.DuckDBPyConnection, draft: journal.IntentDraft) -> Recorded:
        """Add the pointers, and write the files anew, since the time is part of both."""
        for subject in self.subjects:
            told = version_in_document(read_document(self.store.path(subject)))
            row = releases.find_version(connection, told) if told else None
            slot = os.path.dirname(subject)
            if row is None or f"{row.service}/{row.ontology}" != slot:
                raise refuse(subject, "it names no recorded release of its series", "Use --prefer catalog.")
            updated_at = latest.add_pointer(connection, slot, row.version_id, sessions.utc_now(), "doctor")
            draft.displace(subject, keep=True)
            draft_latest(draft, slot, row, updated_at, "doctor")
        return Recorded(rows=len(self.subjects))
