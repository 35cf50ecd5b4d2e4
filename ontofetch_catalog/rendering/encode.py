"""Rows as data: json, jsonl, csv and parquet, the same bytes for the same rows.

It computes bytes and refuses to write them anywhere.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING

from ontofetch_hookspecs.characters import UNSEEN

from ..errors import UsageError
from .text import FORMULA_STARTS, safe_lines, utc_time

if TYPE_CHECKING:
    import polars as pl

    from ontofetch_hookspecs.columns import Table

ISO_UTC = "%Y-%m-%dT%H:%M:%S%.6fZ"
# what JSON leaves as it is although a terminal may obey it; both spellings mean the same to a parser
JSON_UNSAFE = re.compile(UNSEEN.pattern.replace("\x00-\x1f", ""))


def to_frame(table: Table) -> pl.DataFrame:
    """Return `table` as a frame: times in UTC, whole decimals (DuckDB's sums) as Int64."""
    import polars as pl
    import polars.selectors as cs

    frame = pl.DataFrame(table)
    whole = [name for name, dtype in frame.schema.items() if isinstance(dtype, pl.Decimal) and dtype.scale == 0]
    naive = cs.datetime(time_zone=None)
    return frame.with_columns(pl.col(whole).cast(pl.Int64), naive.dt.replace_time_zone("UTC"))


def _spelled(frame: pl.DataFrame) -> pl.DataFrame:
    """Return `frame` with times as ISO 8601 text in UTC."""
    import polars.selectors as cs

    return frame.with_columns(cs.datetime().dt.convert_time_zone("UTC").dt.strftime(ISO_UTC))


def _escape_json(found: re.Match[str]) -> str:
    return json.dumps(found[0])[1:-1] if ord(found[0]) > 0x7F else f"\\u{ord(found[0]):04x}"


def as_jsonl(frame: pl.DataFrame) -> bytes:
    """Return one JSON object per row and line; keys are the column names, times are ISO 8601 in UTC."""
    return JSON_UNSAFE.sub(_escape_json, _spelled(frame).write_ndjson()).encode()


def as_json(frames: Mapping[str, pl.DataFrame], parameters: Mapping[str, object]) -> bytes:
    """Return one object: `rows` (the first frame), `sections` (name → rows) where there are several, `parameters`."""
    lists = {name: _json_list(frame) for name, frame in frames.items()}
    first = next(iter(lists.values()))
    parts = [b'"rows": ' + first]
    if len(lists) > 1:
        named = [json.dumps(name).encode() + b": " + rows for name, rows in lists.items()]
        parts.append(b'"sections": {' + b",\n".join(named) + b"}")
    parts.append(b'"parameters": ' + json.dumps(dict(parameters), default=_plain).encode())
    return b"{" + b",\n".join(parts) + b"}\n"


def _json_list(frame: pl.DataFrame) -> bytes:
    # one row a line: still one JSON document, but grep and diff can read it
    lines = as_jsonl(frame).removesuffix(b"\n")
    return b"[\n" + lines.replace(b"\n", b",\n") + b"\n]" if lines else b"[]"


def _plain(value: object) -> object:
    return utc_time(value) if isinstance(value, date | datetime) else str(value)


def as_csv(frame: pl.DataFrame) -> bytes:
    r"""Return comma-separated values (RFC 4180 quoting, `\n` ends, a header); null is empty, an empty text is `""`.

    It is read by people and by spreadsheets: text that would be taken for a formula gets a `'` in front, also the name
    of a column, and characters that can't be seen are escapes such as `\u200b`. JSON and Parquet carry the exact text.

    Raises:
        UsageError: A column holds lists or structs.
    """
    import polars as pl

    nested = [name for name, dtype in frame.schema.items() if dtype.is_nested()]
    if nested:
        raise UsageError(
            f"The column {nested[0]} does not fit into csv.", subject=nested[0], hint="Use --format jsonl."
        )
    words = [name for name, dtype in frame.schema.items() if dtype in (pl.String, pl.Categorical, pl.Enum)]
    guarded = [_without_formula(pl.col(name).cast(pl.String)).alias(name) for name in words]
    spelled = _spelled(frame.with_columns(guarded))
    header = {name: f"'{name}" for name in spelled.columns if name[:1] in FORMULA_STARTS and name}
    return safe_lines(spelled.rename(header).write_csv()).encode()


def _without_formula(column: pl.Expr) -> pl.Expr:
    import polars as pl

    formula = column.str.contains(f"^[{re.escape(FORMULA_STARTS)}]")
    return pl.when(formula).then(pl.concat_str(pl.lit("'"), column)).otherwise(column)


def as_parquet(frame: pl.DataFrame) -> bytes:
    """Return a Parquet file with the documented dtypes."""
    buffer = io.BytesIO()
    frame.rechunk().write_parquet(buffer, compression="zstd", statistics=True)
    return buffer.getvalue()
