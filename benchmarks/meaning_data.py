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
ROW_GROUP = 8_192  # as in tables that are made of files


def iri(number: int) -> str:
    """Return the IRI of a term."""
    return f"http://purl.obolibrary.org/obo/EX_{number:07d}"


def _line(digest: bytes, number: int) -> int:
    return int.from_bytes(hashlib.md5(digest + bytes([number])).digest()[:8], "big")


def _term(number: int, kind: int = -1, release: int = 0) -> dict[str, object]:
    """Return a term; with a kind from 0 to 3 its label, definition, parents or axioms are those of this release."""
    digests = [hashlib.md5(f"{number} {part} {release if kind == part else ''}".encode()).digest() for part in range(4)]
    return {
        "iri": iri(number), "kind": "class",
        "label": f"term {number}" + (f" of {release}" if kind == 0 else ""), "label_digest": digests[0],
        "definition": f"What the term with the number {number} is, in as many words as definitions tend to have."
        + (f" In {release}." if kind == 1 else ""), "definition_digest": digests[1],
        "deprecated": False, "replaced_by": [], "consider": [],
        "parents": [iri(number // 3) if kind == 2 else iri(number // 2)], "alt_ids": [],
        "statements": 6, "digest": hashlib.md5(b"".join(digests)).digest(), "other_digest": digests[3],
        "lines": [_line(digests[part % 4], part) for part in range(6)],
    }  # fmt: skip


def base_table(count: int) -> pa.Table:
    """Return a table of terms as no release changes them."""
    return pa.Table.from_pylist([_term(number) for number in range(count)], TERMS_SCHEMA)


def terms_table(base: pa.Table, release: int) -> pa.Table:
    """Return a table of terms, some of which each release says in another way, and some of which it has not."""
    chance = random.Random(release)
    fates = [chance.random() for _ in range(len(base))]
    changed = {number: int(fate / PART * 4) for number, fate in enumerate(fates) if fate < PART}
    own = pa.Table.from_pylist([_term(number, kind, release) for number, kind in changed.items()], TERMS_SCHEMA)
    places = dict(zip(changed, range(len(base), len(base) + len(own)), strict=True))
    kept = [places.get(number, number) for number, fate in enumerate(fates) if fate <= 1 - PART / 4]
    return pa.concat_tables([base, own]).take(kept)


def fill_terms(root: Path, series: str, releases: int, terms: int) -> Path:
    """Record releases of a series with one file of `terms` terms each; return a folder with links to their tables."""
    links = root / f"tables-{series.replace('/', '-')}"
    links.mkdir()
    service, ontology = series.split("/")
    version = facts_version("turtle")
    base = base_table(terms)
    rows: dict[str, list[dict[str, object]]] = {"versions": [], "extracted_files": [], "file_facts": []}
    for number in range(releases):
        version_id, content_id = f"{series}/1.{number}", hashlib.sha256(f"{series} {number}".encode()).hexdigest()
        path = root / table_path(content_id, version)
        path.parent.mkdir(parents=True, exist_ok=True)
        few = ["kind", "parents.list.element", "replaced_by.list.element", "consider.list.element"]
        pq.write_table(
            terms_table(base, number), path, compression="zstd", row_group_size=ROW_GROUP, use_dictionary=few
        )
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
            "recorded_at": datetime.now(UTC).replace(tzinfo=None),
        })  # fmt: skip
    with duckdb.connect(str(root / DATABASE)) as connection:
        for table, values in rows.items():
            connection.register("new_rows", pa.Table.from_pylist(values))
            connection.execute(f"INSERT INTO {table} BY NAME SELECT * FROM new_rows")
            connection.unregister("new_rows")
    return links
