"""What changed in meaning between two releases: one category per term, pairs of files, headers, what is not known."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ontofetch_catalog.analytics import Catalog
from ontofetch_catalog.analytics.columns import TERM_CHANGES
from ontofetch_catalog.analytics.reports import meaning_series
from ontofetch_catalog.analytics.sources.catalog import MOST_BYTES_OF_FACTS
from ontofetch_catalog.catalog.repo.facts import table_path
from ontofetch_catalog.errors import CatalogUnreadable, UsageError
from ontofetch_catalog.settings_table import SETTINGS
from tests.analytics.meanings import Said, Term, add, content_of, ex, head, term_rows
from tests.levels import drawn

pytestmark = pytest.mark.usefixtures("quick_databases")

IRI = "http://example.org/ex"
BASE = {
    ex(1): Term("root"),
    ex(2): Term("liver", "An organ.", (ex(1),)),
    ex(3): Term("kidney", "Another organ.", (ex(1),)),
    ex(4): Term("spleen", "A third organ.", (ex(1),)),
    ex(5): Term("old thing", "No longer used.", (ex(1),)),
    ex(6): Term("merged thing", None, (ex(1),)),
    ex(7): Term("obsolete back", None, (), deprecated=True),
    ex(8): Term("gone", None, (ex(1),)),
    ex(9): Term("with axiom", None, (ex(1),), other=("some x y",)),
}
NEXT = {
    ex(1): Term("root"),
    ex(2): Term("hepar", "An organ, larger.", (ex(1),)),
    ex(3): Term("kidney", "The other organ.", (ex(1),)),
    ex(4): Term("spleen", "A third organ.", (ex(2),)),
    ex(5): Term("obsolete old thing", "OBSOLETE. No longer used.", (), deprecated=True, replaced_by=(ex(2),)),
    ex(3_3): Term("new thing", None, (ex(1),), alt_ids=(ex(6),)),
    ex(7): Term("back", None, (ex(1),)),
    ex(9): Term("with axiom", None, (ex(1),), other=("some x z",)),
}
RDF, OWL = "3+pyoxigraph-1.0", "3+py-horned-owl-2.0+pyoxigraph-1.0"  # versions of facts


@pytest.fixture
def two(shelf: Any) -> Any:
    """Return a store with two releases of one file."""
    add(shelf, "s/o/1", {"ex.owl": Said(BASE, [head(IRI, version_info="1", imports=["http://example.org/a"])])})
    said = Said(NEXT, [head(IRI, version_info="2", license="CC0", imports=["http://example.org/b"])])
    add(shelf, "s/o/2", {"ex.owl": said}, latest=True)
    return shelf


def changes_of(result: Any) -> dict[str, tuple[Any, ...]]:
    """Return iri → change, before, after, also."""
    rows = result["changes"].select("iri", "change", "before", "after", "also").rows()
    assert len({row[0] for row in rows}) == len(rows)
    return {row[0]: row[1:] for row in rows}


def test_each_changed_term_has_one_category(two: Any) -> None:
    """Before and after stand on one line with labels; what an obsoletion rewrites is not told again."""
    result = two.catalog.report("meaning")
    assert changes_of(result) == {
        ex(2): ("relabelled", "liver", "hepar", "redefined"),
        ex(3): ("redefined", "Another organ.", "The other organ.", None),
        ex(4): ("moved", "root", "hepar", None),
        ex(5): ("obsoleted", None, "hepar", None),
        ex(6): ("merged", None, "new thing", None),
        ex(7): ("revived", None, None, None),
        ex(8): ("removed", None, None, None),
        ex(33): ("added", None, None, None),
        ex(9): ("other", None, None, "other axioms"),
    }
    kinds = dict(result["kinds"].rows())
    assert kinds == {**dict.fromkeys(kinds, 1), "namespace": 0}
    assert result["summary"].select("a", "b", "terms").row(0) == ("s/o/1", "s/o/2", 9)


def test_headers_are_a_section_of_their_own(two: Any) -> None:
    """Version, licence and imports are not terms."""
    rows = two.catalog.report("meaning")["ontologies"].select("field", "before", "after").rows()
    assert set(rows) == {
        ("version_info", "1", "2"),
        ("license", None, "CC0"),
        ("imports", "http://example.org/a", "http://example.org/b"),
    }


def test_statements_are_counted_as_multisets(two: Any) -> None:
    """What one side has more often than the other, over all terms and what belongs to none."""
    lines = [Counter(line for row in term_rows(Said(terms)) for line in row["lines"]) for terms in (BASE, NEXT)]
    pair = two.catalog.report("meaning")["files"].row(0, named=True)
    assert pair["triples_added"] == (lines[1] - lines[0]).total()
    assert pair["triples_removed"] == (lines[0] - lines[1]).total()


def files_of(shelf: Any, a: dict[str, Any], b: dict[str, Any]) -> set[tuple[Any, ...]]:
    """Return state, file in A, file in B, how they were paired."""
    add(shelf, "s/o/1", a)
    add(shelf, "s/o/2", b, latest=True)
    found = shelf.catalog.report("meaning")
    return set(found["files"].select("state", "file_a", "file_b", "paired_by").rows())


def test_files_are_paired_by_path_then_ontology_then_terms(shelf: Any) -> None:
    """A file that is new beside those of its kind is compared with the last of them; nothing is paired twice else."""
    moved, changed = Said(BASE, [head("http://example.org/m")]), Said(NEXT, [head("http://example.org/m")])
    old, new = Said(BASE, [head(f"{IRI}/1.9/x")]), Said(NEXT, [head(f"{IRI}/1.10/x")])
    first = Said({ex(1): Term("x")}, [head(f"{IRI}/1.8/x")])
    many = {ex(100 + at): Term(f"t{at}") for at in range(10)}
    found = files_of(
        shelf,
        {"1.8/x.ttl": first, "1.9/x.ttl": old, "m.owl": moved, "lost.owl": Said(many), "README.txt": b"1"},
        {
            "1.8/x.ttl": first, "1.9/x.ttl": old, "1.10/x.ttl": new, "n/m2.owl": changed,
            "found.owl": Said(many | {ex(110): Term("t")}), "lone.owl": Said({ex(999): Term("alone")}), "b.txt": b"2",
        },
    )  # fmt: skip
    assert found == {
        ("unchanged", "1.8/x.ttl", "1.8/x.ttl", "path"),
        ("unchanged", "1.9/x.ttl", "1.9/x.ttl", "path"),
        ("changed", "1.9/x.ttl", "1.10/x.ttl", "IRI without digits, new"),
        ("changed", "m.owl", "n/m2.owl", "ontology IRI"),
        ("changed", "lost.owl", "found.owl", "overlap of terms"),
        ("only in B", None, "lone.owl", "none"),
    }


def test_a_folder_of_another_version_has_the_same_ontology(shelf: Any) -> None:
    """The path and the IRI have another number; numbers aside they are one."""
    found = files_of(
        shelf, {"1.4/x.ttl": Said(BASE, [head(f"{IRI}/1.4/x")])}, {"1.5/x.ttl": Said(NEXT, [head(f"{IRI}/1.5/x")])}
    )
    assert found == {("changed", "1.4/x.ttl", "1.5/x.ttl", "IRI without digits")}


@pytest.mark.parametrize(
    ("a", "b", "state", "section"),
    [
        (Said(BASE), Said(BASE, bytes=b"other bytes"), "reserialised", "reserialised"),
        (Said(BASE), Said(BASE, bytes=b"other bytes", exact=False), "not exact", "not_exact"),
        (
            Said(BASE, [head(IRI, version_info="1")]),
            Said(NEXT, [head(IRI, version_info="1")]),
            "same version other graph",
            "same_version",
        ),
        (
            Said(BASE, [head(IRI, version_info="1")]),
            Said(BASE, [head(IRI, version_info="2")]),
            "other version same terms",
            "other_version",
        ),
        (Said(BASE), Said(NEXT, known=False), "not compared", "not_compared"),
        (Said(BASE), Said(NEXT, facts_version="2+test-1"), "not compared", "not_compared"),
        (Said(BASE, facts_version=RDF), Said(BASE, bytes=b"as OWL", facts_version=OWL), "reserialised", "reserialised"),
        (
            Said(BASE, facts_version=OWL),
            Said(BASE, bytes=b"as RDF", facts_version=RDF.replace("1.0", "1.1")),
            "not compared",
            "not_compared",
        ),
        (
            Said(BASE, facts_version=OWL),
            Said(BASE, bytes=b"as OWL", facts_version=OWL.replace("2.0", "2.1")),
            "not compared",
            "not_compared",
        ),
        (Said(BASE), Said(NEXT, kind="obo"), "not compared", "not_compared"),
        (Said(BASE), Said(BASE, bytes=b"more", reason="it is cut"), "not compared", "not_compared"),
    ],
)
def test_what_can_be_said_of_a_pair(shelf: Any, a: Said, b: Said, state: str, section: str) -> None:
    """Equal is said only where it is sure, and what can't be compared is named with the reason."""
    assert files_of(shelf, {"ex.owl": a}, {"ex.owl": b}) == {(state, "ex.owl", "ex.owl", "path")}
    result = shelf.catalog.report("meaning")
    special = {"reserialised", "not_exact", "same_version", "other_version", "not_compared"}
    assert {name for name in special if len(result[name])} == {section}
    if state == "not compared":
        assert result[section]["reason"].item()
        assert result["summary"]["triples_added"].item() is None
        assert result["files"]["terms_added"].item() is None
        # a command is named where it would help, and the reason stands in the table
        helps = b.reason is None and b.kind == "rdf"
        assert ("db facts" in result.as_table(width=200)) == helps
        assert "reason" in result.as_table()


