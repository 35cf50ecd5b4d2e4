"""What a verification has found: taken answer by answer, and recorded in batches, each a boundary.

Which files are hashed, and by whom, is not known here.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from ...errors import OntofetchError
from ..boundaries.engine import BoundaryResult, carry_out
from ..connection import Store
from ..repo.fixity import Scope
from .boundary import Found, VerifyBatch
from .pages import NOT_KEPT, Planned, as_faults, as_findings, faults_schema, page_schema
from .pool import Answer
from .request import Request, Result

if TYPE_CHECKING:
    import pyarrow as pa

BATCH_SECONDS = 60.0
BATCH_ROWS = 131_072
_log = logging.getLogger("ontofetch.verify")
# bytes read so far, bytes in all
Progress = Callable[[int, int], None]


class Recording:
    """What has been found and not been recorded yet, and the sums.

    Args:
        store: The store.
        request: What is verified.
        planned: What of it is to be looked at.
        progress: Called with the bytes read so far.
        tell: Called after each batch was committed.
        require: Raises where other machines have taken over what was hashed.
    """

    def __init__(
        self,
        store: Store,
        request: Request,
        planned: Planned,
        *,
        progress: Progress,
        tell: Callable[[BoundaryResult], None],
        require: Callable[[], None] | None,
    ) -> None:
        self._store = store
        self._require = require
        self._request = request
        self._progress = progress
        self._tell = tell
        self._read = 0
        self._verified: list[pa.Table] = []
        self._faults: list[pa.Table] = []
        self._rows = 0
        self._since = time.monotonic()
        self.result = Result(
            findings=as_findings(faults_schema().empty_table()),
            files=planned.files,
            size_bytes=planned.size_bytes,
        )

    @property
    def counts(self) -> tuple[int, int, int]:
        """Return how many files, bytes and findings are recorded."""
        return self.result.checked_files, self.result.checked_bytes, len(self.result.findings)

    def read(self, count: int) -> None:
        """Tell of bytes that were read since the last time."""
        self._read += count
        self._progress(self._read, self.result.size_bytes)

    def take(self, answer: Answer[pa.Table]) -> None:
        """Take the answer for one list; record when there is enough of it."""
        self._take(answer)
        if self._rows >= BATCH_ROWS or time.monotonic() - self._since >= BATCH_SECONDS:
            self.record(last=False)

    def _take(self, answer: Answer[pa.Table]) -> None:
        import pyarrow as pa

        files = answer.name
        if answer.faults:
            faulty = {fault["number"] for fault in answer.faults}
            self._faults.append(as_faults(files, answer.faults))
            files = files.filter(pa.array([number not in faulty for number in range(len(files))], pa.bool_()))
        self._verified.append(files.drop_columns(list(NOT_KEPT)))
        self._rows += len(answer.name)

    def record_last(self, answers: Iterator[Answer[pa.Table]], end: Callable[[], None]) -> None:
        """Record what has been found since the last time, and what is still found while the catalog is opened for it.

        Args:
            answers: Those that are missing; few, for others have to wait meanwhile.
            end: Ends the processes, where something comes in between.
        """
        taken = False

        def found() -> tuple[Found, dict[str, Any]]:
            nonlocal taken
            for answer in answers:
                self._take(answer)
            taken = True
            return self._found(last=True)

        try:
            self._record(found, last=True)
        except BaseException:
            if not taken:
                end()
                self.keep()
            raise

    def record(self, *, last: bool) -> None:
        """Record what has been found since the last time, with an event; an empty batch only if it is the last."""
        if self._rows or last:
            self._record(lambda: self._found(last=last), last=last)

    def _found(self, *, last: bool) -> tuple[Found, dict[str, Any]]:
        """Return what has been found since the last time, counted, and what the event tells beside it."""
        import pyarrow as pa
        import pyarrow.compute as pc

        verified = pa.concat_tables(self._verified or [page_schema().empty_table().drop_columns(list(NOT_KEPT))])
        faults = pa.concat_tables([faults_schema().empty_table(), *self._faults])
        result = self.result
        result.checked_files += self._rows
        result.checked_bytes += (pc.sum(verified["size_bytes"]).as_py() or 0) + (
            pc.sum(faults["size_bytes"]).as_py() or 0
        )
        return Found(verified=verified, faults=faults), self._payload(last=last)

    def _record(self, found: Callable[[], tuple[Found, dict[str, Any]]], *, last: bool) -> None:
        import pyarrow as pa

        scope = self._request.scope
        everything = Scope(version_id=scope.version_id, slot=scope.slot)
        batch = VerifyBatch(self._store, found, summed=everything if last else None, require=self._require)
        outcome = carry_out(self._store, batch)
        self._verified, self._faults, self._rows, self._since = [], [], 0, time.monotonic()
        result = self.result
        result.all_bytes, result.recent_bytes = batch.summed_bytes
        result.changed_files += batch.found_faults - len(batch.confirmed)
        result.findings = pa.concat_tables([result.findings, as_findings(batch.confirmed)])
        _log.info("verified %s of %s files", f"{result.checked_files:,}", f"{result.files:,}")
        self._tell(outcome)

    def keep(self) -> None:
        """Record what was found before an interrupt or an error; a second error does not hide the first."""
        try:
            self.record(last=False)
        except OntofetchError as error:
            _log.warning("what was verified last could not be recorded: %s", error)

    def _payload(self, *, last: bool) -> dict[str, Any]:
        scope = self._request.scope
        return {
            "started_at": self._request.started_at.isoformat(sep=" ", timespec="microseconds"),
            "scope": {
                "version_id": scope.version_id,
                "slot": scope.slot,
                "sample": scope.sample,
                "seed": scope.seed,
            },
            "complete": last and self.result.is_complete,
        }
