"""What every repair has in common: a maintenance step for some subjects of one finding, re-checked under the lock.

What is done to mend a finding stands in the modules beside this one; which repairs are asked for, in `plan`.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, ClassVar

from ontofetch_hookspecs import layout
from ontofetch_hookspecs.names import quote, relpath_fault

from ...errors import OntofetchError, PreconditionFailed
from .. import journal
from ..boundaries.boundary import MaintenanceBoundary, Recorded
from ..boundaries.documents import draft_extract_audit, draft_manifest, draft_validation_audit
from ..connection import Store
from ..repo import files, releases, validations

if TYPE_CHECKING:
    import duckdb

SHOWN = 20  # subjects that an event names; the number of all of them is beside


class RepairFailed(OntofetchError):
    """A finding can't be mended in this way; nothing was changed."""


class Repair(MaintenanceBoundary):
    """Mend subjects of one finding, of one release or of the store.

    Args:
        fix: Name of the fix.
        version_id: The release, empty for the store.
        subjects: What the findings are about, as they name it.
    """

    kind: ClassVar[str] = "doctor"
    done: ClassVar[str] = "fixed"

    def __init__(self, store: Store, code: str, fix: str, version_id: str, subjects: Sequence[str]) -> None:
        super().__init__(store, version_id)
        self.code = code
        self.fix = fix
        self.subjects = list(subjects)

    def is_changed(self, connection: duckdb.DuckDBPyConnection) -> bool:
        """Keep the subjects that still have this finding; return whether there are any."""
        self.subjects = self.still_found(connection)
        return bool(self.subjects)

    def still_found(self, connection: duckdb.DuckDBPyConnection) -> list[str]:
        """Return the subjects that still have the finding, now that nobody else writes."""
        del connection
        return self.subjects

    def record(self, connection: duckdb.DuckDBPyConnection, draft: journal.IntentDraft) -> Recorded:
        """Mend, and tell what was mended."""
        recorded = self.mend(connection, draft)
        told = {"code": self.code, "fix": self.fix, "subjects": self.subjects[:SHOWN], "count": len(self.subjects)}
        recorded.payload = {**told, **recorded.payload}
        return recorded

    @abstractmethod
    def mend(self, connection: duckdb.DuckDBPyConnection, draft: journal.IntentDraft) -> Recorded:
        """Do it: change rows and collect moves."""

    def version(self, connection: duckdb.DuckDBPyConnection) -> releases.VersionRow:
        """Return the row of the release.

        Raises:
            PreconditionFailed: It is not recorded any more, or its folder can't be one.
        """
        row = releases.find_version(connection, self.version_id)
        if row is None or relpath_fault(row.fs_relpath):
            raise PreconditionFailed(
                f"{self.version_id} is not recorded with a folder that can be used.",
                subject=self.version_id,
                hint="Run `ontofetch db doctor` again.",
            )
        return row


def inside(row: releases.VersionRow, part: str, subject: str) -> str | None:
    """Return the path of a subject below the sources or the data of its release; None if it does not lie there.

    Args:
        row: The release.
        part: `source` or `data`.
        subject: A path below the root.
    """
    prefix = f"{row.fs_relpath}/{getattr(layout.find_layout(row.layout), part)}/"
    relpath = subject.removeprefix(prefix)
    return None if relpath == subject or relpath_fault(relpath) else relpath


def below(row: releases.VersionRow, part: str, subjects: Iterable[str]) -> list[str]:
    """Return the paths of those subjects that lie below the sources or the data of a release."""
    return [relpath for subject in subjects if (relpath := inside(row, part, subject)) is not None]


def redraft(connection: duckdb.DuckDBPyConnection, draft: journal.IntentDraft, version_id: str) -> None:
    """Write audits and manifest of a release anew from its rows; what they replace is kept in quarantine."""
    row = releases.find_version(connection, version_id)
    if row is None:
        return
    extracted = any(artifact.extraction is not None for artifact in releases.find_artifacts(connection, version_id))
    for name, column, wanted, write in (
        (
            layout.EXTRACT_AUDIT,
            "extract_audit",
            extracted or files.count_files(connection, version_id) > 0,
            draft_extract_audit,
        ),
        (
            layout.VALIDATION_AUDIT,
            "validation_audit",
            row.validation_audit is not None or validations.count_validations(connection, version_id) > 0,
            draft_validation_audit,
        ),
    ):
        draft.displace(f"{row.fs_relpath}/{name}", keep=True)
        if wanted:
            write(connection, draft, row)
        else:
            releases.update_version(connection, version_id, {column: None})
    draft.displace(row.manifest, keep=True)
    draft_manifest(connection, draft, version_id)


def refuse(subject: str, reason: str, hint: str = "") -> RepairFailed:
    """Return the error that a subject can't be mended, for a reason that ends the sentence."""
    return RepairFailed(f"{quote(subject)} can't be mended so: {reason}.", subject=subject, hint=hint)
