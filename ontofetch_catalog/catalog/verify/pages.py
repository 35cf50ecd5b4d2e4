"""The tables of a verification: which columns they have, how files are read in pages, answers as rows.

Nothing is read from the disk here.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from ..repo import fixity

if TYPE_CHECKING:
    import pyarrow as pa
    from duckdb import DuckDBPyConnection

PAGE_ROWS = 65_536
PORTION_FILES = 256
PORTION_BYTES = 32 << 20
_LEAST_BYTES, _PART_LEFT = 2 << 20, 16  # the last portions of a page shrink, so that all processes end together
NOT_KEPT = ("path", "verified_at")  # of files that are intact: only faults are told with them


# when they were verified, and the releases
Group = tuple[datetime | None, Sequence[str]]
# some files of a page in its order, and their paths, sha256 and sizes
HashList = tuple["pa.Table", list[str], list[str], list[int]]
# kind and path of the last file of the page before
After = tuple[str, str]


def read_pages(groups: pa.Table, read: Callable[[Group, After, int, bool], pa.Table]) -> Iterator[pa.Table]:
    """Yield the files of `groups` (as `fixity.plan_groups` returns them) in pages.

    Args:
        read: Returns at most so many files of a group, those after a file; and is told whether there are many more.
    """
    for group, files in _packed(groups):
        after, many = ("", ""), files > PAGE_ROWS
        while True:
            page = read(group, after, PAGE_ROWS, many)
            yield page
            # several releases share a page only if it holds them whole; the pages of a large one are nearly full
            if len(group[1]) > 1 or len(page) < (1 if many else PAGE_ROWS):
                break
            after = (page["kind"][-1].as_py(), page["relpath"][-1].as_py())


class Planned(NamedTuple):
    """What is to be verified: groups, as `fixity.plan_groups` returns them, and tables of terms, as a page."""

    groups: pa.Table
    terms: pa.Table

    @property
    def files(self) -> int:
        """Return how many files it has."""
        import pyarrow.compute as pc

        return (pc.sum(self.groups["files"]).as_py() or 0) + len(self.terms)

    @property
    def size_bytes(self) -> int:
        """Return the sum of their sizes."""
        import pyarrow.compute as pc

        return sum(pc.sum(table["size_bytes"]).as_py() or 0 for table in self)


class Pages:
    """Recorded files, read page by page.

    Args:
        opened: Opens the catalog for reading, for one page at a time, so that others get their turn.
    """

    def __init__(self, scope: fixity.Scope, opened: Callable[[], AbstractContextManager[DuckDBPyConnection]]) -> None:
        self._scope = scope
        self._opened = opened
        self._connection: DuckDBPyConnection | None = None  # as long as somebody has the catalog open

    @contextmanager
    def reading_from(self, connection: DuckDBPyConnection) -> Iterator[None]:
        """Read the pages that are asked for inside from a catalog that is open."""
        self._connection = connection
        try:
            yield
        finally:
            self._connection = None

    def lists(self, groups: pa.Table) -> Iterator[HashList]:
        """Yield the files of `groups` (as `fixity.plan_groups` returns them) in lists, as they are asked for."""
        for page in read_pages(groups, self._read):
            yield from as_lists(page)

    def _read(self, group: Group, after: After, rows: int, many: bool) -> pa.Table:
        if self._connection is not None:
            return fixity.read_page(self._connection, self._scope, group, after=after, rows=rows, many=many)
        with self._opened() as connection:
            return fixity.read_page(connection, self._scope, group, after=after, rows=rows, many=many)


def as_lists(page: pa.Table) -> Iterator[HashList]:
    """Yield the files of a page in lists for one process each."""
    for part in portions(page):
        yield part, *(part[name].to_pylist() for name in ("path", "content", "size_bytes"))


def _packed(groups: pa.Table) -> Iterator[tuple[Group, int]]:
    """Yield what is read together, and how many files that are."""
    packed: list[str] = []
    rows = 0
    former: datetime | None = None
    for group in groups.to_pylist():
        if packed and (group["verified_at"] != former or rows + group["files"] > PAGE_ROWS):
            yield (former, packed), rows
            packed, rows = [], 0
        former = group["verified_at"]
        packed.append(group["version_id"])
        rows += group["files"]
    if packed:
        yield (former, packed), rows


def portions(page: pa.Table) -> Iterator[pa.Table]:
    """Yield the files of a page (column size_bytes) in portions for one process each; a large file stands alone."""
    import pyarrow.compute as pc

    sums = pc.cumulative_sum(page["size_bytes"]).to_pylist()
    start = 0
    while start < len(page):
        before = sums[start - 1] if start else 0
        most = min(PORTION_BYTES, max(_LEAST_BYTES, (sums[-1] - before) // _PART_LEFT))
        end = min(start + PORTION_FILES, max(start + 1, bisect_right(sums, before + most)))
        yield page.slice(start, end - start)
        start = end


def as_faults(files: pa.Table, faults: list[dict[str, Any]]) -> pa.Table:
    """Return the faults of some files of a page as rows: columns as in `faults_schema`."""
    import pyarrow as pa

    named = files.take(pa.array([fault["number"] for fault in faults], pa.int64()))
    schema = faults_schema()
    columns = {name: named[name] for name in named.column_names}
    for name in ("outcome", "found", "found_bytes", "reason", "inode", "mtime_ns"):
        columns[name] = pa.array([fault.get(name) for fault in faults], schema.field(name).type)
    return pa.table(columns).select(schema.names)


def as_findings(faults: pa.Table) -> pa.Table:
    """Return faults as users see them: without what only confirms them, `content` called `expected`."""
    columns = [name for name in faults.column_names if name not in ("inode", "mtime_ns")]
    return faults.select(columns).rename_columns(["expected" if name == "content" else name for name in columns])


def page_schema() -> pa.Schema:
    """Return the columns of a page: which file, its sha256 and size, its path below the root."""
    import pyarrow as pa

    texts = ("kind", "version_id", "relpath", "content", "path")
    others = [("size_bytes", pa.int64()), ("verified_at", pa.timestamp("us"))]
    return pa.schema([*((name, pa.string()) for name in texts), *others])


def faults_schema() -> pa.Schema:
    """Return the columns of faults, as in `boundary.Found`."""
    import pyarrow as pa

    texts = ("outcome", "path", "content", "found")
    numbers = ("size_bytes", "found_bytes")
    return pa.schema(
        [
            *((name, pa.string()) for name in texts),
            *((name, pa.int64()) for name in numbers),
            ("verified_at", pa.timestamp("us")),
            *((name, pa.string()) for name in ("reason", "version_id", "kind", "relpath")),
            ("inode", pa.uint64()),
            ("mtime_ns", pa.int64()),
        ]
    )
