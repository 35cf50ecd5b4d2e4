"""What a verification is asked for, and what it comes to."""

from __future__ import annotations

import json
from dataclasses import field, replace
from datetime import datetime
from typing import TYPE_CHECKING

from ontofetch_hookspecs.light_dataclasses import dataclass

from ...errors import UsageError
from .. import sessions
from ..connection import Store
from ..repo import fixity
from ..repo.fixity import Scope

if TYPE_CHECKING:
    import pyarrow as pa

    from ..shared.log_work import WorkLine


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to verify.

    Args:
        seconds: Begin no file after so many; None: no limit.
        workers: Processes that hash; 0: one per core.
        started_at: When the run was begun, UTC without zone: the name under which it can be resumed.
        done: Times of verification that this run has recorded before it was interrupted.
        is_resumed: Whether it is one that was interrupted.
    """

    scope: Scope
    seconds: float | None = None
    workers: int = 0
    started_at: datetime = field(default_factory=sessions.utc_now)
    done: tuple[datetime, ...] = ()
    is_resumed: bool = False

    @property
    def work(self) -> str:
        """Return what machines call it that divide it: the same files of each release, of the same run."""
        words = {"sample": self.scope.sample, "seed": self.scope.seed}
        resumed = {"resumed": self.started_at.isoformat()} if self.is_resumed else {}
        return f"verify {json.dumps(words | resumed)}"

    def of_run(self, division: WorkLine) -> Request:
        """Return it as a part of a run that machines divide: all of them call it by the time when it was begun."""
        if self.is_resumed:
            return self
        return replace(self, started_at=division.began_at.replace(tzinfo=None))

    @classmethod
    def resumed(cls, store: Store, *, seconds: float | None = None, workers: int = 0) -> Request:
        """Return the newest verification again, without the files that it has verified already.

        Raises:
            UsageError: There is none, or it came to its end.
        """
        with sessions.reading(store) as connection:
            told = fixity.last_run(connection)
        if not told or told[-1]["complete"]:
            state = "The last verification came to its end" if told else "Nothing was verified yet"
            raise UsageError(f"{state}: there is nothing to resume.", hint="Start a new one without --resume.")
        return cls(
            scope=Scope(**told[-1]["scope"]),
            seconds=seconds,
            workers=workers,
            started_at=datetime.fromisoformat(told[-1]["started_at"]),
            done=tuple(datetime.fromisoformat(item["verified_at"]) for item in told),
            is_resumed=True,
        )


@dataclass(slots=True, kw_only=True)
class Result:
    """What a verification came to; sizes in bytes.

    Args:
        findings: One row per damaged or missing file: version_id, kind, relpath, path, outcome, expected, found,
            size_bytes, found_bytes, reason.
        files, size_bytes: What was to be verified.
        checked_files, checked_bytes: What was looked at.
        changed_files: Files that others replaced or removed while they were read; the next run looks at them.
        seconds: How long it took.
        all_bytes, recent_bytes: What the scope holds, and what of it was verified in the last RECENT_DAYS days.
        shared: One row per item of what machines divided: item, state (`here`, `done`, `held`), who, files, bytes,
            findings; None in a store of one's own.
        elsewhere_files: Files that other machines looked at.
    """

    findings: pa.Table
    files: int
    size_bytes: int
    checked_files: int = 0
    checked_bytes: int = 0
    changed_files: int = 0
    seconds: float = 0.0
    all_bytes: int = 0
    recent_bytes: int = 0
    shared: pa.Table | None = None
    elsewhere_files: int = 0

    @property
    def left_files(self) -> int:
        """Return how many files nobody has looked at."""
        return self.files - self.checked_files - self.elsewhere_files

    @property
    def is_complete(self) -> bool:
        """Say whether everything was looked at."""
        return not self.left_files

    @property
    def all_findings(self) -> int:
        """Return the number of findings, also of other machines."""
        import pyarrow.compute as pc

        elsewhere = self.shared.filter(pc.field("state") == "done") if self.shared is not None else None
        return len(self.findings) + ((pc.sum(elsewhere["findings"]).as_py() or 0) if elsewhere is not None else 0)
