"""A reader of a copy of a shared catalog: what other machines have recorded by then is taken in before it reads.

Where the server does not answer, what is here is still true of its time, and it is said of which.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...errors import CatalogUnavailable, ObjectsRefused, ObjectsUnavailable
from ..connection import Store
from ..generation import read_generation
from ..shared.address import read_address
from ..shared.kept_lines import keep, line_of
from ..shared.line_errors import say_as_of

if TYPE_CHECKING:
    from ..generation import Generation
    from ..shared.log import Log
    from ..shared.log_lock import Head


class Following:
    """A copy that is about to be read, and the log of what it may have missed.

    Args:
        store: The copy.
        also_cut_off: Whether the copy is read all the same where the log does not answer.
    """

    def __init__(self, store: Store, log: Log, *, also_cut_off: bool) -> None:
        self._store = store
        self._line = log
        self._also_cut_off = also_cut_off

    def is_behind(self) -> bool:
        """Say whether the log has another newest boundary than the copy.

        Who holds the gate learns whether there is something to be taken in: what the log has beyond the copy may else
        be what a process of this very machine is about to commit.
        """
        known = read_generation(self._store)
        try:
            head = self._ask()
        except CatalogUnavailable as error:
            _go_without(error, known if self._also_cut_off else None)
            return False
        return known is None or (known.events, known.digest) != (head.event_id, head.digest)

    def _ask(self) -> Head:
        try:
            return self._line.head()
        except CatalogUnavailable:
            # who has waited for others for long was silent for longer than the server likes
            self._line.close()
            return self._line.head()

    def take_in(self) -> None:
        """Take in what other machines have recorded; the caller does not hold the gate."""
        from .writers import writing

        try:
            with writing(self._store, migrate=False, alone=False, log=self._line):
                pass
        except (ObjectsRefused, ObjectsUnavailable):
            raise
        except CatalogUnavailable as error:
            # the server went away meanwhile; what was taken in whole is there
            _go_without(error, read_generation(self._store) if self._also_cut_off else None)

    def close(self) -> None:
        """Give the line back."""
        keep(self._line)


def follow(store: Store, *, also_cut_off: bool) -> Following | None:
    """Return a copy and its log, to be closed; None where it can't be asked, or the store is none."""
    address = read_address(store)
    if address is None:
        return None
    try:
        log = line_of(store, address)
    except CatalogUnavailable as error:
        _go_without(error, read_generation(store) if also_cut_off else None)
        return None
    return Following(store, log, also_cut_off=also_cut_off)


def _go_without(error: CatalogUnavailable, known: Generation | None) -> None:
    if known is None:
        raise error
    say_as_of(error, known.events)
