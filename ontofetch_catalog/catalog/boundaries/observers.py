"""Own how observers learn of what was committed: of this boundary, and of those that recovery finished on the way in.

It runs after the catalog is closed and knows nothing of what was recorded but the event.
"""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

from ontofetch_hookspecs import CatalogCommitted, notify

from ..connection import Store
from .engine import Outcome

if TYPE_CHECKING:
    import pluggy


def tell_observers(manager: pluggy.PluginManager, store: Store, outcome: Outcome) -> None:
    """Tell the observers of a host, each isolated; never raises."""
    ended = [(item.event, True) for item in outcome.recovered if item.event is not None]
    for row, recovered in [*ended, (outcome.committed, False)]:
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
