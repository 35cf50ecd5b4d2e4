"""Own what the report `growth` returns for a series."""

from __future__ import annotations

from dataclasses import replace

from .. import columns as c
from . import fields as f
from .shape import INT, TEXT, TIME, Contract, Field, Section

_TIME = Field(
    c.RELEASE_TIME,
    TIME,
    "its release date at midnight UTC if every release of the series has one, else when it was recorded",
    "released",
)
_CHANGED = (
    *(replace(field, detail=1) if field.name == c.RENAMED_FILES else field for field in f.COUNTS),
    *(field for field in f.BYTES if field.name != c.RENAMED_BYTES),
)
_NULL = "; null where there is no release before"

TIMELINE = Contract(
    "growth",
    (
        Section(
            "timeline",
            "growth release by release",
            (
                f.VERSION,
                replace(_TIME, detail=2),
                replace(f.FILES, detail=3),
                f.SIZE,
                *(replace(field, meaning=field.meaning + _NULL) for field in (*_CHANGED, f.UNCHANGED)),
            ),
            newest_last=True,
        ),
        Section(
            "bins",
            "growth over time",
            (
                Field(c.START, TIME, "start of the week (Monday) or month, UTC"),
                Field(c.RELEASES, INT, "number of releases in it"),
                Field(c.VERSION_ID, TEXT, "the last release in it or before it", "last release", 4),
                replace(f.FILES, meaning="files of that release", detail=3),
                replace(f.SIZE, meaning="bytes of that release"),
                *_CHANGED,
            ),
            newest_last=True,
        ),
        Section(
            "formats",
            "formats release by release",
            (f.VERSION, _TIME, f.GROUP_FORMAT, f.FILES, f.SIZE),
            shown=False,
        ),
    ),
    order=("bins", "timeline"),
)
