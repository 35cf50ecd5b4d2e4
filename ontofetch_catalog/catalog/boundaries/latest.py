"""The set-latest boundary: a series points at a release, in the catalog and in its LATEST.json."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from ontofetch_hookspecs.events import SetLatest
from ontofetch_hookspecs.layout import series_of

from ...errors import PreconditionFailed
from .. import journal, sessions
from ..connection import Store
from ..repo import latest, releases, validations
from .boundary import Boundary, Recorded
from .documents import draft_latest

if TYPE_CHECKING:
    import duckdb


class LatestBoundary(Boundary):
    """Point a series at a release that is extracted and whose validators passed."""

    kind: ClassVar[str] = "latest"
    done: ClassVar[str] = "set"
    one_release: ClassVar[bool] = True

    def __init__(self, store: Store, event: SetLatest) -> None:
        super().__init__(store, event.version_id, run_id=event.run_id, config_hash=event.config_hash)
        self._event = event
        self.slot = series_of(event.version_id)
        self._version: releases.VersionRow | None = None

    def is_changed(self, connection: duckdb.DuckDBPyConnection) -> bool:
        """Check that the release is extracted and without failures, or that these are accepted."""
        self._version = releases.find_version(connection, self.version_id)
        artifacts = releases.find_artifacts(connection, self.version_id)
        if self._version is None or all(artifact.extraction is None for artifact in artifacts):
            raise PreconditionFailed(
                f"{self.version_id} can't become latest: it is not {'extracted' if self._version else 'recorded'}.",
                subject=self.version_id,
                hint="`ontofetch db versions` lists what is recorded; `ontofetch pull` records more.",
            )
        failed = validations.count_failed_files(connection, self.version_id)
        if failed and not self._event.accept_failures:
            raise PreconditionFailed(
                f"{self.version_id} can't become latest: {failed:,} of its files fail validation.",
                subject=self.version_id,
                hint="See `ontofetch report latest`; --accept-failures sets it all the same.",
            )
        current = latest.find_latest(connection, self.slot)
        return current is None or current[0] != self.version_id

    def record(self, connection: duckdb.DuckDBPyConnection, draft: journal.IntentDraft) -> Recorded:
        """Add the pointer and write LATEST.json."""
        if self._version is None:
            raise LookupError(self.version_id)
        former = latest.find_latest(connection, self.slot)
        updated_by = self._event.updated_by
        updated_at = latest.add_pointer(connection, self.slot, self.version_id, sessions.utc_now(), updated_by)
        draft_latest(draft, self.slot, self._version, updated_at, updated_by)
        return Recorded(rows=1, payload={"slot": self.slot, "former": former[0] if former else None})
