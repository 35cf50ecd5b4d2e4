"""A PostgreSQL server for tests: Debian's, in a folder of its own, as a user without rights, on loopback."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
from psycopg import sql

USER, PASSWORD = "keeper", "hidden-password"
MISSING = "PostgreSQL is not installed: `apt-get install postgresql` puts it below /usr/lib/postgresql"
# what a crash loses is said by the tests that look for it; all others want to be quick
QUICK = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


def binaries() -> Path | None:
    """Return the folder of the newest server that is installed, None if there is none."""
    found = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    return max(found, key=lambda path: int(path.parent.name), default=None)


class Postgres:
    """A server with a cluster of its own.

    Args:
        settings: Of the server, beside those that say where it is.
    """

    def __init__(self, settings: dict[str, str]) -> None:
        found = binaries()
        assert found, MISSING
        self.binaries = found
        # below a folder that its user may enter: that of pytest lets nobody else in
        self.folder = Path(tempfile.mkdtemp(prefix="ontofetch-postgres-"))
        self.port = _free_port()
        self._settings = settings
        self._templates: dict[str, str] = {}
        self._process: subprocess.Popen[bytes] | None = None
        account = _account()
        self._as = {} if account is None else {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
        if account is not None:
            os.chown(self.folder, account.pw_uid, account.pw_gid)
        self._make()
        self.start()

    @property
    def log(self) -> str:
        """Return what the server has logged."""
        return (self.folder / "log").read_text(errors="replace")

    def dsn(self, database: str = "postgres", *, port: int | None = None, password: str = PASSWORD) -> str:
        """Return the address of a database, with `port` that of a proxy in front of it."""
        return f"postgresql://{USER}:{password}@127.0.0.1:{port or self.port}/{database}"

    def _make(self) -> None:
        secret = self.folder / "secret"
        secret.write_text(PASSWORD)
        secret.chmod(0o644)
        words = ["--username", USER, "--pwfile", secret, "--auth-local=trust", "--auth-host=scram-sha-256"]
        self._run("initdb", "-D", self.folder / "data", "--no-sync", "--no-locale", "-E", "UTF8", *words)
        secret.unlink()

    def _run(self, name: str, *words: str | Path) -> None:
        done = subprocess.run(
            [self.binaries / name, *words], cwd=self.folder, capture_output=True, text=True, check=False, **self._as
        )
        assert done.returncode == 0, f"{done.stdout}{done.stderr}"

    def start(self) -> None:
        """Start it, on the same port each time, and wait until it answers."""
        assert self._process is None
        places = {"listen_addresses": "127.0.0.1", "port": str(self.port), "unix_socket_directories": str(self.folder)}
        words = [word for item in {**places, **self._settings}.items() for word in ("-c", "=".join(item))]
        # it ends with us, also when we are killed
        guard = ["setpriv", "--pdeathsig", "INT"] if shutil.which("setpriv") else []
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [*guard, self.binaries / "postgres", "-D", self.folder / "data", *words],
                cwd=self.folder,
                stdout=log,
                stderr=log,
                **self._as,
            )
        end = time.monotonic() + 60
        while True:
            try:
                with psycopg.connect(self.dsn(), connect_timeout=5):
                    return
            except psycopg.OperationalError:
                assert self._process.poll() is None, self.log
                assert time.monotonic() < end, self.log
                time.sleep(0.02)

    @property
    def pid(self) -> int:
        """Return the process that the others are children of."""
        assert self._process is not None
        return self._process.pid

    def crash(self) -> None:
        """Let it crash from another process than the one that started it, which then calls `stop`."""
        crash(self.pid, self.port)

    def stop(self, how: str = "immediate") -> None:
        """Stop it as `pg_ctl stop -m` does: `immediate` is a crash, after which it recovers; `fast` ends cleanly."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGQUIT if how == "immediate" else signal.SIGINT)
        self._process.wait(60)
        self._process = None

    def remove(self) -> None:
        """Stop it and remove its folder."""
        self.stop()
        shutil.rmtree(self.folder)

    # --- databases ----------------------------------------------------------------------------------------------------

    def template(self, name: str, prepare: Callable[[str], object]) -> str:
        """Return the name of a database that `prepare` has filled, given its address, on the first call."""
        if name not in self._templates:
            database = self.new("template1")
            prepare(self.dsn(database))
            self._templates[name] = database
        return self._templates[name]

    @contextmanager
    def database(self, template: str = "template1") -> Iterator[str]:
        """Give the name of a fresh database, which is dropped afterwards with whoever is still connected."""
        name = self.new(template)
        try:
            yield name
        finally:
            if self._process is not None:
                self._execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def new(self, template: str = "template1") -> str:
        """Return the name of a fresh database, which stays."""
        name = f"t{uuid.uuid4().hex}"
        self._execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template)))
        return name

    def _execute(self, statement: sql.Composed) -> None:
        with psycopg.connect(self.dsn(), autocommit=True) as connection:
            connection.execute(statement)


def crash(pid: int, port: int) -> None:
    """Let a server on loopback crash, and wait until nobody listens there any more."""
    # who did not start it does not know when it has ended
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGQUIT)
    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            return
        time.sleep(0.01)


def _account() -> pwd.struct_passwd | None:
    """Return the user that the server runs as, None for ourselves; it refuses to be root."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name: entry for entry in pwd.getpwall()}
    return names.get("postgres") or names["nobody"]


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