def test_a_namespace_move_is_said_as_one(shelf: Any) -> None:
    """Terms that are gone under one namespace and have come under another are no additions and removals."""
    old = {f"http://example.org/1#{name}": Term(name) for name in ("a", "b", "c")}
    new = {f"http://example.org/2#{name}": Term(name) for name in ("a", "b", "d")}
    add(shelf, "s/o/1", {"ex.owl": Said(old)})
    add(shelf, "s/o/2", {"ex.owl": Said(new)}, latest=True)
    result = shelf.catalog.report("meaning")
    assert Counter(result["changes"]["change"].to_list()) == {"namespace": 2, "added": 1, "removed": 1}
    assert result["namespaces"].rows() == [("http://example.org/1#", "http://example.org/2#", 2)]
    moved = result["changes"].filter(change="namespace").select("before", "after").rows()
    assert moved[0] == ("http://example.org/1#a", "http://example.org/2#a")
    assert result["files"].select("terms_added", "terms_removed").row(0) == (3, 3)


def test_only_some_terms_are_asked_for(two: Any, tmp_path: Any) -> None:
    """Those below a term, in either release; those of a namespace; those of a list, with the ones nobody has."""
    under = two.catalog.report("meaning", terms_under="EX:0000002")
    assert set(changes_of(under)) == {ex(2), ex(4)}
    assert len(changes_of(two.catalog.report("meaning", terms_under="EX"))) == 9
    assert len(changes_of(two.catalog.report("meaning", terms_under="http://example.org/"))) == 9
    listed = tmp_path / "mine.txt"
    listed.write_text(f"# my terms\n{ex(5)}\nEX:0000003\nEX:0000001\nEX:7777777\n")
    mine = two.catalog.report("meaning", mine=str(listed))
    assert set(changes_of(mine)) == {ex(3), ex(5)}
    assert mine["unknown"]["word"].to_list() == ["EX:7777777"]
    listed.write_text(f"name,iri\nkidney,{ex(3)}\n")
    assert set(changes_of(two.catalog.report("meaning", mine=listed))) == {ex(3)}


