"""The SQL of contents stored more than once: what each release holds is gathered first, and told by that.

A content is known by two hashes of its sha256 in temporary tables, so that all files of all releases are compared as
numbers, which memory holds or DuckDB's disk; of those alone that several files have the texts are read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from .. import fsops
from ..connection import fetch_number
from .bounds import bounds_of
from .reports import Statement, of_releases

if TYPE_CHECKING:
    import duckdb

# of different parts of it, so that one says something where another does not
_HASHES = "hash(file_id) AS whole, hash(right(file_id, 32)) AS half"
_PARTS = 1 << 16
_PART = f"(whole % {_PARTS})"
_CREATE = """
    CREATE OR REPLACE TEMP TABLE held_releases (version_id VARCHAR, number INTEGER);
    CREATE OR REPLACE TEMP TABLE held_contents (
        number INTEGER, whole UBIGINT, half UBIGINT, size_bytes BIGINT, copies BIGINT
    )"""
_GATHER = f"""
    INSERT INTO temp.held_contents
    SELECT any_value(number), whole, half, any_value(size_bytes), count(*) FROM (
        SELECT number, {_HASHES}, size_bytes FROM extracted_files JOIN temp.held_releases USING (version_id)
        WHERE {{bounds}} AND number BETWEEN {{first}} AND {{last}}
    ) GROUP BY number, whole, half"""
_REPEAT = """
    CREATE OR REPLACE TEMP TABLE repeated_contents AS
    SELECT whole, half, any_value(size_bytes) AS size_bytes, sum(copies)::BIGINT AS copies, count(*) AS versions
    FROM temp.held_contents GROUP BY whole, half HAVING sum(copies) > 1"""


def gather(connection: duckdb.DuckDBPyConnection, portions: Sequence[Sequence[str]]) -> None:
    """Note which contents some releases hold, in temporary tables that what is selected here reads.

    Args:
        portions: The releases, sorted by name, in portions that are looked at one after the other.
    """
    import pyarrow as pa

    names = [name for portion in portions for name in portion]
    given = pa.table({"version_id": pa.array(names, pa.string()), "number": pa.array(range(len(names)), pa.int32())})
    fsops.execute(connection, _CREATE)
    fsops.execute(
        connection, "INSERT INTO temp.held_releases SELECT * FROM given_numbers", tables={"given_numbers": given}
    )
    first = 0
    for portion in portions:
        last = first + len(portion) - 1
        fsops.execute(connection, _GATHER.format(bounds=bounds_of(portion), first=first, last=last))
        first = last + 1
    fsops.execute(connection, _REPEAT)


def select_copies(
    connection: duckdb.DuckDBPyConnection, version_ids: Sequence[str] | None, at_once: int
) -> Iterator[Statement]:
    """Yield the SQL of contents stored more than once, of so many at a time.

    file_id, size_bytes, copies, versions, relpath, format: these two are those of the first copy by path.
    """
    count = fetch_number(connection, "SELECT count(*) FROM temp.repeated_contents")
    parts = -(-count // at_once) or 1
    for part in range(parts):
        bounds = f"{_PART} >= {_PARTS * part // parts} AND {_PART} < {_PARTS * (part + 1) // parts}"
        mine = f"(FROM temp.repeated_contents WHERE {bounds})" if parts > 1 else "temp.repeated_contents"
        yield of_releases(
            "SELECT any_value(file_id) AS file_id, any_value(size_bytes) AS size_bytes, any_value(copies) AS copies,"
            " any_value(versions) AS versions, min(relpath) AS relpath, arg_min(format, relpath) AS format"
            f" FROM (SELECT file_id, relpath, format, {_HASHES} FROM extracted_files WHERE {{scope}})"
            f" JOIN {mine} USING (whole, half) GROUP BY whole, half",
            version_ids,
        )


def select_shared() -> Statement:
    """Return the SQL per release of files, size_bytes, repeated_bytes (copies inside it), shared_bytes.

    shared_bytes are those of contents that another release has too, each content once.
    """
    return Statement(
        "SELECT version_id, files, size_bytes, repeated_bytes, shared_bytes FROM temp.held_releases JOIN ("
        " SELECT number, sum(copies)::BIGINT AS files, sum(h.size_bytes * h.copies)::BIGINT AS size_bytes,"
        " sum(h.size_bytes * (h.copies - 1))::BIGINT AS repeated_bytes,"
        " coalesce(sum(h.size_bytes) FILTER (s.whole IS NOT NULL), 0)::BIGINT AS shared_bytes"
        " FROM temp.held_contents h"
        " LEFT JOIN (SELECT whole, half FROM temp.repeated_contents WHERE versions > 1) s USING (whole, half)"
        " GROUP BY number) USING (number)"
    )
