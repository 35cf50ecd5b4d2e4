"""A machine's copy of a shared catalog: what one of its boundaries tells the log, and how it catches up with others.

The caller holds the gate of the store, and the lock of the log where it writes. A copy never knows anything that the
log does not.
"""

from __future__ import annotations

import logging
import os
import stat
import threading
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ontofetch_hookspecs import layout
from ontofetch_hookspecs.names import quote
from ontofetch_hookspecs.open_folders import OpenFolders
from ontofetch_hookspecs.store_paths import StorePath

from ...errors import CatalogBehind, CatalogUnreadable, EventError, ObjectMissing, SchemaError
from .. import fsops, journal, moving
from ..connection import Store
from ..fsops import whole
from ..migrations import apply_migrations, available_migrations, pending_migrations
from ..repo import events, images, row_checks, version_keys
from .fetching import fetch
from .log import Head, Log, Record
from .packs import Content, Packer, Place, put_parcels
from .places import Drop, Fold, Move, Op, Put

if TYPE_CHECKING:
    import duckdb

    from .object_store import Buffer, ObjectStore

CAUGHT_UP, BROUGHT_BACK = "copy-", "back-"  # how intents begin that are no boundary: the first ends with its last event
_SHARED_FOLDERS = (layout.FACTS, layout.QUARANTINE, layout.PLANS)  # of the catalog's own, beside the releases
_ROUNDS = 8  # of catching up with machines that write meanwhile
_BATCH = 64 << 20  # bytes of packed rows and of moves that are taken in at once
_log = logging.getLogger("ontofetch.catalog.shared")
_OP_SIZE = 500  # bytes that one move takes in memory, about
_State = tuple[int, int, int, int, int]


