"""`ontofetch export`: documents about a release, each checked by what its own standard has for that."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ontofetch_catalog.host.app import main
from ontofetch_catalog.showing.documents import KINDS
from tests.showing.conftest import SECOND, STATED, Run

pytestmark = pytest.mark.usefixtures("quick_databases")

DIGEST = "16367aacb67a4a017c8da8ab95682ccb390863780f7114dda0a0e0c55644c7c4"  # of b"second", by sha256sum
# what DCAT-AP 3 calls mandatory for a dataset, a series and a distribution, and what SPDX wants of a checksum
SHAPES = """
@prefix sh: <http://www.w3.org/ns/shacl#> . @prefix dcat: <http://www.w3.org/ns/dcat#> .
@prefix dct: <http://purl.org/dc/terms/> . @prefix spdx: <http://spdx.org/rdf/terms#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
[] a sh:NodeShape ; sh:targetClass dcat:Dataset, dcat:DatasetSeries ;
  sh:property [ sh:path dct:title ; sh:minCount 1 ; sh:nodeKind sh:Literal ] ,
    [ sh:path dct:description ; sh:minCount 1 ; sh:nodeKind sh:Literal ] ,
    [ sh:path dcat:distribution ; sh:class dcat:Distribution ] ,
    [ sh:path dcat:inSeries ; sh:class dcat:DatasetSeries ; sh:maxCount 1 ] ,
    [ sh:path dct:issued ; sh:maxCount 1 ; sh:or ( [ sh:datatype xsd:date ] [ sh:datatype xsd:dateTime ] ) ] ,
    [ sh:path dcat:version ; sh:maxCount 1 ; sh:nodeKind sh:Literal ] .
[] a sh:NodeShape ; sh:targetClass dcat:Distribution ;
  sh:property [ sh:path dcat:accessURL ; sh:minCount 1 ; sh:nodeKind sh:IRI ] ,
    [ sh:path dcat:downloadURL ; sh:nodeKind sh:IRI ] ,
    [ sh:path dcat:byteSize ; sh:maxCount 1 ; sh:datatype xsd:nonNegativeInteger ] ,
    [ sh:path dcat:mediaType ; sh:maxCount 1 ; sh:nodeKind sh:IRI ] ,
    [ sh:path spdx:checksum ; sh:maxCount 1 ; sh:class spdx:Checksum ] .
[] a sh:NodeShape ; sh:targetClass spdx:Checksum ;
  sh:property [ sh:path spdx:algorithm ; sh:minCount 1 ; sh:maxCount 1 ; sh:nodeKind sh:IRI ] ,
    [ sh:path spdx:checksumValue ; sh:minCount 1 ; sh:maxCount 1 ; sh:datatype xsd:hexBinary ] .
"""


def export(run: Run, release: str, kind: str) -> str:
    """Return a document."""
    code, out, err = run("export", release, "--as", kind)
    assert code == 0, err
    return out


@pytest.mark.parametrize("kind", KINDS)
def test_a_document_is_the_same_again(run: Run, kind: str, tmp_path: Path) -> None:
    """The same release makes the same bytes, on stdout and in a file; no path of this machine is in it."""
    first = export(run, "2.0", kind)
    assert first == export(run, "sample/2.0", kind)
    assert run("export", "2.0", "--as", kind, "--out", str(tmp_path / "out"))[0] == 0
    assert (tmp_path / "out").read_text() == first
    assert DIGEST in first
    assert "alice" not in export(run, "3.0", kind)


# a library below the validator
@pytest.mark.filterwarnings("ignore:Dataset.*:DeprecationWarning")
def test_dcat_keeps_the_shapes(run: Run) -> None:
    """What DCAT-AP calls mandatory is there, with the values it allows, also where no address is known."""
    pyshacl = pytest.importorskip("pyshacl", reason="`pip install pyshacl` checks it")
    known, unknown = export(run, "2.0", "dcat"), export(run, "3.0", "dcat")
    given = {"shacl_graph": SHAPES, "data_graph_format": "turtle", "shacl_graph_format": "turtle"}
    conforms, _, told = pyshacl.validate(known + unknown, **given)
    assert conforms, told
    assert "dcat:downloadURL <https://example.org/two.zip>" in known
    assert "dct:license <https://creativecommons.org/publicdomain/zero/1.0/>" in known
    assert "owl:versionIRI <https://example.org/sample/2.0>" in known
    # the shapes see a fault
    assert not pyshacl.validate(known.replace("dcat:accessURL", "dcat:landingPage"), **given)[0]


def test_spdx_is_valid(run: Run, tmp_path: Path) -> None:
    """The validator of SPDX finds nothing; every file is there with its checksum."""
    pytest.importorskip("spdx_tools", reason="`pip install 'ontofetch-catalog[export]'` brings it")
    from spdx_tools.spdx.parser.parse_anything import parse_file
    from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document

    for release in ("1.0", "2.0", "3.0"):
        (tmp_path / "document.spdx.json").write_text(export(run, release, "spdx"))
        document = parse_file(str(tmp_path / "document.spdx.json"))
        assert validate_full_spdx_document(document) == []
    names = {package.name for package in document.packages}
    assert {f"data/{name}" for name in SECOND} < names


def test_prov_is_read_back(run: Run) -> None:
    """The library reads what was written, and finds the release before, the source and the validation."""
    pytest.importorskip("prov", reason="`pip install 'ontofetch-catalog[export]'` brings it")
    from prov.model import ProvDocument

    text = export(run, "2.0", "prov")
    document = ProvDocument.deserialize(content=text, format="json")
    assert ProvDocument.deserialize(content=document.serialize(format="json"), format="json") == document
    labels = {str(label) for record in document.get_records() for label in record.get_attribute("prov:label")}
    assert "example/sample/1.0" in labels
    assert "https://example.org/two.zip" in labels
    assert "validation by rdf-syntax: 3 passed, 1 failed, 0 not judged" in labels


def test_a_crate_names_all_files(run: Run, store: Path) -> None:
    """Every file of the release's folder is a data entity under its path, with its size and digest."""
    pytest.importorskip("rocrate", reason="`pip install 'ontofetch-catalog[export]'` brings it")
    from urllib.parse import unquote

    graph: list[dict[str, Any]] = json.loads(export(run, "2.0", "ro-crate"))["@graph"]
    files = {unquote(entity["@id"]): entity for entity in graph if entity["@type"] == "File"}
    folder = store / "example/sample/2.0"
    on_disk = {
        path.relative_to(folder).as_posix(): path.stat().st_size
        for name in ("src", "data")
        for path in (folder / name).rglob("*")
        if path.is_file()
    }
    assert {path: int(entity["contentSize"]) for path, entity in files.items()} == on_disk
    assert files["src/a.zip"]["sha256"] == DIGEST
    assert files["src/a.zip"]["url"] == "https://example.org/two.zip"
    root = next(entity for entity in graph if entity["@id"] == "./")
    assert (root["name"], root["license"]["@id"]) == (STATED["title"], STATED["licence"])
    assert {part["@id"] for part in root["hasPart"]} == {entity["@id"] for entity in files.values()}


