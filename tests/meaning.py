"""What changed between releases of real ontologies, beside values that are known to be right, and a recount.

usage: python -m tests.meaning [FOLDER]      (packages are downloaded there from the configured registry)

The recount shares no code with the facts: RDF is read by rdflib and compared as trees, OBO as plain text.
"""

from __future__ import annotations

import gzip
import re
import subprocess
import sys
import tempfile
import zipfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import rdflib
from rdflib import OWL, RDF, RDFS, SKOS

from ontofetch_catalog.host.checks import builtin_validators
from ontofetch_hookspecs import load_target

COLUMNS = ("added", "removed", "changed", "obsoleted", "replaced", "relabelled", "redefined", "moved")
BRICK, CASE, PSIMS = "brickschema/ontologies", "case_utils/ontology", "psims/controlled_vocabulary/vendor"


@dataclass(frozen=True)
class Pair:
    """Two releases of a package, the file in each, and what changed; lines are statements added and removed."""

    package: str
    releases: tuple[str, str]
    files: tuple[str, str]
    right: tuple[int, ...]
    lines: tuple[int, int] | None = None


PAIRS = (
    Pair(
        "brickschema", ("0.7.8", "0.7.9"), (f"{BRICK}/1.4/Brick.ttl",) * 2, (5, 1, 1323, 0, 0, 0, 80, 44), (8136, 1491)
    ),
    Pair(
        "brickschema",
        ("0.7.9", "0.8.0"),
        (f"{BRICK}/1.4/Brick.ttl", f"{BRICK}/1.5/Brick.ttl"),
        (90, 16, 271, 9, 8, 56, 73, 26),
        (3283, 1804),
    ),
    Pair(
        "case-utils",
        ("0.17.0", "0.18.0"),
        (f"{CASE}/case-1.4.0.ttl", f"{CASE}/case-1.5.0.ttl"),
        (5, 0, 4, 0, 0, 1, 3, 0),
        (160, 119),
    ),
    Pair("psims", ("1.3.5", "1.4.0"), (f"{PSIMS}/psi-ms.obo.gz",) * 2, (539, 0, 418, 7, 7, 23, 64, 343)),
    Pair("psims", ("1.3.5", "1.4.0"), (f"{PSIMS}/psi-mod.obo.gz",) * 2, (18, 0, 130, 25, 0, 0, 0, 66)),
)

Term = dict[str, Any]  # what is compared: all, label, definition, parents, deprecated, replaced


def main(words: list[str]) -> int:
    """Compare all pairs; return 1 where one of them is not as it should be."""
    folder = Path(words[0]) if words else Path(tempfile.mkdtemp())
    wrong = 0
    for pair in PAIRS:
        contents = [read(folder, pair, number) for number in (0, 1)]
        is_obo = ".obo" in pair.files[0]
        facts = [terms_of(folder, content, "obo" if is_obo else "turtle") for content in contents]
        recount = [terms_of_obo(content) if is_obo else terms_of_rdf(content) for content in contents]
        found, again = compare(*facts), compare(*recount)
        lines = count_lines(folder)
        good = found == again == pair.right and (pair.lines is None or lines == pair.lines)
        wrong += not good
        print(f"{'ok   ' if good else 'WRONG'} {pair.package} {' → '.join(pair.releases)}, {pair.files[1]}")
        rows = [("facts", found), ("recount", again), ("right", pair.right)]
        for name, values in rows:
            print(f"  {name:8}", "  ".join(f"{title} {value}" for title, value in zip(COLUMNS, values, strict=True)))
        print(f"  statements added and removed: {lines}, right: {pair.lines or 'not known'}", flush=True)
    return bool(wrong)


def read(folder: Path, pair: Pair, number: int) -> bytes:
    """Return the content of a file of a release, which is downloaded if it is not there."""
    name = f"{pair.package.replace('-', '_')}-{pair.releases[number]}-*.whl"
    if not list(folder.glob(name)):
        wanted = f"{pair.package}=={pair.releases[number]}"
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary=:all:", "-d", str(folder)]
        subprocess.run([*command, wanted], check=True)
    with zipfile.ZipFile(next(folder.glob(name))) as archive:
        content = archive.read(pair.files[number])
    return gzip.decompress(content) if pair.files[number].endswith(".gz") else content


def terms_of(folder: Path, content: bytes, format_name: str) -> dict[str, Term]:
    """Return the terms that the facts have; their tables stay in the folder."""
    path, table, last = folder / "content", folder / "terms", folder / "terms-before"
    if table.exists():
        table.replace(last)
    path.write_bytes(content)
    validator = next(each for each in builtin_validators() if format_name in each.formats)
    passed, details, facts = load_target(validator.facts)(str(path), format_name, str(table))  # type: ignore[operator]
    assert passed, details
    assert facts["digest_exact"]
    columns = ["iri", "digest", "label_digest", "definition_digest", "parents", "deprecated", "replaced_by"]
    names = ["all", "label", "definition", "parents", "deprecated", "replaced"]
    return {
        row["iri"]: dict(zip(names, list(row.values())[1:], strict=True))
        for row in pq.read_table(table, columns=columns).to_pylist()
        if row["iri"]
    }


