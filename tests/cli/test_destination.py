"""`--out`: looked at before the work, on every command; pipes and devices are written to, files are replaced whole."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ontofetch_catalog.catalog import fsops
from ontofetch_catalog.cli.db_cmd import VERBS
from ontofetch_catalog.console import destination
from ontofetch_catalog.console.formats import find_formats
from ontofetch_catalog.errors import OntofetchError, UsageError
from ontofetch_catalog.host.app import main
from ontofetch_catalog.host.argv import HOST_COMMANDS
from ontofetch_catalog.plugins import analytics, catalog
from tests.cli.conftest import Run, make_store
from tests.cli.test_profile_option import WORDS, make_tree
from tests.programs import SCRIPT, Program

pytestmark = pytest.mark.usefixtures("quick_databases")

PULL = ("file.ttl", "--service", "example", "--ontology", "sample", "--version", "3.0")
# top command → its ways to be called; a command that is missing here is a KeyError
WAYS: dict[str, list[tuple[str, ...]]] = {
    "": [()],
    "db": [(verb, *WORDS[verb]) for verb in VERBS],
    "report": [
        (
            report.name,
            *(word for item in report.parameters if item.required for word in (f"--{item.name}", "terms.txt")),
        )
        for report in analytics.register_reports()
    ],
    "pull": [PULL],
    "update": [("--sources", "sources.toml")],
    "add": [("file.ttl", "--ontology", "more", "--dry-run")],
    "init": [()],
    "lock": [("--file", "x.lock")],
    "plugins": [()],
    "show": [("sample",), ("2.0",), ("a.ttl",), ("urn:a",)],
    "log": [()],
    "rm": [("example/sample/2.0", "--yes"), ("example/sample/2.0", "--dry-run")],
    "mv": [("example/sample/2.0", "example/sample/9.0"), ("example/sample", "example/other", "--dry-run")],
    "undo": [("--list",), ("--dry-run",)],
    "note": [("2.0", "the one to cite"), ()],
    "tag": [("2.0", "published"), ()],
    # a folder, and documents that are no rows: tests/showing looks after both
    "site": [],
    "completion": [],
    "export": [],
}


def _all_ways() -> Iterator[tuple[str, ...]]:
    """Yield the words of every command that the package has."""
    contributed = [*catalog.CatalogPlugin().register_commands(), *analytics.register_commands()]
    for command in (*HOST_COMMANDS, *contributed):
        name = "" if command.default else command.name
        yield from ((name, *words) if name else words for words in WAYS[name])


ABOUT_TERMS = ("meaning", "impact", "quality", "imports")
ALL = list(_all_ways())
every_command = pytest.mark.parametrize("words", ALL, ids=lambda words: " ".join(words[:2]) or "bare")


def _state(root: Path) -> dict[str, tuple[int, int, int]]:
    """Return path → (inode, size, mtime) of all there is."""
    states = {path.relative_to(root).as_posix(): path.lstat() for path in root.rglob("*")}
    return {path: (found.st_ino, found.st_size, found.st_mtime_ns) for path, found in states.items()}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the current folder: a file to pull, a folder, a pipe, a file that was there before."""
    place = tmp_path / "place"
    (place / "folder").mkdir(parents=True)
    (place / "file.ttl").write_text("<urn:a> <urn:b> <urn:c> .\n")
    (place / "old.json").write_text("old")
    (place / "sources.toml").write_text(f"[example.sample]\nurl = '{place}/file.ttl'\nversion = '3.0'\n")
    (place / "terms.txt").write_text("urn:a\n")
    os.mkfifo(place / "pipe")
    make_tree(place)
    monkeypatch.chdir(place)
    return place


