"""Real processes and real distributions for tests: the installed console script, and plugins made on the spot."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

SCRIPT = Path(sys.executable).with_name("ontofetch")


class Program:
    """The console script, run in processes of its own with a store of its own."""

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
        """Run the script to its end."""
        return subprocess.run(
            [SCRIPT, *words],
            env=self.environment | dict(env or {}),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            stdin=subprocess.DEVNULL,
        )

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


def install(folder: Path, name: str, code: str, entry: str = "") -> Path:
    """Put a distribution with one plugin into `folder` and return the folder, which belongs on the path.

    Args:
        folder: Where installed distributions are.
        name: Name of the distribution and of its module; `-` becomes `_` in the module.
        code: The module.
        entry: `name = module:object` of the entry point; by default the module itself under the distribution's name.
    """
    module = name.replace("-", "_")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{module}.py").write_text("from ontofetch_hookspecs import hookimpl\n" + code)
    info = folder / f"{module}-1.2.3.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.2.3\n")
    (info / "entry_points.txt").write_text(f"[ontofetch]\n{entry or f'{name} = {module}'}\n")
    return folder
