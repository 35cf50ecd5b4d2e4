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

    With them come the lines that are no files but remarks on artifacts, MOST_REMARK_LINES + 1 of them at most.

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
    found = _read(connection, version_id, path, query, [*names, "remark"])
    of_files = found["remark"].is_null()
    remarks = found["remark"].drop_null().slice(0, MOST_REMARK_LINES + 1).to_pylist()
    return found.filter(of_files).select(names), remarks


def read_results(connection: duckdb.DuckDBPyConnection, version_id: str, path: StorePath | None) -> pa.Table:
    """Return the results in a validation audit, in its order: RESULTS_COLUMNS; none without a path.

    Raises:
        EventError: A line has another form, or is of another release.
    """
    query = f"""
        SELECT told.version_id, told.relpath, told.file_id, told.validator, told.validator_version, told.passed,
            regexp_extract(line, {literal(_DETAILS)}, 1) AS details, rtrim(told.run_at, 'Z')::TIMESTAMP AS run_at,
            told.reused_from
        FROM (SELECT line, json_transform_strict(line, '{_RESULT}') AS told FROM given_lines)
        """
    return _read(connection, version_id, path, query, [column.name for column in RESULTS_COLUMNS])


def _read(
    connection: duckdb.DuckDBPyConnection, version_id: str, path: StorePath | None, query: str, names: list[str]
) -> pa.Table:
    import duckdb
    import pyarrow as pa
    import pyarrow.compute as pc

    try:
        with _lines(connection, path):
            found = connection.sql(query).to_arrow_table()
    except (duckdb.Error, pa.ArrowException, OSError) as error:
        raise EventError(f"An audit can't be read: {str(error).splitlines()[0]}", subject=str(path)) from error
    if not pc.all(pc.equal(found["version_id"], version_id), min_count=0).as_py():
        raise EventError("An audit has a line of another release.", subject=str(path))
    times = [field.name for field in found.schema if pa.types.is_timestamp(field.type)]
    for name in times:
        zoned = found[name].cast(pa.timestamp("us")).cast(pa.timestamp("us", "UTC"))
        found = found.set_column(found.column_names.index(name), name, zoned)
    return found.select(names)


@contextmanager
def _lines(connection: duckdb.DuckDBPyConnection, path: StorePath | None) -> Iterator[None]:
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
                read_options=csv.ReadOptions(column_names=["line"], block_size=1 << 24),
                parse_options=csv.ParseOptions(delimiter="\x01", quote_char=False, escape_char=False),
                convert_options=csv.ConvertOptions(column_types={"line": pa.string()}, strings_can_be_null=False),
            )
        stack.enter_context(registered(connection, given_lines=lines))
        yield
