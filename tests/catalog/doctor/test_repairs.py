"""Every fix mends what it is for: afterwards nothing is found, the recount agrees, and an event tells of it."""

from __future__ import annotations

import json
import logging
import shutil
from pathlib import Path

import pytest

from ontofetch_catalog.catalog.boundaries import carry_out
from ontofetch_catalog.catalog.connection import Store
from ontofetch_catalog.catalog.doctor.examine import examine
from ontofetch_catalog.catalog.doctor.plan import REPAIRS, plan_repairs, read_choices
from ontofetch_catalog.errors import OntofetchError, UsageError
from tests.catalog.doctor import damage
from tests.catalog.doctor.conftest import FAST
from tests.catalog.doctor.damage import DAMAGE, FOLDER, Damage
from tests.releases import assert_consistent, query, snapshot

pytestmark = pytest.mark.usefixtures("quick_databases")


def mend(root: Path, *words: str, prefer: str | None = None, hashing: bool = False) -> list[str]:
    """Carry out what the words ask for and return the names of the fixes."""
    store = Store(root, FAST)
    found = examine(store, hashing=hashing).findings
    repairs = plan_repairs(store, found, read_choices(words, prefer))
    for repair in repairs:
        carry_out(store, repair)
    return [repair.fix for repair in repairs]


def left(root: Path, *, hashing: bool = False) -> list[str]:
    """Return the codes that are still found."""
    return examine(Store(root, FAST), hashing=hashing).findings["code"].to_pylist()


# a fix and the damage it is tried on; what a test of its own looks at is named there
FIXES: list[tuple[str, str, Damage]] = [
    ("CAT002", "quarantine", damage._unreadable_intent),
    ("CAT002", "quarantine", damage._unreadable_json),
    ("CAT005", "migrate", damage._schema_behind),
    ("CAT008", "accept", damage._behind),
    ("CAT009", "write", damage._record_gone),
    ("CAT009", "write", damage._record_unreadable),
    ("CAT011", "deduplicate", damage._equal_rows),
    ("CAT011", "keep-newest", damage._differing_rows),
    ("CAT012", "drop", damage._dangling_result),
    ("CAT012", "drop", damage._dangling_release),
    ("CAT012", "drop", damage._dangling_pointer),
    ("CAT012", "drop", damage._dangling_origin),
    ("CAT031", "recompute", damage._key_other),
    ("CAT031", "recompute", damage._key_gone),
    ("CAT032", "recompute", damage._origin_gone),
    ("CAT013", "adopt", damage._file_without_row),
    ("CAT013", "adopt", damage._source_without_row),
    ("CAT013", "quarantine", damage._file_without_row),
    ("CAT014", "restore", damage._file_gone),
    ("CAT014", "restore", damage._folder_gone),
    ("CAT014", "restore", damage._artifact_gone),
    ("CAT014", "drop", damage._file_gone),
    ("CAT014", "drop", damage._artifact_gone),
    ("CAT015", "restore", damage._file_cut),
    ("CAT015", "restore", damage._artifact_cut),
    ("CAT015", "accept", damage._file_cut),
    ("CAT016", "restore", damage._file_flipped),
    ("CAT016", "restore", damage._artifact_flipped),
    ("CAT016", "accept", damage._file_flipped),
    ("CAT017", "restore", damage._link_for_file),
    ("CAT017", "quarantine", damage._link_without_row),
    ("CAT017", "quarantine", damage._pipe_without_row),
    ("CAT019", "catalog", damage._latest_gone),
    ("CAT019", "catalog", damage._latest_other),
    ("CAT019", "catalog", damage._latest_garbage),
    ("CAT019", "disk", damage._latest_other),
    ("CAT020", "rewrite", damage._manifest_gone),
    ("CAT020", "rewrite", damage._manifest_other),
    ("CAT021", "rewrite", damage._extract_audit_gone),
    ("CAT021", "rewrite", damage._extract_audit_other),
    ("CAT021", "rewrite", damage._validation_audit_cut),
    ("CAT021", "rewrite", damage._rows_changed),
    ("CAT022", "quarantine", damage._forgotten_stage),
    ("CAT023", "purge", damage._old_quarantine),
    ("CAT024", "chmod", damage._writable_root),
    ("CAT024", "chmod", damage._writable_database),
    ("CAT035", "drop", damage._terms_gone),
    ("CAT035", "drop", damage._terms_cut),
    ("CAT035", "drop", damage._terms_damaged),
    ("CAT036", "adopt", damage._terms_without_row),
    ("CAT036", "quarantine", damage._terms_without_row),
    ("CAT036", "quarantine", damage._terms_of_a_stranger),
    ("CAT037", "drop", damage._facts_nobody_holds),
    ("CAT038", "recompute", damage._found_by_another_content),
    ("CAT038", "recompute", damage._found_by_another_name),
    ("CAT033", "quarantine", damage._document_of_a_stranger),
    ("CAT033", "quarantine", damage._intent_of_a_stranger),
    ("CAT033", "quarantine", damage._stage_of_a_stranger),
    ("CAT033", "quarantine", damage._link_of_a_stranger),
    ("CAT028", "adopt", damage._release_without_rows),
    ("CAT028", "quarantine", damage._release_without_rows),
]


@pytest.mark.parametrize(("code", "fix", "harm"), FIXES, ids=lambda value: getattr(value, "__name__", value))
def test_a_fix_mends_its_finding(root: Path, code: str, fix: str, harm: Damage) -> None:
    """After the fix that was asked for nothing is found, rows and disk agree by a recount, and there is an event."""
    harm(root)
    assert mend(root, f"{code}={fix}", hashing=code in ("CAT016", "CAT035")) == [fix]
    assert left(root, hashing=True) == []
    assert_consistent(root)
    payload = json.loads(query(root, "SELECT payload FROM events WHERE type = 'doctor.fixed'")[-1][0])
    assert (payload["code"], payload["fix"]) == (code, fix)


