"""Every operation says in a sentence what the system refused: its own name, a step that helps, no other operation.

Each is run for real, and what changes the disk or opens the catalog fails with an error of the system.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ontofetch_catalog.catalog import fsops
from ontofetch_catalog.host import app
from ontofetch_hookspecs.errors import EXIT_ERROR, EXIT_FINDINGS, next_step
from ontofetch_hookspecs.store_paths import StorePath
from tests.releases import Releases, older_store

pytestmark = pytest.mark.usefixtures("quick_databases")

CODES = ("ENOSPC", "EROFS", "EACCES", "EIO", "EMFILE")
FILES = {"a.ttl": "one", "d/b.ttl": "two"}
# what each operation may be called, and the words of what it works on
OWN = {
    "pull": {"pull", "download", "staged", "stage"},
    "pin": {"pin"},
    "verify": {"verify"},
    "share": {"share"},
    "refresh": {"refresh"},
    "latest": {"latest"},
    "prune": {"prune", "plan"},
    "backup": {"backup"},
    "restore": {"restore", "restored", "backup"},
    "rebuild": {"rebuild", "rebuilt"},
    "migrate": {"migrate"},
    "recover": {"recover"},
    "doctor": {"doctor"},
}
WORDS = {word for words in OWN.values() for word in words} | {"plan", "pruned", "pinned", "extract", "validate"}


def _nothing(home: Path) -> None:
    del home


def _planned(home: Path) -> None:
    assert (
        _ontofetch(
            home, *["db", "prune", "--version", "1.0", "--min-age", "0s", "--yes", "0s", "--override", "large-plan"]
        )
        == 0
    )


def _applied(home: Path) -> None:
    _planned(home)
    assert _ontofetch(home, "db", "prune", "--apply", _plan(home)) == 0


def _backed_up(home: Path) -> None:
    assert _ontofetch(home, "db", "backup", "--to", str(home / "b")) == 0


def _old_schema(home: Path) -> None:
    shutil.rmtree(home / "store")
    older_store(home / "store", 5)


def _left_open(home: Path) -> None:
    (home / "store/.catalog/intents/0123").mkdir(parents=True)


def _manifest_spoilt(home: Path) -> None:
    (home / "store/example/sample/1.0/manifest.json").write_text("{}")


def _plan(home: Path) -> str:
    plans = sorted((home / "store/.catalog/plans").iterdir())
    return plans[-1].name


@dataclass(frozen=True)
class Case:
    """One operation, a command line, the call that fails, what is done to the store before, the exit code."""

    operation: str
    words: str
    call: str
    prepare: Callable[[Path], None] = _nothing
    exit_code: int = EXIT_ERROR

    def __str__(self) -> str:
        return f"{self.words.partition('--')[0].partition('{')[0].strip().replace(' ', '-')}-{self.call}"


_PULL = "pull {home}/c.ttl --service example --ontology sample --version 3.0"
_PRUNE = "db prune --version 1.0 --min-age 0s --yes 0s --override large-plan"
CASES = (
    Case("pull", _PULL, "make_folders"),
    Case("pull", _PULL, "rename"),
    Case("pin", "db pin example/sample/1.0", "create_file"),
    Case("pin", "db pin example/sample/1.0", "commit"),
    Case("pin", "db pin example/sample/1.0", "open_database"),
    Case("verify", "db verify --workers 1", "sync_folder"),
    Case("share", "db share --by hardlink", "sync_folder"),
    Case("refresh", "db refresh", "execute"),
    Case("latest", "db latest set example/sample/1.0", "create_file"),
    Case("prune", _PRUNE, "create_file"),
    Case("prune", "db prune --apply {plan}", "rename", _planned),
    Case("prune", "db prune --apply {plan}", "open_database", _planned),
    Case("prune", "db prune --restore {plan}", "begin", _applied),
    Case("prune", "db prune --purge {plan}", "create_file", _applied),
    Case("backup", "db backup --to {home}/out.tar.zst", "create_file"),
    Case("backup", "db backup --to {home}/out", "make_folder"),
    Case("restore", "db restore {home}/b", "create_file", _backed_up),
    Case("restore", "db restore {home}/b", "rename", _backed_up),
    Case("rebuild", "db rebuild --replace", "create_file"),
    Case("rebuild", "db rebuild --replace", "open_database"),
    Case("rebuild", "db rebuild", "open_database"),
    Case("migrate", "db migrate", "create_file", _old_schema),
    Case("recover", "db recover", "remove_folder", _left_open),
    Case("doctor", "db doctor --fix --yes", "create_file", _manifest_spoilt, EXIT_FINDINGS),
    Case("doctor", "db doctor", "open_database"),
)


def _ontofetch(home: Path, *words: str) -> int:
    return app.main([*words, "--root", str(home / "store")])


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a store of two releases."""
    home = tmp_path_factory.mktemp("template")
    releases = Releases(home / "store", settings={"durability": "off"})
    releases.pull("1.0", FILES)
    releases.pull("2.0", {**FILES, "a.ttl": "ONE"})
    (home / "c.ttl").write_text("<a> <b> <c> .")
    return home


def _refuse(patch: pytest.MonkeyPatch, name: str, code: int) -> list[str]:
    """Let a call of the seam, or of the host's own door to the disk, fail; return who was refused."""
    refused: list[str] = []
    text = os.strerror(code)

    def failing(*args: Any, **_: Any) -> Any:
        refused.append(name)
        if name in ("begin", "commit", "execute", "open_database"):
            if name == "commit":
                # such a connection answers nothing any more
                args[0].close()
            raise duckdb.IOException(f'IO Error: Could not use file "{args[0]}": {text}')
        raise OSError(code, text, str(args[0]))

    patch.setattr(StorePath if name == "make_folders" else fsops, name, failing)
    return refused


@pytest.fixture
def refused(
    template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Callable[[Case, int], tuple[int, str]]:
    """Return a function that runs a case with an error of the system: → exit code, stderr."""
    monkeypatch.setenv("ONTOFETCH_DURABILITY", "off")
    home = tmp_path / "h"
    shutil.copytree(template, home)

    def run(case: Case, number: int) -> tuple[int, str]:
        case.prepare(home)
        plan = _plan(home) if "{plan}" in case.words else ""
        capfd.readouterr()
        with monkeypatch.context() as patch:
            calls = _refuse(patch, case.call, number)
            code = _ontofetch(home, *case.words.format(home=home, plan=plan).split())
        assert calls
        return code, capfd.readouterr().err

    return run


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_an_operation_names_itself_and_a_step(
    refused: Callable[[Case, int], tuple[int, str]], case: Case, code: str
) -> None:
    """The sentence names the operation that runs, its hint fits the error, and no other operation is spoken of."""
    number = getattr(errno, code)
    found, said = refused(case, number)
    assert found == case.exit_code, said
    sentence = [line for line in said.splitlines() if os.strerror(number) in line][-1]
    assert next_step(number) in sentence
    # a path may have any name, and a command is a step, not what happened
    spoken = set(re.findall(r"[a-z]+", re.sub(r"`[^`]*`|\S*/\S*", "", sentence.casefold())))
    assert spoken & OWN[case.operation], sentence
    assert not spoken & (WORDS - OWN[case.operation]), sentence
