"""The lines of an audit are the same, whether files are put in order at once, some at a time, or of many releases."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pyarrow as pa
import pytest

from ontofetch_catalog.catalog import sessions
from ontofetch_catalog.catalog.connection import Store
from ontofetch_catalog.catalog.doctor import documents
from ontofetch_catalog.catalog.doctor.examine import examine
from ontofetch_catalog.catalog.rebuild.recording import reader
from ontofetch_catalog.catalog.remembering import Memory, remembering
from ontofetch_catalog.catalog.repo import audit_lines, audits, notes, origins, releases, validations
from ontofetch_hookspecs.layout import EXTRACT_AUDIT, VALIDATION_AUDIT
from ontofetch_hookspecs.store_paths import StorePath
from tests.releases import Releases, results_table

NAMES = ["a", "a/b", "a'b", 'a"b', "ä", "Z", "\U0001d518", "\ufffd", *(f"d/{number:02d}" for number in range(40))]


@pytest.mark.parametrize("at_once", [1, 3, 1000])
def test_parts_make_the_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: int) -> None:
    """Wherever the bounds of parts lie, every file has its line, in the order of all."""
    store = Releases(tmp_path / "store", settings={"durability": "off"})
    store.pull("1.0", {f"{name}.ttl": name for name in NAMES})
    store.pull("2.0", {"a.ttl": "other"})
    version_id = "example/sample/1.0"
    monkeypatch.setattr(audit_lines, "_IN_PART", at_once)
    monkeypatch.setattr(audit_lines, "_SAMPLED", 20)
    with sessions.reading(Store(store.root, {"durability": "off"})) as connection:
        whole = b"".join(audit_lines.audit_lines(connection, version_id))
        parts = [bytes(part) for part in audit_lines.audit_lines_in_parts(connection, version_id)]
    assert b"".join(parts) == whole
    assert whole.count(b"\n") == len(NAMES)
    assert (len(parts) > 1) == (at_once < len(NAMES))


def test_digests_are_those_of_the_files(tmp_path: Path) -> None:
    """Of many releases at once, with results and without, and of one that has neither."""
    store = Releases(tmp_path / "store", settings={"durability": "off"})
    names = [f"example/sample/{number}.0" for number in range(4)]
    for number, name in enumerate(names):
        store.pull(name.rpartition("/")[2], {f"{each}.ttl": f"{each} {number}" for each in NAMES[: 4 + number]})
    with sessions.reading(Store(store.root, {"durability": "off"})) as connection:
        extracted = audit_lines.audit_digests(connection, [*names, "example/sample/none"])
        validated = validations.audit_digests(connection, names)
        counted = audit_lines.count_lines(connection)
    for found, file in ((extracted, EXTRACT_AUDIT), (validated, VALIDATION_AUDIT)):
        there = {name: store.root / name / file for name in names}
        written = {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in there.items() if path.exists()}
        assert found == written
    assert set(extracted) == set(validated) == set(names)
    assert counted == {
        name: sum(_lines(store.root / name / file) for file in (EXTRACT_AUDIT, VALIDATION_AUDIT)) for name in names
    }


def _lines(path: Path) -> int:
    return path.read_bytes().count(b"\n") if path.exists() else 0


def test_what_is_read_ahead_is_what_is_asked(tmp_path: Path) -> None:
    """Each release by itself, and some at once, have the same artifacts, origins and notes."""
    store = Releases(tmp_path / "store", settings={"durability": "off"})
    for version in ("1.0", "2.0", "3.0"):
        store.pull(version, {"a.ttl": version})
    names = [f"example/sample/{version}" for version in ("1.0", "2.0", "3.0", "none")]
    with sessions.reading(Store(store.root, {"durability": "off"})) as connection:
        memory = Memory()
        known = remembering(connection, memory)
        releases.read_artifacts_ahead(known, names)
        origins.read_origins_ahead(known, names)
        notes.read_notes_ahead(known, names)
        for find in (releases.find_artifacts, origins.find_origins, notes.find_notes):
            asked = [find(connection, name) for name in names]
            assert [find(known, name) for name in names] == asked
            assert bool(asked[0]) == (find is not notes.find_notes)
        assert len(memory._rows) == 3 * len(names)


@pytest.mark.parametrize("at_once", [1, 150, 10_000])
def test_doctor_finds_what_differs_whatever_it_looks_at_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    """A manifest and audits that say something else, whether releases are looked at one by one or together."""
    monkeypatch.setattr(documents, "_AT_ONCE", at_once)
    store = Releases(tmp_path / "store", settings={"durability": "off"})
    for version in ("1.0", "2.0", "3.0"):
        store.pull(version, {"a.ttl": version, "b.ttl": "b"})
    (store.root / "example/sample/1.0/manifest.json").write_text("{}")
    (store.root / "example/sample/2.0" / EXTRACT_AUDIT).unlink()
    (store.root / "example/sample/3.0" / EXTRACT_AUDIT).write_text("")
    found = examine(Store(store.root, {"durability": "off"})).findings
    assert sorted(zip(found["code"].to_pylist(), found["version_id"].to_pylist(), strict=True)) == [
        ("CAT020", "example/sample/1.0"),
        ("CAT021", "example/sample/2.0"),
        ("CAT021", "example/sample/3.0"),
    ]


@pytest.mark.parametrize("length", [1 << 16, (1 << 20) + 1])
def test_a_long_line_is_read_back(tmp_path: Path, length: int) -> None:
    """A result may say more than is usually read at once, and nothing of the lines before it is there twice."""
    store = Releases(tmp_path / "store", settings={"durability": "off"})
    texts = {"a.ttl": "a", "b.ttl": "b"}
    store.pull("1.0", texts)
    said = results_table(texts)
    details = [json.dumps({"reason": "x" * length}), *said["details"].to_pylist()[1:]]
    said = said.set_column(said.column_names.index("details"), "details", pa.array(details))
    store.validate("1.0", said)
    with reader() as connection:
        path = StorePath(store.root, f"example/sample/1.0/{VALIDATION_AUDIT}")
        pages = list(audits.read_results(connection, [audits.Audit("example/sample/1.0", path)]))
    assert sorted(text for page in pages for text in page.rows["details"].to_pylist()) == sorted(details)
