"""Tables of terms with the small facts sealed inside, and what is looked at before one of either is believed.

With the small facts in its metadata, a table says by itself what is known of its content. How terms are found is not
known here.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from ontofetch_hookspecs.errors import EventError
from ontofetch_hookspecs.names import check_text
from ontofetch_hookspecs.store_paths import StorePath

from .schema import FACTS_KEY, FEW_VALUES, TERMS_SCHEMA, encode

if TYPE_CHECKING:
    import pyarrow.parquet as pq

MOST_FACTS = 16 << 20  # bytes of JSON; a thousand headers of which every text is as long as it may be take 10 MB
MOST_HEADS = 1_000
_COUNTS = (
    "triples", "triples_parsed", "bnodes", "shared_bnodes", "cyclic_bnodes", "general_triples", "terms",
)  # fmt: skip
_HEAD_TEXTS = ("ontology_iri", "kind", "version_iri", "version_info", "title", "license", "digest")
_MOST_TEXT = 20_000  # characters of one text of a header
_MOST_COUNT = 2**63 - 1


def seal(found: str, path: str, facts: Mapping[str, Any]) -> None:
    """Put a table of terms in its place with the small facts in its metadata; written once more if it lacks them.

    Args:
        found: Where the table is.
        path: Where it comes to; nothing is there.
        facts: The small facts.

    Raises:
        ValueError: It is no such table.
        OSError: The disk refuses.
    """
    import pyarrow.parquet as pq

    from .table import rename_table

    encoded = encode(facts)
    with _opened(found) as stream, pq.ParquetFile(stream, pre_buffer=False) as table:
        if fault := table_fault(table):
            raise ValueError(fault)
        if _sealed(table) == encoded:
            rename_table(found, path)
            return
        schema = TERMS_SCHEMA.with_metadata({FACTS_KEY: encoded})
        with pq.ParquetWriter(path, schema, compression="zstd", use_dictionary=FEW_VALUES) as writer:
            for number in range(table.num_row_groups):
                writer.write_table(table.read_row_group(number, use_threads=False))


def _opened(path: str) -> IO[bytes]:
    # whoever has written it may be a stranger: a pipe would be waited for until the time of the file is over
    return os.fdopen(StorePath(Path(path).parent, Path(path).name).open_file(), "rb")


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
    sealed = _sealed(found)
    if sealed is None:
        raise ValueError("it has no facts in its metadata")
    return sealed


def _sealed(found: pq.ParquetFile) -> bytes | None:
    sealed: bytes | None = (found.schema_arrow.metadata or {}).get(FACTS_KEY)
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
    return next(_faults_of(facts), "")


def _faults_of(facts: dict[str, Any]) -> Iterator[str]:
    for name, most in (("facts_version", 200), ("digest_kind", 40)):
        try:
            check_text(name, facts.get(name), most=most, optional=False)
        except EventError as error:
            yield error.message
    for name, digits in (("digest", 64), ("general_digest", 32)):
        if not is_hex(facts.get(name), digits) and (name == "digest" or facts.get(name) is not None):
            yield f"their {name} is not {digits} hex digits"
    if not isinstance(facts.get("digest_exact"), bool):
        yield "digest_exact is neither true nor false"
    for name in (*_COUNTS, "heads_found"):
        if not _is_count(facts.get(name)):
            yield f"{name} is no count"
    heads = facts.get("heads", [])
    if isinstance(heads, list) and len(heads) <= MOST_HEADS:
        yield from filter(None, map(_head_fault, heads))
    else:
        yield f"heads is no list of {MOST_HEADS:,} at most"


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
