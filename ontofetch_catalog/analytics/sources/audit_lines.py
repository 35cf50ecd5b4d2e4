"""The lines of audits, which reports can read in the place of the catalog, scanned with a schema.

A line that does not fit is found and named; what the rows mean is not known here.
"""

from __future__ import annotations

import errno
import os
import re
import resource
import stat
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import IO

import polars as pl

from ontofetch_hookspecs import layout
from ontofetch_hookspecs.json_documents import parse_json
from ontofetch_hookspecs.names import MAX_SIZE, quote
from ontofetch_hookspecs.store_paths import StorePath

from ...errors import CatalogUnreadable
from .. import columns as c
from ..collect import Teller, collect

MAX_AUDIT = 1 << 29  # bytes; about 1,600,000 files of a release
MAX_FILES = 1 << 16
MAX_LINE = 1 << 20  # bytes; a path has at most 1,024, a reason some thousand
TIME_FORMAT = "%Y-%m-%dT%H:%M:%S%.fZ"
EXTRACT_AUDIT: dict[str, pl.DataType] = {
    c.VERSION_ID: pl.String(),
    c.RELPATH: pl.String(),
    c.FILE_ID: pl.String(),
    c.ARTIFACT_ID: pl.String(),
    c.FORMAT: pl.String(),
    c.SIZE: pl.Int64(),
    c.MTIME: pl.String(),
}
VALIDATION_AUDIT: dict[str, pl.DataType] = {
    c.VERSION_ID: pl.String(),
    c.RELPATH: pl.String(),
    c.FILE_ID: pl.String(),
    c.VALIDATOR: pl.String(),
    c.VALIDATOR_VERSION: pl.String(),
    c.PASSED: pl.Boolean(),
    c.DETAILS: pl.Struct({c.ERROR: pl.String(), c.NOT_JUDGED: pl.String(), c.LINE: pl.Int64(), c.COLUMN: pl.Int64()}),
    c.RUN_AT: pl.String(),
    c.REUSED_FROM: pl.String(),
}
_NULLABLE = (c.PASSED, c.DETAILS, c.REUSED_FROM)
_REMARKS = "remarks"  # of a line of an extract audit that is about an artifact and no file
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?Z")
_JSON_TYPES = {pl.String: str, pl.Int64: int, pl.Boolean: bool, pl.Struct: dict}


