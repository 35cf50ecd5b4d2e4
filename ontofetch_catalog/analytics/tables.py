"""The bare rows that a catalog gives to Python: releases, files, results, events, what changed."""

from __future__ import annotations

from dataclasses import replace

from . import columns as c
from . import fields as f
from .fields import BOOL, CATEGORY, DATE, INT, TEXT, TIME, Contract, Field, Section
from .tables_of_terms import MEANING, TERMS

_FILE_ID = Field(c.FILE_ID, TEXT, "sha256 of the bytes")
_CONTENT = replace(_FILE_ID, meaning="sha256 of the bytes that were validated")

VERSIONS = Section("versions", "all releases, each series in its order", (
    f.VERSION,
    Field(c.SLOT, CATEGORY, "its series"),
    Field(c.RELEASED, DATE, "its release date, if known"),
    Field(c.CREATED_AT, TIME, "when it was recorded"),
    Field(c.PREVIOUS_VERSION_ID, TEXT, "the release before it in its series; null if none"),
    Field(c.IS_LATEST, BOOL, "whether the latest pointer of its series names it"),
    f.INCOMPLETE,
))  # fmt: skip
FILES = Section("files", "extracted files", (
    f.VERSION,
    replace(f.PATH, meaning="path below the release's data folder"),
    _FILE_ID,
    Field(c.ARTIFACT_ID, TEXT, "sha256 of the artifact it was unpacked from"),
    f.FORMAT,
    f.SIZE,
    Field(c.MTIME, TIME, "modification time, as the archive said"),
    Field(c.VERIFIED_AT, TIME, "when the file was last hashed and found equal; null if never, or from audits"),
))  # fmt: skip
VALIDATIONS = Section(
    "validations",
    "results of validators",
    (
        f.VERSION,
        replace(f.PATH, meaning="path of the file"),
        _CONTENT,
        Field(c.VALIDATOR, CATEGORY, "name of the validator"),
        Field(c.VALIDATOR_VERSION, CATEGORY, "its version"),
        Field(c.PASSED, BOOL, "whether the file is valid; null where it was not judged"),
        Field(c.REASON, TEXT, "first line of why it failed or was not judged; null where it passed"),
        Field(c.LINE, INT, "line at which it fails, from 1 on; null if unknown"),
        Field(c.COLUMN, INT, "column of that line, from 1 on; null if unknown"),
        Field(c.RUN_AT, TIME, "when the validator ran"),
        Field(c.REUSED_FROM, TEXT, "the result that was reused, as version_id#relpath; null where it ran"),
    ),
)
EVENTS = Section("events", "what was recorded", (
    Field(c.EVENT_ID, INT, "number of the event"),
    Field(c.TS, TIME, "when"),
    Field(c.TYPE, CATEGORY, "what happened, e.g. `extract.done`"),
    Field(c.LEVEL, CATEGORY, "`info`, `warning` or `error`"),
    replace(f.VERSION, meaning="the release it is about, if any"),
    Field(c.PAYLOAD, TEXT, "what else is known, as JSON"),
    Field(c.BOUNDARY_ID, TEXT, "names the boundary"),
    Field(c.RUN_ID, TEXT, "names the run"),
    Field(c.CONFIG_HASH, TEXT, "hash of the settings of the run"),
))  # fmt: skip
DELTA = Section("delta", "what changed from release A to release B", (
    f.CHANGE,
    f.PATH,
    Field(c.PREVIOUS_RELPATH, TEXT, "path in A of a renamed file, else null"),
    f.FORMAT,
    f.FILE_SIZE_A,
    f.FILE_SIZE_B,
    replace(f.DELTA, meaning="size in B less size in A, in bytes"),
    Field(c.FILE_ID_A, TEXT, "sha256 in A; null if it is not there"),
    Field(c.FILE_ID_B, TEXT, "sha256 in B; null if it is not there"),
))  # fmt: skip

TABLES = Contract("catalog", (VERSIONS, FILES, VALIDATIONS, EVENTS, DELTA, TERMS, MEANING))
