"""The lock of the log of a shared catalog: who holds it writes alone, and nobody else knows a newer event.

It is one of the server's session: whoever loses the connection loses it. What is in the log is not known here.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ontofetch_hookspecs.light_dataclasses import dataclass
from ontofetch_hookspecs.names import quote

from ...errors import CatalogLocked, CatalogUnavailable
from .log_line import Line
from .log_schema import LOCK

if TYPE_CHECKING:
    from typing import Self

    import psycopg

HEAD = "SELECT last_event, digest, schema FROM boundaries ORDER BY first_event DESC LIMIT 1"
HELD = (
    "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid() AND granted"  # noqa: S608
    f" AND classid = {LOCK >> 32} AND objid = {LOCK & 0xFFFFFFFF}"
)


@dataclass(frozen=True, slots=True)
class Head:
    """How far a log has come: its newest event, that event's digest, the newest schema that a row in it has."""

    event_id: int
    digest: str
    schema: int


BEGIN = Head(0, "0" * 64, 0)


class LogLock(Line):
    """A connection over which the log may be held."""

    waited = 0.0  # seconds that others were waited for
    _since: float | None = None  # when it was held

    def hold(self) -> Head:
        """Hold the log alone, until it is closed or let go; return how far it has come.

        Raises:
            CatalogLocked: Somebody else holds it and does not let go in time; it is named.
            CatalogUnavailable: The server does not answer.
        """
        import psycopg

        begun = time.monotonic()
        with self.explained("locked"):
            try:
                # both in one go; not as a pipeline, after which the server forgets to count our silence (seen in 15)
                found = self.in_use().execute(f"SELECT pg_advisory_lock({LOCK}); {HEAD}", prepare=False)
                found.nextset()
                self._since = time.monotonic()
                self.waited += self._since - begun
                return as_head(found.fetchone())
            except psycopg.errors.LockNotAvailable as error:
                raise CatalogLocked(
                    f"The shared catalog at {self.where} is held by {quote(self.holder() or 'somebody else')}.",
                    subject=self.address.catalog,
                    hint="Try again, or wait longer with --wait SECONDS.",
                ) from error

    @contextmanager
    def held(self) -> Iterator[Self]:
        """Hold the log alone until the end of a `with`; raises what `opened` and `hold` do."""
        with self.opened():
            self.hold()
            yield self

    def is_held_since(self, seconds: float) -> bool:
        """Say whether it is held, and for no longer than so many seconds."""
        return self._since is not None and time.monotonic() - self._since < seconds

    def let_go(self) -> bool:
        """Let others hold the log; return whether the server still knows this session, whatever it held."""
        import psycopg

        held, self._since = self._since is not None, None
        try:
            # who holds nothing only finds out whether it is still there
            self.in_use().execute(f"SELECT pg_advisory_unlock({LOCK})" if held else "SELECT 1", prepare=False)
        except (psycopg.Error, CatalogUnavailable):
            return False
        return True

    def is_at_rest(self) -> bool:
        """Say whether the line is open, with nothing begun over it and nothing held."""
        found = self._connection
        return found is not None and not found.closed and found.info.transaction_status == 0 and self._since is None

    def close(self) -> None:
        """Give back what the session holds, and disconnect."""
        self._since = None
        super().close()

    def require_held(self, connection: psycopg.Connection[Any]) -> None:
        """Look whether this very session of the server holds the log.

        Raises:
            CatalogUnavailable: It does not any more.
        """
        if connection.execute(HELD).fetchone() is None:
            raise self.fenced()

    def fenced(self) -> CatalogUnavailable:
        """Return the error that says that the log is not held any more."""
        return CatalogUnavailable(
            f"This machine no longer holds the shared catalog at {self.where}: it was silent for too long, and "
            "others may have written.",
            subject=self.address.catalog,
            hint="Nothing was changed. Run the same command again.",
        )

    def holder(self, lock: int = LOCK) -> str:
        """Return who holds the log, or another lock, as `application_name` names it; empty where nobody does."""
        with self.explained("read"):
            found = (
                self.in_use()
                .execute(
                    "SELECT application_name FROM pg_locks JOIN pg_stat_activity USING (pid)"
                    " WHERE locktype = 'advisory' AND granted AND classid = %s AND objid = %s"
                    " AND pg_locks.database = (SELECT oid FROM pg_database WHERE datname = current_database())",
                    [lock >> 32, lock & 0xFFFFFFFF],
                )
                .fetchone()
            )
        return (found[0] or "somebody else") if found else ""


def as_head(found: Sequence[Any] | None) -> Head:
    """Return what a row says of how far the log has come."""
    return Head(*found) if found else BEGIN
