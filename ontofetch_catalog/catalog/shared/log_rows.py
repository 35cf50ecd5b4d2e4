"""Many rows, and long values, sent to the server in small messages.

Between two messages the server counts for how long a machine has been silent; inside one, or inside a COPY, it waits
for ever, and so would all who wait for what that machine holds. What is small the system sends on by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import psycopg

_ROWS = 1_000  # in one message, of some 150 bytes each
_PIECE = 256 << 10  # bytes, or characters, of a value in one message


def insert_rows(
    cursor: psycopg.Cursor[Any],
    table: str,
    columns: Mapping[str, str],
    rows: Iterable[Sequence[object]],
    *,
    otherwise: str = "",
) -> None:
    """Insert rows into a table.

    Args:
        cursor: In a transaction.
        table: Its name, and no stranger's.
        columns: Name → type of each field of a row, as `table` has them.
        rows: What is inserted; read as it is sent.
        otherwise: What becomes of a row whose key is there: `ON CONFLICT …`; no two of the rows have the same key then.
    """
    arrays = ", ".join(f"%s::{kind}[]" for kind in columns.values())
    statement = f"INSERT INTO {table} ({', '.join(columns)}) SELECT * FROM unnest({arrays}) {otherwise}"  # noqa: S608 - ours
    messages = _messages(rows)
    first, second = next(messages, None), next(messages, None)
    if first is not None:
        cursor.execute(statement.encode(), first)
    if second is None:
        return
    # the next one is written while the server works on the one before
    with ThreadPoolExecutor(1, "rows") as beside:
        while second is not None:
            coming = beside.submit(next, messages, None)
            cursor.execute(statement.encode(), second)
            second = coming.result()


def _messages(rows: Iterable[Sequence[object]]) -> Iterator[list[str]]:
    left = iter(rows)
    while some := list(islice(left, _ROWS)):
        yield [as_array(column) for column in zip(*some, strict=True)]


class Sent(NamedTuple):
    """How a statement names a value that may be long: an expression, and what goes along with the statement."""

    sql: str
    values: tuple[bytes | str, ...]


def send_value(cursor: psycopg.Cursor[Any], table: str, value: bytes | str) -> Sent:
    """Bring a value to the server, if it is long, and return how the statement that needs it names it.

    Args:
        cursor: In a transaction, until whose end the value is there.
        table: A name for it that no other table has.
        value: What is sent.
    """
    if len(value) <= _PIECE:
        return Sent("%s", (value,))
    kind = "text" if isinstance(value, str) else "bytea"
    # the server need not pack what it unpacks at once
    cursor.execute(
        f"CREATE TEMP TABLE {table} (number integer, piece {kind}) ON COMMIT DROP;"
        f" ALTER TABLE {table} ALTER piece SET STORAGE EXTERNAL".encode()
    )
    for number, start in enumerate(range(0, len(value), _PIECE)):
        piece = value[start : start + _PIECE]
        cursor.execute(f"INSERT INTO {table} VALUES (%s, %s)".encode(), [number, piece])  # noqa: S608 - our names
    return Sent(f"(SELECT string_agg(piece, '' ORDER BY number) FROM {table})", ())  # noqa: S608 - our names


def as_array(values: Sequence[object]) -> str:
    """Return texts or numbers as PostgreSQL reads an array, several times faster than the driver makes one."""
    if not values or not isinstance(values[0], str):
        return "{" + ",".join(map(str, values)) + "}"
    texts = list(map(str, values))
    joined = '","'.join(texts)
    if "\\" in joined or joined.count('"') != 2 * len(texts) - 2:
        joined = '","'.join(text.replace("\\", "\\\\").replace('"', '\\"') for text in texts)
    return '{"' + joined + '"}'
