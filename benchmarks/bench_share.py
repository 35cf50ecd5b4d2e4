"""Releases that share nine files of ten, stored once: the room they take, and how long a pull of one takes."""

from __future__ import annotations

import itertools
import os
import random
import zipfile
from pathlib import Path
from typing import cast

from ontofetch_catalog.catalog.equal_files.extents import can_clone, extents_of

from .children import SCRIPT, run
from .harness import Race, Side, pick

RELEASES = 20
FILES, FILE_BYTES = pick(2_000, 200), 20_000
SHARE = 0.9  # of the files of a release are those of the one before
WORDS = ("--service", "bench", "--ontology", "share", "--no-validate", "-q")


class Series:
    """The archives of a series, made one after the other: some files of the former one are replaced in each."""

    def __init__(self, folder: Path, seed: int) -> None:
        self._folder = folder
        self._chance = random.Random(seed)
        self._files: list[str] = [self._text() for _ in range(FILES)]
        self._number = itertools.count()
        self.contents: set[str] = set()

    def _text(self) -> str:
        return f"# {self._chance.getrandbits(4 * FILE_BYTES):x}\n"

    def next(self) -> tuple[Path, str]:
        """Make the archive of the next release; return it and its version."""
        number = next(self._number)
        if number:
            for place in self._chance.sample(range(FILES), round(FILES * (1 - SHARE))):
                self._files[place] = self._text()
        self.contents.update(self._files)
        archive = self._folder / f"{number}.zip"
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as packed:
            for place, text in enumerate(self._files):
                packed.writestr(f"data/d{place // 100}/f{place}.ttl", text)
        return archive, str(number)


def way_of(room: Path) -> str:
    """Return how files are stored once here: by reflinks where the file system has them."""
    return "reflink" if can_clone(room) else "hardlink"


def pull(root: Path, way: str, archive: Path, version: str) -> None:
    """Pull a release, process and all."""
    words = ["env", f"ONTOFETCH_STORE_SHARE={way}", SCRIPT, "pull", archive, "--version", version, *WORDS]
    run(words, root)


def room_of(*folders: Path) -> int:
    """Return the bytes on the disk that the files below some folders take, what several have in common once."""
    whole: dict[int, int] = {}
    parts: dict[tuple[int, int], int] = {}
    for base, _, names in itertools.chain.from_iterable(map(os.walk, folders)):
        for name in names:
            with Path(base, name).open("rb") as stream:
                state, found = os.fstat(stream.fileno()), extents_of(stream.fileno())
            if found is None:
                whole[state.st_ino] = state.st_blocks * 512
            else:
                parts.update({(place, size): size for _, place, size in found.places})
    return sum(whole.values()) + sum(parts.values())


def test_room(race: Race, room: Path) -> None:
    """What the files of the releases take on the disk, beside what each distinct content takes by itself."""
    series, root = Series(room, 1), room / "store"
    block = os.statvfs(room).f_frsize
    for _ in range(RELEASES):
        archive, version = series.next()
        pull(root, way_of(room), archive, version)
        archive.unlink()
    os.sync()
    taken = room_of(*root.glob("bench/share/*/data"))
    distinct = sum(-(-len(text) // block) * block for text in series.contents)
    race.weigh("share.disk", lambda: (taken, distinct))


def test_pull(race: Race, room: Path) -> None:
    """The next release of a series is pulled into a store that stores it once, and into one that does not."""
    sides = []
    for way in (way_of(room), "off"):
        folder = room / way
        folder.mkdir()
        series = Series(folder, 2)
        pull(folder / "store", way, *series.next())

        def pulled(made: object, way: str = way, folder: Path = folder) -> None:
            archive, version = cast("tuple[Path, str]", made)
            pull(folder / "store", way, archive, version)

        sides.append(Side(pulled, series.next))
    race("share.pull", *sides)
