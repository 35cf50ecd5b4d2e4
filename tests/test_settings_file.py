"""The settings file may be a stranger's: it is named when in force, and refused if others could have written it."""

from __future__ import annotations

import json
import os
import socket
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from ontofetch_catalog.errors import UsageError
from ontofetch_catalog.settings import read_settings
from ontofetch_catalog.settings_file import MOST_BYTES, read_settings_file
from tests.programs import SCRIPT

NAME = "ontofetch.toml"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the current folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(folder: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the program in a folder."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ONTOFETCH")}
    return subprocess.run(
        [str(SCRIPT), *words],
        cwd=folder,
        env=kept | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("more", [(), ("-q",), ("-v",)])
def test_a_found_file_is_named(folder: Path, more: tuple[str, ...]) -> None:
    """One line on stderr says which settings come from the current folder, also with -q; stdout stays data."""
    (folder / NAME).write_text('max_ratio = 3.0\nno_plugins = ["analytics"]\nroot = "elsewhere"\n')
    done = run(folder, "plugins", "--json", "--root", "store", *more)
    assert done.returncode == 0
    said = [line for line in done.stderr.splitlines() if line.startswith("settings: ")]
    assert said == [
        f"settings: ./{NAME} of this folder sets max_ratio, no_plugins (silent if named: ONTOFETCH_CONFIG={NAME})"
    ]
    assert {row["name"]: row["state"] for row in json.loads(done.stdout)["rows"]}["analytics"] == "off"


@pytest.mark.parametrize(
    ("text", "environment"),
    [
        ("wait = 3.0\n", {"ONTOFETCH_CONFIG": NAME}),
        ("wait = 3.0\n", {"ONTOFETCH_WAIT": "4"}),
        ("wait = 3.0\n", {"ONTOFETCH_CONFIG": os.devnull}),
        ("", {}),
        ("# wait = 3.0\n", {}),
    ],
)
def test_nothing_is_said_of_a_named_or_empty_one(folder: Path, text: str, environment: dict[str, str]) -> None:
    """Who names it knows of it; one whose settings are all overridden, or that is empty, is not in force."""
    (folder / NAME).write_text(text)
    done = run(folder, "plugins", "--json", "--root", "store", **environment)
    assert (done.returncode, "settings:" in done.stderr) == (0, False)


def test_no_file_may_be_asked_for(folder: Path) -> None:
    """ONTOFETCH_CONFIG=/dev/null leaves out what lies in the current folder, whatever it is."""
    (folder / NAME).write_text("wait = 3.0")
    found = read_settings({}, {"ONTOFETCH_CONFIG": os.devnull})
    assert (found.values["wait"], found.found_file) == (60.0, "")


def link(place: Path) -> None:
    """Make a link to a file that is fine."""
    (place.parent / "real.toml").write_text("wait = 1.0")
    place.symlink_to("real.toml")


def open_to_group(place: Path) -> None:
    """Make a file that the group can write."""
    place.write_text("wait = 1.0")
    place.chmod(0o664)


def open_to_all(place: Path) -> None:
    """Make a file that everybody can write."""
    place.write_text("wait = 1.0")
    place.chmod(0o646)


def in_open_folder(place: Path) -> None:
    """Make a file in a folder that everybody can write."""
    place.write_text("wait = 1.0")
    place.parent.chmod(0o777)


def in_folder_of_group(place: Path) -> None:
    """Make a file in a folder that the group can write."""
    place.write_text("wait = 1.0")
    place.parent.chmod(0o770)


def listener(place: Path) -> None:
    """Make a socket."""
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(NAME)


KINDS: list[tuple[Callable[[Path], object], str]] = [
    (link, "is a link"),
    (lambda place: place.symlink_to("nowhere"), "is a link"),
    (lambda place: place.symlink_to("/dev/zero"), "is a link"),
    (os.mkfifo, "it is no regular file"),
    (Path.mkdir, "it is no regular file"),
    (listener, "it is no regular file"),
    (open_to_group, "can be written by others (its mode is 664)"),
    (open_to_all, "can be written by others (its mode is 646)"),
    (in_open_folder, "The folder of the settings file 'ontofetch.toml' can be written by others"),
    (in_folder_of_group, "(its mode is 770)"),
    (lambda place: place.write_bytes(b"#" * (MOST_BYTES + 1)), "larger than 1,048,576 bytes"),
    (lambda place: os.truncate(os.open(place, os.O_CREAT | os.O_WRONLY, 0o600), 1 << 40), "larger than"),
    (lambda place: place.write_text("wait = " + "[" * 60_000), "nested too deeply"),
    (lambda place: place.write_text("wait = " + "{a=" * 20_000), "nested too deeply"),
    (lambda place: place.write_text("wait" + ".a" * 32_000 + " = 1"), "more than 100 dots"),
    (lambda place: place.write_text("[" + "a." * 32_000 + "a]"), "more than 100 dots"),
    (lambda place: place.write_text("wait" + ".a" * 90 + " = 1"), "is a dict, not a number"),
    (lambda place: place.write_text("wait = " + "9" * 5_000), "can't be read"),
    (lambda place: place.write_text("wait = 0x" + "f" * 60_000), "a very large int"),
    (lambda place: place.write_text("wait = nan"), "not a number from 0 on"),
    (lambda place: place.write_text("wait = 2020-01-01"), "is a date, not a number"),
    (lambda place: place.write_text('root = ["a"]'), "is a list, not text"),
    (lambda place: place.write_text('"a\\u202eb\\u001b" = 1'), r"'a\u202eb\x1b'"),
    (lambda place: place.write_bytes(b"wait = '\x00'"), "can't be read"),
]


@pytest.mark.parametrize(("make", "words"), KINDS, ids=[words[:30] for _, words in KINDS])
def test_a_file_that_may_be_anybodys_is_refused(folder: Path, make: Callable[[Path], object], words: str) -> None:
    """One sentence says what is wrong and what to type, whether it was found or named; nothing is waited for."""
    make(folder / NAME)
    for named in ("", NAME, str(folder / NAME)):
        with pytest.raises(UsageError) as refused:
            read_settings({}, {"ONTOFETCH_CONFIG": named})
        said = str(refused.value)
        assert words in said.replace(str(folder / NAME), NAME)
        assert said.isprintable()
        assert "ONTOFETCH_CONFIG=/dev/null" in said or "Known are" in said or "setting wait" in said or "root" in said


def test_the_program_says_it_and_ends(folder: Path) -> None:
    """The sentence of a FIFO is that of the program, with the exit code of usage, and no command waits for a writer."""
    os.mkfifo(folder / NAME)
    done = run(folder, "db", "status", "--root", "store")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"error: The settings file '{NAME}' can't be read: it is no regular file. "
        "`ONTOFETCH_CONFIG=/dev/null` leaves every settings file out.\n"
    )


