"""Own the names of the columns that reports read and return; each name stands here and nowhere else.

It knows neither Polars nor SQL.
"""

from __future__ import annotations

VERSION_ID = "version_id"
PREVIOUS_VERSION_ID = "previous_version_id"
SLOT = "slot"
SERVICE = "service"
ONTOLOGY = "ontology"
RELEASED = "released"
CREATED_AT = "created_at"
RELEASE_TIME = "release_time"
IS_LATEST = "is_latest"
AGE_DAYS = "age_days"
POSITION = "position"

RELPATH = "relpath"
PREVIOUS_RELPATH = "previous_relpath"
FILE_ID = "file_id"
PREVIOUS_FILE_ID = "previous_file_id"
FORMAT = "format"
PREVIOUS_FORMAT = "previous_format"
FOLDER = "folder"
MTIME = "mtime"
VERIFIED_AT = "verified_at"

FILES = "files"
FORMATS = "formats"
SIZE = "size_bytes"
SHARE = "share"

PASSED = "passed"
PASSED_FILES = "passed_files"
FAILED_FILES = "failed_files"
UNVALIDATED_FILES = "unvalidated_files"

CHANGE = "change"
SIDE = "side"
SIZE_A = "size_a"
SIZE_B = "size_b"
FILES_A = "files_a"
FILES_B = "files_b"
DELTA = "delta_bytes"
ADDED_FILES = "added_files"
REMOVED_FILES = "removed_files"
MODIFIED_FILES = "modified_files"
RENAMED_FILES = "renamed_files"
UNCHANGED_FILES = "unchanged_files"
ADDED_BYTES = "added_bytes"
REMOVED_BYTES = "removed_bytes"
MODIFIED_DELTA = "modified_delta_bytes"
CHURN = "churn_bytes"
NET = "net_bytes"

ADDED = "ADDED"
REMOVED = "REMOVED"
MODIFIED = "MODIFIED"
RENAMED = "RENAMED"
UNCHANGED = "UNCHANGED"
CHANGES = (ADDED, REMOVED, MODIFIED, RENAMED, UNCHANGED)
