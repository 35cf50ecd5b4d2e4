"""Own the files that reports can read besides the catalog: audits, exported events, lists; each scanned with a schema.

A line that does not fit is found and named; what the rows mean is not known here.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import polars as pl

from ontofetch_hookspecs.names import quote

from ..errors import CatalogUnreadable, UsageError
from . import columns as c
from .contracts import conform
from .contracts.tables import EVENTS

TIME_FORMAT = "%Y-%m-%dT%H:%M:%S%.fZ"
EXTRACT_AUDIT: dict[str, pl.DataType] = {
    c.VERSION_ID: pl.String(),
    c.RELPATH: pl.String(),
    c.FILE_ID: pl.String(),
    c.ARTIFACT_ID: pl.String(),
    c.FORMAT: pl.String(),
    c.SIZE: pl.Int64(),
    c.MTIME: pl.String(),
}
VALIDATION_AUDIT: dict[str, pl.DataType] = {
    c.VERSION_ID: pl.String(),
    c.RELPATH: pl.String(),
    c.FILE_ID: pl.String(),
    c.VALIDATOR: pl.String(),
    c.VALIDATOR_VERSION: pl.String(),
    c.PASSED: pl.Boolean(),
    c.DETAILS: pl.Struct({c.ERROR: pl.String()}),
    c.RUN_AT: pl.String(),
    c.REUSED_FROM: pl.String(),
}
_NULLABLE = (c.DETAILS, c.REUSED_FROM)
_JSON_TYPES = {pl.String: str, pl.Int64: int, pl.Boolean: bool, pl.Struct: dict}


def scan_audits(paths: Sequence[Path], schema: Mapping[str, pl.DataType]) -> pl.LazyFrame:
    """Return the lines of audits lazily; a null where none may be fails the query, see `find_fault`.

    Args:
        paths: Newline-delimited JSON.
        schema: EXTRACT_AUDIT or VALIDATION_AUDIT; times come back as Datetime in UTC.
    """
    if not paths:
        return _with_times(pl.LazyFrame(schema=dict(schema)))
    lines = pl.scan_ndjson(list(paths), schema=dict(schema))
    return _with_times(lines.with_columns(_required(name) for name in schema if name not in _NULLABLE))


def _required(name: str) -> pl.Expr:
    # scan_ndjson reads what a line lacks as null; strictness per column costs a query only the columns it uses
    present = pl.col(name).is_null().replace_strict({False: True})
    return pl.when(present).then(pl.col(name)).alias(name)


def _with_times(lines: pl.LazyFrame) -> pl.LazyFrame:
    times = [name for name in (c.MTIME, c.RUN_AT) if name in lines.collect_schema()]
    return lines.with_columns(pl.col(times).str.to_datetime(TIME_FORMAT, time_unit="us", time_zone="UTC", strict=True))


def find_fault(paths: Sequence[Path], schema: Mapping[str, pl.DataType]) -> CatalogUnreadable | None:
    """Return the first line of the audits that does not fit, as an error with file and line; None if all fit.

    It is called when a query failed, and reads line by line.
    """
    for path in paths:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                fault = _line_fault(line, schema)
                if fault:
                    return CatalogUnreadable(
                        f"{quote(path)}, line {number}: {fault}.",
                        subject=f"{path}:{number}",
                        hint="Pulling the release again writes its audits anew; without --from the catalog is read.",
                    )
    return None


def _line_fault(line: bytes, schema: Mapping[str, pl.DataType]) -> str | None:
    if not line.strip():
        return None
    try:
        found = json.loads(line)
    except ValueError:
        return "it is no JSON" + ("" if line.endswith(b"\n") else ", and the file ends inside it")
    if not isinstance(found, dict):
        return "it is no JSON object"
    for name, dtype in schema.items():
        wanted = _JSON_TYPES[type(dtype)]
        value = found.get(name)
        if value is None and name in _NULLABLE:
            continue
        if not isinstance(value, wanted) or (wanted is int and isinstance(value, bool)):
            return f"{name} is {quote(value)}, not {wanted.__name__}" if name in found else f"{name} is missing"
    return None


def scan_events(path: str | Path) -> pl.LazyFrame:
    """Return events that `ontofetch db events --format parquet` exported, lazily; columns as in `contracts.tables`.

    Raises:
        UsageError: The file is no such export.
    """
    events = pl.scan_parquet(path)
    try:
        names = events.collect_schema().names()
    except (pl.exceptions.PolarsError, OSError) as error:
        raise UsageError(f"{quote(path)} can't be read as Parquet: {quote(error)}.", subject=str(path)) from error
    missing = [field.name for field in EVENTS.fields if field.name not in names]
    if missing:
        raise UsageError(
            f"{quote(path)} has no column {missing[0]}.",
            subject=str(path),
            hint="Export events with `ontofetch db events --format parquet --out events.parquet`.",
        )
    return conform(events, EVENTS)


def join_list(rows: pl.LazyFrame, path: str | Path) -> pl.LazyFrame:
    """Return `rows` with the columns of a CSV list beside them, joined on the columns that both have.

    Args:
        rows: Any frame.
        path: CSV with a header, UTF-8; what has the name of a column of `rows` is a key and has its dtype, the rest is
            text. A key that is there twice makes two rows.

    Raises:
        UsageError: The file can't be read, shares no column, or a line does not fit.
    """
    schema = rows.collect_schema()
    header = _header(path)
    keys = [name for name in header if name in schema and _can_be_key(schema[name])]
    if not keys or len(keys) == len(header) or set(header) - set(keys) & set(schema):
        joinable = [name for name, dtype in schema.items() if _can_be_key(dtype)]
        raise UsageError(
            f"The list {quote(path)} has the columns {quote(', '.join(header))}.",
            subject=str(path),
            hint=f"It needs some of {', '.join(joinable)} to join on, and others, of new names, to add.",
        )
    types = {name: _key_type(schema[name]) if name in keys else pl.String() for name in header}
    fault = _list_fault(path, types)
    if fault:
        raise fault
    # what is no label of the report has no partner
    listed = pl.scan_csv(path, schema=types).with_columns(
        pl.col(name).cast(schema[name], strict=False) for name in keys
    )
    return rows.join(listed, on=keys, how="left", maintain_order="left")


def _can_be_key(dtype: pl.DataType) -> bool:
    return dtype.is_integer() or dtype in (pl.String, pl.Categorical, pl.Enum)


def _key_type(dtype: pl.DataType) -> pl.DataType:
    return dtype if dtype.is_integer() else pl.String()


def _lines(path: str | Path) -> Iterator[list[str]]:
    try:
        with Path(path).open(encoding="utf-8-sig", newline="") as file:
            yield from csv.reader(file)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"The list {quote(path)} can't be read: {quote(error)}.", subject=str(path)) from error


def _header(path: str | Path) -> list[str]:
    header = next(_lines(path), [])
    if len(set(header)) < len(header):
        raise UsageError(f"The list {quote(path)} has two columns of one name.", subject=str(path))
    return header


def _list_fault(path: str | Path, types: Mapping[str, pl.DataType]) -> UsageError | None:
    numbers = [at for at, dtype in enumerate(types.values()) if dtype.is_integer()]
    for number, line in enumerate(_lines(path), 1):
        if number == 1 or not line:
            continue
        wrong = [line[at] for at in numbers if at < len(line) and not line[at].removeprefix("-").isdigit()]
        if len(line) != len(types) or wrong:
            what = f"{quote(wrong[0])} is no whole number" if wrong else f"it has {len(line)} fields, not {len(types)}"
            return UsageError(f"{quote(path)}, line {number}: {what}.", subject=f"{path}:{number}")
    return None
