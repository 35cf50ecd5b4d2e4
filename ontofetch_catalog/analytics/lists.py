"""The lists that a user joins to a report: a small CSV file, read once, whose words never get into a sentence.

What the report is about is not known here.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import polars as pl

from ontofetch_hookspecs.names import quote

from ..errors import UsageError
from ..named_files import comma_of, open_named, text_fault

MAX_LIST = 1 << 26  # bytes
MAX_LINE = 1 << 20  # characters, also of one that goes on inside of quotes
_NUMBER = re.compile("-?[0-9]{1,19}")
_TERMS_HINT = "It has an IRI or a CURIE a line, or is CSV with a column `iri`, in UTF-8."
_HINT = "A list is CSV in UTF-8 with a header, such as `version_id,owner`."


def join_list(rows: pl.LazyFrame, path: str | Path) -> pl.LazyFrame:
    """Return `rows` with the columns of a CSV list beside them, lazily, joined on the columns that both have.

    Args:
        rows: Any frame.
        path: CSV with a header, UTF-8, at most MAX_LIST bytes, with commas, semicolons or tabs. What has the name of a
            column of `rows` is a key and has its dtype, the rest is text. A key that is there twice makes two rows.

    Raises:
        UsageError: The file can't be read, is no regular file, shares no column, or a line does not fit. What the file
            says is not repeated: it may not be the one that was meant.
    """
    schema = rows.collect_schema()
    data = _read(path)
    comma = comma_of(data)
    header = _header(path, data, comma)
    keys = [name for name in header if name in schema and _can_be_key(schema[name])]
    if not keys or len(keys) == len(header) or set(header) - set(keys) & set(schema):
        joinable = [name for name, dtype in schema.items() if _can_be_key(dtype)]
        raise UsageError(
            f"The list {quote(path)} can't be joined: its first line names no columns that fit.",
            subject=str(path),
            hint=f"It needs some of {', '.join(map(_plain, joinable))} to join on, and others, of new names, to add.",
        )
    fault = _list_fault(path, data, comma, {name: schema[name] if name in keys else pl.String() for name in header})
    if fault:
        raise fault
    listed = pl.scan_csv(data, schema=dict.fromkeys(header, pl.String()), separator=comma)
    # what is no label of the report, or no number of its size, has no partner
    typed = listed.with_columns(pl.col(name).cast(schema[name], strict=False) for name in keys)
    return rows.join(typed, on=keys, how="left", maintain_order="left")


_TERM_COLUMNS = ("iri", "term", "id", "curie", "term_id")


def read_words(path: str | Path) -> list[str]:
    """Return the terms of a user's list, each once, in their order: IRIs or CURIEs.

    Args:
        path: UTF-8, at most MAX_LIST bytes: a term a line; or a table whose header has `iri`, `term`, `id` or `curie`,
            with commas, semicolons or tabs. What stands after a `#` at the start of a line is no term.

    Raises:
        UsageError: The file can't be read, is no regular file, or names no term.
    """
    data = _read(path, _TERMS_HINT)
    comma = _comma_of(data)
    lines = [line for line in _lines(path, data, comma, _TERMS_HINT) if line and not line[0].startswith("#")]
    header = [name.strip().casefold() for name in lines[0]] if lines else []
    at = next((header.index(name) for name in _TERM_COLUMNS if name in header), None)
    words = [line[at or 0].strip().strip("<>") for line in lines[at is not None :] if len(line) > (at or 0)]
    found = list(dict.fromkeys(filter(None, words)))
    if not found:
        raise UsageError(
            f"The list {quote(path)} names no term.",
            subject=str(path),
            hint=_TERMS_HINT,
        )
    return found


def _comma_of(data: bytes) -> str:
    """Return what stands between the fields of a list of terms, as its first line says."""
    first = data.removeprefix(b"\xef\xbb\xbf").splitlines()[:1]
    if b"\t" in b"".join(first):
        return "\t"
    names = [name.strip(b' "').lower() for line in first for name in line.split(b";")]
    return ";" if len(names) > 1 and any(name.encode() in names for name in _TERM_COLUMNS) else ","


def _plain(name: str) -> str:
    return quote(name)[1:-1]


def _can_be_key(dtype: pl.DataType) -> bool:
    return dtype.is_integer() or dtype in (pl.String, pl.Categorical, pl.Enum)


def _read(path: str | Path, hint: str = _HINT) -> bytes:
    """Return the bytes of a file that a user named; it is opened once, and nothing is waited for."""
    try:
        stream = open_named(path, regular=True)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "its name is none"
        raise _unreadable(path, f"{reason}", hint) from error
    with stream:
        # what the system says of its size may grow while it is read
        data = stream.read(MAX_LIST + 1)
    if len(data) > MAX_LIST:
        raise _unreadable(path, f"it is larger than {MAX_LIST:,} bytes", hint)
    return data


def _unreadable(path: str | Path, reason: str, hint: str = _HINT) -> UsageError:
    return UsageError(f"The list {quote(path)} can't be read: {reason}.", subject=str(path), hint=hint)


def _lines(path: str | Path, data: bytes, comma: str, hint: str = _HINT) -> Iterator[list[str]]:
    taken = 0

    def counted(text: Iterable[str]) -> Iterator[str]:
        nonlocal taken
        for line in text:
            taken += len(line)
            if taken > MAX_LINE:
                raise _unreadable(path, f"a line is longer than {MAX_LINE:,} characters", hint)
            yield line

    try:
        with io.TextIOWrapper(io.BytesIO(data), encoding="utf-8-sig", newline="") as text:
            for line in csv.reader(counted(text), delimiter=comma):
                taken = 0
                yield line
    except UnicodeDecodeError as error:
        raise _unreadable(path, text_fault(data), hint) from error
    except csv.Error as error:
        raise _unreadable(path, "it is no CSV, or a field is longer than 131,072 characters", hint) from error


def _header(path: str | Path, data: bytes, comma: str) -> list[str]:
    header = next(_lines(path, data, comma), [])
    if len(set(header)) < len(header):
        raise UsageError(f"The list {quote(path)} has two columns of one name.", subject=str(path), hint=_HINT)
    return header


def _list_fault(path: str | Path, data: bytes, comma: str, types: Mapping[str, pl.DataType]) -> UsageError | None:
    numbers = {at: name for at, (name, dtype) in enumerate(types.items()) if dtype.is_integer()}
    for number, line in enumerate(_lines(path, data, comma), 1):
        if number == 1 or not line:
            continue
        wrong = [name for at, name in numbers.items() if at < len(line) and not _NUMBER.fullmatch(line[at])]
        if len(line) != len(types) or wrong:
            what = (
                f"its {_plain(wrong[0])} is no whole number"
                if wrong
                else f"it has {len(line)} fields, not {len(types)}"
            )
            return UsageError(f"{quote(path)}, line {number}: {what}.", subject=f"{path}:{number}", hint=_HINT)
    return None


def parse_fault(path: str | Path) -> UsageError:
    """Return the error of a list that fits line by line, but that the query could not read."""
    return _unreadable(path, "its quotes don't fit")
