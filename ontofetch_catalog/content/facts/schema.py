"""The table of terms that is made of each content, column by column; both who writes and who reads it import it here.

Statements are spelled as TriG spells them, each alone and without prefixes; for a blank node stands a hash of what is
said of it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

FACTS_KEY = b"ontofetch.facts"  # in the metadata of a table: the small facts of its content
# of hashes there are no two alike, a dictionary of them would only take memory
FEW_VALUES = ["kind", "parents.list.element", "replaced_by.list.element", "consider.list.element"]
_TEXTS = pa.list_(pa.string())
_DIGEST = pa.binary(16)

TERMS_SCHEMA = pa.schema(
    [
        # of the term; one row has none and is of the kind `general`: what belongs to no term, ontology headers included
        pa.field("iri", pa.string(), nullable=False),
        pa.field("kind", pa.string(), nullable=False),  # one of KINDS
        pa.field("label", pa.string()),  # English, else without language, else another one
        pa.field("label_digest", _DIGEST),  # of all labels in all languages; null where there is none
        pa.field("definition", pa.string()),
        pa.field("definition_digest", _DIGEST),
        pa.field("deprecated", pa.bool_(), nullable=False),
        pa.field("replaced_by", _TEXTS, nullable=False),  # these lists are sorted, each value once
        pa.field("consider", _TEXTS, nullable=False),
        pa.field("parents", _TEXTS, nullable=False),  # those that have a name
        pa.field("alt_ids", _TEXTS, nullable=False),  # IRIs of terms that were merged into it
        pa.field("statements", pa.int32(), nullable=False),
        pa.field("digest", _DIGEST, nullable=False),  # of its IRI and of all that is said of it
        # of all but labels, definitions, deprecation, replacements, what to consider, named parents
        pa.field("other_digest", _DIGEST, nullable=False),
        # a hash of each statement, subject included, so that tables of two contents can be joined on them; sorted, with
        # repeats, for statements that differ in the name of a blank node alone are several
        pa.field("lines", pa.list_(pa.uint64()), nullable=False),
    ]
)

GENERAL = "general"
KINDS = (
    "class", "object property", "data property", "annotation property", "property", "datatype", "concept", "shape",
    "individual", "mention", GENERAL,
)  # fmt: skip


def encode(facts: Mapping[str, Any]) -> bytes:
    """Return small facts as JSON; the same facts always in the same bytes."""
    return json.dumps(facts, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()
