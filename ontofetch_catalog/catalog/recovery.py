"""How what dead processes left open is ended: each boundary by what the database says of it, and what was being made.

Whoever calls it writes alone.
"""

from __future__ import annotations

import logging
import stat
from typing import TYPE_CHECKING

from ontofetch_hookspecs.layout import STAGING
from ontofetch_hookspecs.light_dataclasses import dataclass
from ontofetch_hookspecs.stage_records import holding, is_abandoned

from ..errors import RecoveryFailed
from . import fsops, intents, moving
from .connection import Store
from .failures import explaining
from .fsops import whole
from .repo import events

if TYPE_CHECKING:
    import duckdb

_log = logging.getLogger("ontofetch.catalog")


@dataclass(frozen=True, slots=True)
class Recovered:
    """One boundary that recovery has ended: its event if it had committed, None if it was undone."""

    boundary_id: str
    event: events.EventRow | None


def recover(store: Store, connection: duckdb.DuckDBPyConnection) -> list[Recovered]:
    """End every boundary that a dead process left open; the caller writes alone and has the database open.

    Raises:
        RecoveryFailed: One can be neither finished nor undone; its intent stays.
    """
    ended = []
    for path in store.open_intents:
        intent = intents.read_intent(path)
        if intent is None:
            intents.set_aside(path)
            continue
        event = events.find_boundary(connection, intent.boundary_id)
        with explaining(
            f"The open boundary {intent.boundary_id} can't be ended{store.purpose}",
            database=store.database,
            kind=RecoveryFailed,
            subject=intent.boundary_id,
            state="The next command that writes, or `ontofetch db recover`, ends it.",
        ):
            if event is None:
                moving.undo(store, intent)
            moving.forget(store, intent, committed=event is not None)
        ended.append(Recovered(intent.boundary_id, event))
    sweep(store)
    return ended


def sweep(store: Store) -> None:
    """Remove what a boundary wrote for itself before it had an intent; nobody else is writing now."""
    for name, kind in store.intents.entries():
        path = store.intents / name
        if name.endswith(intents.UNREADABLE):
            continue
        if kind == stat.S_IFDIR and not intents.intent_path(store, name).exists():
            whole.remove_tree(path)
        elif name.startswith("."):
            fsops.unlink(path)


def sweep_stages(store: Store) -> None:
    """Remove the stages in which a host that died had no byte; called by who has just written, and writes alone."""
    try:
        for name, kind in store.path(STAGING).entries():
            stage = store.path(STAGING) / name
            if kind == stat.S_IFDIR and is_abandoned(stage):
                with holding(stage) as held:
                    if held and is_abandoned(stage):
                        moving.retire(stage)
    except OSError as error:
        # what was to be done is done; the next writer tries again
        _log.warning("empty stages below %s could not be removed: %s", store.root, error)
