"""Other environments to run the package in: the wheel beside this environment's dependencies, another DuckDB.

A virtual environment made here sees the dependencies of the one that runs the tests through a path file, so that only
the distributions under test are installed and a fresh one takes seconds.

usage: python -m tests.environments oldest        (prints the oldest allowed version of each dependency, for pip)
       python -m tests.environments digest        (prints the first line of requirements.lock)
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import sysconfig
import tomllib
import venv
from collections.abc import Mapping
from pathlib import Path

CHECKOUT = Path(__file__).parents[1]
BUILD = CHECKOUT / ".build"
CONTRACT = "ontofetch-hookspecs"
DIGEST_LINE = "# by `make lock`; sha256 of what pyproject.toml requires: {}"


def build_wheel(project: Path, folder: Path) -> Path:
    """Build the wheel of a project and return its path."""
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(project)],
        check=True,
        capture_output=True,
        env={**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
    )
    return max(folder.glob("*.whl"), key=lambda path: path.stat().st_mtime_ns)


class Environment:
    """A virtual environment with some wheels, beside the dependencies of this one."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.python = folder / "bin/python"
        venv.EnvBuilder(with_pip=False, symlinks=True).create(folder)
        (self.site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")

    @property
    def site(self) -> Path:
        """Return its own folder of packages."""
        return self.folder / f"lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages"

    def install(self, *wheels: Path) -> None:
        """Install wheels without their dependencies."""
        self._pip("install", "--no-deps", "--no-index", "--force-reinstall", *map(str, wheels))

    def uninstall(self, name: str) -> None:
        """Remove a distribution."""
        self._pip("uninstall", "--yes", name)

    def _pip(self, *words: str) -> None:
        subprocess.run(
            [sys.executable, "-m", "pip", "--python", str(self.python), "--quiet", *words],
            check=True,
            capture_output=True,
            env={**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
        )

    def run(
        self, *words: str, cwd: Path, environment: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run one of its programs from another folder and return what it printed."""
        clean = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
        return subprocess.run(
            [str(self.folder / "bin" / words[0]), *words[1:]],
            cwd=cwd,
            env={**clean, **(environment or {})},
            capture_output=True,
            text=True,
            check=False,
        )


def other_duckdb(requirement: str) -> Path:
    """Return a folder with another DuckDB, to be put first on PYTHONPATH; fetched by pip on the first call."""
    folder = BUILD / "duckdb" / f"duckdb{requirement}"
    if not (folder / "duckdb").is_dir():
        subprocess.run(
            [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps",
             "--target", str(folder), f"duckdb{requirement}"],
            check=True,
            capture_output=True,
        )  # fmt: skip
    return folder


def oldest_dependencies() -> list[str]:
    """Return the dependencies at the oldest version that pyproject.toml allows, as pip wants them."""
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
    # the contract is built from here
    required = [one for one in project["dependencies"] if not one.startswith(CONTRACT)]
    return [requirement.split(",")[0].replace(">=", "==") for requirement in required]


def download_wheel(name: str, version: str) -> Path:
    """Return the wheel of a release, a zip archive; fetched by pip on the first call."""
    folder = BUILD / "wheels"
    pattern = f"{name.replace('-', '_')}-{version}-*.whl"
    if not list(folder.glob(pattern)):
        subprocess.run(
            [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
             "--only-binary=:all:", "--dest", str(folder), f"{name}=={version}"],
            check=True,
            capture_output=True,
        )  # fmt: skip
    return next(folder.glob(pattern))


def requirements_digest() -> str:
    """Return the sha256 of all that pyproject.toml requires; requirements.lock says of which it was made."""
    found = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())
    project = found["project"]
    required = [found["build-system"]["requires"], project["dependencies"], project["optional-dependencies"]]
    return hashlib.sha256(json.dumps(required, sort_keys=True).encode()).hexdigest()


if __name__ == "__main__":
    if sys.argv[1:] == ["digest"]:
        print(DIGEST_LINE.format(requirements_digest()))
    else:
        print(*oldest_dependencies())
