"""How a measured thing is compared with its yardstick: round by round in turns, by medians, against its limit.

What is measured is not known here. pytest-benchmark times and keeps the rounds of the measured side.
"""

from __future__ import annotations

import gc
import os
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from pytest_benchmark.fixture import BenchmarkFixture

from .limits import LIMITS, SHORT_FACTOR, Limit

SHORT = os.environ.get("ONTOFETCH_BENCH") == "short"
FULL_ROUNDS, SHORT_ROUNDS = 15, 5
SECONDS, FEWEST = 15.0, 3  # how long the rounds of a race may take together, and how many there are in any case
# where a ratio is no more than this part of its limit, a few rounds tell as much: so long, and so many in any case
FAR, FAR_SECONDS, FAR_FEWEST = 0.8, 4.0, 2


class BeyondLimit(AssertionError):
    """A measured thing costs more than its limit allows."""


def pick(full: int, short: int) -> int:
    """Return how much data to take: `full`, or `short` in the short form."""
    return short if SHORT else full


def rounds(seconds: float = 0.0, *, far: bool = False) -> int:
    """Return how often each side runs: fewer times where both take so many `seconds`, or are far from the limit."""
    most = pick(FULL_ROUNDS, SHORT_ROUNDS)
    together, fewest = (FAR_SECONDS, FAR_FEWEST) if far else (SECONDS, FEWEST)
    return most if seconds * most <= together else min(most, max(fewest, int(together / seconds)))


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two things that are compared.

    Args:
        run: What is timed; it gets what `prepare` returned.
        prepare: What comes before each round, untimed.
    """

    run: Callable[[object], object]
    prepare: Callable[[], object] = lambda: None


@dataclass(frozen=True, slots=True)
class Result:
    """One line of the table: both values in `unit` (`s` or `B`), and how often they were measured."""

    name: str
    limit: Limit
    measured: float
    yardstick: float
    unit: str
    rounds: int
    factor: float = SHORT_FACTOR if SHORT else 1.0

    @property
    def ratio(self) -> float:
        """Return measured / yardstick."""
        return self.measured / self.yardstick

    @property
    def most(self) -> float:
        """Return the limit that counts in this run."""
        return self.limit.most * self.factor

    @property
    def is_far(self) -> bool:
        """Say whether it is so far within the limit that a few rounds tell as much as many."""
        return self.ratio <= FAR * self.most

    @property
    def is_beyond(self) -> bool:
        """Say whether the limit is exceeded."""
        return self.ratio > self.most

    def judge(self) -> None:
        """Raise BeyondLimit if the limit is exceeded."""
        if self.is_beyond:
            raise BeyondLimit(
                f"{self.name}: {self.limit.measured} takes {show(self.measured, self.unit)}, {self.ratio:.2f} times"
                f" its yardstick ({self.limit.yardstick}: {show(self.yardstick, self.unit)}); the limit is"
                f" {self.most:.2f}."
            )


@dataclass(slots=True)
class Results:
    """What a run has found: judged results, and figures printed for contrast alone (text, value, unit)."""

    results: list[Result] = field(default_factory=list)
    contrasts: list[tuple[str, float, str]] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


class Race:
    """Compare things and write them into the ledger of the run.

    Args:
        benchmark: pytest-benchmark's fixture of the test.
        ledger: Where the results go.
    """

    def __init__(self, benchmark: BenchmarkFixture, ledger: Results) -> None:
        self._benchmark = benchmark
        self._ledger = ledger

    def __call__(self, name: str, measured: Side, yardstick: Side, *, limit: Limit | None = None) -> None:
        """Run both sides in turns and judge the ratio of their medians.

        The side that begins changes from round to round. There are few rounds where the ratio is far from the limit, in
        the first run and then in those. One beyond the limit is measured once more with as many rounds again, all of
        which count: a disturbance passes, slowness stays.

        Raises:
            BeyondLimit: The median of the measured side is beyond the limit.
        """
        began = time.perf_counter()
        warm = timed(yardstick), timed(measured)
        seconds = time.perf_counter() - began
        far = self._result(name, limit, [warm[1]], [warm[0]]).is_far
        # where it takes so long, what is done once in a process is nothing beside it
        counted = seconds * FEWEST > SECONDS
        count = rounds(seconds, far=far) - counted
        bare = [warm[0]] if counted else []
        first = [False]

        def before() -> None:
            first[0] = not first[0]
            if first[0]:
                bare.append(timed(yardstick))
            prepared.append(measured.prepare())

        def after() -> None:
            if not first[0]:
                bare.append(timed(yardstick))

        prepared: list[object] = []
        self._benchmark.pedantic(lambda: measured.run(prepared.pop()), setup=before, teardown=after, rounds=count)
        stats = self._benchmark.stats
        if counted:
            stats.stats.update(warm[1])
        result = self._result(name, limit, stats.stats.data, bare)

        def again(times: int) -> Result:
            for _ in range(times):
                before()
                stats.stats.update(timed(Side(measured.run, prepared.pop)))
                after()
            return self._result(name, limit, stats.stats.data, bare)

        if far and not result.is_far:
            result = again(rounds(seconds) - len(bare))
        if result.is_beyond:
            result = again(len(bare))
        self._keep(result)

    def within(self, name: str, measured: Side, seconds: float) -> None:
        """Judge the median of a side against a time that does not depend on the machine.

        Raises:
            BeyondLimit: It is beyond the limit.
        """
        warm = timed(measured)
        far = warm <= FAR * seconds
        count = min(pick(FULL_ROUNDS // 3, 1), rounds(warm, far=far))
        counted = count > 1 and warm * FEWEST > SECONDS
        self._benchmark.pedantic(lambda: measured.run(measured.prepare()), rounds=count - counted)
        data = [*self._benchmark.stats.stats.data, *([warm] if counted else [])]
        self._keep(Result(name, LIMITS[name], statistics.median(data), seconds, "s", len(data)))

    def weigh(self, name: str, measure: Callable[[], tuple[float, float]], *, unit: str = "B") -> None:
        """Judge the medians of some measurements: (measured, yardstick), both in `unit`, of memory if it is bytes.

        Bytes are measured once, seconds twice, and a third time where they are not far from the limit.

        Raises:
            BeyondLimit: The measured one is beyond the limit.
        """
        found: list[tuple[float, float]] = []

        def result() -> Result:
            measured, yardstick = (statistics.median(column) for column in zip(*found, strict=True))
            return Result(name, LIMITS[name], measured, yardstick, unit, len(found))

        # what a process holds does not depend on what else the machine does
        self._benchmark.pedantic(lambda: found.append(measure()), rounds=1 if unit == "B" else pick(FAR_FEWEST, 1))
        if unit != "B" and not SHORT and not result().is_far:
            found += [measure() for _ in range(FEWEST - len(found))]
        self._keep(result())

    def contrast(self, text: str, side: Side) -> None:
        """Time a side a few times, to be printed without a limit; one that takes long once."""
        found = [timed(side)]
        if found[0] < SECONDS / 10:
            found += [timed(side) for _ in range(pick(2, 0))]
        self._ledger.contrasts.append((text, statistics.median(found), "s"))

    def remark(self, text: str) -> None:
        """Have a sentence printed below the table."""
        self._ledger.remarks.append(text)

    def _result(self, name: str, limit: Limit | None, data: Sequence[float], bare: Sequence[float]) -> Result:
        return Result(
            name,
            limit or LIMITS[name],
            statistics.median(data),
            statistics.median(bare),
            "s",
            min(len(data), len(bare)),
        )

    def _keep(self, result: Result) -> None:
        self._benchmark.extra_info.update(
            name=result.name,
            measured=result.measured,
            yardstick=result.yardstick,
            unit=result.unit,
            ratio=result.ratio,
            limit=result.most,
        )
        self._ledger.results.append(result)
        result.judge()


def timed(side: Side) -> float:
    """Prepare and run a side once; return seconds. The garbage of others is collected before, not while it runs."""
    prepared = side.prepare()
    gc.collect()
    gc.disable()
    try:
        start = time.perf_counter()
        side.run(prepared)
        return time.perf_counter() - start
    finally:
        gc.enable()


def show(value: float, unit: str) -> str:
    """Return a value for people: seconds or milliseconds, megabytes."""
    if unit == "B":
        return f"{value / 1e6:.0f} MB"
    return f"{value:.2f} s" if value >= 1 else f"{value * 1000:.0f} ms"


def table(ledger: Results) -> list[str]:
    """Return the lines of the table: what was measured, both values, their ratio, its limit."""
    lines = [("", "measured", "yardstick", "ratio", "limit", "rounds", "measured, against its yardstick")]
    for found in ledger.results:
        verdict = "  BEYOND" if found.is_beyond else ""
        lines.append(
            (
                found.name,
                show(found.measured, found.unit),
                show(found.yardstick, found.unit),
                f"{found.ratio:.2f}",
                f"{found.most:.2f}",
                str(found.rounds),
                f"{found.limit.measured} / {found.limit.yardstick}{verdict}",
            )
        )
    widths = [max(len(line[at]) for line in lines) for at in range(6)]
    shown = [
        "  ".join([line[0].ljust(widths[0]), *(line[at].rjust(widths[at]) for at in range(1, 6)), line[6]])
        for line in lines
    ]
    shown += [f"for contrast: {text}: {show(value, unit)}" for text, value, unit in ledger.contrasts]
    return shown + ledger.remarks
