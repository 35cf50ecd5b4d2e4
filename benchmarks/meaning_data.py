"""Releases whose files have many terms, recorded past the boundaries; only the tables of terms lie on disk."""

from __future__ import annotations

import hashlib
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from ontofetch_catalog.catalog.repo.facts import table_path
from ontofetch_catalog.content.facts import facts_version
from ontofetch_catalog.content.facts.schema import TERMS_SCHEMA
from ontofetch_hookspecs.layout import DATABASE
from ontofetch_hookspecs.version_keys import version_key

START = datetime(2026, 1, 1, tzinfo=UTC)
PART = 0.02  # of the terms that change from release to release
ROW_GROUP = 20_000


def iri(number: int) -> str:
    """Return the IRI of a term."""
    return f"http://purl.obolibrary.org/obo/EX_{number:07d}"


def _line(digest: bytes, number: int) -> int:
    return int.from_bytes(hashlib.md5(digest + bytes([number])).digest()[:8], "big")


def terms_table(count: int, release: int) -> pa.Table:
    """Return a table of terms, some of which each release says in another way."""
    chance = random.Random(release)
    fates = [chance.random() for _ in range(count)]
    columns: dict[str, list[object]] = {name: [] for name in TERMS_SCHEMA.names}
    for number, fate in enumerate(fates):
        if fate > 1 - PART / 4:
            continue  # not in this release
        kind = int(fate / PART * 4) if fate < PART else -1
        digests = [
            hashlib.md5(f"{number} {part} {release if kind == part else ''}".encode()).digest() for part in range(4)
        ]
        parents = [iri(number // 2)] if kind != 2 else [iri(number // 3)]
        values = {
            "iri": iri(number), "kind": "class",
            "label": f"term {number}" + (f" of {release}" if kind == 0 else ""), "label_digest": digests[0],
            "definition": f"What the term with the number {number} is, in as many words as definitions tend to have."
            + (f" In {release}." if kind == 1 else ""), "definition_digest": digests[1],
            "deprecated": False, "replaced_by": [], "consider": [], "parents": parents, "alt_ids": [],
            "statements": 6, "digest": hashlib.md5(b"".join(digests)).digest(), "other_digest": digests[3],
            "lines": [_line(digests[part % 4], part) for part in range(6)],
        }  # fmt: skip
        for name, value in values.items():
            columns[name].append(value)
    return pa.table([pa.array(columns[field.name], field.type) for field in TERMS_SCHEMA], TERMS_SCHEMA)


def fill_terms(root: Path, series: str, releases: int, terms: int) -> Path:
    """Record releases of a series with one file of `terms` terms each; return a folder with links to their tables."""
    links = root / f"tables-{series.replace('/', '-')}"
    links.mkdir()
    service, ontology = series.split("/")
    version = facts_version("turtle")
    rows: dict[str, list[dict[str, object]]] = {"versions": [], "extracted_files": [], "file_facts": []}
    for number in range(releases):
        version_id, content_id = f"{series}/1.{number}", hashlib.sha256(f"{series} {number}".encode()).hexdigest()
        path = root / table_path(content_id, version)
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(terms_table(terms, number), path, compression="zstd", row_group_size=ROW_GROUP)
        (links / f"{number:05d}.parquet").symlink_to(path)
        data = path.read_bytes()
        rows["versions"].append({
            "version_id": version_id, "service": service, "ontology": ontology, "version": f"1.{number}",
            "version_key": version_key(f"1.{number}"), "fs_relpath": version_id, "layout": "native", "run_id": "bench",
            "created_at": (START + timedelta(hours=number)).replace(tzinfo=None),
        })  # fmt: skip
        rows["extracted_files"].append({
            "version_id": version_id, "relpath": "ex.ttl", "file_id": content_id, "artifact_id": "a" * 64,
            "format": "turtle", "size_bytes": 1,
        })  # fmt: skip
        rows["file_facts"].append({
            "file_id": content_id, "content_id": content_id, "facts_version": version, "digest_kind": "rdf",
            "digest": content_id, "digest_exact": True, "triples": 1, "terms": terms, "heads": 0,
            "table_sha256": hashlib.sha256(data).hexdigest(), "table_bytes": len(data),
        })  # fmt: skip
    with duckdb.connect(str(root / DATABASE)) as connection:
        for table, values in rows.items():
            connection.register("new_rows", pa.Table.from_pylist(values))
            connection.execute(f"INSERT INTO {table} BY NAME SELECT * FROM new_rows")
            connection.unregister("new_rows")
    return links
