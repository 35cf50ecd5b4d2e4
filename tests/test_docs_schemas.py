"""The schemas of the documents beside a release: real ones fit, broken ones don't, and no field is left unsaid."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, ValidationError

from ontofetch_hookspecs import Remark
from tests.environments import CHECKOUT
from tests.releases import Releases, results_table

SCHEMAS = CHECKOUT / "docs/schemas"
DOCUMENTS = {
    "manifest": "manifest.json",
    "extract-audit": ".extract.audit.json",
    "validation-audit": ".validation.audit.json",
    "latest": "LATEST.json",
}
REMARK = Remark(kind="left_out", reason="file(s) of no use", count=3, names=("a", 'b "\\ ü'))
TEXTS = {'a "quoted" \\ ü.ttl': "one", "folder/b.ttl": "two", "c.obo": ""}
OPTIONAL = ("origins", "notes")  # what is left out where there is no more to say


def validator_of(name: str) -> Draft202012Validator:
    """Return the validator of a schema."""
    schema = json.loads((SCHEMAS / f"{name}.json").read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def documents(root: Path, name: str) -> list[dict[str, Any]]:
    """Return all documents of a kind below a store; the lines of an audit are documents of their own."""
    found = []
    for path in sorted(root.rglob(DOCUMENTS[name])):
        text = path.read_text(encoding="utf-8")
        found += [json.loads(line) for line in text.splitlines()] if "audit" in name else [json.loads(text)]
    return found


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a store with releases in every state: bare, with two artifacts, failing, latest."""
    releases = Releases(tmp_path_factory.mktemp("documents") / "store", settings={"durability": "off"})
    releases.download("0.1", b"bare")
    releases.download("1", b"zip", etag='"1"', last_modified="then", content_type="a/b", plan_hash="p")
    releases.extract("1", b"zip", TEXTS, include=("*.ttl", "*.obo"), strip=3)
    releases.download("1", b"more", artifact="more.zip")
    releases.extract("1", b"more", {"d.ttl": "four"}, artifact="more.zip", exclude=("*.x",), remarks=(REMARK,))
    releases.validate("1", results_table(TEXTS, failing=("c.obo",)))
    releases.set_latest("1", accept_failures=True)
    releases.pull("2", {"a.ttl": "one"})
    return releases.root


@pytest.mark.parametrize("name", DOCUMENTS)
def test_what_a_boundary_writes_fits_its_schema(store: Path, name: str) -> None:
    """Every document beside a release is one its schema describes, in every state of a release."""
    found = documents(store, name)
    assert len(found) == {"manifest": 3, "extract-audit": 6, "validation-audit": 4, "latest": 1}[name]
    for document in found:
        validator_of(name).validate(document)


def breakages(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield copies of a document, each broken in one field: missing, of another type, unknown."""
    for key, value in document.items():
        yield f"without {key}", {name: kept for name, kept in document.items() if name != key}
        yield f"{key} is a list of a number", document | {key: [7]}
        if isinstance(value, str):
            yield f"{key} is empty", document | {key: ""}
    yield "unknown key", document | {"extra": 1}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_broken_document_is_refused(store: Path, name: str) -> None:
    """A field that is missing, of another type, empty, or unknown does not pass."""
    validator = validator_of(name)
    document = documents(store, name)[-1]
    # these may be empty: what a server says, and what a host says of its plan
    free = {"etag is empty", "last_modified is empty", "content_type is empty", "plan_hash is empty"}
    for what, broken in breakages(document):
        assert validator.is_valid(broken) is (what in free), what
    if name == "manifest":
        for what, artifact in breakages(document["artifacts"][0]):
            whole = copy.deepcopy(document)
            whole["artifacts"][0] = artifact
            assert validator.is_valid(whole) is (what in free), what


@pytest.mark.parametrize(
    ("name", "field", "value"),
    [
        ("extract-audit", "relpath", "../up"),
        ("extract-audit", "relpath", "/abs"),
        ("extract-audit", "relpath", "a//b"),
        ("extract-audit", "file_id", "A" * 64),
        ("extract-audit", "size_bytes", -1),
        ("extract-audit", "mtime", "2025-01-02 03:04:05"),
        ("validation-audit", "reused_from", "somewhere"),
        ("validation-audit", "details", "{}"),
        ("manifest", "format", 2),
        ("manifest", "artifacts", []),
        ("manifest", "service", "latest/x"),
        ("latest", "path", ".."),
    ],
)
def test_a_hostile_value_is_refused(store: Path, name: str, field: str, value: object) -> None:
    """Paths that climb, hashes in capitals, times without a zone and other forms do not pass."""
    with pytest.raises(ValidationError) as refused:
        validator_of(name).validate(documents(store, name)[0] | {field: value})
    assert refused.value.json_path.startswith(f"$.{field}")


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_field_is_described(name: str) -> None:
    """Each property has a description and is required, and nothing else is allowed."""
    schema = json.loads((SCHEMAS / f"{name}.json").read_text(encoding="utf-8"))
    objects = [schema, schema["properties"].get("artifacts", {}).get("items", schema)]
    for described in objects:
        assert described["additionalProperties"] is False
        # an audit has lines of files and of artifacts; which fields each of them has, the tests above know
        needed = set(described["required"]) | set(described.get("else", {}).get("required", ()))
        assert needed == set(described["properties"]) - ({"remarks"} if "else" in described else set(OPTIONAL))
        assert all(value["description"] for value in described["properties"].values())
