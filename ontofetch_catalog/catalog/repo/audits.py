"""The SQL that reads audits back: lines of JSON become the tables that they were written from.

What the values may be is checked by whoever asked; a line of another form is refused here.
"""

from __future__ import annotations

import os
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from ontofetch_hookspecs.columns import FILES_COLUMNS, RESULTS_COLUMNS
from ontofetch_hookspecs.store_paths import StorePath

from ...errors import EventError
from ..connection import literal, registered

if TYPE_CHECKING:
    from collections.abc import Iterator

    import duckdb
    import pyarrow as pa

_FILE = (
    '{"version_id":"VARCHAR","relpath":"VARCHAR","file_id":"VARCHAR","artifact_id":"VARCHAR","format":"VARCHAR",'
    '"size_bytes":"BIGINT","mtime":"VARCHAR","strip":"INTEGER"}'
)
# of an artifact and not of a file; in a text of JSON such quotes do not stand by themselves
_IS_REMARK = """(contains(line, ',"remarks":[') AND NOT contains(line, '"relpath":'))"""
_ROWS_AT_ONCE = 1 << 16
_BLOCK, _LARGE_BLOCK = 1 << 20, 1 << 24  # bytes that are read at once; no line may be longer
MOST_REMARK_LINES = 10_000  # one for each artifact of a release
_RESULT = (
    '{"version_id":"VARCHAR","relpath":"VARCHAR","file_id":"VARCHAR","validator":"VARCHAR",'
    '"validator_version":"VARCHAR","passed":"BOOLEAN","details":"JSON","run_at":"VARCHAR","reused_from":"VARCHAR"}'
)
# the details as they stand there: taken out as JSON they would be spelled anew
_DETAILS = r'"details":(\{.*\}),"run_at":"[^"]*","reused_from":(?:null|"(?:[^"\\]|\\.)*")\}$'


def read_files(
    connection: duckdb.DuckDBPyConnection, version_id: str, path: StorePath | None
) -> tuple[pa.Table, list[str]]:
    """Return the files in an extract audit, in its order: FILES_COLUMNS and artifact_id; none without a path.

    The column artifact_id is a dictionary in each of its chunks, for a release has few artifacts. With them come the
    lines that are no files but remarks on artifacts, MOST_REMARK_LINES + 1 of them at most.

    Raises:
        EventError: A line has another form, or is of another release.
    """
    query = f"""
        SELECT told.version_id, told.relpath, told.file_id, told.format, told.size_bytes, told.artifact_id,
            rtrim(told.mtime, 'Z')::TIMESTAMP AS mtime, remark
        FROM (
            SELECT CASE WHEN NOT {_IS_REMARK} THEN json_transform_strict(line, '{_FILE}') END AS told,
                CASE WHEN {_IS_REMARK} THEN line END AS remark
            FROM given_lines
        )
        """
    names = [column.name for column in FILES_COLUMNS] + ["artifact_id"]
    return _read(connection, version_id, path, query, names)


def read_results(connection: duckdb.DuckDBPyConnection, version_id: str, path: StorePath | None) -> pa.Table:
    """Return the results in a validation audit, in its order: RESULTS_COLUMNS; none without a path.

    Raises:
        EventError: A line has another form, or is of another release.
    """
    query = f"""
        SELECT told.version_id, told.relpath, told.file_id, told.validator, told.validator_version, told.passed,
            regexp_extract(line, {literal(_DETAILS)}, 1) AS details, rtrim(told.run_at, 'Z')::TIMESTAMP AS run_at,
            told.reused_from, NULL::VARCHAR AS remark
        FROM (SELECT line, json_transform_strict(line, '{_RESULT}') AS told FROM given_lines)
        """
    found, _ = _read(connection, version_id, path, query, [column.name for column in RESULTS_COLUMNS])
    return found


def _read(
    connection: duckdb.DuckDBPyConnection, version_id: str, path: StorePath | None, query: str, names: list[str]
) -> tuple[pa.Table, list[str]]:
    """Return the columns `names` of what a query makes of the lines, and the remarks among them."""
    import duckdb
    import pyarrow as pa

    try:
        try:
            return _read_by(connection, version_id, path, query, names, block=_BLOCK)
        except (duckdb.Error, pa.ArrowException):
            # a line may be longer than what is usually read at once
            return _read_by(connection, version_id, path, query, names, block=_LARGE_BLOCK)
    except (duckdb.Error, pa.ArrowException, OSError) as error:
        raise EventError(f"An audit can't be read: {str(error).splitlines()[0]}", subject=str(path)) from error


def _read_by(
    connection: duckdb.DuckDBPyConnection,
    version_id: str,
    path: StorePath | None,
    query: str,
    names: list[str],
    *,
    block: int,
) -> tuple[pa.Table, list[str]]:
    import pyarrow as pa
    import pyarrow.compute as pc

    batches: list[pa.RecordBatch] = []
    remarks: list[str] = []
    with _lines(connection, path, block), connection.sql(query).to_arrow_reader(_ROWS_AT_ONCE) as reader:
        for batch in reader:
            if not pc.all(pc.equal(batch["version_id"], version_id), min_count=0).as_py():
                raise EventError("An audit has a line of another release.", subject=str(path))
            told = batch["remark"]
            if told.null_count < len(told):
                remarks += told.drop_null().slice(0, MOST_REMARK_LINES + 1 - len(remarks)).to_pylist()
            # also where nothing is left out: DuckDB's own buffers are several times as large as what is in them
            batches.append(_stored(batch.filter(told.is_null()), names))
        nothing = _stored(pa.RecordBatch.from_pylist([], reader.schema), names)
    return pa.Table.from_batches(batches, nothing.schema), remarks


def _stored(batch: pa.RecordBatch, names: list[str]) -> pa.RecordBatch:
    """Return columns of a batch: times say that they are of UTC, the few artifacts of a release are a dictionary."""
    import pyarrow as pa

    columns = []
    for name in names:
        column = batch[name]
        if pa.types.is_timestamp(column.type):
            column = column.cast(pa.timestamp("us")).cast(pa.timestamp("us", "UTC"))
        columns.append(column.dictionary_encode() if name == "artifact_id" else column)
    return pa.RecordBatch.from_arrays(columns, names)


@contextmanager
def _lines(connection: duckdb.DuckDBPyConnection, path: StorePath | None, block: int) -> Iterator[None]:
    """Let statements see the lines of a file as `given_lines`, column `line`; they pass by once, block by block."""
    import pyarrow as pa
    from pyarrow import csv

    with ExitStack() as stack:
        lines = pa.table({"line": pa.array([], pa.string())})
        stream = None if path is None else stack.enter_context(os.fdopen(path.open_file(), "rb", buffering=0))
        if stream is not None and os.fstat(stream.fileno()).st_size > 0:
            # a reader of CSV whose separator no line can have is a reader of lines
            lines = csv.open_csv(
                stream,
                read_options=csv.ReadOptions(column_names=["line"], block_size=block),
                parse_options=csv.ParseOptions(delimiter="\x01", quote_char=False, escape_char=False),
                convert_options=csv.ConvertOptions(column_types={"line": pa.string()}, strings_can_be_null=False),
            )
        stack.enter_context(registered(connection, given_lines=lines))
        yield
