"""One verification from its plan to its summary: pages of files in, batches of results out.

The catalog is closed while files are hashed, all but the last few: it is opened for each page and each batch, so that
others get their turn.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import chain
from typing import TYPE_CHECKING, Any

from ...errors import CatalogUnwritable, OntofetchError
from .. import fsops, sessions
from ..boundaries.engine import BoundaryResult, carry_out
from ..connection import Store
from ..dividing import divided
from ..failures import explaining
from ..repo import fixity, row_checks
from ..repo.fixity import Scope
from .boundary import Found, VerifyBatch
from .pages import NOT_KEPT, Pages, as_faults, as_findings, as_lists, faults_schema, page_schema
from .parts import Parts
from .pool import Answer, Pool
from .request import Request, Result

if TYPE_CHECKING:
    import pyarrow as pa

BATCH_SECONDS = 60.0
BATCH_ROWS = 131_072
_LEAST_ROOM = 1 << 20  # bytes that the catalog grows by for a while, whatever it records
_log = logging.getLogger("ontofetch.verify")


# bytes read so far, bytes in all
Progress = Callable[[int, int], None]


def verify(store: Store, request: Request, *, progress: Progress, tell: Callable[[BoundaryResult], None]) -> Result:
    """Hash files again, longest unverified first, and record in batches what is intact.

    An interrupt records what was done and goes on its way.

    Args:
        progress: Called a few times a second.
        tell: Called after each batch was committed.

    Raises:
        OntofetchError: The catalog can't be used, or a process died; what was recorded stays.
    """
    begun = time.monotonic()
    read = 0

    def moved(count: int) -> None:
        nonlocal read
        read += count
        progress(read, run.result.size_bytes)

    def is_over() -> bool:
        return request.seconds is not None and time.monotonic() - begun >= request.seconds

    with divided(store, request.work) as division, ExitStack() as ending:
        if division is not None:
            request = request.of_run(division)
        # the processes start while the catalog is read
        pool = ending.enter_context(Pool["pa.Table"](store.root, request.workers, moved))
        with sessions.reading(store) as connection:
            _try_to_record(store)
            row_checks.refuse_invalid_paths(connection)
            groups = fixity.plan_groups(connection, request.scope, request.done)
            whole = Scope(seed=request.scope.seed) == request.scope
            terms = fixity.list_terms(connection) if whole else page_schema().empty_table()
            run = _Run(store, request, groups, tell, division.require_held if division else None)
            run.add(terms)
            pages = Pages(request.scope, lambda: sessions.reading(store))
            lists = pages.lists(groups)
            if division is None and not is_over():
                # the first page is read, and lists of it are handed out, before the catalog is closed
                pages.connection = connection
                pool.begin(chain(lists, as_lists(terms)))
                pages.connection = None
        _log.info("verifying %s files, %s bytes", f"{run.result.files:,}", f"{run.result.size_bytes:,}")
        try:
            answers = pool.answers(is_over) if division is None else iter(())
            if division is None:
                for answer in answers:
                    run.take(answer)
                    if pool.is_nearly_done:
                        break
            else:
                parts = Parts(division, groups, terms)
                parts.carry_out(run, pool, pages, is_over)
                run.result.shared, run.result.elsewhere_files = parts.table(), parts.elsewhere_files
        except BaseException:
            ending.close()
            run.keep()
            raise
        run.record_last(answers, ending.close)
    run.result.seconds = time.monotonic() - begun
    return run.result


def _try_to_record(store: Store) -> None:
    """Refuse what could not be recorded, before everything is read."""
    with explaining(
        f"The catalog below {store.root} can't be written{store.purpose}",
        database=store.database,
        kind=CatalogUnwritable,
        subject=str(store.root),
        state="No file was looked at.",
    ):
        fsops.try_room(store.database.parent, _LEAST_ROOM)


class _Run:
    """What has been found and not been recorded yet, and the sums."""

    def __init__(
        self,
        store: Store,
        request: Request,
        groups: pa.Table,
        tell: Callable[[BoundaryResult], None],
        require: Callable[[], None] | None = None,
    ) -> None:
        import pyarrow.compute as pc

        self._store = store
        self._require = require
        self._request = request
        self._tell = tell
        self._verified: list[pa.Table] = []
        self._faults: list[pa.Table] = []
        self._rows = 0
        self._since = time.monotonic()
        self.result = Result(
            findings=as_findings(faults_schema().empty_table()),
            files=pc.sum(groups["files"]).as_py() or 0,
            size_bytes=pc.sum(groups["size_bytes"]).as_py() or 0,
        )

    @property
    def counts(self) -> tuple[int, int, int]:
        """Return how many files, bytes and findings are recorded."""
        return self.result.checked_files, self.result.checked_bytes, len(self.result.findings)

    def add(self, files: pa.Table) -> None:
        """Count files that are verified beside those of the releases."""
        import pyarrow.compute as pc

        self.result.files += len(files)
        self.result.size_bytes += pc.sum(files["size_bytes"]).as_py() or 0

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
