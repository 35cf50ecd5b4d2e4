"""What the events of a catalog tell of a plan: how far its batches are, and whether it still fits the catalog."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..repo import events, pruning
from .plan import Plan, PlanUnusable

if TYPE_CHECKING:
    import duckdb


class PlanEvents:
    """What the events tell of the batches of a plan; each look reads on from where the one before it stopped."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._states: dict[int, tuple[str, dict[str, Any]]] = {}
        self._read = 0
        self._checked = int(plan.header["catalog"]["event_id"])

    def states(self, connection: duckdb.DuckDBPyConnection) -> dict[int, tuple[str, dict[str, Any]]]:
        """Return batch → (type, payload) of the newest event of each batch that has one."""
        self._states |= pruning.batch_states(connection, self._plan.plan_id, after=self._read)
        self._read = events.last_event(connection)[0]
        return self._states

    def check_catalog(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Check that the catalog is the one the plan was made on, and that only the plan has changed it since.

        Raises:
            PlanUnusable: It is another, or has moved on.
        """
        plan, made = self._plan, self._plan.header["catalog"]
        if events.digest_at(connection, made["event_id"]) != made["digest"]:
            raise PlanUnusable(
                f"The plan {plan.plan_id} was made on another catalog.",
                subject=plan.plan_id,
                hint="Nothing was done. Check --root, or make a new plan with `ontofetch db prune`.",
            )
        other = pruning.find_other_event(connection, self._checked, plan.plan_id)
        if other is not None:
            raise stale(plan, f"the catalog has moved on (event {other[0]}, {other[1]})")
        self._checked = events.last_event(connection)[0]


def stale(plan: Plan, reason: str) -> PlanUnusable:
    """Return the error of a plan that catalog or disk have left behind, for a reason that ends the sentence."""
    return PlanUnusable(
        f"The plan {plan.plan_id} does not fit any more: {reason}.",
        subject=plan.plan_id,
        hint="What is left of it was not touched. Make a new plan with `ontofetch db prune`.",
    )
