"""Many releases are recorded together as their documents say, a large one page by page, and none is half recorded."""

from __future__ import annotations

import json
import logging
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from ontofetch_catalog.catalog import fsops
from ontofetch_catalog.catalog.connection import Store
from ontofetch_catalog.catalog.rebuild import hashing, recording
from ontofetch_catalog.catalog.rebuild.build import rebuild
from ontofetch_catalog.catalog.repo import audits, from_documents
from ontofetch_hookspecs.layout import EXTRACT_AUDIT, MANIFEST, VALIDATION_AUDIT
from tests.catalog.rebuild.test_rebuild import FAST, left, lose, rows, sources
from tests.releases import Releases, assert_consistent, query, sha256

pytestmark = pytest.mark.usefixtures("quick_databases")

TEXTS = {f"d{number % 3}/f{number:02d}.ttl": f"text {number}" for number in range(20)}
SAMPLE = "example/sample"


def make_store(root: Path, *versions: str) -> Releases:
    """Make a store of releases of twenty files each."""
    releases = Releases(root, settings=FAST)
    for version in versions:
        releases.pull(version, TEXTS)
    return releases


def change_audit(root: Path, version: str, change: Callable[[list[str]], list[str]], name: str = EXTRACT_AUDIT) -> None:
    """Change the lines of an audit, and its digest in the manifest."""
    folder = root / SAMPLE / version
    audit, manifest = folder / name, folder / MANIFEST
    audit.write_text("".join(f"{line}\n" for line in change(audit.read_text().splitlines())))
    field = "extract_audit" if name == EXTRACT_AUDIT else "validation_audit"
    manifest.write_text(json.dumps(json.loads(manifest.read_bytes()) | {field: sha256(audit.read_bytes())}))


def test_no_release_is_held_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is recorded comes by pages, and what a page was made of is let go before the transaction ends."""
    root = tmp_path / "store"
    make_store(root, "1.0")
    before = rows(root)
    lose(root)
    monkeypatch.setattr(audits, "PAGE", 1_000)
    pages: list[tuple[str, int, weakref.ref[pa.Table]]] = []

    def watched(name: str, insert: Any) -> Any:
        def insert_page(connection: Any, page: pa.Table) -> None:
            assert [held for *_, held in pages if held() is not None] == []
            pages.append((name, len(page), weakref.ref(page)))
            insert(connection, page)

        return insert_page

    for name in ("insert_files", "insert_results"):
        monkeypatch.setattr(from_documents, name, watched(name, getattr(from_documents, name)))
    assert sources(rebuild(Store(root, FAST))) == {f"{SAMPLE}/1.0": "documents"}
    for name in ("insert_files", "insert_results"):
        sizes = [size for inserted, size, _ in pages if inserted == name]
        assert sum(sizes) == len(TEXTS)
        assert max(sizes) <= 5
    assert rows(root) == before


def test_no_release_that_is_hashed_is_held_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without documents, too, files are recorded some at a time, and let go before the transaction ends."""
    root = tmp_path / "store"
    make_store(root, "1.0")
    asked = "SELECT relpath, file_id, artifact_id, format, size_bytes FROM extracted_files ORDER BY ALL"
    before, audit = query(root, asked), (root / SAMPLE / "1.0" / EXTRACT_AUDIT).read_bytes()
    lose(root)
    for name in (MANIFEST, EXTRACT_AUDIT, VALIDATION_AUDIT):
        (root / SAMPLE / "1.0" / name).unlink()
    monkeypatch.setattr(hashing, "_AT_ONCE", 2)
    insert = from_documents.insert_files
    held: list[weakref.ref[pa.Table]] = []

    def insert_some(connection: Any, some: pa.Table) -> None:
        assert len(some) <= 2
        assert [one for one in held if one() is not None] == []
        held.append(weakref.ref(some))
        insert(connection, some)

    monkeypatch.setattr(from_documents, "insert_files", insert_some)
    assert sources(rebuild(Store(root, FAST))) == {f"{SAMPLE}/1.0": "hashed"}
    assert len(held) == (len(TEXTS) + 1) // 2 > 1
    assert query(root, asked) == before
    assert (root / SAMPLE / "1.0" / EXTRACT_AUDIT).read_bytes() == audit


