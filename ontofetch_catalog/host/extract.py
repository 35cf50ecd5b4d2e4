"""Own the unpacking of an artifact into a stage: what is refused, what is stripped, hashing while writing.

It writes through the stage alone; archives come from `content`, and what becomes of the stage is not known here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ontofetch_hookspecs.names import path_key, quote, relpath_fault
from ontofetch_hookspecs.stages import CHUNK, Stage

from ..content.archives import Entry, damage_named, read_entries
from ..content.formats import HEAD_BYTES, format_of
from ..errors import ExtractError

if TYPE_CHECKING:
    import pyarrow as pa

Strip = int | Literal["auto"]
_RATIO_FROM = 10_000_000  # bytes out from which the ratio counts: small files compress to almost nothing
_LATEST_TIME = 253_402_300_799.0  # the end of the year 9999, the last a datetime can say
_DATA = "data"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtractLimits:
    """The bounds of an archive: most entries, most bytes out, most bytes out per byte in."""

    max_entries: int = 1_000_000
    max_bytes: int = 50_000_000_000
    max_ratio: float = 200.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Extraction:
    """What was unpacked.

    Args:
        files: One row per file, FILES_COLUMNS, sorted by path.
        folder: The staged folder that becomes the data folder.
        strip: How many leading folders were taken off.
        skipped: How many files were left out because their name is shorter than that.
    """

    files: pa.Table
    folder: Path
    strip: int
    skipped: int


@dataclass(slots=True)
class _Names:
    """The names seen so far, folded as a file system may fold them."""

    files: dict[str, str] = field(default_factory=dict)
    folders: dict[str, str] = field(default_factory=dict)

    def add(self, name: str) -> None:
        """Take a file's name in.

        Raises:
            ExtractError: It meets another one.
        """
        parts = name.split("/")
        for end in range(1, len(parts)):
            folder = "/".join(parts[:end])
            key = path_key(folder)
            self._refuse_other(self.files.get(key), name)
            if self.folders.setdefault(key, folder) != folder:
                self._refuse_other(self.folders[key], name)
        key = path_key(name)
        self._refuse_other(self.folders.get(key), name)
        self._refuse_other(self.files.get(key), name)
        self.files[key] = name

    def _refuse_other(self, other: str | None, name: str) -> None:
        if other is not None:
            raise ExtractError(
                f"The entry {quote(name)} meets {quote(other)}: they are one file where case is folded.",
                subject=name,
                hint="Nothing was published. Leave one out with --include.",
            )


class _Unpacking:
    """One archive on its way into one stage."""

    def __init__(self, archive: Path, name: str, stage: Stage, limits: ExtractLimits) -> None:
        self.name = name
        self.stage = stage
        self.limits = limits
        self.size_in = max(archive.stat().st_size, 1)
        self.size_out = 0
        self.rows: list[tuple[str, str, str, int, float]] = []
        self.names = _Names()
        self.tops: set[str] = set()
        self.skipped = 0

    def take(self, entry: Entry, include: tuple[str, ...], strip: Strip) -> None:
        """Check an entry and, if it is wanted, write it below the stage's data folder."""
        name = entry.name.removesuffix("/") if entry.kind == "folder" else entry.name
        name = name.removeprefix("./")
        if entry.kind == "folder" and name in ("", "."):
            return
        fault = relpath_fault(name)
        if fault is not None:
            raise self.refused(name, fault)
        if entry.kind == "folder":
            return
        if entry.kind != "file":
            raise self.refused(name, f"is {entry.kind}")
        self.tops.add(name.partition("/")[0] if "/" in name else "")
        if include and not any(fnmatchcase(name, pattern) for pattern in include):
            return
        parts = name.split("/")
        drop = 0 if strip == "auto" else strip
        if len(parts) <= drop:
            self.skipped += 1
            return
        relpath = "/".join(parts[drop:])
        self.names.add(relpath)
        self._write(entry, relpath)

    def _write(self, entry: Entry, relpath: str) -> None:
        mtime = float(int(min(max(entry.mtime, 0.0), _LATEST_TIME)))
        with self.stage.write_file(f"{_DATA}/{relpath}", mtime=mtime) as staged:
            head = b""
            for chunk in self._chunks(entry):
                head = head or chunk[:HEAD_BYTES]
                self.size_out += len(chunk)
                self._check_size(relpath)
                staged.write(chunk)
        self.rows.append((relpath, staged.sha256, format_of(relpath, head), staged.size, mtime))

    def _chunks(self, entry: Entry) -> Iterator[bytes]:
        # only reading may be blamed on the archive: what happens between two chunks is the stage's affair
        with ExitStack() as stack:
            with damage_named(self.name):
                source = stack.enter_context(entry.open())
            while True:
                with damage_named(self.name):
                    chunk = source.read(CHUNK)
                if not chunk:
                    return
                yield chunk

    def _check_size(self, relpath: str) -> None:
        if self.size_out > self.limits.max_bytes:
            raise self.refused(relpath, f"takes the archive beyond {self.limits.max_bytes:,} bytes", "max_bytes")
        if self.size_out > _RATIO_FROM and self.size_out > self.limits.max_ratio * self.size_in:
            raise self.refused(
                relpath, f"unpacks to more than {self.limits.max_ratio:g} times the archive", "max_ratio"
            )

    def refused(self, name: str, fault: str, setting: str = "") -> ExtractError:
        hint = "Nothing was published."
        if setting:
            hint += f" If you trust the archive, raise the setting {setting} (ONTOFETCH_{setting.upper()})."
        return ExtractError(f"The entry {quote(name)} of {quote(self.name)} {fault}.", subject=name, hint=hint)


