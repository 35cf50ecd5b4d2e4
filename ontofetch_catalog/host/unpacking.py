"""The unpacking of one archive into a stage: entry by entry, what is asked for is written, what may not be is refused.

In which process that happens and who is told is not known here.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import IO

from ontofetch_hookspecs.names import quote, relpath_fault
from ontofetch_hookspecs.stages import CHUNK, StagedFile, StageFolder

from ..content.formats import HEAD_BYTES
from ..content.packed import remarks
from ..content.packed.archives import HARD_LINK, Budget, Counted, Entry, Readable, damage_named, read_entries
from ..content.packed.insides import format_inside
from ..content.packed.selection import Selection, find_sources
from ..errors import ExtractError
from .unpacked import DATA, Row, recorded_time
from .unpacked_names import Names
from .writers import Writers
from .written_beside import WrittenBeside

_INSTEAD = "Leave it out with --exclude, or pull an archive that was packed without it."


class Unpacking:
    """One archive on its way into one stage.

    Args:
        budget: What may come out of it.
        selection: What is asked for.
        drop: How many leading folders are taken off each name.
        portable: Whether names that meet where case is folded are refused wherever they do.
        content_type: What the server said of the file.
        alive: Called now and then; ends the process if nobody waits for it any more.

    Attributes:
        rows: Path, sha256, format, bytes and time of files that were not told of yet; of two with one path the later
            one counts.
        tops: The first parts of the names, two of them at most.
        skipped: How many files were left out because their name is too short.
    """

    def __init__(
        self,
        stage: StageFolder,
        budget: Budget,
        selection: Selection,
        *,
        drop: int = 0,
        portable: bool = False,
        content_type: str | None = None,
        alive: Callable[[], None] = lambda: None,
    ) -> None:
        self.rows: list[Row] = []
        self.tops: set[str] = set()
        self.skipped = 0
        self._stage = stage
        self._content_type = content_type
        self._budget = budget
        self._selection = selection
        self._drop = drop
        self._alive = alive
        self._names = Names(budget, drop, self._is_there, portable=portable)
        self._writers = Writers(stage, DATA, self.rows_of)
        self._links: dict[str, tuple[str, float]] = {}  # path → name and time of links whose file is not unpacked

    def rows_of(self, rows: list[Row]) -> None:
        """Take in what is told of files that are written."""
        self.rows += rows

    def take(self, entry: Entry) -> None:
        """Check an entry and, if it is asked for, write it below the stage's data folder."""
        name = entry.path
        if entry.kind == "folder" and name in ("", "."):
            return
        if not entry.alone and self._selection.is_metadata(name):
            if entry.kind != "folder":
                self._budget.remarks.add(remarks.METADATA, name, remarks.LEFT_OUT)
            return
        wanted = self._selection.wants(name)
        fault = relpath_fault(name) or (None if entry.kind in ("file", "folder", HARD_LINK) else f"is {entry.kind}")
        if fault is not None:
            self._budget.entry = name
            if wanted:
                raise self._budget.refused(fault, instead=_INSTEAD)
            self._budget.remarks.add(f"{remarks.UNWANTED} {fault}", name)
            return
        if entry.kind == "folder":
            return
        if len(self.tops) < 2:
            self.tops.add(name.partition("/")[0] if "/" in name else "")
        if wanted:
            self._take_wanted(entry, name)

    def _take_wanted(self, entry: Entry, name: str) -> None:
        parts = name.split("/", self._drop)
        if len(parts) <= self._drop:
            self.skipped += 1
            return
        path = parts[-1]
        if entry.kind == HARD_LINK and entry.target == name and self._names.holds(name) is not None:
            # the same file was packed twice; tar says so by a link to itself
            return
        again = self._names.add(name, path)
        if again or entry.kind == HARD_LINK:
            # what it is compared with, or a link to, has to be there
            self._writers.finish()
        pending = self._links.pop(path, None)
        if again and not entry.replaces:
            self._check_same(entry, name, path)
            return
        if again:
            self._budget.remarks.add(remarks.AGAIN, name)
        source = self._names.holds(entry.target) if entry.kind == HARD_LINK else None
        if entry.kind == HARD_LINK and (source is None or source in self._links):
            self._links[path] = (name, entry.mtime)
            source = None
        elif source is not None:
            entry = self._copy_of(entry, source)
        if again and pending is None:
            self._stage.remove_file(f"{DATA}/{path}")
        if path not in self._links:
            self._write(entry, path)

    def finish(self, archive: IO[bytes]) -> None:
        """Unpack what was asked for and is a hard link to what was not: the archive is read again to find it.

        Raises:
            ExtractError: There is no such file before the link.
        """
        self._writers.finish()
        if not self._links:
            return
        with ExitStack() as stack:
            sources = find_sources(self._again(archive, stack))
        by_number: dict[int, list[str]] = {}
        for path, (name, _) in self._links.items():
            number = sources.get(name)
            if number is None:
                self._budget.entry = name
                raise self._budget.refused("is a hard link to what is no file before it", instead=_INSTEAD)
            by_number.setdefault(number, []).append(path)
        with ExitStack() as stack:
            for number, entry in enumerate(self._again(archive, stack)):
                self._write_links(entry, by_number.get(number, []))
        self._writers.finish()

    def close(self) -> None:
        """End the processes that write."""
        self._writers.close()

    def _again(self, archive: IO[bytes], stack: ExitStack) -> Iterator[Entry]:
        archive.seek(0)
        budget = Budget(self._budget.name, os.fstat(archive.fileno()).st_size, self._budget.limits)
        for entry in read_entries(archive, self._budget.name, stack, budget):
            self._alive()
            yield entry

    def _write_links(self, entry: Entry, paths: list[str]) -> None:
        first = ""
        for path in paths:
            mtime = self._links[path][1]
            if first:
                self._writers.finish()
            source = self._copy_of(entry, first) if first else entry
            self._write(source, path, mtime)
            first = path

    def _copy_of(self, entry: Entry, path: str) -> Entry:
        """Return an entry with the bytes of a file that lies in the stage."""

        @contextmanager
        def opening() -> Iterator[Readable]:
            with self._stage.read_file(f"{DATA}/{path}") as stream:
                # each name takes room of its own
                yield Counted(stream, self._budget)

        return Entry(entry.name, "file", entry.mtime, opening)

    def _is_there(self, path: str) -> bool:
        return (self._stage.place / f"{DATA}/{path}").exists()

    def _check_same(self, entry: Entry, name: str, path: str) -> None:
        """Check that an entry has the bytes of the one of the same name before it."""
        digest, size = hashlib.sha256(), 0
        for chunk in self._chunks(entry):
            digest.update(chunk)
            size += len(chunk)
        with self._stage.read_file(f"{DATA}/{path}") as stream:
            same = os.fstat(stream.fileno()).st_size == size
            other = hashlib.sha256()
            while same and (chunk := stream.read(CHUNK)):
                other.update(chunk)
            same = same and other.digest() == digest.digest()
        if not same:
            raise ExtractError(
                f"The entry {quote(name)} is twice in {quote(self._budget.name)}, with different bytes.",
                subject=name,
                hint="Nothing was published: which one is meant, nobody can tell. Leave it out with --exclude.",
            )
        self._budget.remarks.add(remarks.TWICE, name)

    def _write(self, entry: Entry, path: str, told: float | None = None) -> None:
        mtime = recorded_time(entry.mtime if told is None else told)
        with damage_named(self._budget.name):
            whole = entry.whole()
        # what the server said of an archive says nothing of its entries
        said = self._content_type if entry.alone else None
        if whole is not None:
            self._writers.write((path, whole, mtime, said))
            self._alive()
            return
        with self._stage.write_file(f"{DATA}/{path}", mtime=mtime) as staged:
            head = self._copy(entry, staged)
        found = format_inside(path, head, partial(self._reopened, path), said)
        self.rows.append((path, staged.sha256, found, staged.size, mtime))

    def _reopened(self, path: str) -> IO[bytes]:
        return os.fdopen((self._stage.place / f"{DATA}/{path}").open_file(), "rb")

    def _copy(self, entry: Entry, staged: StagedFile) -> bytes:
        """Write an entry and return its first bytes; what is large is hashed and written while the next is inflated."""
        head = b""
        with WrittenBeside(staged.write) as beside:
            for chunk in self._chunks(entry):
                if len(head) < HEAD_BYTES:
                    head += chunk[: HEAD_BYTES - len(head)]
                beside.write(chunk)
        return head

    def _chunks(self, entry: Entry) -> Iterator[bytes]:
        # only reading may be blamed on the archive: what happens between two chunks is the stage's affair
        with ExitStack() as stack:
            with damage_named(self._budget.name):
                source = stack.enter_context(entry.open())
            while True:
                with damage_named(self._budget.name):
                    chunk = source.read(CHUNK)
                if not chunk:
                    return
                yield chunk
                self._alive()
