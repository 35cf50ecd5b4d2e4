-- The catalog's own tables. Plain columns only: no key, constraint, index, enum or sequence, because DuckDB's index
-- structures make bulk ingest ten times slower, and because the same SQL then runs on engines that have none of them.
-- The boundaries keep the keys named below; `ontofetch db doctor` proves them.
-- TIMESTAMP is UTC, sizes are bytes, hashes are 64 lower-case hex digits, paths are relative POSIX.

-- key: version
CREATE TABLE schema_version (
    version INTEGER,                -- number of the migration, the first four digits of its file
    checksum VARCHAR,               -- sha256 of that file when it was applied: an edited file is noticed
    applied_at TIMESTAMP            -- when
);

-- key: version_id
CREATE TABLE versions (
    version_id VARCHAR,             -- service/ontology/version
    service VARCHAR,                -- where it came from, e.g. obo
    ontology VARCHAR,               -- which ontology, e.g. hp
    version VARCHAR,                -- which release, e.g. 2025-09-15
    released DATE,                  -- release date, if the host knows it: decides the order of the series
    fs_relpath VARCHAR,             -- its folder below the root, exactly as on disk
    layout VARCHAR,                 -- which folders inside it hold sources and data
    created_at TIMESTAMP,           -- when it was first recorded
    plan_hash VARCHAR,              -- what the host was asked to do, hashed
    run_id VARCHAR,                 -- the run that first recorded it
    extract_audit VARCHAR,          -- sha256 of .extract.audit.json, NULL as long as there is none
    validation_audit VARCHAR,       -- sha256 of .validation.audit.json, likewise
    pinned_at TIMESTAMP             -- since when it may not be pruned, NULL if it may
);

-- key: (version_id, relpath)
CREATE TABLE artifacts (
    artifact_id VARCHAR,            -- sha256 of the bytes; the same bytes may be in many releases, so it is no key
    version_id VARCHAR,             -- the release
    relpath VARCHAR,                -- path below the release's source folder
    source_url VARCHAR,             -- where it came from, without credentials
    etag VARCHAR,                   -- what the server said, for conditional requests
    last_modified VARCHAR,          -- likewise
    content_type VARCHAR,           -- likewise
    size_bytes BIGINT,              -- size
    status VARCHAR,                 -- fresh (came over the wire), cached (a known copy was reused), failed (is damaged)
    recorded_at TIMESTAMP,          -- when these bytes were recorded
    verified_at TIMESTAMP,          -- when the file on disk was last hashed and found equal, NULL if never
    extraction JSON                 -- {"include": [globs], "strip": folders}, NULL as long as it was not unpacked
);

-- key: (version_id, relpath)
CREATE TABLE extracted_files (
    version_id VARCHAR,             -- the release; one bulk insert per release, so that row groups can be skipped by it
    relpath VARCHAR,                -- path below the release's data folder, exactly as on disk
    file_id VARCHAR,                -- sha256 of the bytes; many paths share one, so it is no key
    artifact_id VARCHAR,            -- the artifact it was unpacked from
    format VARCHAR,                 -- name of the format, `unknown` where there is none
    size_bytes BIGINT,              -- size
    mtime TIMESTAMP,                -- modification time on disk, as the archive said
    verified_at TIMESTAMP           -- when the file on disk was last hashed and found equal, NULL if never
);

-- key: (version_id, relpath, validator)
CREATE TABLE validations (
    version_id VARCHAR,             -- the release
    relpath VARCHAR,                -- the file, as in extracted_files
    file_id VARCHAR,                -- the content that was validated: a result outlives its path
    validator VARCHAR,              -- name of the validator
    validator_version VARCHAR,      -- its version: results of another version are not reused
    passed BOOLEAN,                 -- whether the file is valid
    details JSON,                   -- an object: counts, or the reason of a failure under "error"
    run_at TIMESTAMP,               -- when the validator ran
    reused_from VARCHAR             -- version_id#relpath of the result that was reused, NULL where it ran
);

-- key: (slot, updated_at); the newest of a slot counts, the others are its history
CREATE TABLE latest_pointer (
    slot VARCHAR,                   -- the series: service/ontology
    version_id VARCHAR,             -- the release it points at
    updated_at TIMESTAMP,           -- when; strictly ascending within a slot
    updated_by VARCHAR              -- who asked for it
);