def test_groups(two: Any) -> None:
    """The main rows are about kinds, prefixes or changes where that is asked for."""
    assert two.catalog.report("meaning", by="kind").main.select("group", "terms", "added").rows() == [("class", 9, 1)]
    assert two.catalog.report("meaning", by="prefix").main.select("group", "terms").rows() == [("EX", 9)]
    assert len(two.catalog.report("meaning", by="change").main) == 10


def test_files_that_are_named(two: Any) -> None:
    """One file, or two that have nothing else in common; what is mistyped is answered with what there is."""
    assert len(changes_of(two.catalog.report("meaning", file_a="ex.owl"))) == 9
    with pytest.raises(UsageError, match=r"no file 'ex\.wl'") as caught:
        two.catalog.report("meaning", file_b="ex.wl")
    assert "'ex.owl'" in str(caught.value.hint)
    with pytest.raises(UsageError, match="No term is 'nothing'"):
        two.catalog.report("meaning", terms_under="nothing")
    with pytest.raises(UsageError, match="over a series") as caught:
        two.catalog.report("meaning", series="s/o", a="s/o/1", file_b="ex.owl")
    assert "--a, --file-b" in str(caught.value.hint)


def test_one_content_in_two_places_counts_once(shelf: Any) -> None:
    """The same two contents under two paths are one comparison, with the number of files."""
    a, b = Said(BASE), Said(NEXT)
    add(shelf, "s/o/1", {"x/ex.owl": a, "y/ex.owl": a})
    add(shelf, "s/o/2", {"x/ex.owl": b, "y/ex.owl": b}, latest=True)
    result = shelf.catalog.report("meaning")
    assert result["summary"]["terms"].item() == 9
    assert result["files"]["terms_changed"].to_list() == [6, 6]
    one = result["files"]["triples_added"][0]
    assert result["summary"]["triples_added"].item() == one


