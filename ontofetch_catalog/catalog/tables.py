"""Check the tables that events carry and bring them into the form in which they are stored.

Everything is done by column; nothing is read from or written to disk.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from ontofetch_hookspecs.columns import FACTS_COLUMNS, FILES_COLUMNS, RESULTS_COLUMNS, Column, Table
from ontofetch_hookspecs.names import (
    MAX_SIZE,
    quote,
)

from ..errors import EventError
from .path_columns import check_paths, check_unique

if TYPE_CHECKING:
    import pyarrow as pa

# an object of one level without escapes, as most are: then it needs no parser
_PLAIN_TEXT = r'"[^"\\\x00-\x1f]*"'
_PLAIN_MEMBER = rf"{_PLAIN_TEXT}: (?:{_PLAIN_TEXT}|true|false|null|-?(?:0|[1-9][0-9]{{0,17}}))"
_PLAIN_DETAILS = rf"^\{{(?:{_PLAIN_MEMBER}(?:, {_PLAIN_MEMBER})*)?\}}$"
_HEX, _SHA256_DIGITS = "0123456789abcdef", 64
_FEW_VALUES = 16
# microseconds since 1970: what a datetime can hold, from 0001-01-01 to the last moment of 9999
_FIRST_TIME, _LAST_TIME = -62_135_596_800_000_000, 253_402_300_799_999_999


def read_files(files: Table, *, folded: bool = True) -> pa.Table:
    """Return the files table of an ExtractDone, checked; times UTC without zone.

    Args:
        folded: Whether two paths may not be the same file on a file system that folds case and normal forms; else they
            may only not be equal.

    Raises:
        EventError: A column is missing or of another type, a value breaks the contract, or a path is there twice.
    """
    table = read_some_files(files)
    check_unique(table["relpath"], folded=folded)
    return table


def read_some_files(files: Table) -> pa.Table:
    """Return what `read_files` does of some of the files of a release; whether a path is there twice is not looked at.

    Raises:
        EventError: A column is missing or of another type, or a value breaks the contract.
    """
    table = _conform("files", files, FILES_COLUMNS)
    check_paths(table["relpath"])
    _check_hashes(table["file_id"])
    _check_matches(table, "format", r"^[a-z0-9][a-z0-9_+.-]{0,39}$", "is not the name of a format")
    _check_sizes(table)
    return table


def read_results(results: Table) -> pa.Table:
    """Return the results table of a ValidateDone, checked; times UTC without zone.

    Raises:
        EventError: A column is missing or of another type, a value breaks the contract, or a row is there twice.
    """
    import pyarrow.compute as pc

    table = read_some_results(results)
    keys = pc.binary_join_element_wise(table["relpath"], table["validator"], "\n")
    if pc.count_distinct(keys).as_py() != len(table):
        raise EventError("The results table has two rows for one file and validator.", subject="results")
    return table


def read_some_results(results: Table) -> pa.Table:
    """Return what `read_results` does of some of the results of a release; whether one is there twice is not looked at.

    Raises:
        EventError: A column is missing or of another type, or a value breaks the contract.
    """
    table = _conform("results", results, RESULTS_COLUMNS)
    check_paths(table["relpath"])
    _check_hashes(table["file_id"])
    for name in ("validator", "validator_version"):
        _check_matches(table, name, r"^[A-Za-z0-9][A-Za-z0-9._+~ -]{0,99}$", f"is not a {name.replace('_', ' ')}")
    _check_details(table)
    _check_reasons(table)
    return table


def read_facts(facts: Table) -> pa.Table:
    """Return the facts table of a ValidateDone, its columns, hashes and paths checked; not yet what the facts say.

    Raises:
        EventError: A column is missing or of another type, a value breaks the contract, or a content is there twice.
    """
    import pyarrow.compute as pc

    table = _conform("facts", facts, FACTS_COLUMNS)
    staged = table.filter(pc.is_valid(table["table"]))
    for name in ("file_id", "content_id"):
        _check_hashes(table[name])
    _check_hashes(staged["table_sha256"])
    check_paths(staged["table"])
    if staged["table_bytes"].null_count or staged["table_sha256"].null_count:
        raise EventError("A table of terms in the facts table has no size or no sha256.", subject="facts")
    has, why, beside = (pc.is_valid(table[name]) for name in ("facts", "reason", "table"))
    if not pc.all(pc.and_(pc.equal(has, beside), pc.xor(has, why)), min_count=0).as_py():
        raise EventError(
            "A row of the facts table has neither facts with a table of terms nor a reason why there are none.",
            subject="facts",
        )
    if pc.count_distinct(table["file_id"]).as_py() != len(table):
        raise EventError("The facts table has two rows for one content.", subject="facts")
    return table


@lru_cache(maxsize=8)
def schema_of(columns: Sequence[Column]) -> pa.Schema:
    """Return the Arrow schema of a contract's columns."""
    import pyarrow as pa

    types = {
        "string": pa.string(),
        "int64": pa.int64(),
        "bool": pa.bool_(),
        "timestamp[us, UTC]": pa.timestamp("us", "UTC"),
    }
    return pa.schema([pa.field(column.name, types[column.type], column.nullable) for column in columns])


