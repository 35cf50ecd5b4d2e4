-- The macro of migration 0009 with less to number: only what has a content that came and went can be renamed.
--
-- Columns and rules are the same: a content's files of both sides are numbered within it, so leaving out other contents
-- changes no number.
CREATE OR REPLACE MACRO version_deltas(pairs) AS TABLE
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
    SELECT n, path, id, form_a, bytes_a, name, row_number() OVER (PARTITION BY n, id, name ORDER BY path) AS k
    FROM (SELECT n, path, id, form_a, bytes_a, parse_filename(path) AS name FROM matched WHERE change = 'REMOVED')
    SEMI JOIN (SELECT n, id FROM matched WHERE change = 'ADDED') USING (n, id)
), come AS MATERIALIZED (
    SELECT n, path, id, form_b, bytes_b, name, row_number() OVER (PARTITION BY n, id, name ORDER BY path) AS k
    FROM (SELECT n, path, id, form_b, bytes_b, parse_filename(path) AS name FROM matched WHERE change = 'ADDED')
    SEMI JOIN (SELECT n, id FROM gone) USING (n, id)
), same_name AS MATERIALIZED (
    SELECT n, id, gone.path AS path_a, come.path AS path_b, form_a, form_b, bytes_a, bytes_b
    FROM gone JOIN come USING (n, id, name, k)
), renamed AS MATERIALIZED (
    SELECT n, id, path_a, path_b, form_a, form_b, bytes_a, bytes_b FROM same_name
    UNION ALL
    SELECT n, id, path_a, path_b, form_a, form_b, bytes_a, bytes_b
    FROM (
        SELECT n, id, path AS path_a, form_a, bytes_a, row_number() OVER (PARTITION BY n, id ORDER BY path) AS k
        FROM gone ANTI JOIN (SELECT n, path_a AS path FROM same_name) USING (n, path)
    ) JOIN (
        SELECT n, id, path AS path_b, form_b, bytes_b, row_number() OVER (PARTITION BY n, id ORDER BY path) AS k
        FROM come ANTI JOIN (SELECT n, path_b AS path FROM same_name) USING (n, path)
    ) USING (n, id, k)
), changes AS (
    SELECT n, change, path, NULL::VARCHAR AS former_path, coalesce(former_id, id) AS id_a, id AS id_b,
        form_a, form_b, bytes_a, bytes_b
    FROM matched WHERE change IN ('UNCHANGED', 'MODIFIED')
    UNION ALL
    SELECT n, 'RENAMED', path_b, path_a, id, id, form_a, form_b, bytes_a, bytes_b FROM renamed
    UNION ALL
    SELECT n, 'REMOVED', path, NULL, id, NULL, form_a, NULL, bytes_a, NULL
    FROM (SELECT n, path, id, form_a, bytes_a FROM matched WHERE change = 'REMOVED')
    ANTI JOIN (SELECT n, path_a AS path FROM renamed) USING (n, path)
    UNION ALL
    SELECT n, 'ADDED', path, NULL, NULL, id, NULL, form_b, NULL, bytes_b
    FROM (SELECT n, path, id, form_b, bytes_b FROM matched WHERE change = 'ADDED')
    ANTI JOIN (SELECT n, path_b AS path FROM renamed) USING (n, path)
)
SELECT a, b, change, path AS relpath, former_path AS previous_relpath, id_a AS file_id_a, id_b AS file_id_b,
    form_a AS format_a, form_b AS format_b, coalesce(form_b, form_a) AS format, bytes_a AS size_a, bytes_b AS size_b,
    coalesce(bytes_b, 0) - coalesce(bytes_a, 0) AS size_delta
FROM changes JOIN pair USING (n);
