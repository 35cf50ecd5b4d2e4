"""Plugins: one that is broken is left out with a line, the rest works, and whoever raises is named."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from ontofetch_catalog.errors import UsageError
from ontofetch_catalog.host.manager import Plugins, load_plugins
from ontofetch_hookspecs import Command, HostInfo
from ontofetch_hookspecs.loading import find_outside

Add = Callable[..., Path]
GOOD = """
from ontofetch_hookspecs import Command
@hookimpl
def register_commands():
    return [Command("hello", "say hello", "good:main")]
"""


def states(plugins: Plugins) -> dict[str, str]:
    """Return the state of each plugin."""
    return {record.name: record.state for record in plugins.records}


def host_of(plugins: Plugins, root: Path) -> HostInfo:
    """Return what a host tells its plugins."""
    return HostInfo(name="t", manager=plugins.manager, root=root, run_id="r", config_hash="c", settings={})


def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return the lines that were logged as errors."""
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]


def test_installed_plugins_are_loaded(add_plugin: Add) -> None:
    """Each is recorded with its distribution, version and hooks; the catalog is registered last."""
    add_plugin("good", GOOD)
    plugins = load_plugins(())
    assert states(plugins) == dict.fromkeys(("analytics", "catalog", "formats", "good", "sources"), "active")
    good = plugins.find("good")
    assert good is not None
    assert (good.distribution, good.hooks, good.built_in) == (("good", "1.2.3"), ("register_commands",), False)
    assert [name for name, _ in plugins.manager.list_name_plugin()][-1] == "catalog"
    assert find_outside(plugins.manager) == {}


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("import no_such_module_at_all", "ModuleNotFoundError"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("def broken(:", "SyntaxError"),
        ("@hookimpl\ndef on_downlod_done(event): pass", "unknown hook 'on_downlod_done'"),
        ("@hookimpl\ndef on_download_done(evnt): pass", "evnt"),
        ("@hookimpl(wrapper=True)\ndef on_download_done(event): return 1", "wrapper"),
    ],
)
def test_a_broken_plugin_is_left_out_with_one_line(
    add_plugin: Add, caplog: pytest.LogCaptureFixture, code: str, reason: str
) -> None:
    """What can't be imported or does not fit the contract is named with its reason; the others are active."""
    add_plugin("bad", code)
    add_plugin("good", GOOD)
    plugins = load_plugins(())
    assert states(plugins) == {
        "analytics": "active",
        "bad": "failed",
        "catalog": "active",
        "formats": "active",
        "good": "active",
        "sources": "active",
    }
    (line,) = errors(caplog)
    assert "plugin 'bad' is left out" in line
    assert reason in line
    assert "\n" not in line
    assert not plugins.manager.has_plugin("bad")


def test_of_two_plugins_with_one_name_the_first_stays(add_plugin: Add, caplog: pytest.LogCaptureFixture) -> None:
    """Nobody takes the catalog's name; between two others the order of their modules decides."""
    add_plugin("thief", GOOD, "catalog = thief")
    add_plugin("one", GOOD, "twin = one")
    add_plugin("two", GOOD, "twin = two")
    plugins = load_plugins(())
    found = [(record.name, record.point.value, record.state) for record in plugins.records]
    assert found == [
        ("analytics", "ontofetch_catalog.plugins.analytics", "active"),
        ("catalog", "ontofetch_catalog.plugins.catalog:plugin", "active"),
        ("catalog", "thief", "failed"),
        ("formats", "ontofetch_catalog.plugins.formats", "active"),
        ("sources", "ontofetch_catalog.plugins.sources", "active"),
        ("twin", "one", "active"),
        ("twin", "two", "failed"),
    ]
    assert len([line for line in errors(caplog) if "its name is taken" in line]) == 2


def test_plugins_are_switched_off(add_plugin: Add) -> None:
    """One that is named is not even imported; a name that nobody has is an error that lists the names."""
    add_plugin("bad", "1 / 0")
    assert states(load_plugins(("bad", "catalog"))) == {
        "analytics": "active",
        "bad": "off",
        "catalog": "off",
        "formats": "active",
        "sources": "active",
    }
    with pytest.raises(
        UsageError, match=r"no plugin 'nope' to leave out. Installed are: analytics, bad, catalog, formats"
    ):
        load_plugins(("bad", "nope"))


def test_a_name_taken_twice_is_refused_and_reported(add_plugin: Add, caplog: pytest.LogCaptureFixture) -> None:
    """The host's own and the built-in commands come first; then the first plugin; the second's is left out."""
    add_plugin("aaa", GOOD.replace('"hello"', '"db"'))
    add_plugin("good", GOOD)
    add_plugin("late", GOOD.replace("say hello", "say it again"))
    plugins = load_plugins(())
    commands = plugins.contributions("register_commands", Command, [Command("pull", "", "x:y")])
    found = {command.name: command.help for command in commands}
    assert found["hello"] == "say hello"
    assert found["db"] == "look at the catalog and care for it"
    lines = [record.getMessage() for record in caplog.records]
    assert "plugin 'aaa': its command db is left out: the name is catalog's" in lines
    assert "plugin 'late': its command hello is left out: the name is good's" in lines


@pytest.mark.parametrize("value", ["[1]", "None", "1 / 0", "[Command(7, '', '')]"])
def test_a_contribution_that_is_none_is_left_out(add_plugin: Add, value: str) -> None:
    """A hook that gives something else costs its own contribution; the plugin is partial and says why."""
    add_plugin("odd", GOOD.replace('[Command("hello", "say hello", "good:main")]', value))
    add_plugin("good", GOOD)
    plugins = load_plugins(())
    names = [command.name for command in plugins.contributions("register_commands", Command, ())]
    assert "hello" in names
    record = plugins.find("odd")
    assert record is not None
    assert record.state == "partial"
    assert record.reason.startswith("register_commands")


def test_a_plugin_that_fails_to_hear_of_the_host_is_left_out(
    add_plugin: Add, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The others hear of the host all the same."""
    add_plugin("bad", "@hookimpl\ndef on_host_ready(host): raise ValueError(host.name)")
    add_plugin("good", "HOSTS = []\n@hookimpl\ndef on_host_ready(host): HOSTS.append(host)")
    plugins = load_plugins(())
    host = host_of(plugins, tmp_path)
    plugins.ready(host)
    assert [host] == plugins.manager.get_plugin("good").HOSTS
    assert states(plugins)["bad"] == "failed"
    assert not plugins.manager.has_plugin("bad")
    assert errors(caplog) == ["plugin 'bad' is left out: on_host_ready: ValueError: t"]


def test_a_wrapper_outside_of_the_catalog_is_told(
    add_plugin: Add, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A plugin that insists on being outermost is named; one that wraps inside is fine."""
    wrapper = "@hookimpl(wrapper=True{})\ndef on_download_done(event):\n    return (yield)"
    add_plugin("inside", wrapper.format(""))
    add_plugin("outside", wrapper.format(", tryfirst=True"))
    plugins = load_plugins(())
    plugins.ready(host_of(plugins, tmp_path))
    assert find_outside(plugins.manager) == {"outside": "on_download_done"}
    assert "plugin 'outside' wraps on_download_done outside of the catalog" in caplog.text
