"""The validate boundary: results of validators go into the catalog and the validation audit."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from ontofetch_hookspecs.events import ValidateDone
from ontofetch_hookspecs.names import quote

from ...errors import PreconditionFailed
from .. import journal
from ..connection import Store
from ..repo import releases, validations
from ..tables import read_results
from .documents import draft_manifest, draft_validation_audit
from .engine import Boundary, Recorded

if TYPE_CHECKING:
    import duckdb


class ValidateBoundary(Boundary):
    """Record results; one for the same file and validator gives way to the new one."""

    kind: ClassVar[str] = "validate"

    def __init__(self, store: Store, event: ValidateDone) -> None:
        super().__init__(store, event.version_id, run_id=event.run_id, config_hash=event.config_hash)
        self._event = event
        self.results = read_results(event.results)
        self._version: releases.VersionRow | None = None

    def check(self) -> None:
        """Do nothing: the table was checked when it was read, and no bytes are staged."""

    def settle(self) -> None:
        """Do nothing: no bytes are staged."""

    def is_changed(self, connection: duckdb.DuckDBPyConnection) -> bool:
        """Check that each (relpath, file_id) is a recorded file of the release."""
        self._version = releases.find_version(connection, self.version_id)
        if self._version is None:
            raise PreconditionFailed(
                f"{self.version_id} is not recorded.", subject=self.version_id, hint="Record the download first."
            )
        unknown = validations.find_unknown_file(connection, self.version_id, self.results)
        if unknown is not None:
            raise PreconditionFailed(
                f"{quote(unknown)}, with the content that was validated, is no recorded file of {self.version_id}.",
                subject=self.version_id,
                hint="Validate the files as they are recorded.",
            )
        return not validations.same_results(connection, self.version_id, self.results)

    def record(self, connection: duckdb.DuckDBPyConnection, draft: journal.IntentDraft) -> Recorded:
        """Record the results in bulk and write the audit."""
        import pyarrow.compute as pc

        if self._version is None:
            raise LookupError(self.version_id)
        validations.replace_results(connection, self.version_id, self.results)
        draft_validation_audit(connection, draft, self._version)
        draft_manifest(connection, draft, self.version_id)
        passed = pc.sum(self.results["passed"]).as_py() or 0
        unjudged = self.results["passed"].null_count
        failed = len(self.results) - passed - unjudged
        payload = {"passed": passed, "failed": failed, "not_judged": unjudged}
        return Recorded(rows=len(self.results), payload=payload)