def owned_by(uid: int, kind: Callable[[int], bool], monkeypatch: pytest.MonkeyPatch) -> None:
    """Let what is of a kind belong to a user; only root could give files away."""
    look = os.fstat

    def fstat(descriptor: int) -> os.stat_result:
        found = look(descriptor)
        return os.stat_result((*found[:4], uid, *found[5:10])) if kind(found.st_mode) else found

    monkeypatch.setattr(os, "fstat", fstat)


@pytest.mark.parametrize("kind", [stat.S_ISREG, stat.S_ISDIR])
def test_another_users_file_is_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch, kind: Callable[[int], bool]
) -> None:
    """A file that belongs to somebody else, or lies in somebody else's folder, is not obeyed."""
    (folder / NAME).write_text("wait = 1.0")
    owned_by(12345, kind, monkeypatch)
    with pytest.raises(UsageError, match=r"belongs to another user \(its number is 12345\)") as refused:
        read_settings({}, {})
    assert "ONTOFETCH_CONFIG=/dev/null" in refused.value.hint


def test_roots_file_is_trusted(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user obeys a file of root: who is root could change the program itself."""
    (folder / NAME).write_text("wait = 1.0")
    owned_by(0, lambda _: True, monkeypatch)
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    assert read_settings({}, {}).values["wait"] == 1.0


def test_a_sticky_folder_protects(folder: Path) -> None:
    """In a folder like /tmp nobody can put another file in the place of ours."""
    (folder / NAME).write_text("wait = 1.0")
    folder.chmod(0o1777)
    assert read_settings({}, {}).values["wait"] == 1.0


def test_what_is_checked_is_what_is_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is opened once: a file that is swapped after the look is not the one whose words are taken."""
    place = folder / NAME
    place.write_text("wait = 1.0")
    look = os.fstat

    def swapping(descriptor: int) -> os.stat_result:
        found = look(descriptor)
        (folder / "other").write_text("wait = 2.0")
        (folder / "other").chmod(0o666)
        os.replace(folder / "other", place)
        return found

    monkeypatch.setattr(os, "fstat", swapping)
    assert dict(read_settings_file({}).values) == {"wait": 1.0}


def test_a_file_that_nobody_named_says_not_whose_code_is_believed(folder: Path) -> None:
    """An executor that a stranger's folder names is refused, whatever the command; a file that was named may say it."""
    (folder / NAME).write_text('executor = "dask://evil.example.org"\n')
    with pytest.raises(UsageError, match="sets executor, and nobody named that file") as raised:
        read_settings({}, {})
    assert f"ONTOFETCH_CONFIG={NAME}" in raised.value.hint
    named = read_settings({}, {"ONTOFETCH_CONFIG": NAME})
    assert named.values["executor"] == "dask://evil.example.org"
    assert read_settings({}, {"ONTOFETCH_CONFIG": os.devnull}).values["executor"] == "local"
