"""The document of a plan: what is in it, how it is written, read and proven unchanged, and its batches.

`.catalog/plans/<id>/plan.json` says what was asked for and what it comes to, `entries.jsonl` beside it lists every
entry; why an entry is in it, and what is done with it, is not known here.
"""

from __future__ import annotations

import hmac
import json
import operator
import os
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ontofetch_hookspecs.layout import CATALOG, PLANS, QUARANTINE, split_version_id
from ontofetch_hookspecs.names import MAX_ROOTED_BYTES, check_relpath, check_size, check_text, quote
from ontofetch_hookspecs.store_paths import StorePath, parse_json

from ...errors import EventError, OntofetchError
from .. import fsops
from ..connection import Store
from ..store_key import make_key, read_key
from ..walk import Entry, as_path, as_text

if TYPE_CHECKING:
    import pyarrow as pa

FORMAT = 1
DOCUMENT = "plan.json"
ENTRIES = "entries.jsonl"
BATCH_ENTRIES = 1_000  # opening and syncing is paid once; an interrupt or another writer waits for less than a second
_AT_ONCE = 10_000


class PlanUnusable(OntofetchError):
    """A plan is missing, damaged, was edited, or does not fit the store any more."""


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


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan as written.

    Args:
        plan_id: Names it and its folder.
        header: What plan.json says.
        batches: Its batches, in order.
    """

    plan_id: str
    header: dict[str, Any]
    batches: tuple[Batch, ...]

    @property
    def folder(self) -> str:
        """Return its folder below the root."""
        return f"{PLANS}/{self.plan_id}"

    @property
    def digest(self) -> str:
        """Return the sha256 that proves it unchanged."""
        return str(self.header["digest"])

    def quarantine(self, batch: Batch) -> str:
        """Return the folder below the root where a batch's entries go."""
        return f"{QUARANTINE}/{self.plan_id}/{batch.number}"

    def rows(self, batch: Batch, table: str) -> str:
        """Return the path below the root where a release's rows of one table are kept."""
        return f"{self.folder}/rows/{batch.number}/{table}.parquet"

    def terms(self, batch: Batch, path: str) -> str:
        """Return the path below the root where a table of terms is kept that leaves with a release."""
        return f"{self.folder}/rows/{batch.number}/terms/{path.rpartition('/')[2]}"


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


