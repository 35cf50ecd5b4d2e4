"""The validation report against a naive model in plain Python that imports nothing of ours."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ontofetch_catalog.errors import UsageError, VersionUnknown
from tests.levels import drawn

pytestmark = pytest.mark.usefixtures("quick_databases")

NUMBERS = itertools.count()
Validated = Mapping[str, tuple[bytes, Mapping[str, bool], str]]

OLD: Validated = {
    "keeps.ttl": (b"1", {"rdf": True}, ""),
    "breaks.ttl": (b"2", {"rdf": True}, ""),
    "heals.ttl": (b"3", {"rdf": False}, "line 1\nline 2"),
    "old/moves.ttl": (b"4", {"rdf": False}, "still bad"),
    "goes.ttl": (b"5", {"rdf": True}, ""),
}
NEW: Validated = {
    "keeps.ttl": (b"1", {"rdf": True, "shape": False}, "a shape\r\nmore"),
    "breaks.ttl": (b"22", {"rdf": False}, "line 7: no dot\nsecond line"),
    "heals.ttl": (b"33", {"rdf": True}, ""),
    "new/moves.ttl": (b"4", {"rdf": True}, ""),
    "plain.txt": (b"", {}, ""),
}


def test_rates_per_validator(shelf: Any) -> None:
    """Each validator has its results, rate and what became of them since the other release."""
    shelf.add("s/o/1", OLD)
    shelf.add("s/o/2", NEW, latest=True)
    report = shelf.catalog.validation("o/latest", against="o/previous")
    columns = ("validator", "results", "passed", "failed", "pass_rate", "fixed", "regressed", "new", "removed")
    assert report["validators"].select(columns).rows() == [
        ("shape", 1, 0, 1, 0.0, 0, 0, 1, 0),
        ("rdf", 4, 3, 1, 0.75, 2, 1, 0, 1),
    ]
    summary = report["summary"].rows(named=True)[0]
    assert summary == {
        "version_id": "s/o/2",
        "against": "s/o/1",
        "files": 5,
        "passed": 2,
        "failed": 2,
        "not_judged": 0,
        "not_validated": 1,
        "results": 5,
        "pass_rate": 0.6,
        "fixed": 2,
        "regressed": 1,
        "new": 1,
        "removed": 1,
    }


def test_changes_follow_content_across_renames(shelf: Any) -> None:
    """A renamed file is the same file: its result is fixed, not removed and new; what broke comes first."""
    shelf.add("s/o/1", OLD)
    shelf.add("s/o/2", NEW)
    report = shelf.catalog.validation("o/2", against="o/1")
    columns = ("change", "validator", "relpath", "previous_relpath", "reason")
    assert report["changes"].select(columns).rows() == [
        ("REGRESSED", "rdf", "breaks.ttl", None, "line 7: no dot"),
        ("NEW", "shape", "keeps.ttl", None, "a shape"),
        ("FIXED", "rdf", "heals.ttl", None, None),
        ("FIXED", "rdf", "new/moves.ttl", "old/moves.ttl", None),
        ("REMOVED", "rdf", "goes.ttl", None, None),
    ]


def test_failures_say_why_in_a_line(shelf: Any) -> None:
    """Failing files come with the first line of the reason."""
    shelf.add("s/o/2", NEW)
    report = shelf.catalog.validation()
    assert report["failures"].select("relpath", "validator", "validator_version", "format", "reason").rows() == [
        ("breaks.ttl", "rdf", "1", "turtle", "line 7: no dot"),
        ("keeps.ttl", "shape", "1", "turtle", "a shape"),
    ]
    assert "changes" not in report
    assert report["validators"]["fixed"].null_count() == 2
    assert "fixed" not in report.as_table(width=200)


def test_by_path_lists_every_result(shelf: Any) -> None:
    """By path there is one row per result, failures first and removed ones last."""
    shelf.add("s/o/1", OLD)
    shelf.add("s/o/2", NEW)
    rows = shelf.catalog.validation("o/2", against="o/1", by="path")["paths"]
    assert rows.select("relpath", "validator", "passed", "change").rows() == [
        ("breaks.ttl", "rdf", False, "REGRESSED"),
        ("keeps.ttl", "shape", False, "NEW"),
        ("heals.ttl", "rdf", True, "FIXED"),
        ("keeps.ttl", "rdf", True, None),
        ("new/moves.ttl", "rdf", True, "FIXED"),
        ("goes.ttl", "rdf", None, "REMOVED"),
    ]
    assert shelf.catalog.validation("o/2", by="path")["paths"].height == 5


def test_history_goes_up_to_the_release(shelf: Any) -> None:
    """`last` adds the rates of the releases before, in release order, not of later ones."""
    for version in ("1.9", "1.10", "1.11"):
        shelf.add(f"s/o/{version}", NEW if version == "1.10" else OLD)
    history = shelf.catalog.validation("1.10", last=2)["history"]
    assert history.select("version_id", "validator", "results", "failed", "pass_rate").rows() == [
        ("s/o/1.9", "rdf", 5, 2, 0.6),
        ("s/o/1.10", "rdf", 4, 1, 0.75),
        ("s/o/1.10", "shape", 1, 1, 0.0),
    ]


def test_a_release_without_results(shelf: Any) -> None:
    """Nothing validated is no division by zero: no rates, everything not validated."""
    shelf.add("s/o/1", {"a": b"1"})
    report = shelf.catalog.validation()
    assert report["validators"].is_empty()
    row = report["summary"].rows(named=True)[0]
    assert (row["files"], row["passed"], row["failed"], row["not_validated"]) == (1, 0, 0, 1)
    assert row["pass_rate"] is None


def test_wrong_questions_are_sentences(shelf: Any) -> None:
    """Unknown releases and ways to group are errors."""
    shelf.add("s/o/1", {})
    with pytest.raises(VersionUnknown):
        shelf.catalog.validation(against="nothing")
    with pytest.raises(UsageError, match="validator, format, path"):
        shelf.catalog.validation(by="folder")


outcomes = st.dictionaries(st.sampled_from(["rdf", "shape"]), st.booleans())
contents = st.sampled_from([b"", b"1", b"22"])
releases = st.dictionaries(
    st.sampled_from(["a.ttl", "b.ttl", "x/a.ttl", "x/c.obo"]), st.tuples(contents, outcomes, st.just("bad")), max_size=4
)


@settings(max_examples=drawn(25), deadline=None)
@given(old=releases, new=releases)
def test_sums_equal_a_recount(open_shelf: Any, old: Validated, new: Validated) -> None:
    """For any pair, the numbers per validator and format and the kinds of change are those of a recount."""
    number = next(NUMBERS)
    first = open_shelf.add(f"v/o{number}/1", old)
    second = open_shelf.add(f"v/o{number}/2", new)
    report = open_shelf.catalog.validation(second, against=first)
    results = [(path, name, passed) for path, (_, found, _) in new.items() for name, passed in found.items()]
    counted = Counter((name, passed) for _, name, passed in results)
    rows = {row["validator"]: row for row in report["validators"].rows(named=True)}
    for name in {name for _, name, _ in results}:
        assert (rows[name]["passed"], rows[name]["failed"]) == (counted[name, True], counted[name, False])
    summary = report["summary"].rows(named=True)[0]
    assert summary["results"] == len(results)
    assert summary["failed"] == sum(not all(found.values()) for _, found, _ in new.values())
    assert summary["not_validated"] == sum(not found for _, found, _ in new.values())
    kinds = Counter(report["changes"]["change"].to_list())
    before = sum(len(found) for _, found, _ in old.values())
    paired = before - kinds["REMOVED"]
    assert len(results) == paired + kinds["NEW"]
    assert [kinds[kind.upper()] for kind in ("fixed", "regressed", "new", "removed")] == [
        summary[kind] for kind in ("fixed", "regressed", "new", "removed")
    ]
    for kind in ("fixed", "regressed", "new", "removed"):
        assert report["validators"][kind].sum() == summary[kind]
    by_path = open_shelf.catalog.validation(second, against=first, by="path")["paths"]
    assert by_path.filter(by_path["passed"].is_not_null()).height == len(results)
