"""Documents that a stranger makes to take the memory or the processor of whoever validates them fail in a sentence."""

from __future__ import annotations

import io
import json
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ontofetch_catalog.children.limits import Allowance
from ontofetch_catalog.host.checks import builtin_validators
from ontofetch_catalog.host.entities import find_fault
from ontofetch_hookspecs import Validator
from tests.environments import CHECKOUT

from .test_validators import release, run

RDF = '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:e="urn:e:"{attributes}>{inside}</rdf:RDF>'
TRIPLE = '<rdf:Description rdf:about="urn:a"><e:p>{text}</e:p></rdf:Description>'
DEEP = 200_000
PEAK = 600_000  # KiB


def document(entities: str, text: str) -> str:
    """Return a document of RDF/XML with declarations and one text."""
    return f"<!DOCTYPE rdf:RDF [{entities}]>" + RDF.format(attributes="", inside=TRIPLE.format(text=text))


def laughs(layers: int, each: int = 10, space: str = " ") -> str:
    """Return entities of which each stands for some of the one before."""
    first = f'<!ENTITY{space}a0 "lollollol">'
    return first + "".join(
        f'<!ENTITY{space}a{number}{space}"{f"&a{number - 1};" * each}">' for number in range(1, layers)
    )


def nested_contexts() -> str:
    """Return JSON-LD in which each of many nested contexts keeps a long one."""
    many = 5000
    return (
        json.dumps({"@context": {"e": "urn:" + "x" * 500_000}})[:-1]
        + ',"@id":"urn:a","urn:b":'
        + '{"@context":{"f":"urn:g"},"@id":"urn:a","urn:b":' * many
        + "1"
        + "}" * many
        + "}"
    )


