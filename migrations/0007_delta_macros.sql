-- What changed between two releases. Give the releases as constants, so that DuckDB skips the row groups of the others.
--
-- Among the paths only in A and the paths only in B, files of equal content are paired one to one: first those of equal
-- base name, the k-th by path with the k-th, then what is left of that content, again the k-th with the k-th. A pair is
-- RENAMED; what is left over stays ADDED or REMOVED. For every pair of releases:
--   files(A) = unchanged + modified + renamed + removed,  files(B) = unchanged + modified + renamed + added,
--   bytes(B) - bytes(A) = added - removed + sum over modified of (size_b - size_a).

-- One row per file or pair: change, relpath (in B; of a removed file in A), previous_relpath (of a renamed file),
-- file_id_a, file_id_b, format_a, format_b, format (in B if it is there), size_a, size_b, size_delta.
CREATE MACRO version_delta_files(a, b) AS TABLE
WITH matched AS MATERIALIZED (
    SELECT x.relpath AS path_a, y.relpath AS path_b, x.file_id AS id_a, y.file_id AS id_b,
        x.format AS form_a, y.format AS form_b, x.size_bytes AS bytes_a, y.size_bytes AS bytes_b
    FROM (SELECT relpath, file_id, format, size_bytes FROM extracted_files WHERE version_id = a) x
    FULL OUTER JOIN (SELECT relpath, file_id, format, size_bytes FROM extracted_files WHERE version_id = b) y
        ON x.relpath = y.relpath
), gone AS MATERIALIZED (
    SELECT path_a, id_a, form_a, bytes_a,
        row_number() OVER (PARTITION BY id_a, parse_filename(path_a) ORDER BY path_a) AS k
    FROM matched WHERE path_b IS NULL
), come AS MATERIALIZED (
    SELECT path_b, id_b, form_b, bytes_b,
        row_number() OVER (PARTITION BY id_b, parse_filename(path_b) ORDER BY path_b) AS k
    FROM matched WHERE path_a IS NULL
), same_name AS MATERIALIZED (
    SELECT path_a, path_b FROM gone JOIN come
        ON id_a = id_b AND parse_filename(path_a) = parse_filename(path_b) AND gone.k = come.k
), same_content AS MATERIALIZED (
    SELECT path_a, path_b
    FROM (
        SELECT path_a, id_a, row_number() OVER (PARTITION BY id_a ORDER BY path_a) AS k
        FROM gone ANTI JOIN same_name USING (path_a)
    ) g
    JOIN (
        SELECT path_b, id_b, row_number() OVER (PARTITION BY id_b ORDER BY path_b) AS k
        FROM come ANTI JOIN same_name USING (path_b)
    ) c ON id_a = id_b AND g.k = c.k
), pairs AS MATERIALIZED (
    SELECT path_a, path_b FROM same_name UNION ALL SELECT path_a, path_b FROM same_content
), changes AS (
    SELECT CASE WHEN id_a = id_b THEN 'UNCHANGED' ELSE 'MODIFIED' END AS change, path_b AS relpath,
        NULL::VARCHAR AS previous_relpath, id_a, id_b, form_a, form_b, bytes_a, bytes_b
    FROM matched WHERE path_a IS NOT NULL AND path_b IS NOT NULL
    UNION ALL
    SELECT 'RENAMED', path_b, path_a, id_a, id_b, form_a, form_b, bytes_a, bytes_b
    FROM pairs JOIN gone USING (path_a) JOIN come USING (path_b)
    UNION ALL
    SELECT 'REMOVED', path_a, NULL, id_a, NULL, form_a, NULL, bytes_a, NULL FROM gone ANTI JOIN pairs USING (path_a)
    UNION ALL
    SELECT 'ADDED', path_b, NULL, NULL, id_b, NULL, form_b, NULL, bytes_b FROM come ANTI JOIN pairs USING (path_b)
)
SELECT change, relpath, previous_relpath, id_a AS file_id_a, id_b AS file_id_b, form_a AS format_a, form_b AS format_b,
    coalesce(form_b, form_a) AS format, bytes_a AS size_a, bytes_b AS size_b,
    coalesce(bytes_b, 0) - coalesce(bytes_a, 0) AS size_delta
FROM changes;

-- The renamed files alone: relpath_a, relpath_b, file_id, size_bytes.
CREATE MACRO version_delta_renames(a, b) AS TABLE
SELECT previous_relpath AS relpath_a, relpath AS relpath_b, file_id_b AS file_id, size_b AS size_bytes
FROM version_delta_files(a, b) WHERE change = 'RENAMED';

