"""The program as a process: signals, pipes and every kind of error end in a sentence and an exit code."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ontofetch_catalog.host import dispatch
from ontofetch_catalog.host.app import main
from tests.programs import SCRIPT, Program
from tests.sites import Answer, Site

RAISES = """
from ontofetch_hookspecs import Command
@hookimpl
def register_commands():
    return [Command("boom", "fail", "raiser:main")]
def main(argv, host):
    raise {}
"""
RELEASE = ("--service", "s", "--ontology", "o", "--version", "1")


@pytest.mark.parametrize(
    ("error", "code", "sentence"),
    [
        ("SystemExit(5)", 5, ""),
        ("SystemExit()", 0, ""),
        ("SystemExit('in words')", 1, "error: in words\n"),
        ("FileNotFoundError(2, 'No such file', 'a\\x1bb')", 1, "error: No such file: a\\x1bb\n"),
        ("PermissionError(13, 'Permission denied')", 1, "error: Permission denied\n"),
        ("__import__('ontofetch_hookspecs').UsageError('Off.', hint='Do this.')", 2, "error: Off. Do this.\n"),
        ("__import__('ontofetch_catalog.errors').errors.CatalogLocked('Held.')", 4, "error: Held.\n"),
        ("MemoryError", 1, "error: There is not enough memory. Free some memory and run the same command again.\n"),
        ("KeyboardInterrupt", 130, "interrupted\n"),
        (
            "ValueError('https://u:hush@h/?token=hush')",
            1,
            "error: This should not happen: ValueError: https://h/?token=",
        ),
    ],
)
def test_every_error_is_a_sentence_and_a_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: str, code: int, sentence: str
) -> None:
    """Whatever is raised, one line says it, without secrets and without what a terminal would obey."""

    def raising(words: object) -> int:
        raise eval(error)

    monkeypatch.setattr(dispatch, "run", raising)
    assert main(["boom"]) == code
    shown = capsys.readouterr().err
    assert shown.startswith(sentence) if sentence else shown == ""
    assert len(shown.splitlines()) <= 1
    assert "hush" not in shown


@pytest.mark.parametrize("error", ["FileNotFoundError(2, 'No such file', 'a\\x1bb')", "ValueError('token=hush')"])
def test_an_error_of_a_plugins_command_is_harmless(
    add_plugin: Callable[..., Path], capsys: pytest.CaptureFixture[str], error: str
) -> None:
    """It names the plugin in one line, without secrets and without what a terminal would obey."""
    add_plugin("raiser", RAISES.format(error))
    assert main(["boom"]) == 1
    shown = capsys.readouterr().err
    assert shown.startswith("error: The plugin 'raiser' failed in its command boom: ")
    assert len(shown.splitlines()) == 1
    assert not {"\x1b"} & set(shown)
    assert "hush" not in shown


def test_the_traceback_comes_with_v(add_plugin: Callable[..., Path], capsys: pytest.CaptureFixture[str]) -> None:
    """-v shows where it happened, still without secrets."""
    add_plugin("raiser", RAISES.format("ValueError('token=hush')"))
    assert main(["boom", "-v"]) == 1
    shown = capsys.readouterr().err
    assert "Traceback" in shown
    assert "raiser.py" in shown
    assert "hush" not in shown


def test_another_platform_is_told_at_once(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Where locks and signals are not those of POSIX, the sentence says so."""
    monkeypatch.setattr(sys, "platform", "win32")
    assert main(["--help"]) == 1
    assert capsys.readouterr().err == "error: ontofetch runs on Linux and macOS; this is win32.\n"


@pytest.mark.parametrize(
    ("number", "code", "word"), [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")]
)
def test_a_signal_ends_it_cleanly(program: Program, site: Site, number: int, code: int, word: str) -> None:
    """In the midst of a download it stops with a word and the code of the signal, and leaves nothing behind."""
    stall = threading.Event()
    site.answers["/a.owl"] = Answer(b"half", length=8, cut=4, stall=stall)
    process = program.start("pull", site.url("/a.owl"), *RELEASE)
    try:
        staged = program.root / ".catalog/staging"
        deadline = time.monotonic() + 30
        while not list(staged.glob("*/src/a.owl")) and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(number)
        out, err = process.communicate(timeout=30)
    finally:
        stall.set()
        process.kill()
        process.wait()
    assert (process.returncode, out, err) == (code, "", word + "\n")
    assert list(staged.iterdir()) == []
    assert not (program.root / "s").exists()


def test_a_reader_that_has_seen_enough_is_no_error(program: Program) -> None:
    """`| head` closes the pipe; nothing is said about it."""
    command = f"'{SCRIPT}' --help | head -n 1"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], env=program.environment, capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == ("usage: ontofetch [COMMAND] [OPTION]…\n", "")
    assert done.returncode in (0, 141)


