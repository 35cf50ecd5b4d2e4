"""The facts of OBO, OWL's own syntaxes and OBO graphs: what a curator means by a change, and nothing beside it."""

from __future__ import annotations

import json
from pathlib import Path

import pyhornedowl
import pytest

from .test_facts import Row, told

OBO = """format-version: 1.4
data-version: releases/1
ontology: ex
import: http://purl.obolibrary.org/obo/other.owl
idspace: Q http://example.org/q# "elsewhere"
property_value: dcterms-title "An example" xsd:string

[Term]
id: EX:1
name: animal
def: "It \\"lives\\"." [EX:ref "why"]
comment: with care ! really
synonym: "beast" EXACT []

[Term]
id: EX:2
name: cat
alt_id: EX:9
is_a: EX:1 {source="a"} ! animal
relationship: eats Q:3 ! mouse

[Term]
id: Q:3
name: mouse

[Term]
id: EX:4
name: obsolete kitty
is_obsolete: true
replaced_by: EX:2
consider: EX:1

[Typedef]
id: eats
name: eats
is_a: meets ! meets
"""
BASE = "http://purl.obolibrary.org/obo/"
COLUMNS = ("label_digest", "definition_digest", "deprecated", "replaced_by", "consider", "parents", "other_digest")


def differing(before: dict[str, Row], after: dict[str, Row]) -> dict[str, list[str]]:
    """Return the terms that differ, each with the columns that explain it."""
    assert before.keys() == after.keys()
    return {
        name: [column for column in COLUMNS if before[name][column] != after[name][column]]
        for name in before
        if name and before[name]["digest"] != after[name]["digest"]
    }


def test_terms_of_obo(tmp_path: Path) -> None:
    """Identifiers are the IRIs that they stand for; merged terms, parents and replacements are told."""
    facts, terms = told(tmp_path, OBO, "obo")
    [head] = facts["heads"]
    assert (facts["digest_kind"], facts["digest_exact"], head["ontology_iri"]) == ("obo", True, f"{BASE}ex.owl")
    assert (head["version_info"], head["title"]) == ("releases/1", "An example")
    assert head["imports"] == [f"{BASE}other.owl"]
    animal, cat, kitty = (terms[f"{BASE}EX_{number}"] for number in (1, 2, 4))
    assert (animal["label"], animal["definition"], animal["kind"]) == ("animal", 'It "lives".', "class")
    assert (cat["parents"], cat["alt_ids"]) == ([f"{BASE}EX_1"], [f"{BASE}EX_9"])
    assert (kitty["deprecated"], kitty["replaced_by"], kitty["consider"]) == (True, [f"{BASE}EX_2"], [f"{BASE}EX_1"])
    assert "http://example.org/q#3" in terms
    eats = terms[f"{BASE}ex#eats"]
    assert (eats["kind"], eats["parents"]) == ("object property", [f"{BASE}ex#meets"])


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('EX:1 {source="a"} ! animal', 'EX:1 {source="a"} ! Animal', {}),
        ("eats Q:3 ! mouse", "eats Q:3", {}),
        ("! meets", "! encounters", {}),
        ("with care ! really", "with care ! not really", {"EX_1": ["other_digest"]}),
        ('{source="a"}', '{source="b"}', {"EX_2": ["other_digest"]}),
        ('[EX:ref "why"]', '[EX:other "why"]', {"EX_1": ["other_digest"]}),
        ('\\"lives\\"', "lives", {"EX_1": ["definition_digest"]}),
        ("name: cat", "name: Cat", {"EX_2": ["label_digest"]}),
        ("is_a: meets", "is_a: touches", {"ex#eats": ["parents"]}),
        ("alt_id: EX:9", "alt_id: EX:8", {"EX_2": ["other_digest"]}),
        ("replaced_by: EX:2", "replaced_by: EX:1", {"EX_4": ["replaced_by"]}),
        ("is_obsolete: true\n", "", {"EX_4": ["deprecated"]}),
        ("is_obsolete: true", "is_obsolete: false", {"EX_4": ["deprecated", "other_digest"]}),
    ],
)
def test_a_change_of_obo(tmp_path: Path, old: str, new: str, expected: dict[str, list[str]]) -> None:
    """Trailing comments are nobody's change, and each other one has a column that explains it."""
    assert OBO.count(old) == 1
    facts, before = told(tmp_path, OBO, "obo")
    other, after = told(tmp_path, OBO.replace(old, new), "obo")
    assert differing(before, after) == {BASE + name: columns for name, columns in expected.items()}
    assert (facts["digest"] == other["digest"]) is not expected or not expected


