"""Processes: one is told from another that has its number."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace

from ontofetch_hookspecs.processes import start_token, this_process


def test_this_process_is_alive() -> None:
    """The owner that stands for this process has its number, its token and a command, and is alive."""
    owner = this_process()
    assert (owner.pid, owner.token) == (os.getpid(), start_token(os.getpid()))
    assert owner.command
    assert owner.state() == "alive"


def test_a_process_that_ended_is_dead() -> None:
    """One that ran has a token, which another process lacks; once it ended, even unreaped, it is dead."""
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    token = start_token(child.pid)
    owner = replace(this_process(), pid=child.pid, token=str(token))
    assert token is not None
    assert owner.state() == "alive"
    assert replace(owner, token=this_process().token + "0").state() == "dead"
    assert child.stdin is not None
    child.stdin.close()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert owner.state() == "dead"
    child.wait()
    assert owner.state() == "dead"


def test_a_process_of_another_machine_is_not_judged() -> None:
    """Its number means nothing here."""
    assert replace(this_process(), host="elsewhere.example.org").state() == "unknown"


def test_no_process_has_such_a_number() -> None:
    """Zero and negative numbers, which stand for groups, have no token."""
    assert [start_token(number) for number in (0, -1, 2**22 + 1)] == [None, None, None]
