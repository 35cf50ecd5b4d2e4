"""The download boundary: one artifact goes from its stage to the release's source folder and into the catalog."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from ontofetch_hookspecs import layout
from ontofetch_hookspecs.events import DownloadDone
from ontofetch_hookspecs.names import path_key, quote
from ontofetch_hookspecs.store_paths import StorePath

from ...errors import Conflict, EventError
from .. import journal, sessions
from ..bringing import Brought
from ..connection import Store
from ..repo import files, origins, releases, validations
from ..tables import read_files
from . import staged
from .boundary import Boundary, Recorded
from .documents import draft_audits, draft_manifest
from .lost_documents import draft_lost_documents, find_lost_documents
from .owners import check_owners
from .replacing import Keeper, Leaves, state_of

if TYPE_CHECKING:
    import duckdb

    from ..repo import events

_log = logging.getLogger("ontofetch.catalog")


class DownloadBoundary(Boundary):
    """Record one artifact; other bytes under its name only with leave, and then without what came out of them."""

    kind: ClassVar[str] = "download"
    has_stage: ClassVar[bool] = True
    one_release: ClassVar[bool] = True

    def __init__(self, store: Store, event: DownloadDone, keeper: Keeper | None = None) -> None:
        super().__init__(store, event.version_id, run_id=event.run_id, config_hash=event.config_hash)
        self._event = event
        self.layout = layout.find_layout(event.layout)
        self.folder = self.layout.version_folder(event.service, event.ontology, event.version)
        self.target = f"{self.folder}/{self.layout.source}/{event.artifact}"
        self._given = None if event.staged is None else store.inside(event.staged) or event.staged
        self._source: StorePath | None = None
        self._version: releases.VersionRow | None = None
        self._former: releases.ArtifactRow | None = None
        self._origins: list[origins.Origin] = []  # those of the former
        self._files = None if event.files is None else read_files(event.files)
        self._lost_documents: list[str] = []
        self._keeper = keeper
        self._leaving: Leaves | None = None  # what is replaced, where its bytes are still there
        self._plan_id = ""
        self._lost: bool | None = None  # until the published file has been looked at

    def check(self) -> None:
        """Check that the bytes are where the event says, with that size and content."""
        if self._event.staged is not None:
            staged.check_place(self.store, self._event.staged)
        path = self._given or self.store.path(self.target)
        staged.check_file(path, self._event.sha256, self._event.size_bytes, staged=self._event.staged is not None)

    def settle(self) -> None:
        """Make the bytes durable where they lie."""
        if self._event.staged is None:
            staged.make_alone_durable(self.store.path(self.target))
        else:
            self._source = staged.settle(self.store, self._event.staged, sessions.new_boundary_id())

    def brings(self) -> Sequence[Brought]:
        """Return what is staged."""
        return () if self._source is None else (Brought(self._source, self._event.sha256),)

    def is_changed(self, connection: duckdb.DuckDBPyConnection) -> bool:
        """Check the names against what is recorded; return whether anything differs."""
        event = self._event
        self._check_folder(connection)
        self._version = releases.find_version(connection, self.version_id)
        if self._version is None:
            return True
        if self._version.layout != event.layout:
            raise Conflict(
                f"{self.version_id} is recorded with the layout {self._version.layout}, not {event.layout}.",
                subject=self.version_id,
                hint="A release keeps its layout.",
            )
        self._former = self._find_former(connection)
        self._lost_documents = find_lost_documents(self.store, connection, self._version)
        if self._former is None:
            self._check_files(connection)
            return True
        if self._former.artifact_id != event.sha256:
            if not (event.replace or (event.replace_incomplete and self._former.extraction is None)):
                raise Conflict(
                    f"{self.version_id} is recorded with {quote(event.artifact)} of sha256 {self._former.artifact_id}; "
                    f"the source now sends {event.sha256}.",
                    subject=self.version_id,
                    hint="If the publisher changed a release in place, take the new bytes with --replace, "
                    "or record them under another --version.",
                )
            self._check_files(connection)
            if self._source is not None and self._keeper is not None:
                self._leaving = self._keeper(self.store, self.version_id, event.artifact)
                self._plan_id = self._leaving.plan(connection)
            return True
        self._origins = origins.find_origins(connection, self.version_id).get(event.artifact, [])
        return self._describes_anew() or self._is_lost() or bool(self._lost_documents)

    def _check_files(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Check, before anything is recorded, that what will come out of the artifact has a place in the release."""
        if self._files is not None:
            leaving = [] if self._former is None else [self._former.artifact_id]
            data = self.store.path(f"{self.folder}/{self.layout.data}")
            check_owners(connection, self.version_id, self._event.sha256, self._files, data=data, leaving=leaving)

    def _check_folder(self, connection: duckdb.DuckDBPyConnection) -> None:
        found = releases.find_folded(connection, self.version_id)
        if found is not None:
            mine, other = found
            what = ("service", "series", "release")[other.count("/")]
            raise Conflict(
                f"The {what} {other} is recorded; {mine} would be the same folder where case is folded.",
                subject=self.version_id,
                hint="Spell it as it is recorded, or give it another name.",
            )

    def _find_former(self, connection: duckdb.DuckDBPyConnection) -> releases.ArtifactRow | None:
        for row in releases.find_artifacts(connection, self.version_id):
            if row.relpath == self._event.artifact:
                return row
            if path_key(row.relpath) == path_key(self._event.artifact):
                raise Conflict(
                    f"{self.version_id} has an artifact {quote(row.relpath)}; {quote(self._event.artifact)} would be "
                    "the same file where case and normal forms are folded.",
                    subject=self.version_id,
                )
        return None

    def _describes_anew(self) -> bool:
        event, version = self._event, self._version
        if version is None or self._tells_anew():
            return True
        return event.released is not None and event.released != version.released

    def _tells_anew(self) -> bool:
        """Say whether the source is a new one, or says something else of the bytes than it did."""
        event = self._event
        known = next((origin for origin in self._origins if origin.source_url == event.source_url), None)
        told = (event.etag, event.last_modified, event.content_type)
        return known is None or told != (known.etag, known.last_modified, known.content_type)

    def _is_lost(self) -> bool:
        """Say whether the published file is gone, cut or changed, and staged bytes can take its place."""
        if self._source is None:
            return False
        if self._lost is None:
            try:
                staged.check_file(
                    self.store.path(self.target), self._event.sha256, self._event.size_bytes, staged=False
                )
                self._lost = False
            except EventError:
                self._lost = True
        return self._lost

    def record(self, connection: duckdb.DuckDBPyConnection, draft: journal.IntentDraft) -> Recorded:
        """Record release and artifact, un-record what a replaced artifact held, and collect the moves."""
        event, former = self._event, self._former
        now = sessions.utc_now()
        self._record_version(connection, now)
        replaced = former is not None and former.artifact_id != event.sha256
        if former is not None and replaced:
            self._unrecord(connection, draft, former)
        row = self._artifact_row(now, former if not replaced else None)
        if former is not None:
            releases.delete_artifact(connection, self.version_id, former.relpath)
        releases.insert_artifact(connection, row, None if replaced else self._grown_origins(now))
        if self._source is not None and (former is None or replaced or self._is_lost()):
            if former is not None and not replaced:
                _log.warning("%s was gone or changed: it is put back", quote(self.target))
            draft.publish(self._source.relpath, self.target)
            stage = staged.stage_of(self._source)
            if stage is not None:
                draft.retire_stage(stage.relpath)
        if self._version is not None:
            # of a release that is replaced the audits are written, or taken away, in any case
            lost = [path for path in self._lost_documents if not replaced or path.endswith(layout.LATEST)]
            draft_lost_documents(connection, draft, self._version, lost)
        draft_manifest(connection, draft, self.version_id)
        payload = {"artifact": event.artifact, "sha256": event.sha256, "status": event.status, "replaced": replaced}
        # what an undo would have to take away
        payload["added"] = "release" if self._version is None else "artifact" if former is None else "nothing"
        if self._leaving is not None and self._version is not None:
            # what an undo of a replacement needs to know
            payload |= {"plan": self._plan_id, "was": state_of(self._version)}
        payload |= {"source_url": event.source_url, "etag": event.etag, "last_modified": event.last_modified}
        facts = {"title": event.title, "licence": event.licence, "version_iri": event.version_iri}
        payload |= {name: value for name, value in facts.items() if value is not None}
        payload |= {"extra": dict(event.extra)} if event.extra else {}
        payload |= {"repaired": self._lost_documents} if self._lost_documents else {}
        return Recorded(rows=1, bytes=event.size_bytes, payload=payload)

    def early_events(self, boundary_id: str) -> list[events.EventRow]:
        """Return the event by which prune knows what has become of the bytes that were replaced."""
        return [] if self._leaving is None else self._leaving.event(self, boundary_id)

    def _record_version(self, connection: duckdb.DuckDBPyConnection, now: Any) -> None:
        event = self._event
        if self._version is None:
            row = releases.VersionRow(
                version_id=self.version_id,
                service=event.service,
                ontology=event.ontology,
                version=event.version,
                released=event.released,
                fs_relpath=self.folder,
                layout=event.layout,
                created_at=now,
                plan_hash=event.plan_hash,
                run_id=event.run_id,
            )
            releases.insert_version(connection, row)
            return
        changes: dict[str, Any] = {"plan_hash": event.plan_hash}
        if event.released is not None:
            changes["released"] = event.released
        releases.update_version(connection, self.version_id, changes)

    def _grown_origins(self, now: Any) -> list[origins.Origin]:
        """Return the origins with that of the event: what is there already stays, but for what its server says now."""
        event = self._event
        if not self._tells_anew():
            return self._origins
        known = {origin.source_url: origin for origin in self._origins}
        former = known.get(event.source_url)
        known[event.source_url] = origins.Origin(
            source_url=event.source_url,
            etag=event.etag,
            last_modified=event.last_modified,
            content_type=event.content_type,
            recorded_at=now if former is None else former.recorded_at,
            told_at=now,
        )
        return list(known.values())

    def _artifact_row(self, now: Any, former: releases.ArtifactRow | None) -> releases.ArtifactRow:
        event = self._event
        if former is not None:
            # how these bytes came at first, and from where, stays; that they failed does not, since they are here
            status = event.status if former.status == "failed" else former.status
            if former.source_url != event.source_url:
                return replace(former, status=status)
            return replace(
                former,
                status=status,
                etag=event.etag,
                last_modified=event.last_modified,
                content_type=event.content_type,
            )
        return releases.ArtifactRow(
            artifact_id=event.sha256,
            version_id=self.version_id,
            relpath=event.artifact,
            source_url=event.source_url,
            etag=event.etag,
            last_modified=event.last_modified,
            content_type=event.content_type,
            size_bytes=event.size_bytes,
            status=event.status,
            recorded_at=now,
        )

    def _unrecord(
        self, connection: duckdb.DuckDBPyConnection, draft: journal.IntentDraft, former: releases.ArtifactRow
    ) -> None:
        """Take away what came out of the replaced artifact: files, results, and what the audits say of them."""
        version = releases.find_version(connection, self.version_id)
        if self._leaving is not None:
            self._leaving.unrecord(connection, draft)
        if version is None or former.extraction is None:
            return
        if self._leaving is None:
            data = f"{self.folder}/{self.layout.data}"
            found = files.covering_paths(connection, self.version_id, former.artifact_id)
            draft.displace_all((f"{data}/{path}".rstrip("/") for path in found), keep=True)
            files.delete_files(connection, self.version_id, former.artifact_id)
            validations.delete_vanished(connection, self.version_id)
        has_files = files.count_files(connection, self.version_id) > 0
        draft_audits(connection, draft, version, has_files=has_files)
