"""The document of a plan: what is in it, how it is written, read and proven unchanged, and its batches.

`.catalog/plans/<id>/plan.json` says what was asked for and what it comes to, `entries.jsonl` beside it lists every
entry (`entries`); why an entry is in it, and what is done with it, is not known here.
"""

from __future__ import annotations

import hmac
import json
import os
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ontofetch_hookspecs.layout import PLANS, QUARANTINE, split_version_id
from ontofetch_hookspecs.light_dataclasses import dataclass
from ontofetch_hookspecs.names import MAX_ROOTED_BYTES, check_relpath, check_size, check_text, quote

from ...errors import EventError, OntofetchError
from .. import fsops
from ..connection import Store
from ..fsops import whole
from ..store_key import make_key, read_key
from .entries import AT_ONCE, Batch, as_lines, entry_schema, from_lines
from .policy import Policy

if TYPE_CHECKING:
    import pyarrow as pa

FORMAT = 1
DOCUMENT = "plan.json"
ENTRIES = "entries.jsonl"
BATCH_ENTRIES = 1_000  # opening and syncing is paid once; an interrupt or another writer waits for less than a second


class PlanUnusable(OntofetchError):
    """A plan is missing, damaged, was edited, or does not fit the store any more."""


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


def plan_header(policy: Policy, newest: tuple[int, str], totals: Mapping[str, object], *, now: int) -> dict[str, Any]:
    """Return what plan.json says beside batches and entries.

    Args:
        policy: What was asked for.
        newest: Number and digest of the catalog's newest event.
        totals: What the plan comes to.
        now: When it is made, nanoseconds since 1970.
    """
    made = datetime.fromtimestamp(now / 10**9, UTC)
    return {
        "id": f"{made:%Y%m%dT%H%M%SZ}-{uuid.uuid4().hex[:6]}",
        "created_at": made.isoformat(timespec="microseconds").replace("+00:00", "Z"),
        "catalog": {"event_id": newest[0], "digest": newest[1]},
        "policy": policy.as_plain(),
        "totals": totals,
    }


def write_plan(store: Store, header: dict[str, Any], batches: Sequence[Batch], entries: pa.Table) -> Plan:
    """Write a plan, durable, entries first; return it with its digest."""
    plan_id = str(header["id"])
    folder = store.path(f"{PLANS}/{plan_id}")
    whole.make_folders(folder)
    digest, _ = whole.write_new(folder / ENTRIES, as_lines(entries))
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
    whole.write_file(folder / DOCUMENT, (json.dumps(content, indent=2) + "\n").encode())
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
    """Return every entry of a plan, columns as `entry_schema` says; the plan was read and proven before.

    Raises:
        PlanUnusable: An entry is not below a release's folder, or of another form.
    """
    import pyarrow as pa

    tables = [entry_schema().empty_table()]
    with os.fdopen((store.path(plan.folder) / ENTRIES).open_file(), "rb") as stream:
        try:
            while lines := list(islice(stream, AT_ONCE)):
                tables.append(from_lines(lines))
        except EventError as error:
            raise _edited(plan.plan_id, f"names what it may not: {error.message.rstrip('.')}") from error
        except (ValueError, KeyError, TypeError) as error:
            raise _edited(plan.plan_id, f"can't be read: {type(error).__name__}") from error
    return pa.concat_tables(tables)


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


def _digest(key: bytes, content: dict[str, Any]) -> str:
    """Return a digest that only who knows the store's key can make."""
    return hmac.digest(key, json.dumps(content, sort_keys=True).encode(), "sha256").hex()


def _edited(plan_id: str, fault: str) -> PlanUnusable:
    return PlanUnusable(
        f"The plan {quote(plan_id)} {fault}.",
        subject=plan_id,
        hint="Nothing was done. Make a new one with `ontofetch db prune`; its options say what is taken.",
    )
