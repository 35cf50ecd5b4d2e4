"""What a copy of a shared catalog has held there: for its own backups, and for those that other programs make."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from ontofetch_hookspecs.names import check_text, quote

from ..errors import CatalogUnavailable, EventError, OntofetchError, PreconditionFailed, UsageError
from .connection import Store
from .joining import require_shared
from .sessions import Session
from .shared.address import read_address
from .shared.log import log_of
from .shared.log_holds import Hold, hold_until, let_go_of, list_holds, take_hold

_WHILE_WRITTEN = 7 * 86_400  # seconds for which what a backup names is kept if its process dies before it is whole
_LONGEST = 200  # characters of a name
_log = logging.getLogger("ontofetch.backup")


def hold(store: Store, name: str, seconds: float | None) -> Hold:
    """Hold all contents that the shared catalog of a copy has now, which is one step.

    Args:
        store: The copy.
        name: What it is called from now on.
        seconds: For how long, by the server's clock; None: until it is let go.

    Raises:
        PreconditionFailed: The store is one of its own.
        Conflict: Something is held under this name already.
        UsageError: The name is none.
        CatalogUnavailable: The server does not answer.
    """
    address = require_shared(store)
    _check_name(name)
    with log_of(store, address).held() as log:
        return take_hold(log, name, store.operation, seconds)


def let_go(store: Store, name: str) -> None:
    """Let go of what is held under a name.

    Raises:
        PreconditionFailed: The store is one of its own, or nothing is held under this name.
        CatalogUnavailable: The server does not answer.
    """
    address = require_shared(store)
    with closing(log_of(store, address).open()) as log:
        if let_go_of(log, name):
            return
        raise PreconditionFailed(
            f"The shared catalog at {log.where} holds nothing called {quote(name)}.",
            subject=name,
            hint="`ontofetch db hold` lists what it holds.",
        )


def holds_of(store: Store) -> list[Hold] | None:
    """Return what the shared catalog of a copy holds, oldest first; None for a store of its own.

    Raises:
        CatalogUnavailable: The server does not answer.
    """
    address = read_address(store)
    if address is None:
        return None
    with closing(log_of(store, address).open()) as log:
        return list_holds(log)


def check_length(store: Store, seconds: float | None) -> None:
    """Refuse to hold for a time what no sweep frees.

    Raises:
        UsageError: The store is one of its own.
    """
    if seconds is not None and read_address(store) is None:
        raise UsageError(
            f"The store {store.root} is one of its own: nothing frees what its backups need.",
            subject="--hold",
            hint="Leave out --hold.",
        )


class BackupHold:
    """What is held for one backup of a copy, of which nothing is held in a store of its own.

    Args:
        path: The backup, by whose name it is held.
        seconds: For how long; None: until it is let go.

    Attributes:
        name: What it is held under; empty where it is not.
    """

    def __init__(self, path: Path, seconds: float | None) -> None:
        self._path = path
        self._seconds = seconds
        self.name = ""

    @contextmanager
    def taken(self, session: Session) -> Iterator[None]:
        """Hold what the catalog has now, for a week; for as long as is wanted once all has gone well in a `with`.

        Others may write meanwhile: what they record is not in the backup.
        """
        if session.copy is None:
            yield
            return
        log = session.copy.log
        self.name = self._free_name(list_holds(log))
        take_hold(log, self.name, session.store.operation, max(_WHILE_WRITTEN, self._seconds or 0))
        session.let_others()
        try:
            yield
        except BaseException:
            try:
                let_go_of(log, self.name)
            except OntofetchError as error:
                _log.warning("what the backup would have needed is held as %s: %s", quote(self.name), error.message)
            raise
        try:
            still = hold_until(log, self.name, self._seconds)
        except CatalogUnavailable:
            # it has taken long, and the line may be cut: what is said twice is said once
            log.close()
            still = hold_until(log, self.name, self._seconds)
        if not still:
            raise _lost(self._path)

    def take_for(self, store: Store, event: int) -> None:
        """Hold what a backup names that was written whole, of the catalog as it is: its process may have died then."""
        address = read_address(store)
        if address is None:
            return
        with log_of(store, address).held() as log:
            there = list_holds(log)
            wanted = self._wanted_name()
            self.name = next((one.name for one in there if one.event == event and one.name.startswith(wanted)), "")
            if self.name and hold_until(log, self.name, self._seconds):
                return
            if log.head().event_id != event:
                raise _lost(self._path)
            self.name = self._free_name(there)
            take_hold(log, self.name, store.operation, self._seconds)

    def _wanted_name(self) -> str:
        try:
            _check_name(self._path.name)
        except OntofetchError:
            return "backup"
        return self._path.name

    def _free_name(self, there: list[Hold]) -> str:
        wanted = self._wanted_name()
        taken = {one.name for one in there}
        return wanted if wanted not in taken else f"{wanted}-{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}"


def _check_name(name: str) -> None:
    try:
        check_text("name", name, most=_LONGEST)
        is_name = bool(name.strip()) and not name.startswith("-")
    except EventError:
        is_name = False
    if not is_name:
        raise UsageError(
            f"{quote(name)} is no name for what is held.",
            subject=name,
            hint=f"Use up to {_LONGEST} characters on one line, the first of which is no `-`.",
        )


def _lost(path: Path) -> PreconditionFailed:
    return PreconditionFailed(
        f"What the backup {quote(path)} names is not held any more: others have let go of it meanwhile.",
        subject=str(path),
        hint="Make the backup once more, at another place.",
    )
