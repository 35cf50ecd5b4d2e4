"""The bare rows that a catalog gives to Python: releases, files, results, events, terms, and what changed.

The report `meaning` has the rows of CHANGES, too.
"""

from __future__ import annotations

from dataclasses import replace

from . import columns as c
from . import fields as f
from .fields import BOOL, CATEGORY, DATE, INT, TEXT, TIME, Contract, Field, Section

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
CHANGE = f"Enum({', '.join(c.TERM_CHANGES)})"
CHANGES = Section(
    "changes",
    "terms",
    (
        Field(c.CHANGE, CHANGE, "what became of the term; each changed term has one"),
        Field(c.TERM, TEXT, "short name: `GO:0008150` where the IRI ends in `GO_0008150`, else what stands last in it"),
        Field(c.IRI, TEXT, "IRI of the term; of one that changed namespace, the old one", "IRI", 9),
        Field(c.KIND, TEXT, "class, object property, individual …; `mention` where no type is stated", detail=5),
        Field(c.LABEL_A, TEXT, "label in A", "label in A", 4),
        Field(c.LABEL_B, TEXT, "label in B", "label in B", 3),
        Field(c.BEFORE, TEXT, "what changed as it was: label, definition, parents that are lost, IRI"),
        Field(c.AFTER, TEXT, "what it became: label, definition, parents that are new, what replaces it"),
        Field(c.ALSO, TEXT, "what else changed; `another of its texts`: in another language, or of several", detail=6),
        Field(c.REPLACED_BY, TEXT, "IRI of the term to use instead, if one is named", "instead", 8),
        Field("definition_a", TEXT, "definition in A", "definition in A", 11),
        Field("definition_b", TEXT, "definition in B", "definition in B", 10),
        Field("parents_a", TEXT, "IRIs of the named parents in A, with blanks between", "parents in A", 13),
        Field("parents_b", TEXT, "IRIs of the named parents in B, with blanks between", "parents in B", 12),
        Field(c.FILE, TEXT, "path in B of the file that shows it; of a removed file, in A", detail=7),
        Field(c.FILES, INT, "number of pairs of files that show the same change", detail=14),
    ),
    split=c.CHANGE,
)  # fmt: skip
MEANING = replace(CHANGES, name="meaning", title="what became of terms from release A to release B")
_SHORT = next(field for field in CHANGES.fields if field.name == c.TERM)
_KIND = next(field for field in CHANGES.fields if field.name == c.KIND)
TERMS = Section("terms", "terms of files", (
    f.VERSION,
    replace(f.PATH, meaning="path of the file"),
    _SHORT,
    Field(c.IRI, TEXT, "IRI of the term"),
    _KIND,
    Field(c.LABEL, TEXT, "English label, else one without language, else another one"),
    Field(c.DEFINITION, TEXT, "likewise"),
    Field(c.DEPRECATED, BOOL, "whether it is obsolete"),
    Field(c.REPLACED_BY, TEXT, "IRIs of what replaces it, with blanks between"),
    Field(c.CONSIDER, TEXT, "IRIs of what to consider instead, likewise"),
    Field(c.PARENTS, TEXT, "IRIs of its named parents, likewise"),
    Field(c.ALT_IDS, TEXT, "IRIs of terms that were merged into it, likewise"),
    Field(c.STATEMENTS, INT, "number of statements about it; triples, in OBO clauses"),
))  # fmt: skip

TABLES = Contract("catalog", (VERSIONS, FILES, VALIDATIONS, EVENTS, DELTA, TERMS, MEANING))
