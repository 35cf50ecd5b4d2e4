"""What a case of the field is: its kind, its name, and a function that tries it in an empty folder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Case:
    """One circumstance.

    Args:
        kind: The kind it belongs to, a row of the table.
        name: Tells it from the others of its kind, one line.
        run: Tries it in an empty folder; raises AssertionError where it does not hold.
    """

    kind: str
    name: str
    run: Callable[[Path], None]

    @property
    def title(self) -> str:
        """Return kind and name in one."""
        return f"{self.kind}: {self.name}"
