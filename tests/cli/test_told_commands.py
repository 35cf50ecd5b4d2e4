"""A command that a sentence tells to type is for the store that was named, and can be typed as it stands."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from ontofetch_catalog.host.app import main
from tests.cli.conftest import Run, make_store

pytestmark = pytest.mark.usefixtures("quick_databases")


def test_a_told_command_names_the_store_that_was_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """With `--root`, what comes after a damage is told with it, quoted for a shell, and works; help needs no store."""
    monkeypatch.setenv("ONTOFETCH_DURABILITY", "off")
    root = make_store(tmp_path / "a store")
    min(root.rglob("same.ttl")).unlink()
    assert main(["db", "verify", "--root", str(root)]) == 3
    (told,) = re.findall(r"`(ontofetch [^`]* --fix)`", capfd.readouterr().err)
    assert told == f"ontofetch --root '{root}' db doctor --fix"
    assert main([*shlex.split(told)[1:], "--yes"]) in (0, 3)
    capfd.readouterr()
    assert main(["db", "frobnicate", "--root", str(root)]) == 2
    err = capfd.readouterr().err
    assert "`ontofetch db frobnicate`" in err
    assert "`ontofetch db --help`" in err


def test_a_store_that_a_setting_names_goes_without_saying(run: Run, store: Path) -> None:
    """Whoever has named it once, in the environment, is not told to name it."""
    min(store.rglob("same.ttl")).unlink()
    code, _, err = run("db", "verify")
    assert (code, "`ontofetch db doctor --fix`" in err) == (3, True), err
