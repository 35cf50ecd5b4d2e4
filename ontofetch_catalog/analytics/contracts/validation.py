"""Own what the report `validation` returns."""

from __future__ import annotations

from dataclasses import replace

from .. import columns as c
from . import fields as f
from .shape import BOOL, FLOAT, INT, LABEL, TEXT, TIME, Contract, Field, Section

_VALIDATOR = Field(c.VALIDATOR, LABEL, "name of the validator")
_KIND = f"Enum({', '.join(c.RESULT_CHANGES)})"
_RESULTS = Field(c.RESULTS, INT, "number of results, one per validator and file")
_PASSED = Field(c.PASSED_FILES, INT, "results that passed")
_FAILED = Field(c.FAILED_FILES, INT, "results that failed")
_RATE = Field(c.RATE, FLOAT, "passed results per result, 0 to 1")
_CHANGED = (
    Field(c.FIXED_RESULTS, INT, "results that failed before and pass now; null without `against`"),
    Field(c.REGRESSED_RESULTS, INT, "results that passed before and fail now; null without `against`"),
    Field(c.NEW_RESULTS, INT, "results that were not there before; null without `against`"),
    Field(c.REMOVED_RESULTS, INT, "results that are no longer there; null without `against`"),
)
_GROUP = (
    _RESULTS,
    _PASSED,
    _FAILED,
    _RATE,
    Field(c.REUSED, INT, "results taken over from another release with the same bytes", detail=1),
    Field(c.RUN_AT, TIME, "when the last of them was run", "last run", 2),
    *_CHANGED,
)
_CHANGE = Field(c.CHANGE, _KIND, "what became of the result since `against`; null if nothing")
_REASON = Field(c.REASON, TEXT, "first line of why it failed")
_VERSION = Field(c.VALIDATOR_VERSION, LABEL, "version of the validator", "version", 2)

VALIDATION = Contract(
    "validation",
    (
        Section("validators", "by validator", (_VALIDATOR, *_GROUP)),
        Section("formats", "by format", (f.GROUP_FORMAT, *_GROUP)),
        Section(
            "paths",
            "by path",
            (
                replace(f.PATH, meaning="path of the file; of a removed result, the one in `against`"),
                _VALIDATOR,
                replace(f.FORMAT, detail=3),
                Field(c.PASSED, BOOL, "whether it passed; null where the result is no longer there"),
                _CHANGE,
                replace(_REASON, detail=2),
            ),
        ),
        Section(
            "changes",
            "changed results",
            (
                _CHANGE,
                _VALIDATOR,
                f.PATH,
                Field(c.PREVIOUS_RELPATH, TEXT, "path in `against` of a renamed file, else null", "was", 3),
                f.FORMAT,
                replace(_REASON, detail=2),
            ),
        ),
        Section("failures", "failing files", (f.PATH, _VALIDATOR, _VERSION, f.FORMAT, _REASON)),
        Section(
            "history",
            "validation release by release",
            (
                f.VERSION,
                Field(c.RELEASE_TIME, TIME, "its release date, else when it was recorded", "released", 1),
                _VALIDATOR,
                _RESULTS,
                _PASSED,
                _FAILED,
                _RATE,
            ),
            newest_last=True,
        ),
        Section(
            "summary",
            "validation",
            (
                f.VERSION,
                Field("against", TEXT, "the release it is compared with; null without"),
                Field(c.FILES, INT, "number of files"),
                *f.OUTCOMES,
                _RESULTS,
                _RATE,
                *_CHANGED,
            ),
            record=True,
            whole=True,
        ),
    ),
    order=("summary",),
)
