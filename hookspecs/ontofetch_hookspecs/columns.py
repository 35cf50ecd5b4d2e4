"""The tables inside of events and answers: what one has to be, and its columns."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from .light_dataclasses import dataclass


@runtime_checkable
class Table(Protocol):
    """A table that can be read any number of times, like a pyarrow.Table or a polars.DataFrame."""

    def __len__(self) -> int:
        """Return the number of rows."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """Return a PyCapsule with an Arrow C stream of all rows, anew at each call."""


@dataclass(frozen=True, slots=True)
class Column:
    """Describe one column of a table in an event: name, Arrow type, whether null is allowed, meaning."""

    name: str
    type: str
    nullable: bool
    meaning: str


FILES_COLUMNS = (
    Column("relpath", "string", False, "path below the release's data folder, POSIX, as on disk"),
    Column("file_id", "string", False, "sha256 of the bytes, 64 lower-case hex digits"),
    Column("format", "string", False, "name of the format, `unknown` where there is none"),
    Column("size_bytes", "int64", False, "size in bytes"),
    Column("mtime", "timestamp[us, UTC]", False, "modification time of the file on disk"),
)
RESULTS_COLUMNS = (
    Column("relpath", "string", False, "path of the validated file, as in the files table"),
    Column("file_id", "string", False, "sha256 of the bytes that were validated"),
    Column("validator", "string", False, "name of the validator"),
    Column("validator_version", "string", False, "version of the validator"),
    Column("passed", "bool", True, "whether the file is valid, null where nobody could judge it"),
    Column(
        "details",
        "string",
        False,
        "a JSON object: counts; why it fails under `error`, where under `line` and `column`; why nobody could judge it "
        "under `not_judged`; `unfinished`: there was no time or room to",
    ),
    Column("run_at", "timestamp[us, UTC]", False, "when the validator ran"),
    Column("reused_from", "string", True, "version_id#relpath of the result that was reused, null where it ran"),
)
KNOWN_RESULTS_COLUMNS = (
    Column("file_id", "string", False, "sha256 of the bytes that were validated"),
    Column("passed", "bool", True, "whether the file is valid, null where nobody could judge it"),
    Column("details", "string", False, "a JSON object"),
    Column("run_at", "timestamp[us, UTC]", False, "when the validator ran"),
    Column("reused_from", "string", False, "version_id#relpath of that result"),
)
FACTS_COLUMNS = (
    Column("file_id", "string", False, "sha256 of the stored bytes"),
    Column("content_id", "string", False, "sha256 of the content after decompression, else equal to file_id"),
    Column("facts_version", "string", False, "what the facts depend on: the algorithm, versions of libraries"),
    Column("facts", "string", True, "the small facts as a JSON object, null where there are none"),
    Column("reason", "string", True, "why there are none, null where there are"),
    Column("table", "string", True, "path of the table of terms below `staged`, a file of Parquet"),
    Column("table_sha256", "string", True, "sha256 of that file"),
    Column("table_bytes", "int64", True, "its size in bytes"),
)
KNOWN_FACTS_COLUMNS = (
    Column("file_id", "string", False, "sha256 of the stored bytes"),
    Column("facts_version", "string", False, "what the facts depend on"),
    Column("reason", "string", True, "why there are none, null where there are"),
)
