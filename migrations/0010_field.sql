-- Results that are neither passed nor failed: a validator could not judge, `passed` is NULL, and `details` says why under
-- "not_judged". Such a result keeps nothing from becoming latest, and is counted beside the others.

-- Sums that a refresh stored before know nothing of them; they are counted anew.
ALTER TABLE version_stats ADD COLUMN not_judged BIGINT;
DELETE FROM version_stats;

-- A file counts as failed if one validator failed it, else as passed if one passed it, else as not judged if one looked
-- at it, else as not validated.
CREATE OR REPLACE VIEW v_version_stats AS
SELECT v.version_id,
    coalesce(a.artifacts, 0) AS artifacts,
    coalesce(a.artifact_bytes, 0) AS artifact_bytes,
    coalesce(f.files, 0) AS files,
    coalesce(f.size_bytes, 0) AS size_bytes,
    coalesce(f.formats, 0) AS formats,
    coalesce(r.passed, 0) AS passed,
    coalesce(r.failed, 0) AS failed,
    coalesce(r.not_judged, 0) AS not_judged,
    coalesce(f.files, 0) - coalesce(r.passed, 0) - coalesce(r.failed, 0) - coalesce(r.not_judged, 0) AS not_validated,
    f.last_verified
FROM versions v
LEFT JOIN (
    SELECT version_id, count(*) AS artifacts, sum(size_bytes)::BIGINT AS artifact_bytes
    FROM artifacts GROUP BY version_id
) a ON a.version_id = v.version_id
LEFT JOIN (
    SELECT version_id, count(*) AS files, sum(size_bytes)::BIGINT AS size_bytes, count(DISTINCT format) AS formats,
        CASE WHEN count(verified_at) = count(*) THEN min(verified_at) END AS last_verified
    FROM extracted_files GROUP BY version_id
) f ON f.version_id = v.version_id
LEFT JOIN (
    SELECT version_id, count(*) FILTER (fine) AS passed, count(*) FILTER (NOT fine) AS failed,
        count(*) FILTER (fine IS NULL) AS not_judged
    FROM (SELECT version_id, relpath, bool_and(passed) AS fine FROM validations GROUP BY version_id, relpath)
    GROUP BY version_id
) r ON r.version_id = v.version_id;

CREATE VIEW v_validation_unjudged AS
SELECT version_id, relpath, file_id, validator, validator_version, details->>'not_judged' AS reason, run_at
FROM validations WHERE passed IS NULL;

-- As before; what is not judged is neither fixed nor broken by that, and what fails after it is broken.
CREATE OR REPLACE MACRO version_validation_delta(a, b) AS TABLE
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
        WHEN y.passed AND NOT x.passed THEN 'FIXED'
        WHEN NOT y.passed AND x.passed IS DISTINCT FROM false THEN 'REGRESSED' ELSE 'UNCHANGED' END AS change,
    x.relpath AS relpath_a, y.relpath AS relpath_b, x.passed AS passed_a, y.passed AS passed_b
FROM before x FULL OUTER JOIN after y
    ON x.validator = y.validator AND x.path = y.path AND x.paired = y.paired;
-- The order of versions by a recorded key, and the origins of artifacts.

-- What ontofetch_hookspecs.version_keys makes of the version: its byte order is the order of versions. Who applies this
-- migration fills it in for the rows that are there, within the same transaction.
ALTER TABLE versions ADD COLUMN version_key VARCHAR;

-- Release order: by release date if every release of the series has one (a mixture would have no order), and within a
-- day, or without dates, by the key of the version; then by time of recording.
CREATE OR REPLACE VIEW v_series_order AS
WITH keyed AS (
    SELECT version_id, service || '/' || ontology AS slot, released, created_at, version_key,
        bool_and(released IS NOT NULL) OVER (PARTITION BY service, ontology) AS dated
    FROM versions
), ordered AS (
    SELECT slot, version_id, row_number() OVER series AS position, lag(version_id) OVER series AS previous_version_id
    FROM keyed
    WINDOW series AS (
        PARTITION BY slot ORDER BY CASE WHEN dated THEN released END, version_key, created_at, version_id
    )
)
SELECT o.slot, o.version_id, o.position, o.previous_version_id, l.version_id IS NOT NULL AS is_latest
FROM ordered o LEFT JOIN v_latest l ON l.slot = o.slot AND l.version_id = o.version_id;

-- Where the bytes of an artifact came from: a history, in which the first, which stands in the artifact's own row too,
-- is never overwritten.
-- key: (version_id, relpath, source_url)
CREATE TABLE origins (
    version_id VARCHAR,             -- the release
    relpath VARCHAR,                -- the artifact, as in artifacts
    source_url VARCHAR,             -- where its bytes came from, without credentials
    etag VARCHAR,                   -- what the server said of them last, for conditional requests
    last_modified VARCHAR,          -- likewise
    content_type VARCHAR,           -- likewise
    recorded_at TIMESTAMP,          -- when it was first recorded that they came from there
    told_at TIMESTAMP               -- when what the server says was recorded last
);
INSERT INTO origins
SELECT version_id, relpath, source_url, etag, last_modified, content_type, recorded_at, recorded_at FROM artifacts;
