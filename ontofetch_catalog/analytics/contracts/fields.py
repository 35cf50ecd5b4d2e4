"""Own the columns that several reports share."""

from __future__ import annotations

from dataclasses import replace

from .. import columns as c
from .shape import CHANGE_KIND, FLOAT, INT, LABEL, TEXT, Field

VERSION = Field(c.VERSION_ID, TEXT, "the release", "release")
PATH = Field(c.RELPATH, TEXT, "path below the release's data folder; of a removed file, where it was", "path")
FORMAT = Field(c.FORMAT, LABEL, "format of the file", detail=1)
GROUP_FORMAT = Field(c.FORMAT, LABEL, "format of the files")
FILES = Field(c.FILES, INT, "number of files")
SIZE = Field(c.SIZE, INT, "size in bytes")
SHARE = Field(c.SHARE, FLOAT, "part of the release's bytes, 0 to 1", detail=2)
CHANGE = Field(c.CHANGE, CHANGE_KIND, "what happened to the file")
DELTA = Field(c.DELTA, INT, "bytes the file adds to the release: its size in B less its size in A", "growth")
FILE_SIZE_A = Field(c.SIZE_A, INT, "size in A in bytes; null if it is not there", detail=3)
FILE_SIZE_B = Field(c.SIZE_B, INT, "size in B in bytes; null if it is not there", detail=2)
OUTCOMES = (
    Field(c.PASSED_FILES, INT, "files that every validator passed"),
    Field(c.FAILED_FILES, INT, "files that some validator failed"),
    Field(c.UNVALIDATED_FILES, INT, "files that no validator looked at", "not validated"),
)
COUNTS = (
    Field(c.ADDED_FILES, INT, "files only in B"),
    Field(c.REMOVED_FILES, INT, "files only in A"),
    Field(c.MODIFIED_FILES, INT, "files with the same path and other bytes"),
    Field(c.RENAMED_FILES, INT, "files with the same bytes at another path, paired one to one"),
)
UNCHANGED = Field(c.UNCHANGED_FILES, INT, "files with the same path and bytes", detail=1)
CHURN = Field(c.CHURN, INT, "bytes of the modified files as they are in B; not part of net growth")
NET = Field(c.NET, INT, "bytes of B less bytes of A")
BYTES = (
    Field(c.ADDED_BYTES, INT, "bytes of the added files", "bytes added", detail=5),
    Field(c.REMOVED_BYTES, INT, "bytes of the removed files", "bytes removed", detail=6),
    Field(c.MODIFIED_DELTA, INT, "bytes the modified files grew by, negative where they shrank", detail=7),
    Field(c.RENAMED_BYTES, INT, "bytes of the renamed files", "bytes renamed", detail=8),
    NET,
    CHURN,
)
SIDES = (
    Field(c.FILES_A, INT, "files in A", detail=4),
    Field(c.FILES_B, INT, "files in B", detail=3),
    Field(c.BYTES_A, INT, "bytes of all files in A", detail=3),
    Field(c.BYTES_B, INT, "bytes of all files in B", detail=2),
)
GROUP = (*COUNTS[:-1], replace(COUNTS[-1], detail=1), UNCHANGED, *BYTES, *SIDES)
