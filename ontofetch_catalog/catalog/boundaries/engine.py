"""The protocol of a boundary after the vote: settle, enter, record, intent, publish, commit, forget.

What is recorded and published is the boundary's own affair; the order in which it happens is not.
"""

from __future__ import annotations

import logging
import signal
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from types import FrameType
from typing import TYPE_CHECKING, Any, ClassVar

from ontofetch_hookspecs.events import Receipt
from ontofetch_hookspecs.store_paths import StorePath

from ...errors import BoundaryFailed, Conflict, OntofetchError
from .. import fsops, journal, lookups, sessions
from ..connection import Store
from ..failures import explain
from ..repo import events

if TYPE_CHECKING:
    import duckdb

_UNCHANGED = "Nothing was changed."
_LATER = "The next start takes back what it had begun."
_IN_DOUBT = "The next start finds out whether it happened."
_log = logging.getLogger("ontofetch.catalog")


@dataclass(slots=True, kw_only=True)
class Recorded:
    """What a boundary has recorded: number of rows, sum of their sizes in bytes, and what the event tells of it."""

    rows: int = 0
    bytes: int = 0
    payload: dict[str, Any] = field(default_factory=dict)


class Boundary(ABC):
    """One step of the pipeline; its methods are called in the order in which they stand here.

    Args:
        store: The store it happens in.
        version_id: The release it is about, empty where it is about none.
        run_id, config_hash: Recorded with its event.
    """

    kind: ClassVar[str]
    done: ClassVar[str] = "done"  # its events are called kind.done, kind.unchanged, kind.rolled_back
    has_stage: ClassVar[bool] = False  # whether a host has staged bytes for it
    one_release: ClassVar[bool] = False  # whether only rows of its release, and of what is in it, can change
    asked_next: ClassVar[bool] = False  # whether a host then asks what is recorded of its release
    trusts_record: ClassVar[bool] = True  # False: it mends the generation record, which keeps everybody else out

    def __init__(self, store: Store, version_id: str, *, run_id: str, config_hash: str) -> None:
        self.store = store
        self.version_id = version_id
        self.run_id = run_id
        self.config_hash = config_hash
        self.begun = time.perf_counter()
        self.takes_back: dict[str, int] = {}  # `undoes` or `redoes` → the event whose deed it takes back
        self.votes: Mapping[str, float] = {}  # plugin → milliseconds that its vote took

    @property
    def operation(self) -> str:
        """Return what sentences call it: the command that runs, else its kind."""
        return self.store.operation or self.kind

    @property
    def subject(self) -> str:
        """Return what a sentence about this boundary names: its release, else the store."""
        return self.version_id or f"the store {self.store.root}"

    @property
    def named(self) -> str:
        """Return the release as it is called where nothing of this has happened."""
        return self.version_id

    @property
    def about(self) -> Mapping[str, Any]:
        """Return what the event of a boundary that was given up tells of what it was about, beside its release."""
        return {}

    @abstractmethod
    def check(self) -> None:
        """Check the event against the staged bytes, before anybody votes; never writes (step 0)."""

    @abstractmethod
    def settle(self) -> None:
        """Make the staged bytes durable (step 2)."""

    @abstractmethod
    def is_changed(self, connection: duckdb.DuckDBPyConnection) -> bool:
        """Check the preconditions; return whether there is anything to do (step 3)."""

    @abstractmethod
    def record(self, connection: duckdb.DuckDBPyConnection, draft: journal.IntentDraft) -> Recorded:
        """Change rows inside the open transaction, write new documents, and collect the moves (step 4)."""

    def brings(self) -> Sequence[StorePath]:
        """Return the staged files and folders that it is about to publish, as `settle` has left them."""
        return ()

    def early_events(self, boundary_id: str) -> list[events.EventRow]:
        """Return events to be recorded before the boundary's own, in the same transaction."""
        del boundary_id
        return []


def _untold(done: int, total: int) -> None:
    """Tell nobody how far it is."""


