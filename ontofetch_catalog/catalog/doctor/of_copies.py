"""What is mended in a copy of a shared catalog, and how: on this machine alone, or recorded, so that all copies get it.

Of a path that the log knows, its bytes are among the objects: what lies here instead is this machine's affair. What the
log does not know, nobody else has. All else changes what machines have in common, and is a boundary like any other.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import TYPE_CHECKING

from ontofetch_hookspecs.layout import INTENTS

from ...errors import PreconditionFailed
from .. import fsops, journal, moving, sessions
from ..connection import Store, open_connection
from ..fsops import whole
from ..generation import write_generation
from ..repo import events, images
from ..shared.address import read_address
from ..shared.files_coming import BROUGHT_BACK
from ..shared.log import log_of
from ..shared.replica import replay
from .repair import Repair, refuse
from .store_repairs import Migrate, WriteRecord

if TYPE_CHECKING:
    import duckdb

    from ..shared.places import Put

# codes whose subjects are files that the log may know; fixes of them that want the bytes back
_FILES = ("CAT013", "CAT014", "CAT015", "CAT016", "CAT017", "CAT019", "CAT020", "CAT021", "CAT035")
_BACK = ("restore", "rewrite", "catalog", "quarantine")
_GIVEN_UP = ("drop", "fail")
# fixes of what only this machine has, unless the log knows it
_OWN = frozenset(
    {("CAT002", "quarantine"), ("CAT009", "write"), ("CAT013", "quarantine"), ("CAT017", "quarantine"),
     ("CAT022", "quarantine"), ("CAT023", "purge"), ("CAT024", "chmod"), ("CAT028", "quarantine"),
     ("CAT033", "quarantine"), ("CAT036", "quarantine")}
)  # fmt: skip


class MendedHere:
    """What is mended on this machine alone: it is recorded nowhere, and whole or not at all.

    Args:
        repair: What would do it in a store of its own.
        subjects: Of which of its subjects.
    """

    does = "on this machine alone"

    def __init__(self, repair: Repair, subjects: Sequence[str]) -> None:
        self.store, self.code, self.fix, self.version_id = repair.store, repair.code, repair.fix, repair.version_id
        self.subjects = list(subjects)
        self._repair = repair

    def carry_out(self) -> int:
        """Do it; return of how many subjects.

        Raises:
            OntofetchError: It can't be done; nothing was changed.
        """
        repair = self._repair
        repair.subjects = self.subjects
        with sessions.writing(self.store, trust_record=repair.trusts_record, alone=False) as session:
            if not repair.is_changed(session.connection):
                return 0
            draft = journal.IntentDraft(self.store, f"{BROUGHT_BACK}{os.urandom(8).hex()}")
            with moving.carrying_out(draft):
                repair.mend(session.connection, draft)
            if isinstance(repair, WriteRecord):
                write_generation(self.store, *events.last_event(session.connection))
        return len(repair.subjects)


class Fetched(MendedHere):
    """What comes from the objects, as the log has it; what lies in its place goes into this machine's quarantine."""

    does = "fetch it from the objects"

    def carry_out(self) -> int:
        """Fetch what still differs; return how many files.

        Raises:
            OntofetchError: The objects or the server do not answer; nothing was changed.
        """
        with sessions.writing(self.store, alone=False) as session:
            if session.copy is None:
                return 0
            known = session.copy.log.paths_of(self.subjects)
            puts = [put for put in known.values() if _differs(self.store, put)]
            session.copy.coming.bring_back(puts)
        return len(puts)


class GivenUp(MendedHere):
    """What is not un-recorded for all machines because one has lost it."""

    does = "not as long as its bytes are among the objects"

    def carry_out(self) -> int:
        """Refuse.

        Raises:
            RepairFailed: Always.
        """
        raise refuse(
            self.subjects[0],
            "all other machines have it, and its bytes are among the objects",
            f"`ontofetch db doctor --fix {self.code}=restore` fetches it; `ontofetch rm` removes it for all.",
        )


