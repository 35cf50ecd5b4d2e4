"""The facts of contents, beside what reading alone takes."""

from __future__ import annotations

from pathlib import Path

import pyoxigraph

from ontofetch_catalog.host.checks.obo import check_obo, tell_obo
from ontofetch_catalog.host.checks.rdf import tell_rdf

from .children import peak_of
from .harness import Race, Side, pick

CLASSES = pick(112_500, 11_250)  # eight statements each
TERMS = pick(50_000, 5_000)
_TURTLE = """@prefix : <http://example.org/onto#> . @prefix owl: <http://www.w3.org/2002/07/owl#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> . @prefix skos: <http://www.w3.org/2004/02/skos/core#> .
"""


def write_turtle(path: Path, classes: int) -> None:
    """Write an ontology of eight statements per class, three of them of a restriction."""
    lines = (
        f':C{number} a owl:Class ; rdfs:label "class {number}"@en ; skos:definition "A class with the number {number}'
        f', and more words to say what it is."@en ; rdfs:subClassOf :C{number // 2}, [ a owl:Restriction ;'
        f" owl:onProperty :p{number % 7} ; owl:someValuesFrom :C{number * 7 % classes} ] .\n"
        for number in range(classes)
    )
    path.write_text(_TURTLE + "".join(lines))


def write_obo(path: Path, terms: int) -> None:
    """Write an ontology of eight clauses per term."""
    frames = (
        f'\n[Term]\nid: EX:{number}\nname: term {number}\ndef: "The term {number}." [EX:ref]\n'
        f'synonym: "word {number}" EXACT []\nxref: OTHER:{number}\nis_a: EX:{number // 2} ! parent\n'
        f'relationship: part_of EX:{number // 3} ! whole\nproperty_value: created "today" xsd:string\n'
        for number in range(terms)
    )
    path.write_text("format-version: 1.4\nontology: ex\n" + "".join(frames))


def read_turtle(path: Path) -> int:
    """Read a file with the bare parser; return the number of statements."""
    with open(path, "rb") as file:
        return sum(1 for _ in pyoxigraph.parse(file, pyoxigraph.RdfFormat.TURTLE, base_iri="file:///release/"))


def test_rdf(race: Race, room: Path) -> None:
    """All that is told of a large graph, beside a loop over its statements."""
    path, table = room / "large.ttl", room / "terms"
    write_turtle(path, CLASSES)
    race(
        "facts.rdf",
        Side(lambda _: tell_rdf(str(path), "turtle", str(table)), lambda: table.unlink(missing_ok=True)),
        Side(lambda _: read_turtle(path)),
    )


def test_obo(race: Race, room: Path) -> None:
    """All that is told of a large file of OBO, beside its validation."""
    path, table = room / "large.obo", room / "terms"
    write_obo(path, TERMS)
    race(
        "facts.obo",
        Side(lambda _: tell_obo(str(path), "obo", str(table)), lambda: table.unlink(missing_ok=True)),
        Side(lambda _: check_obo(str(path), "obo")),
    )


def test_memory(race: Race, room: Path) -> None:
    """The process that tells the facts of a large graph, libraries included."""
    write_turtle(room / "large.ttl", CLASSES)

    def peak() -> tuple[int, int]:
        (room / "terms").unlink(missing_ok=True)
        return peak_of("facts", room / "large.ttl", room / "terms").after, 350_000_000

    race.weigh("facts.memory", peak)
