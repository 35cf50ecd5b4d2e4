-- How the artifacts stand, what fails validation, and what lies on disk without a row.

CREATE VIEW v_artifacts_status AS
SELECT version_id,
    count(*) FILTER (status = 'fresh') AS fresh,
    count(*) FILTER (status = 'cached') AS cached,
    count(*) FILTER (status = 'failed') AS failed,
    count(*) FILTER (extraction IS NOT NULL) AS extracted,
    sum(size_bytes)::BIGINT AS size_bytes
FROM artifacts GROUP BY version_id;

CREATE VIEW v_validation_failures AS
SELECT version_id, relpath, file_id, validator, validator_version, details->>'error' AS reason, run_at
FROM validations WHERE NOT passed;

-- The listing is in native spelling whatever the layout, so one pair of joins serves all.
CREATE VIEW v_fs_orphans AS
WITH recorded AS (
    SELECT v.fs_relpath || '/src/' || a.relpath AS relpath FROM artifacts a JOIN versions v ON v.version_id = a.version_id
    UNION ALL
    SELECT v.fs_relpath || '/data/' || f.relpath FROM extracted_files f JOIN versions v ON v.version_id = f.version_id
)
SELECT s.scope, s.relpath, s.size_bytes, s.mtime
FROM staging_fs_listing s ANTI JOIN recorded r ON r.relpath = s.relpath;
