"""The four boundaries: each happens on disk and in the catalog, or not at all."""

from .engine import Boundary, Outcome, carry_out, record_rollback
from .make import make_boundary

__all__ = ["Boundary", "Outcome", "carry_out", "make_boundary", "record_rollback"]
