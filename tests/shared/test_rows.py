"""Rows and long values reach the server as they are, whatever is in them, in messages that are small."""

from __future__ import annotations

import psycopg
import pytest

from ontofetch_catalog.catalog.shared import log_rows

NAMES = ["plain", 'quo"te', "back\\slash", '\\"', "{a,b}", "NULL", "", " ", "größe/名.ttl", "tab\tand\nline", "%s", "'"]


def test_texts_and_numbers_arrive_as_they_are(database: str) -> None:
    """More rows than one message has; quotes, backslashes, braces, blanks and what looks like nothing."""
    rows = [(f"{name}{number}", number - 1_000, name) for number in range(250) for name in NAMES]
    with psycopg.connect(database) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE rows_told (a text, b bigint, c text)")
        log_rows.insert_rows(cursor, "rows_told", {"a": "text", "b": "bigint", "c": "text"}, iter(rows))
        log_rows.insert_rows(cursor, "rows_told", {"a": "text", "b": "bigint", "c": "text"}, ())
        assert sorted(cursor.execute("SELECT a, b, c FROM rows_told").fetchall()) == sorted(rows)


@pytest.mark.parametrize("value", [b"", "", b"\0\xff" * 300_000, "ö\\x" * 300_000])
def test_a_long_value_is_put_together(database: str, value: bytes | str) -> None:
    """Bytes and texts, also empty ones."""
    with psycopg.connect(database) as connection, connection.cursor() as cursor:
        sent = log_rows.send_value(cursor, "pieces", value)
        kind = "bytea" if isinstance(value, bytes) else "text"
        found = cursor.execute(f"SELECT {sent.sql}::{kind}".encode(), sent.values).fetchone()
        assert found == (value,)
        # what is short goes along with the statement
        assert bool(sent.values) == (len(value) < 1_000)
