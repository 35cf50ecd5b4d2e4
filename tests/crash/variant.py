"""What a variant is: one way to meet one operation, and where in it a process dies for the lead-in of another.

Which variants there are is not known here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .scenarios import Facts, nothing


@dataclass(frozen=True, kw_only=True)
class Variant:
    """One way to meet one operation.

    Args:
        name: `operation/variant`.
        run: Carries the operation out below a folder, as a host or a user would; returns the stage it used, if any.
        build: Makes the template below a folder and returns facts about it; `stage` names what is staged. With `after`
            that variant's template is taken.
        words: What was asked for by words, where a test looks at it.
        done: Type of the event that says that it happened; empty where no event tells.
        refused: Name of the error that ends even an undisturbed run (a veto).
        decides: (name, number): the call that decides whether it happened.
        anybody: Whether any command that writes does it, too.
        after: (variant, point): a process died in that variant first, at a point that `point_of` knows.
        lead: What is done to each copy of the template, or after such a death; returns further facts.
        stepwise: Whether it may stop between steps, each of which is whole: neither from before nor from after.
        copies: Whether copies of what lies on another file system may be left in the staging folder.
        volatile: What the host wrote below the home and did not sync, beside what is staged.
        syncfs: Whether the platform can sync a whole file system.
        exhaustive: Whether a second kill comes at every call of the recovery, not at a sample.
        by_turns: Whether each call is disturbed in one way only, by turns, not in every way.
        moves_log: Whether it moves the log of the catalog that it begins with, which therefore always has one.
        unique: Whether no copy of what a killed process leaves is as good: events name a plan, and the plan inodes.
        again: Whether only the same command leads on, since the catalog can't be used before it has come to its end.
    """

    name: str
    run: Callable[[Path, Facts], Path | None]
    build: Callable[[Path], Facts] = nothing
    words: tuple[str, ...] = ()
    done: str = ""
    refused: str = ""
    decides: tuple[str, int] = ("commit", 1)
    anybody: bool = False
    after: tuple[str, str] | None = None
    lead: Callable[[Path], Facts] | None = None
    stepwise: bool = False
    copies: bool = False
    volatile: tuple[str, ...] = ()
    syncfs: bool = True
    exhaustive: bool = True
    by_turns: bool = False
    moves_log: bool = False
    unique: bool = False
    again: bool = False

    @property
    def operation(self) -> str:
        """Return the name of the operation."""
        return self.name.partition("/")[0]

    def volatile_paths(self, facts: Facts) -> list[str]:
        """Return what the host wrote below the home and did not sync."""
        if self.after is not None:
            return []
        return [*self.volatile, *([f"store/{facts['stage']}"] if facts.get("stage") else [])]

    def decided_at(self, calls: list[str]) -> int:
        """Return the number of the call that decides, among the names of the calls of an undisturbed run."""
        name, number = self.decides
        return [place for place, call in enumerate(calls, 1) if call == name][number - 1]


def point_of(point: str, calls: list[str]) -> int:
    """Return the number of the call in front of which a process died for the lead-in of a recovery."""
    commit = calls.index("commit") + 1
    return {
        "publishing": max(place for place, name in enumerate(calls[: commit - 1], 1) if name == "rename"),
        "published": commit,
        "committed": commit + 1,
        "forgetting": max(place for place, name in enumerate(calls, 1) if name == "unlink"),
    }[point]
