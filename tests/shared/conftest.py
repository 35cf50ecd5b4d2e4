"""What tests of a shared catalog stand on: PostgreSQL, an S3 server, bad lines in front of both, several machines."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from . import machines, postgres, s3
from .machines import Machine
from .postgres import QUICK, Postgres
from .proxies import HttpProxy, TcpProxy
from .s3 import S3Server


@pytest.fixture(scope="package")
def postgres_server() -> Iterator[Postgres]:
    """Give a server that many tests share, each with a database of its own; it forgets the latest in a crash."""
    if postgres.binaries() is None:
        pytest.skip(postgres.MISSING)
    server = Postgres(QUICK)
    yield server
    server.remove()


@pytest.fixture
def own_postgres() -> Iterator[Postgres]:
    """Give a server of a test's own, durable, to be stopped and started."""
    if postgres.binaries() is None:
        pytest.skip(postgres.MISSING)
    server = Postgres({})
    yield server
    server.remove()


@pytest.fixture
def database(postgres_server: Postgres) -> Iterator[str]:
    """Give the address of a fresh database."""
    with postgres_server.database() as name:
        yield postgres_server.dsn(name)


@pytest.fixture
def bad_line(postgres_server: Postgres) -> Iterator[TcpProxy]:
    """Give a line to the shared PostgreSQL that can be made bad: use its port in place of the server's."""
    proxy = TcpProxy(postgres_server.port)
    yield proxy
    proxy.close()


@pytest.fixture(scope="package")
def s3_server() -> Iterator[S3Server]:
    """Give an S3 server that many tests share, each with a bucket of its own."""
    if not s3.PYTHON.exists():
        pytest.skip(s3.MISSING)
    server = S3Server()
    yield server
    server.stop()


@pytest.fixture
def s3_line(s3_server: S3Server) -> Iterator[HttpProxy]:
    """Give a line to the S3 server that can be made bad and counts requests: use its endpoint."""
    proxy = HttpProxy(s3_server.port)
    yield proxy
    proxy.close()


@pytest.fixture
def machine(tmp_path: Path) -> Callable[..., Machine]:
    """Return a maker of machines: `machine(name, skew=seconds, **environment)`."""

    def make(name: str, *, skew: float = 0.0, **environment: str) -> Machine:
        if skew and machines.clock_library() is None:
            pytest.skip(machines.MISSING)
        return Machine(name, tmp_path / "machines" / name, skew, environment)

    return make
