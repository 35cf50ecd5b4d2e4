"""The batches of a plan and their entries: what lay on disk when it was made, as rows and as lines of a file."""

from __future__ import annotations

import operator
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from json.encoder import encode_basestring_ascii as quoted
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ontofetch_hookspecs.json_documents import parse_json
from ontofetch_hookspecs.layout import CATALOG
from ontofetch_hookspecs.light_dataclasses import dataclass
from ontofetch_hookspecs.names import check_size, quote
from ontofetch_hookspecs.store_paths import StorePath

from ...errors import EventError
from ..walk import Entry, as_path, as_text

if TYPE_CHECKING:
    import pyarrow as pa

_NEEDS_ESCAPES = r"[^ !#-\[\]-~]"  # what JSON in ASCII writes otherwise than it is
AT_ONCE = 10_000  # entries that are objects of Python together


@dataclass(frozen=True, slots=True)
class Batch:
    """What is moved at once: some orphans, or a whole release.

    Args:
        number: Its place in the plan, from 0 on.
        version_id: The release, None for orphans.
        parts: Folders and documents of the release that move whole; empty for orphans, which move one by one.
        entries: How many entries it has.
        bytes: Their size.
        artifact: The one artifact of the release that is meant with what came out of it; None: the whole release.
    """

    number: int
    version_id: str | None
    parts: tuple[str, ...]
    entries: int
    bytes: int
    artifact: str | None = None


# a release (None: orphans), its parts, why its entries are taken, and these
Found = tuple[str | None, tuple[str, ...], str, Sequence[Entry]]
_Group = tuple[Batch, str, Sequence[Entry]]  # a batch, why its entries are taken, and these


def entry_schema() -> pa.Schema:
    """Return the columns of the entries: those of entries.jsonl, in order.

    batch; path (below the root, in the text of `entries.as_text`); kind; size_bytes; touched_at (UTC, the later of
    mtime and ctime); age_seconds (when the plan was made); reason; version_id; inode, device, links, mtime_ns, ctime_ns
    as lstat says.
    """
    import pyarrow as pa

    whole, text = pa.int64(), pa.string()
    return pa.schema(
        [
            ("batch", pa.int32()),
            ("path", text),
            ("kind", text),
            ("size_bytes", whole),
            ("touched_at", pa.timestamp("us")),
            ("age_seconds", whole),
            ("reason", text),
            ("version_id", text),
            ("inode", pa.uint64()),
            ("device", pa.uint64()),
            ("links", whole),
            ("mtime_ns", whole),
            ("ctime_ns", whole),
        ]
    )


def in_batches(found: Iterable[Found], *, now: int, artifact: str | None = None) -> tuple[list[Batch], pa.Table]:
    """Return what is moved at once as batches of a plan made at `now` (nanoseconds since 1970), and their entries.

    Args:
        found: What each batch has.
        artifact: The one artifact that is meant of each release.
    """
    groups: list[_Group] = []
    for version_id, parts, reason, entries in found:
        size = sum(entry.size for entry in entries)
        groups.append((Batch(len(groups), version_id, parts, len(entries), size, artifact), reason, entries))
    return [batch for batch, _, _ in groups], entry_table(groups, now=now)


def entry_table(groups: Iterable[_Group], *, now: int) -> pa.Table:
    """Return entries of the disk as rows of a plan made at `now` (nanoseconds since 1970), batch after batch."""
    import pyarrow as pa

    tables, waiting, count = [], list[_Group](), 0
    for group in groups:
        waiting.append(group)
        count += len(group[2])
        # a table of each batch alone would take several times as much room as its rows
        if count >= AT_ONCE:
            tables.append(_entry_table(waiting, now))
            waiting, count = [], 0
    return pa.concat_tables([*tables, _entry_table(waiting, now)])


