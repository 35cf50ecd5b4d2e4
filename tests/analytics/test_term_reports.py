"""A term's life, a curator's list, what there is to mend, what is imported: against small releases made for them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ontofetch_catalog.analytics.lists import read_words
from ontofetch_catalog.analytics.reports.term import term
from ontofetch_catalog.errors import UsageError
from tests.analytics.meanings import Said, Term, add, ex, head
from tests.analytics.test_report_documents import check
from tests.report_documents import CONTRACTS

pytestmark = pytest.mark.usefixtures("quick_databases")

ROOT = ex(1)


@pytest.fixture
def four(shelf: Any) -> Any:
    """Return a store with four releases in which a term lives; nothing is known of the third one."""
    root = {ROOT: Term("root")}
    add(shelf, "s/o/1", {"x.owl": Said(root)})
    add(shelf, "s/o/2", {"x.owl": Said(root | {ex(2): Term("liver", "organ", (ROOT,))}), "y.owl": Said(
        {ex(2): Term(kind="mention", other=("seen",))})})  # fmt: skip
    add(shelf, "s/o/3", {"x.owl": Said(root | {ex(2): Term("x")}, known=False)})
    said = Said(root | {ex(2): Term("obsolete liver", deprecated=True, replaced_by=(ex(3),)), ex(3): Term("hepar")})
    add(shelf, "s/o/4", {"x.owl": said}, latest=True)
    add(shelf, "s/p/1", {"z.owl": Said({ex(2): Term("liver")})})
    return shelf


def test_the_life_of_a_term(four: Any) -> None:
    """Since when, what happened, what replaces it; in each series that has it, and what is not known is counted."""
    found = term(four.catalog, word="EX:0000002")
    assert found["life"].select("version_id", "event", "label").rows() == [
        ("s/o/2", "first", "liver"),
        ("s/o/4", "obsoleted", "obsolete liver"),
        ("s/p/1", "first", "liver"),
    ]
    rows = found["term"].select("slot", "state", "since", "until", "obsolete_since", "replaced_by", "unknown").rows()
    assert rows == [
        ("s/o", "obsolete", "s/o/2", "s/o/4", "s/o/4", ex(3), 1),
        ("s/p", "current", "s/p/1", "s/p/1", None, None, 0),
    ]
    assert term(four.catalog, word=ex(2), series="s/p")["term"].height == 1
    with pytest.raises(UsageError, match="No release has a term"):
        term(four.catalog, word="EX:9999999")


def test_who_mistypes_a_term_is_told_what_is_near(shelf: Any) -> None:
    """A slip, another prefix, a number without its zeros; of an IRI the part behind `#` stays in the sentence."""
    near = "http://x.org/Brick#Sensor"
    add(shelf, "s/o/1", {"x.owl": Said({near: Term("sensor"), "http://x.org/Tag#Sensors": Term("tag"), ex(7): Term()})})
    for word, meant in (
        ("brick:Sensr", "Brick#Sensor'?"),
        ("http://x.org/Brick#Senssor", "Did you mean 'x.org/Brick#Sensor'"),
        ("nope:Sensor", "Brick#Sensor'"),
        ("EX:7", "EX_0000007"),
        ("XE:0000007", "EX_0000007"),
    ):
        with pytest.raises(UsageError) as caught:
            term(shelf.catalog, word=word)
        assert meant in str(caught.value.hint)
        assert word.partition("://")[2] in caught.value.message
    for word in ("x:", "x:\x1b[31m", "http://other.org/nothing#alike", "EX:8"):
        with pytest.raises(UsageError, match="No release") as caught:
            term(shelf.catalog, word=word)
        assert "Name it by" in str(caught.value.hint)
        assert "\x1b" not in str(caught.value)


LISTS = {
    "lines": f"# mine\n{ex(1)}\n\n<{ex(2)}>\nEX:0000009\n",
    "windows": f"\ufeff{ex(1)}\r\n{ex(2)}\r\nEX:0000009\r\n\r\n",
    "commas": f'name,IRI\n"a, b",{ex(1)}\nx,{ex(2)}\ny,EX:0000009\n',
    "semicolons": f"\ufeffname;iri\na;{ex(1)}\nx;{ex(2)}\ny;EX:0000009\n",
    "tabs": f"iri\tname\n{ex(1)}\ta\n{ex(2)}\tb\nEX:0000009\tc\n",
    "tabs without a header": f"{ex(1)}\ta\n{ex(2)}\tb\nEX:0000009\tc\n",
}


@pytest.mark.parametrize("text", LISTS.values(), ids=LISTS.keys())
def test_lists_as_people_have_them(tmp_path: Path, text: str) -> None:
    """With the line ends, the byte order mark and the separators of other programs."""
    listed = tmp_path / "mine"
    listed.write_bytes(text.encode())
    assert read_words(listed) == [ex(1), ex(2), "EX:0000009"]


def test_a_long_list(four: Any, tmp_path: Path) -> None:
    """Terms that nobody has are told one by one, whatever they are, and none is lost."""
    listed = tmp_path / "mine.txt"
    words = [ex(2), *(f"NOPE:{number:07}" for number in range(5_000)), "x" * 300, "a b", ":", "no:thing", "é:ü"]
    listed.write_text("\n".join(words))
    rows = four.catalog.report("impact", mine=str(listed), b="s/o/4")["terms"]
    assert set(rows["word"]) == set(words)
    assert rows.filter(rows["status"] != "unknown")["word"].to_list() == [ex(2)]


def test_a_term_that_comes_and_goes(shelf: Any) -> None:
    """Removed, back, and gone at last."""
    root = {ROOT: Term("root")}
    for at, said in enumerate([True, False, True, False], 1):
        add(shelf, f"s/o/{at}", {"x.owl": Said(root | ({ex(2): Term("t")} if said else {}))}, latest=at == 4)
    found = term(shelf.catalog, word=ex(2))
    assert found["life"]["event"].to_list() == ["first", "removed", "back", "removed"]
    assert found["term"].select("state", "until", "removed_in", "releases").row(0) == ("gone", "s/o/3", "s/o/4", 2)


def test_a_file_that_declares_a_term_again_hides_nothing(shelf: Any) -> None:
    """An alignment names the classes it aligns, with neither label nor definition, in a file that sorts last."""
    files = {
        "Brick.ttl": Said({ex(2): Term("liver", "organ", (ROOT,)), ROOT: Term("root")}),
        "alignments/bot.ttl": Said({ex(2): Term(), ROOT: Term("the root")}),
    }
    add(shelf, "s/o/1", files, latest=True)
    rows = [term(shelf.catalog, word=each)["term"].select("label", "definition").row(0) for each in (ex(2), ROOT)]
    assert rows == [("liver", "organ"), ("the root", None)]


def test_a_word_that_means_several_terms(shelf: Any) -> None:
    """None is guessed: the sentence names them; an IRI or its namespace decides."""
    add(
        shelf,
        "s/o/1",
        {"x.owl": Said({f"http://{each}.org/Sensor": Term("s") for each in ("a", "brick")})},
        latest=True,
    )
    with pytest.raises(UsageError, match="may mean 2 terms") as caught:
        term(shelf.catalog, word="Sensor")
    assert "'a.org/Sensor'" in str(caught.value.hint)
    assert term(shelf.catalog, word="a.org/Sensor")["term"]["iri"].item() == "http://a.org/Sensor"
    assert term(shelf.catalog, word="brick:Sensor")["term"]["iri"].item() == "http://brick.org/Sensor"


def test_impact(four: Any, tmp_path: Any) -> None:
    """Obsolete with its replacement, fine, and never seen; each word of the list has a row."""
    listed = tmp_path / "mine.txt"
    listed.write_text("EX:0000002\nEX:0000001\nEX:0000003\nEX:9999999\n")
    found = four.catalog.report("impact", mine=str(listed), b="s/o/4")
    assert found["terms"].select("status", "word", "label", "replaced_by", "since").rows() == [
        ("obsolete", "EX:0000002", "obsolete liver", ex(3), "s/o/4"),
        ("unknown", "EX:9999999", None, None, None),
        ("fine", "EX:0000001", "root", None, None),
        ("fine", "EX:0000003", "hepar", None, None),
    ]
    with pytest.raises(UsageError, match="no list"):
        four.catalog.report("impact")


def test_a_list_may_name_terms_as_spreadsheets_do(four: Any, tmp_path: Any) -> None:
    """`EX_0000002`, which stands last in the IRI, is `EX:0000002`; what only looks like it is unknown."""
    listed = tmp_path / "mine.csv"
    listed.write_text("id,ours\nEX_0000002,1\nEX:0000002,2\nEX_0000009,3\nnone,4\n")
    rows = four.catalog.report("impact", mine=str(listed), b="s/o/4")["terms"].select("status", "word", "iri").rows()
    assert rows == [
        ("obsolete", "EX:0000002", ex(2)),
        ("obsolete", "EX_0000002", ex(2)),
        ("unknown", "EX_0000009", None),
        ("unknown", "none", None),
    ]


def test_impact_of_what_is_gone(shelf: Any, tmp_path: Any) -> None:
    """Gone long ago, moved now; a first release has nothing to be compared with."""
    add(shelf, "s/o/1", {"x.owl": Said({ex(2): Term("two"), ROOT: Term("root"), ex(4): Term("four", None, (ROOT,))})})
    listed = tmp_path / "mine.txt"
    listed.write_text(f"{ex(2)}\n{ex(4)}\n")
    assert set(shelf.catalog.report("impact", mine=str(listed))["terms"]["status"]) == {"fine"}
    add(shelf, "s/o/2", {"x.owl": Said({ROOT: Term("root"), ex(4): Term("four", None, (ROOT,))})})
    add(shelf, "s/o/3", {"x.owl": Said({ROOT: Term("root"), ex(4): Term("four")})}, latest=True)
    rows = shelf.catalog.report("impact", mine=str(listed))["terms"].select("status", "iri", "before", "since").rows()
    assert rows == [("gone", ex(2), None, "s/o/2"), ("moved", ex(4), "root", None)]


def test_what_the_newest_file_calls_obsolete_is_not_fine(shelf: Any, tmp_path: Any) -> None:
    """Also where the release still has the file of an earlier version, which knows the term."""
    listed = tmp_path / "mine.txt"
    listed.write_text(f"{ex(2)}\n")
    old = Said({ex(1): Term("root"), ex(2): Term("part")}, [head("http://example.org/1.4/o")])
    new = Said({ex(1): Term("root"), ex(2): Term("part", deprecated=True)}, [head("http://example.org/1.5/o")])
    add(shelf, "s/o/1", {"1.4/o.owl": old})
    add(shelf, "s/o/2", {"1.4/o.owl": old, "1.5/o.owl": new}, latest=True)
    assert shelf.catalog.report("meaning")["changes"]["change"].to_list() == ["obsoleted"]
    assert shelf.catalog.report("impact", mine=str(listed))["terms"]["status"].to_list() == ["obsolete"]


def test_quality(shelf: Any) -> None:
    """Each finding is found once, and a sound term has none."""
    good = Term("good", "A definition.")
    terms = {
        ex(1): good,
        ex(2): Term("same", "d", (ex(1),)),
        ex(3): Term("Same ", "d", (ex(1),)),
        ex(4): Term("obsolete a", deprecated=True),
        ex(5): Term("obsolete b", deprecated=True, replaced_by=(ex(4),)),
        ex(6): Term("obsolete c", deprecated=True, replaced_by=(ex(99),)),
        ex(7): Term("no definition", None, ("http://www.w3.org/2002/07/owl#Thing",)),
        ex(8): Term("dangling", "d", (ex(98),)),
        ex(9): Term("foreign", "d", ("http://elsewhere.org/x",)),
        ex(10): Term("below", "d", (ex(4),)),
        ex(11): Term(None, "d"),
    }
    imported = head("http://example.org/o", imports=["http://example.org/missing"])
    add(shelf, "s/o/1", {"x.owl": Said(terms, [imported]), "y.owl": Said({}, known=False)}, latest=True)
    found = shelf.catalog.report("quality")
    assert found["findings"].select("finding", "iri", "detail").rows() == [
        ("duplicate label", ex(2), "with EX:0000003, 2 terms"),
        ("duplicate label", ex(3), "with EX:0000002, 2 terms"),
        ("obsolete without replacement", ex(4), None),
        ("replacement is obsolete", ex(5), ex(4)),
        ("replacement is unknown", ex(6), ex(99)),
        ("dangling parent", ex(8), ex(98)),
        ("foreign parent", ex(9), "http://elsewhere.org/x"),
        ("parent is obsolete", ex(10), ex(4)),
        ("no definition", ex(7), None),
        ("no label", ex(11), None),
        ("import not in the store", "http://example.org/o", "http://example.org/missing"),
    ]
    assert found["counts"]["count"].sum() == 11
    assert found["not_looked_at"]["file"].to_list() == ["y.owl"]


def test_terms_with_one_local_name_are_told_apart(shelf: Any) -> None:
    """Where two of them have the same short name, each is called by its IRI; none is its own like."""
    brick, tag, other = "http://example.org/Brick#Zone", "http://example.org/BrickTag#Zone", "http://example.org/x#Area"
    terms = {brick: Term("Zone", "d"), tag: Term("zone", "d"), other: Term("ZONE", "d")}
    add(shelf, "s/o/1", {"x.owl": Said(terms)}, latest=True)
    assert shelf.catalog.report("quality")["findings"].select("term", "detail").rows() == [
        (brick, f"with {tag}, 3 terms"),
        (tag, f"with {brick}, 3 terms"),
        ("Area", "with Zone, 3 terms"),
    ]


def test_imports(shelf: Any) -> None:
    """The closure goes through what satisfies, ends in circles, prefers the version that is named."""
    o, p, q = (f"http://example.org/{name}" for name in "opq")
    add(shelf, "s/p/1", {"p.owl": Said({}, [head(p, version_iri=f"{p}/1", version_info="1", imports=[q])])})
    add(
        shelf, "s/p/2", {"p.owl": Said({}, [head(p, version_iri=f"{p}/2", version_info="2", imports=[o])])}, latest=True
    )
    own = head(o, imports=[f"{p}#", f"{p}/1", "http://example.org/none"])
    add(shelf, "s/o/1", {"o.owl": Said({}, [own])}, latest=True)
    found = shelf.catalog.report("imports", version="s/o/1")
    assert found["imports"].select("depth", "import", "satisfied_by", "satisfied_version").rows() == [
        (1, "http://example.org/none", None, None),
        (1, f"{p}#", "s/p/2", "2"),
        (1, f"{p}/1", "s/p/1", "1"),
        (2, q, None, None),
        (2, o, "s/o/1", None),
    ]
    assert found["summary"].row(0) == (5, 2, 2)


def test_json_fits_its_schema(four: Any, tmp_path: Any) -> None:
    """What these reports print as json is what their schemas promise."""
    listed = tmp_path / "mine.txt"
    listed.write_text("EX:0000002\n")
    found = {
        "meaning": four.catalog.report("meaning", a="s/o/1", b="s/o/4", last=3),
        "meaning-series": four.catalog.report("meaning", series="s/o"),
        "impact": four.catalog.report("impact", mine=str(listed), b="s/o/4"),
        "quality": four.catalog.report("quality", version="s/o/4"),
        "imports": four.catalog.report("imports", version="s/o/4"),
        "term": term(four.catalog, word=ex(2)),
    }
    for name, result in found.items():
        document = json.loads(result.as_json())
        document["parameters"]["report"] = CONTRACTS[name].name
        check(name, document)
