"""Real processes and real distributions for tests: the program, and plugins made on the spot."""

from __future__ import annotations

import atexit
import io
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from functools import cache
from pathlib import Path
from unittest.mock import patch

from tests.hostile.forks import PROGRAM

SCRIPT = Path(sys.executable).with_name("ontofetch")


class Forked:
    """A process that has imported the program, and is forked for each command: that takes a tenth of starting anew."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.hostile.forks"],
            cwd=Path(__file__).parent.parent,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        atexit.register(self.close)

    def close(self) -> None:
        """End it."""
        self._process.communicate()

    def run(
        self,
        words: Sequence[str],
        environment: Mapping[str, str],
        *,
        target: str = PROGRAM,
        folder: Path | None = None,
        together: bool = False,
    ) -> subprocess.CompletedProcess[str]:
        """Run a command to its end.

        Args:
            words: The words behind the program's name.
            environment: Its whole environment.
            target: Which function the words go to, `module:function`, if not the program's.
            folder: Where it runs; None: the current folder.
            together: Whether what it says on stderr comes in between on stdout.
        """
        with tempfile.TemporaryDirectory() as output:
            asked = {
                "words": [*map(str, words)],
                "how": "fork",
                "target": target,
                "folder": str(folder or os.getcwd()),
                "output": output,
                "together": together,
                "environment": dict(environment),
                "seconds": 60,
                "watched": False,
            }
            assert self._process.stdin is not None
            assert self._process.stdout is not None
            self._process.stdin.write(json.dumps(asked) + "\n")
            self._process.stdin.flush()
            told = json.loads(self._process.stdout.readline())
            if told["why"]:
                raise subprocess.TimeoutExpired([*words], asked["seconds"], output=told["why"])
            out, err = (Path(output, name).read_text(encoding="utf-8") for name in ("stdout", "stderr"))
            return subprocess.CompletedProcess(["ontofetch", *words], told["code"], out, err)


@cache
def forked() -> Forked:
    """Return the one of this run."""
    return Forked()


class Program:
    """The program, run in processes of its own with a store of its own."""

    def __init__(self, root: Path, *paths: Path) -> None:
        self.root = root
        self.paths = paths

    @property
    def environment(self) -> dict[str, str]:
        """Return the environment of the processes."""
        kept = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
        ours = {"ONTOFETCH_ROOT": str(self.root), "ONTOFETCH_DURABILITY": "off", "COLUMNS": "160"}
        return kept | ours | {"PYTHONPATH": os.pathsep.join(map(str, self.paths))}

    def run(self, *words: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """Run the program to its end."""
        return forked().run(words, self.environment | dict(env or {}))

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Start the script; SIGINT arrives as it does in a shell's foreground."""
        return subprocess.Popen(
            [SCRIPT, *words],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            # only this thread starts processes
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509
        )


class Here(Program):
    """The program called in this process, for commands whose process is not the subject; `start` is as ever."""

    def run(self, *words: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """Call it with the environment that a process of its own would have."""
        from ontofetch_catalog.host.app import main

        # some commands write bytes
        out, err = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True), io.StringIO()
        theirs = patch.dict(os.environ, self.environment | dict(env or {}), clear=True)
        with theirs, redirect_stdout(out), redirect_stderr(err):
            code = main([*words])
        return subprocess.CompletedProcess(["ontofetch", *words], code, out.buffer.getvalue().decode(), err.getvalue())


def install(folder: Path, name: str, code: str, entry: str = "", requires: str = "") -> Path:
    """Put a distribution with one plugin into `folder` and return the folder, which belongs on the path.

    Args:
        folder: Where installed distributions are.
        name: Name of the distribution and of its module; `-` becomes `_` in the module.
        code: The module.
        entry: `name = module:object` of the entry point; by default the module itself under the distribution's name.
        requires: What the distribution needs, as pip writes it.
    """
    module = name.replace("-", "_")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{module}.py").write_text("from ontofetch_hookspecs import hookimpl\n" + code)
    info = folder / f"{module}-1.2.3.dist-info"
    info.mkdir()
    needs = f"Requires-Dist: {requires}\n" if requires else ""
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.2.3\n{needs}")
    points = entry or f"{name} = {module}"
    (info / "entry_points.txt").write_text(points if points.startswith("[") else f"[ontofetch]\n{points}\n")
    return folder
