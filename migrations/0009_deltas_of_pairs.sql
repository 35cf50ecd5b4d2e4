-- What changed between the releases of many pairs at once: one plan, however many pairs there are.
--
-- `pairs` is a list of {'a': the earlier release, 'b': the later one}; a pair that is there twice counts once. DuckDB
-- skips the row groups of releases that no pair names. The rules are those of migration 0007, pair by pair.

-- Columns: a, b, and those of version_delta_files.
CREATE MACRO version_deltas(pairs) AS TABLE
WITH pair AS MATERIALIZED (
    SELECT p.a AS a, p.b AS b, row_number() OVER () AS n FROM (SELECT DISTINCT unnest(pairs) AS p)
), matched AS MATERIALIZED (
    SELECT coalesce(x.n, y.n) AS n, coalesce(x.relpath, y.relpath) AS path, coalesce(y.file_id, x.file_id) AS id,
        CASE WHEN x.n IS NULL THEN 'ADDED' WHEN y.n IS NULL THEN 'REMOVED'
            WHEN x.file_id = y.file_id THEN 'UNCHANGED' ELSE 'MODIFIED' END AS change,
        -- of a modified file alone: whole releases have few of them and millions of the others
        CASE WHEN x.file_id <> y.file_id THEN x.file_id END AS former_id,
        x.format AS form_a, y.format AS form_b, x.size_bytes AS bytes_a, y.size_bytes AS bytes_b
    FROM (SELECT n, relpath, file_id, format, size_bytes FROM extracted_files JOIN pair ON version_id = a) x
    FULL OUTER JOIN (SELECT n, relpath, file_id, format, size_bytes FROM extracted_files JOIN pair ON version_id = b) y
        ON x.relpath = y.relpath AND x.n = y.n
), gone AS MATERIALIZED (
    SELECT n, path, id, form_a, bytes_a, parse_filename(path) AS name,
        row_number() OVER (PARTITION BY n, id, parse_filename(path) ORDER BY path) AS k
    FROM matched WHERE change = 'REMOVED'
), come AS MATERIALIZED (
    SELECT n, path, id, form_b, bytes_b, parse_filename(path) AS name,
        row_number() OVER (PARTITION BY n, id, parse_filename(path) ORDER BY path) AS k
    FROM matched WHERE change = 'ADDED'
), same_name AS MATERIALIZED (
    SELECT n, gone.path AS path_a, come.path AS path_b FROM gone JOIN come USING (n, id, name, k)
), renamed AS MATERIALIZED (
    SELECT n, path_a, path_b FROM same_name
    UNION ALL
    SELECT n, path_a, path_b
    FROM (
        SELECT n, id, path AS path_a, row_number() OVER (PARTITION BY n, id ORDER BY path) AS k
        FROM gone ANTI JOIN (SELECT n, path_a AS path FROM same_name) USING (n, path)
    ) JOIN (
        SELECT n, id, path AS path_b, row_number() OVER (PARTITION BY n, id ORDER BY path) AS k
        FROM come ANTI JOIN (SELECT n, path_b AS path FROM same_name) USING (n, path)
    ) USING (n, id, k)
), changes AS (
    SELECT n, change, path, NULL::VARCHAR AS former_path, coalesce(former_id, id) AS id_a, id AS id_b,
        form_a, form_b, bytes_a, bytes_b
    FROM matched WHERE change IN ('UNCHANGED', 'MODIFIED')
    UNION ALL
    SELECT r.n, 'RENAMED', r.path_b, r.path_a, g.id, c.id, form_a, form_b, bytes_a, bytes_b
    FROM renamed r JOIN gone g ON g.n = r.n AND g.path = r.path_a JOIN come c ON c.n = r.n AND c.path = r.path_b
    UNION ALL
    SELECT n, 'REMOVED', path, NULL, id, NULL, form_a, NULL, bytes_a, NULL
    FROM gone ANTI JOIN (SELECT n, path_a AS path FROM renamed) USING (n, path)
    UNION ALL
    SELECT n, 'ADDED', path, NULL, NULL, id, NULL, form_b, NULL, bytes_b
    FROM come ANTI JOIN (SELECT n, path_b AS path FROM renamed) USING (n, path)
)
SELECT a, b, change, path AS relpath, former_path AS previous_relpath, id_a AS file_id_a, id_b AS file_id_b,
    form_a AS format_a, form_b AS format_b, coalesce(form_b, form_a) AS format, bytes_a AS size_a, bytes_b AS size_b,
    coalesce(bytes_b, 0) - coalesce(bytes_a, 0) AS size_delta
FROM changes JOIN pair USING (n);

-- One pair, as before; the macros over it follow.
CREATE OR REPLACE MACRO version_delta_files(a, b) AS TABLE
SELECT change, relpath, previous_relpath, file_id_a, file_id_b, format_a, format_b, format, size_a, size_b, size_delta
FROM version_deltas([{'a': a, 'b': b}]);
