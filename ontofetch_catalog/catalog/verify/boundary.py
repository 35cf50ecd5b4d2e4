"""The boundary that records a batch of verified files; what is damaged is confirmed here, when nobody else writes.

How the files were hashed is not known here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from ontofetch_hookspecs.light_dataclasses import dataclass

from .. import journal, sessions
from ..boundaries.boundary import MaintenanceBoundary, Recorded
from ..connection import Store
from ..repo import fixity
from .hasher import DAMAGED, MISSING

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

RECENT_DAYS = 30
FINDINGS = 1_000  # findings that an event names, so that doctor looks at them again; the others it only counts

_AT_ONCE = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What hashing a batch of files came to.

    Args:
        verified: Files with the recorded content: kind, version_id, relpath, content, size_bytes.
        faults: The others: kind, version_id, relpath, path, outcome (`missing`, `damaged`, `not_a_file`, `unreadable`),
            content, found (sha256), size_bytes, found_bytes, verified_at, reason, inode, mtime_ns.
    """

    verified: pa.Table
    faults: pa.Table


class VerifyBatch(MaintenanceBoundary):
    """Record when the files of a batch were verified.

    Args:
        found: Returns what hashing came to, and what the event tells beside it; asked when nobody else can record.
        summed: Of which files the bytes are added up, all and those verified lately; None: of none.
        require: Raises where other machines have taken over what was hashed; asked while nobody else can record.
    """

    kind: ClassVar[str] = "verify"

    def __init__(
        self,
        store: Store,
        found: Callable[[], tuple[Found, Mapping[str, Any]]],
        *,
        summed: fixity.Scope | None = None,
        require: Callable[[], None] | None = None,
    ) -> None:
        super().__init__(store)
        self._require = require
        self._summed = summed
        self.summed_bytes = (0, 0)
        self._ask = found

    def is_changed(self, connection: duckdb.DuckDBPyConnection) -> bool:
        """Ask for what hashing came to, while signals still arrive."""
        self._found, self._payload = self._ask()
        self.found_faults = len(self._found.faults)
        return super().is_changed(connection)

    def record(self, connection: duckdb.DuckDBPyConnection, draft: journal.IntentDraft) -> Recorded:
        """Mark what is intact; of the faults keep those whose row and file are what they were when they were read."""
        del draft
        import pyarrow.compute as pc

        if self._require is not None:
            self._require()
        moment = sessions.utc_now()
        rows = fixity.mark_verified(connection, self._found.verified, moment)
        self.confirmed = confirm(self.store, connection, self._found.faults)
        # what is damaged does not count as verified any more, and comes first the next time
        fixity.mark_verified(connection, self.confirmed, None)
        if self._summed is not None:
            since = moment - timedelta(days=RECENT_DAYS)
            self.summed_bytes = fixity.sum_recent(connection, self._summed, since)[1:]
        payload = {
            **self._payload,
            "verified_at": moment.isoformat(sep=" ", timespec="microseconds"),
            # tables of terms, too, which are no rows of a release
            "intact": len(self._found.verified),
            "findings": len(self.confirmed),
            "found": self.confirmed.slice(0, FINDINGS).select(["path", "outcome"]).to_pylist(),
        }
        size = pc.sum(self._found.verified["size_bytes"]).as_py() or 0
        return Recorded(rows=rows, bytes=size, payload=payload)


def confirm(store: Store, connection: duckdb.DuckDBPyConnection, faults: pa.Table) -> pa.Table:
    """Return those of some faults (as `Found` has them) whose row and file are what they were when they were read."""
    if not len(faults):
        return faults
    import pyarrow as pa

    faults = fixity.still_recorded(connection, faults)
    kept = [_is_unchanged(store, fault) for part in faults.to_batches(_AT_ONCE) for fault in part.to_pylist()]
    return faults.filter(pa.array(kept, pa.bool_()))


def _is_unchanged(store: Store, fault: Mapping[str, Any]) -> bool:
    """Say whether a file is what it was when it was read: a writer may have replaced it meanwhile."""
    if fault["outcome"] not in (MISSING, DAMAGED):
        return True
    try:
        state = store.path(fault["path"]).lstat()
    except OSError:
        return bool(fault["outcome"] == MISSING)
    return (state.st_ino, state.st_size, state.st_mtime_ns) == (fault["inode"], fault["found_bytes"], fault["mtime_ns"])
