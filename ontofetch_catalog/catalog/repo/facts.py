"""The SQL of facts: what is known of the contents of files, of ontology headers, and which contents nobody holds.

A content's table of terms lies in a file whose path follows from its rows; nothing is opened here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ontofetch_hookspecs.layout import FACTS

from ..connection import fetch_number, fetch_text, literal, registered
from ..remembering import ask
from .bounds import bounds_of, has_none, worthwhile_bounds_of
from .files import few_contents
from .lines import FEW
from .lookup_keys import holding

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

_VERSION_DIGITS = 12
_FEW = 100  # names that a statement lists
SMALL = (
    "digest_kind, digest, digest_exact, triples, triples_parsed, bnodes, shared_bnodes, cyclic_bnodes, general_triples,"
    " general_digest, terms, heads"
)
HEAD = "ontology_iri, kind, version_iri, version_info, title, license, imports, statements, digest"
_HEAD = ", ".join(f"h.{name}" for name in HEAD.split(", "))
# a catalog that came from elsewhere may say anything, and a path leads into the folder of the tables; a regular
# expression, which is made for each statement, takes a fifth of the time of one about few files
TABLE_PATH = (
    "CASE WHEN table_sha256 IS NOT NULL AND length(content_id) = 64 AND ltrim(content_id, '0123456789abcdef') = '' THEN"
    f" '{FACTS}/' || content_id[1:2] || '/' || content_id || '.'"
    f" || sha256(facts_version)[1:{_VERSION_DIGITS}] || '.parquet' END"
)
# the facts of a file: those of the newest version that has some, else why there are none
_CHOSEN = """
    SELECT * FROM file_facts SEMI JOIN files USING (file_id)
    QUALIFY row_number() OVER (
        PARTITION BY file_id ORDER BY digest IS NULL, recorded_at DESC, facts_version DESC
    ) = 1
"""
_OF_RELEASES = f"""
    WITH files AS (
        SELECT version_id, relpath, file_id, format, size_bytes FROM extracted_files WHERE {{scope}}
    ), chosen AS ({_CHOSEN})
