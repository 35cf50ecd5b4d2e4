"""The facts that an event brings, or that a table of terms has in its metadata, as rows of the catalog.

They were found in what strangers made: every value is checked before it becomes a row.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from ontofetch_hookspecs.names import quote

from ..errors import EventError
from .repo.facts import HEAD, SMALL

if TYPE_CHECKING:
    import pyarrow as pa


def as_rows(given: Iterable[Mapping[str, Any]], moment: datetime) -> tuple[pa.Table, pa.Table]:
    """Return the rows of file_facts and of ontology_heads.

    Args:
        given: Rows with the columns FACTS_COLUMNS.
        moment: When they are recorded, UTC without zone.

    Raises:
        EventError: Facts break a rule.
    """
    import pyarrow as pa

    files, heads = [], []
    for row in given:
        found = read_facts(row["file_id"], row["facts"], row["facts_version"]) if row["facts"] is not None else {}
        own = found.get("heads") or []
        small = {name: found.get(name) for name in SMALL.split(", ")} | {
            "heads": (found.get("heads_found") or len(own)) if found else None
        }
        files.append({name: row.get(name) for name in _files_schema().names} | small | {"recorded_at": moment})
        about = {"content_id": row["content_id"], "facts_version": row["facts_version"]}
        heads += [
            {**about, "position": position, **{name: head.get(name) for name in HEAD.split(", ")}}
            for position, head in enumerate(own, start=1)
        ]
    return pa.Table.from_pylist(files, schema=_files_schema()), pa.Table.from_pylist(heads, schema=_heads_schema())


def read_facts(file_id: str, text: str | bytes, facts_version: str) -> dict[str, Any]:
    """Return small facts that are written as JSON.

    Raises:
        EventError: They break a rule, or are of another version.
    """
    from ..content.facts.sealed import MOST_FACTS, facts_fault

    try:
        found: Any = parse(text) if len(text) <= MOST_FACTS else None
        fault = facts_fault(found)
    except ValueError:
        found, fault = None, "they are no JSON"
    if not fault and found["facts_version"] != facts_version:
        fault = f"they are of the version {quote(found['facts_version'])}, not {quote(facts_version)}"
    if fault:
        raise EventError(f"The facts of the content {file_id} can't be used: {fault}.", subject="facts")
    return dict(found)


def parse(text: str | bytes) -> Any:
    """Return what JSON says.

    Raises:
        ValueError: It is none, or nested too deeply.
    """
    try:
        return json.loads(text)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


@lru_cache(maxsize=1)
def _files_schema() -> pa.Schema:
    import pyarrow as pa

    texts = ("file_id", "facts_version", "content_id", "reason", "table_sha256")
    small = {
        name: pa.bool_()
        if name == "digest_exact"
        else pa.string()
        if name in ("digest_kind", "digest", "general_digest")
        else pa.int64()
        for name in SMALL.split(", ")
    }
    types = {**dict.fromkeys(texts, pa.string()), **small, "table_bytes": pa.int64(), "recorded_at": pa.timestamp("us")}
    return pa.schema(list(types.items()))


@lru_cache(maxsize=1)
def _heads_schema() -> pa.Schema:
    import pyarrow as pa

    other = {"imports": pa.list_(pa.string()), "statements": pa.int64()}
    types = {"content_id": pa.string(), "facts_version": pa.string(), "position": pa.int32()}
    return pa.schema(list((types | {name: other.get(name, pa.string()) for name in HEAD.split(", ")}).items()))
