"""The recording of releases as their documents say: some small ones together, page by page what their audits list.

No release is held in memory. What breaks a rule is found when some of it may be recorded already: then all of these
releases are taken back, and looked at one by one, so that a release is recorded whole or not at all.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ontofetch_hookspecs.names import MAX_SIZE, quote

from ...errors import EventError
from .. import extractions, fsops
from ..connection import CARE_MEMORY, CARE_THREADS
from ..portions import in_portions
from ..repo import audits, from_documents, releases
from ..tables import read_some_files, read_some_results
from .documents import DocumentRefused, ReleaseDocuments, refused

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

_log = logging.getLogger("ontofetch.catalog.rebuild")
_BYTES, _MOST = 4 << 20, 500  # of the audits of releases that are recorded together; how many these may be


@contextmanager
def reader() -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a connection to read audits through: a line that can't be read must not end anybody's transaction."""
    config: dict[str, str | int | bool] = {**fsops.CLOSED, "memory_limit": CARE_MEMORY, "threads": CARE_THREADS}
    connection = fsops.open_database(Path(":memory:"), config, read_only=False)
    try:
        yield connection
    finally:
        fsops.close_database(connection)


def together(told: Iterable[ReleaseDocuments]) -> Iterator[list[ReleaseDocuments]]:
    """Yield releases in their order, few enough at a time to be recorded together; a large one comes alone."""
    return in_portions(told, lambda one: one.audit_bytes, _BYTES, count=_MOST)


def record(
    connection: duckdb.DuckDBPyConnection, lines: duckdb.DuckDBPyConnection, told: Sequence[ReleaseDocuments]
) -> list[DocumentRefused]:
    """Record what the documents of releases say, inside the open transaction.

    Args:
        connection: To the catalog.
        lines: What `reader` opened.
        told: None of them is recorded, whatever results there are.

    Returns:
        Why those are refused of which nothing is recorded.
    """
    try:
        _record(connection, lines, told)
    except EventError as error:
        from_documents.take_back(connection, [one.version.version_id for one in told])
        if len(told) == 1:
            return [refused(told[0].manifest, error.message)]
        return [reason for one in told for reason in record(connection, lines, [one])]
    return []


def _record(
    connection: duckdb.DuckDBPyConnection, lines: duckdb.DuckDBPyConnection, told: Sequence[ReleaseDocuments]
) -> None:
    from_documents.insert_releases(
        connection,
        [one.version for one in told],
        [(row, one.origins.get(row.relpath) or [releases.origin_of(row)]) for one in told for row in one.artifacts],
        [(one.version.version_id, note) for one in told for note in one.notes],
    )
    _record_files(connection, lines, told)
    if any(one.validation is not None for one in told):
        _record_results(connection, lines, told)


def _record_files(
    connection: duckdb.DuckDBPyConnection, lines: duckdb.DuckDBPyConnection, told: Sequence[ReleaseDocuments]
) -> None:
    version_ids = [one.version.version_id for one in told]
    files = _Order("relpath")
    for page in _read_files(lines, told, files):
        from_documents.insert_files(connection, page)
    if not files.is_kept and (double := from_documents.find_double_file(connection, version_ids)):
        raise EventError(f"Its extract audit has the path {quote(double)} twice.", subject=double)


def _record_results(
    connection: duckdb.DuckDBPyConnection, lines: duckdb.DuckDBPyConnection, told: Sequence[ReleaseDocuments]
) -> None:
    version_ids = [one.version.version_id for one in told]
    from_documents.delete_results(connection, version_ids)
    results = _Order("relpath", "validator")
    given = _audits(one.validation for one in told)
    for page in audits.read_results(lines, given):
        checked = read_some_results(page.rows)
        results.see(page.numbers, checked)
        from_documents.insert_results(connection, _named(checked, page.numbers, given))
    if not results.is_kept and from_documents.find_double_result(connection, version_ids):
        raise EventError("The results table has two rows for one file and validator.", subject="results")
    for version_id, path in from_documents.delete_strays(connection, version_ids, results.count).items():
        _log.warning("%s: results of files that it does not have are left out, e.g. %s", version_id, quote(path))