"""


def _scope(version_ids: Sequence[str] | None) -> tuple[str, dict[str, list[str]] | None]:
    """Return the condition that the rows of some releases meet, or (None) all rows, and its parameters."""
    if version_ids is None:
        return "true", None
    bounds = bounds_of(version_ids)
    if 0 < len(version_ids) <= _FEW:
        # to plan a list takes a fraction of what it takes to plan a subquery
        return f"version_id IN ({', '.join(map(literal, version_ids))}) AND {bounds}", None
    return f"version_id IN (SELECT unnest($version_ids)) AND {bounds}", {"version_ids": list(version_ids)}


def table_path(content_id: str, facts_version: str) -> str:
    """Return the root-relative path of the table of terms of a content."""
    short = hashlib.sha256(facts_version.encode()).hexdigest()[:_VERSION_DIGITS]
    return f"{FACTS}/{content_id[:2]}/{content_id}.{short}.parquet"


def facts_of(connection: duckdb.DuckDBPyConnection, version_ids: Sequence[str]) -> pa.Table:
    """Return the facts of all files of some releases, sorted by release and path; NULL where a file has none.

    Columns: version_id, relpath, file_id, format, size_bytes; content_id, facts_version, reason (why there are none),
    digest_kind, digest, digest_exact, triples, triples_parsed, bnodes, shared_bnodes, cyclic_bnodes, general_triples,
    general_digest, terms, heads; table_path, table_sha256, table_bytes; recorded_at (UTC).
    """
    scope, params = _scope(version_ids)
    return connection.sql(
        f"""
        {_OF_RELEASES.format(scope=scope)}
        SELECT f.*, c.content_id, c.facts_version, c.reason, {SMALL}, {TABLE_PATH} AS table_path, c.table_sha256,
            c.table_bytes, c.recorded_at
        FROM files f LEFT JOIN chosen c USING (file_id) ORDER BY f.version_id, f.relpath
        """,
        params=params,
    ).to_arrow_table()


def missing_facts(connection: duckdb.DuckDBPyConnection, formats: Sequence[str], most_bytes: int) -> pa.Table:
    """Return one row about the contents without facts: contents, failed, reason, too_large.

    Args:
        formats: The formats that count.
        most_bytes: A content for whose lack no reason is recorded is too large where it has more.
    """
    return connection.sql(
        """
        WITH known AS (
            SELECT file_id, bool_or(digest IS NOT NULL) AS told, any_value(reason) AS reason
            FROM file_facts GROUP BY file_id
        ), missing AS (
            SELECT reason, size_bytes > $most AND reason IS NULL AS large FROM (
                SELECT DISTINCT file_id, size_bytes FROM extracted_files WHERE format IN (SELECT unnest($formats))
            ) LEFT JOIN known USING (file_id) WHERE told IS NOT TRUE
        )
        SELECT count(*) AS contents, count(reason) AS failed, coalesce(mode(reason), '') AS reason,
            count(*) FILTER (large) AS too_large FROM missing
        """,
        params={"most": most_bytes, "formats": list(formats)},
    ).to_arrow_table()


def tabled_facts_of(connection: duckdb.DuckDBPyConnection, version_ids: Sequence[str]) -> pa.Table:
    """Return what `facts_of` does, of those files alone of which a table of terms is recorded.

    Whatever releases hold besides is neither kept nor returned.
    """
    scope, params = _scope(version_ids)
    within = worthwhile_bounds_of(connection, version_ids)
    return connection.sql(
        f"""
        WITH chosen AS (
            SELECT * FROM file_facts
            QUALIFY row_number() OVER (
                PARTITION BY file_id ORDER BY digest IS NULL, recorded_at DESC, facts_version DESC
            ) = 1
        ), tabled AS MATERIALIZED (SELECT *, {TABLE_PATH} AS table_path FROM chosen WHERE table_path IS NOT NULL),
        files AS MATERIALIZED (
            SELECT version_id, relpath, file_id, format, size_bytes FROM {holding("tabled", within)}
        )
        SELECT f.version_id, f.relpath, f.file_id, f.format, f.size_bytes, c.content_id, c.facts_version, c.reason,
            {SMALL}, c.table_path, c.table_sha256, c.table_bytes, c.recorded_at
        FROM files f JOIN tabled c USING (file_id) WHERE {scope}
        ORDER BY f.version_id, f.relpath
        """,
        params=params,
    ).to_arrow_table()


def releases_with_facts(connection: duckdb.DuckDBPyConnection, version_ids: Sequence[str]) -> list[str]:
    """Return those of some releases that have a file of which it is known what it says."""
    scope, params = _scope(version_ids)
    within = worthwhile_bounds_of(connection, version_ids)
    found: list[str] = (
        connection.sql(
            f"""
        WITH told AS MATERIALIZED (
            SELECT DISTINCT version_id
            FROM {holding("(SELECT file_id FROM file_facts WHERE digest IS NOT NULL)", within)}
        )
        SELECT version_id FROM told WHERE {scope} ORDER BY version_id
        """,
            params=params,
        )
        .to_arrow_table()["version_id"]
        .to_pylist()
    )
    return found


def heads_of(connection: duckdb.DuckDBPyConnection, version_ids: Sequence[str] | None) -> pa.Table:
    """Return the ontology headers of all files of some releases, or (None) of all, sorted by release, path, position.

    Columns: version_id, relpath, file_id, content_id, facts_version, position, and what `ontology_heads` says. They are
    of the same version as `facts_of` returns.
    """
    scope, params = _scope(version_ids)
    within = "true" if version_ids is None else worthwhile_bounds_of(connection, version_ids)
    # from those contents that have a header: of all files of all releases nothing but a column is looked at
    return connection.sql(
        f"""
        WITH headed AS (SELECT file_id FROM file_facts SEMI JOIN ontology_heads USING (content_id, facts_version)),
        files AS MATERIALIZED (
            SELECT version_id, relpath, file_id FROM {holding("headed", within)}
        ), chosen AS ({_CHOSEN})
        SELECT f.version_id, f.relpath, f.file_id, content_id, facts_version, h.position, {_HEAD}
        FROM files f JOIN chosen c USING (file_id) JOIN ontology_heads h USING (content_id, facts_version)
        WHERE {scope} ORDER BY f.version_id, f.relpath, h.position
        """,
        params=params,
    ).to_arrow_table()


def heads_among(connection: duckdb.DuckDBPyConnection, known: pa.Table) -> pa.Table:
    """Return the ontology headers of some files, sorted and with columns as in `heads_of`.

    Args:
        known: version_id, relpath, file_id, content_id, facts_version, as `facts_of` has them.
    """
    sql = """
        SELECT k.version_id, k.relpath, k.file_id, content_id, facts_version, h.position, {head}
        FROM {known} k JOIN ontology_heads h USING (content_id, facts_version)
        ORDER BY k.version_id, k.relpath, h.position
    """
    if 0 < len(known) <= FEW:
        # a few as text take less time than to make a table known and to forget it
        rows = (map(literal, row.values()) for row in known.drop_null().to_pylist())
        listed = ", ".join(f"({', '.join(row)})" for row in rows)
        if listed:
            given = f"(VALUES {listed}) t({', '.join(known.column_names)})"
            return connection.sql(sql.format(head=_HEAD, known=f"(FROM {given})")).to_arrow_table()
    with registered(connection, known=known):
        return connection.sql(sql.format(head=_HEAD, known="known")).to_arrow_table()


def known_facts(
    connection: duckdb.DuckDBPyConnection, file_ids: Sequence[str], facts_versions: Sequence[str]
) -> pa.Table:
    """Return which of these contents have facts of one of the versions, or a reason why there are none.

    Columns: file_id, facts_version, content_id, reason, table_path, table_sha256, table_bytes; sorted.
    """
    import pyarrow as pa

    if has_none(connection, "file_facts", file_ids):
        texts = ("file_id", "facts_version", "content_id", "reason", "table_path", "table_sha256")
        return pa.schema([*((name, pa.string()) for name in texts), ("table_bytes", pa.int64())]).empty_table()
    with registered(connection, given_ids=pa.table({"file_id": pa.array(list(file_ids), pa.string())})):
        return connection.sql(
            f"""
            SELECT file_id, facts_version, content_id, reason, {TABLE_PATH} AS table_path, table_sha256, table_bytes
            FROM file_facts SEMI JOIN given_ids USING (file_id)
            WHERE facts_version IN (SELECT unnest($versions)) ORDER BY file_id, facts_version
            """,
            params={"versions": list(facts_versions)},
        ).to_arrow_table()


def are_unknown(connection: duckdb.DuckDBPyConnection, facts: pa.Table) -> bool:
    """Say whether for certain nothing is recorded of some contents and files; with content_id and file_id.

    Of many that is not asked: of most of them there is something.
    """
    ids = [set(facts[name].to_pylist()) for name in ("file_id", "content_id")]
    if not len(facts) or len(facts) > FEW or None in ids[1]:
        return not len(facts)
    files, contents = (", ".join(map(literal, sorted(each))) for each in ids)
    found = ask(
        connection,
        f"SELECT 1 FROM file_facts WHERE file_id IN ({files}) OR content_id IN ({contents})"
        f" UNION ALL SELECT 1 FROM ontology_heads WHERE content_id IN ({contents}) LIMIT 1",
        of=("file_facts", "ontology_heads"),
    )
    return not found


def tables_of(connection: duckdb.DuckDBPyConnection, facts: pa.Table) -> pa.Table:
    """Return the recorded tables of terms of some contents: table_path, table_sha256, table_bytes, each once.

    Args:
        facts: With content_id and facts_version.
    """
    with registered(connection, given_facts=facts):
        return connection.sql(f"""
            SELECT DISTINCT {TABLE_PATH} AS table_path, table_sha256, table_bytes
            FROM file_facts SEMI JOIN given_facts USING (content_id, facts_version)
            WHERE table_sha256 IS NOT NULL ORDER BY table_path
        """).to_arrow_table()


def find_foreign(connection: duckdb.DuckDBPyConnection, version_id: str, facts: pa.Table) -> str | None:
    """Return a file_id of some facts that no recorded file of a release has; None if all are its own."""
    if (known := few_contents(connection, version_id)) is not None:
        return min(set(facts["file_id"].to_pylist()).difference(known.values()), default=None)
    with registered(connection, given_facts=facts):
        return fetch_text(
            connection,
            "SELECT file_id FROM given_facts ANTI JOIN (SELECT file_id FROM extracted_files WHERE version_id = ?)"
            " USING (file_id) ORDER BY file_id LIMIT 1",
            [version_id],
        )


def count_new(connection: duckdb.DuckDBPyConnection, facts: pa.Table) -> int:
    """Return how many of some facts (FACTS_COLUMNS) are not recorded: other contents, or for another reason none."""
    with registered(connection, given_facts=facts):
        return fetch_number(
            connection,
            "SELECT count(*) FROM (SELECT *, coalesce(reason, '') AS why FROM given_facts) ANTI JOIN"
            " (SELECT *, coalesce(reason, '') AS why FROM file_facts) USING (file_id, content_id, facts_version, why)",
        )