def _conform(name: str, given: Table, columns: Sequence[Column]) -> pa.Table:
    import pyarrow as pa

    schema = schema_of(tuple(columns))
    try:
        table = pa.table(given)
        table.validate(full=True)
        _check_columns(name, table.schema, schema)
        table = _decoded(table.select(schema.names)).cast(pa.schema([field.with_nullable(True) for field in schema]))
        table.validate(full=True)
    except (pa.ArrowException, AttributeError, LookupError, RuntimeError, TypeError, ValueError) as error:
        raise EventError(f"The {name} table can't be used: {error}", subject=name) from error
    for field in schema:
        if not field.nullable and table[field.name].null_count:
            raise EventError(f"The column {field.name!r} of the {name} table has an empty value.", subject=name)
        if pa.types.is_timestamp(field.type):
            _check_times(name, field.name, table[field.name])
    stored = pa.schema(
        [field.with_type(pa.timestamp("us")) if pa.types.is_timestamp(field.type) else field for field in table.schema]
    )
    return table.cast(stored)


def _decoded(table: pa.Table) -> pa.Table:
    """Replace dictionaries by their values; Arrow has no cast for those of polars, whose texts are views."""
    import pyarrow as pa

    for index, field in enumerate(table.schema):
        if pa.types.is_dictionary(field.type):
            parts = [part.dictionary.cast(pa.string()).take(part.indices) for part in table[index].chunks]
            table = table.set_column(index, field.name, pa.chunked_array(parts, pa.string()))
    return table


def _check_columns(name: str, given: pa.Schema, wanted: pa.Schema) -> None:
    """Check that each column is there once and has a type that means the same; others are left out."""
    import pyarrow.types as kinds

    for field in wanted:
        if given.names.count(field.name) != 1:
            count = "no column" if field.name not in given.names else "several columns"
            raise EventError(
                f"The {name} table has {count} {field.name!r}.",
                subject=name,
                hint=f"Its columns are {', '.join(wanted.names)}.",
            )
        found = given.field(field.name).type
        plain = found.value_type if kinds.is_dictionary(found) else found
        fits = (
            (kinds.is_string(field.type) and (kinds.is_string(plain) or str(plain) in ("large_string", "string_view")))
            or (kinds.is_integer(field.type) and kinds.is_integer(found))
            or (kinds.is_boolean(field.type) and kinds.is_boolean(found))
            or (kinds.is_timestamp(field.type) and kinds.is_timestamp(found) and found.tz is not None)
        )
        # an empty or unknown column may not know its type
        if not fits and not kinds.is_null(found):
            raise EventError(
                f"The column {field.name!r} of the {name} table has the type {quote(found)}, not {field.type}.",
                subject=name,
                hint="A time needs a zone." if kinds.is_timestamp(found) else "",
            )


