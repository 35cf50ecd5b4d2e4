"""How observers learn of what was committed: of this boundary, and of those that recovery finished on the way in.

It runs after the catalog is closed and knows nothing of what was recorded but the event.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ontofetch_hookspecs import CatalogCommitted, CatalogRolledBack, notify
from ontofetch_hookspecs.errors import text_of

from ..connection import Store
from ..recovery import Recovered
from ..repo.events import EventRow
from .boundary import Boundary
from .engine import BoundaryResult

if TYPE_CHECKING:
    import pluggy


def notify_observers(manager: pluggy.PluginManager, store: Store, outcome: BoundaryResult) -> None:
    """Tell the observers of a host, each isolated; never raises."""
    notify_recovered(manager, store, outcome.recovered)
    _tell(manager, store, outcome.committed, recovered=False)


def notify_recovered(manager: pluggy.PluginManager, store: Store, ended: Iterable[Recovered]) -> None:
    """Tell the observers of a host of the boundaries that recovery has finished; never raises."""
    for item in ended:
        if item.event is not None:
            _tell(manager, store, item.event, recovered=True)


def notify_rolled_back(
    manager: pluggy.PluginManager, store: Store, boundary: Boundary, error: BaseException, plugin: str
) -> None:
    """Tell the observers of a host that a boundary was given up, by whose veto; never raises."""
    told = CatalogRolledBack(
        root=store.root,
        run_id=boundary.run_id,
        config_hash=boundary.config_hash,
        type=f"{boundary.kind}.rolled_back",
        version_id=boundary.named,
        failed_at=datetime.now(UTC),
        plugin=plugin,
        error=type(error).__name__,
        reason=text_of(error)[:500],
        subject=boundary.subject,
    )
    notify(manager, told)


def _tell(manager: pluggy.PluginManager, store: Store, row: EventRow, *, recovered: bool) -> None:
    told = CatalogCommitted(
        root=store.root,
        run_id=row.run_id,
        config_hash=row.config_hash,
        boundary_id=row.boundary_id,
        type=row.type,
        version_id=row.version_id,
        committed_at=row.ts.replace(tzinfo=UTC),
        payload=row.payload,
        recovered=recovered,
    )
    notify(manager, told)
