-- What a scan of the disk found, for comparison with the rows; emptied at the start of each scan.

-- key: (scope, relpath)
CREATE TABLE staging_fs_listing (
    scope VARCHAR,                  -- which scan
    relpath VARCHAR,                -- below the root, in native spelling: <fs_relpath>/src/… or <fs_relpath>/data/…
    size_bytes BIGINT,              -- size
    mtime TIMESTAMP                 -- modification time
);
