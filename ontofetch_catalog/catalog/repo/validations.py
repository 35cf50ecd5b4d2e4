"""The SQL of validations: comparing, recording and un-recording those of one release, audit, known results."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING

from .. import fsops
from ..connection import fetch_number, fetch_text, literal, registered
from ..remembering import ask, note
from . import result_tables
from .bounds import has_none
from .files import few_contents
from .lines import FEW, text_of

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa


def count_validations(connection: duckdb.DuckDBPyConnection, version_id: str) -> int:
    """Return how many results of a release are recorded."""
    return _count(connection, version_id)[0]


def count_failed_files(connection: duckdb.DuckDBPyConnection, version_id: str) -> int:
    """Return how many files of a release have a failing result."""
    return _count(connection, version_id)[1]


def _count(connection: duckdb.DuckDBPyConnection, version_id: str) -> tuple[int, int]:
    """Return how many results of a release are recorded, and how many of its files have a failing one."""
    ((results, failed),) = ask(connection, _COUNTED.format(literal(version_id)), of=("validations",))
    return results, failed


_COUNTED = "SELECT count(*), count(DISTINCT relpath) FILTER (NOT passed) FROM validations WHERE version_id = {}"


def compare_results(
    connection: duckdb.DuckDBPyConnection, version_id: str, results: pa.Table
) -> tuple[str | None, bool]:
    """Return what `find_unknown_file` does, and whether all of `results` are recorded already."""
    if len(results) > count_validations(connection, version_id):
        return find_unknown_file(connection, version_id, results), False
    if (recorded := _find_few(connection, version_id)) is not None:
        unknown = find_unknown_file(connection, version_id, results)
        return unknown, unknown is None and result_tables.are_all(recorded, results)
    with registered(connection, given_results=results):
        unknown = _find_unknown(connection, version_id)
        return unknown, unknown is None and _are_recorded(connection, version_id)


def _find_few(connection: duckdb.DuckDBPyConnection, version_id: str) -> pa.Table | None:
    return result_tables.find_few(connection, version_id, count_validations(connection, version_id))


def find_unknown_file(connection: duckdb.DuckDBPyConnection, version_id: str, results: pa.Table) -> str | None:
    """Return a path whose (relpath, file_id) is in `results` but not recorded for the release; None if all are."""
    if (known := few_contents(connection, version_id)) is not None:
        given = set(zip(results["relpath"].to_pylist(), results["file_id"].to_pylist(), strict=True))
        return min((relpath for relpath, _ in given - known.items()), default=None)
    with registered(connection, given_results=results):
        return _find_unknown(connection, version_id)


def _find_unknown(connection: duckdb.DuckDBPyConnection, version_id: str) -> str | None:
    return fetch_text(
        connection,
        "SELECT relpath FROM given_results ANTI JOIN (SELECT relpath, file_id FROM extracted_files"
        f" WHERE version_id = {literal(version_id)}) USING (relpath, file_id) ORDER BY relpath LIMIT 1",
    )


def _are_recorded(connection: duckdb.DuckDBPyConnection, version_id: str) -> bool:
    """Say whether all that is given is recorded: file, content, validator, version, outcome, details."""
    differing = fetch_number(
        connection,
        # an outcome may be null, which equals nothing
        "SELECT count(*) FROM (SELECT *, coalesce(passed::VARCHAR, '') AS outcome FROM given_results)"
        " ANTI JOIN (SELECT relpath, file_id, validator, validator_version, details::VARCHAR AS details,"
        " coalesce(passed::VARCHAR, '') AS outcome"
        f" FROM validations WHERE version_id = {literal(version_id)})"
        " USING (relpath, file_id, validator, validator_version, details, outcome)",
    )
    return differing == 0


def replace_results(connection: duckdb.DuckDBPyConnection, version_id: str, results: pa.Table) -> None:
    """Record results in bulk; one for the same file and validator gives way."""
    before = count_validations(connection, version_id)
    recorded = _find_few(connection, version_id) if len(results) <= result_tables.FEW_RESULTS else None
    left = None if recorded is None else result_tables.without(recorded, results)
    with registered(connection, given_results=results):
        if before and (left is None or len(left) < before):
            given = " AND (relpath, validator) IN (SELECT (relpath, validator) FROM given_results)"
            # where all give way, nobody has to look at which
            which = "" if left is not None and not len(left) else given
            fsops.execute(connection, f"DELETE FROM validations WHERE version_id = {literal(version_id)}{which}")
        fsops.execute(
            connection,
            f"INSERT INTO validations BY NAME SELECT {literal(version_id)} AS version_id, * FROM given_results",
        )
    now = results if left is None else result_tables.note_results(connection, version_id, left, results)
    if left is not None or not before:
        _note_counted(connection, version_id, now)


def _note_counted(connection: duckdb.DuckDBPyConnection, version_id: str, now: pa.Table) -> None:
    import pyarrow.compute as pc

    failing = now.filter(pc.invert(now["passed"]))["relpath"]
    counted = len(now), pc.count_distinct(failing).as_py()
    note(connection, _COUNTED.format(literal(version_id)), (), [counted], of=("validations",))


def delete_vanished(connection: duckdb.DuckDBPyConnection, version_id: str) -> int:
    """Un-record the results of a release whose file, with that content, is no longer recorded; return how many."""
    return fsops.execute(
        connection,
        f"DELETE FROM validations WHERE version_id = {literal(version_id)} AND (relpath, file_id) NOT IN"
        f" (SELECT (relpath, file_id) FROM extracted_files WHERE version_id = {literal(version_id)})",
    )


# of all contents only that of empty files is judged by the name: there is a result for each ending
_ENDING = """CASE WHEN file_id = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
        THEN regexp_extract(lower(relpath), '[.][^./]*$') END"""
_KNOWN = f"""
    SELECT file_id, first(passed ORDER BY run_at, version_id, relpath) AS passed,
        first(details::VARCHAR ORDER BY run_at, version_id, relpath) AS details,
        min(run_at) AS run_at,
        first(coalesce(reused_from, version_id || '#' || relpath) ORDER BY run_at, version_id, relpath) AS reused_from
    FROM validations SEMI JOIN given_ids USING (file_id)
    WHERE validator = $validator AND validator_version = $version
    GROUP BY file_id, {_ENDING} ORDER BY file_id
