"""The four boundaries, and what every maintenance step shares: it happens on disk and in the catalog, or not."""

from .boundary import Boundary, MaintenanceBoundary, Recorded
from .engine import BoundaryResult, carry_out, record_rollback
from .make import make_boundary
from .observers import notify_observers, notify_recovered, notify_rolled_back

__all__ = [
    "Boundary",
    "BoundaryResult",
    "MaintenanceBoundary",
    "Recorded",
    "carry_out",
    "make_boundary",
    "notify_observers",
    "notify_recovered",
    "notify_rolled_back",
    "record_rollback",
]
