"""The one log of a shared catalog, in PostgreSQL: every boundary in its order, and where each path's bytes are.

Whoever writes holds the log alone, by a lock that is lost with the connection; then nothing can be appended any more.
"""

from __future__ import annotations

import logging
import re
import socket
from collections.abc import Iterator, Sequence
from dataclasses import field
from typing import TYPE_CHECKING, Any

from ontofetch_hookspecs.layout import LATEST
from ontofetch_hookspecs.light_dataclasses import dataclass

from ...errors import CatalogLocked, CatalogUnavailable
from ..connection import Store
from .address import Address
from .log_lock import BEGIN, HEAD, HELD, Head, LogLock, as_head
from .log_paths import add_contents, are_there, move_paths
from .log_rows import as_array, send_value
from .packs import Place
from .places import Op, Put, dump_ops, parse_ops
from .signs import is_pointer

if TYPE_CHECKING:
    import psycopg

_COMMITS = 3  # tries to learn whether a COMMIT without an answer happened
_AT_ONCE = 50_000
_PAGE = 20  # boundaries that are read at once
_log = logging.getLogger("ontofetch.catalog.shared")


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One boundary in the log.

    Args:
        first_event, last_event: The events that it recorded.
        boundary_id, type, version_id: Of the last of them.
        former: Digest of the event before the first.
        digest: Digest of the last event.
        schema: Number of the newest migration when it was recorded.
        changes: The rows that it changed, as `images.pack` makes them.
        moves: What it did to files, in order.
    """

    first_event: int
    last_event: int
    boundary_id: str
    type: str
    version_id: str | None
    former: str
    digest: str
    schema: int
    changes: bytes
    moves: Sequence[Op] = field(repr=False)


class Log(LogLock):
    """A connection to the log."""

    def head(self) -> Head:
        """Return how far the log has come."""
        with self.explained("read"):
            return as_head(self.in_use().execute(HEAD).fetchone())

    def digest_at(self, event_id: int) -> str | None:
        """Return the digest of the event that ended a boundary; None if none ended there."""
        with self.explained("read"):
            found = self.in_use().execute("SELECT digest FROM boundaries WHERE last_event = %s", [event_id]).fetchone()
        return str(found[0]) if found else None

    def records(self, after: int, until: int) -> Iterator[Record]:
        """Yield the boundaries after an event up to another, in order; no transaction is open between two of them."""
        names = ("first_event", "last_event", "boundary_id", "type", "version_id", "former", "digest", "schema")
        while after < until:
            with self.explained("read"):
                rows = (
                    self.in_use()
                    .execute(
                        f"SELECT {', '.join(names)}, changes, moves FROM boundaries"  # noqa: S608 - our own names
                        " WHERE first_event > %s AND last_event <= %s ORDER BY first_event LIMIT %s",
                        [after, until, _PAGE],
                    )
                    .fetchall()
                )
            if not rows:
                return
            for *fields, changes, moves in rows:
                record = Record(**dict(zip(names, fields, strict=True)), changes=bytes(changes), moves=parse_ops(moves))
                after = record.last_event
                yield record

    def places(self, contents: Sequence[str], *, condemned: bool = False) -> dict[str, Place]:
        """Return where contents are, by their sha256; those that are nowhere are left out.

        Args:
            contents: Their sha256.
            condemned: Also those that are condemned, which who holds the log may read, and never name again.
        """
        found: dict[str, Place] = {}
        with self.explained("read"):
            for start in range(0, len(contents), _AT_ONCE):
                rows = self.in_use().execute(
                    "SELECT sha256, size, key, position FROM contents"
                    " WHERE sha256 = ANY(%s::text[]) AND (condemned_at IS NULL OR %s)",
                    [as_array(contents[start : start + _AT_ONCE]), condemned],
                )
                found |= {row[0]: Place(*row) for row in rows}
        return found

    def all_paths(self) -> list[Put]:
        """Return every path of the store with its content, sorted."""
        with self.explained("read"):
            rows = self.in_use().execute("SELECT path, sha256, size, mtime_ns, mode FROM paths ORDER BY path")
            return [Put(*row) for row in rows]

    def paths_of(self, paths: Sequence[str]) -> dict[str, Put]:
        """Return those of some paths that the store has, with their content."""
        found: dict[str, Put] = {}
        with self.explained("read"):
            for start in range(0, len(paths), _AT_ONCE):
                rows = self.in_use().execute(
                    "SELECT path, sha256, size, mtime_ns, mode FROM paths WHERE path = ANY(%s::text[])",
                    [as_array(paths[start : start + _AT_ONCE])],
                )
                found |= {row[0]: Put(*row) for row in rows}
        return found

    def has_below(self, folder: str) -> bool:
        """Say whether a path lies below a folder."""
        with self.explained("read"):
            found = self.in_use().execute("SELECT 1 FROM paths WHERE starts_with(path, %s) LIMIT 1", [folder + "/"])
            return found.fetchone() is not None

    def pointers(self, after: int, until: int) -> list[str]:
        """Return which LATEST.json boundaries after an event, up to another, have changed; sorted."""
        with self.explained("read"):
            rows = self.in_use().execute(
                "SELECT DISTINCT found[1] FROM boundaries, regexp_matches(moves, %s, 'g') AS found"
                " WHERE first_event > %s AND last_event <= %s AND moves LIKE %s ORDER BY 1",
                [rf'"([^"/]+/[^"/]+/{re.escape(LATEST)})"', after, until, f'%/{LATEST}"%'],
            )
            return [path for (path,) in rows if is_pointer(path)]

    def append(self, record: Record, new: Sequence[Place]) -> None:
        """Append one boundary, with what it does to paths and the contents that it brings; all or nothing.

        Raises:
            CatalogUnavailable: The server refused, or the lock is lost: nothing was appended; or it is not known
                whether it was, which the next start finds out.
        """
        import psycopg

        connection = self.in_use()
        try:
            with self.explained("written"), connection.transaction():
                self._write(connection, record, new)
        except CatalogUnavailable as error:
            if not isinstance(error.__cause__, psycopg.OperationalError):
                raise
            if not self._happened(record.boundary_id):
                raise
            _log.warning("the answer of %s was lost; boundary %s is in its log", self.where, record.boundary_id)

    def _write(self, connection: psycopg.Connection[Any], record: Record, new: Sequence[Place]) -> None:
        found = connection.execute(
            # contents that come along are marked with their event, by which holds know them
            f"SELECT set_config('ontofetch.event', %s, true), EXISTS ({HELD}), head.*"  # noqa: S608
            f" FROM (SELECT) AS one LEFT JOIN ({HEAD}) AS head ON true",
            [str(record.last_event)],
        ).fetchone()
        _, held, *head = found or ("", False)
        if not held:
            raise self.fenced()
        if (head[0] or 0, head[1] or BEGIN.digest) != (record.first_event - 1, record.former):
            raise self.fenced()
        add_contents(connection, new)
        if not are_there(connection, record.moves, new):
            raise CatalogUnavailable(
                f"The shared catalog at {self.where} has lost a content that was there just now.",
                subject=self.address.catalog,
                hint="Nothing was changed. Run the same command again.",
            )
        move_paths(connection, record.moves)
        with connection.cursor() as cursor:
            changes = send_value(cursor, "changing", record.changes)
            moves = send_value(cursor, "moving", dump_ops(record.moves))
        names = "first_event, last_event, boundary_id, type, version_id, former, digest, schema, machine"
        given = f"{', '.join(['%s'] * 9)}, {changes.sql}, {moves.sql}"
        connection.execute(
            f"INSERT INTO boundaries ({names}, changes, moves) VALUES ({given})".encode(),  # noqa: S608 - our own names
            [
                record.first_event,
                record.last_event,
                record.boundary_id,
                record.type,
                record.version_id,
                record.former,
                record.digest,
                record.schema,
                socket.gethostname(),
                *changes.values,
                *moves.values,
            ],
        )

    def _happened(self, boundary_id: str) -> bool:
        """Find out whether a COMMIT whose answer was lost happened: who gets the lock anew knows that it is over."""
        for left in reversed(range(_COMMITS)):
            try:
                self.close()
                self.hold()
                found = self.in_use().execute("SELECT 1 FROM boundaries WHERE boundary_id = %s", [boundary_id])
                return found.fetchone() is not None
            except (CatalogUnavailable, CatalogLocked):
                if not left:
                    raise CatalogUnavailable(
                        f"Whether boundary {boundary_id} is in the shared catalog at {self.where} is not known: the "
                        "server stopped answering.",
                        subject=self.address.catalog,
                        hint="The next command that reaches it finds out. Run the same command again then.",
                    ) from None
        return False


def log_of(store: Store, address: Address) -> Log:
    """Return the log at an address with the settings of a store; it is not opened yet."""
    return Log(address, store.wait, store.operation, float(str(store.settings.get("shared_silence", 20.0))))
