"""Telling observers and asking for contributions: one plugin at a time, and none can harm another."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from ontofetch_hookspecs import CatalogCommitted, Command, gather, hookimpl, notify
from ontofetch_hookspecs.testing import make_manager, sample_committed


class Observer:
    """Remember what it was told."""

    def __init__(self, name: str, fails: type[BaseException] | None = None) -> None:
        self.PLUGIN_NAME = name
        self.fails = fails
        self.seen: list[CatalogCommitted] = []

    @hookimpl
    def on_catalog_committed(self, event: CatalogCommitted) -> None:
        """Remember, then fail if that is its part."""
        self.seen.append(event)
        if self.fails:
            raise self.fails("no \x1b[31mgood")

    @hookimpl
    def register_commands(self) -> list[Command]:
        """Contribute a command, or fail."""
        if self.fails:
            raise self.fails("no good")
        return [Command(self.PLUGIN_NAME, "", "a:b")]


def test_every_observer_is_told_once_whoever_fails(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """One that raises is returned and logged with its name and the boundary; all others hear of the commit."""
    observers = [Observer("first"), Observer("bad", ValueError), Observer("last")]
    event = sample_committed(tmp_path)
    (error,) = notify(make_manager(*observers), event)
    assert [observer.seen for observer in observers] == [[event]] * 3
    assert (error.plugin, error.hook, error.boundary_id) == ("bad", "on_catalog_committed", event.boundary_id)
    assert isinstance(error.error, ValueError)
    assert error.milliseconds >= 0
    (line,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert (
        f"plugin bad failed in on_catalog_committed for boundary {event.boundary_id}: ValueError" in line.getMessage()
    )


def test_an_interruption_is_no_failure_of_a_plugin(tmp_path: Path) -> None:
    """Ctrl-C during an observer goes on to whoever handles it."""
    with pytest.raises(KeyboardInterrupt):
        notify(make_manager(Observer("bad", KeyboardInterrupt)), sample_committed(tmp_path))


def test_an_observer_may_be_a_wrapper(tmp_path: Path) -> None:
    """A plugin that wraps the hook is called like the others."""
    seen = []

    class Wrapping:
        @hookimpl(wrapper=True)
        def on_catalog_committed(self, event: CatalogCommitted):  # type: ignore[no-untyped-def] # noqa: ANN202, RUF100
            seen.append(event)
            return (yield)

    observer = Observer("plain")
    assert notify(make_manager(Wrapping(), observer), sample_committed(tmp_path)) == []
    assert (len(seen), len(observer.seen)) == (1, 1)


def test_contributions_come_from_all_that_work(caplog: pytest.LogCaptureFixture) -> None:
    """What the others contribute is returned with the plugin's name; the failure is returned and logged."""

    class Odd:
        PLUGIN_NAME = "odd"

        @hookimpl
        def register_commands(self) -> list[Command]:
            """Contribute nothing that can be iterated."""
            return None  # type: ignore[return-value]

    found, errors = gather(
        make_manager(Observer("a"), Observer("bad", RuntimeError), Odd(), Observer("z")), "register_commands"
    )
    assert [(name, item.name) for name, item in found] == [("a", "a"), ("z", "z")]  # type: ignore[attr-defined]
    assert {error.plugin: type(error.error) for error in errors} == {"bad": RuntimeError, "odd": TypeError}
    assert "plugin bad failed in register_commands" in caplog.text
