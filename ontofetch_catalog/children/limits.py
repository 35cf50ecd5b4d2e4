"""The limits that a process sets itself before it looks at what a stranger made: memory, processor, file size.

They hold inside libraries too, for the kernel counts. On macOS the limit of memory is not enforced. How much is right
is not known here.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace

from ontofetch_hookspecs.light_dataclasses import dataclass

# What our own parsers may hold in bytes of data (RLIMIT_DATA): what they allocate, and not the addresses that libraries
# and threads reserve, of which how many there are changes with the machine and with what was imported before.
PARSER_MEMORY = 128 << 20  # interpreter, libraries and stacks of threads take up to 70 MiB (measured)
PARSER_MEMORY_PER_BYTE = 32  # of the input; JSON-LD is read whole and takes 25 (measured)
WHOLE_MEMORY_PER_BYTE = 64  # of the input, where an ontology is built in memory (50 were measured)
FACTS_MEMORY = 256 << 20  # for what an input says, too
FACTS_MEMORY_PER_BYTE = 16  # of the input, for its terms and their table
MOST_PARSER_MEMORY = 512 << 20  # all of them read a stream, so that a larger file needs no more
_PR_SET_PDEATHSIG = 1  # prctl(2)
_MEMORY_ENDS = (signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS)  # how libraries end that get no memory, or no stack


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """What a process may take of the machine; 0 each: as much as it likes.

    Args:
        max_memory: Bytes of address space.
        max_cpu: Seconds of a processor, whatever the size of its input.
        max_cpu_per_mb: And so many more for each million bytes of the input.
        max_data: Bytes of data among them, where these come from the size of an input, and not from a setting.
    """

    max_memory: int = 2 << 30
    max_cpu: float = 60.0
    max_cpu_per_mb: float = 10.0
    max_data: int = 0

    @classmethod
    def from_settings(cls, settings: Mapping[str, object]) -> Allowance:
        """Return what a process that looks at strangers' files may take, as the settings say it."""
        usual = cls()
        return cls(
            max_memory=int(str(settings.get("max_memory", usual.max_memory))),
            max_cpu=float(str(settings.get("max_cpu", usual.max_cpu))),
            max_cpu_per_mb=float(str(settings.get("max_cpu_per_mb", usual.max_cpu_per_mb))),
        )

    def for_parser(self, size: int, *, whole: bool = False, facts: bool = False) -> Allowance:
        """Return what a parser of ours may take for an input of `size` bytes: what honest ones need.

        Args:
            size: Of the input, in bytes.
            whole: Whether it builds all that it reads in memory.
            facts: Whether it also collects what the input says.
        """
        most = min(PARSER_MEMORY + PARSER_MEMORY_PER_BYTE * size, MOST_PARSER_MEMORY)
        if facts:
            most = FACTS_MEMORY + (WHOLE_MEMORY_PER_BYTE if whole else FACTS_MEMORY_PER_BYTE) * size
        elif whole:
            most = PARSER_MEMORY + WHOLE_MEMORY_PER_BYTE * size
        if self.max_memory and self.max_memory <= most:
            return self
        return replace(self, max_data=most)

    def cpu_for(self, size: int) -> float:
        """Return the seconds for an input of `size` bytes."""
        return self.max_cpu + self.max_cpu_per_mb * size / 1e6 if self.max_cpu else 0.0

    def memory_limit_text(self) -> str:
        """Say what it is to need more memory, and which setting says how much there is."""
        if self.max_data:
            return f"more memory than the {self.max_data:,} bytes that a parser may have for a file of its size"
        return f"more memory than {self.max_memory:,} bytes (the setting max_memory, ONTOFETCH_MAX_MEMORY)"

    def reason(self, code: int, size: int) -> str | None:
        """Return why a process ended that looked at an input of `size` bytes, if it was a limit.

        Args:
            code: How it ended, as `Popen.returncode` says it.
            size: Of its input, in bytes.
        """
        if self.max_cpu and code == -signal.SIGXCPU:
            return (
                f"took longer than {self.cpu_for(size):.0f} seconds of a processor, for {size:,} bytes "
                "(the settings max_cpu and max_cpu_per_mb, ONTOFETCH_MAX_CPU and ONTOFETCH_MAX_CPU_PER_MB)"
            )
        if (self.max_memory or self.max_data) and is_end_of_memory(code):
            return (
                f"ended with {signal.Signals(-code).name}: what it reads is nested too deeply, or needs "
                + self.memory_limit_text()
            )
        return None


def is_end_of_memory(code: int | None) -> bool:
    """Say whether a process that ended so may have got no memory, or no stack; `code` as `Popen.returncode`."""
    return code is not None and -code in _MEMORY_ENDS


def limit_memory(most: int) -> None:
    """Let this process have `most` bytes of address space; 0: as many as it likes."""
    _set(resource.RLIMIT_AS, most)


def limit_data(most: int) -> None:
    """Let this process hold `most` bytes of data, which is what it allocates and may write to; 0: no limit."""
    _set(resource.RLIMIT_DATA, most)


def limit_cpu(seconds: float) -> None:
    """Let this process use so many seconds of a processor from now on (SIGXCPU ends it); 0: as many as it likes."""
    # the limit counts from the process's beginning, in whole seconds
    _set(resource.RLIMIT_CPU, int(time.process_time() + seconds) + 1 if seconds else 0)


def limit_file(most: int) -> None:
    """Let this process write no file larger than `most` bytes (EFBIG); 0: as large as it likes."""
    _set(resource.RLIMIT_FSIZE, most)


def _set(kind: int, most: int) -> None:
    hard = resource.getrlimit(kind)[1]
    soft = min(most, 2**63 - 1) or hard
    if hard != resource.RLIM_INFINITY:
        soft = min(soft, hard)
    # macOS refuses some values of RLIMIT_AS and RLIMIT_DATA
    with suppress(OSError, ValueError):
        resource.setrlimit(kind, (soft, hard))


def count_cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def live_with(parent: int) -> bool:
    """Let this process end with the one that started it, whatever it is busy with; False: that has ended already."""
    if sys.platform.startswith("linux"):
        import ctypes

        # a parent that was killed closes a pipe, which is noticed when it is read or written again and no sooner
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    return os.getppid() == parent
