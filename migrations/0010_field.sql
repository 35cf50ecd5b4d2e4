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
