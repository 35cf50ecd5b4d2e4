"""What can be said of files that no validator looks at: a syntax without one, a name that promises another content.

Nothing is opened: a file's name and the name of its format are enough.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ontofetch_hookspecs import Validator

from ..content.formats import BY_ENDING, COMPRESSED, SYNTAXES, named_format

if TYPE_CHECKING:
    import pyarrow as pa

_VALIDATOR, _VERSION = "format", "1"
_ENDINGS = "|".join(ending for ending, name in BY_ENDING.items() if name in SYNTAXES)
_PROMISES = rf"[^/]\.(?:{_ENDINGS})(?:\.(?:{'|'.join(COMPRESSED)}))*$"
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
    reasons = [{"not_judged": f"no validator is there for {unseen[name]}"} for name in unjudged["format"].to_pylist()]
    others = files.filter(pc.invert(pc.is_in(files["format"], pa.array([*SYNTAXES, *looked_at], pa.string()))))
    promising = others.filter(pc.match_substring_regex(others["relpath"], _PROMISES, ignore_case=True))
    pairs = zip(promising["relpath"].to_pylist(), promising["format"].to_pylist(), strict=True)
    faults = [{"error": _fault(relpath, name)} for relpath, name in pairs]
    return pa.concat_tables([_results(unjudged, None, reasons, schema), _results(promising, False, faults, schema)])


def _fault(relpath: str, format_name: str) -> str:
    promised = SYNTAXES[named_format(relpath)]
    return f"its name says {promised}, but its content is {_TITLES.get(format_name, format_name)}"


def _results(files: pa.Table, passed: bool | None, details: list[dict[str, str]], schema: pa.Schema) -> pa.Table:
    import pyarrow as pa

    count = len(files)
    columns = {
        "relpath": files["relpath"],
        "file_id": files["file_id"],
        "validator": pa.array([_VALIDATOR] * count, pa.string()),
        "validator_version": pa.array([_VERSION] * count, pa.string()),
        "passed": pa.array([passed] * count, pa.bool_()),
        "details": pa.array(map(json.dumps, details), pa.string()),
        "run_at": pa.array([datetime.now(UTC)] * count, pa.timestamp("us", "UTC")),
        "reused_from": pa.nulls(count, pa.string()),
    }
    return pa.table(columns).select(schema.names).cast(schema)
