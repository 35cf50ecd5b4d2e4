"""The files of a boundary as other machines get them: their bytes among the objects, their paths in what the log says.

What rows go with them is not known here.
"""

from __future__ import annotations

import os
import stat
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from typing import TYPE_CHECKING

from ontofetch_hookspecs import layout
from ontofetch_hookspecs.light_dataclasses import dataclass

from .. import fsops, journal
from ..bringing import Brought
from ..connection import Store
from ..equal_files import ways
from ..repo import events
from .log import Log
from .packs import LIMIT, TOGETHER, Content, Packer, Place, put_parcels
from .places import Drop, Move, Op, Put
from .telling import teller

if TYPE_CHECKING:
    from .object_store import ObjectStore

_SHARED_FOLDERS = (layout.FACTS, layout.QUARANTINE, layout.PLANS)  # of the catalog's own, beside the releases
_State = tuple[int, int, int, int, int]


@dataclass(slots=True)
class FilesGoing:
    """What goes from a store to the objects of a shared catalog.

    Args:
        log: The log that it is a copy of.
    """

    store: Store
    log: Log
    objects: ObjectStore
    _early: dict[str, Place] = field(default_factory=dict)  # contents that were put before the lock was held
    _told: dict[str, str] = field(default_factory=dict)  # staged path → what the boundary says of its content
    _brought: dict[str, list[Put]] = field(default_factory=dict)  # staged path → what was found there then
    _hashed: dict[_State, tuple[str, int]] = field(default_factory=dict)  # state of a file → its sha256 and size

    def moves_of(self, intent: journal.Intent) -> tuple[list[Op], list[Place]]:
        """Return what an intent, which is not published yet, does to files; put what is new into the object store."""
        ops: list[Op] = []
        files: dict[str, str] = {}
        for move in intent.moves:
            if move.source.startswith((layout.STAGING + "/", layout.INTENTS + "/")):
                ops += self._brought_to(move.source, move.target, files) or self._puts(move.source, move.target, files)
            elif move.target.startswith(layout.INTENTS + "/"):
                ops.append(Drop(move.source))
            else:
                ops.append(Move(move.source, move.target))
        return ops, self._put(intent.boundary_id, ops, files)

    def put_early(self, brought: Sequence[Brought]) -> None:
        """Put what a boundary is about to publish into the object store, while others may hold the log.

        What the boundary says of contents is believed here, for what is put is held to it, and else nobody reads it.
        Where the boundary does not happen after all, a sweep finds what nothing names.
        """
        files: dict[str, str] = {}
        self._told = {path: sha256 for one in brought for path, sha256 in one.contents().items()}
        places = [one.place.relpath for one in brought]
        found = {place: list(self._puts(place, place, files)) for place in places}
        ops = [put for puts in found.values() for put in puts]
        self._early = {place.sha256: place for place in self._put(uuid.uuid4().hex, ops, files)}
        # where equal files become one meanwhile, their times may be others by the time that they move
        self._brought = found if ways.way_of(self.store) == ways.OFF else {}

    def _brought_to(self, source: str, target: str, files: dict[str, str]) -> list[Put]:
        """Return what was found in a staged folder, or of a staged file, when it was put early; nothing if it was not.

        Nobody else writes there, and it may be much to look through while others wait.
        """
        puts = self._brought.get(source, [])
        files.update((put.sha256, put.path) for put in puts)
        return [Put(target + put.path[len(source) :], put.sha256, put.size, put.mtime_ns, put.mode) for put in puts]

    def _puts(self, source: str, target: str, files: dict[str, str]) -> Iterator[Put]:
        place = self.store.path(source)
        if not place.is_dir():
            yield self._put_of(source, place.lstat(), target, files)
            return
        for inside, found in fsops.walk(place):
            if stat.S_ISREG(found.st_mode):
                yield self._put_of(f"{source}/{inside}", found, f"{target}/{inside}", files)

    def _put_of(self, source: str, found: os.stat_result, target: str, files: dict[str, str]) -> Put:
        sha256 = self._told.get(source)
        known = self._hash_of(source, found) if sha256 is None else (sha256, found.st_size)
        files.setdefault(known[0], source)
        return Put(target, *known, found.st_mtime_ns, stat.S_IMODE(found.st_mode) & 0o777)

    def _hash_of(self, source: str, found: os.stat_result) -> tuple[str, int]:
        state = found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
        if state not in self._hashed:
            self._hashed[state] = fsops.hash_file(self.store.path(source))
        return self._hashed[state]

    def _put(self, boundary_id: str, ops: Sequence[Op], files: Mapping[str, str]) -> list[Place]:
        """Put the contents that no other path has into the object store; return where they are."""
        sizes = {op.sha256: op.size for op in ops if isinstance(op, Put)}
        known = self.log.places(sorted(sizes))
        early = [place for sha256, place in self._early.items() if sha256 in sizes and sha256 not in known]
        there = known.keys() | self._early.keys()
        path = self.store.path
        new = [Content(path(files[sha256]), sha256, size) for sha256, size in sizes.items() if sha256 not in there]
        limit = TOGETHER if sum(content.size for content in new) <= TOGETHER else LIMIT
        parcels = list(Packer(boundary_id, limit=limit).parcels(new))
        tell = teller(self.store, sum(parcel.size for parcel in parcels))
        put_parcels(self.objects, parcels, done=lambda parcel: tell(parcel.size))
        return [*early, *(place for parcel in parcels for place in parcel.places())]

    def everything(self) -> tuple[list[Op], list[Place]]:
        """Return every file of a store that becomes a shared one, and put their bytes into the object store."""
        files: dict[str, str] = {}
        ops: list[Op] = []
        for name, kind in self.store.path("").entries():
            if kind == stat.S_IFDIR and name != layout.CATALOG:
                ops += self._puts(name, name, files)
        for folder in _SHARED_FOLDERS:
            if self.store.path(folder).is_dir():
                ops += self._puts(folder, folder, files)
        return ops, self._put(uuid.uuid4().hex, ops, files)

    def with_plan(
        self, row: events.EventRow, moves: tuple[Sequence[Op], Sequence[Place]]
    ) -> tuple[Sequence[Op], Sequence[Place]]:
        """Add the files of the plan that a boundary carries out, so that every machine can take it back."""
        folder = f"{layout.PLANS}/{row.payload.get('plan', '')}"
        if "plan" not in row.payload or not self.store.path(folder).is_dir() or self.log.has_below(folder):
            return moves
        files: dict[str, str] = {}
        came = {op.target for op in moves[0] if isinstance(op, Move)}
        # what was moved there is there on every machine
        puts = [put for put in self._puts(folder, folder, files) if came.isdisjoint(journal.path_and_above(put.path))]
        return [*moves[0], *puts], [*moves[1], *self._put(uuid.uuid4().hex, puts, files)]
