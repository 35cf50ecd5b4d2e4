"""Facts go and come back with what holds them: prune, restore and purge, backup, a lost catalog."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import lzma
import shutil
import time
from pathlib import Path
from typing import Any

import pytest

from ontofetch_catalog.catalog.backup import back_up, restore
from ontofetch_catalog.catalog.connection import Store
from ontofetch_catalog.catalog.doctor.examine import examine
from ontofetch_catalog.catalog.prune import planning
from ontofetch_catalog.catalog.rebuild.build import rebuild
from ontofetch_catalog.catalog.verify import Request, Scope, verify
from ontofetch_hookspecs.testing import sample_validate_done
from tests.catalog.prune.stores import MONTH, carry_out, plan
from tests.facts import facts_table, record_facts, stage_facts
from tests.releases import Releases, query, results_table

pytestmark = pytest.mark.usefixtures("quick_databases")

FAST = {"durability": "off"}
OLD = {"a.ttl": "in both", "b.ttl": "in the old one", "c.ttl": "the same"}
NEW = {"a.ttl": "in both", "b.ttl": "in the new one"}


@pytest.fixture
def releases(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Releases:
    """Return a store with two releases that share a content, and a clock that is a month ahead."""
    monkeypatch.setattr(planning, "clock", lambda: time.time_ns() + MONTH)
    made = Releases(tmp_path / "store", settings=FAST)
    for version, texts in (("1.0", OLD), ("2.0", NEW)):
        made.pull(version, texts)
        record_facts(made, version, texts)
    return made


def held(root: Path) -> dict[str, Any]:
    """Return the rows of facts, and the tables of terms with their content."""
    folder = root / ".catalog/facts"
    tables = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    rows = {name: query(root, f"SELECT * FROM {name} ORDER BY ALL") for name in ("file_facts", "ontology_heads")}
    return rows | {"tables": tables}


def codes(root: Path) -> list[str]:
    """Return what doctor finds, everything hashed."""
    return list(examine(Store(root, FAST), hashing=True).findings["code"].to_pylist())


def test_facts_leave_with_the_last_release_that_holds_them(releases: Releases) -> None:
    """A prune takes those of its release alone, a restore brings them back as they were, a purge frees them."""
    root = releases.root
    before = held(root)
    assert len(before["tables"]) == 4
    plan_id = plan(root, keep_last=1)
    carry_out(root, "apply", plan_id)
    pruned = held(root)
    assert len(pruned["tables"]) == len(pruned["file_facts"]) == len(pruned["ontology_heads"]) == 2
    assert set(pruned["tables"]) < set(before["tables"])
    assert codes(root) == []
    carry_out(root, "restore", plan_id)
    assert held(root) == before
    assert codes(root) == []
    again = plan(root, keep_last=1)
    carry_out(root, "apply", again)
    carry_out(root, "purge", again)
    assert held(root) == pruned
    # what a release keeps of itself beside its plan is gone
    assert not list((root / ".catalog/plans" / again).rglob("*.parquet"))


def test_facts_that_were_found_again_meanwhile_stay(releases: Releases) -> None:
    """A release with a content that was pruned finds its facts anew; the restore leaves these."""
    root = releases.root
    plan_id = plan(root, keep_last=1)
    carry_out(root, "apply", plan_id)
    texts = {"again.ttl": OLD["b.ttl"]}
    releases.pull("3.0", texts)
    record_facts(releases, "3.0", texts, triples=5)
    now = held(root)
    carry_out(root, "restore", plan_id)
    after = held(root)
    assert set(now["file_facts"]) < set(after["file_facts"])
    assert now["tables"].items() < after["tables"].items()
    assert len(after["tables"]) == 4
    assert codes(root) == []


@pytest.mark.parametrize("include_data", [False, True])
def test_a_backup_holds_the_facts(releases: Releases, tmp_path: Path, include_data: bool) -> None:
    """They come back, in an empty place and where some of them are lost, also out of a backup without data."""
    root = releases.root
    before = held(root)
    path = tmp_path / "backup"
    made, _ = back_up(Store(root, FAST), path, include_data=include_data, key=None, progress=lambda *_: None)
    assert not made.missing
    assert not made.damaged
    shutil.rmtree(root / ".catalog/facts" / min(before["tables"])[:2])
    for place in (root, tmp_path / "elsewhere"):
        restore(Store(place, FAST), path, key=None, progress=lambda *_: None)
        assert held(place) == before
        if include_data or place == root:
            assert codes(place) == []


def test_a_lost_catalog_learns_the_facts_from_the_tables(releases: Releases) -> None:
    """Every table says of itself what is known of its content."""
    root = releases.root
    before = held(root)
    for path in (root / ".catalog").glob("ontofetch.duckdb*"):
        path.unlink()
    (root / ".catalog/generation.json").unlink()
    rebuild(Store(root, FAST))
    after = held(root)
    assert after["tables"] == before["tables"]
    assert after["ontology_heads"] == before["ontology_heads"]
    # but for the time at which they were recorded
    assert [row[:-1] for row in after["file_facts"]] == [row[:-1] for row in before["file_facts"]]
    assert codes(root) == []


def test_a_lost_catalog_learns_the_facts_of_compressed_files(tmp_path: Path) -> None:
    """The content of a table may be inside of several files; damaged ones, bombs and others are passed by."""
    made = Releases(tmp_path / "store", settings=FAST)
    inside = b"<urn:a> a <urn:b> ."
    content = hashlib.sha256(inside).hexdigest()
    files = {
        "a.ttl.gz": gzip.compress(inside),
        "b.ttl.xz": lzma.compress(inside),
        "c.ttl.gz": gzip.compress(inside)[:-9],
    }
    files |= {"d.ttl.gz": gzip.compress(b"0" * 20_000_000), "e.ttl": b"other", "f.ttl.bz2": bz2.compress(b"more")}
    made.pull("1.0", files)
    same = [files["a.ttl.gz"], files["b.ttl.xz"]]
    stage, table = stage_facts(made.root, {"a.ttl": inside.decode()})
    rows = [table.to_pylist()[0] | {"file_id": hashlib.sha256(data).hexdigest()} for data in same]
    event = sample_validate_done(
        made.root, results_table(files), version_id="example/sample/1.0", facts=facts_table(rows),
        staged=stage.path / "facts",
    )  # fmt: skip
    made.manager.hook.on_validate_done(event=event)
    stage.discard()
    before = held(made.root)
    assert {row[0] for row in before["file_facts"]} == {hashlib.sha256(data).hexdigest() for data in same}
    for path in (made.root / ".catalog").glob("ontofetch.duckdb*"):
        path.unlink()
    (made.root / ".catalog/generation.json").unlink()
    rebuild(Store(made.root, FAST))
    after = held(made.root)
    assert [row[:-1] for row in after["file_facts"]] == [row[:-1] for row in before["file_facts"]]
    assert after["ontology_heads"] == before["ontology_heads"]
    assert codes(made.root) == []
    assert content in str(after["file_facts"])


def test_a_verification_reads_the_tables_too(releases: Releases) -> None:
    """What it finds damaged doctor looks at again, and mends."""
    root = releases.root
    path = root / ".catalog/facts" / min(held(root)["tables"])
    data = path.read_bytes()
    sound = verify(Store(root, FAST), Request(scope=Scope()), progress=lambda *_: None, tell=lambda _: None)
    assert (len(sound.findings), sound.checked_files) == (0, sound.files)
    assert sound.files == 2 + len(OLD) + len(NEW) + 4
    path.write_bytes(data[:-1] + b"?")
    assert list(examine(Store(root, FAST)).findings["code"].to_pylist()) == []
    found = verify(Store(root, FAST), Request(scope=Scope()), progress=lambda *_: None, tell=lambda _: None)
    (finding,) = found.findings.to_pylist()
    assert (finding["kind"], finding["outcome"], root / finding["path"]) == ("terms", "damaged", path)
    assert list(examine(Store(root, FAST)).findings["code"].to_pylist()) == ["CAT035"]