HOSTILE: dict[str, tuple[str, Callable[[], str], str]] = {
    "billion laughs": ("rdfxml", lambda: document(laughs(9), "&a8;"), "stands for"),
    "laughs that nobody uses": ("rdfxml", lambda: document(laughs(9), "x"), "stands for"),
    "laughs with odd spaces": ("rdfxml", lambda: document(laughs(9, space="\u00a0 "), "&a8;"), "stands for"),
    "laughs in a second doctype": (
        "rdfxml",
        lambda: RDF.format(attributes="", inside=f"<!DOCTYPE x [{laughs(9)}]>" + TRIPLE.format(text="&a8;")),
        "stands for",
    ),
    "layers": ("rdfxml", lambda: document(laughs(40, each=1), "&a39;"), "layers"),
    "a quadratic blow-up": (
        "rdfxml",
        lambda: document(f'<!ENTITY a "{"x" * 60_000}">', "&a;" * 10_000),
        "expand to more than 8,388,608 characters",
    ),
    "many large entities": (
        "rdfxml",
        lambda: document("".join(f'<!ENTITY a{n} "{"x" * 60_000}">' for n in range(20)), "x"),
        "for all entities together",
    ),
    "a very large entity": ("rdfxml", lambda: document(f'<!ENTITY a "{"x" * 400_000}">', "x"), "400,000 characters"),
    "an external entity": (
        "rdfxml",
        lambda: document('<!ENTITY a SYSTEM "file:///etc/passwd">', "&a;"),
        "never fetches",
    ),
    "an external parameter entity": (
        "rdfxml",
        lambda: document('<!ENTITY % a SYSTEM "http://localhost/x.dtd"> %a;', "x"),
        "never fetches",
    ),
    "triples in triples": (
        "turtle",
        lambda: "<urn:a> <urn:b> " + "<<( <urn:a> <urn:b> " * DEEP + "<urn:c>" + ")>>" * DEEP + " .",
        "nested too deeply",
    ),
    "triples in triples, line by line": (
        "ntriples",
        lambda: "<urn:a> <urn:b> " + "<<( <urn:a> <urn:b> " * DEEP + "<urn:c>" + ")>>" * DEEP + " .",
        "nested too deeply",
    ),
    "contexts in contexts": ("jsonld", nested_contexts, "bytes that a parser may have for a file of its size"),
    "objects in objects": ("jsonld", lambda: '{"@id":"urn:a","urn:b":' * DEEP + "1" + "}" * DEEP, "Max stack size"),
    "lists in lists": ("jsonld", lambda: "[" * DEEP + "]" * DEEP, "Max stack size"),
    "elements in elements": (
        "rdfxml",
        lambda: RDF.format(attributes="", inside="<e:A><e:p>" * DEEP + "</e:p></e:A>" * DEEP),
        "max_cpu_per_mb",
    ),
    "qualifiers in qualifiers": (
        "obo",
        lambda: 'format-version: 1.4\n\n[Term]\nid: A:1\ndef: "x" ' + "[" * DEEP + "]" * DEEP + "\n",
        "expected",
    ),
}
ENDINGS = {"rdfxml": "rdf", "turtle": "ttl", "ntriples": "nt", "jsonld": "jsonld", "obo": "obo"}
SCRIPT = """
import json, resource, sys
from pathlib import Path
import pyarrow as pa
from ontofetch_catalog.children.limits import Allowance
from ontofetch_catalog.host.checks import builtin_validators
from ontofetch_catalog.host.validators import run_validators
from ontofetch_hookspecs.store_paths import StorePath
folder, name, format_name = sys.argv[1:]
files = pa.table({"relpath": [name], "file_id": ["0" * 64], "format": [format_name]})
(row,) = run_validators(files, StorePath(Path(folder), ""), builtin_validators(), lambda *_: None, version_id="s/o/1",
                        allowance=Allowance(max_cpu=2.0, max_cpu_per_mb=0.1)).to_pylist()
print(json.dumps([row["passed"], json.loads(row["details"]), resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss]))
"""


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_document_fails_and_takes_no_memory(tmp_path: Path, name: str) -> None:
    """It is a failed result with a reason that can be read, and the process that judged it stayed small."""
    format_name, make, words = HOSTILE[name]
    path = f"a.{ENDINGS[format_name]}"
    (tmp_path / path).write_text(make(), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path), path, format_name],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
        cwd=CHECKOUT,
    )
    passed, details, peak = json.loads(done.stdout)
    # what stands elsewhere is not fetched, and nobody can judge without
    assert passed is (None if name.startswith("an external") else False)
    reason = details["error" if passed is False else "not_judged"]
    assert words in reason
    assert reason.isprintable()
    assert (peak // 1024 if sys.platform == "darwin" else peak) < PEAK


@pytest.mark.parametrize(
    ("entities", "text", "expected"),
    [
        ('<!ENTITY owl "http://www.w3.org/2002/07/owl#">', "&owl;Thing &amp; &lt;", 1),
        ('<!ENTITY o "http://example.org/"><!ENTITY p "&o;part#">', "&p;x", 1),
        ("<!-- no entities -->", "x", 1),
    ],
)
def test_the_entities_of_honest_ontologies_pass(tmp_path: Path, entities: str, text: str, expected: int) -> None:
    """Namespaces named by entities, also by each other, are what they always were."""
    files = release(tmp_path, {"a.rdf": document(entities, text)}, "rdfxml")
    (row,) = run(files, tmp_path, *builtin_validators())
    assert (row["passed"], json.loads(row["details"])) == (True, {"triples": expected})


def test_many_uses_of_a_short_entity_pass() -> None:
    """A large ontology uses the name of its namespace a million times."""
    use = '<e:p rdf:resource="&owl;Thing"/>'
    text = document('<!ENTITY owl "http://www.w3.org/2002/07/owl#">', use * 1_000_000)
    assert find_fault(io.BytesIO(text.encode())) is None


@pytest.mark.parametrize("offset", range(-30, 31, 7))
def test_a_declaration_across_two_steps_is_seen(offset: int) -> None:
    """Wherever a step of reading ends, a declaration is seen whole."""
    for edge in (1 << 20, (1 << 20) - (1 << 18)):
        text = "<!--" + "x" * (edge + offset - 4 - 3) + "-->" + document(laughs(9), "x")
        assert find_fault(io.BytesIO(text.encode())) is not None


def test_a_declaration_that_goes_on_and_on_is_seen() -> None:
    """What is longer than all that is looked at together is too large, wherever it may end."""
    text = document(f'<!ENTITY a "{"x" * 3_000_000}">', "x")
    assert "has more than 65,536 characters" in (find_fault(io.BytesIO(text.encode())) or "")


HELPERS = """
import os, resource, signal
def hungry(path, format): return True, {"size": len(bytearray(1 << 30))}
def recursive(path, format): return recursive(path, format)
def busy(path, format):
    while True: pass
def writes(path, format):
    with open(os.environ["TMPDIR"] + "/large", "wb") as stream:
        for _ in range(1000): stream.write(bytes(1 << 20))
def crashes(path, format):
    with open(path + ".asked", "a") as stream: stream.write("x")
    os.kill(os.getpid(), signal.SIGSEGV)
def fine(path, format): return True, {}
"""


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS does not enforce RLIMIT_AS")
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("hungry", ["more memory than 300,000,000 bytes", "max_memory", "'a.ttl'"]),
        ("recursive", ["nested too deeply"]),
        ("busy", ["longer than 1 seconds of a processor", "max_cpu", "'a.ttl'"]),
        ("writes", ["File too large"]),
        ("crashes", ["SIGSEGV", "max_memory", "'a.ttl'"]),
    ],
)
def test_a_validator_at_its_limit_fails_its_file_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, words: list[str]
) -> None:
    """The reason names limit, setting and file; the limit was the cause, so nobody is asked twice; others go on."""
    (tmp_path / "limited.py").write_text(HELPERS)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    bad, fine = (Validator(found, "1", ("turtle",), f"limited:{found}") for found in (name, "fine"))
    allowance = Allowance(max_memory=300_000_000, max_cpu=1.0)
    rows = run(release(tmp_path, {"a.ttl": "x"}), tmp_path, bad, fine, allowance=allowance)
    found = {row["validator"]: row for row in rows}
    assert found[name]["passed"] is False
    assert found["fine"]["passed"] is True
    assert all(word in json.loads(found[name]["details"])["error"] for word in words)
    if name == "crashes":
        assert (tmp_path / "a.ttl.asked").read_text() == "x"


def test_what_is_no_file_of_the_release_is_not_opened(tmp_path: Path) -> None:
    """A link or a pipe that lies where a file should is a failed result, and nobody waits for it."""
    import os

    files = release(tmp_path, {"a.ttl": "x", "b.ttl": "y"})
    for name in ("a.ttl", "b.ttl"):
        (tmp_path / name).unlink()
    os.mkfifo(tmp_path / "a.ttl")
    (tmp_path / "b.ttl").symlink_to("/etc/passwd")
    rows = run(files, tmp_path, *builtin_validators())
    assert [row["passed"] for row in rows] == [False, False]
    assert all("can't be read" in json.loads(row["details"])["error"] for row in rows)


def test_this_process_keeps_its_own_limits() -> None:
    """Limits are set in the processes alone."""
    assert resource.getrlimit(resource.RLIMIT_AS)[0] in (
        resource.RLIM_INFINITY,
        resource.getrlimit(resource.RLIMIT_AS)[1],
    )
