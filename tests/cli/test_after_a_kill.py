"""What a killed command leaves is ended by whatever writes next, also by a repeat that finds nothing left to do."""

from __future__ import annotations

import json
import os
import shutil
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from ontofetch_catalog.catalog import swap
from ontofetch_catalog.catalog.connection import Store
from ontofetch_catalog.catalog.generation import read_generation
from ontofetch_catalog.cli.db_cmd import VERBS
from ontofetch_catalog.host.app import main
from ontofetch_hookspecs import Stage
from tests.catalog.killed import kill_at, kill_in
from tests.releases import Releases, query

pytestmark = pytest.mark.usefixtures("quick_databases")

PRUNE = "--version 1.0 --min-age 0s --yes 0s --override large-plan"
WRITING = {
    "backup": "backup",
    "doctor": "doctor --fix --yes",
    "facts": "facts",
    "import": "import {home} --service t --copy --pattern none-{{ontology}}-{{version}}.owl",
    "latest": "latest set example/sample/1.0",
    "migrate": "migrate",
    "move": "move --to local",
    "pin": "pin example/sample/1.0",
    "prune": "prune --purge {plan}",
    "rebuild": "rebuild --replace",
    "recover": "recover",
    "refresh": "refresh",
    "restore": "restore {home}/b",
    "sweep": "sweep",
    "share": "share --by hardlink",
    "verify": "verify --workers 1",
}
READING = {"status", "versions", "files", "stats", "find", "delta", "events", "hold"}
Run = Callable[..., tuple[int, str, str]]


def killed(root: Path, words: str, plant: str) -> None:
    """Run a command line in a process of its own that is killed where the planted lines say so."""
    code = f"""
import os, signal, sys
from ontofetch_catalog.catalog import fsops, sessions
from ontofetch_catalog.host.app import main
def die(*_): os.kill(os.getpid(), signal.SIGKILL)
{plant}
main([*{words.split()!r}, "--root", {str(root)!r}])
"""
    kill_in(root, code)


