"""Own what the report `latest` returns."""

from __future__ import annotations

from dataclasses import replace

from .. import columns as c
from . import fields as f
from .shape import BOOL, DATE, INT, TEXT, TIME, Contract, Field, Section

LATEST = Contract(
    "latest",
    (
        Section(
            "summary",
            "releases",
            (
                f.VERSION,
                Field(c.IS_LATEST, BOOL, "whether the latest pointer of its series names it", "latest", 3),
                Field(c.RELEASED, DATE, "its release date, if known", detail=7),
                Field(c.CREATED_AT, TIME, "when it was recorded", "recorded", 8),
                Field(c.AGE_DAYS, INT, "days from its release date, else from its recording, to `as_of`"),
                Field(
                    c.LAST_VERIFIED,
                    TIME,
                    "when its least recently verified file was verified; null if one never was",
                    detail=9,
                ),
                f.FILES,
                f.SIZE,
                Field(c.FORMATS, INT, "number of formats", detail=4),
                *f.OUTCOMES,
                Field(c.PREVIOUS_VERSION_ID, TEXT, "the release before it in its series; null if none", "previous", 10),
                *(replace(count, detail=5) for count in f.COUNTS),
                replace(f.NET, detail=1),
                replace(f.CHURN, detail=2),
            ),
            record=True,
        ),
        Section("formats", "formats", (f.VERSION, f.GROUP_FORMAT, f.FILES, f.SIZE, f.SHARE, *f.OUTCOMES)),
        Section("largest", "largest files", (f.VERSION, f.PATH, f.FORMAT, f.SIZE, f.SHARE)),
        Section(
            "growth",
            "largest growth against the release before",
            (f.VERSION, f.CHANGE, f.PATH, f.FORMAT, f.FILE_SIZE_A, replace(f.SIZE, detail=2), f.DELTA),
        ),
    ),
)
