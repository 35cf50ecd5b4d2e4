"""The way back of a batch that was moved away: what must be free for it, and what comes back."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from ontofetch_hookspecs.names import path_key, quote

from ...errors import Conflict
from .. import journal
from ..boundaries.boundary import Recorded
from ..boundaries.documents import draft_documents
from ..boundaries.pointers import Pointers, drop_added
from ..repo import held_facts, lookup_keys, origins, pruning, releases, version_keys
from ..shared.address import read_address
from ..walk import as_text, stat_paths
from .batches import APPLIED, BatchBoundary, is_same
from .kept_rows import read_rows
from .plan import PlanUnusable

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa


class RestoreBatch(BatchBoundary):
    """Move a batch back to where it was; the rows of a release come back with it."""

    done: ClassVar[str] = "restored"

    def is_changed(self, connection: duckdb.DuckDBPyConnection) -> bool:
        """Check that the batch is in quarantine and that its places are free."""
        if self.state(connection) != APPLIED:
            return False
        if self.batch.version_id:
            self._check_recorded(connection, self.batch.version_id)
        for path in self.moved_paths():
            if self.store.path(path).exists():
                raise Conflict(
                    f"{quote(path)} can't be restored: something lies there now.",
                    subject=as_text(path),
                    hint="Move it away and run the same command again.",
                )
        self._check_kept()
        return True

    def is_kept(self, connection: duckdb.DuckDBPyConnection) -> bool:
        """Say whether the batch is in quarantine.

        Raises:
            PlanUnusable: It should be, and what lies there is something else.
        """
        if self.state(connection) != APPLIED:
            return False
        self._check_kept()
        return True

    def _check_kept(self) -> None:
        paths = [self.aside(entry.path) for entry in self.entries]
        shared = read_address(self.store) is not None
        for entry, found in zip(self.entries, stat_paths(self.store, paths), strict=True):
            if not is_same(entry, found, shared=shared):
                raise PlanUnusable(
                    f"{quote(entry.path)} can't be restored: what lies in quarantine is not what was moved there.",
                    subject=as_text(entry.path),
                    hint=f"Look below {self.store.path(self.plan.quarantine(self.batch))}.",
                )

    def _check_recorded(self, connection: duckdb.DuckDBPyConnection, version_id: str) -> None:
        """Check that the names are free.

        Raises:
            Conflict: The release, or its artifact, has been recorded again, or another has taken its folder.
        """
        row = releases.find_version(connection, version_id)
        if self.batch.artifact is not None:
            taken = {path_key(known.relpath) for known in releases.find_artifacts(connection, version_id)}
            if row is not None and path_key(self.batch.artifact) not in taken:
                return
            raise Conflict(
                f"{quote(self.batch.artifact)} of {version_id} can't be restored:"
                f" {'it has been recorded again' if row else 'the release is not recorded any more'}.",
                subject=version_id,
                hint="`ontofetch db versions` lists what there is.",
            )
        if row is not None:
            raise Conflict(
                f"{version_id} can't be restored: it has been recorded again since it was pruned.",
                subject=version_id,
                hint="Remove that one first (`ontofetch rm`), or leave the former in quarantine.",
            )
        folded = releases.find_folded(connection, version_id)
        if folded is not None:
            raise Conflict(
                f"{version_id} can't be restored: {folded[1]} has been recorded since, and {folded[0]} would be the"
                " same folder where case is folded.",
                subject=version_id,
                hint="Give that one another name first (`ontofetch mv`).",
            )

    def record(self, connection: duckdb.DuckDBPyConnection, draft: journal.IntentDraft) -> Recorded:
        """Bring the rows back and move everything to its place."""
        pointers = Pointers(connection, self.slots())
        rows = self.bring_back(connection, draft)
        pointers.settle(connection, draft)
        return self.recorded(rows)

    def bring_back(
        self, connection: duckdb.DuckDBPyConnection, draft: journal.IntentDraft, *, documents: bool = True
    ) -> int:
        """Do what a batch does, but for LATEST.json; return how many rows came back. `documents` as in `unrecord`."""
        rows, batch = 0, self.batch
        if batch.version_id:
            kept = read_rows(self.store, self.plan, batch, self.former.get("kept", {}))
            rows = sum(pruning.insert_rows(connection, table, found) for table, found in kept.items())
            self._bring_back(kept.get("file_facts"), draft)
            # a plan of an earlier version of this package did not keep them
            version_keys.fill_keys(connection)
            lookup_keys.fill_keys(connection)
            origins.fill_origins(connection, batch.version_id)
            # what took the place of a release as latest gives it back
            drop_added(connection, self.former.get("pointers", ()))
        aside = self.aside("")
        draft.move_all((aside + path, path) for path in self.moved_paths())
        if batch.version_id and batch.artifact is not None and documents:
            draft_documents(connection, draft, batch.version_id)
        return rows

    def _bring_back(self, rows: pa.Table | None, draft: journal.IntentDraft) -> None:
        """Move the tables of terms back that left with the release, but where there is one again."""
        for path in () if rows is None else held_facts.paths_in(rows):
            kept = self.plan.terms(self.batch, path)
            if self.store.path(kept).exists() and not self.store.path(path).exists():
                draft.move(kept, path)
