"""Tell one process from another that reuses its number.

It only asks the operating system and changes nothing.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from functools import lru_cache
from pathlib import Path

from .light_dataclasses import dataclass


def start_token(pid: int) -> str | None:
    """Return text that no other process of this number shares: when it started; None if there is no such process.

    Linux: boot id and field 22 of /proc/PID/stat (proc(5)). macOS: what `ps -o lstart=` prints.
    """
    if pid <= 0:
        return None
    if sys.platform.startswith("linux"):
        try:
            stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return None
        # the command's name in parentheses may itself contain parentheses and spaces
        fields = stat.rpartition(")")[2].split()
        return None if fields[0] in ("Z", "X") else f"{_boot_id()}:{fields[19]}"
    shown = subprocess.run(["/bin/ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return shown.stdout.strip() or None


def command_of(pid: int) -> str | None:
    """Return the name of the program that runs under this number, as the system knows it; None if there is none."""
    if pid <= 0:
        return None
    if sys.platform.startswith("linux"):
        try:
            return Path(f"/proc/{pid}/comm").read_text(encoding="utf-8", errors="replace").strip() or None
        except OSError:
            return None
    shown = subprocess.run(["/bin/ps", "-o", "comm=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return os.path.basename(shown.stdout.strip()) or None


def user_name() -> str:
    """Return who runs this process, as it is recorded."""
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError):
        # a container may run under a number without a name
        return "unknown"


@lru_cache(maxsize=1)
def _boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return "unknown"


@dataclass(frozen=True, slots=True)
class Owner:
    """Who holds something: process number, its start token, host name, command line."""

    pid: int
    token: str
    host: str
    command: str

    def state(self) -> str:
        """Return `alive`, `dead`, or `unknown` if the process runs on another host."""
        if self.host != socket.gethostname():
            return "unknown"
        return "alive" if start_token(self.pid) == self.token else "dead"


def this_process() -> Owner:
    """Return the owner that stands for this process."""
    command = os.path.basename(sys.argv[0] or "python")
    return Owner(os.getpid(), start_token(os.getpid()) or "unknown", socket.gethostname(), command)
