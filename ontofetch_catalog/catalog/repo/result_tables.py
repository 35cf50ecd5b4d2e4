"""The results of one release as a table in memory: of few, what a boundary asks and writes down takes no statement.

As long as a process writes alone, what it has recorded is remembered (`remembering`), so the next boundary of the
release begins with it. Where they are many, the statements of `validations` do the same.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from ..connection import literal
from ..remembering import ask_table, note_table, recall_table

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

FEW_RESULTS = 10_000  # of a release; of more the engine makes quicker work, on all processors
_MOST_BYTES = 1 << 26  # of what is kept in memory
_OF = ("validations",)


def all_of(version_id: str) -> str:
    """Return the statement that reads all results of a release, as other machines get them, too."""
    return f"SELECT * FROM validations WHERE version_id = {literal(version_id)}"


@lru_cache(maxsize=1)
def _schema() -> pa.Schema:
    import pyarrow as pa

    names = ("version_id", "relpath", "file_id", "validator", "validator_version", "passed", "details", "run_at")
    types = {"passed": pa.bool_(), "run_at": pa.timestamp("us")}
    return pa.schema([(name, types.get(name, pa.string())) for name in (*names, "reused_from")])


def find_few(connection: duckdb.DuckDBPyConnection, version_id: str, count: int) -> pa.Table | None:
    """Return the results of a release, of which there are `count`; None if these are many."""
    if count > FEW_RESULTS:
        return None
    if not count:
        return _schema().empty_table()
    return ask_table(connection, all_of(version_id), of=_OF)


def recall(connection: duckdb.DuckDBPyConnection, version_id: str) -> pa.Table | None:
    """Return the results of a release where they are remembered."""
    return recall_table(connection, all_of(version_id))


def note_results(connection: duckdb.DuckDBPyConnection, version_id: str, left: pa.Table, given: pa.Table) -> pa.Table:
    """Note that these are the results of a release from now on: what is left, and what is given without its name."""
    import pyarrow as pa

    schema = _schema()
    named = given.append_column("version_id", pa.repeat(version_id, len(given)))
    parts = [table.select(schema.names).cast(schema) for table in (left, named)]
    now = pa.concat_tables(parts).combine_chunks()
    if len(now) <= FEW_RESULTS and now.nbytes <= _MOST_BYTES:
        note_table(connection, all_of(version_id), now, of=_OF)
    return now


def are_all(recorded: pa.Table, given: pa.Table) -> bool:
    """Say whether all that is given is recorded: file, content, validator, version, outcome, details."""
    import pyarrow.compute as pc

    # details may have ends of lines in them, and stand last; nothing else may
    names = ("relpath", "file_id", "validator", "validator_version", "passed", "details")
    known = pc.is_in(_keys(given, names), value_set=_keys(recorded, names).combine_chunks())
    return bool(pc.all(known, min_count=0).as_py())


def without(recorded: pa.Table, given: pa.Table) -> pa.Table:
    """Return what is recorded for other files and validators than those of some results."""
    import pyarrow.compute as pc

    names = ("relpath", "validator")
    again = pc.is_in(_keys(recorded, names), value_set=_keys(given, names).combine_chunks())
    return recorded.filter(pc.invert(again))


def _keys(table: pa.Table, names: tuple[str, ...]) -> pa.ChunkedArray:
    import pyarrow as pa
    import pyarrow.compute as pc

    # an outcome may be null, which equals nothing
    texts = [pc.fill_null(table[name].cast(pa.string()), "") for name in names]
    return pc.binary_join_element_wise(*texts, "\n")


def audit_text(results: pa.Table) -> bytes:
    """Return the lines of the validation audit, sorted by path and validator, as `validations.audit_lines` says."""
    import pyarrow as pa
    import pyarrow.compute as pc

    rows = results.sort_by([("relpath", "ascending"), ("validator", "ascending")])
    # without the zeros at its end, as the engine writes it
    time = pc.utf8_rtrim(pc.utf8_rtrim(rows["run_at"].cast(pa.string()), "0"), ".")
    reused = pc.binary_join_element_wise('"', _escaped(rows["reused_from"]), '"', "")
    values = {
        '{"version_id":"': rows["version_id"],
        '","relpath":"': _escaped(rows["relpath"]),
        '","file_id":"': rows["file_id"],
        '","validator":"': rows["validator"],
        '","validator_version":"': rows["validator_version"],
        '","passed":': pc.fill_null(rows["passed"].cast(pa.string()), "null"),
        ',"details":': rows["details"],
        ',"run_at":"': pc.replace_substring(time, " ", "T"),
        'Z","reused_from":': pc.fill_null(reused, "null"),
    }
    # what a stranger's row leaves empty is left out
    pieces = [piece for name, value in values.items() for piece in (pa.scalar(name), pc.fill_null(value, ""))]
    lines = pc.binary_join_element_wise(*pieces, "}\n", "")
    # all lines as one value of a list of them
    listed = pa.ListArray.from_arrays(pa.array([0, len(rows)], pa.int32()), lines.combine_chunks())
    return bytes(pc.binary_join(listed, "")[0].as_buffer())


def _escaped(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    import pyarrow.compute as pc

    return pc.replace_substring(pc.replace_substring(texts, "\\", "\\\\"), '"', '\\"')