def _audits(given: Iterable[audits.Audit | None]) -> list[audits.Audit]:
    return [audit for audit in given if audit is not None]


def _read_files(
    lines: duckdb.DuckDBPyConnection, told: Sequence[ReleaseDocuments], order: _Order
) -> Iterator[pa.Table]:
    """Yield what extract audits say, checked, page by page, and the remarks at the end; with version_id."""
    import pyarrow as pa
    import pyarrow.compute as pc

    unpacked = [one for one in told if one.extract is not None]
    given = _audits(one.extract for one in told)
    known = pa.array(
        [f"{number} {artifact.artifact_id}" for number, one in enumerate(unpacked) for artifact in one.artifacts],
        pa.string(),
    )
    remarks: list[tuple[int, str]] = []
    size = 0
    for page in audits.read_files(lines, given):
        remarks += page.remarks[: audits.MOST_REMARK_LINES * len(told) + 1 - len(remarks)]
        # what was recorded before two archives were held against each other stays recorded
        checked = read_some_files(page.rows)
        order.see(page.numbers, checked)
        owners = pc.binary_join_element_wise(page.numbers.cast(pa.string()), page.rows["artifact_id"], " ")
        if not pc.all(pc.is_in(owners, value_set=known), min_count=0).as_py():
            raise EventError(
                "Its extract audit names an artifact that the manifest does not have.", subject="artifact_id"
            )
        size += pc.sum(checked["size_bytes"]).as_py() or 0
        if size > MAX_SIZE:
            raise EventError("The sizes of the files table add up to more than 2**63-1 bytes.", subject="size_bytes")
        yield _named(checked.append_column("artifact_id", page.rows["artifact_id"]), page.numbers, given)
    _check_remarks(told, unpacked, remarks)


def _check_remarks(
    told: Sequence[ReleaseDocuments], unpacked: Sequence[ReleaseDocuments], remarks: list[tuple[int, str]]
) -> None:
    said: dict[str, list[str]] = {one.version.version_id: [] for one in told}
    for number, line in remarks:
        said[unpacked[number].version.version_id].append(line)
    for one in told:
        version_id = one.version.version_id
        expected = [(row.artifact_id, row.extraction) for row in one.artifacts]
        if not extractions.same_remarks(said[version_id], version_id, expected):
            raise EventError("Its extract audit remarks something else than the manifest says.", subject="remarks")


def _named(rows: pa.Table, numbers: pa.ChunkedArray, given: Sequence[audits.Audit]) -> pa.Table:
    import pyarrow as pa

    version_ids = pa.array([audit.version_id for audit in given], pa.string())
    return rows.append_column("version_id", version_ids.take(numbers))


class _Order:
    """Whether rows stand in strictly ascending order of some columns within each audit: then none is there twice.

    Args:
        names: The columns, of texts without control characters.
    """

    def __init__(self, *names: str) -> None:
        self.is_kept = True
        self.count = 0
        self._names = names
        self._last: tuple[int, str] | None = None

    def see(self, numbers: pa.ChunkedArray, rows: pa.Table) -> None:
        """Look at the next rows, and at which audit each of them is of."""
        import pyarrow.compute as pc

        count = len(rows)
        self.count += count
        if not count or not self.is_kept:
            return
        keys = pc.binary_join_element_wise(*(rows[name] for name in self._names), "\n")
        later = pc.or_(
            pc.less(numbers.slice(0, count - 1), numbers.slice(1)), pc.less(keys.slice(0, count - 1), keys.slice(1))
        )
        first = numbers[0].as_py(), keys[0].as_py()
        follows = self._last is None or (self._last[0], self._last[1].encode()) < (first[0], first[1].encode())
        self.is_kept = follows and pc.all(later, min_count=0).as_py() is not False
        self._last = numbers[-1].as_py(), keys[-1].as_py()
