-- The order of a series, its latest release, and the sums of a release.

CREATE VIEW v_latest AS
SELECT slot, version_id, updated_at, updated_by FROM latest_pointer
QUALIFY row_number() OVER (PARTITION BY slot ORDER BY updated_at DESC) = 1;

-- Release order: by release date if every release of the series has one (a mixture would have no order), and within a
-- day, or without dates, in the natural order of the version: runs of digits compare as numbers of any length, what is
-- between them as text; then by time of recording.
CREATE VIEW v_series_order AS
WITH keyed AS (
    SELECT version_id, service || '/' || ontology AS slot, released, created_at,
        bool_and(released IS NOT NULL) OVER (PARTITION BY service, ontology) AS dated,
        list_transform(
            regexp_extract_all(version, '[0-9]+|[^0-9]+'),
            lambda part: CASE WHEN regexp_full_match(part, '[0-9]+') THEN lpad(ltrim(part, '0'), 100, '0') ELSE part END
        ) AS natural_key
    FROM versions
), ordered AS (
    SELECT slot, version_id, row_number() OVER series AS position, lag(version_id) OVER series AS previous_version_id
    FROM keyed
    WINDOW series AS (
        PARTITION BY slot ORDER BY CASE WHEN dated THEN released END, natural_key, created_at, version_id
    )
)
SELECT o.slot, o.version_id, o.position, o.previous_version_id, l.version_id IS NOT NULL AS is_latest
FROM ordered o LEFT JOIN v_latest l ON l.slot = o.slot AND l.version_id = o.version_id;

-- A file counts as passed if every validator passed it, as failed if one did not, else as not validated.
CREATE VIEW v_version_stats AS
SELECT v.version_id,
    coalesce(a.artifacts, 0) AS artifacts,
    coalesce(a.artifact_bytes, 0) AS artifact_bytes,
    coalesce(f.files, 0) AS files,
    coalesce(f.size_bytes, 0) AS size_bytes,
    coalesce(f.formats, 0) AS formats,
    coalesce(r.passed, 0) AS passed,
    coalesce(r.failed, 0) AS failed,
    coalesce(f.files, 0) - coalesce(r.passed, 0) - coalesce(r.failed, 0) AS not_validated,
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
    SELECT version_id, count(*) FILTER (fine) AS passed, count(*) FILTER (NOT fine) AS failed
    FROM (SELECT version_id, relpath, bool_and(passed) AS fine FROM validations GROUP BY version_id, relpath)
    GROUP BY version_id
) r ON r.version_id = v.version_id;
