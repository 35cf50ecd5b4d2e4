"""The commands of the documents, run as a reader would run them, and what they print beside what the document shows.

usage: python -m tests.documents FILE…        (writes what the commands print now into the documents)

A block of commands is fenced as `console`; lines that begin with `$ ` are typed, what stands below them is stdout and
stderr, but for what is logged. What differs from run to run (times, identifiers) is compared by its form. Blocks of one
document share a folder. A server on loopback serves the folder `served` in it, at the address that documents call
`SERVER`.
"""

from __future__ import annotations

import difflib
import os
import re
import shlex
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.programs import forked

CHECKOUT = Path(__file__).parents[1]
COLUMNS = 100
SERVER = "http://127.0.0.1:48080"  # as it is written in documents; the port is another one in each run
_SHELL = re.compile(r"[][|<>;&$*?`#(){}~!\\\n]")  # what a shell makes something of, beside quotes
_BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# what differs from run to run, and the form that stands for it; the order matters
_VOLATILE = (
    (re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|\+00:00)?"), "<time>"),
    (re.compile(r"\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}(:\d{2})?"), "<time>"),
    (re.compile(r"\d{8}T\d{6}[.\d]*Z?(-[0-9a-f]{6}\b)?"), "<time>"),
    (re.compile(r"\b[0-9a-f]{32}\b"), "<id>"),
    (re.compile(r"^seconds +\d+\.\d+$", re.MULTILINE), "seconds <speed>"),
    (re.compile(r"\b\d+(\.\d+)? (ms|s|MB/s|MiB/s|GiB/s|m(?= ago))\b"), "<speed>"),
)


@dataclass(frozen=True)
class Command:
    """One typed line and the lines that the document shows below it."""

    line: str
    shown: str


def read_commands(text: str) -> list[Command]:
    """Return the commands of all blocks of a document, in order."""
    return [command for block in _BLOCK.findall(text) for command in _commands(block)]


def _commands(block: str) -> Iterator[Command]:
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        line, _, shown = part.partition("\n")
        while line.endswith("\\"):
            more, _, shown = shown.partition("\n")
            line = line + "\n" + more
        yield Command(line, shown)


class _Handler(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the standard library
        """Say nothing."""


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """Serve the folder `served` of a document for as long as its commands run; yield the address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, directory=str(folder / "served")))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def run_command(line: str, folder: Path, server: str = SERVER) -> str:
    """Run one line and return what it printed; what is of this machine is replaced by what a reader sees.

    A line that needs no shell is run by a process that is forked from one that has imported the program.
    """
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("ONTOFETCH_")},
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "ONTOFETCH_ROOT": str(folder / "store"),
        "COLUMNS": str(COLUMNS),
        "NO_COLOR": "1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }
    line = line.replace(SERVER, server)
    if line.startswith("ontofetch ") and not _SHELL.search(line):
        printed = forked().run(shlex.split(line)[1:], environment, folder=folder, together=True).stdout
    else:
        printed = _run_in_shell(line, folder, environment)
    kept = [text for text in printed.splitlines() if not text.startswith("WARNING: Location ") and not _is_log(text)]
    text = "\n".join(text.rstrip() for text in kept).strip("\n")
    text = (text + "\n" if text else "").replace(server, SERVER)
    return text.replace(str(folder), "~").replace(str(CHECKOUT), "~/ontofetch-catalog")


def _run_in_shell(line: str, folder: Path, environment: Mapping[str, str]) -> str:
    done = subprocess.run(
        ["/bin/sh", "-c", line],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    return done.stdout


def _is_log(text: str) -> bool:
    """Say whether a line is one of the log, as it is where nobody looks: a terminal has shorter ones."""
    return text.startswith("{") and '"logger": "ontofetch' in text


def comparable(text: str) -> list[str]:
    """Return the lines of an output with what differs from run to run replaced, and runs of blanks and rules folded."""
    for pattern, form in _VOLATILE:
        text = pattern.sub(form, text)
    return [re.sub(r"─+", "─", re.sub(r" +", " ", line)).strip() for line in text.splitlines() if line.strip()]


def differences(path: Path, folder: Path) -> list[str]:
    """Run all commands of a document in `folder`; return for each that prints something else the lines that differ."""
    found = []
    with serving(folder) as server:
        for command in read_commands(path.read_text(encoding="utf-8")):
            shown, printed = comparable(command.shown), comparable(run_command(command.line, folder, server))
            if printed != shown:
                lines = difflib.unified_diff(shown, printed, "shown", "printed", n=1, lineterm="")
                found.append("\n".join([f"`{command.line}` prints something else:", *lines]))
    return found


def rewrite(path: Path, folder: Path) -> None:
    """Run all commands of a document in `folder` and write what they print into it."""

    def fresh(match: re.Match[str]) -> str:
        parts = [f"$ {command.line}\n{run_command(command.line, folder, server)}" for command in _commands(match[1])]
        return "```console\n" + "".join(parts) + "```"

    text = path.read_text(encoding="utf-8")
    with serving(folder) as server:
        path.write_text(_BLOCK.sub(fresh, text), encoding="utf-8")


if __name__ == "__main__":
    import tempfile

    for name in sys.argv[1:]:
        with tempfile.TemporaryDirectory() as scratch:
            rewrite(Path(name), Path(scratch))
