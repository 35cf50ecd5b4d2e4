"""Hold the yardsticks of the growth report, frozen: one statement for two releases `a` and `b`, one for a series.

They pair renamed files one to one: equal content, equal base names first, the k-th by path with the k-th. They are
kept as fast as SQL gets them and do not follow the package's macros when those change.
"""

from __future__ import annotations

GROWTH = """
WITH differing AS MATERIALIZED (
    SELECT x.relpath AS path_a, y.relpath AS path_b, x.file_id AS id_a, y.file_id AS id_b,
        coalesce(y.format, x.format) AS format, x.size_bytes AS size_a, y.size_bytes AS size_b
    FROM (SELECT relpath, file_id, format, size_bytes FROM extracted_files WHERE version_id = '{a}') x
    FULL JOIN (SELECT relpath, file_id, format, size_bytes FROM extracted_files WHERE version_id = '{b}') y
        ON x.relpath = y.relpath
    WHERE x.file_id IS DISTINCT FROM y.file_id
), gone AS MATERIALIZED (
    SELECT path_a, id_a, format, size_a, parse_filename(path_a) AS name,
        row_number() OVER (PARTITION BY id_a, parse_filename(path_a) ORDER BY path_a) AS k
    FROM differing WHERE path_b IS NULL
), come AS MATERIALIZED (
    SELECT path_b, id_b, format, size_b, parse_filename(path_b) AS name,
        row_number() OVER (PARTITION BY id_b, parse_filename(path_b) ORDER BY path_b) AS k
    FROM differing WHERE path_a IS NULL
), named AS MATERIALIZED (
    SELECT path_a, path_b FROM gone JOIN come ON id_a = id_b AND gone.name = come.name AND gone.k = come.k
), pairs AS MATERIALIZED (
    SELECT path_a, path_b FROM named
    UNION ALL
    SELECT path_a, path_b FROM (
        SELECT path_a, id_a, row_number() OVER (PARTITION BY id_a ORDER BY path_a) AS n
        FROM gone ANTI JOIN named USING (path_a)
    ) l JOIN (
        SELECT path_b, id_b, row_number() OVER (PARTITION BY id_b ORDER BY path_b) AS n
        FROM come ANTI JOIN named USING (path_b)
    ) m ON id_a = id_b AND l.n = m.n
)
SELECT 'MODIFIED' AS change, path_b AS relpath, NULL AS previous_relpath, format, size_a, size_b,
    size_b - size_a AS size_delta
FROM differing WHERE path_a IS NOT NULL AND path_b IS NOT NULL
UNION ALL
SELECT 'RENAMED', path_b, path_a, format, size_b, size_b, 0 FROM come JOIN pairs USING (path_b)
UNION ALL
SELECT 'REMOVED', path_a, NULL, format, size_a, NULL, -size_a FROM gone ANTI JOIN pairs USING (path_a)
UNION ALL
SELECT 'ADDED', path_b, NULL, format, NULL, size_b, size_b FROM come ANTI JOIN pairs USING (path_b)
"""

