"""The SQL that proves that keys are unique and that rows refer to what is there; nothing of the disk.

Each `find_*` returns findings as one Arrow table with the columns subject, version_id, message, fix, unsafe_fixes.
Keys are compared by their 64-bit hashes first, so that a million rows fit into little memory.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import fsops
from ..connection import fetch_text

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

# table → its key; events and schema_version are proven by their own checks
KEYS = {
    "versions": ("version_id",),
    "artifacts": ("version_id", "relpath"),
    "origins": ("version_id", "relpath", "source_url"),
    "extracted_files": ("version_id", "relpath"),
    "validations": ("version_id", "relpath", "validator"),
    "latest_pointer": ("slot", "updated_at"),
    "notes": ("version_id", "kind", "text"),
}


def find_duplicates(connection: duckdb.DuckDBPyConnection) -> pa.Table:
    """Return a finding for each key that several rows have; rows that are equal in all columns can go safely."""
    hashes = {table: f"hash({', '.join(key)})" for table, key in KEYS.items()}
    doubled = "SELECT '{0}' AS name WHERE EXISTS (SELECT 1 FROM {0} GROUP BY {1} HAVING count(*) > 1)".format
    # nearly always there are none, which takes a tenth of the time to see
    asked = " UNION ALL ".join(doubled(*it) for it in hashes.items())
    tables = fetch_text(connection, f"SELECT coalesce(string_agg(name, ' '), '') FROM ({asked})")
    parts = ["SELECT NULL AS subject, NULL AS version_id, NULL AS message, NULL AS fix, NULL AS unsafe_fixes WHERE 1=0"]
    for table in str(tables).split():
        key, names = hashes[table], ", ".join(KEYS[table])
        shown = " || ' ' || ".join(f"coalesce({name}::VARCHAR, 'NULL')" for name in KEYS[table])
        version = "version_id" if "version_id" in key else "NULL"
        parts.append(
            f"""
            SELECT '{table}: ' || {shown} AS subject, {version} AS version_id, n || ' rows of {table} have the key '
                || {shown} || CASE WHEN different = 1 THEN '; they are equal.' ELSE '; they differ.' END AS message,
                CASE WHEN different = 1 THEN 'deduplicate' END AS fix,
                CASE WHEN different > 1 THEN 'keep-newest' END AS unsafe_fixes
            FROM (
                SELECT {names}, count(*) AS n, count(DISTINCT t) AS different FROM {table} t
                WHERE {key} IN (SELECT {key} FROM {table} GROUP BY 1 HAVING count(*) > 1)
                GROUP BY {names} HAVING count(*) > 1
            )"""
        )
    return connection.sql(" UNION ALL ".join(parts)).to_arrow_table()


def delete_duplicates(connection: duckdb.DuckDBPyConnection, *, differing: bool) -> int:
    """Keep the row recorded last of each key, or without `differing` of equal rows one; return how many went."""
    removed = 0
    for table, key in KEYS.items():
        names = ", ".join(key)
        equal = "" if differing else "AND count(DISTINCT t) = 1"
        removed += fsops.execute(
            connection,
            f"""
            DELETE FROM {table} WHERE rowid IN (
                SELECT unnest(list_filter(ids, lambda id: id <> last)) FROM (
                    SELECT list(rowid) AS ids, max(rowid) AS last FROM {table} t
                    WHERE hash({names}) IN (SELECT hash({names}) FROM {table} GROUP BY 1 HAVING count(*) > 1)
                    GROUP BY {names} HAVING count(*) > 1 {equal}
                )
            )""",
        )
    return removed


# what refers to nothing: (table, reason, condition for a row of it); `t` is the row
_NO_RELEASE = "coalesce(version_id, '') NOT IN (SELECT version_id FROM versions WHERE version_id IS NOT NULL)"
_NO_ARTIFACT = f"""NOT ({_NO_RELEASE})
    AND hash(version_id, artifact_id) NOT IN (SELECT hash(version_id, artifact_id) FROM artifacts)"""
_NO_SOURCE = f"""NOT ({_NO_RELEASE})
    AND hash(version_id, relpath) NOT IN (SELECT hash(version_id, relpath) FROM artifacts)"""
_NO_FILE = f"""NOT ({_NO_RELEASE})
    AND hash(version_id, relpath, file_id) NOT IN (SELECT hash(version_id, relpath, file_id) FROM extracted_files)"""
_NEWEST = "(slot, updated_at) IN (SELECT (slot, max(updated_at)) FROM latest_pointer GROUP BY slot)"
_DANGLING = (
    ("artifacts", "of a release that is not recorded", _NO_RELEASE),
    ("origins", "of a release that is not recorded", _NO_RELEASE),
    ("origins", "of an artifact that is not recorded", _NO_SOURCE),
    ("extracted_files", "of a release that is not recorded", _NO_RELEASE),
    ("extracted_files", "of an artifact that is not recorded", _NO_ARTIFACT),
    ("validations", "of a release that is not recorded", _NO_RELEASE),
    ("validations", "of a file or a content that is not recorded", _NO_FILE),
    (
        "latest_pointer",
        "to a release that is not recorded",
        # one without a release says that the series has no latest
        f"version_id IS NOT NULL AND {_NO_RELEASE} AND {_NEWEST}",
    ),
    ("notes", "of a release that is not recorded", _NO_RELEASE),
)


def find_dangling(connection: duckdb.DuckDBPyConnection) -> pa.Table:
    """Return a finding for each table and release with rows that refer to nothing."""
    parts = [
        f"""
        SELECT '{table} ' || '{reason}: ' || coalesce(version_id, 'NULL') AS subject, version_id,
            count(*) || ' rows of {table} are {reason} (' || coalesce(version_id, 'NULL') || ').' AS message,
            NULL AS fix, 'drop' AS unsafe_fixes
        FROM {table} WHERE {condition} GROUP BY version_id"""
        for table, reason, condition in _DANGLING
    ]
    return connection.sql(" UNION ALL ".join(parts)).to_arrow_table()


def delete_dangling(connection: duckdb.DuckDBPyConnection) -> int:
    """Remove the rows that refer to nothing, and what refers to them in turn; return how many."""
    return sum(fsops.execute(connection, f"DELETE FROM {table} WHERE {condition}") for table, _, condition in _DANGLING)
