-- What makes mistakes undoable: a series may have no latest again, and what people say of releases.

-- A row of latest_pointer without a release says that its series has no latest since then: the history stays whole.
CREATE OR REPLACE VIEW v_latest AS
SELECT slot, version_id, updated_at, updated_by FROM (
    SELECT slot, version_id, updated_at, updated_by FROM latest_pointer
    QUALIFY row_number() OVER (PARTITION BY slot ORDER BY updated_at DESC) = 1
) WHERE version_id IS NOT NULL;

-- What people say of a release: sentences and tags. The manifest repeats them.
-- key: (version_id, kind, text)
CREATE TABLE notes (
    version_id VARCHAR,             -- the release
    kind VARCHAR,                   -- note or tag
    text VARCHAR,                   -- what is said, one line
    created_at TIMESTAMP            -- when it was recorded
);
