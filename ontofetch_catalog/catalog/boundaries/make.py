"""Choose the boundary for an event."""

from __future__ import annotations

from ontofetch_hookspecs.events import DownloadDone, Event, ExtractDone, SetLatest, ValidateDone

from ...errors import EventError
from ..connection import Store
from .boundary import Boundary
from .download import DownloadBoundary
from .extract import ExtractBoundary
from .latest import LatestBoundary
from .replacing import Keeper
from .validate import ValidateBoundary


def make_boundary(store: Store, event: Event, keeper: Keeper | None = None) -> Boundary:
    """Return the boundary that records `event`, after a check of the event; nothing is written.

    Args:
        event: What the host has done.
        keeper: Keeps what a replaced artifact leaves behind, with its rows; None: only its bytes are kept.

    Raises:
        EventError: The event is none of the four, or belongs to another store.
        OntofetchError: What the boundary's own check says.
    """
    if event.root != store.root:
        raise EventError(f"The event is about {event.root}, this catalog is at {store.root}.", subject=str(event.root))
    boundary: Boundary
    match event:
        case DownloadDone():
            boundary = DownloadBoundary(store, event, keeper)
        case ExtractDone():
            boundary = ExtractBoundary(store, event)
        case ValidateDone():
            boundary = ValidateBoundary(store, event)
        case SetLatest():
            boundary = LatestBoundary(store, event)
        case _:
            raise EventError(f"A {type(event).__name__} is no boundary's event.", subject="event")
    boundary.check()
    return boundary