def entry_table(batch: Batch, entries: Sequence[Entry], *, reason: str, now: int) -> pa.Table:
    """Return entries of the disk as rows of a plan made at `now` (nanoseconds since 1970)."""
    import pyarrow as pa

    count = len(entries)
    touched = [entry.touched // 1000 for entry in entries]
    columns = {
        "batch": [batch.number] * count,
        "path": [as_text(entry.path) for entry in entries],
        "kind": [entry.kind for entry in entries],
        "size_bytes": [entry.size for entry in entries],
        "touched_at": pa.array(touched, pa.int64()).cast(pa.timestamp("us")),
        "age_seconds": [(now - entry.touched) // 10**9 for entry in entries],
        "reason": [reason] * count,
        "version_id": [batch.version_id] * count,
        "inode": [entry.inode for entry in entries],
        "device": [entry.device for entry in entries],
        "links": [entry.links for entry in entries],
        "mtime_ns": [entry.mtime for entry in entries],
        "ctime_ns": [entry.ctime for entry in entries],
    }
    return pa.table(columns, schema=entry_schema())


def write_plan(store: Store, header: dict[str, Any], batches: Sequence[Batch], entries: pa.Table) -> Plan:
    """Write a plan, durable, entries first; return it with its digest."""
    plan_id = str(header["id"])
    folder = store.path(f"{PLANS}/{plan_id}")
    fsops.make_folders(folder)
    digest, _ = fsops.write_new(folder / ENTRIES, _lines(entries))
    content = {
        "format": FORMAT,
        **header,
        "batches": [
            {
                "batch": batch.number,
                "version_id": batch.version_id,
                "parts": list(batch.parts),
                "entries": batch.entries,
                "bytes": batch.bytes,
                **({"artifact": batch.artifact} if batch.artifact is not None else {}),
            }
            for batch in batches
        ],
        "entries": {"file": ENTRIES, "count": len(entries), "sha256": digest},
    }
    content["digest"] = _digest(make_key(store), content)
    fsops.write_file(folder / DOCUMENT, (json.dumps(content, indent=2) + "\n").encode())
    fsops.sync_folder(folder.parent)
    return Plan(plan_id, content, tuple(batches))


def read_plan(store: Store, name: str) -> Plan:
    """Return the plan of this id, or whose folder or plan.json is at this path.

    Raises:
        PlanUnusable: There is none, it can't be read, or it was edited.
    """
    plan_id = Path(name).parent.name if Path(name).name == DOCUMENT else Path(name).name
    try:
        path = store.path(PLANS) / plan_id / DOCUMENT
        found: Any = path.read_json()
    except (FileNotFoundError, EventError) as error:
        raise PlanUnusable(
            f"There is no plan {quote(name)} below {store.path(PLANS)}.",
            subject=plan_id,
            hint="`ontofetch db prune --plans` lists the plans; `ontofetch db prune` makes one.",
        ) from error
    except (OSError, ValueError) as error:
        raise _edited(plan_id, f"can't be read: {getattr(error, 'strerror', None) or error}") from error
    try:
        key = read_key(store)
    except OSError as error:
        reason = error.strerror or str(error)
        raise _edited(plan_id, f"was made on another catalog, or this one's key can't be used: {reason}") from error
    try:
        told = str(found.pop("digest"))
        intact = hmac.compare_digest(told.encode(), _digest(key, found).encode())
        intact = intact and found["format"] == FORMAT and found["id"] == plan_id
        found["digest"] = told
        batches = tuple(_read_batch(item, number) for number, item in enumerate(found["batches"]))
        check_size("event_id", found["catalog"]["event_id"])
        check_text("digest", found["catalog"]["digest"], optional=False)
        if intact and fsops.hash_file(path.with_name(ENTRIES))[0] == found["entries"]["sha256"]:
            return Plan(plan_id, found, batches)
    except EventError as error:
        raise _edited(plan_id, f"names what it may not: {error.message.rstrip('.')}") from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise _edited(plan_id, f"can't be read: {type(error).__name__}") from error
    raise _edited(plan_id, "is not what was written: its digest differs, so it was edited or damaged")


def list_plans(store: Store) -> list[str]:
    """Return the ids of the plans of a store, oldest first."""
    folder = store.path(PLANS)
    return [name for name in folder.names() if (folder / name / DOCUMENT).is_file()]


def read_entries(store: Store, plan: Plan) -> pa.Table:
    """Return every entry of a plan, columns as `entry_schema` says; the plan was read and proven before."""
    import pyarrow as pa

    names = entry_schema().names
    tables = []
    with os.fdopen((store.path(plan.folder) / ENTRIES).open_file(), "rb") as stream:
        while lines := list(islice(stream, _AT_ONCE)):
            rows = [_read_entry(plan, line) for line in lines]
            columns: dict[str, Any] = {name: [row[name] for row in rows] for name in names}
            columns["touched_at"] = _as_utc(columns["touched_at"])
            tables.append(pa.table(columns, schema=entry_schema()))
    return pa.concat_tables(tables) if tables else entry_schema().empty_table()


def _read_batch(item: dict[str, Any], number: int) -> Batch:
    """Return a batch as plan.json says it, checked: a plan may be somebody else's.

    Raises:
        EventError: It names what is no release or no part of it.
    """
    parts, artifact = tuple(item["parts"]), item.get("artifact")
    batch = Batch(item["batch"], item["version_id"], parts, item["entries"], item["bytes"], artifact)
    # a release whose folder is gone has no parts
    if batch.number != number or (batch.version_id is None and (batch.parts or batch.artifact is not None)):
        raise EventError("Its batches are not of the known form.", subject="batches")
    check_size("entries", batch.entries)
    check_size("bytes", batch.bytes)
    if batch.version_id is not None:
        split_version_id(batch.version_id)
    if batch.artifact is not None:
        check_relpath("artifact", batch.artifact)
    for part in batch.parts:
        if not check_relpath("part", part, most=MAX_ROOTED_BYTES).startswith(f"{batch.version_id}/"):
            raise EventError(f"{quote(part)} is no part of {batch.version_id}.", subject=part)
    return batch


def _read_entry(plan: Plan, line: bytes) -> dict[str, Any]:
    """Return an entry as its line says it, checked.

    Raises:
        PlanUnusable: It is not below a release's folder.
    """
    try:
        row: Any = parse_json(line)
        _check_place(as_path(row["path"]))
        for field in ("size_bytes", "inode", "device", "links"):
            check_size(field, row[field])
    except EventError as error:
        raise _edited(plan.plan_id, f"names what it may not: {error.message.rstrip('.')}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise _edited(plan.plan_id, f"can't be read: {type(error).__name__}") from error
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


def _as_utc(texts: Sequence[str]) -> pa.Array:
    """Return times written with a `Z` as the catalog has them: UTC without zone."""
    import pyarrow as pa

    return pa.array(texts, pa.string()).cast(pa.timestamp("us", "UTC")).cast(pa.timestamp("us"))


def _lines(entries: pa.Table) -> Iterator[bytes]:
    for chunk in entries.to_batches(_AT_ONCE):
        rows = chunk.to_pylist()
        for row in rows:
            row["touched_at"] = row["touched_at"].isoformat(timespec="microseconds") + "Z"
        yield "".join(json.dumps(row) + "\n" for row in rows).encode()


def _digest(key: bytes, content: dict[str, Any]) -> str:
    """Return a digest that only who knows the store's key can make."""
    return hmac.digest(key, json.dumps(content, sort_keys=True).encode(), "sha256").hex()


def _edited(plan_id: str, fault: str) -> PlanUnusable:
    return PlanUnusable(
        f"The plan {quote(plan_id)} {fault}.",
        subject=plan_id,
        hint="Nothing was done. Make a new one with `ontofetch db prune`; its options say what is taken.",
    )
