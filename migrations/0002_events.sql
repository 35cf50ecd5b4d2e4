-- What happened, append-only. A boundary has committed if and only if its boundary_id is here.

-- key: event_id
CREATE TABLE events (
    event_id BIGINT,                -- 1, 2, 3 … in the order of commits
    boundary_id VARCHAR,            -- the boundary; recovery asks for it
    run_id VARCHAR,                 -- the run of the host
    ts TIMESTAMP,                   -- when
    type VARCHAR,                   -- download.done, extract.unchanged, recover.undone …
    level VARCHAR,                  -- info, warning or error
    version_id VARCHAR,             -- the release, NULL where there is none
    config_hash VARCHAR,            -- the host's settings, hashed
    digest VARCHAR,                 -- sha256 over this event and the digest of the one before: a lost event is noticed
    payload JSON                    -- counts and identities, never a secret
);