@pytest.fixture(scope="module")
def with_terms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a store with two more releases, of which it is known what they say; not to be changed."""
    folder = tmp_path_factory.mktemp("terms")
    root = make_store(folder / "store")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("ONTOFETCH_CONFIG", "")
        patch.setenv("ONTOFETCH_DURABILITY", "off")
        for version in ("3.0", "3.1"):
            (folder / "file.ttl").write_text(f"<urn:a> <urn:b> <urn:{version}> .\n")
            assert main(["pull", *PULL[:-1], version, "-q", "--root", str(root)]) == 0
    return root


# --- before the work --------------------------------------------------------------------------------------------------


@every_command
def test_a_bad_destination_is_told_before_the_work(words: tuple[str, ...], place: Path, store: Path, run: Run) -> None:
    """A folder, a missing folder, an ending of no format: nothing is done for it."""
    nowhere = place / "no-store"
    for out, root, code, said in (
        ("none/x.json", store, 1, "none/x.json can't be written: No such file or directory."),
        # a store that is not there is not looked at first, and not made
        ("none/x.json", nowhere, 1, "none/x.json can't be written: No such file or directory."),
        ("folder", nowhere, 2, "folder is a folder, not a file."),
        ("x.xlsx", nowhere, 2, "x.xlsx ends in .xlsx, and no format is written under that ending."),
    ):
        before = _state(place), _state(store)
        found, printed, err = run(*words, "--out", out, root=root)
        assert (found, printed) == (code, ""), err
        assert said in err
        assert (_state(place), _state(store)) == before


@every_command
def test_null_and_a_pipe_take_what_stdout_would(
    words: tuple[str, ...], place: Path, store: Path, with_terms: Path, run: Run
) -> None:
    """Rows go to the device or the pipe itself, which stays what it is; the exit code is that of the command."""
    if words[:2] == ("db", "restore"):
        run("db", "backup", "--to", "backup")
    if words[:1] == ("show",) or words[1:2] in [(name,) for name in ABOUT_TERMS]:
        # these need two releases of which it is known what they say
        shutil.rmtree(store)
        shutil.copytree(with_terms, store)
    code, printed, _ = run(*words, "--json")
    assert code in (0, 3)
    rows = json.loads(printed)
    assert run(*words, "--out", "/dev/null")[:2] == (code, "")
    found: list[bytes] = []
    reader = threading.Thread(target=lambda: found.append((place / "pipe").read_bytes()), daemon=True)
    reader.start()
    assert run(*words, "--out", "pipe", "--json")[:2] == (code, "")
    reader.join(10)
    assert json.loads(found[0]).keys() == rows.keys()
    assert (place / "pipe").is_fifo()
    assert Path("/dev/null").is_char_device()


@pytest.mark.parametrize("option", ["--plot", "--profile-out"])
def test_other_files_are_looked_at_first_too(option: str, place: Path, store: Path, run: Run) -> None:
    """The files of `--plot` and `--profile-out` are looked at before the command runs."""
    words = ("report", "latest") if option == "--plot" else ("db", "refresh")
    before = _state(place), _state(store)
    code, printed, err = run(*words, option, "none/x.svg")
    assert (code, printed) == (1, "")
    assert "none/x.svg can't be written" in err
    assert (_state(place), _state(store)) == before


def test_the_error_names_the_endings(run: Run, place: Path) -> None:
    """Whoever asks for `.xlsx` learns what there is; a format that is named wins over any ending, `.txt` is a table."""
    err = run("db", "versions", "--out", "x.xlsx")[2]
    assert all(ending in err for ending in find_formats(None).endings)
    assert run("db", "versions", "--out", "x.xlsx", "--format", "csv")[0] == 0
    assert (place / "x.xlsx").read_text().startswith("version_id,")
    assert run("db", "versions", "--out", "x.txt")[0] == 0
    assert run("db", "versions", "--out", "plain")[0] == 0
    assert (place / "x.txt").read_text() == (place / "plain").read_text()


# --- kinds ------------------------------------------------------------------------------------------------------------


def test_a_file_is_replaced_whole_and_nothing_is_left_of_looking(place: Path) -> None:
    """Looking touches neither the file that is there nor a name that is free; writing makes a new file of it."""
    before = _state(place)
    for name in ("old.json", "new.json"):
        destination.check_destination(Path(name))
    assert _state(place) == before
    assert destination.write_file(Path("old.json"), b"new")
    assert (place / "old.json").read_text() == "new"
    assert _state(place)["old.json"][0] != before["old.json"][0]


@pytest.mark.parametrize("refusal", [PermissionError(13, "Permission denied"), OSError(30, "Read-only file system")])
def test_what_the_disk_refuses_is_a_sentence(refusal: OSError, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No right to the folder, a disk that is read-only: told by the check, with the system's reason."""

    def refuse(path: object) -> int:
        raise refusal

    monkeypatch.setattr(fsops, "create_file", refuse)
    with pytest.raises(OntofetchError, match=f"new.json can't be written: {refusal.strerror}") as told:
        destination.check_destination(place / "new.json")
    assert told.value.exit_code == 1


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is forbidden to root")
def test_a_folder_without_rights_is_a_sentence(place: Path) -> None:
    """A folder that nobody may write to takes no file; a pipe that nobody may write to no rows."""
    (place / "folder").chmod(0o500)
    (place / "pipe").chmod(0o400)
    for name in ("folder/x.csv", "pipe"):
        with pytest.raises(OntofetchError, match="Permission denied"):
            destination.check_destination(place / name)