@dataclass(slots=True)
class Copy:
    """A store, the log that it is a copy of, and the objects with the bytes.

    Args:
        store: The store.
        log: The log; its lock is held from the last catching up on until something is appended.
        objects: Where the bytes are.
    """

    store: Store
    log: Log
    objects: ObjectStore
    _head: Head = field(default_factory=lambda: Head(0, events.CHAIN_START, 0))
    _early: dict[str, Place] = field(default_factory=dict)  # contents that were put before the lock was held
    _hashed: dict[_State, tuple[str, int]] = field(default_factory=dict)  # state of a file → its sha256 and size

    def catch_up(self, connection: duckdb.DuckDBPyConnection) -> int:
        """Take in what others have recorded since; return the number of their boundaries.

        Raises:
            CatalogBehind: The log has lost what this copy has, or has something else in its place.
            SchemaError: A newer program has written.
            CatalogUnavailable: The server or the objects do not answer.
        """
        count, missed = 0, False
        for _ in range(_ROUNDS):
            self._head = self.log.head()
            last, digest = events.last_event(connection)
            if (last, digest) == (self._head.event_id, self._head.digest):
                break
            self._check_common(last, digest)
            try:
                for batch in _batches(self.log.records(last, self._head.event_id)):
                    self._take_in(connection, batch)
                    count += len(batch)
            except ObjectMissing:
                # freed while it was fetched, after its row was: where it is now, or that it is gone, the log knows
                if missed:
                    raise
                missed = True
        if count:
            _log.info("%s is up to date: %d boundaries of other machines", self.store.root, count)
        return count

    def _check_common(self, last: int, digest: str) -> None:
        if last > self._head.event_id or (last and self.log.digest_at(last) != digest):
            raise CatalogBehind(
                f"The shared catalog at {self.log.where} has {self._head.event_id:,} events, but this copy has another "
                f"event {last:,}: the database was brought back from before it, or is another one.",
                subject=self.log.address.catalog,
                hint="Bring a newer backup of the database back. `ontofetch db move --to local` keeps what is here.",
            )

    def _take_in(self, connection: duckdb.DuckDBPyConnection, batch: Sequence[Record]) -> None:
        draft = journal.IntentDraft(self.store, f"{CAUGHT_UP}{batch[-1].last_event}")
        fold = Fold()
        fsops.begin(connection)
        try:
            for record in batch:
                _bring_schema(connection, record.schema)
                former = events.last_event(connection)
                images.take_in(connection, images.unpack(record.changes))
                events.check_chain(connection, *former)
                _check_reached(connection, record)
                fold.add(record.moves)
            row_checks.refuse_invalid(connection, "versions")
            row_checks.refuse_invalid_times(connection)
            self._plan(draft, fold)
            if draft.intent.moves:
                journal.write_intent(self.store, draft.intent)
                moving.publish(self.store, draft.intent)
        except BaseException:
            moving.undo(self.store, draft.intent)
            fsops.rollback(connection)
            moving.forget(self.store, draft.intent, committed=False)
            raise
        fsops.commit(connection)
        fsops.sync_folder(self.store.database.parent)
        moving.forget(self.store, draft.intent, committed=True)

    def _plan(self, draft: journal.IntentDraft, fold: Fold) -> None:
        """Collect the renames of what is here, and those of what comes, which is fetched before."""
        for number, (source, target) in enumerate(fold.moves):
            origin = fold.origin(number)
            if origin is None or not self.store.path(origin).exists():
                # this machine never had it: it came and went while nobody looked
                continue
            aside = f"{draft.folder}/old/{number}-{os.path.basename(source)}"
            draft.move_from(origin, source, target or aside)
        places = self._places(fold.puts.values())
        coming = [
            put
            for put in fold.puts.values()
            # what lies there may be about to leave
            if put.sha256 in places and (fold.leaves(put.path) or not self._is_here(put))
        ]
        for source, target in self._fetch(draft, coming, places):
            draft.publish(source, target)

    def _is_here(self, put: Put) -> bool:
        """Say whether a file is there as it should be: a copy that is made anew has most of them."""
        place = self.store.path(put.path)
        try:
            state = place.lstat()
            if not stat.S_ISREG(state.st_mode) or (state.st_size, state.st_mtime_ns) != (put.size, put.mtime_ns):
                return False
            return fsops.hash_file(place)[0] == put.sha256
        except OSError:
            return False

    def _places(self, puts: Iterable[Put]) -> dict[str, Place]:
        wanted = sorted({put.sha256 for put in puts})
        found = self.log.places(wanted)
        if len(found) < len(wanted):
            # what was freed since has gone with a later boundary, which follows
            now = {put.path: put.sha256 for put in self.log.all_paths()}
            lost = [put for put in puts if put.sha256 not in found and now.get(put.path) == put.sha256]
            if lost:
                raise CatalogUnreadable(
                    f"The shared catalog at {self.log.where} does not know where {quote(lost[0].path)} is.",
                    subject=lost[0].path,
                    hint="Bring the database back from its backup.",
                )
        return found

    def _fetch(
        self, draft: journal.IntentDraft, puts: Sequence[Put], places: dict[str, Place]
    ) -> Iterator[tuple[str, str]]:
        """Write files into the boundary's own folder, durably; yield what is to be renamed, and to which path."""
        if not puts:
            return
        coming = self.store.path(draft.folder) / "come"
        whole.make_folders(coming)
        tops: dict[str, str] = {}
        staged: dict[str, list[tuple[Put, str]]] = {}
        for number, put in enumerate(puts):
            top = _missing_top(draft, put.path)
            name = tops.setdefault(top or put.path, str(number))
            inside = f"{name}{put.path[len(top) :]}" if top else name
            staged.setdefault(put.sha256, []).append((put, inside))
        folders = OpenFolders(coming)

        alone = threading.Lock()  # the folders that are open are everybody's

        def write(place: Place, data: Iterator[Buffer]) -> None:
            (first, inside), *others = staged[place.sha256]
            with alone:
                _write(folders, first, inside, data)
                for put, other in others:
                    _write(folders, put, other, _read(coming / inside))
            tell(place.size)

        wanted = [places[sha256] for sha256 in staged]
        tell = self._teller(sum(place.size for place in wanted))
        try:
            fetch(self.objects, wanted, write)
        finally:
            folders.close()
        if not fsops.sync_filesystem(coming):
            _sync_tree(coming)
        for target, name in tops.items():
            yield f"{draft.folder}/come/{name}", target

    def moves_of(self, intent: journal.Intent) -> tuple[list[Op], list[Place]]:
        """Return what an intent, which is not published yet, does to files; put what is new into the object store."""
        ops: list[Op] = []
        files: dict[str, StorePath] = {}
        for move in intent.moves:
            if move.source.startswith((layout.STAGING + "/", layout.INTENTS + "/")):
                ops += self._puts(move.source, move.target, files)
            elif move.target.startswith(layout.INTENTS + "/"):
                ops.append(Drop(move.source))
            else:
                ops.append(Move(move.source, move.target))
        return ops, self._put(intent.boundary_id, ops, files)

    def put_early(self, places: Iterable[StorePath]) -> None:
        """Put what a boundary is about to publish into the object store, while others may hold the log.

        Where the boundary does not happen after all, a sweep finds what nothing names.
        """
        files: dict[str, StorePath] = {}
        ops: list[Op] = [put for place in places for put in self._puts(place.relpath, place.relpath, files)]
        self._early = {place.sha256: place for place in self._put(uuid.uuid4().hex, ops, files)}

    def _puts(self, source: str, target: str, files: dict[str, StorePath]) -> Iterator[Put]:
        place = self.store.path(source)
        if not place.is_dir():
            yield self._put_of(place, target, files)
            return
        for inside, found in fsops.walk(place):
            if stat.S_ISREG(found.st_mode):
                yield self._put_of(place / inside, f"{target}/{inside}", files)

    def _put_of(self, place: StorePath, target: str, files: dict[str, StorePath]) -> Put:
        found = place.lstat()
        state = found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
        if state not in self._hashed:
            self._hashed[state] = fsops.hash_file(place)
        sha256, size = self._hashed[state]
        files.setdefault(sha256, place)
        return Put(target, sha256, size, found.st_mtime_ns, stat.S_IMODE(found.st_mode) & 0o777)

    def _put(self, boundary_id: str, ops: Sequence[Op], files: dict[str, StorePath]) -> list[Place]:
        """Put the contents that no other path has into the object store; return where they are."""
        sizes = {op.sha256: op.size for op in ops if isinstance(op, Put)}
        known = self.log.places(sorted(sizes))
        early = [place for sha256, place in self._early.items() if sha256 in sizes and sha256 not in known]
        there = known.keys() | self._early.keys()
        new = [Content(files[sha256], sha256, size) for sha256, size in sizes.items() if sha256 not in there]
        parcels = list(Packer(boundary_id).parcels(new))
        tell = self._teller(sum(parcel.size for parcel in parcels))
        put_parcels(self.objects, parcels, done=lambda parcel: tell(parcel.size))
        return [*early, *(place for parcel in parcels for place in parcel.places())]

    def _teller(self, total: int) -> Callable[[int], None]:
        """Return what is told of bytes that have gone to or fro, by any thread, and tells whoever wants to know."""
        progress, alone, done = self.store.progress, threading.Lock(), 0

        def tell(size: int) -> None:
            nonlocal done
            if progress is not None:
                with alone:
                    done += size
                    progress(done, total)

        return tell

    def everything(self) -> tuple[list[Op], list[Place]]:
        """Return every file of a store that becomes a shared one, and put their bytes into the object store."""
        files: dict[str, StorePath] = {}
        ops: list[Op] = []
        for name, kind in self.store.path("").entries():
            if kind == stat.S_IFDIR and name != layout.CATALOG:
                ops += self._puts(name, name, files)
        for folder in _SHARED_FOLDERS:
            if self.store.path(folder).is_dir():
                ops += self._puts(folder, folder, files)
        return ops, self._put(uuid.uuid4().hex, ops, files)

    def push(
        self,
        connection: duckdb.DuckDBPyConnection,
        changed: dict[str, list[str]],
        moves: tuple[Sequence[Op], Sequence[Place]] = ((), ()),
    ) -> None:
        """Append what the open transaction has recorded since the last event that everybody has.

        Raises:
            CatalogUnavailable: It was not appended, or it is not known whether it was.
        """
        last, digest = events.last_event(connection)
        row = events.event_at(connection, last)
        moves = self._with_plan(row, moves)
        record = Record(
            first_event=self._head.event_id + 1,
            last_event=last,
            boundary_id=row.boundary_id,
            type=row.type,
            version_id=row.version_id,
            former=self._head.digest,
            digest=digest,
            schema=images.own_schema(connection),
            changes=images.pack(connection, changed, self._head.event_id),
            moves=moves[0],
        )
        self.log.append(record, moves[1])
        self._head = Head(last, digest, record.schema)

    def _with_plan(
        self, row: events.EventRow, moves: tuple[Sequence[Op], Sequence[Place]]
    ) -> tuple[Sequence[Op], Sequence[Place]]:
        """Add the files of the plan that a boundary carries out, so that every machine can take it back."""
        folder = f"{layout.PLANS}/{row.payload.get('plan', '')}"
        if "plan" not in row.payload or not self.store.path(folder).is_dir() or self.log.has_below(folder):
            return moves
        files: dict[str, StorePath] = {}
        came = {op.target for op in moves[0] if isinstance(op, Move)}
        # what was moved there is there on every machine
        puts = [put for put in self._puts(folder, folder, files) if came.isdisjoint(journal.path_and_above(put.path))]
        return [*moves[0], *puts], [*moves[1], *self._put(uuid.uuid4().hex, puts, files)]

    def lost_files(self) -> list[Put]:
        """Return the files that the log knows and that are not on this machine, or have another size."""
        found = []
        for put in self.log.all_paths():
            try:
                state = self.store.path(put.path).lstat()
            except (FileNotFoundError, NotADirectoryError):
                found.append(put)
                continue
            if not stat.S_ISREG(state.st_mode) or state.st_size != put.size:
                found.append(put)
        return found

    def bring_back(self, puts: Sequence[Put]) -> None:
        """Fetch files anew; what lies in their place goes into this machine's own quarantine."""
        if not puts:
            return
        draft = journal.IntentDraft(self.store, f"{BROUGHT_BACK}{os.urandom(8).hex()}")
        try:
            for source, target in self._fetch(draft, puts, self._places(puts)):
                draft.publish(source, target)
            journal.write_intent(self.store, draft.intent)
            moving.publish(self.store, draft.intent)
        except BaseException:
            moving.undo(self.store, draft.intent)
            moving.forget(self.store, draft.intent, committed=False)
            raise
        moving.forget(self.store, draft.intent, committed=True)


