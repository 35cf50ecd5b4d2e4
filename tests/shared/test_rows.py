"""Rows and long values reach the server as they are, whatever is in them, in messages that are small."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random

import psycopg
import pytest

from ontofetch_catalog.catalog.connection import Store
from ontofetch_catalog.catalog.shared import log_rows
from ontofetch_catalog.catalog.shared.address import read_address
from ontofetch_catalog.catalog.shared.log import log_of
from ontofetch_catalog.catalog.shared.log_paths import move_paths
from ontofetch_catalog.catalog.shared.log_schema import SCHEMA
from ontofetch_catalog.catalog.shared.log_then import Then
from ontofetch_catalog.catalog.shared.places import Drop, Move, Op, Put
from ontofetch_catalog.errors import CatalogUnavailable

from .copies import Copies, copies
from .test_holds import asked

__all__ = ["copies"]

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


def done_one_by_one(paths: dict[str, str], op: Op) -> dict[str, str]:
    """Return path → content after one operation."""
    if isinstance(op, Put):
        return paths | {op.path: op.sha256}
    gone = op.path if isinstance(op, Drop) else op.source
    left = {path: content for path, content in paths.items() if path != gone and not path.startswith(f"{gone}/")}
    if isinstance(op, Drop):
        return left
    return left | {op.target + path[len(gone) :]: paths[path] for path in paths if path not in left}


@pytest.mark.parametrize("seed", range(8))
def test_what_is_done_to_paths_together_is_what_one_after_the_other_does(database: str, seed: int) -> None:
    """Files and folders that go, come, come again in their own place or below another, and move."""
    random = Random(seed)
    names = ["a", "a/b", "a/b/c", "a.b", "a%", "b", "b/a", "d/e"]
    kinds = [lambda: Put(random.choice(names), f"{random.random()}", 1, 1, 0o644), lambda: Drop(random.choice(names))]
    with psycopg.connect(database) as connection:
        connection.execute(
            'CREATE TEMP TABLE paths (path text COLLATE "C" PRIMARY KEY, sha256 text, size bigint, mtime_ns bigint,'
            " mode integer)"
        )
        expected: dict[str, str] = {}
        for round_ in range(30):
            ops: list[Op] = [random.choice(kinds)() for _ in range(random.randrange(25))]
            if round_ % 3 == 0:
                ops.insert(random.randrange(len(ops) + 1), Move("a", f"moved-{round_}"))
            for op in ops:
                expected = done_one_by_one(expected, op)
            move_paths(connection, ops, table="pg_temp.paths")
            found = dict(connection.execute("SELECT path, sha256 FROM paths").fetchall())
            assert found == expected


def test_paths_of_then_are_apart(copies: Copies, tmp_path: Path) -> None:
    """They are made in no table that others have, and go with the session that made them."""
    copies.join("a")
    store = Store(tmp_path / "a")
    address = read_address(store)
    assert address is not None
    here = asked(copies, "SELECT * FROM ontofetch.paths")
    with log_of(store, address).opened() as log:
        then = Then(log)
        then.take([Put("s/o/1/data/a.ttl", "a" * 64, 1, 2, 0o644), Put("s/o/1/manifest.json", "b" * 64, 1, 2, 0o644)])
        then.take([Drop("s/o/1/manifest.json"), Move("s/o/1", "s/o/2")])
        assert (then.count(), [put.path for put in then.coming()]) == (1, ["s/o/2/data/a.ttl"])
        assert asked(copies, "SELECT * FROM ontofetch.paths") == here
        log.close()
        with pytest.raises(CatalogUnavailable, match="silent for too long"):
            then.take([Drop("s/o/2")])
        assert asked(copies, "SELECT * FROM ontofetch.paths") == here


@pytest.mark.parametrize("name", ["a" * 63, "A" * 64, "g" * 64, "a" * 63 + "\n", "", "a" * 64 + " "])
def test_a_content_has_a_sha256(database: str, name: str) -> None:
    """Whoever may write down where a content is writes down no other name."""
    statement = "INSERT INTO ontofetch.contents (sha256, size, key, position) VALUES (%s, 1, 'x', 0)"
    with psycopg.connect(database) as connection:
        connection.execute(SCHEMA)
        connection.execute(statement, ["0123456789abcdef" * 4])
        with pytest.raises((psycopg.errors.CheckViolation, psycopg.DataError)):
            connection.execute(statement, [name])
        connection.rollback()


def test_an_error_of_later_rows_is_raised(database: str) -> None:
    """Rows are read while those before are under way; what they raise is not lost."""

    def rows() -> Iterator[tuple[int]]:
        yield from ((number,) for number in range(3_500))
        raise LookupError("here")

    with psycopg.connect(database) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE rows_told (a bigint)")
        with pytest.raises(LookupError, match="here"):
            log_rows.insert_rows(cursor, "rows_told", {"a": "bigint"}, rows())