class MaintenanceBoundary(Boundary):
    """A maintenance step (a batch of prune, a fix of doctor …), or a change by hand: nothing staged.

    A subclass names its `kind` and `done`, re-checks in `is_changed` whatever it was planned on, and has `record`.

    Attributes:
        progress: Called with the number of releases done and in all, by a step that is about many.
        voted: The releases about which plugins were asked, None if nobody was.
    """

    def __init__(self, store: Store, version_id: str = "") -> None:
        super().__init__(store, version_id, run_id=store.run_id, config_hash=store.config_hash)
        self.progress: Callable[[int, int], None] = _untold
        self.voted: frozenset[str] | None = None

    def check(self) -> None:
        """Do nothing: nothing is staged."""

    def settle(self) -> None:
        """Do nothing: nothing is staged."""

    def is_changed(self, connection: duckdb.DuckDBPyConnection) -> bool:
        """Return True: the caller has seen that there is something to do."""
        del connection
        return True

    def check_voted(self, versions: Iterable[str]) -> None:
        """Check that these are the releases about which plugins were asked, if they were.

        Raises:
            Conflict: Others have come or gone meanwhile.
        """
        if self.voted is not None and self.voted != frozenset(versions):
            raise Conflict(
                f"{self.subject} has other releases by now than those on which plugins have voted.",
                subject=self.subject,
                hint="Run the same command again.",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundaryResult:
    """A committed boundary: the receipt for the host, what the event recorded, what recovery ended on the way in."""

    receipt: Receipt
    committed: events.EventRow
    recovered: tuple[journal.Recovered, ...]


def carry_out(store: Store, boundary: Boundary) -> BoundaryResult:
    """Carry out a boundary that has been checked and voted on (steps 2 to 8).

    Raises:
        OntofetchError: It did not happen; the staged bytes are still there.
    """
    try:
        boundary.settle()
    except OSError as error:
        raise _failed(boundary, "made durable", error) from error
    start = time.perf_counter()
    store = replace(store, operation=boundary.operation)
    brings = boundary.brings()
    with sessions.writing(store, trust_record=boundary.trusts_record, brings=brings) as session, _explained(boundary):
        changed = boundary.is_changed(session.connection)
        with held_signals():
            if changed:
                row, recorded = _commit(session, boundary, start)
            else:
                recorded = Recorded()
                row = _event_row(boundary, sessions.new_boundary_id(), f"{boundary.kind}.unchanged", {})
                session.commit_event(row)
        if boundary.asked_next and not session.stays():
            # what is kept open can be asked when it comes to that
            _prepare_answers(session, boundary)
        recovered = tuple(session.recovered)
    milliseconds = (time.perf_counter() - start) * 1000
    receipt = Receipt(
        boundary_id=row.boundary_id,
        type=row.type,
        version_id=row.version_id,
        changed=changed,
        rows=recorded.rows,
        bytes=recorded.bytes,
        milliseconds=milliseconds,
    )
    _log.info(
        "%s %s: %s, %.0f ms",
        row.type,
        boundary.subject,
        _amount(recorded),
        milliseconds,
        extra=_told(boundary, row.boundary_id, "commit", recorded, milliseconds),
    )
    return BoundaryResult(receipt=receipt, committed=row, recovered=recovered)


def _prepare_answers(session: sessions.Session, boundary: Boundary) -> None:
    """Read what the host is about to ask; what is committed stays so if that fails."""
    import duckdb

    try:
        session.answers = lookups.prepare_answers(
            boundary.store, session.connection, boundary.version_id, boundary.kind
        )
    except (duckdb.Error, OSError) as error:
        _log.debug("%s could not be read ahead: %s", boundary.subject, error)


def record_rollback(store: Store, boundary: Boundary, error: BaseException, plugin: str = "") -> None:
    """Record, as well as it goes, that a boundary was given up before it entered the catalog: by whose veto."""
    import duckdb

    _log_rollback(boundary, "", error)
    try:
        with sessions.writing(store) as session, held_signals():
            session.commit_event(_rolled_back(boundary, sessions.new_boundary_id(), error, plugin))
    except (OntofetchError, OSError, duckdb.Error) as second:
        _log.warning("the rollback of %s could not be recorded: %s", boundary.subject, second)


def _commit(session: sessions.Session, boundary: Boundary, start: float) -> tuple[events.EventRow, Recorded]:
    import duckdb

    store, connection = session.store, session.connection
    draft = journal.IntentDraft(store, sessions.new_boundary_id())
    boundary_id = draft.intent.boundary_id
    try:
        fsops.begin(connection)
        recorded = boundary.record(connection, draft)
        for early in boundary.early_events(boundary_id):
            events.add_event(connection, early)
        payload = {"rows": recorded.rows, "bytes": recorded.bytes, **recorded.payload, **boundary.takes_back}
        payload["milliseconds"] = round((time.perf_counter() - start) * 1000)
        row = _event_row(boundary, boundary_id, f"{boundary.kind}.{boundary.done}", payload)
        event_id, digest = events.add_event(connection, row)
        told = session.told_before(draft.intent)
        if draft.intent.moves:
            journal.write_intent(store, draft.intent)
            journal.publish(store, draft.intent)
        session.tell(told, release=boundary.version_id if boundary.one_release else "")
    except BaseException as error:
        undone = _roll_back(session, boundary, draft.intent, error)
        if not undone and isinstance(error, OSError | duckdb.Error):
            raise _failed(boundary, "recorded", error, state=_LATER) from error
        raise
    try:
        fsops.commit(connection)
    except (duckdb.Error, OSError) as error:
        event_id, digest = _ask_the_database(session, boundary, boundary_id, error)
    try:
        session.after_commit(event_id, digest)
    except OSError as error:
        # the intent stays: if the machine stops and the commit is lost, the next start takes everything back
        raise _failed(boundary, "made durable", error, state=_IN_DOUBT) from error
    try:
        journal.forget(store, draft.intent, committed=True)
    except OSError as error:
        _log.warning("boundary %s is committed; what it left behind goes at the next start: %s", boundary_id, error)
    return row, recorded


def _roll_back(session: sessions.Session, boundary: Boundary, intent: journal.Intent, error: BaseException) -> bool:
    """Undo, ROLLBACK, remove the intent; return whether all is undone. A failure on the way never hides `error`."""
    import duckdb

    _log_rollback(boundary, intent.boundary_id, error)
    undone = True
    try:
        journal.undo(session.store, intent)
    except (OSError, OntofetchError) as second:
        undone = False
        _log.error("boundary %s could not be undone: %s; the next start finishes it", intent.boundary_id, second)
    try:
        fsops.rollback(session.connection)
        if undone:
            journal.forget(session.store, intent, committed=False)
            session.commit_event(_rolled_back(boundary, intent.boundary_id + ".rolled_back", error))
    except (OSError, duckdb.Error, OntofetchError) as second:
        _log.warning("the rollback of boundary %s could not be recorded: %s", intent.boundary_id, second)
    return undone


def _ask_the_database(
    session: sessions.Session, boundary: Boundary, boundary_id: str, error: OSError | duckdb.Error
) -> tuple[int, str]:
    """Find out, after a COMMIT that failed, whether it happened; return the last event, or undo and raise."""
    import duckdb

    try:
        session.reopen()
        happened = events.find_boundary(session.connection, boundary_id) is not None
        last = events.last_event(session.connection)
    except (OntofetchError, OSError, duckdb.Error):
        raise _failed(boundary, "committed", error, state=_IN_DOUBT) from error
    if not happened:
        journal.recover(session.store, session.connection)
        _log_rollback(boundary, boundary_id, error)
        raise _failed(boundary, "committed", error) from error
    return last


@contextmanager
def _explained(boundary: Boundary) -> Iterator[None]:
    """Turn errors of the disk and of DuckDB into a sentence; others pass."""
    import duckdb

    try:
        yield
    except (OSError, duckdb.Error) as error:
        raise _failed(boundary, "recorded", error) from error


@contextmanager
def held_signals() -> Iterator[None]:
    """Hold SIGINT and SIGTERM back and deliver them at the end; other threads than the main one never get them."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    arrived: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        del frame
        arrived.append(number)

    previous = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler if handler is not None else signal.SIG_DFL)
        for late in dict.fromkeys(arrived):
            signal.raise_signal(late)


def _event_row(boundary: Boundary, boundary_id: str, kind: str, payload: Mapping[str, Any]) -> events.EventRow:
    return events.EventRow(
        boundary_id=boundary_id,
        run_id=boundary.run_id,
        config_hash=boundary.config_hash,
        ts=sessions.utc_now(),
        type=kind,
        version_id=boundary.version_id or None,
        payload={**payload, **_votes(boundary)},
    )


def _votes(boundary: Boundary) -> dict[str, Any]:
    spent = {plugin: round(milliseconds, 1) for plugin, milliseconds in sorted(boundary.votes.items())}
    return {"votes": spent} if spent else {}


def _rolled_back(boundary: Boundary, boundary_id: str, error: BaseException, plugin: str = "") -> events.EventRow:
    payload = {**boundary.about, "error": type(error).__name__, "reason": str(error)[:500]}
    if plugin:
        payload["plugin"] = plugin
    row = _event_row(boundary, boundary_id, f"{boundary.kind}.rolled_back", payload)
    return replace(row, version_id=boundary.named or None, level="error")


def _log_rollback(boundary: Boundary, boundary_id: str, error: BaseException) -> None:
    _log.warning(
        "%s.rolled_back %s: %s",
        boundary.kind,
        boundary.subject,
        error,
        extra=_told(boundary, boundary_id, "rollback", Recorded(), (time.perf_counter() - boundary.begun) * 1000),
    )


def _told(
    boundary: Boundary, boundary_id: str, outcome: str, recorded: Recorded, milliseconds: float
) -> dict[str, object]:
    """Return what a log line about a boundary carries beside its sentence."""
    return {
        "outcome": outcome,
        "boundary_id": boundary_id,
        "run_id": boundary.run_id,
        "version_id": boundary.version_id,
        "rows": recorded.rows,
        "bytes": recorded.bytes,
        "milliseconds": round(milliseconds, 1),
    }


def _amount(recorded: Recorded) -> str:
    rows = f"{recorded.rows:,} row" + ("" if recorded.rows == 1 else "s")
    return f"{rows}, {recorded.bytes:,} bytes" if recorded.bytes else rows


def _failed(boundary: Boundary, step: str, error: OSError | duckdb.Error, state: str = "") -> OntofetchError:
    return explain(
        error,
        f"The {boundary.operation} of {boundary.subject} could not be {step}",
        database=boundary.store.database,
        kind=BoundaryFailed,
        subject=boundary.subject,
        state=state or ("Nothing was changed, and the staged bytes are kept." if boundary.has_stage else _UNCHANGED),
    )
