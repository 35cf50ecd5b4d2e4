"""Checks of the fields of events, made when one is made."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

from .columns import Table
from .errors import EventError
from .names import (
    MAX_ROOTED_BYTES,
    check_relpath,
    check_text,
    quote,
    root_fault,
)

MAX_EXTRA_BYTES = 16_384


def check_table(name: str, value: object) -> None:
    """Check that a field is a table that can be read more than once."""
    if not isinstance(value, Table):
        raise EventError(
            f"{name} is a {type(value).__name__}, not a table that can be read more than once.",
            subject=name,
            hint="Pass a pyarrow.Table or a polars.DataFrame; call read_all() on a reader first.",
        )


def _check_path(name: str, value: object) -> Path:
    if not isinstance(value, Path):
        raise EventError(f"{name} is a {type(value).__name__}, not a pathlib.Path.", subject=name)
    if not value.is_absolute() or ".." in value.parts or "\0" in str(value):
        raise EventError(f"{name} is {quote(value)}, not an absolute path.", subject=name)
    return value


def check_root(value: object) -> None:
    """Check that a store can have this root."""
    path = _check_path("root", value)
    fault = root_fault(str(path))
    if fault is not None:
        raise EventError(f"root is {quote(path)}, which {fault}.", subject="root", hint="Use another folder.")


def check_staged(value: object, root: Path) -> None:
    """Check that what an intent will say of staged bytes can be read again: the path below the root, else the name."""
    if value is None:
        return
    path = _check_path("staged", value)
    inner = path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name
    check_relpath("staged", inner, most=MAX_ROOTED_BYTES)
    try:
        os.fsencode(path)
    except UnicodeEncodeError as error:
        raise EventError(f"staged is {quote(path)}, which no file system can hold.", subject="staged") from error


def check_globs(name: str, value: object) -> None:
    """Check that a field is a tuple of globs."""
    if not isinstance(value, tuple):
        raise EventError(f"{name} is {quote(value)}, not a tuple of globs.", subject=name)
    for pattern in value:
        check_text(name, pattern, optional=False)


def check_extra(value: object) -> None:
    """Check that what a host wants to be recorded can be written as JSON, and is not too much."""
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise EventError(f"extra is a {type(value).__name__}, not a mapping of names to values.", subject="extra")
    try:
        size = len(json.dumps(dict(value), allow_nan=False).encode())
    except (TypeError, ValueError, RecursionError) as error:
        raise EventError(f"extra can't be written as JSON: {error}.", subject="extra") from error
    if size > MAX_EXTRA_BYTES:
        raise EventError(
            f"extra has {size:,} bytes as JSON, more than {MAX_EXTRA_BYTES:,}.",
            subject="extra",
            hint="Keep the large part in a file of its own, and its name here.",
        )


def check_flag(name: str, value: object) -> None:
    """Check that a field is True or False."""
    if not isinstance(value, bool):
        raise EventError(f"{name} is {quote(value)}, neither True nor False.", subject=name)