def test_what_can_not_be_written_to_is_refused(place: Path) -> None:
    """A socket and a descriptor that is open for reading only are sentences, links in a circle too."""
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket")
        with pytest.raises(UsageError, match="socket is a socket, not a file"):
            destination.check_destination(Path("socket"))
    Path("circle.csv").symlink_to("circle.csv")
    with pytest.raises(OntofetchError, match=r"circle.csv can't be written"):
        destination.check_destination(Path("circle.csv"))
    with Path("old.json").open("rb") as stream, pytest.raises(OntofetchError, match="open for reading only"):
        destination.check_destination(Path(f"/dev/fd/{stream.fileno()}"))
    with pytest.raises(OntofetchError, match="Not a directory"):
        destination.check_destination(Path("old.json/x.json"))
    with pytest.raises(OntofetchError, match="Bad file descriptor"):
        destination.check_destination(Path("/dev/fd/99999"))


@pytest.mark.parametrize("name", ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1", "link"])
def test_stdout_by_a_name_is_stdout(name: str, store: Path, place: Path) -> None:
    """A file that stdout was redirected to is gone on with, never replaced."""
    (place / "link").symlink_to("/dev/stdout")
    (place / "all.csv").write_text("before\n")
    with (place / "all.csv").open("a") as stream:
        subprocess.run(
            [SCRIPT, "db", "versions", "--format", "csv", "--out", name],
            env=Program(store).environment, stdout=stream, check=True,
        )  # fmt: skip
    assert (place / "all.csv").read_text().startswith("before\nversion_id,")


@pytest.fixture
def shell(store: Path, place: Path) -> Callable[[str], subprocess.CompletedProcess[str]]:
    """Return a function that runs a line of bash in which `ontofetch` is the program."""

    def call(line: str) -> subprocess.CompletedProcess[str]:
        environment = Program(store).environment
        environment["PATH"] = f"{SCRIPT.parent}{os.pathsep}{environment['PATH']}"
        return subprocess.run(
            ["bash", "-c", line], env=environment, cwd=place, capture_output=True, text=True, timeout=60, check=False
        )

    return call


def test_process_substitution(shell: Callable[[str], subprocess.CompletedProcess[str]]) -> None:
    """`--out >(command)` hands the rows to the command; one that has seen enough is no error."""
    ran = shell("ontofetch db versions --format csv --out >(sed s/^/got:/) && sleep 0.5")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.startswith("got:version_id,")
    ran = shell("ontofetch db events --json --out >(exec <&-; sleep 3); echo $?")
    assert (ran.stdout, ran.stderr) == ("0\n", "")


def test_stderr_takes_rows(shell: Callable[[str], subprocess.CompletedProcess[str]]) -> None:
    """`--out /dev/stderr` writes where the sentences go."""
    ran = shell("ontofetch db versions --format csv --out /dev/stderr")
    assert (ran.returncode, ran.stdout) == (0, "")
    assert ran.stderr.startswith("version_id,")
