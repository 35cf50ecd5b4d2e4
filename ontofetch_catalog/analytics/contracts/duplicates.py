"""Own what the report `duplicates` returns."""

from __future__ import annotations

from dataclasses import replace

from .. import columns as c
from . import fields as f
from .shape import INT, TEXT, Contract, Field, Section

_SAVED = Field(c.SAVED, INT, "bytes that storing each content once would save")
_REPEATED = Field(c.REPEATED, INT, "bytes of copies inside one release, all but the first", "within releases")

DUPLICATES = Contract(
    "duplicates",
    (
        Section(
            "contents",
            "contents stored more than once",
            (
                Field(c.FILE_ID, TEXT, "sha256 of the bytes", detail=4),
                replace(f.PATH, meaning="the first path it has"),
                replace(f.FORMAT, detail=3),
                replace(f.SIZE, meaning="size of one copy in bytes", detail=2),
                Field(c.COPIES, INT, "number of files with these bytes"),
                Field(c.VERSIONS, INT, "number of releases that have it", "releases", 1),
                _SAVED,
            ),
        ),
        Section(
            "versions",
            "by release",
            (
                f.VERSION,
                f.FILES,
                f.SIZE,
                _REPEATED,
                Field(c.SHARED, INT, "bytes of contents that another release has too, each once", "shared with others"),
            ),
        ),
        Section(
            "summary",
            "duplicates",
            (
                Field(c.VERSIONS, INT, "number of releases", "releases"),
                f.FILES,
                f.SIZE,
                Field(c.CONTENTS, INT, "number of different contents"),
                Field(c.UNIQUE, INT, "bytes of the different contents"),
                _SAVED,
                _REPEATED,
                Field(c.SHARED, INT, "bytes saved beyond that by sharing between releases", "across releases"),
            ),
            record=True,
            whole=True,
        ),
    ),
    order=("summary",),
)
