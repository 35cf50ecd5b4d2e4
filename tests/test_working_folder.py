"""The working folder is a stranger's: no command runs anything of it, whatever names its files and folders bear."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ontofetch_catalog.cli.db_cmd import VERBS
from ontofetch_catalog.host.argv import HOST_COMMANDS
from ontofetch_catalog.plugins import analytics
from ontofetch_catalog.plugins.catalog import CatalogPlugin
from tests.programs import SCRIPT, install

FORGED = 'open({marker!r}, "a").write(__name__ + "\\n")\n'
PLUGIN = 'FORGED_PLUGIN = "{}"\n'
# of packages that are not the standard library's: what commands import first, and ours
PACKAGES = (
    *("ontofetch_hookspecs", "ontofetch_catalog", "pluggy", "duckdb", "polars", "pyarrow", "rich", "structlog"),
    *("httpx", "platformdirs", "zstandard", "xxhash", "pyoxigraph", "fastobo", "sitecustomize", "usercustomize"),
)
RELEASE = ("--service", "s", "--ontology", "o")
# a command line for every command and verb; a new one needs a row
DB = {
    "status": (), "versions": (), "files": ("s/o/1",), "stats": (), "find": ("first.txt",), "delta": ("s/o/1", "s/o/2"),
    "events": (), "latest": ("get", "s/o"), "backup": ("--to", "../db.tar.zst"),
    "restore": ("../db.tar.zst", "--root", "../c"),
    "verify": (), "facts": (), "share": ("--by", "hardlink"), "refresh": (), "prune": ("--dry-run",), "pin": ("s/o/1",),
    "migrate": (), "doctor": (),
    "rebuild": ("--replace",), "recover": (), "move": ("--to", "local"), "sweep": (), "hold": (),
    "import": ("..", "--service", "t", "--pattern", "none-{ontology}-{version}.owl", "--copy", "--dry-run"),
}  # fmt: skip
COMMANDS = {
    "pull": ("../first.txt", *RELEASE, "--version", "3", "--no-validate"), "plugins": (), "home": (),
    "completion": ("bash",), "init": (), "show": ("s/o/1",), "log": (),
    "note": ("s/o/1", "the one to cite"), "tag": ("s/o/1", "published"), "mv": ("s/o/2", "s/o/4"), "undo": (),
    "rm": ("s/o/1", "--dry-run"),
    "update": ("--sources", "../sources.toml", "--check"), "add": ("../first.txt", *RELEASE, "--dry-run"),
    "lock": ("--file", "../x.lock"),
    "site": ("--out", "../site"), "export": ("s/o/1", "--as", "dcat"),
    "report": ("growth", "--a", "s/o/1", "--b", "s/o/2", "--format", "html"), "--help": (), "--version": (),
}  # fmt: skip
LINES = [(name, *words) for name, words in COMMANDS.items()] + [("db", verb, *words) for verb, words in DB.items()]


def early_modules() -> set[str]:
    """Return the modules that Python itself may import for `-m` before it comes to the package."""
    script = "import runpy, pkgutil, importlib.util, sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-I", "-c", script], capture_output=True, text=True, check=True)
    return {name.partition(".")[0] for name in done.stdout.split()}


class Trap:
    """A working folder full of forgeries, and a program that is run in it."""

    def __init__(self, home: Path, program: tuple[str, ...], leave_out: set[str]) -> None:
        self.home, self.folder, self.marker = home, home / "work", home / "EXECUTED"
        self.program = program
        self.folder.mkdir()
        forged = FORGED.format(marker=str(self.marker))
        for name in sys.stdlib_module_names - leave_out:
            (self.folder / f"{name}.py").write_text(forged)
        for name in sorted(set(PACKAGES) - leave_out):
            (self.folder / name).mkdir()
            (self.folder / name / "__init__.py").write_text(forged)
        install(self.folder, "forged-plugin", forged)
        (self.folder / "x.ttl").write_text("<urn:a> <urn:b> <urn:c> .\n")
        (home / "sources.toml").write_text(f"[s.p]\nurl = '{home}/first.txt'\n")
        for number, name in enumerate(("first.txt", "second.txt")):
            (home / name).write_text(f"{number}\n")

    def run(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run the program in the folder."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        ours = {"ONTOFETCH_ROOT": "../store", "ONTOFETCH_DURABILITY": "off", "ONTOFETCH_CONFIG": ""}
        return subprocess.run(
            [*self.program, *words],
            cwd=self.folder,
            env=kept | ours | environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            stdin=subprocess.DEVNULL,
        )

    def executed(self) -> list[str]:
        """Return the names of the forgeries that ran."""
        return self.marker.read_text().split() if self.marker.exists() else []


MODULE = (sys.executable, "-m", "ontofetch_catalog")
SAFE_MODULE = (sys.executable, "-P", "-m", "ontofetch_catalog")


@pytest.fixture(params=[(str(SCRIPT),), MODULE], ids=["script", "module"], scope="module")
def trap(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Trap:
    """Return the folder with a store of two releases beside it."""
    # with `-m` alone Python looks for the package, and for what it needs itself, in the folder before we can say no
    early = early_modules() | {"ontofetch_catalog"} if request.param == MODULE else set()
    made = Trap(tmp_path_factory.mktemp("trap"), request.param, early)
    for number, name in enumerate(("first.txt", "second.txt"), 1):
        # that nothing of the folder ran is for the tests to say, and so is what became of the releases
        made.run("pull", f"../{name}", *RELEASE, "--version", str(number), "--no-validate")
    return made


def test_the_lines_are_all_commands() -> None:
    """Every command and every verb has a line here."""
    assert set(DB) == set(VERBS)
    contributed = [*CatalogPlugin().register_commands(), *analytics.register_commands()]
    assert {command.name for command in (*HOST_COMMANDS, *contributed)} == {
        *(name for name in COMMANDS if not name.startswith("-")),
        "db",
    }


@pytest.mark.parametrize("line", LINES, ids=[" ".join(line[:2]) for line in LINES])
def test_no_command_runs_anything_of_the_working_folder(trap: Trap, line: tuple[str, ...]) -> None:
    """Whatever it is called, by the script or as a module: it works, and nothing that lies there is executed."""
    done = trap.run(*line)
    assert trap.executed() == []
    # a catalog that comes back into an empty store has findings
    assert done.returncode == (3 if "restore" in line else 0), done.stderr
    assert "forged" not in done.stdout + done.stderr


def test_pull_runs_nothing_of_the_working_folder(trap: Trap) -> None:
    """The process that validates a file does not take its modules from there either."""
    done = trap.run("pull", "x.ttl", "--service", "s", "--ontology", "v", "--version", "1", "--json")
    assert trap.executed() == []
    assert done.returncode == 0, done.stderr
    assert '"passed":1' in done.stdout.replace(" ", "")


@pytest.mark.parametrize("path", [":", "", ".", "lib", ":lib", "./lib:."])
def test_a_path_that_means_the_current_folder_brings_no_plugin(tmp_path: Path, path: str) -> None:
    """An entry of PYTHONPATH that is empty or relative means whatever folder it is run in; an absolute one is meant."""
    folder = tmp_path / "work"
    marker = tmp_path / "EXECUTED"
    for place in (folder, folder / "lib"):
        install(place, f"forged-{place.name}", FORGED.format(marker=str(marker)))
    trusted = install(tmp_path / "trusted", "trusted", "")
    for program in ((str(SCRIPT),), MODULE, SAFE_MODULE):
        done = subprocess.run(
            [*program, "plugins", "--format", "csv", "--root", "../store"],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": f"{path}:{trusted}" if path else ""},
            capture_output=True,
            text=True,
            check=True,
        )
        assert not marker.exists()
        assert "forged" not in done.stdout
        assert ("trusted" in done.stdout) == bool(path)


def test_a_plugin_of_an_absolute_path_is_loaded_there_too(tmp_path: Path) -> None:
    """Who names a folder means it, also when it is the current one."""
    folder = install(tmp_path / "mine", "mine", "")
    done = subprocess.run(
        [str(SCRIPT), "plugins", "--format", "csv", "--root", "../store"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "mine" in done.stdout