def test_the_order_of_obo_means_nothing(tmp_path: Path) -> None:
    """Frames in another order, clauses too, ends of lines and comments of the author are one content."""
    header, *frames = OBO.split("\n\n")
    turned = "\n\n".join([header, "! by hand", *reversed(frames)]).replace("alt_id: EX:9\n", "").replace("\n", "\r\n")
    turned = turned.replace("name: cat\r\n", "name: cat\r\nalt_id: EX:9\r\n")
    facts, before = told(tmp_path, OBO, "obo")
    other, after = told(tmp_path, turned, "obo")
    assert (facts["digest"], before) == (other["digest"], after)


def test_instances_of_obo_are_not_told_apart(tmp_path: Path) -> None:
    """The parser keeps them to itself: such a file is never called equal to another one."""
    facts, _ = told(tmp_path, OBO + "\n[Instance]\nid: EX:i\ninstance_of: EX:1\n", "obo")
    assert not facts["digest_exact"]


def test_texts_that_look_like_statements(tmp_path: Path) -> None:
    """What a name contains ends no statement, and is no blank node."""
    odd = 'a _:b "c" <d> . \\\\ e'
    _, terms = told(tmp_path, f"format-version: 1.4\n\n[Term]\nid: A:1\nname: {odd}\ncomment: _:x <y>\n", "obo")
    assert terms[f"{BASE}A_1"]["label"] is not None
    assert terms[f"{BASE}A_1"]["label"].startswith('a _:b "c" <d> .')


@pytest.mark.parametrize("beside", ["", '{x="y"}'])
def test_texts_that_look_like_something_else(tmp_path: Path, beside: str) -> None:
    """A definition may begin as its sources do, a name with a blank of Unicode, whichever way their frame is read."""
    text = 'def: " [A:1] is meant." [B:2]\nname: \u00a0cat\n'
    _, terms = told(tmp_path, f"format-version: 1.4\n\n[Term]\nid: A:1\n{text}is_a: A:2 {beside}\n", "obo")
    assert (terms[f"{BASE}A_1"]["definition"], terms[f"{BASE}A_1"]["label"]) == (" [A:1] is meant.", "\u00a0cat")


OMN = """Prefix: : <https://example.org/o#>
Prefix: rdfs: <http://www.w3.org/2000/01/rdf-schema#>
Ontology: <https://example.org/o> <https://example.org/o/1>
ObjectProperty: eats
Class: Animal
Class: Cat
  Annotations: rdfs:label "cat"@en
  SubClassOf: Annotations: rdfs:comment "sure" Animal, eats some Animal
"""


def test_one_ontology_in_owl_and_rdf(tmp_path: Path) -> None:
    """Functional syntax, Manchester syntax, OWL/XML and RDF/XML of one ontology have one digest."""
    ontology = pyhornedowl.open_ontology_from_string(OMN, "omn")
    facts, terms = told(tmp_path, OMN, "omn")
    assert terms["https://example.org/o#Cat"]["parents"] == ["https://example.org/o#Animal"]
    assert facts["heads"][0]["version_iri"] == "https://example.org/o/1"
    for format_name, name in (("ofn", "ofn"), ("owlxml", "owx"), ("rdfxml", "rdf")):
        other, others = told(tmp_path, ontology.save_to_string(name), format_name)  # type: ignore[arg-type]
        assert (other["digest_kind"], other["digest"], others) == ("rdf", facts["digest"], terms)
    assert told(tmp_path, OMN.replace("sure", "unsure"), "omn")[0]["digest"] != facts["digest"]


