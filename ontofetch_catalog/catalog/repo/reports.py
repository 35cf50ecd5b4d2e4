"""Hold the SQL of the reports: narrow reads over releases, their files, and what changed between pairs of them.

Every function returns one statement whose plan is the same however many releases it is about. They are given as a
table and by the bounds between which they are, so that DuckDB skips the row groups of most others.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import field
from typing import TYPE_CHECKING

from ontofetch_hookspecs.light_dataclasses import dataclass

from ..connection import literal, registered
from .bounds import bounds_of
from .definitions import deltas_of
from .stats import INCOMPLETE
from .views import SERIES_ORDER

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
REASON = (
    "CASE WHEN NOT passed THEN regexp_extract(coalesce(details->>'error', ''), '[^\\r\\n]*')"
    " WHEN passed IS NULL THEN regexp_extract(coalesce(details->>'not_judged', ''), '[^\\r\\n]*') END AS reason,"
    " try_cast(details->>'line' AS BIGINT) AS line, try_cast(details->>'column' AS BIGINT) AS \"column\""
)
_ROWS = {
    "files": "extracted_files",
    "validations": f"(SELECT * EXCLUDE (details), {REASON} FROM validations)",
    "events": "(SELECT * REPLACE (payload::VARCHAR AS payload) FROM events)",
}


@dataclass(frozen=True, slots=True)
class Statement:
    """One SELECT, and the tables that it names besides those of the catalog: name → column → values."""

    sql: str
    tables: Mapping[str, Mapping[str, Sequence[str]]] = field(default_factory=dict)

    @contextmanager
    def given(self, connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
        """Let a connection know the tables."""
        import pyarrow as pa

        tables = {
            name: pa.table({key: pa.array(values, pa.string()) for key, values in columns.items()})
            for name, columns in self.tables.items()
        }
        with registered(connection, **tables):
            yield


def read(connection: duckdb.DuckDBPyConnection, statement: Statement) -> pa.Table:
    """Return the rows of one of the statements of this module."""
    with statement.given(connection):
        return connection.sql(statement.sql).to_arrow_table()


def of_releases(sql: str, version_ids: Sequence[str] | None) -> Statement:
    """Return a statement about some releases, or (None) about all; `sql` has `{scope}` for a condition on its rows."""
    if version_ids is None:
        return Statement(sql.format(scope="true"))
    scope = f"version_id IN (SELECT version_id FROM given_releases) AND {bounds_of(version_ids)}"
    return Statement(sql.format(scope=scope), {"given_releases": {"version_id": version_ids}})


def of_pairs(sql: str, pairs: Sequence[tuple[str, str]]) -> Statement:
    """Return a statement about what changed between releases; `sql` has `{deltas}` for version_deltas."""
    bounds = bounds_of(a for a, _ in pairs), bounds_of(b for _, b in pairs)
    deltas = deltas_of("given_pairs", bounds)
    columns = {"a": [a for a, _ in pairs], "b": [b for _, b in pairs]}
    return Statement(sql.format(deltas=deltas), {"given_pairs": columns})


def _named(columns: Sequence[str]) -> str:
    # `column` is a word of SQL
    return ", ".join('"column"' if name == "column" else name for name in columns)


def _limit(most: int | None) -> str:
    return "" if most is None else f" LIMIT {most}"


def select_rows(
    table: str, columns: Sequence[str], version_id: str | None = None, most: int | None = None
) -> Statement:
    """Return the SQL of rows of `files`, `validations` or `events`, in no particular order.

    Args:
        table: One of the three.
        columns: Those that are read; `reason` of validations is the first line of why a file failed or was not judged.
        version_id: Only of this release; None for all.
        most: So many rows at most.
    """
    where = "" if version_id is None else f" WHERE version_id = {literal(version_id)}"
    return Statement(f"SELECT {_named(columns)} FROM {_ROWS[table]}{where}{_limit(most)}")


_INCOMPLETE = f"version_id IN ({INCOMPLETE}) AS incomplete"


def select_versions(more: Sequence[str] = ()) -> Statement:
    """Return the SQL of all releases: version_id, slot, previous_version_id, `more` of them.

    `more` are is_latest, incomplete (an artifact was never unpacked), and columns of versions.

    Each series in its order.
    """
    columns = "".join(f", {_INCOMPLETE if name == 'incomplete' else name}" for name in more)
    join = " JOIN versions USING (version_id)" if set(more) - {"is_latest", "incomplete"} else ""
    return Statement(
        f"SELECT version_id, slot, previous_version_id{columns} FROM {SERIES_ORDER}{join} ORDER BY slot, position"
    )


def select_files(version_ids: Sequence[str]) -> Statement:
    """Return the SQL of files: version_id, relpath, format, size_bytes, verified_at, passed, not_judged.

    `passed` is whether those validators that judged the file passed it, null where none did; `not_judged` is whether
    some looked at it and none judged it, null where none looked.
    """
    return of_releases(
        "SELECT version_id, relpath, format, size_bytes, verified_at, passed, not_judged"
        " FROM (SELECT * FROM extracted_files WHERE {scope})"
        " LEFT JOIN (SELECT version_id, relpath, bool_and(passed) AS passed, count(passed) = 0 AS not_judged"
        " FROM validations WHERE {scope} GROUP BY ALL) USING (version_id, relpath)",
        version_ids,
    )


def select_changes(
    pairs: Sequence[tuple[str, str]], columns: Sequence[str], *, unchanged: bool = False, most: int | None = None
) -> Statement:
    """Return the SQL of what changed from A to B, for each pair: version_id (B) and columns of version_delta_files."""
    chosen = ", ".join("b AS version_id" if name == "version_id" else name for name in columns)
    where = "" if unchanged else " WHERE change <> 'UNCHANGED'"
    return of_pairs(f"SELECT {chosen} FROM {{deltas}}{where}{_limit(most)}", pairs)


def select_change_sums(pairs: Sequence[tuple[str, str]]) -> Statement:
    """Return the SQL of sums of what changed, a row per pair with a change.

    version_id (B), added, removed, modified, renamed, added_bytes, removed_bytes, modified_delta_bytes, churn_bytes.
    """
    return of_pairs(
        "SELECT b AS version_id, count(*) FILTER (change = 'ADDED') AS added,"
        " count(*) FILTER (change = 'REMOVED') AS removed, count(*) FILTER (change = 'MODIFIED') AS modified,"
        " count(*) FILTER (change = 'RENAMED') AS renamed,"
        " coalesce(sum(size_b) FILTER (change = 'ADDED'), 0)::BIGINT AS added_bytes,"
        " coalesce(sum(size_a) FILTER (change = 'REMOVED'), 0)::BIGINT AS removed_bytes,"
        " coalesce(sum(size_delta) FILTER (change = 'MODIFIED'), 0)::BIGINT AS modified_delta_bytes,"
        " coalesce(sum(size_b) FILTER (change = 'MODIFIED'), 0)::BIGINT AS churn_bytes"
        " FROM {deltas} WHERE change <> 'UNCHANGED' GROUP BY b",
        pairs,
    )


def select_totals(key: str, version_ids: Sequence[str]) -> Statement:
    """Return the SQL of totals of some releases by one of KEYS: version_id, the key, files, size_bytes."""
    return of_releases(
        f"SELECT version_id, {KEYS[key]} AS {key}, count(*) AS files, sum(size_bytes)::BIGINT AS size_bytes"
        " FROM extracted_files WHERE {scope} GROUP BY ALL",
        version_ids,
    )


def select_any_facts() -> Statement:
    """Return the SQL of one row if anything is known of what files say, of none otherwise."""
    return Statement("SELECT file_id FROM file_facts WHERE digest IS NOT NULL LIMIT 1")


def select_file_count(version_id: str) -> Statement:
    """Return the SQL of the number of files of a release: files."""
    return of_releases("SELECT count(*) AS files FROM extracted_files WHERE {scope}", [version_id])


def select_file_counts(version_ids: Sequence[str] | None) -> Statement:
    """Return the SQL of the number of files of each of some releases, or (None) of all, that has any.

    version_id, files.
    """
    return of_releases(
        "SELECT version_id, count(*) AS files FROM extracted_files WHERE {scope} GROUP BY ALL", version_ids
    )


def select_results(version_id: str, columns: Sequence[str]) -> Statement:
    """Return the SQL of results: `format`, columns of validations, `reason`, `line`, `column`.

    `reason` is the first line of why a file failed or was not judged, null where it passed; the others say where.
    """
    return of_releases(
        f"SELECT {_named(columns)} FROM (SELECT *, {REASON} FROM validations WHERE {{scope}})"
        " JOIN (SELECT relpath, format FROM extracted_files WHERE {scope}) USING (relpath)",
        [version_id],
    )


def select_result_changes(a: str, b: str) -> Statement:
    """Return the SQL of results that became others from A to B: change, validator, relpath, previous_relpath, format.

    relpath and format are those in B, of a removed result those in A; previous_relpath is the path in A if it differs.
    """
    return of_releases(
        "SELECT d.change, d.validator, f.relpath, nullif(d.relpath_a, f.relpath) AS previous_relpath, f.format"
        f" FROM version_validation_delta({literal(a)}, {literal(b)}) d"
        " JOIN (SELECT version_id, relpath, format FROM extracted_files WHERE {scope}) f"
        " ON f.relpath = coalesce(d.relpath_b, d.relpath_a)"
        f" AND f.version_id = CASE WHEN d.relpath_b IS NULL THEN {literal(a)} ELSE {literal(b)} END"
        " WHERE d.change <> 'UNCHANGED'",
        [a, b],
    )


def select_result_totals(version_ids: Sequence[str]) -> Statement:
    """Return the SQL of version_id, validator, results, passed, failed, not_judged."""
    return of_releases(
        "SELECT version_id, validator, count(*) AS results, count(*) FILTER (passed) AS passed,"
        " count(*) FILTER (NOT passed) AS failed, count(*) FILTER (passed IS NULL) AS not_judged"
        " FROM validations WHERE {scope} GROUP BY ALL",
        version_ids,
    )


def select_hotspots(key: str, version_ids: Sequence[str] | None) -> Statement:
    """Return the SQL of one of KEYS, files, size_bytes, failed, over some releases or (None) all of them."""
    hosts = (
        " LEFT JOIN (SELECT version_id, artifact_id, coalesce(nullif(min(regexp_extract("
        "source_url, '^[A-Za-z0-9+.-]+://([^/:?#]+)', 1)), ''), 'file') AS host FROM artifacts GROUP BY ALL)"
        " USING (version_id, artifact_id)"
    )
    return of_releases(
        f"SELECT {KEYS[key]} AS {key}, count(*) AS files, sum(size_bytes)::BIGINT AS size_bytes,"
        " count(failing) AS failed FROM (SELECT * FROM extracted_files WHERE {scope})"
        f"{hosts if key == 'host' else ''}"
        " LEFT JOIN (SELECT version_id, relpath, true AS failing FROM validations"
        " WHERE {scope} AND NOT passed GROUP BY ALL) USING (version_id, relpath) GROUP BY 1",
        version_ids,
    )


def select_all_files() -> Statement:
    """Return the SQL of how many files are recorded, which DuckDB knows without a look at them: files."""
    return Statement("SELECT count(*) AS files FROM extracted_files")