def test_a_lost_or_damaged_table_is_a_sentence(two: Any) -> None:
    """It is never read as something else."""
    table = next((two.store.root / ".catalog/facts").rglob("*.parquet"))
    data = table.read_bytes()
    table.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    with pytest.raises(CatalogUnreadable, match="damaged") as caught:
        two.catalog.report("meaning")
    assert "db facts" in str(caught.value.hint)
    table.unlink()
    with pytest.raises(CatalogUnreadable, match="can't be read"):
        two.catalog.report("meaning")


def test_what_is_not_compared_is_not_missed(shelf: Any) -> None:
    """Tables are read before it is sure that they are compared: one that is lost matters only where it is."""
    add(shelf, "s/o/1", {"ex.owl": Said(BASE), "y.owl": Said({ex(60): Term("y")})})
    new = {"ex.owl": Said(NEXT, facts_version="2+test-1"), "y.owl": Said({ex(60): Term("z")})}
    add(shelf, "s/o/2", new, latest=True)
    for said in (Said(BASE), new["ex.owl"]):
        content = hashlib.sha256(content_of(said)).hexdigest()
        (shelf.store.root / table_path(content, said.facts_version)).unlink()
    result = shelf.catalog.report("meaning")
    assert result["not_compared"]["file_a"].to_list() == ["ex.owl"]
    assert changes_of(result) == {ex(60): ("relabelled", "y", "z", None)}


def test_nothing_is_known(shelf: Any) -> None:
    """Without any facts the report says what makes them; audits have none."""
    shelf.add("s/o/1", {"a.ttl": b"1"})
    shelf.add("s/o/2", {"a.ttl": b"2"}, latest=True)
    with pytest.raises(UsageError) as caught:
        shelf.catalog.report("meaning")
    assert "db facts" in str(caught.value.hint)
    with pytest.raises(UsageError):
        shelf.catalog.report("meaning", series="s/o")
    with pytest.raises(UsageError, match="in the catalog, not in audits"):
        Catalog.from_audits(shelf.store.root).report("meaning")


