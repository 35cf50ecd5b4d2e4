"""The extract boundary: the files of one artifact go from their stage to the data folder and into the catalog."""

from __future__ import annotations

import stat
from collections.abc import Sequence
from datetime import UTC
from typing import TYPE_CHECKING, Any, ClassVar

from ontofetch_hookspecs.events import ExtractDone
from ontofetch_hookspecs.names import quote
from ontofetch_hookspecs.store_paths import StorePath

from ...errors import EventError, PreconditionFailed
from .. import extractions, journal, sessions
from ..bringing import Brought, States
from ..connection import Store
from ..equal_files.ways import OFF, way_of
from ..path_columns import is_sorted
from ..repo import events, files, releases, validations
from ..tables import read_files
from ..walk import entries_in
from . import staged
from .boundary import Boundary, Recorded
from .documents import draft_extract_audit, draft_manifest, draft_validation_audit
from .owners import check_owners

if TYPE_CHECKING:
    import duckdb


class ExtractBoundary(Boundary):
    """Record the files of one artifact; what the same artifact held before gives way to them."""

    kind: ClassVar[str] = "extract"
    has_stage: ClassVar[bool] = True
    one_release: ClassVar[bool] = True

    def __init__(self, store: Store, event: ExtractDone) -> None:
        super().__init__(store, event.version_id, run_id=event.run_id, config_hash=event.config_hash)
        self._event = event
        self.files = read_files(event.files, folded=event.portable)
        self._given = None if event.staged is None else store.inside(event.staged) or event.staged
        self._source: StorePath | None = None
        self._extraction = extractions.Extraction(include=event.include, exclude=event.exclude, strip=event.strip)
        self._version: releases.VersionRow | None = None
        self._stored_once = (0, 0)  # files, bytes
        self._written: staged.Written | None = None
        self._states: States | None = None
        self._is_settled_late = False  # whether what is staged is settled once it is known what the store has of it

    def check(self) -> None:
        """Check that the staged folder holds exactly the files of the table; sizes, not contents."""
        if self._event.staged is not None:
            staged.check_place(self.store, self._event.staged)
            if not self._may_be_stored_once():
                self._written = staged.Written(self._given, len(self.files))
            if self.store.shared_by.exists():
                # other machines are told of it, and need not have it looked at again
                self._states = States.of(len(self.files))
            staged.check_tree(self._given or self._event.staged, self.files, exactly=True, states=self._states)

    def settle(self) -> None:
        """Make the staged files durable, unless some of them need not be written at all, which the catalog knows."""
        if self._written is not None:
            self._written.end()
        if self._event.staged is not None and self._given is not None and self._given.is_dir():
            if isinstance(self._given, StorePath) and self._may_be_stored_once():
                self._source, self._is_settled_late = self._given, True
            else:
                self._source = staged.settle(self.store, self._event.staged, sessions.new_boundary_id())

    def brings(self) -> Sequence[Brought]:
        """Return what is staged."""
        if self._source is None:
            return ()
        # a copy may have other times
        states = self._states if self._source == self._given else None
        return (Brought(self._source, files=self.files, states=states),)

    def is_changed(self, connection: duckdb.DuckDBPyConnection) -> bool:
        """Check that the artifact is the release's own and that no other artifact has one of the paths."""
        event = self._event
        self._version = releases.find_version(connection, self.version_id)
        artifact = next(
            (row for row in releases.find_artifacts(connection, self.version_id) if row.relpath == event.artifact), None
        )
        if self._version is None or artifact is None:
            raise PreconditionFailed(
                f"{self.version_id} has no recorded artifact {quote(event.artifact)}.",
                subject=self.version_id,
                hint="Record the download first.",
            )
        if artifact.artifact_id != event.artifact_id:
            raise PreconditionFailed(
                f"The artifact {quote(event.artifact)} of {self.version_id} has the sha256 {artifact.artifact_id}, "
                f"what was unpacked has {event.artifact_id}.",
                subject=self.version_id,
                hint="Unpack the recorded artifact.",
            )
        if event.staged is None:
            self._check_in_place()
        check_owners(
            connection,
            self.version_id,
            event.artifact_id,
            self.files,
            data=self._data_path(),
            portable=event.portable,
        )
        recorded = artifact.extraction
        unpacked_so = recorded is not None and extractions.decode(recorded) == self._extraction
        same = unpacked_so and files.same_files(connection, self.version_id, event.artifact_id, self.files)
        if same and not self._is_lost():
            return False
        if self._is_settled_late and self._source is not None:
            from .equal_files import store_staged_once

            self._stored_once = store_staged_once(self.store, connection, self.version_id, self._source, self.files)
            self._source = staged.settle(
                self.store, self._source.root / self._source.relpath, sessions.new_boundary_id()
            )
        return True

    def _may_be_stored_once(self) -> bool:
        """Say whether what is staged is to be stored as equal files of the store are, as far as it can be."""
        given = self._given
        return isinstance(given, StorePath) and staged.stage_of(given) is not None and way_of(self.store) != OFF

    def _is_lost(self) -> bool:
        """Say whether a published file is gone or has another size, and staged ones can take its place."""
        if self._source is None:
            return False
        try:
            staged.check_tree(self._data_path(), self.files, exactly=False)
        except EventError:
            return True
        return False

    def _check_in_place(self) -> None:
        folder = self._data_path()
        staged.check_tree(folder, self.files, exactly=False)
        staged.check_contents(folder, self.files)
        if folder.is_dir():
            staged.make_durable_in_place(folder)

    def early_events(self, boundary_id: str) -> list[events.EventRow]:
        """Return the extract.start event, with the time when the host began."""
        event = self._event
        return [
            events.EventRow(
                boundary_id=boundary_id,
                run_id=event.run_id,
                config_hash=event.config_hash,
                ts=event.started_at.astimezone(UTC).replace(tzinfo=None),
                type="extract.start",
                version_id=self.version_id,
                payload={"artifact": event.artifact, "sha256": event.artifact_id},
            )
        ]

    def record(self, connection: duckdb.DuckDBPyConnection, draft: journal.IntentDraft) -> Recorded:
        """Record the files in bulk, drop results that lost their file, write the audits, and collect the moves."""
        import pyarrow.compute as pc

        event, version = self._event, self._version
        if version is None:
            raise LookupError(self.version_id)
        alone = not files.count_files(connection, self.version_id, other_than=event.artifact_id)
        self._publish(connection, draft)
        removed = files.delete_files(connection, self.version_id, event.artifact_id)
        files.insert_files(connection, self.version_id, event.artifact_id, self.files)
        extraction = extractions.encode(self._extraction, event.remarks)
        releases.update_artifact(connection, self.version_id, event.artifact, {"extraction": extraction})
        given = (self.files, event.artifact_id, event.strip) if alone and is_sorted(self.files["relpath"]) else None
        draft_extract_audit(connection, draft, version, given)
        if version.validation_audit is not None and validations.delete_vanished(connection, self.version_id):
            draft_validation_audit(connection, draft, version)
        draft_manifest(connection, draft, self.version_id)
        payload: dict[str, Any] = {
            "artifact": event.artifact,
            "include": list(event.include),
            "exclude": list(event.exclude),
            "strip": event.strip,
            "removed": removed,
            "left_out": sum(remark.count for remark in event.remarks if remark.kind == "left_out"),
        }
        if any(self._stored_once):
            payload |= dict(zip(("shared_files", "shared_bytes"), self._stored_once, strict=True))
        total = pc.sum(self.files["size_bytes"]).as_py() or 0
        return Recorded(rows=len(self.files), bytes=total, payload=payload)

    def _data_path(self) -> StorePath:
        return self.store.path(self._data_folder())

    def _data_folder(self) -> str:
        version = self._version
        if version is None:
            raise LookupError(self.version_id)
        return version.data_folder

    def _publish(self, connection: duckdb.DuckDBPyConnection, draft: journal.IntentDraft) -> None:
        """Collect the fewest renames that touch no other artifact's files."""
        if self._source is None:
            return
        data = self._data_folder()
        found = files.covering_paths(connection, self.version_id, self._event.artifact_id)
        draft.displace_all((f"{data}/{path}".rstrip("/") for path in found), keep=True)
        if files.count_files(connection, self.version_id, other_than=self._event.artifact_id):
            self._merge(draft, self._source, data)
        elif self._source.is_dir():
            draft.publish(self._source.relpath, data)
        stage = staged.stage_of(self._source)
        if stage is not None:
            draft.retire_stage(stage.relpath)

    def _merge(self, draft: journal.IntentDraft, source: StorePath, target: str) -> None:
        """Publish below an existing folder: whole folders where nothing is yet, else what is inside them."""
        there = frozenset(self.store.path(target).names())
        entries = entries_in(source)
        draft.put_all(source.relpath, target, [entry for entry in entries if entry[0] not in there])
        for name, found in entries if there else ():
            place = f"{target}/{name}"
            if name not in there:
                continue
            if stat.S_ISDIR(found.st_mode) and draft.is_folder(place):
                self._merge(draft, source / name, place)
            else:
                draft.publish(f"{source.relpath}/{name}", place)
