-- The heavy sums of releases as `ontofetch db refresh` last computed them; v_version_stats always counts anew.
-- A row counts as long as it is young enough and no later event is about its release.

-- key: version_id
CREATE TABLE version_stats (
    version_id VARCHAR,             -- the release
    artifacts BIGINT,               -- as in v_version_stats, and so are all below
    artifact_bytes BIGINT,
    files BIGINT,
    size_bytes BIGINT,
    formats BIGINT,
    passed BIGINT,
    failed BIGINT,
    not_validated BIGINT,
    last_verified TIMESTAMP,
    computed_at TIMESTAMP,          -- when it was computed
    event_id BIGINT                 -- the newest event that it knew of
);
