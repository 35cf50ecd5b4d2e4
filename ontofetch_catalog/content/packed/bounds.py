"""The bounds of an archive: how many entries, bytes and folders may come out of it, counted while it is read.

Everything that leaves a decompressor counts, whether somebody wants it or not: headers, entries that are skipped, what
stands behind the end. Which bounds are right is said by whoever reads.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ontofetch_hookspecs.light_dataclasses import dataclass
from ontofetch_hookspecs.names import quote

from ...errors import ExtractError
from .remarks import Remarks

RATIO_FROM = 10_000_000  # bytes out from which the ratio counts: small files compress to almost nothing
FOLDER_BYTES = 4096  # what a folder takes on a disk, and a name in an archive does not
NAME_BYTES = 128  # a name may have on the average of the most entries; all names are kept while an archive is read
STEP = 1 << 20  # bytes that a decompressor may yield at once
MEMORY = 128 << 20  # bytes that a decompressor may need for its window or dictionary; the most that `xz -9` needs is 65


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The bounds of an archive: most entries with the folders they imply, bytes out, bytes out per byte in, depth."""

    max_entries: int = 1_000_000
    max_bytes: int = 50_000_000_000
    max_ratio: float = 200.0
    max_depth: int = 100

    @classmethod
    def from_settings(cls, settings: Mapping[str, object]) -> Limits:
        """Return what may come out of archives and compressed files, as the settings say it."""
        usual = cls()
        return cls(
            max_entries=int(str(settings.get("max_entries", usual.max_entries))),
            max_bytes=int(str(settings.get("max_bytes", usual.max_bytes))),
            max_ratio=float(str(settings.get("max_ratio", usual.max_ratio))),
            max_depth=int(str(settings.get("max_depth", usual.max_depth))),
        )


UNLIMITED = Limits(
    max_entries=2**63 - 1, max_bytes=2**63 - 1, max_ratio=float("inf"), max_depth=2**31 - 1
)  # for archives that say elsewhere what they hold; the memory of reading them is bounded all the same


class Budget:
    """What is left of an archive's bounds, and what was remarked on the way.

    Args:
        name: The archive's name, for sentences.
        size: Its size in bytes.
        limits: Its bounds.

    Attributes:
        remarks: What else is to be said of the archive.
        moved: Called after each piece that came out; whoever shows how far it is sets it.
    """

    def __init__(self, name: str, size: int, limits: Limits) -> None:
        self.name = name
        self.limits = limits
        self.remarks = Remarks()
        self.entry = ""  # what is being read
        self.entries = 0
        self._size = max(size, 1)
        self.out = 0
        self.moved: Callable[[], None] = lambda: None
        self._names = 0

    def take(self, count: int) -> None:
        """Count bytes that came out.

        Raises:
            ExtractError: They are too many.
        """
        self.out += count
        self.moved()
        if self.out > self.limits.max_bytes:
            raise self.refused(f"takes the archive beyond {self.limits.max_bytes:,} bytes", "max_bytes")
        if self.out > RATIO_FROM and self.out > self.limits.max_ratio * self._size:
            raise self.refused(f"unpacks to more than {self.limits.max_ratio:g} times the archive", "max_ratio")

    def begin(self, entry: str) -> None:
        """Count an entry, and say from now on that it is being read; raises as `take` does."""
        self.entry = entry
        self._count(len(entry))

    def make_folder(self, path: str) -> None:
        """Count a folder that the entry implies; raises as `take` does."""
        self._count(len(path))
        self.take(FOLDER_BYTES)

    def _count(self, name: int) -> None:
        self.entries += 1
        if self.entries > self.limits.max_entries:
            raise self.refused(f"is one more than {self.limits.max_entries:,}", "max_entries")
        self._names += name
        most = max(self.limits.max_entries * NAME_BYTES, STEP)
        if self._names > most:
            raise self.refused(f"takes the names of the archive beyond {most:,} characters", "max_entries")

    def check_depth(self, depth: int) -> None:
        """Check how many folders an entry lies in.

        Raises:
            ExtractError: They are too many.
        """
        if depth > self.limits.max_depth:
            raise self.refused(f"lies in {depth:,} folders, more than {self.limits.max_depth:,}", "max_depth")

    def refused(self, fault: str, setting: str = "", *, instead: str = "") -> ExtractError:
        """Return the error that says what is wrong with the entry that is being read, and what may be done instead."""
        hint = f"Nothing was published. {instead}".rstrip()
        if setting:
            hint += f" If you trust the archive, raise the setting {setting} (ONTOFETCH_{setting.upper()})."
        what = (
            f"The entry {quote(self.entry)} of {quote(self.name)}" if self.entry else f"The start of {quote(self.name)}"
        )
        return ExtractError(f"{what} {fault}.", subject=self.entry or self.name, hint=hint)
