"""The place of one attack: a store made by the program, an outside that nobody may touch, a working folder.

The outside is recounted with os and hashlib alone. What is tried in the place is not known here.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .forks import PROGRAM

CANARY = b"CANARY-" + hashlib.sha256(b"what lies outside of the root").hexdigest()[:40].encode()
SECRET = CANARY + b" belongs to the user\n"
SECRET_SHA256 = hashlib.sha256(SECRET).hexdigest()
TOP = Path(__file__).parent.parent.parent
HONEST = b'<http://example.org/a> <http://example.org/b> "honest" .\n'


@dataclass(frozen=True, slots=True)
class Ended:
    """What a command came to.

    Args:
        words: Its words.
        code: Its exit code; negative: the signal that ended it.
        why: `late` or `memory` if it was killed for that, else empty.
        peak: The most bytes that it or one of its children held.
        seconds: How long it took.
        out, err: What it said.
    """

    words: tuple[str, ...]
    code: int
    why: str
    peak: int
    seconds: float
    out: bytes
    err: str


@dataclass(slots=True)
class Place:
    """Folders of one attack below `top`."""

    top: Path
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def root(self) -> Path:
        """Return the store."""
        return self.top / "store"

    @property
    def outside(self) -> Path:
        """Return what belongs to somebody else; it lies beside the store."""
        return self.top / "outside"

    @property
    def work(self) -> Path:
        """Return the folder that the commands run in."""
        return self.top / "work"

    def give(self, name: str, data: bytes) -> str:
        """Put a file into the working folder and return its name."""
        path = self.work / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return name

    def remove(self) -> None:
        """Take it all away."""
        for folder, folders, _ in os.walk(self.top):
            for name in folders:
                path = Path(folder, name)
                if not path.is_symlink():
                    path.chmod(0o700)
        shutil.rmtree(self.top)


class Bench:
    """The server of commands, and the places that they are tried in."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._made = 0
        self._template: Path | None = None
        self._server = subprocess.Popen(
            [sys.executable, "-m", "tests.hostile.forks"],
            cwd=TOP,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def close(self) -> None:
        """End the server."""
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        self._server.stdin.close()
        self._server.wait(30)
        self._server.stdout.close()

    def run(
        self,
        place: Place,
        *words: str,
        how: str = "fork",
        seconds: float = 60,
        target: str = PROGRAM,
    ) -> Ended:
        """Run a command in a place, with its store as the root."""
        output = place.top / "output"
        output.mkdir(exist_ok=True)
        asked = {
            "words": words,
            "how": how,
            "target": target,
            "folder": str(place.work),
            "output": str(output),
            "environment": environment_of(place),
            "seconds": seconds,
        }
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        self._server.stdin.write(json.dumps(asked) + "\n")
        self._server.stdin.flush()
        told: dict[str, Any] = json.loads(self._server.stdout.readline())
        err = (output / "stderr").read_bytes().decode(errors="replace")
        return Ended(tuple(words), out=(output / "stdout").read_bytes(), err=err, **told)

    def place(self) -> Place:
        """Return a new place: a store with two releases, an orphan and a plan to prune it, as the program made them."""
        if self._template is None:
            self._template = self._make_template()
        self._made += 1
        place = Place(self.folder / f"place-{self._made}")
        shutil.copytree(self._template, place.root, symlinks=True)
        shutil.copy(self._template.parent / "work/backup.tar.zst", place.top)
        place.work.mkdir()
        _make_outside(place.outside)
        return place

    def _make_template(self) -> Path:
        place = Place(self.folder / "template")
        place.work.mkdir(parents=True)
        for number in ("1", "2"):
            text = b'<http://example.org/s> <http://example.org/p> "' + number.encode() + b'" .\n'
            name = place.give(f"given-{number}/sample.ttl", text)
            self._made_by(place, "pull", name, "--service", "s", "--ontology", "o", "--version", number, "-q")
        (place.root / "s/o/1/data/orphan.ttl").write_bytes(b"# nobody's\n")
        self._made_by(place, "db", "prune", "--min-age", "0s", "--yes", "0s", "--override", "large-plan", "-q")
        self._made_by(place, "db", "backup", "--include-data", "--to", "backup.tar.zst", "-q")
        return place.root

    def _made_by(self, place: Place, *words: str) -> None:
        ended = self.run(place, *words)
        if ended.code:
            raise RuntimeError(f"{words} ended with {ended.code}: {ended.err}")


def environment_of(place: Place) -> dict[str, str]:
    """Return the whole environment of the commands of a place."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
    ours = {
        "HOME": str(place.top),
        "ONTOFETCH_ROOT": str(place.root),
        "ONTOFETCH_DURABILITY": "off",
        "ONTOFETCH_HTTP_RETRIES": "0",
        "ONTOFETCH_HTTP_TIMEOUT": "2",
        "ONTOFETCH_WAIT": "5",
        "COLUMNS": "160",
    }
    return kept | ours | place.environment


def _make_outside(folder: Path) -> None:
    """Make somebody's folder: files of every kind, named also as the program names its own."""
    (folder / "data").mkdir(parents=True)
    (folder / "src").mkdir()
    for name in ("secret.txt", "data/secret.txt", "src/secret.txt", "stage.json", "manifest.json", "plan.json"):
        (folder / name).write_bytes(SECRET)
    (folder / "empty/deep").mkdir(parents=True)
    os.mkfifo(folder / "pipe")


def recount(folder: Path) -> dict[str, tuple[object, ...]]:
    """Return path → kind, mode, links, inode, size, mtime, ctime, and the content of what is a file or a link."""
    found: dict[str, tuple[object, ...]] = {}
    for path in _below(folder):
        state = path.lstat()
        content: object = None
        if stat.S_ISREG(state.st_mode):
            content = hashlib.sha256(path.read_bytes()).hexdigest()
        elif stat.S_ISLNK(state.st_mode):
            content = os.readlink(path)
        times = (state.st_mtime_ns, state.st_ctime_ns)
        found[path.relative_to(folder).as_posix()] = (
            *(state.st_mode, state.st_nlink, state.st_ino, state.st_size, *times),
            content,
        )
    return found


def _below(folder: Path) -> Iterator[Path]:
    yield folder
    for parent, folders, names in os.walk(folder):
        for name in (*folders, *names):
            yield Path(parent, name)


def changes(before: Mapping[str, Sequence[object]], after: Mapping[str, Sequence[object]]) -> list[str]:
    """Return what differs, in words."""
    gone = [f"{path} is gone" for path in before if path not in after]
    new = [f"{path} is new" for path in after if path not in before]
    other = [f"{path} was changed" for path in before if path in after and before[path] != after[path]]
    return sorted(gone + new + other)


def holders_of_canary(folder: Path) -> list[str]:
    """Return the regular files below a folder that hold the canary or the sha256 of what lies outside."""
    return sorted(
        path.relative_to(folder).as_posix()
        for path in _below(folder)
        if path.is_file() and not path.is_symlink() and path.stat().st_size < 100_000_000 and holds_canary(path)
    )


def holds_canary(path: Path) -> bool:
    """Say whether a file's bytes, or those of a zstandard archive, hold the canary or the hash of the secret."""
    return is_canary_in(plain_bytes(path) if path.name.endswith(".zst") else path.read_bytes())


def plain_bytes(path: Path) -> bytes:
    """Return what a zstandard file holds; one that is none, or is cut, as it stands."""
    import zstandard

    data = path.read_bytes()
    try:
        return zstandard.ZstdDecompressor().decompressobj().decompress(data)
    except zstandard.ZstdError:
        return data


def is_canary_in(data: bytes) -> bool:
    """Say whether bytes hold the canary or the hash of the secret."""
    return CANARY in data or SECRET_SHA256.encode() in data