@pytest.mark.parametrize(
    ("settings_in_force", "reason", "told", "hint"),
    [
        ({}, None, "no facts are recorded", "`ontofetch db facts` makes"),
        ({"facts": "off"}, None, "the setting facts", 'With `facts = "on"`'),
        ({"facts_max_bytes": 1}, None, "larger than the 1 bytes", "a larger value"),
        ({"facts_max_bytes": 1}, "it is cut", "all 2 contents have none, most often because: it is cut", "--again"),
    ],
)
def test_the_true_reason_is_told(
    shelf: Any, settings_in_force: dict[str, object], reason: str | None, told: str, hint: str
) -> None:
    """Where nothing is known, it is said why, and what would help."""
    for number in (1, 2):
        said = Said({ex(number): Term("t")}, reason=reason, known=reason is not None)
        add(shelf, f"s/o/{number}", {"a.ttl": said}, latest=number == 2)
    catalog = Catalog.open(shelf.store.root, settings=settings_in_force)
    for asked in ({"name": "meaning"}, {"name": "meaning", "series": "s/o"}, {"name": "quality"}):
        with pytest.raises(UsageError, match=told) as caught:
            catalog.report(**asked)
        assert hint in str(caught.value.hint)


def test_no_file_has_terms(shelf: Any) -> None:
    """Where no format is one of those whose terms are read, no command would make facts."""
    shelf.add("s/o/1", {"a.txt": b"1"})
    shelf.add("s/o/2", {"a.txt": b"2"}, latest=True)
    with pytest.raises(UsageError, match="no file is in a format") as caught:
        shelf.catalog.report("meaning")
    assert "db facts" not in str(caught.value.hint)


def test_what_is_too_large_is_the_setting_in_force() -> None:
    """Where no setting is given, the default of the host counts."""
    assert [one.default for one in SETTINGS if one.name == "facts_max_bytes"] == [MOST_BYTES_OF_FACTS]


def test_over_a_series(two: Any) -> None:
    """Each release has the counts that the report of its step has; unknown ones are null."""
    add(two, "s/o/3", {"ex.owl": Said(NEXT, [head(IRI, version_info="3")]), "new.owl": Said({ex(50): Term("n")})})
    add(two, "s/o/4", {"ex.owl": Said(BASE, known=False)}, latest=True)
    line = two.catalog.report("meaning", series="s/o")["timeline"]
    assert line["version_id"].to_list() == ["s/o/1", "s/o/2", "s/o/3", "s/o/4"]
    assert line["added"].to_list() == [None, 1, 1, None]
    assert line["terms"].to_list() == [9, 8, 9, None]
    assert line["files_not_compared"].to_list() == [None, 0, 0, 1]
    for at, b in ((1, "s/o/2"), (2, "s/o/3")):
        summary = two.catalog.report("meaning", b=b)["summary"].row(0, named=True)
        assert {
            name: line.row(at, named=True)[name] for name in summary if name in line.columns and name != "terms"
        } == {name: value for name, value in summary.items() if name in line.columns and name != "terms"}
    history = two.catalog.report("meaning", b="s/o/3", last=2)["history"]
    assert history["version_id"].to_list() == ["s/o/2", "s/o/3"]


def test_some_terms_over_a_series(two: Any, tmp_path: Path) -> None:
    """A namespace, the terms below one, or a list: each release has the counts that the report of its step has."""
    add(two, "s/o/3", {"ex.owl": Said(BASE), "new.owl": Said({ex(50): Term("n", parents=(ex(3),))})}, latest=True)
    listed = tmp_path / "mine.txt"
    listed.write_text(f"{ex(3)}\nEX:0000050\nEX:9999999\n")
    for asked in ({"terms_under": "EX"}, {"terms_under": ex(3)}, {"mine": str(listed)}):
        result = two.catalog.report("meaning", series="s/o", **asked)
        line = result["timeline"]
        for at, b in ((1, "s/o/2"), (2, "s/o/3")):
            summary = two.catalog.report("meaning", b=b, **asked)["summary"].row(0, named=True)
            assert [line[name][at] for name in TERM_CHANGES] == [summary[name] for name in TERM_CHANGES]
            assert line["triples_added"][at] == summary["triples_added"]
        if "mine" in asked:
            assert line["terms"].to_list() == [1, 1, 2]
            assert result["unknown"]["word"].to_list() == ["EX:9999999"]
    assert two.catalog.report("meaning", series="s/o", terms_under=ex(50))["timeline"]["terms"].to_list() == [0, 0, 1]


