"""The coverage-guided fuzzing of the readers, where atheris is installed: archives, backups' manifests, documents.

usage: python -m tests.hostile.guided TARGET FOLDER SECONDS: be one of its processes. What may be raised is told by the
package's own errors; anything else ends the process, and its input is kept.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from .places import TOP

MOST_MB = 900
MOST_SECONDS = 20
_LAST = "DONE"


@dataclass(frozen=True, slots=True)
class Told:
    """What the fuzzing of one reader came to."""

    line: str
    tried: int
    faults: tuple[str, ...]


def run(folder: Path, seconds: float) -> Iterator[Told]:
    """Fuzz every reader for a share of the time, each in a process of its own."""
    if importlib.util.find_spec("atheris") is None:
        yield Told("guided: atheris is not installed (.venv/bin/pip install atheris)", 0, ())
        return
    for name in TARGETS:
        yield _fuzz(name, folder / f"guided-{name}", seconds / len(TARGETS))


def _fuzz(name: str, folder: Path, seconds: float) -> Told:
    corpus = folder / "corpus"
    corpus.mkdir(parents=True)
    for number, data in enumerate(_corpus(name)):
        (corpus / str(number)).write_bytes(data)
    words = [sys.executable, "-m", "tests.hostile.guided", name, str(folder), str(int(max(seconds, 3)))]
    done = subprocess.run(
        words, cwd=TOP, capture_output=True, text=True, errors="replace", check=False, timeout=seconds + 120
    )
    crashes = [
        path for path in folder.iterdir() if path.is_file() and path.name.startswith(("crash", "oom", "timeout"))
    ]
    faults = [f"{name}: {path.name}: its bytes: {path.read_bytes()[:400]!r}" for path in crashes]
    tried = _tried(done.stderr)
    if not faults and done.returncode:
        faults = [f"{name}: ended with {done.returncode}: {_why(done.stderr)}"]
    return Told(f"guided: {name}: {tried:,} inputs, {len(faults)} faults", tried, tuple(faults))


def _why(told: str) -> str:
    lines = [line.strip() for line in told.splitlines() if "Error" in line or "ERROR" in line or "Exception" in line]
    return lines[0][:300] if lines else told.strip()[-300:]


def _tried(told: str) -> int:
    counts = [line.split()[0].lstrip("#") for line in told.splitlines() if line.startswith("#")]
    return max((int(count) for count in counts if count.isdigit()), default=0)


# --- inside ---------------------------------------------------------------------------------------------------------


def _corpus(name: str) -> list[bytes]:
    """Return small well-made inputs to begin with."""
    from . import fuzz
    from .given_archives import SMALL
    from .given_stores import DOCUMENTS

    if name == "archives":
        return [make() for _, make in SMALL.values() if len(make()) < 20_000]
    return [fuzz.sample(path) for path in DOCUMENTS if path.endswith(".json")]


def _read_archive(folder: Path) -> Callable[[bytes], None]:
    """Return what reads every entry of an archive to its end."""
    from ontofetch_catalog.content.packed.archives import damage_named, read_entries
    from ontofetch_catalog.errors import OntofetchError

    path = folder / "archive"

    def read(data: bytes) -> None:
        path.write_bytes(data)
        for name in ("a.zip", "a.tar"):
            left = 2_000_000
            try:
                with ExitStack() as stack:
                    for entry in read_entries(path, name, stack):
                        if entry.kind != "file":
                            continue
                        with damage_named(name), entry.open() as stream:
                            while left > 0 and (chunk := stream.read(65_536)):
                                left -= len(chunk)
                        if left <= 0:
                            break
            except OntofetchError:
                pass

    return read


def _read_documents(folder: Path) -> Callable[[bytes], None]:
    """Return what reads a document as each of the kinds that a store has."""
    from ontofetch_catalog.catalog.backup import manifest
    from ontofetch_catalog.errors import OntofetchError

    del folder

    def read(data: bytes) -> None:
        for reader in (manifest.decode, manifest.read_line):
            with suppress(OntofetchError):
                reader(data)

    return read


TARGETS: dict[str, Callable[[Path], Callable[[bytes], None]]] = {
    "archives": _read_archive,
    "documents": _read_documents,
}


class _Kept:
    """Read, and keep the first input of every error that should not be, so that the search goes on."""

    def __init__(self, folder: Path, read: Callable[[bytes], None]) -> None:
        self._folder = folder
        self._read = read

    def __call__(self, data: bytes) -> None:
        """Read one input."""
        try:
            self._read(data)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is what is looked for
            frame = traceback.extract_tb(error.__traceback__)[-1]
            name = f"crash-{type(error).__name__}-{Path(frame.filename).name}-{frame.lineno}"
            if not (self._folder / name).exists():
                (self._folder / name).write_bytes(data)


def _main(words: list[str]) -> None:
    import atheris

    name, folder, seconds = words
    with atheris.instrument_imports(
        include=["ontofetch_catalog.content", "ontofetch_catalog.catalog.backup", "tarfile", "zipfile"]
    ):
        read = TARGETS[name](Path(folder))
    kept = _Kept(Path(folder), read)
    options = [
        f"-max_total_time={seconds}",
        f"-rss_limit_mb={MOST_MB}",
        f"-timeout={MOST_SECONDS}",
        f"-artifact_prefix={folder}/",
        "-max_len=16384",
        "-print_final_stats=1",
    ]
    atheris.Setup([sys.argv[0], *options, f"{folder}/corpus"], kept)
    atheris.Fuzz()


if __name__ == "__main__":
    _main(sys.argv[1:])
