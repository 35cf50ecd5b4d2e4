"""A process that tests fork in place of starting it is in the same state, and ends as one that was started."""

from __future__ import annotations

import json
import os
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from ontofetch_catalog.children.start import start_module
from tests.children import quick_children

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux gives a process to another parent")

TOLD = """
import os, resource, signal, sys
def tell(path, format):
    names = ("RLIMIT_AS", "RLIMIT_CORE", "RLIMIT_CPU", "RLIMIT_DATA", "RLIMIT_FSIZE")
    return True, {
        "parent": os.getppid(),
        "environment": dict(os.environ),
        "folder": os.getcwd(),
        "path": sys.path[-3:],
        "isolated": sys.flags.isolated,
        "limits": [resource.getrlimit(getattr(resource, name)) for name in names],
        "open": sorted(os.readlink(f"/proc/self/fd/{number}").partition(":")[0] for number in range(3)),
        "interrupt": signal.getsignal(signal.SIGINT) == signal.SIG_IGN,
    }
"""


def asked(folder: Path, *, quick: bool) -> tuple[dict[str, Any], int]:
    """Return what such a process tells of itself, and its exit code once nobody asks any more."""
    request = {"target": "telling:tell", "path": str(folder), "format": "turtle"}
    limits = {"memory": 1 << 36, "data": 1 << 35, "cpu": 100, "file": 1 << 30}
    with quick_children() if quick else nullcontext():
        child = start_module("ontofetch_catalog.host.worker", str(os.getpid()), memory=1 << 37)
    assert child.stdin is not None
    assert child.stdout is not None
    with child:
        child.stdin.write(json.dumps(request | limits).encode() + b"\n")
        child.stdin.flush()
        told = json.loads(child.stdout.readline())
        child.stdin.close()
        assert child.stdout.read() == b""
        return told, child.wait()


def test_a_fork_is_as_what_is_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Parent, environment, folder, path, limits, streams and exit code are the same."""
    (tmp_path / "telling.py").write_text(TOLD)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("ONTOFETCH_WAIT", "7")
    monkeypatch.setenv("LD_PRELOAD_NOT", "1")
    started, forked = asked(tmp_path, quick=False), asked(tmp_path, quick=True)
    assert started == forked
    told = forked[0]["details"]
    assert (told["parent"], forked[1]) == (os.getpid(), 0)
    assert told["environment"]["ONTOFETCH_WAIT"] == "7"
    assert "LD_PRELOAD_NOT" not in told["environment"]


def test_a_fork_that_is_killed_is_waited_for() -> None:
    """It is a child of this process: its end is told by its signal, and the next one comes from the same place."""
    with quick_children():
        for _ in range(2):
            child = start_module("ontofetch_catalog.host.unpacker")
            child.kill()
            with child:
                assert child.wait() == -9
