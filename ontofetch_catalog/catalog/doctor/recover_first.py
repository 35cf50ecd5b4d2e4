"""What comes before a store is mended: whatever is open is ended, so that the examination sees all of it.

What is found afterwards is not known here.
"""

from __future__ import annotations

from ontofetch_hookspecs.layout import SWAP
from ontofetch_hookspecs.light_dataclasses import dataclass

from .. import recovery, sessions
from ..connection import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """What was ended: boundaries, and the restore or rebuild that was finished; empty if there was none."""

    boundaries: tuple[recovery.Recovered, ...] = ()
    swapped: str = ""


def end_open(store: Store) -> Ended:
    """End what dead processes left open, as every writing command does; enter the catalog only if something is.

    A catalog whose schema is behind is left alone: whether it is migrated is a fix to be chosen.

    Raises:
        OntofetchError: It can't be ended, or the catalog can't be entered; what is open stays.
    """
    swapped = store.path(SWAP).exists()
    if not swapped and not (store.database.is_file() and store.open_intents):
        return Ended()
    if not swapped and sessions.pending(store):
        return Ended()
    with sessions.writing(store) as session:
        return Ended(boundaries=tuple(session.recovered), swapped=session.swapped)


def bring_record_up(store: Store) -> None:
    """Write the generation record of a catalog that has come further, as every writer does that enters.

    Raises:
        OntofetchError: The catalog can't be entered.
    """
    with sessions.writing(store):
        pass
