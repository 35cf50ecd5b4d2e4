"""The loop: all states of the chosen variants over a few processes, their number per operation, what they break.

It knows states and findings; what a state is and how it is judged is not known here.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from multiprocessing import get_context
from multiprocessing.pool import Pool
from pathlib import Path
from types import MappingProxyType
from typing import Any

from .states import SECOND_MODES, State, first_states, second_states
from .trial import try_state
from .variants import VARIANTS
from .worker import Workshop

# read by glibc when a worker starts: DuckDB takes and gives back small pieces all the time, and is not to trouble the
# kernel with them
_MALLOC = ":".join(
    f"glibc.malloc.{name}={value}"
    for name, value in (
        ("tcache_count", 2000),
        ("trim_threshold", 1 << 30),
        ("top_pad", 1 << 24),
        ("mmap_threshold", 1 << 30),
    )
)
PREFIX = "ontofetch-crash-"  # of a run's folder; the number of its process follows
Tried = tuple[State, list[tuple[str, str]], list[str]]
Wanted = Mapping[str, Any]  # field of a state → its value
_workshop: Workshop | None = None


@dataclass(slots=True)
class Report:
    """What a run of the loop has seen.

    Args:
        states: The states that were tried.
        broken: (state, invariant, what was seen) of what is broken.
        calls: Variant → the number of calls of its undisturbed run.
        seconds: How long it took.
    """

    states: set[State] = field(default_factory=set)
    broken: list[tuple[State, str, str]] = field(default_factory=list)
    calls: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0

    def per_operation(self) -> dict[str, Counter[str]]:
        """Return operation → mode → number of states."""
        found: dict[str, Counter[str]] = {}
        for state in self.states:
            found.setdefault(state.variant.partition("/")[0], Counter())[state.mode] += 1
        return found


@contextmanager
def workers(processes: int, start: Callable[[Path], None] | None = None) -> Iterator[Pool]:
    """Start that many workers on a memory file system, where there is one, each with `start`; clear up behind them."""
    fast = Path("/dev/shm")
    place = fast if os.access(fast, os.W_OK) else Path(tempfile.gettempdir())
    remove_abandoned(place)
    base = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-", dir=place))
    previous = None
    if threading.current_thread() is threading.main_thread():
        # asked to end, the process unwinds, so that the folder goes; the default would leave it
        previous = signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    os.environ.setdefault("GLIBC_TUNABLES", _MALLOC)
    try:
        # spawned, not forked: whoever asks may have threads, and a lock that one of them holds would be copied held
        with get_context("spawn").Pool(processes, start or _start, (base,)) as pool:
            yield pool
    finally:
        _remove(base)
        if previous is not None:
            signal.signal(signal.SIGTERM, previous)


def _remove(base: Path) -> None:
    """Remove a run's folder, though a child of a worker that was ended may write into it for a moment yet."""
    for _ in range(50):
        shutil.rmtree(base, ignore_errors=True)
        time.sleep(0.1)
        if not base.exists():
            return


def remove_abandoned(place: Path) -> None:
    """Remove the folders of runs that were killed: those whose process is gone."""
    for path in place.glob(f"{PREFIX}*-*"):
        owner = path.name.removeprefix(PREFIX).partition("-")[0]
        if owner.isdecimal() and not _is_alive(int(owner)):
            shutil.rmtree(path, ignore_errors=True)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def _start(base: Path) -> None:
    global _workshop  # noqa: PLW0603 - one per process of the pool
    _take_core(base)
    _workshop = Workshop(base)


def _take_core(base: Path) -> None:
    """Stay on a core that no other worker of this run has taken, if there is one.

    A worker, its children and its recount take turns: to wake one another on another core only costs time.
    """
    if not hasattr(os, "sched_setaffinity"):
        return
    cores = sorted(os.sched_getaffinity(0))
    # runs side by side do not all begin at the first core
    first = os.getppid() % len(cores)
    for core in (*cores[first:], *cores[:first]):
        try:
            (base / f"core-{core}").touch(exist_ok=False)
        except FileExistsError:
            continue
        os.sched_setaffinity(0, {core})
        return


def here() -> Workshop:
    """Return the workshop of this worker."""
    assert _workshop is not None
    return _workshop