@pytest.fixture(scope="module")
def left_open(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a backup and a store in which a process died behind its COMMIT."""
    home = tmp_path_factory.mktemp("open")
    releases = Releases(home / "store", settings={"durability": "off"})
    releases.pull("1.0", {"a.ttl": "alpha"})
    releases.pull("1.1", {"a.ttl": "ALPHA"})
    assert main(["db", "backup", "--to", str(home / "b"), "--root", str(home / "store")]) == 0
    kill_at(home / "store", "download", "committed")
    return home


def _copy(source: str, target: str) -> None:
    """Copy what is changed in its place, and link the rest: an intent names inodes."""
    (shutil.copy2 if "duck" in os.path.basename(source) else os.link)(source, target)


def is_current(root: Path) -> bool:
    """Say whether the generation record names the newest event and nothing is open."""
    record = read_generation(Store(root))
    (last,) = query(root, "SELECT max(event_id) FROM events")[0]
    return record is not None and record.events == last and not os.listdir(root / ".catalog/intents")


@pytest.mark.parametrize("verb", WRITING)
def test_every_writing_verb_recovers_first(left_open: Path, tmp_path: Path, run: Run, verb: str) -> None:
    """Nothing is open afterwards, whatever there was to do."""
    home = tmp_path / "home"
    shutil.copytree(left_open, home, copy_function=_copy)
    root = home / "store"
    plan = ""
    if verb == "prune":
        assert run("db", "prune", *PRUNE.split(), root=root)[0] == 0
        (plan,) = os.listdir(root / ".catalog/plans")
    assert os.listdir(root / ".catalog/intents")
    code, _, err = run("db", *WRITING[verb].format(home=home, plan=plan).split(), root=root)
    assert code in (0, 3), err
    assert is_current(root)


def test_every_verb_is_one_that_writes_or_one_that_reads() -> None:
    """A new verb has to say which."""
    assert WRITING.keys() | READING == VERBS.keys()


@pytest.mark.parametrize("step", ["apply", "restore"])
def test_a_repeat_with_nothing_left_recovers(store: Path, run: Run, step: str) -> None:
    """A prune that is killed behind its last COMMIT is ended by the same command, which has nothing left to do."""
    assert run("db", "prune", *PRUNE.split())[0] == 0
    (plan,) = os.listdir(store / ".catalog/plans")
    if step == "restore":
        assert run("db", "prune", "--apply", plan)[0] == 0
    killed(store, f"db prune --{step} {plan}", "sessions.Session.after_commit = die")
    assert not is_current(store)
    code, _, err = run("db", "prune", f"--{step}", plan)
    assert code == 0
    assert "nothing left" in err
    assert is_current(store)
    assert run("db", "doctor")[0] == 0


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def test_a_fix_that_finds_nothing_left_brings_the_record_up(store: Path, run: Run) -> None:
    """Where a migration was killed between COMMIT and generation.json, `db doctor --fix` has nothing else to mend."""
    record = store / ".catalog/generation.json"
    former = record.read_bytes()
    assert run("db", "pin", "example/sample/1.0")[0] == 0
    record.write_bytes(former)
    assert not is_current(store)
    code, _, err = run("db", "doctor", "--fix", "--yes")
    assert (code, "nothing to mend" in err) == (0, True)
    assert is_current(store)


@pytest.mark.parametrize("operation", ["rebuild", "restore"])
def test_an_interrupted_swap_is_called_by_its_name(
    store: Path, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, operation: str
) -> None:
    """Readers say what was interrupted, and `db recover` what it has finished; an event tells of it."""
    assert run("db", "backup", "--to", str(tmp_path / "b"))[0] == 0
    words = {"rebuild": ["--replace"], "restore": [str(tmp_path / "b")]}[operation]
    with monkeypatch.context() as patched:
        patched.setattr(swap, "_carry_out", _interrupt)
        assert run("db", operation, *words)[0] == 130
    code, _, err = run("db", "versions")
    assert code == 1
    assert f"A {operation} of the catalog" in err
    code, _, err = run("db", "recover")
    assert code == 0
    assert f"The {operation} that was interrupted is finished." in err
    assert "Nothing was open" not in err
    assert query(store, "SELECT type, payload->>'ended' FROM events ORDER BY event_id DESC LIMIT 1") == [
        ("recover.finished", operation)
    ]
    assert run("db", "versions")[0] == 0


def test_a_pull_finishes_a_swap(store: Path, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pull asks what is recorded before it writes; what keeps readers out is finished first."""
    with monkeypatch.context() as patched:
        patched.setattr(swap, "_carry_out", _interrupt)
        assert run("db", "rebuild", "--replace")[0] == 130
    (tmp_path / "c.ttl").write_text("<a:a> <a:b> <a:c> .")
    words = ["--service", "example", "--ontology", "sample", "--version", "3.0"]
    code, _, err = run("pull", str(tmp_path / "c.ttl"), *words)
    assert code == 0, err
    assert is_current(store)


@pytest.mark.parametrize("name", ["out", "out.tar.zst"])
@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_killed_backup_is_made_or_recorded_by_its_repeat(
    store: Path, run: Run, tmp_path: Path, name: str, moment: str
) -> None:
    """The same command again leaves one backup, nothing hidden beside it, and one event."""
    target = tmp_path / "to" / name
    target.parent.mkdir()
    plant = "renamed = fsops.rename\ndef rename(source, target, **folders):\n"
    plant += f"    if target.name != {name!r}: return renamed(source, target, **folders)\n"
    plant += "    die()\n" if moment == "before" else "    renamed(source, target, **folders); die()\n"
    killed(store, f"db backup --to {target}", plant + "fsops.rename = rename")
    assert target.exists() == (moment == "after")
    code, _, err = run("db", "backup", "--to", str(target))
    assert code == 0, err
    assert os.listdir(target.parent) == [name]
    assert query(store, "SELECT count(*) FROM events WHERE type = 'backup.done'") == [(1,)]
    code, _, err = run("db", "backup", "--to", str(target))
    assert code == 2
    assert "already" in err


def test_a_backup_that_is_being_written_stays(store: Path, run: Run, tmp_path: Path) -> None:
    """What another process holds is not abandoned."""
    import fcntl

    other = tmp_path / ".out.0123abcd.new"
    other.mkdir()
    held = os.open(other, os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    try:
        assert run("db", "backup", "--to", str(tmp_path / "out"))[0] == 0
        assert other.is_dir()
    finally:
        os.close(held)


def test_empty_stages_of_dead_processes_go(store: Path, run: Run) -> None:
    """A folder that holds no byte and that nobody holds goes; one with bytes, and one that is held, stay."""
    staging = store / ".catalog/staging"
    staging.mkdir(exist_ok=True)
    dead = json.dumps({"pid": 999_999_999, "start_token": "none", "host": socket.gethostname()})
    forms = [(), (".lock",), (".lock", "stage.json.new"), (".lock", "stage.json"), ("extracted/",)]
    for number, names in enumerate(forms):
        place = staging / f"{number:032x}"
        place.mkdir()
        for name in names:
            (place / name).mkdir() if name.endswith("/") else (place / name).write_text(dead)
    full = staging / f"{9:032x}"
    (full / "file").mkdir(parents=True)
    (full / "file/a.zip").write_bytes(b"bytes")
    with_stage = Stage.create(store)
    assert run("db", "recover")[0] == 0
    assert sorted(os.listdir(staging)) == sorted([full.name, with_stage.name])
    with_stage.discard()


def test_a_stage_that_is_removed_while_it_is_made_is_made_anew(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever recovers between the folder and its lock costs a stage nothing."""
    from ontofetch_hookspecs import stages

    take, taken = stages.take_lock, []

    def take_lock(place: object) -> int | None:
        if not taken:
            taken.append(place)
            shutil.rmtree(str(place))
        return take(place)  # type: ignore[arg-type]

    monkeypatch.setattr(stages, "take_lock", take_lock)
    stage = Stage.create(store)
    assert (store / ".catalog/staging" / stage.name / "stage.json").is_file()
    stage.discard()