def test_groups_over_a_series(two: Any) -> None:
    """The main rows are about kinds, prefixes or changes of each release; the sums are those of the releases."""
    add(two, "s/o/3", {"ex.owl": Said(BASE)}, latest=True)
    line = two.catalog.report("meaning", series="s/o")["timeline"]
    changed = {
        b: sum(line.row(at, named=True)[name] for name in TERM_CHANGES) for at, b in ((1, "s/o/2"), (2, "s/o/3"))
    }
    for by, group in (("kind", "class"), ("prefix", "EX")):
        main = two.catalog.report("meaning", series="s/o", by=by).main
        assert main.select("version_id", "group", "terms").rows() == [(b, group, count) for b, count in changed.items()]
    kinds = two.catalog.report("meaning", series="s/o", by="change").main
    assert kinds.columns == ["version_id", "change", "terms"]
    assert dict(kinds.group_by("version_id").agg(pl.col("terms").sum()).rows()) == changed


def test_texts_that_are_not_shown_and_texts_of_many_lines(shelf: Any) -> None:
    """A label that changed in another language is not told as one that became what it was; a text is one line."""
    old = {ex(1): Term("liver", labels=("foie",)), ex(2): Term("kidney", "An\n  organ. ")}
    new = {ex(1): Term("liver", labels=("le foie",), other=("x",)), ex(2): Term("kidney", "An\r\norgan,\tlarger.")}
    add(shelf, "s/o/1", {"x.owl": Said(old)})
    add(shelf, "s/o/2", {"x.owl": Said(new)}, latest=True)
    rows = shelf.catalog.report("meaning")["changes"].select("change", "before", "after", "also").rows()
    assert rows == [
        ("relabelled", None, None, "another of its texts, other axioms"),
        ("redefined", "An organ.", "An organ, larger.", None),
    ]


def test_a_side_without_facts_has_no_header_that_changed(two: Any) -> None:
    """What is not known of a file is no header that is gone."""
    add(two, "s/o/3", {"ex.owl": Said(NEXT, [head(IRI, version_info="3")], known=False)}, latest=True)
    result = two.catalog.report("meaning")
    assert result["not_compared"].height == 1
    assert result["ontologies"].is_empty()


