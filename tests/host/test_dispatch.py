"""From the words to the command: who is asked, with what, and what is said when nobody answers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ontofetch_catalog.errors import OntofetchError, UsageError
from ontofetch_catalog.host.dispatch import run

Add = Callable[..., Path]
GREETER = """
from ontofetch_hookspecs import Command
@hookimpl
def register_commands():
    return [Command("hello", "say hello", "greeter:main"), Command("pull", "steal", "greeter:main"),
            Command("gone", "fail", "no_such_module:main"), Command("odd", "fail", "greeter:NAME")]
NAME = "greeter"
def main(argv, host):
    print("hello", *argv, host.name, host.root.name, host.settings["wait"], len(host.run_id), len(host.config_hash))
    return 7
"""


def test_a_command_of_a_plugin_runs_with_its_words_and_the_host(
    add_plugin: Add, capsys: pytest.CaptureFixture[str]
) -> None:
    """It gets what is left of the line, and a host that knows the store and the settings; its code is handed back."""
    add_plugin("greeter", GREETER)
    assert run(["--wait", "3", "hello", "--loud", "you", "--root", "elsewhere"]) == 7
    assert capsys.readouterr().out == "hello --loud you ontofetch elsewhere 3.0 32 64\n"


def test_the_hosts_own_commands_stay(add_plugin: Add, capsys: pytest.CaptureFixture[str]) -> None:
    """A plugin can't take `pull`; help lists its other commands."""
    add_plugin("greeter", GREETER)
    assert run(["--help"]) == 0
    shown = capsys.readouterr()
    assert "hello       say hello" in shown.out
    assert "steal" not in shown.out
    assert "plugin 'greeter': its command pull is left out: the name is the host's" in shown.err


def test_what_is_no_command(add_plugin: Add) -> None:
    """The sentence lists the commands; one whose code is gone, or is no code, is named."""
    add_plugin("greeter", GREETER)
    with pytest.raises(UsageError, match=r"no `ontofetch helo`. Did you mean `ontofetch hello`"):
        run(["helo"])
    with pytest.raises(
        OntofetchError, match=r"plugin 'greeter' can't load its command gone: ModuleNotFound.*--no-plugin"
    ):
        run(["gone"])
    with pytest.raises(OntofetchError, match=r"'greeter' names .* for its command odd, a .* that can't be called"):
        run(["odd"])


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["verify"], "`ontofetch db verify`"),
        (["Doctr"], "`ontofetch db doctor`"),
        (["growth"], "`ontofetch report growth`"),
        (["latest"], "`ontofetch report latest` or `ontofetch db latest`"),
        (["db", "show"], "`ontofetch show`"),
    ],
)
def test_a_verb_without_its_command_is_told_with_it(words: list[str], meant: str) -> None:
    """Who types what stands below a command, or a command below another, is told the whole way."""
    with pytest.raises(UsageError) as refused:
        run(words)
    assert f"There is no `ontofetch {' '.join(words)}`. Did you mean {meant}?" in str(refused.value)


def test_without_a_word_the_catalog_says_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    """Bare, the default command of a plugin runs; without the catalog the overview is shown."""
    assert run([]) == 0
    assert "Nothing is recorded below" in capsys.readouterr().err
    assert run(["--no-plugin", "catalog"]) == 0
    assert "usage: ontofetch" in capsys.readouterr().out


def test_the_version_is_told_without_a_plugin(add_plugin: Add, capsys: pytest.CaptureFixture[str]) -> None:
    """`--version` loads nothing that could be broken."""
    add_plugin("bad", "1 / 0")
    assert run(["--version"]) == 0
    shown = capsys.readouterr()
    assert shown.out.startswith("ontofetch 0.")
    assert shown.err == ""


def test_plugins_are_listed_with_their_state(add_plugin: Add, capsys: pytest.CaptureFixture[str]) -> None:
    """Name, distribution, version, state, hooks, time and the reason of what is broken or off."""
    add_plugin("bad", "1 / 0")
    add_plugin("greeter", GREETER)
    assert run(["plugins", "--format", "csv", "--no-plugin", "analytics"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "name,distribution,version,state,hooks,contributes,milliseconds,spent,reason"
    by_name = {line.partition(",")[0]: line for line in lines[1:]}
    assert list(by_name) == ["analytics", "bad", "catalog", "formats", "greeter", "sources"]
    assert ",off," in by_name["analytics"]
    assert "bad,1.2.3,failed," in by_name["bad"]
    assert by_name["bad"].endswith("ZeroDivisionError: division by zero")
    assert "on_download_done" in by_name["catalog"]
    assert 'greeter,1.2.3,partial,register_commands,"command gone, command hello, command odd",' in by_name["greeter"]
    assert by_name["greeter"].endswith("its command pull is left out: the name is the host's")
