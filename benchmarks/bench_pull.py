"""A whole pull of an archive, from the shell's prompt to the end, beside the bare work: unzip, sync, sha256sum."""

from __future__ import annotations

import itertools
import random
import shutil
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from .children import SCRIPT, TOP, run
from .harness import Race, Side, pick

SMALL = pick(50_000, 20_000)  # with fewer, what a process takes to start counts more than the files
LARGE, LARGE_BYTES = pick(40, 4), 50_000_000
DVC = TOP / ".build/dvc/bin/dvc"  # `make dvc` installs it
_number = itertools.count()
pytestmark = pytest.mark.skipif(
    not (shutil.which("unzip") and shutil.which("sha256sum")), reason="the bare work is that of unzip and sha256sum"
)


def unpack_bare(archive: Path, folder: Path) -> None:
    """Unpack, make durable, hash: what any program that keeps releases has to do."""
    run(["unzip", "-q", archive, "-d", folder])
    run(["sync", "-f", folder])
    with subprocess.Popen(["find", folder, "-type", "f", "-print0"], stdout=subprocess.PIPE) as files:
        subprocess.run(["xargs", "-0", "sha256sum"], stdin=files.stdout, stdout=subprocess.DEVNULL, check=True)
    if files.returncode:
        raise RuntimeError("find failed")


def add_to_git(archive: Path, folder: Path) -> None:
    """Unpack, and give all files to git."""
    run(["unzip", "-q", archive, "-d", folder])
    run(["git", "-C", folder, "init", "-q"])
    run(["git", "-C", folder, "add", "."])


def add_to_dvc(archive: Path, folder: Path) -> None:
    """Unpack, and give all files to DVC, in a folder that it has made its own before."""
    run(["unzip", "-q", archive, "-d", folder / "files"])
    run(["env", "-C", folder, "DVC_NO_ANALYTICS=1", DVC, "add", "-q", "files"])


def pull(archive: Path, root: Path) -> None:
    """Pull it into a new store; what is inside is not validated, for that is other work."""
    words = ["pull", archive, "--service", "bench", "--ontology", "pull", "--version", "1", "--no-validate", "-q"]
    run([SCRIPT, *words], root)


def compare(race: Race, name: str, archive: Path, room: Path, *, contrast: str = "") -> None:
    """Race a pull of an archive against the bare work; each round has a folder of its own.

    What is for contrast is about many files, which stay until the end, see `room`; few large ones go after each round.
    """

    def new_folder() -> Path:
        for left in () if contrast else room.glob("round-*"):
            shutil.rmtree(left)
        subprocess.run(["sync", "-f", room], check=True)
        folder = room / f"round-{next(_number)}"
        folder.mkdir()
        return folder

    def bare(folder: object) -> None:
        unpack_bare(archive, Path(str(folder)))

    def pulled(folder: object) -> None:
        pull(archive, Path(str(folder)) / "store")

    race(name, Side(pulled, new_folder), Side(bare, new_folder))
    if contrast:
        show_others(race, contrast, archive, new_folder)


def show_others(race: Race, what: str, archive: Path, new_folder: Callable[[], Path]) -> None:
    """Time what other programs that keep files take for the same content, where they are installed."""

    def dvc_folder() -> Path:
        folder = new_folder()
        run(["env", "-C", folder, "DVC_NO_ANALYTICS=1", DVC, "init", "-q", "--no-scm"])
        return folder

    if shutil.which("git"):
        race.contrast(
            f"`unzip` and `git add` of {what}", Side(lambda folder: add_to_git(archive, Path(str(folder))), new_folder)
        )
    if DVC.exists():
        race.contrast(
            f"`unzip` and `dvc add` of {what}", Side(lambda folder: add_to_dvc(archive, Path(str(folder))), dvc_folder)
        )
    else:
        race.remark("DVC is not there to be measured for contrast; `make dvc` installs it.")


def test_small_files(race: Race, room: Path) -> None:
    """Very many files of a line or two, in folders of a hundred."""
    chance, archive = random.Random(1), room / "small.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        for number in range(SMALL):
            text = f"@prefix : <http://example.org/> .\n:a{number} :b :c{chance.random()} .\n"
            packed.writestr(f"data/d{number // 100}/f{number}.ttl", text)
    compare(race, "pull.small", archive, room, contrast=f"the {SMALL:,} files")


def test_large_files(race: Race, room: Path) -> None:
    """Few files that are large, of lines as ontologies have them."""
    chance, archive = random.Random(2), room / "large.zip"
    lines = [
        f"<http://example.org/{chance.getrandbits(64):x}> <http://example.org/p> _:b{n} .\n" for n in range(20_000)
    ]
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as packed:
        for number in range(LARGE):
            chance.shuffle(lines)
            body = "".join(lines).encode()
            packed.writestr(f"f{number}.nt", (body * (LARGE_BYTES // len(body) + 1))[:LARGE_BYTES])
    compare(race, "pull.large", archive, room)
