"""What an error of the server is to the user: names from an address are data, in a statement and in a command, too."""

from __future__ import annotations

import psycopg
import pytest

from ontofetch_catalog.catalog.shared.line_errors import explain
from ontofetch_catalog.errors import CatalogUnavailable, UsageError

NO_DATABASE = 'connection failed: FATAL:  database "x" does not exist'


@pytest.mark.parametrize(
    ("user", "what", "statement"),
    [
        ("curator", "written", "GRANT ontofetch_writer TO curator"),
        ("Jane", "read", 'GRANT ontofetch_reader TO "Jane"'),
        ("a%22b", "swept", 'GRANT ontofetch_keeper TO "a""b"'),
    ],
)
def test_a_missing_right_is_told_with_the_statement_that_gives_it(user: str, what: str, statement: str) -> None:
    """It can be typed as it stands, whatever the user is called."""
    found = explain(psycopg.errors.InsufficientPrivilege(), f"postgresql://{user}@db.example.org/lab", what)
    assert isinstance(found, UsageError)
    assert f"`{statement}`" in found.hint


@pytest.mark.parametrize("what", ["made", "read"])
def test_no_name_of_an_address_reaches_a_terminal_raw(what: str) -> None:
    """What a terminal would obey is shown as what it is."""
    address = "postgresql://a%1b%5b31m@db.example.org/b%1b%5b2J"
    found = explain(psycopg.errors.InsufficientPrivilege(), address, what)
    assert f"{found.message}{found.hint}".isprintable()


@pytest.mark.parametrize(
    ("database", "command"), [("lab", "createdb lab"), ("a;reboot", "createdb 'a;reboot'"), ("b%1b", "createdb FILE")]
)
def test_a_missing_database_is_told_with_a_command_that_is_safe(database: str, command: str) -> None:
    """A shell takes the name as one word."""
    found = explain(psycopg.OperationalError(NO_DATABASE), f"postgresql://db.example.org/{database}", "opened")
    assert isinstance(found, CatalogUnavailable)
    assert f"`{command}`" in found.hint


def test_a_database_that_has_something_else_is_no_server_that_is_away() -> None:
    """Waiting would not help: another database does."""
    error = psycopg.errors.UndefinedTable('relation "ontofetch.store" does not exist')
    found = explain(error, "postgresql://db.example.org/lab", "made")
    assert "name another one" in found.hint
    assert "when the server answers" not in found.hint
