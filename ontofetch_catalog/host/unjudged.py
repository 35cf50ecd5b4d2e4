"""What can be said of files that no validator looks at: a syntax without one, a name that promises another content.

Nothing is opened: a file's name and the name of its format are enough.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ontofetch_hookspecs import Validator

from ..content.formats import BY_ENDING, COMPRESSED, SYNTAXES

if TYPE_CHECKING:
    import pyarrow as pa

_VALIDATOR, _VERSION = "format", "1"
_ENDINGS = "|".join(ending for ending, name in BY_ENDING.items() if name in SYNTAXES)
_PROMISES = rf"[^/]\.(?P<ending>{_ENDINGS})(?:\.(?:{'|'.join(COMPRESSED)}))*$"
_TITLES = {"html": "a web page", "xml": "XML of another kind", "json": "JSON of another kind"}


def judge_by_name(files: pa.Table, validators: Sequence[Validator], schema: pa.Schema) -> pa.Table:
    """Return the results of those files.

    Args:
        files: With relpath, file_id and format.
        validators: Those that are there.
        schema: Of RESULTS_COLUMNS.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    looked_at = {name for validator in validators for name in validator.formats}
    unseen = {name: title for name, title in SYNTAXES.items() if name not in looked_at}
    unjudged = files.filter(pc.is_in(files["format"], pa.array(list(unseen), pa.string())))
    reasons = {name: {"not_judged": f"no validator is there for {title}"} for name, title in unseen.items()}
    others = files.filter(pc.invert(pc.is_in(files["format"], pa.array([*SYNTAXES, *looked_at], pa.string()))))
    promising = others.filter(pc.match_substring_regex(others["relpath"], _PROMISES, ignore_case=True))
    ending = pc.struct_field(pc.extract_regex(promising["relpath"], f"(?i){_PROMISES}"), "ending")
    both = pc.binary_join_element_wise(pc.utf8_lower(ending), promising["format"], " ")
    faults = {pair: {"error": _fault(*pair.split(" "))} for pair in pc.unique(both).to_pylist()}
    return pa.concat_tables(
        [
            _results(unjudged, None, _said(unjudged["format"], reasons), schema),
            _results(promising, False, _said(both, faults), schema),
        ]
    )


def _fault(ending: str, format_name: str) -> str:
    promised = SYNTAXES[BY_ENDING[ending]]
    return f"its name says {promised}, but its content is {_TITLES.get(format_name, format_name)}"


def _said(keys: pa.ChunkedArray, details: dict[str, dict[str, str]]) -> pa.ChunkedArray:
    """Return the details for each key, as JSON."""
    import pyarrow as pa
    import pyarrow.compute as pc

    texts = pa.array([json.dumps(told) for told in details.values()], pa.string())
    return pc.take(texts, pc.index_in(keys, pa.array(list(details), pa.string())))


def _results(files: pa.Table, passed: bool | None, details: pa.ChunkedArray, schema: pa.Schema) -> pa.Table:
    import pyarrow as pa

    count = len(files)
    columns = {
        "relpath": files["relpath"],
        "file_id": files["file_id"],
        "validator": pa.array([_VALIDATOR] * count, pa.string()),
        "validator_version": pa.array([_VERSION] * count, pa.string()),
        "passed": pa.array([passed] * count, pa.bool_()),
        "details": details,
        "run_at": pa.array([datetime.now(UTC)] * count, pa.timestamp("us", "UTC")),
        "reused_from": pa.nulls(count, pa.string()),
    }
    return pa.table(columns).select(schema.names).cast(schema)
