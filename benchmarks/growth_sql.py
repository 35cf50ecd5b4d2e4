"""Own the yardstick of the growth report: what changed from release `a` to release `b`, as one statement, frozen here.

It pairs renamed files one to one: equal content, equal base names first, the k-th by path with the k-th. It is kept as
fast as SQL gets it and does not follow the package's macros when those change.
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
