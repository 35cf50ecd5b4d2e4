"""What shells complete: every command, verb, option and choice that there is, those of plugins too."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from ontofetch_catalog.cli.db_cmd import VERBS
from ontofetch_catalog.host.app import main
from ontofetch_catalog.host.argv import HOST_COMMANDS
from ontofetch_catalog.host.completion_cmd import SHELLS
from ontofetch_catalog.plugins import analytics
from ontofetch_catalog.plugins.catalog import CatalogPlugin
from tests.programs import install

_OPTION = re.compile(r" +(?:-\w(?: \w+)?, )?(--[\w-]+)")
COMMANDS = [*HOST_COMMANDS, *CatalogPlugin().register_commands(), *analytics.register_commands()]
ASK = """
source {script}
COMP_WORDS=({words}); COMP_CWORD=$(( ${{#COMP_WORDS[@]}} - 1 )); _shtab_ontofetch
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
PLUGIN = """
import argparse, os
from pathlib import Path
from ontofetch_hookspecs import Command, Parameter, Report, add_common_options

@hookimpl
def register_commands():
    return [Command("greet", "say `touch {marker}` $(touch {marker})", "saluter:greet"),
            Command("wave", "wave", "saluter:greet", parser="saluter:make_parser"),
            Command("broken", "break", "saluter:greet", parser="saluter:fail")]

@hookimpl
def register_reports():
    words = ("one", "$(touch {marker})")
    return [Report("greetings", "who was greeted", "saluter:greet", (Parameter("how", "how", choices=words),))]

def greet(argv, host):
    Path("{marker}").touch()
    return 0

def make_parser(host):
    parser = argparse.ArgumentParser()
    parser.add_argument("--hand", choices=("left", "right"), help="which `touch {marker}`")
    add_common_options(parser)
    return parser

def fail(host):
    raise RuntimeError("no parser")
"""


def script(shell: str, capfd: pytest.CaptureFixture[str]) -> str:
    """Return what `completion` prints."""
    assert main(["completion", shell, "--root", "/nonexistent/store"]) == 0
    return capfd.readouterr().out


def complete(path: Path, *words: str) -> list[str]:
    """Return what bash offers for the last of these words."""
    text = ASK.format(script=path, words=" ".join(f"'{word}'" for word in ("ontofetch", *words)))
    done = subprocess.run(["bash", "-c", text], capture_output=True, text=True, check=True, timeout=30)
    return done.stdout.split()


@pytest.fixture
def bash(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Path:
    """Return the script for bash as a file."""
    path = tmp_path / "completion.bash"
    path.write_text(script("bash", capfd))
    return path


def test_bash_completes_commands_verbs_options_and_choices(bash: Path) -> None:
    """All of them, also a command's, and only what fits."""
    assert set(complete(bash, "")) == {command.name for command in COMMANDS}
    assert complete(bash, "db", "") == list(VERBS)
    assert complete(bash, "db", "ver") == ["versions", "verify"]
    assert set(complete(bash, "report", "")) == {report.name for report in analytics.register_reports()}
    assert complete(bash, "report", "growth", "--by", "") == ["path", "format", "folder"]
    assert complete(bash, "db", "latest", "") == ["get", "set", "unset", "history"]
    assert complete(bash, "db", "prune", "--keep") == ["--keep-last"]
    assert "parquet" in complete(bash, "db", "versions", "--format", "")
    assert complete(bash, "completion", "") == list(SHELLS)
    assert complete(bash, "pull", "--mir") == ["--mirror"]
    assert complete(bash, "pull", "--sha") == ["--sha256"]


def test_every_option_of_the_help_is_completed(bash: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """What `--help` of a verb names is what the shell offers."""
    for verb in VERBS:
        assert main(["db", verb, "--help"]) == 0
        shown = {found[1] for line in capfd.readouterr().out.splitlines() if (found := _OPTION.match(line))}
        assert sorted(complete(bash, "db", verb, "--")) == sorted(shown)


@pytest.mark.parametrize("shell", SHELLS)
def test_each_shell_takes_its_script(shell: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """It names every command, and a shell that is installed finds no fault with it."""
    path = tmp_path / f"completion.{shell}"
    path.write_text(script(shell, capfd))
    assert all(command.name in path.read_text() for command in COMMANDS)
    if shutil.which(shell):
        check = [shell, "--no-execute"] if shell == "fish" else [shell, "-n"]
        assert subprocess.run([*check, path], capture_output=True, check=True).stderr == b""


def test_commands_of_plugins_are_completed_and_none_is_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """By their names, where the plugin makes a parser also with its options; and nothing in a help is obeyed."""
    marker = tmp_path / "ran"
    folder = install(tmp_path / "plugins", "saluter", PLUGIN.replace("{marker}", str(marker)))
    monkeypatch.syspath_prepend(str(folder))
    assert main(["completion", "bash"]) == 0
    out, err = capfd.readouterr()
    assert "its command broken" in err
    path = tmp_path / "completion.bash"
    path.write_text(out)
    assert {"greet", "wave", "broken", "pull"} <= set(complete(path, ""))
    assert complete(path, "wave", "--hand", "") == ["left", "right"]
    assert "--root" in complete(path, "greet", "--")
    assert complete(path, "report", "greetings", "--how", "") == ["one"]
    for shell in SHELLS:
        if shutil.which(shell):
            (tmp_path / "script").write_text(script(shell, capfd))
            subprocess.run([shell, tmp_path / "script"], capture_output=True, timeout=30, check=False)
    assert not marker.exists()


def test_an_unknown_shell_is_one_sentence(capfd: pytest.CaptureFixture[str]) -> None:
    """With the shells that there are."""
    assert main(["completion", "tcsh"]) == 2
    assert "one of bash, zsh, fish, not 'tcsh'" in capfd.readouterr().err
    assert main(["completion"]) == 2
    assert "needs shell" in capfd.readouterr().err
