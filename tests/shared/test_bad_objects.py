"""Requests to the objects meet trouble: what passes is not noticed, what does not is said, and nothing is lost.

Some of the requests; `python -m tests.shared.bad_objects` has all of them.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .bad_objects import bad_line, try_request
from .postgres import Postgres
from .proxies import HttpProxy
from .s3 import S3Server
from .three import Lab


@pytest.fixture(scope="module")
def ground(
    postgres_server: Postgres, s3_server: S3Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Lab, HttpProxy]]:
    """Give three machines, of which `a` has a line to the objects that can be made bad."""
    folder = tmp_path_factory.mktemp("bad")
    with postgres_server.database() as name, bad_line(folder, postgres_server, name, s3_server) as found:
        yield found


@pytest.mark.parametrize(
    ("operation", "trouble", "at", "times"),
    [
        ("pull", "500", 1, 1),
        ("pull", "lost", 2, 1),
        ("pull", "late", 1, 1),
        ("pull", "412", 2, 1),
        ("pull", "reset", 2, -1),
        ("pull", "expired", 1, -1),
        ("pull", "truncated", 7, 1),
        ("pull", "lost", 8, 1),
        ("pull", "412", 9, 1),
        ("pull", "no-right", 8, -1),
        ("catch-up", "truncated", 2, 1),
        ("catch-up", "other-bytes", 3, 1),
        ("catch-up", "wrong-secret", 1, -1),
        ("sweep", "503", 2, 1),
    ],
)
def test_a_request_meets_trouble(
    ground: tuple[Lab, HttpProxy], operation: str, trouble: str, at: int, times: int
) -> None:
    """Nothing is lost, nothing is told that is a secret, and all machines have the same in the end."""
    lab, line = ground
    assert try_request(lab, line, operation, trouble, at, times=times), "it did not come that far"