"""


def known_results(
    connection: duckdb.DuckDBPyConnection, file_ids: Sequence[str], validator: str, validator_version: str
) -> pa.Table:
    """Return the oldest known result for each of these contents, columns KNOWN_RESULTS_COLUMNS, sorted by file_id.

    Of empty files there is one for each ending of their names.
    """
    import pyarrow as pa

    if has_none(connection, "validations", file_ids):
        texts = (("file_id", pa.string()), ("passed", pa.bool_()), ("details", pa.string()))
        return pa.schema([*texts, ("run_at", pa.timestamp("us")), ("reused_from", pa.string())]).empty_table()
    with registered(connection, given_ids=pa.table({"file_id": pa.array(list(file_ids), pa.string())})):
        asked = {"validator": validator, "version": validator_version}
        return connection.sql(_KNOWN, params=asked).to_arrow_table()


_AUDIT_LINE = """concat('{"version_id":"', version_id, '","relpath":"',
    replace(replace(relpath, chr(92), '\\\\'), '"', '\\"'), '","file_id":"', file_id,
    '","validator":"', validator, '","validator_version":"', validator_version,
    '","passed":', coalesce(passed::VARCHAR, 'null'), ',"details":', details::VARCHAR,
    ',"run_at":"', replace(run_at::VARCHAR, ' ', 'T'), 'Z","reused_from":',
    CASE WHEN reused_from IS NULL THEN 'null'
        ELSE '"' || replace(replace(reused_from, chr(92), '\\\\'), '"', '\\"') || '"' END, '}', chr(10))"""


def audit_lines(connection: duckdb.DuckDBPyConnection, version_id: str) -> Generator[memoryview, None, None]:
    """Yield the lines of the validation audit of a release, sorted by path and validator, as bytes of many lines.

    Who does not take them all closes it: until then its result stays open.
    """
    if (recorded := result_tables.recall(connection, version_id)) is not None:
        if len(recorded):
            yield memoryview(result_tables.audit_text(recorded))
        return
    query = f"""
        SELECT {_AUDIT_LINE} FROM (
            SELECT * FROM validations WHERE version_id = {literal(version_id)} ORDER BY relpath, validator
        )"""
    yield from text_of(connection, query, few=count_validations(connection, version_id) <= FEW)


def audit_digests(connection: duckdb.DuckDBPyConnection, version_ids: Sequence[str]) -> dict[str, str]:
    """Return the sha256 of what `audit_lines` yields for each of some releases; those without results are left out."""
    rows = connection.execute(
        f"""
        SELECT version_id, sha256(string_agg({_AUDIT_LINE}, '' ORDER BY relpath, validator))
        FROM validations SEMI JOIN (SELECT unnest(?) AS version_id) USING (version_id) GROUP BY version_id
        """,
        [list(version_ids)],
    ).fetchall()
    return dict(rows)