def _entry_table(groups: Sequence[_Group], now: int) -> pa.Table:
    import pyarrow as pa

    entries = [entry for _, _, some in groups for entry in some]
    paths, kinds, sizes, mtimes, ctimes, inodes, devices, links = zip(*entries, strict=True) if entries else [()] * 8
    touched = list(map(max, mtimes, ctimes))
    columns = {
        "batch": [batch.number for batch, _, some in groups for _ in some],
        "path": list(map(as_text, paths)),
        "kind": kinds,
        "size_bytes": sizes,
        "touched_at": pa.array([time // 1000 for time in touched], pa.int64()).cast(pa.timestamp("us")),
        "age_seconds": [(now - time) // 10**9 for time in touched],
        "reason": [reason for _, reason, some in groups for _ in some],
        "version_id": [batch.version_id for batch, _, some in groups for _ in some],
        "inode": inodes,
        "device": devices,
        "links": links,
        "mtime_ns": mtimes,
        "ctime_ns": ctimes,
    }
    return pa.table(columns, schema=entry_schema())


def from_lines(lines: Iterable[bytes]) -> pa.Table:
    """Return the entries that some lines of `entries.jsonl` say, checked; columns as `entry_schema` says.

    Raises:
        EventError: One is not below a release's folder.
        ValueError, KeyError, TypeError: One is of another form.
    """
    import pyarrow as pa

    rows = [_read_entry(line) for line in lines]
    columns: dict[str, Any] = {name: [row[name] for row in rows] for name in entry_schema().names}
    # times are written with a `Z`, the catalog has UTC without zone
    touched = pa.array(columns["touched_at"], pa.string()).cast(pa.timestamp("us", "UTC"))
    return pa.table({**columns, "touched_at": touched.cast(pa.timestamp("us"))}, schema=entry_schema())


def _read_entry(line: bytes) -> dict[str, Any]:
    row: Any = parse_json(line)
    _check_place(as_path(row["path"]))
    for field in ("size_bytes", "inode", "device", "links"):
        check_size(field, row[field])
    found: dict[str, Any] = row
    return found


def _check_place(path: str) -> None:
    """Check that a path can be that of a release's file; any name that a disk allows may be in it."""
    StorePath(Path("/"), path)
    if path.partition("/")[0] in (CATALOG, path):
        raise EventError(f"{quote(path)} is no file of a release.", subject=path)


def entries_of(entries: pa.Table, batch: Batch) -> list[Entry]:
    """Return the entries of one batch, as they were on disk when the plan was made."""
    columns = ["path", "kind", "size_bytes", "mtime_ns", "ctime_ns", "inode", "device", "links"]
    # they stand in the order of their batches
    start = bisect_left(entries["batch"], batch.number, key=operator.methodcaller("as_py"))
    stop = bisect_left(entries["batch"], batch.number + 1, lo=start, key=operator.methodcaller("as_py"))
    mine = entries.slice(start, stop - start).select(columns)
    return [Entry(as_path(path), *rest) for path, *rest in zip(*mine.to_pydict().values(), strict=True)]


def as_lines(entries: pa.Table) -> Iterator[bytes]:
    """Yield the lines of `entries.jsonl`, many at a time."""
    import pyarrow.compute as pc

    for chunk in entries.to_batches(AT_ONCE):
        parts: list[Any] = []
        for name, column in zip(chunk.schema.names, chunk.columns, strict=True):
            same = name != "path" and not column.null_count and pc.all(pc.equal(column, column[0])).as_py()
            # a batch has one reason and one release, a disk one device: such a text is made once
            parts += [f'{", " if parts else "{"}"{name}": ', _as_json(column[:1])[0] if same else _as_json(column)]
        yield "".join(pc.binary_join_element_wise(*parts, "}\n", "").to_pylist()).encode()


def _as_json(column: pa.Array) -> pa.Array:
    """Return a column as texts of JSON; a value at a time it would take five times as long."""
    import pyarrow as pa
    import pyarrow.compute as pc

    texts = column.cast(pa.string())
    if pa.types.is_timestamp(column.type):
        texts = pc.binary_join_element_wise('"', pc.replace_substring(texts, " ", "T"), 'Z"', "")
    elif pa.types.is_string(column.type):
        if pc.any(pc.match_substring_regex(texts, _NEEDS_ESCAPES)).as_py():
            texts = pa.array(list(map(quoted, texts.fill_null("").to_pylist())), pa.string())
        else:
            texts = pc.binary_join_element_wise('"', texts, '"', "")
    return pc.if_else(column.is_valid(), texts, "null")
