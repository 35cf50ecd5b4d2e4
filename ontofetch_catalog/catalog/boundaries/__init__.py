"""The four boundaries, and what every step of care shares with them: it happens on disk and in the catalog, or not."""

from .engine import Boundary, Care, Outcome, Recorded, carry_out, record_rollback
from .make import make_boundary
from .observers import tell_observers, tell_recovered

__all__ = [
    "Boundary",
    "Care",
    "Outcome",
    "Recorded",
    "carry_out",
    "make_boundary",
    "record_rollback",
    "tell_observers",
    "tell_recovered",
]
