"""A small entry of a zip that is read at once has the bytes, or the fault, that it has as a stream."""

from __future__ import annotations

import os
import zipfile
from contextlib import ExitStack
from pathlib import Path

import pytest

from ontofetch_catalog.content.packed.archives import Budget, Entry, Limits, damage_named, read_entries
from ontofetch_catalog.errors import ExtractError

TEXT = b"@prefix : <http://example.org/> .\n" * 6


def packed(folder: Path, method: int) -> Path:
    """Return a zip of three entries, one of them empty."""
    path = folder / "some.zip"
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in (("a.ttl", TEXT), ("empty", b""), ("d/b.ttl", TEXT[:50] + os.urandom(40))):
            archive.writestr(zipfile.ZipInfo(name, (2020, 2, 2, 2, 2, 2)), data, method)
    return path


def streamed(entry: Entry) -> bytes:
    """Return an entry's bytes, read as a stream."""
    with entry.open() as stream:
        return b"".join(iter(lambda: stream.read(1 << 16), b""))


def at_once(entry: Entry) -> bytes:
    """Return an entry's bytes, read at once where that is done."""
    with damage_named("some.zip"):
        found = entry.whole()
    return streamed(entry) if found is None else found


def outcome(path: Path, read: object, limits: Limits) -> list[object]:
    """Return names and bytes of a zip, the sentence it ends with if it is refused, what was remarked and counted."""
    found: list[object] = []
    budget = Budget("some.zip", path.stat().st_size, limits)
    with ExitStack() as stack:
        try:
            for entry in read_entries(path, "some.zip", stack, budget):
                # one after the other: what came before a fault stays
                found += [(entry.path, read(entry))] if entry.kind == "file" else []  # type: ignore[operator]
        except ExtractError as error:
            return [*found, str(error), budget.remarks.list()]
    return [*found, budget.out, budget.remarks.list()]


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_whatever_byte_is_wrong(tmp_path: Path, method: int) -> None:
    """Each byte of a zip changed: what is read at once is what a stream gives, its faults too."""
    path = packed(tmp_path, method)
    good = path.read_bytes()
    assert outcome(path, at_once, Limits()) == outcome(path, streamed, Limits())
    faults = 0
    for place in range(len(good)):
        wrong = bytearray(good)
        wrong[place] ^= (0x01, 0x80, 0xFF)[place % 3]
        path.write_bytes(wrong)
        found = outcome(path, at_once, Limits())
        assert found == outcome(path, streamed, Limits()), place
        faults += isinstance(found[-2], str)
    assert faults > len(good) / 3


def test_a_zip_that_is_cut(tmp_path: Path) -> None:
    """Bytes taken out before the directory are the same fault either way."""
    path = packed(tmp_path, zipfile.ZIP_DEFLATED)
    good = path.read_bytes()
    for cut in range(1, 80):
        path.write_bytes(good[cut:])
        assert outcome(path, at_once, Limits()) == outcome(path, streamed, Limits())


def test_the_bounds_count_either_way(tmp_path: Path) -> None:
    """Bytes that come out count, whichever way they are read."""
    path = packed(tmp_path, zipfile.ZIP_DEFLATED)
    limits = Limits(max_bytes=len(TEXT) + 1)
    found = outcome(path, at_once, limits)
    assert found == outcome(path, streamed, limits)
    assert "max_bytes" in str(found[-2])


def test_a_large_entry_is_no_whole(tmp_path: Path) -> None:
    """What is large in the directory is read as a stream, so that it never is in memory."""
    path = tmp_path / "large.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", bytes((1 << 20) + 1))
    with ExitStack() as stack:
        (entry,) = read_entries(path, "large.zip", stack)
        assert entry.whole() is None
        assert len(streamed(entry)) == (1 << 20) + 1
