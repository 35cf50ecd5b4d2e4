-- The files and formats of the latest release of each series.

CREATE VIEW v_latest_files AS
SELECT l.slot, f.version_id, f.relpath, f.file_id, f.artifact_id, f.format, f.size_bytes, f.mtime, f.verified_at
FROM v_latest l JOIN extracted_files f ON f.version_id = l.version_id;

CREATE VIEW v_latest_formats AS
SELECT slot, version_id, format, count(*) AS files, sum(size_bytes)::BIGINT AS size_bytes
FROM v_latest_files GROUP BY slot, version_id, format;
