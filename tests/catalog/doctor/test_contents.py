"""Contents are hashed when that is asked for, by many processes when there are many, or where a verification spoke."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from ontofetch_catalog.catalog.boundaries import carry_out
from ontofetch_catalog.catalog.connection import Store
from ontofetch_catalog.catalog.doctor import contents
from ontofetch_catalog.catalog.doctor.examine import examine
from ontofetch_catalog.catalog.doctor.plan import plan_repairs, read_choices
from ontofetch_catalog.catalog.repo.fixity import Scope
from ontofetch_catalog.catalog.verify import Request, pages, verify
from tests.catalog.doctor.conftest import FAST
from tests.catalog.doctor.damage import DAMAGE, FOLDER
from tests.programs import Program
from tests.releases import query

ENDLESS = 1 << 40  # bytes of a file that is hashed for minutes and takes no room: all of it is a hole


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


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/proc says what a process reads")
def test_others_write_while_contents_are_hashed(root: Path, tmp_path: Path) -> None:
    """A pull in the middle of a hashing that never ends gets in; what is replaced meanwhile is no finding."""
    DAMAGE["CAT016"][0](root)
    path = root / FOLDER / "src/a.zip"
    size = path.stat().st_size
    with duckdb.connect(str(root / ".catalog/ontofetch.duckdb")) as connection:
        connection.execute("UPDATE artifacts SET size_bytes = ?", [ENDLESS])
    os.truncate(path, ENDLESS)
    (tmp_path / "new.ttl").write_text("<urn:a> a <urn:B> .\n")
    program = Program(root)
    doctor = program.start("db", "doctor", "--hash", "--json")
    try:
        _until(lambda: _is_read(path, doctor.pid))
        words = ("--service", "s", "--ontology", "o", "--version", "1", "--wait", "10")
        pull = program.run("pull", str(tmp_path / "new.ttl"), *words)
        os.truncate(path, size)
        said, complaints = doctor.communicate(timeout=60)
    finally:
        doctor.kill()
        doctor.communicate()
    assert pull.returncode == 0, pull.stderr
    assert doctor.returncode == 3, complaints
    assert said.count("CAT016") == said.count(f"The file {FOLDER}/data/d/b.ttl has the sha256") == 1


def _is_read(path: Path, parent: int) -> bool:
    """Say whether a child of a process has a file open."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            ours = f"\nPPid:\t{parent}\n" in (process / "status").read_text()
            if ours and any(os.path.realpath(found) == str(path) for found in (process / "fd").iterdir()):
                return True
        except OSError:
            # it ended meanwhile, or is somebody else's
            continue
    return False


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_no_more_than_a_page_of_rows_is_read_at_once(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many files there are, a page of them is in memory; all are hashed all the same."""
    most, read = 2, pages.fixity.read_page
    seen: list[int] = []

    def counting(*args: object, **more: object) -> object:
        page = read(*args, **more)  # type: ignore[arg-type]
        seen.append(len(page))
        return page

    monkeypatch.setattr(pages, "PAGE_ROWS", most)
    monkeypatch.setattr(pages.fixity, "read_page", counting)
    monkeypatch.setattr(contents.comparison, "list_contents", lambda *_: pytest.fail("all rows were read"))
    for harm in DAMAGE["CAT016"]:
        harm(root)
    assert [code for code, _, _ in found(Store(root, FAST), hashing=True)] == ["CAT016", "CAT016"]
    ((recorded,),) = query(root, "SELECT (SELECT count(*) FROM artifacts) + (SELECT count(*) FROM extracted_files)")
    assert sum(seen) == recorded > most
    assert max(seen) <= most


def test_rows_at_fault_are_left_to_their_own_findings(root: Path) -> None:
    """A path that leads out, a row without a hash, a release without a layout: hashing says nothing more of them."""
    with duckdb.connect(str(root / ".catalog/ontofetch.duckdb")) as connection:
        connection.execute("UPDATE extracted_files SET relpath = '../../../x' WHERE relpath = 'a.ttl'")
        connection.execute("UPDATE extracted_files SET file_id = NULL WHERE relpath = 'd/b.ttl'")
        connection.execute(
            "INSERT INTO versions BY NAME SELECT * REPLACE ('example/sample/odd' AS version_id, 'odd' AS version,"
            " 'example/sample/odd' AS fs_relpath, 'unheard-of' AS layout) FROM versions"
        )
        connection.execute(
            "INSERT INTO extracted_files SELECT * REPLACE ('example/sample/odd' AS version_id) FROM extracted_files"
        )
    store = Store(root, FAST)
    codes = {code for code, _, _ in found(store)}
    assert {code for code, _, _ in found(store, hashing=True)} == codes
    assert codes >= {"CAT026", "CAT027"}
