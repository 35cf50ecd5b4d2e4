"""Where each path's bytes are, as the log has it: what one boundary changes in these tables.

The caller holds the log and has a transaction open.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from ..journal import path_and_above
from .log_rows import as_array, insert_rows
from .packs import Place
from .places import Drop, Move, Op, Put

if TYPE_CHECKING:
    import psycopg

_TOGETHER = 8  # paths that go by one statement
_AT_ONCE = 1_000  # contents that are asked for by one


def add_contents(connection: psycopg.Connection[Any], new: Sequence[Place]) -> None:
    """Write down where contents are that were put into the object store."""
    if not new:
        return
    columns = {"sha256": "text", "size": "bigint", "key": "text", "position": "bigint"}
    # a content that was condemned is never used again where it was: it has a new place now
    replace = "ON CONFLICT (sha256) DO UPDATE SET key = excluded.key, position = excluded.position, condemned_at = NULL"
    # in the order of the index the server finds each one's place right behind the one before
    rows = sorted({place.sha256: place for place in new}.values(), key=itemgetter(0))
    with connection.cursor() as cursor:
        insert_rows(cursor, "contents", columns, rows, otherwise=replace)


def are_there(connection: psycopg.Connection[Any], moves: Sequence[Op], new: Sequence[Place]) -> bool:
    """Say whether all contents that paths get are there, those aside that come along."""
    comes = {place.sha256 for place in new}
    left = list({op.sha256 for op in moves if isinstance(op, Put)} - comes)
    for start in range(0, len(left), _AT_ONCE):
        some = left[start : start + _AT_ONCE]
        found = connection.execute(
            "SELECT count(*) FROM contents WHERE sha256 = ANY(%s::text[])", [as_array(some)]
        ).fetchone()
        if found is None or found[0] < len(some):
            return False
    return True


def move_paths(connection: psycopg.Connection[Any], moves: Sequence[Op], *, table: str = "ontofetch.paths") -> None:
    """Do to a table of paths what operations do to files, in order.

    Args:
        table: Its whole name, and no stranger's.
    """
    for op in _grouped(moves):
        _apply(connection, op, table)


def _grouped(ops: Sequence[Op]) -> Iterator[list[Put] | list[Drop] | Move]:
    """Yield what is done to paths, of one kind at a time: what goes goes first, as long as that is the same."""
    drops: list[Drop] = []
    puts: list[Put] = []
    taken: set[str] = set()  # the paths of those that come, and the folders above
    for op in ops:
        if isinstance(op, Put):
            puts.append(op)
            taken.update(path_and_above(op.path))
        elif isinstance(op, Drop) and op.path not in taken:
            drops.append(op)
        else:
            yield from _in_order(drops, puts)
            drops, puts, taken = ([op], [], set()) if isinstance(op, Drop) else ([], [], set())
            if isinstance(op, Move):
                yield op
    yield from _in_order(drops, puts)


def _in_order(drops: list[Drop], puts: list[Put]) -> Iterator[list[Put] | list[Drop]]:
    for start in range(0, len(drops), _TOGETHER):
        yield drops[start : start + _TOGETHER]
    if puts:
        yield puts


def _apply(connection: psycopg.Connection[Any], op: list[Put] | list[Drop] | Move, table: str) -> None:
    """Do to a table of paths what an operation, or several of one kind, does to files."""
    if isinstance(op, Move):
        connection.execute(
            f"UPDATE {table} SET path = %(target)s || substr(path, length(%(source)s) + 1)"  # noqa: S608 - our own name
            " WHERE path = %(source)s OR starts_with(path, %(source)s || '/')".encode(),
            {"source": op.source, "target": op.target},
        )
        return
    drops = [one.path for one in op if isinstance(one, Drop)]
    puts = {one.path: one for one in op if isinstance(one, Put)}
    if drops:
        # with each path by itself in the statement the index is of use
        condition = " OR ".join(["path = %s OR starts_with(path, %s)"] * len(drops))
        values = [text for path in drops for text in (path, f"{path}/")]
        connection.execute(f"DELETE FROM {table} WHERE {condition}".encode(), values)  # noqa: S608 - no value in it
    if puts:
        columns = {"path": "text", "sha256": "text", "size": "bigint", "mtime_ns": "bigint", "mode": "integer"}
        replace = (
            "ON CONFLICT (path) DO UPDATE SET sha256 = excluded.sha256, size = excluded.size,"
            " mtime_ns = excluded.mtime_ns, mode = excluded.mode"
        )
        # of a path that came twice what came last
        rows = [(put.path, put.sha256, put.size, put.mtime_ns, put.mode) for put in puts.values()]
        with connection.cursor() as cursor:
            insert_rows(cursor, table, columns, rows, otherwise=replace)