def extract_artifact(
    archive: Path,
    stage: Stage,
    *,
    name: str,
    include: tuple[str, ...] = (),
    strip: Strip = "auto",
    limits: ExtractLimits | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Extraction:
    """Unpack an artifact into a stage; another file than an archive is copied as it is.

    Args:
        archive: The artifact.
        stage: Where to.
        name: The artifact's name.
        include: Globs over the names in the archive (`*` crosses `/`); empty: everything.
        strip: How many leading folders to take off; `auto` takes a single folder off that all entries share.
        limits: What is refused.
        progress: Called with the number of files and of bytes so far.

    Raises:
        ExtractError: The archive is damaged or has something that is refused; the stage then holds no release.
        StageError: The disk refuses.
    """
    unpacking = _Unpacking(archive, name, stage, limits or ExtractLimits())
    stage.folder(_DATA)
    with ExitStack() as stack:
        for number, entry in enumerate(read_entries(archive, name, stack), start=1):
            if number > unpacking.limits.max_entries:
                raise unpacking.refused(entry.name, f"is one more than {unpacking.limits.max_entries:,}", "max_entries")
            unpacking.take(entry, include, strip)
            if progress is not None:
                progress(len(unpacking.rows), unpacking.size_out)
    top = next(iter(unpacking.tops)) if len(unpacking.tops) == 1 else ""
    folder = stage.path / _DATA
    if strip == "auto" and top:
        # the bytes lie where they are; only where the release begins moves
        taken = 1
        folder = stage.folder(f"{_DATA}/{top}")
        rows = [(row[0].partition("/")[2], *row[1:]) for row in unpacking.rows]
    else:
        taken, rows = 0 if strip == "auto" else strip, unpacking.rows
    return Extraction(files=_as_table(rows), folder=folder, strip=taken, skipped=unpacking.skipped)


def _as_table(rows: list[tuple[str, str, str, int, float]]) -> pa.Table:
    import pyarrow as pa

    rows.sort(key=lambda row: row[0].encode())
    columns = list(zip(*rows, strict=True)) if rows else [(), (), (), (), ()]
    microseconds = pa.array([int(seconds) * 1_000_000 for seconds in columns[4]], pa.int64())
    return pa.table(
        {
            "relpath": pa.array(columns[0], pa.string()),
            "file_id": pa.array(columns[1], pa.string()),
            "format": pa.array(columns[2], pa.string()),
            "size_bytes": pa.array(columns[3], pa.int64()),
            "mtime": microseconds.cast(pa.timestamp("us", "UTC")),
        }
    )