class Audits:
    """The audits of some releases, scanned lazily.

    Args:
        root: The store, for sentences.
        folders: version_id → folder of the release, each series in its order.
        tell: Prints plans and times; None for none.
    """

    def __init__(self, root: Path, folders: Mapping[str, StorePath], tell: Teller | None) -> None:
        self._root = root
        self._folders = folders
        self._tell = tell

    def extracted(self, version_ids: Sequence[str] | None) -> pl.LazyFrame:
        """Return the lines about the files of some releases, or of all; columns as in EXTRACT_AUDIT, times in UTC.

        A null where none may be fails the query that reads it.

        Raises:
            CatalogUnreadable: An audit can't be opened, is a link or no regular file, or is larger than MAX_AUDIT.
        """
        return _scan(self._paths(layout.EXTRACT_AUDIT, version_ids), EXTRACT_AUDIT)

    def validations(self, version_ids: Sequence[str] | None) -> pl.LazyFrame:
        """Return the lines about what validators said, likewise; columns as in VALIDATION_AUDIT."""
        return _scan(self._paths(layout.VALIDATION_AUDIT, version_ids), VALIDATION_AUDIT)

    def have_validations(self, version_ids: Sequence[str] | None) -> bool:
        """Say whether there is any line about what validators said."""
        return bool(self._paths(layout.VALIDATION_AUDIT, version_ids))

    def settled(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """Return `frame` read, as the catalog reads its statements: a plan over scans is not run again by each use."""
        return collect({"audits": frame}, self._tell, self._find_fault)["audits"].lazy()

    def _find_fault(self) -> CatalogUnreadable:
        """Return the first line of an audit that does not fit; if all do by themselves, they do not together."""
        return (
            _first_fault(self._paths(layout.EXTRACT_AUDIT, None), EXTRACT_AUDIT)
            or _first_fault(self._paths(layout.VALIDATION_AUDIT, None), VALIDATION_AUDIT)
            or CatalogUnreadable(
                f"What the audits below {quote(self._root)} say can't be added up.",
                subject=str(self._root),
                hint="Without --from the catalog is read; -v shows the cause.",
            )
        )

    def _paths(self, name: str, version_ids: Sequence[str] | None) -> list[StorePath]:
        """Return the audits of a name that have lines."""
        chosen = self._folders if version_ids is None else dict.fromkeys(version_ids)
        paths = [self._folders[version_id] / name for version_id in chosen]
        return [path for path in paths if _holds_lines(path)]


def _holds_lines(path: StorePath) -> bool:
    """Say whether there is an audit that holds something; what is no regular file is refused when it is read."""
    if not path.exists():
        return False
    found = path.lstat()
    return found.st_size > 0 or not stat.S_ISREG(found.st_mode)


def _scan(paths: Sequence[StorePath], schema: Mapping[str, pl.DataType]) -> pl.LazyFrame:
    if not paths:
        return _with_times(pl.LazyFrame(schema=dict(schema)))
    _allow_open_files()
    with ExitStack() as opened:
        # what was opened is what is read: the plan takes descriptors of its own, and no path
        streams: list[IO[bytes]] = [opened.enter_context(os.fdopen(_open_audit(path), "rb")) for path in paths]
        lines = pl.scan_ndjson(streams, schema=dict(schema) | _more(schema))
        if _more(schema):
            lines = lines.filter(pl.col(_REMARKS).is_null()).drop(_REMARKS)
    return _with_times(lines.with_columns(_required(name) for name in schema if name not in _NULLABLE))


def _more(schema: Mapping[str, pl.DataType]) -> dict[str, pl.DataType]:
    """Return what else may stand in lines of this schema and is read to tell them apart."""
    return {_REMARKS: pl.List(pl.Struct({"kind": pl.String()}))} if c.ARTIFACT_ID in schema else {}


def _allow_open_files() -> None:
    """Let this process hold as many files as the system lets it: a plan over all releases holds one for each."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MAX_FILES if hard == resource.RLIM_INFINITY else min(MAX_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        # macOS may allow fewer than it says
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _open_audit(path: StorePath) -> int:
    try:
        descriptor = path.open_file()
    except OSError as error:
        raise _unreadable(path, f"{quote(path)} can't be read: {why_not_opened(error)}") from error
    if os.fstat(descriptor).st_size > MAX_AUDIT:
        os.close(descriptor)
        raise _unreadable(path, f"{quote(path)} is larger than {MAX_AUDIT:,} bytes")
    return descriptor


def why_not_opened(error: OSError) -> str:
    """Return why something below a store could not be opened, as the end of a sentence."""
    return "it is a link, or lies behind one" if error.errno == errno.ELOOP else error.strerror or str(error)


def _unreadable(subject: object, what: str) -> CatalogUnreadable:
    return CatalogUnreadable(
        f"{what}.",
        subject=str(subject),
        hint="Pulling the release again writes its audits anew; without --from the catalog is read.",
    )


def _required(name: str) -> pl.Expr:
    # scan_ndjson reads what a line lacks as null; strictness per column costs a query only the columns it uses
    present = pl.col(name).is_null().replace_strict({False: True})
    return pl.when(present).then(pl.col(name)).alias(name)


def _with_times(lines: pl.LazyFrame) -> pl.LazyFrame:
    times = [name for name in (c.MTIME, c.RUN_AT) if name in lines.collect_schema()]
    return lines.with_columns(pl.col(times).str.to_datetime(TIME_FORMAT, time_unit="us", time_zone="UTC", strict=True))


def _first_fault(paths: Sequence[StorePath], schema: Mapping[str, pl.DataType]) -> CatalogUnreadable | None:
    """Return the first line that does not fit, as an error with file and line, read line by line; None if all fit."""
    for path in paths:
        with os.fdopen(_open_audit(path), "rb") as file:
            number = 0
            while line := file.readline(MAX_LINE + 1):
                number += 1
                fault = _line_fault(line, schema)
                if fault:
                    return _unreadable(f"{path}:{number}", f"{quote(path)}, line {number}: {fault}")
    return None


def _line_fault(line: bytes, schema: Mapping[str, pl.DataType]) -> str | None:
    if not line.strip():
        return None
    if len(line) > MAX_LINE:
        return f"it is longer than {MAX_LINE:,} bytes"
    try:
        found = parse_json(line)
    except ValueError:
        return "it is no JSON" + ("" if line.endswith(b"\n") else ", and the file ends inside it")
    if not isinstance(found, dict):
        return "it is no JSON object"
    if _more(schema) and isinstance(found.get(_REMARKS), list):
        return None
    faults = (_value_fault(name, dtype, found) for name, dtype in schema.items())
    return next(filter(None, faults), None)


def _value_fault(name: str, dtype: pl.DataType, found: Mapping[str, object]) -> str | None:
    wanted = _JSON_TYPES[type(dtype)]
    value = found.get(name)
    if value is None and name in _NULLABLE:
        return None
    if not isinstance(value, wanted) or (wanted is int and isinstance(value, bool)):
        return f"{name} is {quote(value)}, not {wanted.__name__}" if name in found else f"{name} is missing"
    if name in (c.MTIME, c.RUN_AT) and not _TIME.fullmatch(str(value)):
        return f"{name} is {quote(value)}, not a time in UTC"
    if isinstance(value, int) and abs(value) > MAX_SIZE:
        return f"{name} is {quote(value)}, not a number of bytes"
    return None