def test_every_fix_is_tried() -> None:
    """No fix goes untested; those of failed artifacts have tests of their own."""
    tried = {(code, fix) for code, fix, _ in FIXES}
    assert tried | {("CAT014", "fail"), ("CAT015", "fail"), ("CAT016", "fail")} == set(REPAIRS)


@pytest.mark.parametrize("code", ["CAT014", "CAT015", "CAT016"])
def test_an_artifact_can_be_marked_as_failed(root: Path, code: str) -> None:
    """A lost or damaged artifact that is marked as failed is no finding any more; row and files stay."""
    DAMAGE[code][-1](root)
    assert mend(root, f"{code}=fail", hashing=True) == ["fail"]
    assert left(root, hashing=True) == []
    assert query(root, f"SELECT status FROM artifacts WHERE version_id = '{damage.VERSION}'") == [("failed",)]
    assert query(root, f"SELECT count(*) FROM extracted_files WHERE version_id = '{damage.VERSION}'") == [(3,)]


def test_what_was_lost_comes_back_as_it_was(root: Path, sound: Path) -> None:
    """All files of a release, deleted, come back from its archive with their contents and times."""
    shutil.rmtree(root / FOLDER / "data")
    assert mend(root, "safe") == ["restore"]
    before, after = snapshot(sound / FOLDER / "data"), snapshot(root / FOLDER / "data")
    assert {path: state[1:] for path, state in after.items()} == {path: state[1:] for path, state in before.items()}


def test_a_damaged_archive_restores_nothing(root: Path) -> None:
    """If the archive is damaged too, the fix fails with a sentence and changes nothing but the event."""
    damage._file_gone(root)
    damage._artifact_flipped(root)
    before = snapshot(root)
    with pytest.raises(OntofetchError, match="not whole itself"):
        mend(root, "safe")
    assert snapshot(root) == before
    assert left(root) == ["CAT014"]
    assert query(root, "SELECT count(*) FROM events WHERE type = 'doctor.rolled_back'") == [(1,)]


def test_what_a_fix_replaces_is_kept(root: Path) -> None:
    """A damaged file that gives way to its original waits in quarantine."""
    damage._file_cut(root)
    mend(root, "safe")
    kept = [path for path in (root / ".catalog/quarantine").rglob("b.ttl") if path.read_text() == "be"]
    assert len(kept) == 1


def test_safe_fixes_leave_the_unsafe_ones_alone(root: Path) -> None:
    """Without a name only what loses nothing is mended."""
    for harm in (damage._file_without_row, damage._file_gone, damage._manifest_gone, damage._latest_other):
        harm(root)
    assert sorted(mend(root, "safe")) == ["restore", "rewrite"]
    assert left(root) == ["CAT013", "CAT019"]


def test_the_preferred_side_decides(root: Path) -> None:
    """With --prefer the pointer or the file counts, beside the safe fixes."""
    damage._latest_other(root)
    assert mend(root, "safe", prefer="disk") == ["disk"]
    assert query(root, "SELECT version_id FROM latest_pointer ORDER BY updated_at DESC LIMIT 1") == [(damage.VERSION,)]
    assert left(root) == []


def test_a_finding_that_went_away_is_not_mended(root: Path, sound: Path) -> None:
    """What the fix was planned on is looked at again under the lock."""
    damage._file_without_row(root)
    store = Store(root, FAST)
    repairs = plan_repairs(store, examine(store).findings, read_choices(["CAT013=quarantine"], None))
    (root / FOLDER / "data/d/new.ttl").unlink()
    outcome = carry_out(store, repairs[0])
    assert not outcome.receipt.changed
    assert outcome.committed.type == "doctor.unchanged"


def test_a_fix_can_name_several_kinds_at_once(root: Path) -> None:
    """Different findings, of rows, files and documents, are mended in one go."""
    for code in ("CAT011", "CAT013", "CAT014", "CAT019", "CAT020", "CAT021", "CAT022"):
        DAMAGE[code][0](root)
    mend(root, "safe", "CAT013=quarantine", "CAT022")
    assert left(root) == []
    assert_consistent(root)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["CAT999"], "no finding"),
        (["CAT014=paint"], "no fix 'paint'"),
        (["CAT003"], "has no fix"),
        (["CAT013"], "several ways"),
    ],
)
def test_what_is_asked_for_must_exist(root: Path, words: list[str], sentence: str) -> None:
    """A wrong code, a wrong fix, or a choice that is left open is an error of usage."""
    damage._file_without_row(root)
    with pytest.raises(UsageError, match=sentence):
        mend(root, *words)


def test_a_row_that_climbs_out_of_the_store_moves_nothing(root: Path, tmp_path: Path) -> None:
    """No fix touches what a hostile row points at outside of the store."""
    outside = tmp_path / "outside.txt"
    outside.write_text("mine")
    damage.execute(
        root,
        "INSERT INTO extracted_files SELECT * REPLACE ('../../../../../outside.txt' AS relpath) FROM extracted_files"
        f" WHERE version_id = '{damage.VERSION}' LIMIT 1",
    )
    logging.getLogger("ontofetch").setLevel(logging.CRITICAL)
    mend(root, "safe", "CAT014=drop")
    assert outside.read_text() == "mine"
    assert "CAT027" in left(root)
