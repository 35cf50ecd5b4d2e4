"""A machine's copy of a shared catalog: what one of its boundaries tells the log, and how it catches up with others.

The caller holds the gate of the store, and the lock of the log where it writes. A copy never knows anything that the
log does not.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import field
from typing import TYPE_CHECKING

from ontofetch_hookspecs.light_dataclasses import dataclass

from ...errors import CatalogBehind, EventError, ObjectMissing, SchemaError
from .. import fsops, intents, journal, moving
from ..connection import Store
from ..migrations import Migration, apply_migrations, available_migrations, pending_migrations
from ..repo import events, images, lookup_keys, row_checks, version_keys
from .files_coming import FilesComing
from .files_going import FilesGoing
from .log import Log, Record
from .log_lock import Head
from .packs import Place
from .places import Fold, Op
from .signposts import Signposts

if TYPE_CHECKING:
    import duckdb

    from .object_store import ObjectStore

CAUGHT_UP = "copy-"  # how the intent of a catching up begins; it ends with its last event
_ROUNDS = 8  # of catching up with machines that write meanwhile
_BATCH = 8 << 20  # bytes of packed rows and of moves that are taken in at once, which takes some thirty times as much
_OP_SIZE = 500  # bytes that one move takes in memory, about
_log = logging.getLogger("ontofetch.catalog.shared")


@dataclass(slots=True)
class Copy:
    """A store, the log that it is a copy of, and the objects with the bytes.

    Args:
        log: The log; its lock is held from the last catching up on until something is appended.

    Attributes:
        coming: What it gets from the objects.
        going: What it puts there.
        signposts: What they say of the log.
    """

    store: Store
    log: Log
    objects: ObjectStore
    coming: FilesComing = field(init=False)
    going: FilesGoing = field(init=False)
    signposts: Signposts = field(init=False)
    _head: Head = field(default_factory=lambda: Head(0, events.CHAIN_START, 0))
    _schema: int | None = None  # of this copy

    def __post_init__(self) -> None:
        self.coming = FilesComing(self.store, self.log, self.objects)
        self.going = FilesGoing(self.store, self.log, self.objects)
        self.signposts = Signposts(self.store, self.log, self.objects)

    def catch_up(self, connection: duckdb.DuckDBPyConnection, head: Head | None = None) -> int:
        """Take in what others have recorded since; return the number of their boundaries.

        Args:
            connection: To the store's database.
            head: How far the log has come, where that was asked just now.

        Raises:
            CatalogBehind: The log has lost what this copy has, or has something else in its place.
            SchemaError: A newer program has written.
            CatalogUnavailable: The server or the objects do not answer.
        """
        count, missed = 0, False
        for _ in range(_ROUNDS):
            self._head, head = head or self.log.head(), None
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
            what = "1 boundary" if count == 1 else f"{count:,} boundaries"
            _log.info("%s is up to date: %s of other machines", self.store.root, what)
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
        self._schema = None
        fold = Fold()
        fsops.begin(connection)
        try:
            _bring_schema(connection, batch[0].schema)
            former = events.last_event(connection)
            packed = [images.unpack(record.changes) for record in batch]
            images.take_in(connection, packed)
            digests = events.check_chain(connection, *former)
            for record, rows in zip(batch, packed, strict=True):
                _check_reached(record, images.event_numbers(rows), digests)
                fold.add(record.moves)
            row_checks.refuse_invalid_releases(connection)
            self.coming.plan(draft, fold)
            if draft.intent.moves:
                intents.write_intent(self.store, draft.intent)
                moving.publish(self.store, draft.intent)
        except BaseException:
            moving.undo(self.store, draft.intent)
            fsops.rollback(connection)
            moving.forget(self.store, draft.intent, committed=False)
            raise
        fsops.commit(connection)
        fsops.sync_folder(self.store.database.parent)
        moving.forget(self.store, draft.intent, committed=True)

    def push(
        self,
        connection: duckdb.DuckDBPyConnection,
        newest: events.Newest,
        changed: dict[str, list[str]],
        moves: tuple[Sequence[Op], Sequence[Place]] = ((), ()),
    ) -> None:
        """Append what the open transaction has recorded since the last event that everybody has.

        Args:
            connection: To the store's database.
            newest: The event that it has recorded last.
            changed: Table → what the rows that changed belong to.
            moves: What it does to files, and where the contents are that it brings.

        Raises:
            CatalogUnavailable: It was not appended, or it is not known whether it was.
        """
        last, digest, row = newest
        moves = self.going.with_plan(row, moves)
        record = Record(
            first_event=self._head.event_id + 1,
            last_event=last,
            boundary_id=row.boundary_id,
            type=row.type,
            version_id=row.version_id,
            former=self._head.digest,
            digest=digest,
            schema=self._own_schema(connection),
            changes=images.pack(connection, changed, self._head.event_id, newest),
            moves=moves[0],
        )
        self.log.append(record, moves[1])
        self.signposts.appended(latest="latest_pointer" in changed)
        self._head = Head(last, digest, record.schema)

    def _own_schema(self, connection: duckdb.DuckDBPyConnection) -> int:
        changed = fsops.changed_tables(connection)
        if self._schema is None or changed is None or "schema_version" in changed:
            self._schema = images.own_schema(connection)
        return self._schema


def end_caught_up(store: Store, connection: duckdb.DuckDBPyConnection) -> None:
    """Forget what a dead process had taken in of others and committed: its intent has no event of its own."""
    last, _ = events.last_event(connection)
    for path in store.open_intents:
        name = path.name.removesuffix(".json")
        number = name.removeprefix(CAUGHT_UP)
        if not name.startswith(CAUGHT_UP) or not number.isdecimal() or int(number) > last:
            continue
        intent = intents.read_intent(path)
        if intent is not None:
            moving.forget(store, intent, committed=True)


def replay(
    log: Log,
    connection: duckdb.DuckDBPyConnection,
    until: int,
    *,
    after: int = 0,
    moved: Callable[[Sequence[Op]], object] = lambda _: None,
) -> None:
    """Make the rows of a shared catalog as of an event in a database that has no table, as a copy that is new has them.

    Args:
        after: The event as of which the database has them already.
        moved: Called with what each boundary does to files, in order.

    Raises:
        CatalogUnavailable: The server does not answer.
        SchemaError: A newer program has written.
    """
    for batch in _batches(log.records(after, until)):
        # DuckDB ends a transaction in which a table is asked for that is not there
        pending = pending_migrations(connection)
        fsops.begin(connection)
        _migrate(connection, batch[0].schema, pending)
        images.take_in(connection, [images.unpack(record.changes) for record in batch])
        fsops.commit(connection)
        for record in batch:
            moved(record.moves)


def bring_newest_schema(connection: duckdb.DuckDBPyConnection) -> None:
    """Bring rows that were made as of an event to the newest schema, as each copy does with its own."""
    fsops.begin(connection)
    _bring_schema(connection, len(available_migrations()))
    fsops.commit(connection)


def _batches(records: Iterator[Record]) -> Iterator[list[Record]]:
    """Yield neighbouring boundaries that can be taken in at once, all of one schema."""
    batch: list[Record] = []
    fold, size = Fold(), 0
    for record in records:
        if batch and (size > _BATCH or record.schema != batch[0].schema or not fold.takes(record.moves)):
            yield batch
            batch, fold, size = [], Fold(), 0
        fold.add(record.moves)
        batch.append(record)
        size += len(record.changes) + _OP_SIZE * len(record.moves)
    if batch:
        yield batch


def _check_reached(record: Record, numbers: list[int], digests: Mapping[int, str]) -> None:
    """Check that a boundary came with just the events that it names, whose last one has the digest that it names."""
    told = list(range(record.first_event, record.last_event + 1))
    if numbers != told or digests.get(record.last_event) != record.digest:
        raise EventError("The shared catalog has a boundary without its events.", subject=record.boundary_id)


def _bring_schema(connection: duckdb.DuckDBPyConnection, schema: int) -> None:
    if schema <= images.own_schema(connection):
        return
    _migrate(connection, schema, pending_migrations(connection))


def _migrate(connection: duckdb.DuckDBPyConnection, schema: int, pending: Sequence[Migration]) -> None:
    if schema > len(available_migrations()):
        raise SchemaError(
            f"The shared catalog's schema is at {schema}, newer than the {len(available_migrations())} that this "
            "installation knows.",
            subject=str(schema),
            hint="Upgrade with `pip install -U ontofetch-catalog`.",
        )
    wanted = [one for one in pending if one.version <= schema]
    if not wanted:
        return
    from datetime import UTC, datetime

    apply_migrations(
        connection,
        wanted,
        datetime.now(UTC).replace(tzinfo=None),
    )
    version_keys.fill_keys(connection)
    lookup_keys.fill_keys(connection)