def test_many_releases_take_as_many_statements_as_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are recorded together."""
    counted = []
    for versions in (("1.0",), ("1.0", "2.0", "3.0", "4.0")):
        root = tmp_path / f"store-{len(versions)}"
        make_store(root, *versions)
        before = rows(root)
        lose(root)
        statements: list[str] = []
        with monkeypatch.context() as patch:
            patch.setattr(fsops, "execute", _counting(fsops.execute, statements))
            made = rebuild(Store(root, FAST))
        assert set(sources(made).values()) == {"documents"}
        assert rows(root) == before
        counted.append(len(statements))
    assert counted[0] == counted[1]


def _counting(execute: Any, statements: list[str]) -> Any:
    def counted(connection: Any, sql: str, *arguments: Any, **others: Any) -> Any:
        statements.append(sql)
        return execute(connection, sql, *arguments, **others)

    return counted


FAULTS: dict[str, Callable[[list[str]], list[str]]] = {
    "twice": lambda lines: [lines[0], *lines],
    "twice, far from each other": lambda lines: [*lines, lines[0]],
    "no path": lambda lines: [*lines[:-1], lines[-1].replace("d2/", "../")],
    "cut short": lambda lines: [*lines[:-1], lines[-1][:-10]],
    "of another": lambda lines: [*lines[:-1], lines[-1].replace("sample/2.0", "sample/3.0")],
    "of its neighbour": lambda lines: [line.replace("sample/2.0", "sample/3.0") for line in lines],
}


@pytest.mark.parametrize("page", [500, 1 << 20])
@pytest.mark.parametrize("fault", FAULTS)
def test_one_that_is_refused_harms_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str, page: int
) -> None:
    """Of releases that are recorded together one breaks a rule at its end: nothing of it stays, all of the others."""
    root = tmp_path / "store"
    make_store(root, "1.0", "2.0", "3.0")
    before = rows(root)
    change_audit(root, "2.0", FAULTS[fault])
    lose(root)
    monkeypatch.setattr(audits, "PAGE", page)
    made = rebuild(Store(root, FAST))
    assert sources(made) == {f"{SAMPLE}/1.0": "documents", f"{SAMPLE}/2.0": "hashed", f"{SAMPLE}/3.0": "documents"}
    assert [row for row in rows(root)["validations"] if row[0] != f"{SAMPLE}/2.0"] == [
        row for row in before["validations"] if row[0] != f"{SAMPLE}/2.0"
    ]
    assert_consistent(root)
    assert left(root) == []


@pytest.mark.parametrize("name", [EXTRACT_AUDIT, VALIDATION_AUDIT])
def test_the_order_of_an_audit_does_not_matter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """What has its lines in another order has the same rows, also where it is read by pages."""
    root = tmp_path / "store"
    make_store(root, "1.0", "2.0")
    before = rows(root)
    change_audit(root, "1.0", lambda lines: lines[::-1], name)
    lose(root)
    monkeypatch.setattr(audits, "PAGE", 700)
    assert set(sources(rebuild(Store(root, FAST))).values()) == {"documents"}
    after = rows(root)
    assert (after["extracted_files"], after["validations"]) == (before["extracted_files"], before["validations"])


def test_results_of_other_files_are_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """They are told, a path of each release; the others stay, however many contents are looked at at once."""
    root = tmp_path / "store"
    make_store(root, "1.0", "2.0")
    change_audit(root, "1.0", lambda lines: [line.replace("f03.ttl", "g03.ttl") for line in lines], VALIDATION_AUDIT)
    lose(root)
    monkeypatch.setattr(from_documents, "_CONTENTS_AT_ONCE", 7)
    with caplog.at_level(logging.WARNING):
        assert set(sources(rebuild(Store(root, FAST))).values()) == {"documents"}
    told = [record.getMessage() for record in caplog.records if "are left out" in record.getMessage()]
    assert len(told) == 1
    assert "sample/1.0" in told[0]
    assert "d0/g03.ttl" in told[0]
    counted = query(root, "SELECT version_id, count(*) FROM validations GROUP BY 1 ORDER BY 1")
    assert counted == [(f"{SAMPLE}/1.0", len(TEXTS) - 1), (f"{SAMPLE}/2.0", len(TEXTS))]


def test_a_line_may_not_be_endless(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An audit without ends of lines is not read to its end, and its release is hashed."""
    root = tmp_path / "store"
    make_store(root, "1.0")
    change_audit(root, "1.0", lambda lines: ["".join(lines)])
    lose(root)
    monkeypatch.setattr(audits, "PAGE", 100)
    monkeypatch.setattr(audits, "_LONGEST", 1_000)
    assert sources(rebuild(Store(root, FAST))) == {f"{SAMPLE}/1.0": "hashed"}
    assert left(root) == []


def test_portions_keep_the_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """A large release comes alone, and small ones as long as they are few."""
    monkeypatch.setattr(recording, "_BYTES", 100)
    monkeypatch.setattr(recording, "_MOST", 3)

    class Told:
        def __init__(self, size: int) -> None:
            self.audit_bytes = size

    told: list[Any] = [Told(size) for size in (10, 10, 10, 10, 500, 60, 50, 50)]
    found = [[one.audit_bytes for one in portion] for portion in recording.together(told)]
    assert found == [[10, 10, 10], [10], [500], [60], [50, 50]]
