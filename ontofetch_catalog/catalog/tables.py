"""Check the tables that events carry and bring them into the form in which they are stored.

Everything is done by column; nothing is read from or written to disk.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from ontofetch_hookspecs.events import FILES_COLUMNS, RESULTS_COLUMNS, Column, Table
from ontofetch_hookspecs.names import quote, relpath_fault

from ..errors import EventError

if TYPE_CHECKING:
    import pyarrow as pa

# what relpath_fault refuses, as one expression of RE2; it only finds candidates, relpath_fault then says what is wrong
_SUSPECT_PATH = (
    r"^$|^/|/$|//|(^|/)\.\.?(/|$)|\p{Cc}|[\x{2028}\x{2029}\x{202a}-\x{202e}\x{2066}-\x{2069}]|[^/]{86}|^.{342}"
)
_SHA256 = "^[0-9a-f]{64}$"


def read_files(files: Table) -> pa.Table:
    """Return the files table of an ExtractDone, checked; times UTC without zone.

    Raises:
        EventError: A column is missing or of another type, a value breaks the contract, or two paths are the same file
            on a file system that folds case and normal forms.
    """
    table = _conform("files", files, FILES_COLUMNS)
    _check_paths(table)
    _check_matches(table, "file_id", _SHA256, "is not a sha256 in 64 lower-case hex digits")
    _check_matches(table, "format", r"^[a-z0-9][a-z0-9_+.-]{0,39}$", "is not the name of a format")
    _check_sizes(table)
    _check_unique(table["relpath"])
    return table


def read_results(results: Table) -> pa.Table:
    """Return the results table of a ValidateDone, checked; times UTC without zone.

    Raises:
        EventError: A column is missing or of another type, a value breaks the contract, or a row is there twice.
    """
    import pyarrow.compute as pc

    table = _conform("results", results, RESULTS_COLUMNS)
    _check_paths(table)
    _check_matches(table, "file_id", _SHA256, "is not a sha256 in 64 lower-case hex digits")
    for name in ("validator", "validator_version"):
        _check_matches(table, name, r"^[A-Za-z0-9][A-Za-z0-9._+~ -]{0,99}$", f"is not a {name.replace('_', ' ')}")
    _check_details(table)
    keys = pc.binary_join_element_wise(table["relpath"], table["validator"], "\n")
    if pc.count_distinct(keys).as_py() != len(table):
        raise EventError("The results table has two rows for one file and validator.", subject="results")
    return table


@lru_cache(maxsize=4)
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
        missing = [field.name for field in schema if field.name not in table.column_names]
        if missing:
            raise EventError(
                f"The {name} table has no column {missing[0]!r}.",
                subject=name,
                hint=f"Its columns are {', '.join(schema.names)}.",
            )
        table = table.select(schema.names)
        naive = [
            field.name
            for field in schema
            if pa.types.is_timestamp(field.type) and table.schema.field(field.name).type.tz is None and len(table)
        ]
        if naive:
            raise EventError(f"The column {naive[0]!r} of the {name} table has times without a zone.", subject=name)
        table = table.cast(pa.schema([field.with_nullable(True) for field in schema]))
        table.validate(full=True)
    except (pa.ArrowException, AttributeError, TypeError, ValueError) as error:
        raise EventError(f"The {name} table can't be used: {error}", subject=name) from error
    for field in schema:
        if not field.nullable and table[field.name].null_count:
            raise EventError(f"The column {field.name!r} of the {name} table has an empty value.", subject=name)
    stored = pa.schema(
        [field.with_type(pa.timestamp("us")) if pa.types.is_timestamp(field.type) else field for field in table.schema]
    )
    return table.cast(stored)


def _check_paths(table: pa.Table) -> None:
    import pyarrow.compute as pc

    suspects = table["relpath"].filter(pc.match_substring_regex(table["relpath"], _SUSPECT_PATH))
    for path in suspects.to_pylist():
        fault = relpath_fault(path)
        if fault is not None:
            raise EventError(f"The path {quote(path)} {fault}.", subject=path, hint="The whole table was refused.")


def _check_matches(table: pa.Table, name: str, pattern: str, fault: str) -> None:
    import pyarrow.compute as pc

    # a column of few values is looked at value by value, not row by row
    values = pc.unique(table[name]) if name != "file_id" else table[name]
    wrong = values.filter(pc.invert(pc.match_substring_regex(values, pattern)))
    if len(wrong):
        raise EventError(f"The {name} {quote(wrong[0].as_py())} {fault}.", subject=name)


def _check_sizes(table: pa.Table) -> None:
    import pyarrow.compute as pc

    if len(table) and pc.min(table["size_bytes"]).as_py() < 0:
        raise EventError("A size_bytes of the files table is negative.", subject="size_bytes")


def _check_details(table: pa.Table) -> None:
    import json

    import pyarrow.compute as pc

    for text in pc.unique(table["details"]).to_pylist():
        try:
            fine = isinstance(json.loads(text), dict)
        except ValueError:
            fine = False
        if not fine:
            raise EventError(f"The details {quote(text)} are not a JSON object.", subject="details")


def _check_unique(paths: pa.ChunkedArray) -> None:
    import pyarrow as pa
    import pyarrow.compute as pc

    keys = path_keys(paths)
    # ranking names that are nearly in order costs a third of hashing them, in time and in memory
    if len(keys) == 0 or pc.max(pc.rank(keys, tiebreaker="dense")).as_py() == len(keys):
        del keys
        # the pool would keep what the keys took while the rows are recorded
        pa.default_memory_pool().release_unused()
        return
    counts = pc.value_counts(keys)
    double = counts.filter(pc.greater(counts.field("counts"), 1)).field("values")[0].as_py()
    both = paths.filter(pc.equal(keys, double)).to_pylist()[:2]
    raise EventError(
        f"The paths {quote(both[0])} and {quote(both[1])} are the same file where case and normal forms are folded.",
        subject=both[1],
    )


def path_keys(paths: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return `names.path_key` of each path, as a column."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pc.all(pc.string_is_ascii(paths)).as_py() in (True, None):
        return pc.ascii_lower(paths)
    # one text with NULs between (no path has one): folding and composing it whole is folding each path
    text = "\0".join(paths.to_pylist())
    folded = unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())
    return pa.chunked_array([pa.array(folded.split("\0"), pa.string())])


def is_sorted(paths: pa.ChunkedArray) -> bool:
    """Say whether paths stand in strictly ascending order of their bytes."""
    import pyarrow.compute as pc

    if len(paths) < 2:
        return True
    return bool(pc.all(pc.less(paths.slice(0, len(paths) - 1), paths.slice(1))).as_py())
