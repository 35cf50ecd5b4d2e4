"""Own what the report `growth` returns for two releases."""

from __future__ import annotations

from dataclasses import replace

from .. import columns as c
from . import fields as f
from .shape import INT, TEXT, Contract, Field, Section

GROWTH = Contract(
    "growth",
    (
        Section(
            "changes",
            "changed files",
            (
                f.CHANGE,
                f.PATH,
                Field(c.PREVIOUS_RELPATH, TEXT, "path in A of a renamed file, else null", "was", 1),
                replace(f.FORMAT, detail=4),
                f.FILE_SIZE_A,
                f.FILE_SIZE_B,
                f.DELTA,
            ),
        ),
        Section("formats", "by format", (f.GROUP_FORMAT, *f.GROUP)),
        Section(
            "folders",
            "by folder",
            (Field(c.FOLDER, TEXT, "folder of the files, `.` at the top of the data folder"), *f.GROUP),
        ),
        Section(
            "kinds",
            "growth",
            (
                Field(c.CHANGE, f"Enum({', '.join((*c.CHANGES, c.TOTAL))})", "what happened to the files"),
                Field(c.FILES_A, INT, "files of this kind in A"),
                Field(c.FILES_B, INT, "files of this kind in B"),
                Field(c.BYTES_A, INT, "their bytes in A"),
                Field(c.BYTES_B, INT, "their bytes in B"),
                f.NET,
                f.CHURN,
            ),
            whole=True,
        ),
        Section(
            "summary",
            "growth",
            (Field("a", TEXT, "version_id of A"), Field("b", TEXT, "version_id of B"), *f.GROUP),
            shown=False,
        ),
    ),
    order=("kinds",),
)
