"""The repairs of what surrounds the releases: quarantine, purge, permissions, schema, generation record, rows."""

from __future__ import annotations

import stat
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from ontofetch_hookspecs import layout
from ontofetch_hookspecs.names import relpath_fault

from .. import fsops, intents, journal
from ..boundaries.boundary import Recorded
from ..repo import lookup_keys, origins, row_checks, row_keys, version_keys
from . import housekeeping
from .repair import Repair, redraft, refuse

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

    from ..connection import Store


class MoveAside(Repair):
    """Move a folder or file of the catalog's own, or a release that is not recorded, into quarantine."""

    def still_found(self, connection: duckdb.DuckDBPyConnection) -> list[str]:
        """Return the subjects that are still there; recovery renames an unreadable intent on the way in."""
        del connection
        aside = [
            subject.removesuffix(".json") + intents.UNREADABLE
            if subject.startswith(f"{layout.INTENTS}/") and subject.endswith(".json")
            else subject
            for subject in self.subjects
        ]
        return [subject for subject in aside if self.store.path(subject).exists()]

    def mend(self, connection: duckdb.DuckDBPyConnection, draft: journal.IntentDraft) -> Recorded:
        """Collect one move per subject."""
        del connection
        for subject in self.subjects:
            if relpath_fault(subject):
                raise refuse(subject, "it is no path below the root")
            if subject.startswith(f"{layout.STAGING}/") and housekeeping.is_stage_held(self.store.path(subject)):
                raise refuse(subject, "somebody holds it again", "Run `ontofetch db doctor` again.")
            draft.displace(subject, keep=True)
        return Recorded(rows=len(self.subjects))


class Purge(MoveAside):
    """Delete what is in quarantine for good: it moves to the boundary's own folder, which goes once it is committed."""

    def mend(self, connection: duckdb.DuckDBPyConnection, draft: journal.IntentDraft) -> Recorded:
        """Collect one move per subject."""
        del connection
        for subject in self.subjects:
            if not subject.startswith(f"{layout.QUARANTINE}/") or relpath_fault(subject):
                raise refuse(subject, "it is not in quarantine")
            draft.displace(subject, keep=False)
        return Recorded(rows=len(self.subjects))


class Tighten(Repair):
    """Take the right to write from everybody else; doing so twice, or without the event, harms nobody."""

    def mend(self, connection: duckdb.DuckDBPyConnection, draft: journal.IntentDraft) -> Recorded:
        """Change the modes."""
        del connection, draft
        for subject in self.subjects:
            path = self.store.path("" if subject == "." else subject)
            mode = path.lstat().st_mode
            if not stat.S_ISLNK(mode):
                fsops.set_mode(path, stat.S_IMODE(mode) & ~stat.S_IWOTH)
        return Recorded(rows=len(self.subjects))


class Migrate(Repair):
    """Apply the pending migrations: entering the catalog has done it, and the event says who asked."""

    def mend(self, connection: duckdb.DuckDBPyConnection, draft: journal.IntentDraft) -> Recorded:
        """Do nothing more."""
        del connection, draft
        return Recorded()


class WriteRecord(Repair):
    """Write the generation record anew from the catalog as it is; the former one is kept in quarantine."""

    trusts_record: ClassVar[bool] = False

    def mend(self, connection: duckdb.DuckDBPyConnection, draft: journal.IntentDraft) -> Recorded:
        """Move the record away; the commit writes the new one."""
        if self.code != "CAT008" and row_checks.find_broken_event(connection) is not None:
            raise refuse(layout.GENERATION, "the chain of events is broken too", "Use `ontofetch db rebuild`.")
        draft.displace(layout.GENERATION, keep=True)
        return Recorded()


class MendRows(Repair):
    """Mend rows at fault wherever they are: the findings are looked for again, and their releases' documents follow."""

    def __init__(self, store: Store, code: str, fix: str, version_id: str, subjects: Sequence[str]) -> None:
        super().__init__(store, code, fix, version_id, subjects)
        self._versions: list[str] = []

    def still_found(self, connection: duckdb.DuckDBPyConnection) -> list[str]:
        """Return the subjects that are found again, and remember their releases."""
        import pyarrow.compute as pc

        rows = _ROWS_AT_FAULT[self.code][0](connection)
        # of a column that is NULL throughout, releases of DuckDB before 2 say that it holds numbers
        columns = [rows[name].cast("string") for name in ("fix", "unsafe_fixes")]
        offered = [pc.fill_null(pc.equal(column, self.fix), fill_value=False) for column in columns]
        rows = rows.filter(pc.or_(*offered))
        self._versions = sorted(filter(None, pc.unique(rows["version_id"]).to_pylist()))
        found: list[str] = rows["subject"].to_pylist()
        return found

    def mend(self, connection: duckdb.DuckDBPyConnection, draft: journal.IntentDraft) -> Recorded:
        """Mend the rows and write the documents anew."""
        changed = _ROWS_AT_FAULT[self.code][1](connection, self.fix)
        for version_id in self._versions:
            redraft(connection, draft, version_id)
        return Recorded(rows=changed)


Find = Callable[["duckdb.DuckDBPyConnection"], "pa.Table"]
Change = Callable[["duckdb.DuckDBPyConnection", str], int]
# code → what finds such rows, and what removes or changes them by a fix and returns how many they were
_ROWS_AT_FAULT: Mapping[str, tuple[Find, Change]] = {
    "CAT011": (
        row_keys.find_duplicates,
        lambda connection, fix: row_keys.delete_duplicates(connection, differing=fix == "keep-newest"),
    ),
    "CAT012": (row_keys.find_dangling, lambda connection, _: row_keys.delete_dangling(connection)),
    "CAT031": (version_keys.find_wrong_keys, lambda connection, _: version_keys.fill_keys(connection, anew=True)),
    "CAT032": (origins.find_without_origin, lambda connection, _: origins.fill_origins(connection)),
    "CAT038": (lookup_keys.find_wrong_keys, lambda connection, _: lookup_keys.fill_keys(connection, anew=True)),
}
