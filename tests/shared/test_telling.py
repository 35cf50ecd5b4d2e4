"""What a boundary tells others is what it changed, although only tables that its statements name are compared."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ontofetch_catalog.catalog import fsops
from ontofetch_catalog.catalog.repo import images
from ontofetch_catalog.catalog.shared.replica import Copy

from .copies import Copies, copies, release

__all__ = ["copies"]


def test_no_change_is_left_out(copies: Copies, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of every kind of boundary: all tables, whole, before and after."""
    really = Copy.push
    seen: list[str] = []

    def push(self: Copy, connection: Any, newest: Any, changed: Any, *more: Any) -> None:
        tables = list(images.KEYS)
        with closing(connection.cursor()) as beside:
            before = images.states_of(beside, tables)
        whole = images.changed_keys(images.states_of(connection, tables), before)
        # more may be told: rows that are what they were, and those of contents that leave a release
        left_out = {table: set(names) - set(changed.get(table, ())) for table, names in whole.items()}
        assert not any(left_out.values()), (newest[2].type, left_out)
        seen.append(newest[2].type)
        really(self, connection, newest, changed, *more)

    copies.join("a", "b")
    monkeypatch.setattr(Copy, "push", push)
    for version in range(1, 4):
        copies.pull("a", release(tmp_path, version), str(version))
    other = tmp_path / "other"
    other.mkdir()
    copies.pull("a", release(other, 7).rename(other / "release-3.zip"), "3", "--replace")
    copies.pull("a", tmp_path / "release-1.zip", "1")
    for words in (
        ("note", "s/o/1", "one"),
        ("tag", "s/o/1", "tagged"),
        ("mv", "s/o", "s/p", "--yes"),
        ("undo",),
        ("rm", "s/o/2", "--yes"),
        ("undo",),
        ("db", "refresh"),
        ("db", "verify"),
        ("db", "facts"),
        ("db", "pin", "s/o/1"),
        ("db", "latest", "set", "s/o/1"),
        ("rm", "s/o/3", "--yes"),
    ):
        copies.run("a", *words)
    copies.check_same("a", "b")
    assert {"download.done", "extract.done", "validate.done", "latest.set", "refresh.done"} <= set(seen)
    assert len(set(seen)) > 12, sorted(set(seen))


@pytest.mark.parametrize(
    ("statement", "tables"),
    [
        ("INSERT INTO notes VALUES (1)", {"notes"}),
        ("INSERT INTO main.notes VALUES (1)", {"notes"}),
        ("WITH x AS (SELECT 1 AS a) INSERT INTO notes SELECT a FROM x", {"notes"}),
        ("UPDATE notes SET a = 2 WHERE a = 9", set()),
        ("UPDATE notes SET a = 2; DELETE FROM tags WHERE a = 'UPDATE x'", {"notes", "tags", "x"}),
        ("create or replace temp table aside as select 1", {"aside"}),
        ("ALTER TABLE notes ADD COLUMN b INTEGER", None),
        ("SELECT 1", None),
    ],
)
def test_what_a_transaction_may_have_changed(statement: str, tables: set[str] | None) -> None:
    """The tables that its statements name, if a row was changed; anything, where one of them names none."""
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE notes (a INTEGER); CREATE TABLE tags (a VARCHAR)")
        assert fsops.changed_tables(connection) is None
        fsops.begin(connection)
        assert fsops.changed_tables(connection) == frozenset()
        fsops.execute(connection, statement)
        assert fsops.changed_tables(connection) == tables
        fsops.execute(connection, "INSERT INTO tags VALUES ('b')")
        assert fsops.changed_tables(connection) == (None if tables is None else tables | {"tags"})
        fsops.rollback(connection)
        fsops.begin(connection)
        assert fsops.changed_tables(connection) == frozenset()
