"""What a boundary is: one step that changes rows and files at once, and what it says of itself.

In which order its methods are called, and what happens where one fails, is the engine's affair.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import field
from typing import TYPE_CHECKING, Any, ClassVar

from ontofetch_hookspecs.light_dataclasses import dataclass

from ...errors import Conflict
from .. import journal, sessions
from ..bringing import Brought
from ..connection import Store
from ..repo import events

if TYPE_CHECKING:
    import duckdb


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

    def brings(self) -> Sequence[Brought]:
        """Return the staged files and folders that it is about to publish, as `settle` has left them."""
        return ()

    def in_place(self) -> Sequence[str]:
        """Return the paths of files and folders that lie where they are to lie, and that are new to other machines."""
        return ()

    def early_events(self, boundary_id: str) -> list[events.EventRow]:
        """Return events to be recorded before the boundary's own, in the same transaction."""
        del boundary_id
        return []


def untold(done: int, total: int) -> None:
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
        self.progress: Callable[[int, int], None] = untold
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


def event_row(
    boundary: Boundary, boundary_id: str, kind: str, payload: Mapping[str, Any], *, version_id: str | None = None
) -> events.EventRow:
    """Return an event of a boundary as it is recorded now; it is about another release where `version_id` says so."""
    return events.EventRow(
        boundary_id=boundary_id,
        run_id=boundary.run_id,
        config_hash=boundary.config_hash,
        ts=sessions.utc_now(),
        type=kind,
        version_id=version_id or boundary.version_id or None,
        payload=payload,
    )


def batch_event(boundary: Boundary, boundary_id: str, kind: str, version_id: str, told: Recorded) -> events.EventRow:
    """Return the event of a batch of prune that is carried out within another boundary."""
    payload = {"rows": told.rows, "bytes": told.bytes, **told.payload}
    return event_row(boundary, boundary_id, kind, payload, version_id=version_id)
