"""Own the SQL of the reports: narrow reads over releases, their files and what changed between two of them.

Releases stand in it as constants, so that DuckDB skips the row groups of all the others; what becomes of the rows is
not known here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..connection import literal

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

# what files can be counted by → its SQL; the folder of `a/b.ttl` is `a`, of `b.ttl` it is `.`; `.x` has no extension
_NAME = "parse_filename(relpath)"
KEYS = {
    "service": "split_part(version_id, '/', 1)",
    "host": "coalesce(host, 'unknown')",
    "folder": "coalesce(nullif(parse_dirpath(relpath, 'forward_slash'), ''), '.')",
    "format": "format",
    "extension": f"CASE WHEN contains({_NAME}[2:], '.') THEN lower(string_split({_NAME}, '.')[-1]) ELSE 'none' END",
}
REASON = "regexp_extract(coalesce(details->>'error', ''), '[^\\r\\n]*')"


def read(connection: duckdb.DuckDBPyConnection, sql: str) -> pa.Table:
    """Return the rows of one of the statements of this module."""
    return connection.sql(sql).to_arrow_table()


def select_versions(more: Sequence[str] = ()) -> str:
    """Return the SQL of all releases: version_id, slot, previous_version_id, `more` of is_latest and of versions.

    Each series in its order.
    """
    columns = "".join(f", {name}" for name in more)
    join = " JOIN versions USING (version_id)" if set(more) - {"is_latest"} else ""
    return (
        f"SELECT version_id, slot, previous_version_id{columns}"  # noqa: S608
        f" FROM v_series_order{join} ORDER BY slot, position"
    )


def select_files(version_ids: Sequence[str]) -> str:
    """Return the SQL of files: version_id, relpath, format, size_bytes, verified_at, passed.

    `passed` is whether every validator passed the file, null where none looked at it.
    """
    return " UNION ALL ".join(_files_of(literal(version_id)) for version_id in version_ids)


def _files_of(version: str) -> str:
    return (
        f"SELECT {version} AS version_id, relpath, format, size_bytes, verified_at, passed FROM extracted_files"  # noqa: S608
        " LEFT JOIN (SELECT relpath, bool_and(passed) AS passed FROM validations"
        f" WHERE version_id = {version} GROUP BY relpath) USING (relpath) WHERE version_id = {version}"
    )


def select_changes(pairs: Sequence[tuple[str, str]], columns: Sequence[str], *, unchanged: bool = False) -> str:
    """Return the SQL of what changed from A to B, for each pair: version_id (B) and columns of version_delta_files."""
    return " UNION ALL ".join(_changes_of(literal(a), literal(b), columns, unchanged=unchanged) for a, b in pairs)


def _changes_of(a: str, b: str, columns: Sequence[str], *, unchanged: bool) -> str:
    only = "" if unchanged else " WHERE change <> 'UNCHANGED'"
    chosen = ", ".join(f"{b} AS version_id" if name == "version_id" else name for name in columns)
    return f"SELECT {chosen} FROM version_delta_files({a}, {b}){only}"  # noqa: S608


def select_sides(a: str, b: str, key: str) -> str:
    """Return the SQL of totals of A and B by one of KEYS: side (`a` or `b`), the key, files, size_bytes."""
    return " UNION ALL ".join(
        f"SELECT '{side}' AS side, {KEYS[key]} AS {key}, count(*) AS files, sum(size_bytes)::BIGINT AS size_bytes"  # noqa: S608
        f" FROM extracted_files WHERE version_id = {literal(version_id)} GROUP BY ALL"
        for side, version_id in (("a", a), ("b", b))
    )


def select_timeline(releases: Sequence[tuple[str, str | None]]) -> str:
    """Return the SQL of the sums of (release, the one before it or None), one row each.

    version_id, files, size_bytes, added, removed, modified, renamed, unchanged, added_bytes, removed_bytes,
    modified_delta_bytes, net_bytes, churn_bytes; what changed is null without a release before.
    """
    return " UNION ALL ".join(_timeline_of(version_id, before) for version_id, before in releases)


def _timeline_of(version_id: str, before: str | None) -> str:
    release = literal(version_id)
    if before is None:
        return (
            f"SELECT {release} AS version_id, count(*) AS files, coalesce(sum(size_bytes), 0)::BIGINT AS size_bytes,"  # noqa: S608
            " NULL::BIGINT AS added, NULL::BIGINT AS removed, NULL::BIGINT AS modified, NULL::BIGINT AS renamed,"
            " NULL::BIGINT AS unchanged, NULL::BIGINT AS added_bytes, NULL::BIGINT AS removed_bytes,"
            " NULL::BIGINT AS modified_delta_bytes, NULL::BIGINT AS net_bytes, NULL::BIGINT AS churn_bytes"
            f" FROM extracted_files WHERE version_id = {release}"
        )
    return (
        f"SELECT {release} AS version_id, added + modified + renamed + unchanged AS files, bytes_b AS size_bytes,"  # noqa: S608
        " added, removed, modified, renamed, unchanged, added_bytes, removed_bytes, modified_delta_bytes, net_bytes,"
        f" churn_bytes FROM version_delta_summary({literal(before)}, {release})"
    )


def select_file_count(version_id: str) -> str:
    """Return the SQL of the number of files of a release: files."""
    return f"SELECT count(*) AS files FROM extracted_files WHERE version_id = {literal(version_id)}"  # noqa: S608


def select_format_totals(version_ids: Sequence[str]) -> str:
    """Return the SQL of version_id, format, files, size_bytes."""
    return " UNION ALL ".join(
        f"SELECT {literal(version_id)} AS version_id, format, count(*) AS files,"  # noqa: S608
        f" sum(size_bytes)::BIGINT AS size_bytes FROM extracted_files WHERE version_id = {literal(version_id)}"
        " GROUP BY format"
        for version_id in version_ids
    )


def select_results(version_id: str, columns: Sequence[str]) -> str:
    """Return the SQL of results: `format`, columns of validations, `reason`.

    `reason` is the first line of why a file failed, null where it passed.
    """
    release = literal(version_id)
    reason = f"CASE WHEN NOT passed THEN {REASON} END AS reason"
    chosen = ", ".join(reason if name == "reason" else name for name in columns)
    return (
        f"SELECT {chosen} FROM"  # noqa: S608
        f" (SELECT * FROM validations WHERE version_id = {release})"
        f" JOIN (SELECT relpath, format FROM extracted_files WHERE version_id = {release}) USING (relpath)"
    )


def select_result_changes(a: str, b: str) -> str:
    """Return the SQL of results that became others from A to B: change, validator, relpath, previous_relpath, format.

    relpath and format are those in B, of a removed result those in A; previous_relpath is the path in A if it differs.
    """
    return (
        "SELECT d.change, d.validator, coalesce(d.relpath_b, d.relpath_a) AS relpath,"  # noqa: S608
        " nullif(d.relpath_a, coalesce(d.relpath_b, d.relpath_a)) AS previous_relpath, f.format"
        f" FROM version_validation_delta({literal(a)}, {literal(b)}) d JOIN ("
        f"SELECT version_id, relpath, format FROM extracted_files WHERE version_id = {literal(a)} UNION ALL "
        f"SELECT version_id, relpath, format FROM extracted_files WHERE version_id = {literal(b)}) f"
        " ON f.relpath = coalesce(d.relpath_b, d.relpath_a)"
        f" AND f.version_id = CASE WHEN d.relpath_b IS NULL THEN {literal(a)} ELSE {literal(b)} END"
        " WHERE d.change <> 'UNCHANGED'"
    )


def select_result_totals(version_ids: Sequence[str]) -> str:
    """Return the SQL of version_id, validator, results, passed, failed."""
    return " UNION ALL ".join(
        f"SELECT {literal(version_id)} AS version_id, validator, count(*) AS results,"  # noqa: S608
        " count(*) FILTER (passed) AS passed, count(*) FILTER (NOT passed) AS failed"
        f" FROM validations WHERE version_id = {literal(version_id)} GROUP BY validator"
        for version_id in version_ids
    )


def select_hotspots(key: str, version_ids: Sequence[str] | None) -> str:
    """Return the SQL of one of KEYS, files, size_bytes, failed, over some releases or (None) all of them."""
    hosts = (
        " LEFT JOIN (SELECT version_id, artifact_id, coalesce(nullif(min(regexp_extract("
        "source_url, '^[A-Za-z0-9+.-]+://([^/:?#]+)', 1)), ''), 'file') AS host FROM artifacts GROUP BY ALL)"
        " USING (version_id, artifact_id)"
    )
    return (
        f"SELECT {KEYS[key]} AS {key}, count(*) AS files, sum(size_bytes)::BIGINT AS size_bytes,"  # noqa: S608
        f" count(failing) AS failed FROM (SELECT * FROM extracted_files{_where(version_ids)})"
        f"{hosts if key == 'host' else ''}"
        " LEFT JOIN (SELECT version_id, relpath, true AS failing FROM validations"
        f"{_where(version_ids, 'NOT passed')} GROUP BY ALL) USING (version_id, relpath) GROUP BY 1"
    )


def _where(version_ids: Sequence[str] | None, *others: str) -> str:
    scope = [] if version_ids is None else [f"version_id IN ({', '.join(map(literal, version_ids)) or 'NULL'})"]
    conditions = [*scope, *others]
    return f" WHERE {' AND '.join(conditions)}" if conditions else ""


def select_copies(version_ids: Sequence[str] | None) -> str:
    """Return the SQL of contents stored more than once: file_id, size_bytes, copies, versions, relpath, format.

    relpath and format are those of the first copy by path.
    """
    # first per release: counting distinct releases per content is three times slower
    return (
        "SELECT file_id, any_value(size_bytes) AS size_bytes, sum(copies)::BIGINT AS copies, count(*) AS versions,"  # noqa: S608
        " min(relpath) AS relpath, arg_min(format, relpath) AS format FROM (SELECT version_id, file_id,"
        " any_value(size_bytes) AS size_bytes, count(*) AS copies, min(relpath) AS relpath, arg_min(format, relpath)"
        f" AS format FROM extracted_files{_where(version_ids)} GROUP BY version_id, file_id)"
        " GROUP BY file_id HAVING sum(copies) > 1"
    )


def select_shared(version_ids: Sequence[str] | None) -> str:
    """Return the SQL per release of files, size_bytes, repeated_bytes (copies inside it), shared_bytes.

    shared_bytes are those of contents that another release has too, each content once.
    """
    return (
        "WITH held AS MATERIALIZED (SELECT version_id, file_id, any_value(size_bytes) AS size, count(*) AS copies"  # noqa: S608
        f" FROM extracted_files{_where(version_ids)} GROUP BY ALL), spread AS (SELECT file_id FROM held"
        " GROUP BY file_id HAVING count(*) > 1)"
        " SELECT version_id, sum(copies)::BIGINT AS files, sum(size * copies)::BIGINT AS size_bytes,"
        " sum(size * (copies - 1))::BIGINT AS repeated_bytes,"
        " coalesce(sum(size) FILTER (s.file_id IS NOT NULL), 0)::BIGINT AS shared_bytes"
        " FROM held LEFT JOIN spread s ON s.file_id = held.file_id GROUP BY version_id"
    )
