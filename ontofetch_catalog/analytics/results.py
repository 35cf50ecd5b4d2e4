"""Own what a report hands back: its frames, what they answer, and how they are drawn or spelled.

It does not know how the frames were made.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .contracts import Contract

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True, slots=True)
class ReportResult(Mapping[str, "pl.DataFrame"]):
    """The frames of one report: a mapping of section → DataFrame, the main section first.

    Args:
        frames: Section → frame.
        parameters: What the frames answer, with the names of releases in full.
        contract: What the sections are, for built-in reports.
        hidden: Section → columns that a table leaves out because they say the same in each row.
    """

    frames: Mapping[str, pl.DataFrame]
    parameters: Mapping[str, object] = field(default_factory=dict)
    contract: Contract | None = None
    hidden: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __getitem__(self, section: str) -> pl.DataFrame:
        return self.frames[section]

    def __iter__(self) -> Iterator[str]:
        return iter(self.frames)

    def __len__(self) -> int:
        return len(self.frames)
