"""Make releases whose files say something: terms and headers as plain values, recorded as facts with their tables."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ontofetch_catalog.catalog.repo.facts import table_path
from ontofetch_catalog.content.facts.schema import TERMS_SCHEMA
from tests.analytics.conftest import RECORDED, Shelf

VERSION = "1+test-1"
EX = "http://example.org/obo/EX_"


@dataclass(frozen=True)
class Term:
    """What a file says of a term; `labels` are those in other languages, `other` stands for all further statements."""

    label: str | None = None
    definition: str | None = None
    parents: tuple[str, ...] = ()
    kind: str = "class"
    deprecated: bool = False
    replaced_by: tuple[str, ...] = ()
    consider: tuple[str, ...] = ()
    alt_ids: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    other: tuple[str, ...] = ()

    def statements(self) -> list[str]:
        """Return each statement as text."""
        told = [f"{name}={value}" for name, value in asdict(self).items() if isinstance(value, str)]
        told += [f"{name}={each}" for name, value in asdict(self).items() if isinstance(value, tuple) for each in value]
        return told + (["deprecated"] if self.deprecated else [])


@dataclass(frozen=True)
class Said:
    """What a file says: terms by IRI, headers, statements of no term; and how that is known."""

    terms: Mapping[str, Term] = field(default_factory=dict)
    heads: Sequence[Mapping[str, Any]] = ()
    general: tuple[str, ...] = ()
    bytes: bytes = b""
    exact: bool = True
    kind: str = "rdf"
    facts_version: str = VERSION
    reason: str | None = None
    known: bool = True


def ex(number: int) -> str:
    """Return the IRI of a term."""
    return f"{EX}{number:07d}"


def head(iri: str, **said: Any) -> dict[str, Any]:
    """Return a header."""
    return {"ontology_iri": iri, "kind": "ontology", "imports": [], "statements": 1, "digest": "00" * 16, **said}


def content_of(said: Said) -> bytes:
    """Return bytes that stand for what a file says."""
    return said.bytes or repr(said).encode()


def _digest(*values: object) -> bytes:
    return hashlib.sha256(repr(values).encode()).digest()[:16]


def _line(iri: str, statement: str) -> int:
    return int.from_bytes(_digest(iri, statement)[:8], "big")


def term_rows(said: Said) -> list[dict[str, Any]]:
    """Return the rows of a table of terms."""
    rows = []
    for iri, term in sorted([("", Term(kind="general", other=said.general)), *said.terms.items()]):
        values = {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(term).items()}
        del values["other"], values["labels"]
        rows.append(
            values
            | {
                "iri": iri,
                "label_digest": _digest(term.label, *term.labels) if term.label else None,
                "definition_digest": _digest(term.definition) if term.definition else None,
                "statements": len(term.statements()),
                "digest": _digest(iri, sorted(term.statements())),
                "other_digest": _digest(term.other, term.kind, term.alt_ids),
                "lines": [_line(iri, statement) for statement in (term.statements() if iri else term.other)],
            }
        )
    return rows


def graph_digest(said: Said) -> str:
    """Return the digest of a graph."""
    heads = json.dumps(list(said.heads), sort_keys=True)
    return hashlib.sha256(repr([sorted(said.terms.items()), said.general, heads]).encode()).hexdigest()


def add(shelf: Shelf, version_id: str, files: Mapping[str, Said | bytes], **more: Any) -> str:
    """Record a release with its facts."""
    stored = {path: said if isinstance(said, bytes) else content_of(said) for path, said in files.items()}
    shelf.add(version_id, stored, **more)
    facts: dict[str, dict[str, Any]] = {}
    heads = []
    for path, said in files.items():
        if isinstance(said, bytes) or not said.known:
            continue
        content_id = hashlib.sha256(stored[path]).hexdigest()
        key = content_id + said.facts_version
        if key in facts or _is_recorded(shelf, content_id, said.facts_version):
            continue
        facts[key] = record(shelf, content_id, said)
        heads += [
            {"content_id": content_id, "facts_version": said.facts_version, "position": at, **each}
            for at, each in enumerate(said.heads, 1)
        ]
    rows = {}
    if facts:
        rows["file_facts"] = pa.Table.from_pylist(list(facts.values()), schema=_FACTS)
    if heads:
        rows["ontology_heads"] = pa.Table.from_pylist(heads, schema=_HEADS)
    shelf.insert(rows)
    return version_id


def _is_recorded(shelf: Shelf, content_id: str, facts_version: str) -> bool:
    return shelf.store.path(table_path(content_id, facts_version)).exists()


def record(shelf: Shelf, content_id: str, said: Said) -> dict[str, Any]:
    """Write the table of a content; return its row of file_facts."""
    row: dict[str, Any] = {
        "file_id": content_id, "content_id": content_id, "facts_version": said.facts_version, "recorded_at": RECORDED,
    }  # fmt: skip
    if said.reason:
        return row | {"reason": said.reason}
    path = shelf.store.root / table_path(content_id, said.facts_version)
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = term_rows(said)
    pq.write_table(pa.Table.from_pylist(rows, schema=TERMS_SCHEMA), path, compression="zstd")
    data = path.read_bytes()
    return row | {
        "digest_kind": said.kind,
        "digest": graph_digest(said),
        "digest_exact": said.exact,
        "triples": sum(each["statements"] for each in rows),
        "terms": len(said.terms),
        "heads": len(said.heads),
        "table_sha256": hashlib.sha256(data).hexdigest(),
        "table_bytes": len(data),
    }


_FACTS = pa.schema(
    {name: pa.string() for name in ("file_id", "content_id", "facts_version", "reason", "digest_kind", "digest")}
    | {"digest_exact": pa.bool_()}
    | {name: pa.int64() for name in ("triples", "terms", "heads", "table_bytes")}
    | {"table_sha256": pa.string(), "recorded_at": pa.timestamp("us", "UTC")}
)
_HEADS = pa.schema(
    {name: pa.string() for name in ("content_id", "facts_version", "ontology_iri", "kind", "version_iri")}
    | {name: pa.string() for name in ("version_info", "title", "license", "digest")}
    | {"position": pa.int32(), "imports": pa.list_(pa.string()), "statements": pa.int64()}
)