class Refused(MendedHere):
    """What would be mended for no other machine, or would make other machines have what is wrong on this one."""

    does = "not in a copy, as it is now"

    def carry_out(self) -> int:
        """Refuse.

        Raises:
            PreconditionFailed: Always.
        """
        what = "Events that this machine has lost are" if self.code == "CAT008" else "Rows here are"
        raise PreconditionFailed(
            f"{what} not what the shared catalog says: {self.code} is nothing to be mended for all machines.",
            subject=self.subjects[0],
            hint="`ontofetch db rebuild` makes this copy anew from the log; what is found then all machines have, and"
            " it can be mended for all.",
        )


def divide(store: Store, repairs: Sequence[Repair]) -> list[Repair | MendedHere]:
    """Return repairs as they are carried out in a store: each recorded, or, in a copy, what is this machine's here.

    Raises:
        CatalogUnavailable: The server does not answer.
    """
    address = read_address(store)
    if address is None or not repairs:
        return list(repairs)
    divided: list[Repair | MendedHere] = []
    with closing(log_of(store, address).open()) as log:
        for repair in repairs:
            known = log.paths_of(repair.subjects)
            differing = [path for path, put in known.items() if _differs(store, put)]
            beside = [path for path in repair.subjects if path not in known and not log.has_below(path)]
            divided += _parts(repair, differing, beside)
    recorded = [one for one in divided if isinstance(one, Repair) and not isinstance(one, Migrate)]
    if not recorded or not _has_other_rows(store):
        return divided
    return [Refused(one, one.subjects) if one in recorded else one for one in divided]


def _parts(repair: Repair, differing: Sequence[str], beside: Sequence[str]) -> list[Repair | MendedHere]:
    """Return a repair by what becomes of its subjects; those for which nothing else is right stay with it.

    Args:
        differing: Which of them the log knows, and are not here as it has them.
        beside: Which of them the log does not know.
    """
    parts: list[Repair | MendedHere] = []
    taken: Sequence[str] = ()
    if repair.code == "CAT008":
        return [Refused(repair, repair.subjects)]
    if repair.code in _FILES and differing and (repair.fix in _BACK or repair.code == "CAT035"):
        parts, taken = [Fetched(repair, differing)], differing
    elif repair.code in _FILES and differing and repair.fix in _GIVEN_UP:
        parts, taken = [GivenUp(repair, differing)], differing
    elif (repair.code, repair.fix) in _OWN and beside:
        parts, taken = [MendedHere(repair, beside)], beside
    left = [subject for subject in repair.subjects if subject not in set(taken)]
    if not left:
        return parts
    # what is carried out here keeps the repair that it was: the one that is left is another one
    rest = type(repair)(repair.store, repair.code, repair.fix, repair.version_id, left)
    return [*parts, rest]


def _differs(store: Store, put: Put) -> bool:
    """Say whether what lies at a path is not what the log has there."""
    place = store.path(put.path)
    try:
        state = place.lstat()
        if not stat.S_ISREG(state.st_mode) or state.st_size != put.size:
            return True
        return fsops.hash_file(place)[0] != put.sha256
    except OSError:
        return True


def _has_other_rows(store: Store) -> bool:
    """Say whether this machine's rows are others than the log has: they were changed here, by nobody's command."""
    folder = store.path(f"{INTENTS}/{BROUGHT_BACK}{os.urandom(8).hex()}")
    # a folder there without an intent goes with the next start
    with sessions.writing(store, trust_record=False, alone=False) as session:
        if session.copy is None:
            return False
        whole.make_folders(folder)
        try:
            with closing(open_connection(store.bounded(), read_only=False, path=folder / "log.duckdb")) as other:
                replay(session.copy.log, other, events.last_event(session.connection)[0])
                return _states(other) != _states(session.connection)
        finally:
            whole.remove_tree(folder)


def _states(connection: duckdb.DuckDBPyConnection) -> Mapping[tuple[str, str], tuple[object, ...]]:
    return images.states_of(connection, list(images.KEYS))
