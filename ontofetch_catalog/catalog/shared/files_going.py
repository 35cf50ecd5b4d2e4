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
from ontofetch_hookspecs.names import relpath_fault

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
    _brings: Sequence[Brought] = ()  # what the boundary brings
    _told: dict[str, str] | None = None  # staged path → what the boundary says of its content, where that was asked
    _brought: dict[str, list[Put]] = field(default_factory=dict)  # staged path → what was found there then
    _hashed: dict[_State, tuple[str, int]] = field(default_factory=dict)  # state of a file → its sha256 and size

    def moves_of(self, intent: journal.Intent, in_place: Sequence[str] = ()) -> tuple[list[Op], list[Place]]:
        """Return what an intent, which is not published yet, does to files; put what is new into the object store.

        Args:
            intent: What is about to be published.
            in_place: Files and folders that lie in their place already, before anything of the intent happens.
        """
        files: dict[str, str] = {}
        ops: list[Op] = [put for path in in_place for put in self._puts(path, path, files)]
        for move in intent.moves:
            if move.source.startswith((layout.STAGING + "/", layout.INTENTS + "/")):
                ops += self._brought_to(move.source, move.target, files) or self._puts(move.source, move.target, files)
            elif move.target.startswith(layout.INTENTS + "/"):
                ops.append(Drop(move.source))
            else:
                ops.append(Move(move.source, move.target))
        places = self._put(intent.boundary_id, ops, files)
        # they may be freed once this boundary is over
        self._early = {}
        return ops, places

    def put_early(self, brought: Sequence[Brought]) -> None:
        """Put what a boundary is about to publish into the object store, while others may hold the log.

        What the boundary says of contents is believed here, for what is put is held to it, and else nobody reads it.
        Where the boundary does not happen after all, a sweep finds what nothing names.
        """
        files: dict[str, str] = {}
        self._early, self._brings, self._told = {}, brought, None
        found = {one.place.relpath: self._found_in(one, files) for one in brought}
        ops = [put for puts in found.values() for put in puts]
        self._early = {place.sha256: place for place in self._put(uuid.uuid4().hex, ops, files)}
        # where equal files become one meanwhile, their times may be others by the time that they move
        self._brought = found if ways.way_of(self.store) == ways.OFF else {}

    def _found_in(self, one: Brought, files: dict[str, str]) -> list[Put]:
        """Return what is staged, as it was found just now, or when all of it was looked at already."""
        if one.files is None or one.states is None:
            return list(self._puts(one.place.relpath, one.place.relpath, files))
        paths, contents = one.paths(one.files), one.files["file_id"].to_pylist()
        files.update(zip(contents, paths, strict=True))
        return list(map(Put, paths, contents, one.files["size_bytes"].to_pylist(), *one.states))

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
            # what has a name that no catalog can hold other machines can't have
            if stat.S_ISREG(found.st_mode) and relpath_fault(f"{target}/{inside}") is None:
                yield self._put_of(f"{source}/{inside}", found, f"{target}/{inside}", files)

    def _put_of(self, source: str, found: os.stat_result, target: str, files: dict[str, str]) -> Put:
        if self._told is None:
            self._told = {path: sha256 for one in self._brings for path, sha256 in one.contents().items()}
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
        # what was put early has its place there, whoever else has put it meanwhile
        early = [place for sha256, place in self._early.items() if sha256 in sizes]
        known = self.log.places(sorted(sizes.keys() - self._early.keys()))
        there = known.keys() | self._early.keys()
        new = [Content(files[sha256], sha256, size) for sha256, size in sizes.items() if sha256 not in there]
        limit = TOGETHER if sum(content.size for content in new) <= TOGETHER else LIMIT
        parcels = list(Packer(boundary_id, limit=limit).parcels(new))
        tell = teller(self.store, sum(parcel.size for parcel in parcels))
        put_parcels(self.objects, parcels, store=self.store.path(""), done=lambda parcel: tell(parcel.size))
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
