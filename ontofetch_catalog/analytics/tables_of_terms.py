"""The rows about terms that a catalog gives to Python, and that the report `meaning` is about."""

from __future__ import annotations

from dataclasses import replace

from . import columns as c
from . import fields as f
from .fields import BOOL, INT, TEXT, Field, Section

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
