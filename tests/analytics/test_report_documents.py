"""The documents of the reports are those of the code, their schemas fit the output, and the code in them runs."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from ontofetch_catalog.analytics import Catalog
from ontofetch_catalog.cli.db_query import events as db_events
from ontofetch_catalog.plugins import analytics
from ontofetch_hookspecs import HostInfo
from ontofetch_hookspecs.testing import make_manager
from tests import report_documents as documents

pytestmark = pytest.mark.usefixtures("quick_databases")

REPORTS = (documents.DOCS / "reports.md").read_text()
PYTHON = (documents.DOCS / "python.md").read_text()


@pytest.mark.parametrize("text", [REPORTS, PYTHON], ids=["reports.md", "python.md"])
def test_documents_are_those_of_the_code(text: str) -> None:
    """Options, examples and frames are as the code says; `python -m tests.report_documents` writes them."""
    assert documents.filled(text) == text


def test_every_part_is_in_a_document() -> None:
    """No report and no frame is left out, and each report has a heading."""
    assert set(re.findall(r"<!-- ((?:options|frames) [a-z-]+) -->", REPORTS + PYTHON)) == set(documents.blocks())
    for report in analytics.register_reports():
        assert f"\n## {report.name}\n" in REPORTS


@pytest.mark.parametrize("path", documents.schemas(), ids=lambda path: path.name)
def test_schemas_are_those_of_the_contracts(path: Path) -> None:
    """Each schema in docs is the one that follows from the contract."""
    assert path.read_text() == documents.schemas()[path]


OLD = {"a.ttl": (b"1", {"rdf": True}), "b.ttl": (b"22", {"rdf": False}, "line 1"), "old/c.obo": b"333"}
NEW = {"a.ttl": (b"4444", {"rdf": True}), "new/c.obo": b"333", "d": b"333"}


@pytest.fixture
def catalog(shelf: Any) -> Catalog:
    """Return a catalog of two releases of hp."""
    shelf.add("obo/hp/1", OLD, released=date(2025, 1, 1))
    shelf.add("obo/hp/2", NEW, released=date(2025, 3, 1), latest=True)
    return Catalog.open(shelf.store.root, settings={"durability": "off"})


def check(name: str, document: Mapping[str, Any]) -> None:
    """Validate a document against its schema in docs."""
    schema = json.loads((documents.DOCS / f"schemas/report-{name}.json").read_text())
    validator = jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())
    validator.check_schema(schema)
    validator.validate(document)


def test_json_fits_its_schema(catalog: Catalog) -> None:
    """What reports print as json is what the schemas promise; another key or type is noticed."""
    results = {
        "latest": [catalog.latest()],
        "growth": [catalog.growth("hp/1", "hp/2", by=by, all=True) for by in ("path", "format", "folder")],
        "growth-series": [catalog.growth(series="hp"), catalog.growth(series="hp", every="month")],
        "validation": [
            catalog.validation("hp/2", against="hp/1", by=by, last=2) for by in ("validator", "format", "path")
        ],
        "hotspots": [catalog.hotspots(by) for by in ("service", "host", "folder", "format", "extension")],
        "duplicates": [catalog.duplicates()],
    }
    # of these, the schema is tried where their releases are made
    about_terms = {"meaning", "meaning-series", "impact", "quality", "imports", "term"}
    assert set(results) == set(documents.CONTRACTS) - about_terms
    for name, found in results.items():
        for result in found:
            document = json.loads(result.as_json())
            document["parameters"]["report"] = documents.CONTRACTS[name].name
            check(name, document)
            assert document["rows"]
    document["rows"][0]["file_id"] = 5
    with pytest.raises(jsonschema.ValidationError):
        check("duplicates", document)


def test_the_code_in_the_document_runs(
    catalog: Catalog, shelf: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every block of docs/python.md, in order, with a store named `store` and exported events beside it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "store").exists() or (tmp_path / "store").symlink_to(shelf.store.root)
    host = HostInfo(
        name="ontofetch", manager=make_manager(), root=shelf.store.root, run_id="", config_hash="", settings={}
    )
    assert db_events(["--out", "events.parquet"], host) == 0
    names: dict[str, Any] = {}
    blocks = re.findall(r"```python\n(.*?)```", PYTHON, flags=re.DOTALL)
    assert len(blocks) >= 6
    for block in blocks:
        exec(compile(block, "docs/python.md", "exec"), names)
    assert names["by_format"]["files"].sum() == 3
    assert names["moved"]["relpath"].to_list() == ["new/c.obo"]
    assert names["failing"]["size_bytes"].to_list() == [2]
    assert names["per_day"]["events"].sum() >= 1
    assert names["net"] == 4
    assert "growth from obo/hp/1 to obo/hp/2" in capsys.readouterr().out
    assert Path("growth.html").read_text().count("<svg") == 1
    assert Path("timeline.svg").read_bytes().startswith(b"<svg")
    assert names["concentrated"].height == 1