def calls_of(name: str) -> tuple[str, list[str]]:
    """Return the names of the calls of a variant's undisturbed run; runs in a worker."""
    return name, here().expect(VARIANTS[name]).calls


def rows_of(name: str) -> dict[str, list[list[Any]]]:
    """Return what a variant's undisturbed run leaves in the tables and no rebuild may lose; runs in a worker."""
    rows: dict[str, list[list[Any]]] = dict(here().expect(VARIANTS[name]).after["rows"])
    rows["latest_pointer"] = rows["latest_pointer"][-1:]
    # their last column is whether they were verified
    return {**rows, **{table: [row[:-1] for row in rows[table]] for table in ("artifacts", "extracted_files")}}


def attempt(state: State) -> Tried:
    """Try one state; runs in a worker."""
    try:
        found, calls = try_state(here(), state)
    except AssertionError as error:
        return state, [("the-loop-itself", str(error)[:3000])], []
    return state, found.broken, calls


def attempt_from(first: State, *, wanted: Wanted, seed: int, most: int) -> list[Tried]:
    """Try a state and then those that go on from it, while what it left is at hand; runs in a worker.

    Args:
        first: With one disturbance.
        wanted: What those have that go on and are tried.
        seed: Chooses where a recovery that is not disturbed everywhere is disturbed, and which of many are tried.
        most: How many of those that go on are tried; 0: all.
    """
    workshop, variant = here(), VARIANTS[first.variant]
    tried = attempt(first)
    second = second_states(first, variant, workshop.expect(variant).calls, tried[2], seed=seed)
    chosen = [state for state in second if state.has(wanted)]
    if most < len(chosen) and most:
        chosen = random.Random(f"{seed} {first}").sample(chosen, most)
    found = [tried, *(attempt(state) for state in sorted(chosen))]
    workshop.forget(variant, first.at)
    return found


def run(
    pool: Pool,
    names: Sequence[str],
    *,
    wanted: Wanted = MappingProxyType({}),
    sample: int = 0,
    seed: int = 0,
    only: State | None = None,
    told: Callable[[Report], None] = lambda report: None,
) -> Report:
    """Try the states of these variants and return what was seen.

    Args:
        pool: Of `workers`.
        names: Names of variants.
        wanted: What the states have that are tried.
        sample: How many states of each variant to try, and half as many that go on from each; 0: all.
        seed: Chooses the sample, and where a recovery that is not disturbed everywhere is disturbed.
        only: This one state and no other.
        told: Is called after each state.
    """
    start = time.monotonic()
    report = Report()
    calls = dict(pool.imap(calls_of, names))
    report.calls = {name: len(found) for name, found in calls.items()}
    if only is not None:
        state, broken, _ = pool.apply(attempt, (only,))
        _note(report, state, broken, told)
        return report
    first = [state for name in names for state in first_states(VARIANTS[name], calls[name])]
    needed = [state for state in _sample(first, sample, seed) if state.has(wanted) or _leads_on(state, wanted)]
    attempt_one = partial(attempt_from, wanted=dict(wanted), seed=seed, most=max(1, sample // 2) if sample else 0)
    for tried in pool.imap_unordered(attempt_one, needed):
        for state, broken, _ in tried:
            _note(report, state, broken, told)
    report.seconds = time.monotonic() - start
    return report


def _leads_on(state: State, wanted: Wanted) -> bool:
    """Say whether states with two disturbances that are wanted begin with this one."""
    then, seed = wanted.get("then", 1), wanted.get("seed", 0)
    modes = [mode for mode in SECOND_MODES if mode.startswith(state.mode)]
    return any(State(state.variant, mode, state.at, then, seed=seed).has(wanted) for mode in modes)


def _sample(states: Sequence[State], count: int, seed: int) -> list[State]:
    """Return `count` states of each variant, chosen by the seed; all if `count` is 0."""
    if not count:
        return list(states)
    chance = random.Random(seed)
    found: list[State] = []
    for name in dict.fromkeys(state.variant for state in states):
        own = [state for state in states if state.variant == name]
        found += chance.sample(own, min(count, len(own)))
    return found


def _note(report: Report, state: State, broken: list[tuple[str, str]], told: Callable[[Report], None]) -> None:
    report.states.add(state)
    report.broken += [(state, invariant, seen) for invariant, seen in broken]
    told(report)
