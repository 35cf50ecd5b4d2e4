"""Contents are hashed when that is asked for, by many processes when there are many, or where a verification spoke."""

from __future__ import annotations

from pathlib import Path

import pytest

from ontofetch_catalog.catalog.boundaries import carry_out
from ontofetch_catalog.catalog.connection import Store
from ontofetch_catalog.catalog.doctor import contents
from ontofetch_catalog.catalog.doctor.examine import examine
from ontofetch_catalog.catalog.doctor.plan import plan_repairs, read_choices
from ontofetch_catalog.catalog.repo.fixity import Scope
from ontofetch_catalog.catalog.verify import Request, verify
from tests.catalog.doctor.conftest import FAST
from tests.catalog.doctor.damage import DAMAGE, FOLDER
from tests.releases import query


def found(store: Store, *, hashing: bool = False) -> list[tuple[str, str | None, str]]:
    """Return code, safe fix and subject of every finding."""
    rows = examine(store, hashing=hashing).findings.to_pylist()
    return [(row["code"], row["fix"], row["subject"]) for row in rows]


def look_at_all(store: Store) -> int:
    """Verify the whole store with one process and return the number of findings."""
    request = Request(scope=Scope(), workers=1)
    return len(verify(store, request, progress=lambda done, total: None, tell=lambda outcome: None).findings)


@pytest.mark.parametrize("few", [0, 64])
def test_here_and_in_processes_the_same_is_found(root: Path, few: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Other bytes of a file and of an artifact are told alike, and progress ends at all bytes."""
    monkeypatch.setattr(contents, "FEW", few)
    for harm in DAMAGE["CAT016"]:
        harm(root)
    told: list[tuple[int, int]] = []
    rows = examine(Store(root, FAST), hashing=True, hashed=lambda done, total: told.append((done, total))).findings
    assert [(row["code"], row["fix"], row["unsafe_fixes"], row["subject"]) for row in rows.to_pylist()] == [
        ("CAT016", "restore", "accept", f"{FOLDER}/data/d/b.ttl"),
        ("CAT016", "restore", "fail", f"{FOLDER}/src/a.zip"),
    ]
    assert all("has the sha256" in row["message"] for row in rows.to_pylist())
    ((size,),) = query(
        root,
        "SELECT (SELECT sum(size_bytes) FROM artifacts) + (SELECT sum(size_bytes) FROM extracted_files)",
    )
    assert told[-1] == (size, size)


def test_what_a_verification_found_is_mended_without_hashing_all(root: Path, sound: Path) -> None:
    """Doctor hashes the suspects alone, brings them back, and says no more of them."""
    store = Store(root, FAST)
    DAMAGE["CAT016"][0](root)
    assert found(store) == []
    assert look_at_all(store) == 1
    path = f"{FOLDER}/data/d/b.ttl"
    other = root / FOLDER / "data/a.ttl"
    other.write_text("ALPHA")
    assert found(store) == [("CAT016", "restore", path)]
    for repair in plan_repairs(store, examine(store).findings, read_choices(["safe"], None)):
        assert carry_out(store, repair).receipt.changed
    assert found(store) == []
    assert (root / path).read_bytes() == (sound / path).read_bytes()
    # what no verification has seen is still found by hashing all
    assert [subject for _, _, subject in found(store, hashing=True)] == [f"{FOLDER}/data/a.ttl"]


def test_what_a_later_verification_found_intact_is_no_suspect(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is whole again and verified is not hashed by doctor."""
    store = Store(root, FAST)
    path = root / FOLDER / "data/d/b.ttl"
    before = path.read_bytes()
    DAMAGE["CAT016"][0](root)
    assert look_at_all(store) == 1
    path.write_bytes(before)
    assert look_at_all(store) == 0
    monkeypatch.setattr(contents.hasher, "look", lambda *_: pytest.fail("a file was hashed"))
    assert found(store) == []
