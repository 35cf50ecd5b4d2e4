"""Who waits before the gate looks less often as long as others come before it; nobody's time is measured."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ontofetch_catalog.catalog import byte_locks, holders

# holds the bytes that the arguments name, until its input ends
_HOLD = """
import fcntl, sys
stream = open(sys.argv[1], "r+b")
for kind, start, length in (word.split(",") for word in sys.argv[2:]):
    fcntl.lockf(stream, {"alone": fcntl.LOCK_EX, "together": fcntl.LOCK_SH}[kind], int(length), int(start))
print(flush=True)
sys.stdin.read()
"""
_ALONE, _TOGETHER = fcntl.LOCK_EX, fcntl.LOCK_SH


@pytest.mark.parametrize(
    ("locks", "kind", "is_next"),
    [
        ([], _ALONE, True),
        ([["alone,0,3"]], _ALONE, True),
        ([["alone,0,3"], ["alone,5,1"]], _ALONE, False),
        ([["together,0,2"], ["together,0,4"]], _ALONE, True),
        ([["together,0,2"], ["together,0,4"], ["together,6,1"]], _ALONE, False),
        # a reader waits for writers alone
        ([["alone,0,3"], ["together,5,1"]], _TOGETHER, True),
        ([["alone,0,3"], ["alone,5,1"]], _TOGETHER, False),
        # who comes later does not count
        ([["alone,0,3"], ["alone,9,1"]], _ALONE, True),
    ],
)
def test_who_is_next(tmp_path: Path, locks: list[list[str]], kind: int, is_next: bool) -> None:
    """Who has the first byte is inside; who has only another one waits."""
    path = tmp_path / "lock"
    path.touch()
    children = [
        subprocess.Popen(
            [sys.executable, "-c", _HOLD, str(path), *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        for words in locks
    ]
    descriptor = os.open(path, os.O_RDWR)
    try:
        for child in children:
            assert child.stdout is not None
            assert child.stdout.readline()
        assert byte_locks.try_lock(descriptor, kind, 1, 8)
        assert holders.is_next(descriptor, kind, 9) is is_next
    finally:
        os.close(descriptor)
        for child in children:
            child.communicate()


def test_who_has_others_before_it_looks_less_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four times as seldom at first, and at last three times as seldom as who is next."""
    pauses = {is_next: _pauses(monkeypatch, is_next=is_next) for is_next in (True, False)}
    for found in pauses.values():
        assert found == sorted(found)
    assert pauses[True][0] == byte_locks._SOON_SECONDS
    assert pauses[False][0] == 4 * byte_locks._SOON_SECONDS
    assert pauses[True][-1] == byte_locks._LATE_SECONDS
    assert pauses[False][-1] == byte_locks._OTHERS_SECONDS
    assert len(pauses[False]) < len(pauses[True]) / 4
    of_next = pauses[True]
    assert sum(pause for pause in of_next if pause == byte_locks._SOON_SECONDS) > 3


def _pauses(monkeypatch: pytest.MonkeyPatch, *, is_next: bool) -> list[float]:
    """Return how long somebody waits between two looks who waits for thirty seconds, by a clock of its own."""
    found: list[float] = []
    with monkeypatch.context() as patch:
        patch.setattr(byte_locks, "try_lock", lambda *_: False)
        patch.setattr(time, "monotonic", lambda: sum(found))
        patch.setattr(time, "sleep", found.append)
        assert not byte_locks.wait_for(0, _ALONE, 1, 30.0, is_next=lambda: is_next)
    return found