def test_the_package_is_a_program(program: Program) -> None:
    """`python -m ontofetch_catalog` is the same as the script."""
    line = [sys.executable, "-m", "ontofetch_catalog", "--version"]
    done = subprocess.run(line, env=program.environment, capture_output=True, text=True, check=True)
    assert done.stdout == program.run("--version").stdout


ODD = [
    (("--help",), {"PYTHONIOENCODING": "ascii"}),
    (("report", "--help"), {"PYTHONIOENCODING": "latin-1"}),
    (("db", "--help"), {"PYTHONIOENCODING": "ascii:strict"}),
    (("plugins",), {"COLUMNS": "\u00b2"}),
    (("plugins",), {"COLUMNS": "9" * 5_000, "LINES": "\u0665"}),
    (("plugins", "--out", "x.txt", "--format", "table"), {"COLUMNS": "\u00b2"}),
    (("plugins", "--json", "--top", "9" * 30), {}),
    (("plugins", "--format", "csv", "--top", "9" * 5_000), {}),
]


@pytest.mark.parametrize(("words", "environment"), ODD, ids=[" ".join(words)[:30] for words, _ in ODD])
def test_an_odd_terminal_is_no_error(
    program: Program, tmp_path: Path, words: tuple[str, ...], environment: dict[str, str]
) -> None:
    """A stream that can't show a letter, a width that is no number, a count beyond all rows: the answer comes."""
    # a new interpreter: what streams can show is settled when it starts
    done = subprocess.run(
        [SCRIPT, *(str(tmp_path / word) if word == "x.txt" else word for word in words)],
        env=program.environment | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "words",
    [("pull", "x.obo", *RELEASE), ("report", "latest", "--out", "x.html"), ("db", "versions", "--out", "x.csv")],
)
def test_a_current_folder_that_is_gone_is_told(program: Program, tmp_path: Path, words: tuple[str, ...]) -> None:
    """What has no whole path there is no error of an unnamed thing."""
    (tmp_path / "a.nt").write_text("<urn:a> <urn:b> <urn:c> .\n")
    program.run("pull", str(tmp_path / "a.nt"), *RELEASE, "--no-validate")
    gone = tmp_path / "gone"
    gone.mkdir()
    line = 'cd "$0" && rmdir "$0" && exec "$@"'
    ended = subprocess.run(
        ["sh", "-c", line, str(gone), str(SCRIPT), *words, "--root", str(program.root)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == (
        "error: The current folder was removed. Go to a folder that is there, and run the same command again.\n"
    )


@pytest.mark.parametrize("columns", ["0", "000000"])
def test_a_terminal_without_columns_has_as_many_as_it_takes(program: Program, columns: str) -> None:
    """Some report 0 before anybody has set their size: the rows are printed, not that there are none."""
    assert "ontofetch-catalog" in program.run("plugins", env={"COLUMNS": columns}).stdout


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_whoever_starts_it_may_close_the_streams(program: Program, tmp_path: Path, closed: str) -> None:
    """A release is recorded all the same, nothing opened takes the place of a stream, and lost rows are told."""
    (tmp_path / "x.ttl").write_text("<http://e/a> a <http://e/B> .\n")
    command = f"exec '{SCRIPT}' pull x.ttl --service s --ontology o --version 1 --format table {closed}"
    done = subprocess.run(
        ["bash", "-c", command], cwd=tmp_path, env=program.environment, capture_output=True, text=True, check=False
    )
    lost = " >&-" in f" {closed}"
    assert done.returncode == (1 if lost else 0), done.stderr
    assert ("can't be written to stdout: Bad file descriptor." in done.stderr) == (closed == ">&-")
    assert ("s/o/1" in done.stdout) == (not lost)
    assert program.run("db", "versions", "--format", "csv").stdout.count("s/o/1") == 1


@pytest.mark.parametrize("top", ["0", "000", "-1", "1.5", "\u00b2", "\u0665", "x\x1b"])
def test_a_count_that_is_none_is_told(program: Program, top: str) -> None:
    """What is no whole number from 1 on is refused with the words of a parser, not obeyed by a terminal."""
    done = program.run("plugins", f"--top={top}")
    assert done.returncode == 2
    assert "is not a whole number from 1 on" in done.stderr
    assert "\x1b" not in done.stderr
