"""The reading of audits: lines of JSON, some pages of them at a time, become the tables that they were written from.

A page has lines of one audit, or of several small ones. What the values may be is checked by whoever asked; a line of
another form is refused here.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ontofetch_hookspecs.columns import FILES_COLUMNS, RESULTS_COLUMNS
from ontofetch_hookspecs.light_dataclasses import dataclass
from ontofetch_hookspecs.store_paths import StorePath

from ...errors import EventError
from ..connection import literal, registered

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

_FILE = (
    '{"version_id":"VARCHAR","relpath":"VARCHAR","file_id":"VARCHAR","artifact_id":"VARCHAR","format":"VARCHAR",'
    '"size_bytes":"BIGINT","mtime":"VARCHAR","strip":"INTEGER"}'
)
# of an artifact and not of a file; in a text of JSON such quotes do not stand by themselves
_IS_REMARK = """(contains(line, ',"remarks":[') AND NOT contains(line, '"relpath":'))"""
_RESULT = (
    '{"version_id":"VARCHAR","relpath":"VARCHAR","file_id":"VARCHAR","validator":"VARCHAR",'
    '"validator_version":"VARCHAR","passed":"BOOLEAN","details":"JSON","run_at":"VARCHAR","reused_from":"VARCHAR"}'
)
# the details as they stand there: taken out as JSON they would be spelled anew
_DETAILS = r'"details":(\{.*\}),"run_at":"[^"]*","reused_from":(?:null|"(?:[^"\\]|\\.)*")\}$'
PAGE = 3 << 20  # bytes of lines that are looked at at once
_LONGEST = 1 << 24  # bytes of a line
_ROWS_AT_ONCE = 1 << 12  # of a page, for one of the engine's threads
MOST_REMARK_LINES = 10_000  # one for each artifact of a release


@dataclass(frozen=True, slots=True)
class Audit:
    """One audit: the release that all of its lines are of, and where it lies."""

    version_id: str
    path: StorePath


@dataclass(frozen=True, slots=True)
class Page:
    """What some lines say.

    Args:
        numbers: For each row, the place of its audit in the list that was asked for; it never falls.
        rows: FILES_COLUMNS and artifact_id, or RESULTS_COLUMNS, in the order of the lines.
        remarks: Place of the audit, and line, of what is no file but a remark on an artifact.
    """

    numbers: pa.ChunkedArray
    rows: pa.Table
    remarks: list[tuple[int, str]]


def read_files(connection: duckdb.DuckDBPyConnection, audits: Sequence[Audit]) -> Iterator[Page]:
    """Yield what extract audits say, page by page, in their order.

    Raises:
        EventError: A line has another form, or is of another release.
    """
    query = f"""
        SELECT number, told.version_id, told.relpath, told.file_id, told.format, told.size_bytes, told.artifact_id,
            rtrim(told.mtime, 'Z')::TIMESTAMP AS mtime, remark
        FROM (
            SELECT number, CASE WHEN NOT {_IS_REMARK} THEN json_transform_strict(line, '{_FILE}') END AS told,
                CASE WHEN {_IS_REMARK} THEN line END AS remark
            FROM given_lines
        )
        """
    return _read(connection, audits, query, [column.name for column in FILES_COLUMNS] + ["artifact_id"])


def read_results(connection: duckdb.DuckDBPyConnection, audits: Sequence[Audit]) -> Iterator[Page]:
    """Yield what validation audits say, page by page, in their order.

    Raises:
        EventError: A line has another form, or is of another release.
    """
    query = f"""
        SELECT number, told.version_id, told.relpath, told.file_id, told.validator, told.validator_version,
            told.passed, regexp_extract(line, {literal(_DETAILS)}, 1) AS details,
            rtrim(told.run_at, 'Z')::TIMESTAMP AS run_at, told.reused_from, NULL::VARCHAR AS remark
        FROM (SELECT number, line, json_transform_strict(line, '{_RESULT}') AS told FROM given_lines)
        """
    return _read(connection, audits, query, [column.name for column in RESULTS_COLUMNS])


def _read(
    connection: duckdb.DuckDBPyConnection, audits: Sequence[Audit], query: str, names: list[str]
) -> Iterator[Page]:
    """Yield the columns `names` of what a query makes of the lines, and the remarks among these."""
    import duckdb
    import pyarrow as pa
    import pyarrow.compute as pc

    version_ids = pa.array([audit.version_id for audit in audits], pa.string())
    subject = str(audits[0].path) if audits else ""
    try:
        for lines in _pages(audits):
            with registered(connection, given_lines=lines):
                found = connection.sql(query).to_arrow_table()
            if not pc.all(pc.equal(found["version_id"], version_ids.take(found["number"])), min_count=0).as_py():
                raise EventError("An audit has a line of another release.", subject=subject)
            told = found["remark"]
            remarks = found.filter(told.is_valid()) if told.null_count < len(told) else found.slice(0, 0)
            rows = found.filter(told.is_null()) if len(remarks) else found
            yield Page(rows["number"], _stored(rows, names), _remarks(remarks))
    except (duckdb.Error, pa.ArrowException, OSError) as error:
        raise EventError(f"An audit can't be read: {str(error).splitlines()[0]}", subject=subject) from error


def _remarks(found: pa.Table) -> list[tuple[int, str]]:
    return list(zip(found["number"].to_pylist(), found["remark"].to_pylist(), strict=True))


def _stored(rows: pa.Table, names: list[str]) -> pa.Table:
    """Return columns of what was read: times say that they are of UTC."""
    import pyarrow as pa

    for index, field in enumerate(rows.schema):
        if pa.types.is_timestamp(field.type):
            times = rows[index].cast(pa.timestamp("us")).cast(pa.timestamp("us", "UTC"))
            rows = rows.set_column(index, field.name, times)
    return rows.select(names)


def _pages(audits: Sequence[Audit]) -> Iterator[pa.Table]:
    """Yield the lines of audits as tables of `number`, which of the audits, and `line`."""
    held: list[tuple[int, bytes]] = []
    size = 0
    for number, audit in enumerate(audits):
        for text in _texts(audit.path):
            held.append((number, text))
            size += len(text)
            if size > PAGE // 2:
                yield _page(held)
                held, size = [], 0
    if held:
        yield _page(held)


def _texts(path: StorePath) -> Iterator[bytes]:
    """Yield the bytes of a file in texts of whole lines, without the end of the last one."""
    with os.fdopen(path.open_file(), "rb", buffering=0) as stream:
        rest = b""
        while block := stream.read(PAGE):
            text, end, rest = (rest + block).rpartition(b"\n")
            if end:
                yield text
            if len(rest) > _LONGEST:
                raise EventError(f"An audit has a line of more than {_LONGEST:,} bytes.", subject=str(path))
        if rest:
            yield rest


def _page(texts: list[tuple[int, bytes]]) -> pa.Table:
    import pyarrow as pa
    import pyarrow.compute as pc

    split = [(number, text.split(b"\n")) for number, text in texts]
    numbers = pa.chunked_array([pa.repeat(pa.scalar(number, pa.int32()), len(lines)) for number, lines in split])
    # texts that are none of UTF-8 are refused here
    lines = pa.chunked_array([pa.array(lines, pa.binary()) for _, lines in split]).cast(pa.string())
    page = pa.table({"number": numbers, "line": lines})
    said = page.filter(pc.greater(pc.binary_length(lines), 0)).combine_chunks()
    return pa.Table.from_batches(said.to_batches(_ROWS_AT_ONCE), said.schema)