-- One row of sums; churn is what was rewritten in place, reported apart from net growth.
CREATE MACRO version_delta_summary(a, b) AS TABLE
SELECT count(*) FILTER (change = 'ADDED') AS added,
    count(*) FILTER (change = 'REMOVED') AS removed,
    count(*) FILTER (change = 'MODIFIED') AS modified,
    count(*) FILTER (change = 'RENAMED') AS renamed,
    count(*) FILTER (change = 'UNCHANGED') AS unchanged,
    coalesce(sum(size_a), 0)::BIGINT AS bytes_a,
    coalesce(sum(size_b), 0)::BIGINT AS bytes_b,
    coalesce(sum(size_b) FILTER (change = 'ADDED'), 0)::BIGINT AS added_bytes,
    coalesce(sum(size_a) FILTER (change = 'REMOVED'), 0)::BIGINT AS removed_bytes,
    coalesce(sum(size_delta) FILTER (change = 'MODIFIED'), 0)::BIGINT AS modified_delta_bytes,
    coalesce(sum(size_delta), 0)::BIGINT AS net_bytes,
    coalesce(sum(size_b) FILTER (change = 'MODIFIED'), 0)::BIGINT AS churn_bytes
FROM version_delta_files(a, b);

-- Per format, so that it sums to the summary: a file whose format differs between A and B leaves the one and joins the
-- other with its bytes; it is counted once, under its format in B.
CREATE MACRO version_delta_formats(a, b) AS TABLE
WITH changes AS MATERIALIZED (SELECT * FROM version_delta_files(a, b)), sides AS (
    SELECT format, change, 1 AS files, 0 AS bytes_a, 0 AS bytes_b,
        CASE WHEN change = 'MODIFIED' THEN size_b ELSE 0 END AS churn FROM changes
    UNION ALL SELECT format_a, NULL, 0, size_a, 0, 0 FROM changes WHERE format_a IS NOT NULL
    UNION ALL SELECT format_b, NULL, 0, 0, size_b, 0 FROM changes WHERE format_b IS NOT NULL
)
SELECT format,
    coalesce(sum(files) FILTER (change = 'ADDED'), 0)::BIGINT AS added,
    coalesce(sum(files) FILTER (change = 'REMOVED'), 0)::BIGINT AS removed,
    coalesce(sum(files) FILTER (change = 'MODIFIED'), 0)::BIGINT AS modified,
    coalesce(sum(files) FILTER (change = 'RENAMED'), 0)::BIGINT AS renamed,
    coalesce(sum(files) FILTER (change = 'UNCHANGED'), 0)::BIGINT AS unchanged,
    sum(bytes_a)::BIGINT AS bytes_a,
    sum(bytes_b)::BIGINT AS bytes_b,
    (sum(bytes_b) - sum(bytes_a))::BIGINT AS net_bytes,
    sum(churn)::BIGINT AS churn_bytes
FROM sides GROUP BY format;

-- What became of the results: FIXED, REGRESSED, NEW, REMOVED, UNCHANGED, for each validator and file; files are paired by
-- path and, across renames, by content.
CREATE MACRO version_validation_delta(a, b) AS TABLE
WITH paths AS MATERIALIZED (
    SELECT relpath AS path_b, coalesce(previous_relpath, relpath) AS path_a
    FROM version_delta_files(a, b) WHERE change IN ('UNCHANGED', 'MODIFIED', 'RENAMED')
), before AS (
    SELECT v.validator, coalesce(p.path_b, v.relpath) AS path, p.path_b IS NOT NULL AS paired, v.relpath, v.passed
    FROM validations v LEFT JOIN paths p ON p.path_a = v.relpath WHERE v.version_id = a
), after AS (
    SELECT v.validator, v.relpath AS path, p.path_a IS NOT NULL AS paired, v.relpath, v.passed
    FROM validations v LEFT JOIN paths p ON p.path_b = v.relpath WHERE v.version_id = b
)
SELECT coalesce(y.validator, x.validator) AS validator,
    CASE WHEN x.validator IS NULL THEN 'NEW' WHEN y.validator IS NULL THEN 'REMOVED'
        WHEN x.passed = y.passed THEN 'UNCHANGED' WHEN y.passed THEN 'FIXED' ELSE 'REGRESSED' END AS change,
    x.relpath AS relpath_a, y.relpath AS relpath_b, x.passed AS passed_a, y.passed AS passed_b
FROM before x FULL OUTER JOIN after y
    ON x.validator = y.validator AND x.path = y.path AND x.paired = y.paired;