# what changed from release to release of a series, and what each holds; the series is in the order of its recording
SERIES = """
WITH ordered AS (
    SELECT version_id, created_at, lag(version_id) OVER (ORDER BY created_at) AS previous,
        row_number() OVER (ORDER BY created_at) AS n
    FROM versions WHERE service || '/' || ontology = '{slot}'
), held AS (
    SELECT version_id, count(*) AS files, sum(size_bytes)::BIGINT AS size_bytes
    FROM extracted_files SEMI JOIN ordered USING (version_id) GROUP BY version_id
), differing AS MATERIALIZED (
    SELECT coalesce(x.n, y.n) AS n, x.relpath AS path_a, y.relpath AS path_b, x.file_id AS id_a, y.file_id AS id_b,
        x.size_bytes AS size_a, y.size_bytes AS size_b
    FROM (
        SELECT o.n, f.relpath, f.file_id, f.size_bytes
        FROM extracted_files f JOIN ordered o ON o.previous = f.version_id
    ) x
    FULL JOIN (
        SELECT o.n, f.relpath, f.file_id, f.size_bytes FROM extracted_files f JOIN ordered o USING (version_id)
        WHERE o.previous IS NOT NULL
    ) y ON x.relpath = y.relpath AND x.n = y.n
    WHERE x.file_id IS DISTINCT FROM y.file_id
), gone AS MATERIALIZED (
    SELECT n, path_a, id_a, size_a, parse_filename(path_a) AS name,
        row_number() OVER (PARTITION BY n, id_a, parse_filename(path_a) ORDER BY path_a) AS k
    FROM differing WHERE path_b IS NULL
), come AS MATERIALIZED (
    SELECT n, path_b, id_b, size_b, parse_filename(path_b) AS name,
        row_number() OVER (PARTITION BY n, id_b, parse_filename(path_b) ORDER BY path_b) AS k
    FROM differing WHERE path_a IS NULL
), named AS MATERIALIZED (
    SELECT gone.n, path_a, path_b FROM gone
    JOIN come ON gone.n = come.n AND id_a = id_b AND gone.name = come.name AND gone.k = come.k
), pairs AS MATERIALIZED (
    SELECT n, path_a, path_b FROM named
    UNION ALL
    SELECT l.n, path_a, path_b FROM (
        SELECT n, path_a, id_a, row_number() OVER (PARTITION BY n, id_a ORDER BY path_a) AS k
        FROM gone ANTI JOIN named USING (n, path_a)
    ) l JOIN (
        SELECT n, path_b, id_b, row_number() OVER (PARTITION BY n, id_b ORDER BY path_b) AS k
        FROM come ANTI JOIN named USING (n, path_b)
    ) m ON l.n = m.n AND id_a = id_b AND l.k = m.k
), changes AS (
    SELECT n, 'MODIFIED' AS change, size_a, size_b FROM differing WHERE path_a IS NOT NULL AND path_b IS NOT NULL
    UNION ALL SELECT n, 'RENAMED', size_b, size_b FROM come JOIN pairs USING (n, path_b)
    UNION ALL SELECT n, 'REMOVED', size_a, NULL FROM gone ANTI JOIN pairs USING (n, path_a)
    UNION ALL SELECT n, 'ADDED', NULL, size_b FROM come ANTI JOIN pairs USING (n, path_b)
), sums AS (
    SELECT n, count(*) FILTER (change = 'ADDED') AS added, count(*) FILTER (change = 'REMOVED') AS removed,
        count(*) FILTER (change = 'MODIFIED') AS modified, count(*) FILTER (change = 'RENAMED') AS renamed,
        coalesce(sum(size_b) FILTER (change = 'ADDED'), 0)::BIGINT AS added_bytes,
        coalesce(sum(size_a) FILTER (change = 'REMOVED'), 0)::BIGINT AS removed_bytes,
        coalesce(sum(size_b - size_a) FILTER (change = 'MODIFIED'), 0)::BIGINT AS modified_delta_bytes,
        coalesce(sum(size_b) FILTER (change = 'MODIFIED'), 0)::BIGINT AS churn_bytes
    FROM changes GROUP BY n
), filled AS (
    SELECT o.n, o.version_id, o.created_at, coalesce(h.files, 0) AS files, coalesce(h.size_bytes, 0) AS size_bytes,
        COLUMNS(s.* EXCLUDE (n)) FROM ordered o
    LEFT JOIN held h USING (version_id)
    LEFT JOIN (
        SELECT o.n, coalesce(COLUMNS(s.* EXCLUDE (n)), 0) FROM ordered o LEFT JOIN sums s USING (n)
        WHERE o.previous IS NOT NULL
    ) s ON s.n = o.n
)
SELECT version_id, created_at AS release_time, files, size_bytes, added, removed, modified, renamed, added_bytes,
    removed_bytes, modified_delta_bytes, added_bytes - removed_bytes + modified_delta_bytes AS net_bytes, churn_bytes,
    files - added - modified - renamed AS unchanged
FROM filled ORDER BY n
"""
