"""Reports from audits of a hostile store: what is no document is a sentence, and nothing is waited for."""

from __future__ import annotations

import os
import resource
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ontofetch_catalog.analytics import Catalog
from ontofetch_catalog.errors import CatalogUnreadable
from tests.analytics.test_audits import GOOD

pytestmark = pytest.mark.usefixtures("quick_databases")


def swapped(make: Callable[[Path], object], name: str, shelf: Any) -> Path:
    """Put something else in the place of a document of a release."""
    shelf.add("s/o/1", {"a.ttl": b"1"}, latest=True)
    place = shelf.store.root / name
    place.unlink(missing_ok=True)
    make(place)
    return Path(place)


def outside(place: Path) -> None:
    """Put a link to a file outside of the store, which says the same."""
    target = place.parents[3] / f"{place.name}-{place.parent.name}"
    target.write_text(GOOD)
    place.symlink_to(target)


def bomb(place: Path) -> None:
    """Put a file of a TiB that takes no room."""
    place.touch()
    os.truncate(place, 1 << 40)


KINDS: list[tuple[Callable[[Path], object], str]] = [
    (os.mkfifo, "it is no regular file"),
    (outside, "it is a link"),
    (lambda place: place.symlink_to("/dev/zero"), "it is a link"),
    (Path.mkdir, "it is no regular file"),
    (bomb, "larger than"),
    (lambda place: place.write_text("[" * 1_000_000), ""),
    (lambda place: place.write_text('{"a":' * 100_000), ""),
    (lambda place: place.write_text('{"size_bytes":' + "9" * 1_000_000 + "}\n"), ""),
    (lambda place: place.write_text('{"size_bytes": NaN}\n'), ""),
    (lambda place: place.write_bytes(b"\xff\xfe\n"), ""),
    (lambda place: place.write_text("x" * 2_000_000), ""),
]


@pytest.mark.parametrize("name", ["s/o/1/manifest.json", "s/o/LATEST.json", "s/o/1/.extract.audit.json"])
@pytest.mark.parametrize(("make", "words"), KINDS, ids=[str(number) for number in range(len(KINDS))])
def test_a_hostile_document_is_a_sentence(shelf: Any, name: str, make: Callable[[Path], object], words: str) -> None:
    """A pipe, a link, a bomb, JSON without end or depth: each is refused with its path, and nothing is waited for."""
    place = swapped(make, name, shelf)
    with pytest.raises(CatalogUnreadable) as refused:
        Catalog.from_audits(shelf.store.root).latest()
    assert str(place) in refused.value.message
    assert words in refused.value.message
    assert len(str(refused.value)) < 1_000
    assert "Without --from" in str(refused.value) or "without --from" in str(refused.value)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("2026-01-02T03:04:05.000000Z", "0001-01-01T00:00:00+14:00"),
        ("2026-01-02T03:04:05", "NaN"),
        ('"artifacts"', '"other"'),
        ('"released": null', '"released": 5'),
    ],
)
def test_a_manifest_of_odd_values_is_named(shelf: Any, old: str, new: str) -> None:
    """A time before all times, a missing list, a number for a date: the manifest is damaged."""
    shelf.add("s/o/1", {"a.ttl": b"1"}, latest=True)
    place = shelf.store.root / "s/o/1/manifest.json"
    text = place.read_text()
    assert old in text
    place.write_text(text.replace(old, new))
    with pytest.raises(CatalogUnreadable, match=r"manifest\.json"):
        Catalog.from_audits(shelf.store.root).latest()


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("2026-01-01T00:00:00Z", "yesterday", "not a time in UTC"),
        ("2026-01-01T00:00:00Z", "2026-13-41T99:00:00Z", ""),
        ('"size_bytes":1', '"size_bytes":9223372036854775808', "not a number of bytes"),
    ],
)
def test_odd_values_of_a_line_are_a_sentence(shelf: Any, old: str, new: str, fault: str) -> None:
    """What is JSON of the right form, but no time or number there can be, is no mystery."""
    shelf.add("s/o/1", {"a.ttl": b"1"}, latest=True)
    audit = shelf.store.root / "s/o/1/.extract.audit.json"
    assert old in GOOD
    audit.write_text(GOOD.replace(old, new))
    with pytest.raises(CatalogUnreadable) as refused:
        Catalog.from_audits(shelf.store.root).files().collect()
    assert fault in refused.value.message


def test_a_linked_folder_holds_no_releases(shelf: Any, tmp_path: Path) -> None:
    """What a link leads to is outside of the store, whatever lies there."""
    shelf.add("s/o/1", {"a.ttl": b"1"}, latest=True)
    moved = shelf.store.root / "s"
    moved.rename(tmp_path / "elsewhere")
    moved.symlink_to(tmp_path / "elsewhere")
    assert Catalog.from_audits(shelf.store.root).versions().collect().height == 0


def test_many_releases_are_read_at_once(shelf: Any) -> None:
    """A plan holds a file of every release, more than a process may have open at first."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for number in range(60):
        shelf.add(f"s/o/{number}", {"a.ttl": b"1"})
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard))
    try:
        found = Catalog.from_audits(shelf.store.root).files().collect()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert found.height == 60
