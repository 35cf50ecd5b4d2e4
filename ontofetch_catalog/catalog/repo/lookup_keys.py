"""The SQL of the numbers by which files are found by content or by name, and what is asked by them.

Two texts of one number may differ: whoever asks compares the texts of what is left. The numbers are of DuckDB's own
hash, which another version may change: each says of which hash it is, and one of another is as good as none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import fsops
from ..connection import fetch_one, literal

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

DIGITS = 8  # of a sha256, by which a content is looked for at least
# of twenty million files one has the number of a content by chance; DuckDB knows a set of so few in no time
_BITS = 24
_MOST = (1 << _BITS) - 1
# of a short text and of a long one, which DuckDB hashes in different ways
_FAMILY = f"((xor(hash('ontofetch'), hash('the catalog of ontologies')) & {(1 << 30) - 1})::BIGINT << {_BITS})"
_OTHER_LETTERS = frozenset("[\\")  # what stands in brackets may be a slash
_ANY_LETTERS = frozenset("*?")


def content_key(column: str) -> str:
    """Return the number of a content: SQL."""
    return f"({_FAMILY} + (hash(left({column}, {DIGITS})) & {_MOST})::BIGINT)"


def name_key(column: str) -> str:
    """Return the number of the last part of a path: SQL."""
    return f"({_FAMILY} + (hash(parse_filename({column}, false, 'forward_slash')) & {_MOST})::BIGINT)"


BOTH = f"{content_key('file_id')} AS content_key, {name_key('relpath')} AS name_key"


def without(column: str) -> str:
    """Return the condition on rows whose number says nothing: SQL."""
    return f"({column} IS NULL OR {column} < {_FAMILY} OR {column} > {_FAMILY} + {_MOST})"


def may_have(digits: str) -> str:
    """Return a condition that all rows meet whose content begins with these digits, and few others: SQL."""
    if len(digits) < DIGITS:
        return "true"
    return f"(content_key = {content_key(literal(digits))} OR {without('content_key')})"


def may_be_called(pattern: str) -> str:
    """Return a condition that all rows meet whose path ends with a pattern, or is matched by it as a glob: SQL."""
    if _OTHER_LETTERS & set(pattern) or _ANY_LETTERS & set(pattern.rpartition("/")[2]):
        return "true"
    return f"(name_key = {name_key(literal(pattern))} OR {without('name_key')})"


def holding(contents: str, within: str = "true") -> str:
    """Return the rows of extracted_files whose content is one of some, as something to select from: SQL.

    Where it is joined with more, it is to be materialized before: what is joined first decides whether DuckDB reads all
    texts.

    Args:
        contents: What file_id can be selected from.
        within: A condition that all of them meet, by which row groups can be skipped.
    """
    # by the numbers alone first, then by the contents of those few, and only of what is left the other columns;
    # backwards, as DuckDB would look for the bounds of the contents in all of them
    return f"""(
        WITH places AS MATERIALIZED (
            SELECT place FROM (
                SELECT rowid AS place, file_id FROM (SELECT rowid, * FROM extracted_files WHERE {within})
                SEMI JOIN (SELECT {content_key("file_id")} AS content_key FROM {contents}) USING (content_key)
            ) f SEMI JOIN (SELECT file_id FROM {contents}) c ON reverse(f.file_id) = reverse(c.file_id)
        )
        SELECT * FROM extracted_files SEMI JOIN places ON extracted_files.rowid = places.place
        UNION ALL
        SELECT * FROM (SELECT * FROM extracted_files WHERE {within} AND {without("content_key")})
        SEMI JOIN (SELECT file_id FROM {contents}) USING (file_id)
    )"""


def fill_keys(connection: duckdb.DuckDBPyConnection, *, anew: bool = False) -> int:
    """Record the numbers of files that have none, or with `anew` of those that have others; return how many files."""
    condition = _WRONG if anew else "content_key IS NULL OR name_key IS NULL"
    if fetch_one(connection, f"SELECT 1 FROM extracted_files WHERE {condition} LIMIT 1") is None:
        return 0
    return fsops.execute(
        connection,
        f"UPDATE extracted_files SET content_key = {content_key('file_id')}, name_key = {name_key('relpath')}"
        f" WHERE {condition}",
    )


def find_wrong_keys(connection: duckdb.DuckDBPyConnection) -> pa.Table:
    """Return a finding for each release that has a file with a number which is not its own."""
    return connection.sql(f"""
        SELECT 'extracted_files: ' || version_id AS subject, version_id,
            'The number by which a file of ' || version_id || ' is found is not that of the file: '
            || count(*) || ' of them.' AS message,
            'recompute' AS fix, NULL AS unsafe_fixes
        FROM extracted_files WHERE {_WRONG} GROUP BY version_id
    """).to_arrow_table()


# of another hash is no fault: another DuckDB has written it
_WRONG = (
    f"(content_key <> {content_key('file_id')} AND NOT {without('content_key')})"
    f" OR (name_key <> {name_key('relpath')} AND NOT {without('name_key')})"
)
