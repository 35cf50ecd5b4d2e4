"""The validate boundary: results of validators go into the catalog and the validation audit.

With them go the facts that were found, and their tables of terms into `.catalog/facts`, where a content has one place.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from ontofetch_hookspecs.events import ValidateDone
from ontofetch_hookspecs.file_checks import has_size
from ontofetch_hookspecs.names import quote
from ontofetch_hookspecs.store_paths import StorePath

from ...errors import EventError, PreconditionFailed
from .. import fsops, given_facts, journal, sessions
from ..bringing import Brought
from ..connection import Store
from ..repo import facts, recording_facts, releases, validations
from ..tables import read_facts, read_results
from . import staged
from .boundary import Boundary, Recorded
from .documents import draft_manifest, draft_validation_audit

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa


class ValidateBoundary(Boundary):
    """Record results; one for the same file and validator gives way to the new one, and so do facts of a version."""

    kind: ClassVar[str] = "validate"
    one_release: ClassVar[bool] = True

    def __init__(self, store: Store, event: ValidateDone) -> None:
        super().__init__(store, event.version_id, run_id=event.run_id, config_hash=event.config_hash)
        self._event = event
        self.results = read_results(event.results)
        self.facts = None if event.facts is None else read_facts(event.facts)
        self._given = None if event.staged is None else store.inside(event.staged) or event.staged
        self._source: StorePath | None = None
        self._version: releases.VersionRow | None = None
        self._has_new_results = True

    def check(self) -> None:
        """Check what the facts say, and that each staged table of terms is the one that they name."""
        if self.facts is None:
            return
        self._rows = given_facts.as_rows(self.facts.to_pylist(), sessions.utc_now())
        tables = self.facts.select(["table", "table_sha256", "table_bytes", "facts"]).drop_null().to_pylist()
        if tables and (self._given is None or self._event.staged is None):
            raise EventError("The facts table names tables of terms, but nothing is staged.", subject="staged")
        if self._event.staged is None or self._given is None:
            return
        staged.check_place(self.store, self._event.staged)
        for row in tables:
            place = self._given / row["table"]
            staged.check_file(place, row["table_sha256"], row["table_bytes"], staged=False)
            _check_sealed(place, row["facts"])

    def settle(self) -> None:
        """Make the staged tables durable."""
        if self._event.staged is not None and self._given is not None and self._given.is_dir():
            self._source = staged.settle(self.store, self._event.staged, sessions.new_boundary_id())

    def brings(self) -> Sequence[Brought]:
        """Return what is staged."""
        return () if self._source is None else (Brought(self._source),)

    def is_changed(self, connection: duckdb.DuckDBPyConnection) -> bool:
        """Check that each (relpath, file_id) is a recorded file of the release, and each content of the facts too."""
        self._version = releases.find_version(connection, self.version_id)
        if self._version is None:
            raise PreconditionFailed(
                f"{self.version_id} is not recorded.", subject=self.version_id, hint="Record the download first."
            )
        unknown, is_recorded = validations.compare_results(connection, self.version_id, self.results)
        if unknown is not None:
            raise PreconditionFailed(
                f"{quote(unknown)}, with the content that was validated, is no recorded file of {self.version_id}.",
                subject=self.version_id,
                hint="Validate the files as they are recorded.",
            )
        if self.facts is not None and (foreign := facts.find_foreign(connection, self.version_id, self.facts)):
            raise PreconditionFailed(
                f"The content {foreign}, of which facts were found, is in no recorded file of {self.version_id}.",
                subject=self.version_id,
                hint="Look at the files as they are recorded.",
            )
        self._has_new_results = not is_recorded
        return self._has_new_results or (self.facts is not None and self._has_new_facts(connection, self.facts))

    def _has_new_facts(self, connection: duckdb.DuckDBPyConnection, given: pa.Table) -> bool:
        if facts.count_new(connection, given):
            return True
        tables = facts.tables_of(connection, given).to_pylist()
        return not all(has_size(self.store.path(row["table_path"]), row["table_bytes"]) for row in tables)

    def record(self, connection: duckdb.DuckDBPyConnection, draft: journal.IntentDraft) -> Recorded:
        """Record the results in bulk and write the audit; record the facts, and collect the moves of their tables."""
        import pyarrow.compute as pc

        if self._version is None:
            raise LookupError(self.version_id)
        found = self._record_facts(connection, draft)
        if self._has_new_results:
            validations.replace_results(connection, self.version_id, self.results)
            row = draft_validation_audit(connection, draft, self._version)
            draft_manifest(connection, draft, self.version_id, row)
        passed = pc.sum(self.results["passed"]).as_py() or 0
        unjudged = self.results["passed"].null_count
        failed = len(self.results) - passed - unjudged
        payload = {"passed": passed, "failed": failed, "not_judged": unjudged}
        return Recorded(rows=len(self.results), payload=payload | ({"facts": found} if found else {}))

    def _record_facts(self, connection: duckdb.DuckDBPyConnection, draft: journal.IntentDraft) -> int:
        """Record the facts and publish their tables; a content that has a sound one keeps it, and its facts."""
        if self.facts is None:
            return 0
        known = [] if facts.are_unknown(connection, self.facts) else facts.tables_of(connection, self.facts).to_pylist()
        sound = [row["table_path"] for row in known if self._is_sound(row)]
        published = set(sound)
        for row in self.facts.filter(self.facts["table"].is_valid()).to_pylist():
            target = facts.table_path(row["content_id"], row["facts_version"])
            if target not in published and self._source is not None:
                draft.publish(f"{self._source.relpath}/{row['table']}", target)
            published.add(target)
        stage = None if self._source is None else staged.stage_of(self._source)
        if stage is not None:
            draft.retire_stage(stage.relpath)
        return recording_facts.insert_facts(connection, *self._rows, sound=sound)

    def _is_sound(self, row: dict[str, Any]) -> bool:
        """Say whether a table of terms that is recorded lies at its place, with its content."""
        place = self.store.path(row["table_path"])
        return has_size(place, row["table_bytes"]) and fsops.hash_file(place)[0] == str(row["table_sha256"])


def _check_sealed(place: fsops.Anywhere, given: str) -> None:
    """Check that a staged table of terms is one, and has in its metadata what is said of it.

    Raises:
        EventError: It is not, or has other facts.
    """
    from ...content.facts.sealed import read_sealed

    with os.fdopen(fsops.open_file(place), "rb") as stream:
        try:
            same = read_sealed(stream) == given.encode()
        except ValueError as error:
            raise EventError(f"{quote(place)} can't be used: {error}.", subject=str(place)) from error
    if not same:
        raise EventError(f"{quote(place)} has other facts in it than the facts table.", subject=str(place))
