"""The harness can fail: a slow thing is beyond its limit, in the table and in the exit status."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from . import harness
from .harness import BeyondLimit, Race, Result, Results, Side, table
from .limits import LIMITS, SHORT_FACTOR, Limit

NAP = 0.002
OF_TWO = Limit(1.0 if harness.SHORT else 2.0, "a", "b")  # which is two in this run
SLOW = """
import time
from benchmarks.harness import Side
from benchmarks.limits import Limit

def test_slow(race):
    limit = Limit(2.0, "slow", "bare")
    race("slow", Side(lambda _: time.sleep({slow})), Side(lambda _: time.sleep({nap})), limit=limit)
"""


def test_a_slow_thing_is_beyond_its_limit(benchmark: BenchmarkFixture) -> None:
    """What takes ten times its yardstick breaks a limit of two, also in the short form, and the table says so."""
    ledger = Results()
    with pytest.raises(BeyondLimit, match="the limit is"):
        Race(benchmark, ledger)(
            "slow", Side(lambda _: time.sleep(10 * NAP)), Side(lambda _: time.sleep(NAP)), limit=Limit(2.0, "a", "b")
        )
    assert any("BEYOND" in line for line in table(ledger))


def test_what_takes_long_counts_from_its_first_run(
    benchmark: BenchmarkFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where no more than the fewest rounds fit in, each side runs so often and no more."""
    monkeypatch.setattr(harness, "SECONDS", NAP)
    monkeypatch.setattr(harness, "FAR", 0.0)
    ledger, ran = Results(), list[int]()
    measured = Side(lambda _: ran.append(1))
    Race(benchmark, ledger)("long", measured, Side(lambda _: time.sleep(NAP)), limit=Limit(2.0, "a", "b"))
    assert len(ran) == ledger.results[0].rounds == harness.FEWEST


@pytest.mark.parametrize(("first", "later", "few"), [(1, 1, True), (18, 18, False), (1, 18, False)])
def test_what_is_far_from_its_limit_runs_a_few_times(
    benchmark: BenchmarkFixture, monkeypatch: pytest.MonkeyPatch, first: int, later: int, few: bool
) -> None:
    """Far from the limit of two are two rounds enough; near to it, also when only the later ones are, it takes more."""
    monkeypatch.setattr(harness, "SECONDS", 1000 * NAP)
    monkeypatch.setattr(harness, "FAR", 0.5)
    monkeypatch.setattr(harness, "FAR_SECONDS", 0.0)
    ledger, naps = Results(), iter([first, *[later] * 99])
    measured = Side(lambda _: time.sleep(next(naps) * NAP))
    Race(benchmark, ledger)("far", measured, Side(lambda _: time.sleep(10 * NAP)), limit=OF_TWO)
    assert (ledger.results[0].rounds == harness.FAR_FEWEST) == few


@pytest.mark.parametrize(("measured", "count"), [(1.0, 2), (1.9, 3)])
def test_what_is_weighed_is_weighed_again_near_its_limit(
    benchmark: BenchmarkFixture, monkeypatch: pytest.MonkeyPatch, measured: float, count: int
) -> None:
    """Seconds that are near the limit, here of two, are measured three times."""
    monkeypatch.setitem(LIMITS, "weighed", OF_TWO)
    monkeypatch.setattr(harness, "SHORT", False)
    ledger = Results()
    Race(benchmark, ledger).weigh("weighed", lambda: (measured, 1.0), unit="s")
    assert ledger.results[0].rounds == count


@pytest.mark.parametrize(("factor", "status"), [(10, 1), (1, 0)])
def test_the_exit_status_tells(tmp_path: Path, factor: int, status: int) -> None:
    """A run with a slow thing ends with 1, the same run without it with 0."""
    (tmp_path / "bench_slow.py").write_text(SLOW.format(slow=factor * NAP, nap=NAP))
    words = [
        "-q",
        "-p",
        "no:cacheprovider",
        "-o",
        "python_files=bench_*.py",
        "-p",
        "benchmarks.conftest",
        str(tmp_path),
    ]
    done = subprocess.run([sys.executable, "-m", "pytest", *words], capture_output=True, text=True, check=False)
    assert done.returncode == status, done.stdout
    assert ("BEYOND" in done.stdout) == bool(status)


@pytest.mark.parametrize("name", LIMITS)
def test_every_limit_bites(name: str) -> None:
    """A ratio just beyond a limit is beyond, one just below is not."""
    limit = LIMITS[name]
    for factor in (1.0, SHORT_FACTOR):
        most = limit.most * factor
        assert Result(name, limit, most * 1.01, 1.0, "s", 1, factor).is_beyond
        assert not Result(name, limit, most * 0.99, 1.0, "s", 1, factor).is_beyond