def end_caught_up(store: Store, connection: duckdb.DuckDBPyConnection) -> None:
    """Forget what a dead process had taken in of others and committed: its intent has no event of its own."""
    last, _ = events.last_event(connection)
    for path in journal.open_intents(store):
        name = path.name.removesuffix(".json")
        number = name.removeprefix(CAUGHT_UP)
        if not name.startswith(CAUGHT_UP) or not number.isdecimal() or int(number) > last:
            continue
        intent = journal.read_intent(path)
        if intent is not None:
            moving.forget(store, intent, committed=True)


def _batches(records: Iterator[Record]) -> Iterator[list[Record]]:
    """Yield neighbouring boundaries that can be taken in at once."""
    batch: list[Record] = []
    fold, size = Fold(), 0
    for record in records:
        if batch and (size > _BATCH or not fold.takes(record.moves)):
            yield batch
            batch, fold, size = [], Fold(), 0
        fold.add(record.moves)
        batch.append(record)
        size += len(record.changes) + _OP_SIZE * len(record.moves)
    if batch:
        yield batch


def _check_reached(connection: duckdb.DuckDBPyConnection, record: Record) -> None:
    if events.last_event(connection) != (record.last_event, record.digest):
        raise EventError("The shared catalog has a boundary without its events.", subject=record.boundary_id)


