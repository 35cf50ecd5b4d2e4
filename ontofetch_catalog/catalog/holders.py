"""The knowledge of who holds the lock file: what the system says, what the file's text says, and the sentence.

It takes no lock and decides nothing: the text only informs, and where it and the system disagree, the system is right.
"""

from __future__ import annotations

import fcntl
import json
import os
import struct
import sys
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime

from ontofetch_hookspecs.light_dataclasses import dataclass
from ontofetch_hookspecs.names import quote
from ontofetch_hookspecs.processes import Owner, command_of, start_token, this_process

from ..errors import CatalogLocked
from . import fsops

TEXT_BYTES = 2048
MOST_TICKETS = 1 << 40
_COUNTER, _HOLDER = 0, TEXT_BYTES  # where the two texts of the file begin


@dataclass(frozen=True, slots=True)
class Conflict:
    """A lock in the way of a wanted one: the process that holds it, the first byte behind it, and its own first."""

    pid: int
    end: int
    start: int = 0


def find_conflict(descriptor: int, kind: int, start: int, length: int) -> Conflict | None:
    """Ask the system which lock is in the way of these bytes: F_GETLK, fcntl(2); None if none is any more.

    A process that this one can't see, in another container or on another machine, has the number 0.
    """
    wanted = fcntl.F_WRLCK if kind == fcntl.LOCK_EX else fcntl.F_RDLCK
    if sys.platform == "darwin":
        answer = fcntl.fcntl(descriptor, fcntl.F_GETLK, struct.pack("qqihh", start, length, 0, wanted, 0))
        first, size, pid, found, _ = struct.unpack("qqihh", answer)
    else:
        answer = fcntl.fcntl(descriptor, fcntl.F_GETLK, struct.pack("hhqqi4x", wanted, 0, start, length, 0))
        found, _, first, size, pid = struct.unpack("hhqqi4x", answer)
    return None if found == fcntl.F_UNLCK else Conflict(max(pid, 0), first + size if size else start + length, first)


def is_awaited(descriptor: int) -> bool:
    """Say whether another process holds a byte of the lock file, which this process holds alone: it waits."""
    # no length means all bytes that there may ever be
    return find_conflict(descriptor, fcntl.LOCK_EX, 0, 0) is not None


def is_next(descriptor: int, kind: int, length: int) -> bool:
    """Say whether only those who are inside have one of the first bytes, of which the last is this process's own.

    Whoever is inside has byte 0, too, and whoever waits only the byte of its ticket.
    """
    start = 0
    while start < length - 1 and (found := find_conflict(descriptor, kind, start, length - 1 - start)):
        if found.start:
            return False
        start = found.end
    return True


def read_counter(descriptor: int) -> int | None:
    """Return the next ticket as the file says it; None if it says nothing that could be one."""
    found = _read_text(descriptor, _COUNTER).get("next")
    return found if type(found) is int and 0 <= found < MOST_TICKETS else None


def write_counter(descriptor: int, ticket: int) -> None:
    """Write the next ticket."""
    _write_text(descriptor, _COUNTER, {"next": ticket})


def write_holder(descriptor: int) -> None:
    """Write that this process holds the store alone from now on."""
    since = datetime.now(UTC).isoformat(timespec="seconds")
    _write_text(descriptor, _HOLDER, {**asdict(this_process()), "since": since})


def clear_holder(descriptor: int) -> None:
    """Write that nobody holds the store alone."""
    _write_text(descriptor, _HOLDER, {})


def locked_by_another(descriptor: int, kind: int, length: int, store: str) -> CatalogLocked:
    """Return the error that says who was in the way of the first `length` bytes when the time was up."""
    # whoever is inside holds byte 0; whoever waits only holds the byte of its ticket
    found = find_conflict(descriptor, kind, 0, 1) or find_conflict(descriptor, kind, 0, length)
    text = _read_text(descriptor, _HOLDER)
    owner = _owner_of(text)
    if found is not None and found.pid and (owner is None or owner.pid != found.pid or owner.state() != "alive"):
        # a reader writes no text, and a text may be left from a dead process that had the same number
        seen = Owner(found.pid, start_token(found.pid) or "", this_process().host, command_of(found.pid) or "unknown")
        return _locked(store, seen, "which is running and reads, or waits before this one")
    if owner is None:
        return locked_by(store, "another process")
    since = _since_of(text)
    told = {
        "alive": f"which is running and has held it since {since}",
        "dead": "which has ended meanwhile",
        "unknown": f"which can't be looked at from here and has held it since {since}",
    }
    return _locked(store, owner, told[owner.state()])


def locked_by(store: str, whom: str) -> CatalogLocked:
    """Return the error that names whom no process number stands for."""
    return CatalogLocked(
        f"The catalog below {store} is in use by {whom}.",
        subject=store,
        hint="Run the same command again, or wait longer with --wait SECONDS.",
    )


def _locked(store: str, owner: Owner, told: str) -> CatalogLocked:
    who = f"process {owner.pid} ({quote(owner.command)}) on {quote(owner.host)}, {told}"
    hints = {
        "alive": f"Wait longer with --wait SECONDS, or end that process (kill {owner.pid}).",
        "dead": "Run the same command again.",
        "unknown": "Wait longer with --wait SECONDS, or end that process where it runs.",
    }
    return CatalogLocked(f"The catalog below {store} is in use by {who}.", subject=store, hint=hints[owner.state()])


def _owner_of(text: dict[str, object]) -> Owner | None:
    try:
        return Owner(int(str(text["pid"])), str(text["token"]), str(text["host"]), str(text["command"]))
    except (KeyError, ValueError):
        return None


def _since_of(text: dict[str, object]) -> str:
    try:
        return f"{datetime.fromisoformat(str(text['since'])).astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    except (KeyError, ValueError, OverflowError):
        return "an unknown time"


def _read_text(descriptor: int, offset: int) -> dict[str, object]:
    try:
        found = json.loads(os.pread(descriptor, TEXT_BYTES, offset).rstrip(b"\0 \n").decode())
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _write_text(descriptor: int, offset: int, content: dict[str, object]) -> None:
    data = json.dumps(content).encode()[: TEXT_BYTES - 1]
    # without its text a lock holds all the same; a reader must get in where the disk is full
    with suppress(OSError):
        fsops.write_at(descriptor, data.ljust(TEXT_BYTES - 1) + b"\n", offset)
