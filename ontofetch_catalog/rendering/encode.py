"""Rows as data: json, jsonl, csv and parquet, the same bytes for the same rows.

It computes bytes and refuses to write them anywhere.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING

from ontofetch_hookspecs.characters import UNSEEN

from ..errors import UsageError
from .text import FORMULA_STARTS, safe_lines, utc_time

if TYPE_CHECKING:
    import polars as pl

    from ontofetch_hookspecs.columns import Table

ROWS_AT_ONCE = 20_000  # that are spelled as text before they become bytes
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
    return b"".join(_json_lines(frame))


def _json_lines(frame: pl.DataFrame) -> Iterator[bytes]:
    """Give the rows as JSON lines, so many at once that no text of all of them is ever made."""
    for part in frame.iter_slices(ROWS_AT_ONCE):
        lines = _spelled(part).write_ndjson()
        # most rows have plain letters alone, and a search takes ten times as long as to write them
        is_plain = lines.isascii() and "\x7f" not in lines
        yield (lines if is_plain else JSON_UNSAFE.sub(_escape_json, lines)).encode()


def as_json(frames: Mapping[str, pl.DataFrame], parameters: Mapping[str, object]) -> bytes:
    """Return one object: `rows` (the first frame), `sections` (name → rows) where there are several, `parameters`."""
    lists = {name: _json_list(frame) for name, frame in frames.items()}
    parts = [b'{"rows": ', *next(iter(lists.values()))]
    if len(lists) > 1:
        before = b',\n"sections": {'
        for name, rows in lists.items():
            parts += [before, json.dumps(name).encode(), b": ", *rows]
            before = b",\n"
        parts.append(b"}")
    parts += [b',\n"parameters": ', json.dumps(dict(parameters), default=_plain).encode(), b"}\n"]
    return b"".join(parts)


def _json_list(frame: pl.DataFrame) -> list[bytes]:
    """Return the pieces of a list of objects, one row a line: one JSON document, but grep and diff can read it."""
    parts = [lines.replace(b"\n", b",\n") for lines in _json_lines(frame)]
    return [b"[\n", *parts[:-1], parts[-1].removesuffix(b",\n"), b"\n]"] if parts else [b"[]"]


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
    header = {name: f"'{name}" for name in frame.columns if name[:1] in FORMULA_STARTS and name}
    parts = [frame.clear(), *frame.iter_slices(ROWS_AT_ONCE)]
    spelled = (_spelled(part.with_columns(guarded)).rename(header) for part in parts)
    return b"".join(
        safe_lines(part.write_csv(include_header=number == 0)).encode() for number, part in enumerate(spelled)
    )


def _without_formula(column: pl.Expr) -> pl.Expr:
    import polars as pl

    formula = column.str.contains(f"^[{re.escape(FORMULA_STARTS)}]")
    return pl.when(formula).then(pl.concat_str(pl.lit("'"), column)).otherwise(column)


def as_parquet(frame: pl.DataFrame) -> bytes:
    """Return a Parquet file with the documented dtypes."""
    buffer = io.BytesIO()
    frame.rechunk().write_parquet(buffer, compression="zstd", statistics=True)
    return buffer.getvalue()