def _check_times(name: str, column: str, times: pa.ChunkedArray) -> None:
    import pyarrow as pa
    import pyarrow.compute as pc

    found = pc.min_max(times.cast(pa.int64()))
    first, last = found["min"].as_py(), found["max"].as_py()
    if first is not None and not (first >= _FIRST_TIME and last <= _LAST_TIME):
        raise EventError(
            f"The column {column!r} of the {name} table has a time outside of the years 1 to 9999.", subject=name
        )


def _check_hashes(hashes: pa.ChunkedArray) -> None:
    import pyarrow.compute as pc

    # trimming digits off both ends leaves nothing of a sha256, and costs a fifth of an expression
    rest = pc.binary_length(pc.ascii_trim(hashes, _HEX))
    fits = pc.and_(pc.equal(pc.binary_length(hashes), _SHA256_DIGITS), pc.equal(rest, 0))
    if len(hashes) and not pc.all(fits).as_py():
        wrong = hashes.filter(pc.invert(fits))[0].as_py()
        raise EventError(
            f"The file_id {quote(wrong)} is not a sha256 in {_SHA256_DIGITS} lower-case hex digits.", subject="file_id"
        )


def _check_matches(table: pa.Table, name: str, pattern: str, fault: str) -> None:
    import pyarrow.compute as pc

    # columns of few values: looked at value by value, not row by row
    values = pc.unique(table[name])
    if len(values) <= _FEW_VALUES and all(re.fullmatch(pattern, value) for value in values.to_pylist()):
        # Arrow would think the expression through anew each time
        return
    wrong = values.filter(pc.invert(pc.match_substring_regex(values, pattern)))
    if len(wrong):
        raise EventError(f"The {name} {quote(wrong[0].as_py())} {fault}.", subject=name)


def _check_sizes(table: pa.Table) -> None:
    import pyarrow as pa
    import pyarrow.compute as pc

    sizes = table["size_bytes"]
    if not len(sizes):
        return
    if pc.min(sizes).as_py() < 0:
        raise EventError("A size_bytes of the files table is negative.", subject="size_bytes")
    largest = pc.max(sizes).as_py()
    # the exact sum is only looked at where it could be too large for the views
    if largest * len(sizes) > MAX_SIZE and pc.sum(sizes.cast(pa.decimal128(19, 0))).as_py() > MAX_SIZE:
        raise EventError("The sizes of the files table add up to more than 2**63-1 bytes.", subject="size_bytes")


def _check_details(table: pa.Table) -> None:
    import pyarrow.compute as pc

    details = pc.unique(table["details"])
    for text in details.filter(pc.invert(pc.match_substring_regex(details, _PLAIN_DETAILS))).to_pylist():
        if not _is_json_object(text):
            raise EventError(f"The details {quote(text)} are not a JSON object.", subject="details")


def _check_reasons(table: pa.Table) -> None:
    """Check that every result that is neither passed nor failed says why."""
    import json

    import pyarrow.compute as pc

    unjudged = pc.unique(table["details"].filter(pc.is_null(table["passed"])))
    for text in unjudged.to_pylist():
        reason = json.loads(text).get("not_judged")
        if not isinstance(reason, str) or not reason:
            raise EventError(
                "The column 'passed' of the results table is empty where the details do not say why.",
                subject="passed",
                hint='Who can\'t judge a file says so: {"not_judged": "the reason"}.',
            )


def _is_json_object(text: str) -> bool:
    """Say whether a text is an object by RFC 8259, as the database reads it: no NaN, no half of a character."""
    import json

    try:
        found = json.loads(text, parse_constant=_refuse_constant)
        if "\\u" in text:
            json.dumps(found, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return False
    return isinstance(found, dict)


def _refuse_constant(name: str) -> None:
    raise ValueError(name)
