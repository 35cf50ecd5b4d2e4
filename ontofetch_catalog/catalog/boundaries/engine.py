"""The protocol of a boundary after the vote: settle, enter, record, intent, publish, commit, forget.

What is recorded and published is the boundary's own affair; the order in which it happens is not.
"""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from types import FrameType
from typing import TYPE_CHECKING, Any

from ontofetch_hookspecs.errors import text_of
from ontofetch_hookspecs.light_dataclasses import dataclass
from ontofetch_hookspecs.receipts import Receipt

from ...errors import BoundaryFailed, OntofetchError
from .. import fsops, intents, journal, moving, recovery, sessions
from ..connection import Store
from ..failures import explain
from ..repo import events
from .boundary import Boundary, Recorded, event_row

if TYPE_CHECKING:
    import duckdb

_UNCHANGED = "Nothing was changed."
_LATER = "The next start takes back what it had begun."
_IN_DOUBT = "The next start finds out whether it happened."
_MOST_TOLD = 2000  # characters of an error in a line of the log
_log = logging.getLogger("ontofetch.catalog")


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundaryResult:
    """A committed boundary: the receipt for the host, what the event recorded, what recovery ended on the way in."""

    receipt: Receipt
    committed: events.EventRow
    recovered: tuple[recovery.Recovered, ...]


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
                row = event_row(boundary, sessions.new_boundary_id(), f"{boundary.kind}.unchanged", _votes(boundary))
                session.commit_event(row)
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
        row = event_row(boundary, boundary_id, f"{boundary.kind}.{boundary.done}", {**payload, **_votes(boundary)})
        event_id, digest = events.add_event(connection, row)
        told = session.told_before(draft.intent, boundary.in_place())
        if draft.intent.moves:
            intents.write_intent(store, draft.intent)
            moving.publish(store, draft.intent)
        session.tell((event_id, digest, row), told, release=boundary.version_id if boundary.one_release else "")
    except BaseException as error:
        undone = _roll_back(session, boundary, draft.intent, error)
        if not undone and isinstance(error, OSError | duckdb.Error):
            raise _failed(boundary, "recorded", error, state=_LATER) from error
        raise
    # what is left to do is this machine's own affair
    session.let_others()
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
        moving.forget(store, draft.intent, committed=True)
    except OSError as error:
        _log.warning("boundary %s is committed; what it left behind goes at the next start: %s", boundary_id, error)
    return row, recorded


def _roll_back(session: sessions.Session, boundary: Boundary, intent: journal.Intent, error: BaseException) -> bool:
    """Undo, ROLLBACK, remove the intent; return whether all is undone. A failure on the way never hides `error`."""
    import duckdb

    _log_rollback(boundary, intent.boundary_id, error)
    undone = True
    try:
        moving.undo(session.store, intent)
    except (OSError, OntofetchError) as second:
        undone = False
        _log.error("boundary %s could not be undone: %s; the next start finishes it", intent.boundary_id, second)
    try:
        fsops.rollback(session.connection)
        if undone:
            moving.forget(session.store, intent, committed=False)
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
        recovery.recover(session.store, session.connection)
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


def _votes(boundary: Boundary) -> dict[str, Any]:
    spent = {plugin: round(milliseconds, 1) for plugin, milliseconds in sorted(boundary.votes.items())}
    return {"votes": spent} if spent else {}


def _rolled_back(boundary: Boundary, boundary_id: str, error: BaseException, plugin: str = "") -> events.EventRow:
    payload = {**boundary.about, "error": type(error).__name__, "reason": text_of(error)[:500]}
    if plugin:
        payload["plugin"] = plugin
    row = event_row(boundary, boundary_id, f"{boundary.kind}.rolled_back", {**payload, **_votes(boundary)})
    return replace(row, version_id=boundary.named or None, level="error")


def _log_rollback(boundary: Boundary, boundary_id: str, error: BaseException) -> None:
    _log.warning(
        "%s.rolled_back %s: %s",
        boundary.kind,
        boundary.subject,
        text_of(error)[:_MOST_TOLD],
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