def _bring_schema(connection: duckdb.DuckDBPyConnection, schema: int) -> None:
    if schema <= images.own_schema(connection):
        return
    if schema > len(available_migrations()):
        raise SchemaError(
            f"The shared catalog's schema is at {schema}, newer than the {len(available_migrations())} that this "
            "installation knows.",
            subject=str(schema),
            hint="Upgrade with `pip install -U ontofetch-catalog`.",
        )
    from datetime import UTC, datetime

    apply_migrations(
        connection,
        [one for one in pending_migrations(connection) if one.version <= schema],
        datetime.now(UTC).replace(tzinfo=None),
    )
    version_keys.fill_keys(connection)


def _missing_top(draft: journal.IntentDraft, path: str) -> str:
    """Return the outermost folder of a path that will not be there; empty if its folder will be."""
    top = ""
    for folder in journal.path_and_above(path.rpartition("/")[0]):
        if draft.will_be_folder(folder):
            break
        top = folder
    return top


def _write(folders: OpenFolders, put: Put, inside: str, data: Iterator[Buffer]) -> None:
    descriptor = folders.create_file(inside)
    try:
        for chunk in data:
            fsops.write(descriptor, chunk)
        fsops.finish_file(descriptor, put.mode, put.mtime_ns)
    finally:
        os.close(descriptor)


def _read(place: StorePath) -> Iterator[bytes]:
    descriptor = place.open_file()
    with os.fdopen(descriptor, "rb") as stream:
        while chunk := stream.read(1 << 20):
            yield chunk


def _sync_tree(place: StorePath) -> None:
    if place.is_dir():
        for name in place.names():
            _sync_tree(place / name)
        fsops.sync_folder(place)
        return
    descriptor = place.open_file()
    try:
        whole.sync_opened(place, descriptor)
    finally:
        os.close(descriptor)