GRAPHS = {
    "graphs": [
        {
            "id": "https://example.org/o",
            "meta": {"version": "https://example.org/o/1"},
            "nodes": [
                {"id": "urn:a", "lbl": "animal", "type": "CLASS"},
                {
                    "id": "urn:c",
                    "lbl": "cat",
                    "type": "CLASS",
                    "meta": {
                        "definition": {"val": "It purrs.", "xrefs": ["r"]},
                        "deprecated": True,
                        "basicPropertyValues": [{"pred": f"{BASE}IAO_0100001", "val": "urn:a"}],
                        "synonyms": [{"pred": "hasExactSynonym", "val": "pussy"}],
                    },
                },
                {"id": "urn:p", "type": "PROPERTY"},
            ],
            "edges": [
                {"sub": "urn:c", "pred": "is_a", "obj": "urn:a"},
                {"sub": "urn:c", "pred": "urn:p", "obj": "urn:a"},
            ],
        }
    ]
}


def test_obo_graphs(tmp_path: Path) -> None:
    """Nodes, `meta` and edges are told; the order of members and lists means nothing; each edit is seen."""
    text = json.dumps(GRAPHS)
    facts, terms = told(tmp_path, text, "obographs")
    cat = terms["urn:c"]
    assert (facts["digest_kind"], facts["heads"][0]["version_iri"]) == ("obographs", "https://example.org/o/1")
    assert (cat["label"], cat["definition"], cat["deprecated"]) == ("cat", "It purrs.", True)
    assert (cat["parents"], cat["replaced_by"], terms["urn:p"]["kind"]) == (["urn:a"], ["urn:a"], "object property")
    turned = json.loads(text)
    turned["graphs"][0]["nodes"].reverse()
    turned["graphs"][0]["edges"].reverse()
    assert told(tmp_path, json.dumps(turned, indent=1, sort_keys=True), "obographs")[0]["digest"] == facts["digest"]
    for old, new, columns in (
        ("It purrs.", "It hisses.", ["definition_digest"]),
        ('"cat"', '"Cat"', ["label_digest"]),
        ('["r"]', '["s"]', ["other_digest"]),
        ("hasExactSynonym", "hasBroadSynonym", ["other_digest"]),
        ('"urn:p", "obj"', '"urn:q", "obj"', ["other_digest"]),
        ('"deprecated": true', '"deprecated": false', ["deprecated"]),
    ):
        after = told(tmp_path, text.replace(old, new), "obographs")[1]
        assert differing(terms, after) == {"urn:c": columns}, old


def test_a_frame_that_is_read_clause_by_clause_tells_the_same(tmp_path: Path) -> None:
    """One clause with a qualifier has the whole frame read in another way, and adds nothing but what it says."""
    frame = (
        'format-version: 1.4\nontology: ex\n\n[Term]\nid: EX:1\nname: the "first" one\n'
        'def: "It is \\"first\\"\\nand small ! things." [EX:ref, OTHER:1]\ncomment: seen ! often\n'
        'synonym: "one" EXACT []\n'
        "xref: A:1\\:2\nis_a: EX:2 ! parent\nrelationship: part_of EX:3 ! whole\nis_obsolete: true\nreplaced_by: EX:4\n"
    )
    plain, other = (
        told(tmp_path, text, "obo")[1][f"{BASE}EX_1"]
        for text in (frame, frame + 'consider: EX:5 {source="x"} ! that\n')
    )
    assert set(plain["lines"]) < set(other["lines"])
    assert len(other["lines"]) == len(plain["lines"]) + 2
    assert plain["label"] == other["label"] == 'the "first" one'
    assert plain["definition"] == other["definition"] == 'It is "first"\nand small ! things.'
