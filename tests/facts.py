"""Facts for tests: small facts and tables of terms of made-up contents, staged as a host stages them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ontofetch_catalog.content.facts.schema import FACTS_KEY, TERMS_SCHEMA, encode
from ontofetch_hookspecs import FACTS_COLUMNS, Receipt, Stage
from ontofetch_hookspecs.testing import sample_validate_done
from tests.releases import Releases, results_table, sha256

VERSION = "1+test"


def term(iri: str) -> dict[str, Any]:
    """Return a row of a table of terms."""
    digests = dict.fromkeys(("digest", "other_digest"), b"0" * 16)
    lists: dict[str, list[object]] = {name: [] for name in ("replaced_by", "consider", "parents", "alt_ids", "lines")}
    return {"iri": iri, "kind": "class", "deprecated": False, "statements": 1, **digests, **lists}


def small(text: str, **changes: Any) -> dict[str, Any]:
    """Return small facts of a content."""
    head = {"ontology_iri": "urn:o", "kind": "ontology", "title": text, "imports": ["urn:i"], "statements": 2}
    values = {"facts_version": VERSION, "digest_kind": "rdf", "digest": sha256(text.encode()), "digest_exact": True}
    counts = {"triples": 1, "triples_parsed": 1, "terms": 1, "general_digest": "0" * 32}
    return values | counts | {"heads": [head]} | changes


def sealed_table(text: str, found: dict[str, Any]) -> bytes:
    """Return a table of terms with its facts in it."""
    sealed = TERMS_SCHEMA.with_metadata({FACTS_KEY: encode(found)})
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist([term(f"urn:{text}")], schema=sealed), sink)
    return bytes(sink.getvalue().to_pybytes())


def facts_table(rows: list[dict[str, Any]]) -> pa.Table:
    """Return FACTS_COLUMNS."""
    types = {"string": pa.string(), "int64": pa.int64()}
    return pa.table(
        {column.name: pa.array([row.get(column.name) for row in rows], types[column.type]) for column in FACTS_COLUMNS}
    )


def told_of(texts: dict[str, str], **changes: Any) -> pa.Table:
    """Return the facts table of files whose tables of terms are staged."""
    return facts_table([row for row, _ in _rows_of(texts, **changes)])


def _rows_of(texts: dict[str, str], **changes: Any) -> Iterator[tuple[dict[str, Any], bytes]]:
    for text in texts.values():
        found = small(text, **changes)
        data = sealed_table(text, found)
        content = sha256(text.encode())
        about = {"file_id": content, "content_id": content, "facts_version": found["facts_version"]}
        table = {"table": f"{content}.parquet", "table_sha256": sha256(data), "table_bytes": len(data)}
        yield {**about, **table, "facts": encode(found).decode()}, data


def stage_facts(root: Path, texts: dict[str, str], **changes: Any) -> tuple[Stage, pa.Table]:
    """Stage tables of terms of these files; return the stage and the facts table."""
    stage = Stage.create(root)
    for row, data in _rows_of(texts, **changes):
        with stage.write_file(f"facts/{row['table']}") as file:
            file.write(data)
    return stage, told_of(texts, **changes)


def record_facts(releases: Releases, version: str, texts: dict[str, str], **changes: Any) -> Receipt:
    """Record facts of the files of a release, beside their results."""
    stage, table = stage_facts(releases.root, texts, **changes)
    event = sample_validate_done(
        releases.root,
        results_table(texts),
        version_id=f"example/sample/{version}",
        facts=table,
        staged=stage.path / "facts",
    )
    try:
        return releases._receipt(releases.manager.hook.on_validate_done(event=event))
    finally:
        stage.discard()
