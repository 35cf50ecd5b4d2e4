"""The views of the catalog as tables of a FROM clause: our text stands in each statement, whatever a file calls so.

A view that is stored looks for functions among the macros of its own catalog first, which may be anybody's: those are
for its owner's own queries. `tests/catalog/test_views.py` holds these texts to the migrations.
"""

# the pointer that counts of each series that has a latest
LATEST = """(
SELECT slot, version_id, updated_at, updated_by FROM (
    SELECT slot, version_id, updated_at, updated_by FROM latest_pointer
    QUALIFY row_number() OVER (PARTITION BY slot ORDER BY updated_at DESC) = 1
) WHERE version_id IS NOT NULL
)"""
# the releases of each series in its order: by date where all have one, else by version
SERIES_ORDER = f"""(
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
FROM ordered o LEFT JOIN {LATEST} l ON l.slot = o.slot AND l.version_id = o.version_id
)"""
# the sums of each release
VERSION_STATS = """(
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
) r ON r.version_id = v.version_id
)"""
# what lies on disk without a row, of a listing
ORPHANS = """(
WITH recorded AS (
    SELECT v.fs_relpath || '/src/' || a.relpath AS relpath
    FROM artifacts a JOIN versions v ON v.version_id = a.version_id
    UNION ALL
    SELECT v.fs_relpath || '/data/' || f.relpath FROM extracted_files f JOIN versions v ON v.version_id = f.version_id
)
SELECT s.scope, s.relpath, s.size_bytes, s.mtime
FROM staging_fs_listing s ANTI JOIN recorded r ON r.relpath = s.relpath
)"""