def test_a_page_of_two_releases_has_a_picture_of_those_before(two: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """As far as they are quickly read; what it leaves out stands in its title."""
    pytest.importorskip("altair")
    result = two.catalog.report("meaning")
    assert len(result.charts()) == 1
    for number in (3, 4):
        add(two, f"s/o/{number}", {"ex.owl": Said(BASE if number % 2 else NEXT)}, latest=True)
    titles = [str(chart["title"]) for chart in two.catalog.report("meaning").charts()]
    assert len(titles) == 2
    assert "release by release" in titles[1]
    assert "of 4 releases" not in titles[1]
    monkeypatch.setattr(meaning_series, "_PAST", 3)
    assert "the last 3 of 4 releases" in str(two.catalog.report("meaning").charts()[1]["title"])
    assert len(two.catalog.report("meaning", terms_under="EX").charts()) == 1
    monkeypatch.setattr(meaning_series, "_PAST_BYTES", 1)
    assert len(two.catalog.report("meaning").charts()) == 1


names = st.sampled_from(["a", "b", "c"])
iris = st.integers(1, 6).map(ex)
terms = st.builds(
    Term,
    label=st.none() | names,
    definition=st.none() | names,
    parents=st.frozensets(iris, max_size=2).map(lambda found: tuple(sorted(found))),
    deprecated=st.booleans(),
    replaced_by=st.frozensets(iris, max_size=1).map(tuple),
    other=st.frozensets(names, max_size=2).map(lambda found: tuple(sorted(found))),
)
graphs = st.builds(Said, terms=st.dictionaries(iris, terms, max_size=6), general=st.frozensets(names).map(tuple))


def category(a: Term | None, b: Term | None) -> str | None:
    """Return what became of a term, told without anything of ours."""
    if a is None or b is None:
        return "added" if a is None else "removed"
    if a.deprecated != b.deprecated:
        return "obsoleted" if b.deprecated else "revived"
    for name, change in (("label", "relabelled"), ("definition", "redefined"), ("parents", "moved")):
        if getattr(a, name) != getattr(b, name):
            return change
    return None if a == b else "other"


@settings(max_examples=drawn(30), suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(graphs, graphs)
def test_against_a_naive_recount(open_shelf: Any, a: Said, b: Said) -> None:
    """Any two graphs: one category per term, and nothing is left out."""
    number = len(list((open_shelf.store.root).glob("s/*/1")))
    add(open_shelf, f"s/o{number}/1", {"ex.owl": replace(a, bytes=b"a" + content_of(a))})
    add(open_shelf, f"s/o{number}/2", {"ex.owl": replace(b, bytes=b"b" + content_of(b))})
    result = open_shelf.catalog.report("meaning", a=f"s/o{number}/1", b=f"s/o{number}/2")
    expected = {iri: category(a.terms.get(iri), b.terms.get(iri)) for iri in {*a.terms, *b.terms}}
    found = {iri: row[0] for iri, row in changes_of(result).items()}
    assert found == {iri: change for iri, change in expected.items() if change}


def test_releases_are_named_as_for_growth(two: Any) -> None:
    """Who names A alone means its own series; releases of two series are compared by whoever says so."""
    add(two, "s/other/1", {"ex.owl": Said(BASE)}, latest=True)
    assert two.catalog.report("meaning", a="s/o/1").parameters["b"] == "s/o/2"
    assert two.catalog.report("meaning", a="s/o/2").parameters["a"] == "s/o/1"
    with pytest.raises(UsageError, match="of two series") as caught:
        two.catalog.report("meaning", a="s/o/2", b="s/other/1")
    assert "--anyway" in str(caught.value.hint)
    assert changes_of(two.catalog.report("meaning", a="s/o/2", b="s/other/1", anyway=True))


def test_growth_counts_terms(two: Any) -> None:
    """Both forms of growth have the counts of this report, and null where a changed file is not known."""
    add(two, "s/o/3", {"ex.owl": Said(BASE, known=False)}, latest=True)
    columns = ["terms_added", "terms_removed", "obsoleted"]
    assert two.catalog.growth("o/1", "o/2")["summary"].select(columns).row(0) == (1, 1, 1)
    line = two.catalog.growth(series="s/o")["timeline"].select(columns).rows()
    assert line == [(None,) * 3, (1, 1, 1), (None,) * 3]
    for table in (two.store.root / ".catalog/facts").rglob("*.parquet"):
        table.unlink()
    assert two.catalog.growth("o/1", "o/2")["summary"].select(columns).row(0) == (None,) * 3


def test_from_python(two: Any) -> None:
    """Terms and their changes are lazy frames, read when they are collected."""
    terms = two.catalog.terms("o/2").filter(deprecated=True).select("term", "label", "replaced_by").collect()
    assert terms.rows() == [("EX:0000005", "obsolete old thing", ex(2))]
    assert two.catalog.terms().select("iri").collect().height == len(NEXT)
    changes = two.catalog.meaning("o/1", "o/2")
    assert changes.filter(change="merged").select("iri").collect().rows() == [(ex(6),)]
    assert changes.collect().rows() == two.catalog.report("meaning")["changes"].rows()
