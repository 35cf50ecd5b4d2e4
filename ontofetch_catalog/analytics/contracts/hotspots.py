"""Own what the report `hotspots` returns."""

from __future__ import annotations

from dataclasses import replace

from .. import columns as c
from . import fields as f
from .shape import FLOAT, INT, LABEL, TEXT, Contract, Field, Section

_KEYS = {
    c.SERVICE: Field(c.SERVICE, LABEL, "where the releases came from"),
    c.HOST: Field(c.HOST, LABEL, "host of the artifact's URL, `file` for local ones"),
    c.FOLDER: Field(c.FOLDER, TEXT, "folder of the files, `.` at the top of the data folder"),
    c.FORMAT: f.GROUP_FORMAT,
    c.EXTENSION: Field(c.EXTENSION, LABEL, "what follows the last dot of the file's name, lower case, else `none`"),
}
_NUMBERS = (
    f.FILES,
    f.SIZE,
    Field(c.FAILED_FILES, INT, "files that some validator failed"),
    Field(c.SHARE, FLOAT, "part of all of the metric, 0 to 1"),
    Field(c.CUMULATIVE_SHARE, FLOAT, "part that this row and those above it hold, 0 to 1", "so far"),
    Field(c.TOP_SHARE, FLOAT, "part of the rows that this one and those above it are, 0 to 1", "top", 1),
)
SECTIONS = {c.SERVICE: "services", c.HOST: "hosts", c.FOLDER: "folders", c.FORMAT: "formats", c.EXTENSION: "extensions"}

HOTSPOTS = Contract(
    "hotspots",
    tuple(
        Section(
            SECTIONS[key],
            f"hotspots by {key}",
            (Field(c.RANK, INT, "1 for the most"), replace(field, detail=0), *_NUMBERS),
        )
        for key, field in _KEYS.items()
    ),
)
