"""Tables of terms as files: the small facts in their metadata, and what is looked at before one is believed.

With the small facts inside, a table says by itself what is known of its content. How terms are found is not known here.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import IO, TYPE_CHECKING, Any

from ontofetch_hookspecs.names import check_text
from ontofetch_hookspecs.errors import EventError

from .facts.schema import TERMS_SCHEMA

if TYPE_CHECKING:
    import pyarrow.parquet as pq

FACTS_KEY = b"ontofetch.facts"
MOST_FACTS = 16 << 20  # bytes of JSON; a thousand headers of which every text is as long as it may be take 10 MB
MOST_TABLE_BYTES = 2 << 30
MOST_HEADS = 1_000
_COUNTS = (
    "triples", "triples_parsed", "bnodes", "shared_bnodes", "cyclic_bnodes", "general_triples", "terms",
)  # fmt: skip
_HEAD_TEXTS = ("ontology_iri", "kind", "version_iri", "version_info", "title", "license", "digest")
_MOST_TEXT = 20_000  # characters of one text of a header
# of hashes there are no two alike, a dictionary of them would only take memory
_FEW_VALUES = ["kind", "parents.list.element", "replaced_by.list.element", "consider.list.element"]
_MOST_COUNT = 2**63 - 1


def seal(path: str, facts: Mapping[str, Any]) -> None:
    """Put the small facts into the metadata of a table of terms, unless they are there; it is written anew.

    Raises:
        ValueError: It is no such table.
        OSError: The disk refuses.
    """
    import pyarrow.parquet as pq

    text = encode(facts)
    with pq.ParquetFile(path) as found:
        if fault := table_fault(found):
            raise ValueError(fault)
        if (found.schema_arrow.metadata or {}).get(FACTS_KEY) == text:
            return
        schema = TERMS_SCHEMA.with_metadata({FACTS_KEY: text})
        with pq.ParquetWriter(f"{path}.sealed", schema, compression="zstd", use_dictionary=_FEW_VALUES) as writer:
            for number in range(found.num_row_groups):
                writer.write_table(found.read_row_group(number))
    os.replace(f"{path}.sealed", path)


def encode(facts: Mapping[str, Any]) -> bytes:
    """Return small facts as JSON; the same facts always in the same bytes."""
    return json.dumps(facts, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def read_sealed(stream: IO[bytes]) -> bytes:
    """Return the small facts in the metadata of a table of terms, as JSON; the stream stays open.

    Raises:
        ValueError: It is no table of terms, or has none.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        found = pq.ParquetFile(stream)
    except (pa.ArrowException, OSError) as error:
        raise ValueError("it is no file of Parquet") from error
    if fault := table_fault(found):
        raise ValueError(fault)
    sealed: bytes | None = (found.schema_arrow.metadata or {}).get(FACTS_KEY)
    if sealed is None:
        raise ValueError("it has no facts in its metadata")
    return sealed


def table_fault(found: pq.ParquetFile) -> str:
    """Return what is wrong with the columns of an opened table of terms; empty if nothing is."""
    if not found.schema_arrow.equals(TERMS_SCHEMA, check_metadata=False):
        return "it has other columns than a table of terms"
    return ""


def facts_fault(facts: object) -> str:
    """Return what is wrong with small facts; empty if nothing is. What they are is said in docs/hooks.md."""
    if not isinstance(facts, dict):
        return "they are no object"
    try:
        check_text("facts_version", facts.get("facts_version"), most=200, optional=False)
        check_text("digest_kind", facts.get("digest_kind"), most=40, optional=False)
    except EventError as error:
        return error.message
    if not is_hex(facts.get("digest"), 64):
        return "their digest is not 64 hex digits"
    if not isinstance(facts.get("digest_exact"), bool):
        return "digest_exact is neither true nor false"
    if facts.get("general_digest") is not None and not is_hex(facts["general_digest"], 32):
        return "their general_digest is not 32 hex digits"
    for name in (*_COUNTS, "heads_found"):
        if not _is_count(facts.get(name)):
            return f"{name} is no count"
    heads = facts.get("heads", [])
    if not isinstance(heads, list) or len(heads) > MOST_HEADS:
        return f"heads is no list of {MOST_HEADS:,} at most"
    return next(filter(None, map(_head_fault, heads)), "")


def _head_fault(head: object) -> str:
    if not isinstance(head, dict):
        return "a header is no object"
    imports = head.get("imports") or []
    if not isinstance(imports, list) or len(imports) > 10_000:
        return "the imports of a header are no list"
    texts = [head.get(name) for name in _HEAD_TEXTS] + imports
    if not all(text is None or (isinstance(text, str) and len(text) <= _MOST_TEXT) for text in texts):
        return "a text of a header is none, or too long"
    if any(text and any("\ud800" <= ch <= "\udfff" or ch == "\0" for ch in text) for text in texts):
        return "a text of a header can't be stored"
    if not _is_count(head.get("statements")):
        return "statements of a header is no count"
    return ""


def _is_count(value: object) -> bool:
    return value is None or (isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MOST_COUNT)


def is_hex(value: object, digits: int) -> bool:
    """Say whether a value is text of so many lower-case hex digits."""
    return isinstance(value, str) and len(value) == digits and not set(value) - set("0123456789abcdef")