def test_a_crate_passes_its_validator(run: Run, store: Path, tmp_path: Path) -> None:
    """All that RO-Crate 1.2 demands holds, until a file is gone; the validator has an environment of its own."""
    here = Path(__file__).parents[2] / ".build"
    python, context = here / "roc/bin/python", here / "rojs/node_modules/ro-crate/lib/context.json"
    if not (python.exists() and context.exists()):
        pytest.skip("there is no validator of crates: `.ci/viewers` brings it")
    folder = store / "example/sample/2.0"
    (folder / "ro-crate-metadata.json").write_text(export(run, "2.0", "ro-crate"))
    broken = Path(shutil.copytree(folder, tmp_path / "broken"))
    (broken / "src/a.zip").unlink()
    script = Path(__file__).with_name("validate_crate.py")
    words = [python, script, context, folder, broken]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=120, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert {line.split()[0] for line in done.stdout.splitlines()} == {"1"}, done.stdout


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("2.0", "--as", "docx"), "There is no document 'docx'. There are: ro-crate, dcat, prov, spdx."),
        (("9.0", "--as", "dcat"), "9.0"),
        (("2.0", "--as", "dcat", "--out", "{folder}"), "is a folder"),
        (("2.0", "--as", "dcat", "--out", "{folder}/no/such"), "can't be written"),
    ],
)
def test_what_can_not_be_is_a_sentence(run: Run, tmp_path: Path, words: tuple[str, ...], sentence: str) -> None:
    """A wrong word says what there is, and nothing is printed."""
    code, out, err = run("export", *(word.format(folder=tmp_path) for word in words))
    assert code in (1, 2)
    assert sentence in re.sub(r"\s+", " ", err)
    assert out == ""


@pytest.mark.parametrize(("kind", "package"), [("ro-crate", "rocrate"), ("prov", "prov"), ("spdx", "spdx_tools")])
def test_a_missing_library_is_a_sentence(run: Run, monkeypatch: pytest.MonkeyPatch, kind: str, package: str) -> None:
    """Without the extra, a sentence says what to install; DCAT needs none of it."""
    for name in [name for name in sys.modules if name.partition(".")[0] == package or "showing.documents." in name]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)
    code, _, err = run("export", "2.0", "--as", kind)
    assert code == 2
    assert "pip install 'ontofetch-catalog[export]'" in re.sub(r"\s+", " ", err)
    assert run("export", "2.0", "--as", "dcat")[0] == 0


def test_words_of_strangers_stay_words(run: Run, store: Path) -> None:
    """A URL, a type and a name with quotes and brackets leave no document that its parser refuses."""
    with duckdb.connect(str(store / ".catalog/ontofetch.duckdb")) as connection:
        for table in ("artifacts", "origins"):
            connection.execute(
                f"UPDATE {table} SET source_url = 'https://example.org/\"> <urn:evil> .', content_type = '\"><b>/<'"
            )
    from pyoxigraph import RdfFormat, parse

    text = export(run, "2.0", "dcat")
    subjects = {str(triple.subject) for triple in parse(text, format=RdfFormat.TURTLE)}
    assert not [subject for subject in subjects if "evil" in subject]
    for kind in ("ro-crate", "prov", "spdx"):
        assert json.loads(export(run, "2.0", kind))


def test_the_help_has_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    """Every kind is explained, and a line can be typed as it stands."""
    assert main(["export", "--help"]) == 0
    told = capsys.readouterr().out
    assert all(kind in told for kind in KINDS)
    assert "example: ontofetch export hp/latest --as ro-crate" in told
