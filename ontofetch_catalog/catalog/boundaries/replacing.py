"""What a boundary that replaces an artifact asks of whoever keeps the former one.

How that is kept, and how it comes back, is not known here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from .. import journal
from ..connection import Store
from ..repo import events, releases
from .boundary import Boundary

if TYPE_CHECKING:
    import duckdb


class Leaves(Protocol):
    """An artifact that goes to quarantine, with what came out of it, within the boundary of what takes its place."""

    def plan(self, connection: duckdb.DuckDBPyConnection) -> str:
        """Write the plan, before the boundary begins, and return its id."""

    def unrecord(self, connection: duckdb.DuckDBPyConnection, draft: journal.IntentDraft) -> int:
        """Un-record it and move it away; the documents are left to the boundary. Return how many rows went."""

    def event(self, boundary: Boundary, boundary_id: str) -> list[events.EventRow]:
        """Return the event by which prune knows what has become of it; none before it has left."""


Keeper = Callable[[Store, str, str], Leaves]  # of which store, release and artifact


def state_of(row: releases.VersionRow) -> dict[str, Any]:
    """Return what a replacement changes of a release beside its artifact, as plain values."""
    return {
        "released": row.released.isoformat() if row.released else None,
        "plan_hash": row.plan_hash,
        "extract_audit": row.extract_audit is not None,
        "validation_audit": row.validation_audit is not None,
    }