def count_lines(folder: Path) -> tuple[int, int]:
    """Return how many statements were added and removed between the two tables that were made last."""
    counts: dict[int, int] = defaultdict(int)
    for name, step in (("terms", 1), ("terms-before", -1)):
        for row in pq.read_table(folder / name, columns=["lines"]).to_pylist():
            for line in row["lines"]:
                counts[line] += step
    return sum(count for count in counts.values() if count > 0), -sum(count for count in counts.values() if count < 0)


def compare(before: dict[str, Term], after: dict[str, Term]) -> tuple[int, ...]:
    """Return the raw comparison, whose columns overlap."""
    both = before.keys() & after.keys()
    obsoleted = [name for name in both if after[name]["deprecated"] and not before[name]["deprecated"]]
    return (
        len(after.keys() - before.keys()),
        len(before.keys() - after.keys()),
        sum(before[name]["all"] != after[name]["all"] for name in both),
        len(obsoleted),
        sum(bool(after[name]["replaced"]) for name in obsoleted),
        *(sum(before[name][what] != after[name][what] for name in both) for what in ("label", "definition", "parents")),
    )


def terms_of_rdf(content: bytes) -> dict[str, Term]:
    """Return the terms as rdflib reads them, blank nodes as hashes of trees."""
    graph = rdflib.Graph().parse(data=content, format="turtle")
    heads = set(graph.subjects(RDF.type, OWL.Ontology)) | set(graph.subjects(RDF.type, SKOS.ConceptScheme))

    def spelled(node: Any) -> Any:
        if isinstance(node, rdflib.BNode):
            return tree(node)
        if isinstance(node, rdflib.Literal):
            return str(node), (node.language or "").lower(), str(node.datatype or rdflib.XSD.string)
        return str(node)

    def tree(node: rdflib.BNode) -> str:
        # by its hash, for a text inside of texts grows with each level
        said = sorted({(str(p), repr(spelled(o))) for p, o in graph.predicate_objects(node)})
        return f"_:{sha256(repr(said).encode()).hexdigest()}"

    def values(subject: Any, *predicates: Any) -> list[str]:
        # rdflib keeps "x" and "x"^^xsd:string apart, which are one literal
        found = {(p, repr(spelled(value))) for p in predicates for value in graph.objects(subject, p)}
        return sorted(value for _, value in found)

    about: dict[Any, list[str]] = defaultdict(list)
    for node, term in graph.subject_objects(OWL.annotatedSource):
        about[term].append(repr(tree(node)))
    replaced = (
        rdflib.URIRef("http://purl.obolibrary.org/obo/IAO_0100001"),
        rdflib.DCTERMS.isReplacedBy,
        rdflib.URIRef("https://brickschema.org/schema/Brick#isReplacedBy"),
    )
    defined = (SKOS.definition, rdflib.URIRef("http://purl.obolibrary.org/obo/IAO_0000115"))
    found = {}
    for subject in set(graph.subjects()) - heads:
        if isinstance(subject, rdflib.BNode):
            continue
        # two blank nodes of which the same is said are two
        pairs = {(str(p), repr(spelled(o)), o if isinstance(o, rdflib.BNode) else "") for p, o in graph[subject]}
        said = sorted((p, text) for p, text, _ in pairs)
        parents = [
            value
            for predicate in (RDFS.subClassOf, RDFS.subPropertyOf, SKOS.broader)
            for value in graph.objects(subject, predicate)
            if isinstance(value, rdflib.URIRef)
        ]
        found[str(subject)] = {
            "all": (said, sorted(about[subject])),
            "label": values(subject, RDFS.label, SKOS.prefLabel),
            "definition": values(subject, *defined) or values(subject, RDFS.comment, rdflib.DCTERMS.description),
            "parents": sorted(set(map(str, parents))),
            "deprecated": str(graph.value(subject, OWL.deprecated)) in ("true", "1", "True"),
            "replaced": values(subject, *replaced),
        }
    return found


def terms_of_obo(content: bytes) -> dict[str, Term]:
    """Return the terms of OBO, read line by line."""
    found: dict[str, Term] = {}
    for frame in re.split(r"\n(?=\[)", content.decode())[1:]:
        clauses = [(tag, value) for tag, value in _clauses(frame) if tag]
        texts = defaultdict(list)
        for tag, value in clauses:
            texts[tag].append(value)
        found[texts["id"][0]] = {
            "all": sorted(set(clauses)),
            "label": texts["name"],
            "definition": [
                value[: value.rindex('"') + 1] if "[" not in value else _defined(value) for value in texts["def"]
            ],
            "parents": sorted({value.split(" {")[0].strip() for value in texts["is_a"]}),
            "deprecated": texts["is_obsolete"] == ["true"],
            "replaced": texts["replaced_by"],
        }
    return found


def _defined(value: str) -> str:
    quoted = re.match(r'"(?:[^"\\]|\\.)*"', value)
    assert quoted is not None
    return quoted[0]


def _clauses(frame: str) -> Iterator[tuple[str, str]]:
    for line in frame.splitlines()[1:]:
        tag, _, value = line.partition(":")
        # a trailing comment, with or without a blank before it
        if tag in ("is_a", "relationship", "intersection_of", "union_of", "disjoint_from", "xref", "inverse_of"):
            value = re.sub(r"\s*!\s.*$", "", value)
        yield tag.strip(), value.strip()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
