"""Where each path's bytes are, as the log has it: what one boundary changes in these tables.

The caller holds the log and has a transaction open.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from .log_rows import insert_rows
from .packs import Place
from .places import Drop, Move, Op, Put

if TYPE_CHECKING:
    import psycopg


def add_contents(connection: psycopg.Connection[Any], new: Sequence[Place]) -> None:
    """Write down where contents are that were put into the object store."""
    if not new:
        return
    columns = {"sha256": "text", "size": "bigint", "key": "text", "position": "bigint"}
    # a content that was condemned is never used again where it was: it has a new place now
    replace = "ON CONFLICT (sha256) DO UPDATE SET key = excluded.key, position = excluded.position, condemned_at = NULL"
    with connection.cursor() as cursor:
        insert_rows(cursor, "contents", columns, {place.sha256: place for place in new}.values(), otherwise=replace)


def move_paths(connection: psycopg.Connection[Any], moves: Sequence[Op]) -> None:
    """Do to the table of paths what operations do to files, in order."""
    for op in _grouped(moves):
        _apply(connection, op)


def _grouped(ops: Sequence[Op]) -> Iterator[list[Put] | Move | Drop]:
    """Yield what is done to paths in order, neighbouring files together."""
    puts: list[Put] = []
    for op in ops:
        if isinstance(op, Put):
            puts.append(op)
            continue
        if puts:
            yield puts
            puts = []
        yield op
    if puts:
        yield puts


def _apply(connection: psycopg.Connection[Any], op: list[Put] | Move | Drop) -> None:
    """Do to the table of paths what an operation does to files."""
    if isinstance(op, Move):
        connection.execute(
            "UPDATE paths SET path = %(target)s || substr(path, length(%(source)s) + 1)"
            " WHERE path = %(source)s OR starts_with(path, %(source)s || '/')",
            {"source": op.source, "target": op.target},
        )
    elif isinstance(op, Drop):
        connection.execute(
            "DELETE FROM paths WHERE path = %(path)s OR starts_with(path, %(path)s || '/')", {"path": op.path}
        )
    else:
        columns = {"path": "text", "sha256": "text", "size": "bigint", "mtime_ns": "bigint", "mode": "integer"}
        replace = (
            "ON CONFLICT (path) DO UPDATE SET sha256 = excluded.sha256, size = excluded.size,"
            " mtime_ns = excluded.mtime_ns, mode = excluded.mode"
        )
        # of a path that came twice what came last
        puts = {put.path: (put.path, put.sha256, put.size, put.mtime_ns, put.mode) for put in op}
        with connection.cursor() as cursor:
            insert_rows(cursor, "paths", columns, puts.values(), otherwise=replace)
