"""The account of plugins: time goes to whoever spends it."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from ontofetch_catalog.host.timings import PluginTimings
from ontofetch_hookspecs import hookimpl
from ontofetch_hookspecs.testing import make_manager


class Clock:
    """A clock that moves when it is told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        """Tell the time."""
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Put a clock of our own in place of the system's."""
    made = Clock()
    monkeypatch.setattr(time, "perf_counter", made)
    return made


def watched(ledger: PluginTimings, *plugins: object) -> object:
    """Return the hook on_set_latest of a manager whose implementations the ledger watches."""
    hook = make_manager(*plugins).hook.on_set_latest
    for impl in hook.get_hookimpls():
        ledger.watch(impl, hook.name)
    return hook


def test_time_that_others_spend_inside_is_theirs(clock: Clock) -> None:
    """A wrapper is charged for what it does before and after, not for the vote it waits for."""

    class Wrapper:
        PLUGIN_NAME = "wrapper"

        @hookimpl(wrapper=True)
        def on_set_latest(self, event: object) -> Iterator[None]:
            clock.now += 1
            result = yield
            clock.now += 2
            return result

    class Voter:
        PLUGIN_NAME = "voter"

        @hookimpl
        def on_set_latest(self, event: object) -> str:
            clock.now += 40
            return "yes"

    ledger = PluginTimings()
    assert watched(ledger, Voter(), Wrapper())(event=None) == ["yes"]  # type: ignore[operator]
    assert dict(ledger.milliseconds) == {"wrapper": 3000.0, "voter": 40_000.0}


def test_a_body_inside_a_body_is_charged_apart(clock: Clock) -> None:
    """Nested spending is taken off whoever encloses it."""
    ledger = PluginTimings()
    with ledger.spending("outer"):
        clock.now += 5
        with ledger.spending("inner"):
            clock.now += 7
    assert dict(ledger.milliseconds) == {"inner": 7000.0, "outer": 5000.0}
