"""The schema of `db doctor --json`: what doctor really prints fits it, and what differs in one field does not."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from ontofetch_catalog.catalog.doctor.codes import CODES
from ontofetch_catalog.catalog.doctor.findings import COLUMNS
from tests.catalog.doctor.conftest import pull
from tests.catalog.doctor.damage import DAMAGE, FOLDER, TEXTS
from tests.cli.conftest import Run
from tests.environments import CHECKOUT
from tests.releases import Releases

pytestmark = pytest.mark.usefixtures("quick_databases")

SCHEMA: dict[str, Any] = json.loads((CHECKOUT / "docs/schemas/doctor.json").read_text(encoding="utf-8"))
# these can lie in one store at once
MANY = ("CAT002", "CAT013", "CAT014", "CAT016", "CAT017", "CAT019", "CAT020", "CAT022", "CAT024", "CAT028")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return the root of a store of two releases out of real archives."""
    releases = Releases(tmp_path / "sound", settings={"durability": "off"})
    pull(releases, "1.0", TEXTS)
    pull(releases, "2.0", TEXTS | {"a.ttl": "ALPHA"})
    return releases.root


@pytest.fixture
def validator() -> Draft202012Validator:
    """Return the validator of the schema."""
    Draft202012Validator.check_schema(SCHEMA)
    return Draft202012Validator(SCHEMA)


def test_what_doctor_prints_fits(root: Path, run: Run, validator: Draft202012Validator) -> None:
    """Of a sound store, of one with many findings, after fixes of which some fail, and without a database."""
    code, out, _ = run("db", "doctor", "--json", root=root)
    assert (code, json.loads(out)["rows"]) == (0, [])
    validator.validate(json.loads(out))
    for name in MANY:
        DAMAGE[name][0](root)
    # a file that can't come back: its archive is damaged
    (root / "example/sample/2.0/data/a.ttl").unlink()
    (root / "example/sample/2.0/src/a.zip").write_bytes(b"x" * (root / "example/sample/2.0/src/a.zip").stat().st_size)
    _, out, _ = run("db", "doctor", "--hash", "--json", root=root)
    found = json.loads(out)
    validator.validate(found)
    assert {row["code"] for row in found["rows"]} == set(MANY)
    words = ("--fix", "--fix", "cat013=quarantine", "--prefer", "catalog", "--yes")
    _, out, _ = run("db", "doctor", "--hash", *words, "--json", root=root)
    mended = json.loads(out)
    validator.validate(mended)
    assert {row["outcome"] for row in mended["sections"]["fixed"]} == {"fixed", "failed"}
    DAMAGE["CAT003"][0](root)
    _, out, _ = run("db", "doctor", "--json", root=root)
    assert "CAT003" in {row["code"] for row in json.loads(out)["rows"]}
    validator.validate(json.loads(out))


def test_the_schema_names_what_the_code_names() -> None:
    """Columns, codes, severities and fixes are the same as in the code."""
    parts = SCHEMA["$defs"]
    assert parts["finding"]["required"] == list(parts["finding"]["properties"]) == list(COLUMNS)
    assert parts["code"]["anyOf"][0]["enum"] == [code.code for code in CODES]
    assert set(parts["finding"]["properties"]["severity"]["enum"]) == {code.severity for code in CODES}
    assert set(parts["fix"]["enum"]) == {fix.name for code in CODES for fix in code.fixes}


def breakages(row: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield copies of a row, each broken in one field: missing, of another type, empty, unknown."""
    for key, value in row.items():
        yield {name: kept for name, kept in row.items() if name != key}
        yield row | {key: [7]}
        if isinstance(value, str):
            yield row | {key: ""}
    yield row | {"extra": 1}


def test_what_differs_is_refused(root: Path, run: Run, validator: Draft202012Validator) -> None:
    """A field that is missing, of another type, empty, or unknown does not pass, nor does a code that is none."""
    (root / FOLDER / "manifest.json").unlink()
    _, out, _ = run("db", "doctor", "--fix", "--yes", "--json", root=root)
    (root / FOLDER / "manifest.json").unlink()
    _, looked, _ = run("db", "doctor", "--json", root=root)
    mended, found = json.loads(out), json.loads(looked)
    mended["rows"] = mended["sections"]["findings"] = found["rows"]
    validator.validate(mended)
    for broken in breakages(mended):
        assert validator.is_valid(broken) is ("sections" not in broken), broken
    for section in ("findings", "fixed"):
        row = mended["sections"][section][0]
        for broken in (*breakages(row), row | {"code": "CAT000"}, row | {"code": "CAT999"}):
            whole = copy.deepcopy(mended)
            whole["sections"][section][0] = broken
            assert not validator.is_valid(whole), broken
