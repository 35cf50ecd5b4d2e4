"""Turn rows of the sources into the frames of reports, lazily: one module per report.

LazyFrame in, LazyFrame out. The shapes they speak of:

- *versions*: version_id, slot, released, created_at, previous_version_id, is_latest; each series in its order.
- *files*: version_id, relpath, format, size_bytes, verified_at, passed (null where no validator
  judged), not_judged (whether some looked and none judged; null where none looked).
- *changes*: version_id (B), change, relpath, previous_relpath, format, size_a, size_b; one row per file of A or B that
  is not unchanged, a renamed one once.
- *sides*: side (`a` or `b`), a key such as format or folder, files, size_bytes: totals of both releases.
"""
