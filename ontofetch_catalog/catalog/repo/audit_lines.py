"""The SQL of the lines of the extract audit of a release, all files in order at once or some at a time.

Where they are written, and what they are held against, is not known here.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING

from ..connection import literal, registered
from .files import count_files
from .lines import FEW, text_of

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

_AUDIT_LINE = """concat('{{"version_id":"', {version}, '","relpath":"',
    replace(replace(relpath, chr(92), '\\\\'), '"', '\\"'), '","file_id":"', file_id, '","artifact_id":"', artifact_id,
    '","format":"', format, '","size_bytes":', size_bytes, ',"mtime":"', replace(mtime::VARCHAR, ' ', 'T'),
    'Z","strip":', strip, '}}', chr(10))"""
# of artifacts of which something was left out, or is odd: behind all files, without a path
_REMARKS_LINE = """concat('{{"version_id":"', version_id, '","artifact_id":"', artifact_id, '","remarks":',
    (extraction->'remarks')::VARCHAR, '}}', chr(10))"""
_IN_PART, _SAMPLED = 50_000, 10_000  # files that are put in order at a time; paths by which they are divided


def audit_lines(
    connection: duckdb.DuckDBPyConnection,
    version_id: str,
    given: tuple[pa.Table, str, int] | None = None,
    *,
    has_remarks: bool = True,
) -> Generator[memoryview, None, None]:
    """Yield the lines of the extract audit of a release, as bytes of many lines.

    Files come first, sorted by path, then the remarks on its artifacts.

    Who does not take them all closes it: until then its result stays open.

    Args:
        given: (files, artifact_id, strip), if these sorted files are all the release has; they are not sorted again.
        has_remarks: Whether there may be a remark on one of its artifacts.
    """
    line = _AUDIT_LINE.format(version=literal(version_id))
    if given is not None:
        files, artifact_id, strip = given
        with registered(connection, given_files=files):
            yield from text_of(
                connection,
                f"SELECT {line} AS line FROM (SELECT *, {literal(artifact_id)} AS artifact_id, {strip:d} AS strip"
                " FROM given_files)",
                few=len(files) <= FEW,
            )
    else:
        yield from _file_lines(connection, version_id, "true")
    if has_remarks:
        yield from _remark_lines(connection, version_id)


def audit_lines_in_parts(connection: duckdb.DuckDBPyConnection, version_id: str) -> Generator[memoryview, None, None]:
    """Yield what `audit_lines` does of a release of very many files, some of which are put in order at a time."""
    files = f"(SELECT relpath FROM extracted_files WHERE version_id = {literal(version_id)})"
    sampled = connection.execute(f"SELECT relpath FROM {files} USING SAMPLE {_SAMPLED} ROWS").fetchall()
    # wherever the bounds are, each file is within two of them
    paths = sorted(str(path) for (path,) in sampled)
    step = max(len(paths) * _IN_PART // max(count_files(connection, version_id), 1), 1)
    bounds = sorted(set(paths[step::step]))
    for first, last in zip([None, *bounds], [*bounds, None], strict=True):
        conditions = [f"f.relpath >= {literal(first)}"] if first is not None else []
        conditions += [f"f.relpath < {literal(last)}"] if last is not None else []
        yield from _file_lines(connection, version_id, " AND ".join(conditions) or "true")
    yield from _remark_lines(connection, version_id)


def audit_digests(connection: duckdb.DuckDBPyConnection, version_ids: Sequence[str]) -> dict[str, str]:
    """Return the sha256 of what `audit_lines` yields for each of some releases of few files; without lines, none."""
    rows = connection.execute(
        f"""
        WITH asked AS (SELECT unnest(?) AS version_id)
        SELECT version_id, sha256(string_agg(line, '' ORDER BY part, relpath)) FROM (
            SELECT version_id, 0 AS part, relpath, {_AUDIT_LINE.format(version="version_id")} AS line FROM (
                SELECT f.*, coalesce(a.strip, 0) AS strip FROM extracted_files f SEMI JOIN asked USING (version_id)
                LEFT JOIN (
                    SELECT version_id, artifact_id, any_value((extraction->>'strip')::INTEGER) AS strip
                    FROM artifacts SEMI JOIN asked USING (version_id) GROUP BY ALL
                ) a USING (version_id, artifact_id)
            )
            UNION ALL
            SELECT version_id, 1, relpath, {_REMARKS_LINE.format()} FROM artifacts SEMI JOIN asked USING (version_id)
            WHERE json_array_length(extraction->'remarks') > 0
        ) GROUP BY version_id
        """,
        [list(version_ids)],
    ).fetchall()
    return dict(rows)


def count_lines(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Return how many lines both audits of each release have, but for remarks; those that have none are left out."""
    rows = connection.execute(
        "SELECT version_id, count(*) FROM (SELECT version_id FROM extracted_files UNION ALL SELECT version_id FROM"
        " validations) GROUP BY version_id"
    ).fetchall()
    return dict(rows)


def _file_lines(
    connection: duckdb.DuckDBPyConnection, version_id: str, condition: str
) -> Generator[memoryview, None, None]:
    yield from text_of(
        connection,
        f"""
        SELECT {_AUDIT_LINE.format(version=literal(version_id))} AS line FROM (
            SELECT f.*, coalesce(a.strip, 0) AS strip FROM extracted_files f
            LEFT JOIN (
                SELECT artifact_id, any_value((extraction->>'strip')::INTEGER) AS strip FROM artifacts
                WHERE version_id = {literal(version_id)} GROUP BY artifact_id
            ) a ON a.artifact_id = f.artifact_id
            WHERE f.version_id = {literal(version_id)} AND {condition} ORDER BY f.relpath
        )""",
    )


def _remark_lines(connection: duckdb.DuckDBPyConnection, version_id: str) -> Generator[memoryview, None, None]:
    yield from text_of(
        connection,
        f"SELECT {_REMARKS_LINE.format()} AS line FROM artifacts WHERE version_id = {literal(version_id)}"
        " AND json_array_length(extraction->'remarks') > 0 ORDER BY relpath",
    )
