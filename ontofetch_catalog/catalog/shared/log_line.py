"""A connection to the PostgreSQL of a shared catalog that shows signs of life, and what its errors mean.

What is asked over it is not known here. A machine that stands still stops beating, and the server ends its session.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from ontofetch_hookspecs.names import quote

from ...errors import CatalogBehind, OntofetchError, SchemaError
from .address import Address
from .line_errors import explain
from .log_schema import FORMAT

if TYPE_CHECKING:
    from typing import Self

    import psycopg


class Line:
    """A connection to a shared catalog.

    Args:
        address: Where it is.
        wait: Seconds to wait for what others hold.
        operation: What runs, as others see it who wait.
        silence: Seconds without a sign of life after which the server ends the session, and what it holds is free.
    """

    def __init__(self, address: Address, wait: float, operation: str = "", silence: float = 20.0) -> None:
        self.address = address
        self._wait = wait
        self._silence = silence
        self._operation = operation
        self._connection: psycopg.Connection[Any] | None = None
        self._beating = threading.Event()
        self._beat: threading.Thread | None = None

    @property
    def key(self) -> tuple[Address, float, str, float]:
        """Return what another line has in common that may take its place."""
        return self.address, self._wait, self._operation, self._silence

    @property
    def where(self) -> str:
        """Return what sentences call it: its address, which has no secret in it."""
        return quote(self.address.catalog)

    def open(self) -> Self:
        """Connect, and check that this is the log that was agreed on.

        Raises:
            CatalogUnavailable: The server does not answer, or lets nobody in.
            CatalogBehind: Another catalog is there, or none.
            SchemaError: A newer program made it.
        """
        import psycopg

        if self._connection is not None and not self._connection.closed:
            return self
        silence = max(int(self._silence * 1000), 1)
        with self.explained("opened"):
            self._connection = psycopg.connect(
                self.address.catalog,
                autocommit=True,
                connect_timeout=10,
                application_name=f"ontofetch {self._operation} on {socket.gethostname()} ({os.getpid()})"[:63],
                options=f"-c idle_session_timeout={silence} -c idle_in_transaction_session_timeout={silence}"
                f" -c tcp_user_timeout={silence} -c tcp_keepalives_idle={max(silence // 2000, 1)}"
                # a machine that is asleep, or cut off, while the server waits for the rest of what it said
                f" -c tcp_keepalives_interval={max(silence // 6000, 1)} -c tcp_keepalives_count=3"
                f" -c lock_timeout={max(int(self._wait * 1000), 1)}"
                " -c client_encoding=UTF8 -c search_path=ontofetch",
                # the server's time-outs count nothing while the network swallows what is sent
                keepalives_idle=10,
                keepalives_interval=5,
                keepalives_count=2,
            )
            self._check(self._connection)
        return self

    def _check(self, connection: psycopg.Connection[Any]) -> None:
        import psycopg

        try:
            found = connection.execute("SELECT identity, format FROM ontofetch.store").fetchone()
        except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
            found = None
        if found is None or found[0] != self.address.identity:
            what = "There is no shared catalog" if found is None else "Another shared catalog is"
            raise CatalogBehind(
                f"{what} at {self.where}, although this store is a copy of one there.",
                subject=self.address.catalog,
                hint="Bring the database back from its backup; `ontofetch db move --to local` makes the store one of "
                "its own.",
            )
        if found[1] > FORMAT:
            raise SchemaError(
                f"The shared catalog at {self.where} was made by a newer ontofetch-catalog.",
                subject=self.address.catalog,
                hint="Upgrade with `pip install -U ontofetch-catalog`.",
            )

    def close(self) -> None:
        """Give back what the session holds, and disconnect."""
        import psycopg

        self.stop()
        if self._connection is not None:
            with suppress(psycopg.Error, OSError):
                self._connection.close()
            self._connection = None

    def is_good(self) -> bool:
        """Say whether a line that nobody has used for a moment is still open, to the log that was agreed on."""
        import psycopg

        connection = self._connection
        try:
            if connection is None or connection.closed:
                return False
            self._check(connection)
        except (psycopg.Error, OntofetchError):
            return False
        return True

    def in_use(self) -> psycopg.Connection[Any]:
        """Return the connection, opened where it is not; raises what `open` does."""
        self.open()
        if self._connection is None:
            raise RuntimeError("the line is not open")
        return self._connection

    @contextmanager
    def opened(self) -> Iterator[Self]:
        """Keep the session of the server alive until the end of a `with`.

        Raises:
            CatalogUnavailable, CatalogBehind, SchemaError: As `open` does.
        """
        self.start()
        try:
            yield self
        finally:
            self.close()

    def start(self) -> None:
        """Connect, and keep the session of the server alive until `close`; raises what `open` does."""
        self.open()
        if self._beat is not None and self._beat.is_alive():
            return
        self._beating.clear()
        self._beat = threading.Thread(target=self._keep_beating, name="ontofetch-beat", daemon=True)
        self._beat.start()

    def _keep_beating(self) -> None:
        import psycopg

        while not self._beating.wait(self._silence / 4):
            connection = self._connection
            try:
                if connection is not None and connection.info.transaction_status == 0:
                    connection.execute("SELECT 1")
            except psycopg.Error:
                # whoever writes next learns that what was held is gone; a transaction may have failed just now
                if connection is None or connection.closed:
                    return

    def stop(self) -> None:
        """Show no signs of life any more; the line stays open until the server ends its session."""
        self._beating.set()
        if self._beat is not None and self._beat is not threading.current_thread():
            self._beat.join(self._silence)
        self._beat = None

    @contextmanager
    def explained(self, what: str) -> Iterator[None]:
        """Turn what the driver says into sentences until the end of a `with`.

        Raises:
            CatalogUnavailable: The server does not answer, or refuses.
            UsageError: The user has not the right, or the address is none.
        """
        import psycopg

        try:
            yield
        except psycopg.Error as error:
            raise explain(error, self.address.catalog, what) from error
