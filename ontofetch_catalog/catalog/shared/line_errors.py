"""What an error of PostgreSQL, or of the way to it, means to whoever typed the command, and what to type next.

Nothing is asked of the server here.
"""

from __future__ import annotations

import logging
import os
import re
from urllib.parse import unquote, urlsplit

from ontofetch_hookspecs.characters import printable
from ontofetch_hookspecs.names import quote, shell_word
from ontofetch_hookspecs.processes import user_name

from ...errors import CatalogUnavailable, OntofetchError, UsageError

_ROLES = {"opened": "ontofetch_reader", "read": "ontofetch_reader", "swept": "ontofetch_keeper"}
_AGAIN = "Nothing was changed; what is staged is kept. Run the same command again when the server answers."
# what servers and the library of PostgreSQL say, in the language that most are set to, and what helps
_HINTS = (
    (("password authentication failed", "no password supplied"),
     "Put the password of {user} into ~/.pgpass or PGPASSWORD, or have an expired one renewed"),
    (("no pg_hba.conf entry",), "Have this machine and {user} let in, in the pg_hba.conf of the server"),
    (("does not exist",), "Correct the address, or make the database with `createdb {database}`"),
    (("failed to resolve host", "could not translate host name"), "Correct the address, or wait until it is known"),
)  # fmt: skip

_log = logging.getLogger("ontofetch.catalog")


def say_as_of(error: CatalogUnavailable, event_id: int) -> None:
    """Say of when the rows of a copy are that are shown although its catalog does not answer."""
    # an error, though it is gone on: who is quiet must not take what is old for what is new
    _log.error("%s What is shown is as of event %s.", error.message, f"{event_id:,}")


def explain(error: Exception, address: str, what: str) -> OntofetchError:
    """Return what an error of the driver is to the user.

    Args:
        error: A `psycopg.Error`.
        address: Of the database.
        what: What could not be done, as `opened` or `written`.
    """
    import psycopg

    where, user = quote(address), quote(_user_of(address))
    if isinstance(error, psycopg.errors.InsufficientPrivilege):
        return UsageError(
            f"The shared catalog at {where} may not be {what} by the user {user} of the server.",
            subject=address,
            hint=_grant(what, address),
        )
    if what == "opened" and isinstance(error, psycopg.ProgrammingError) and error.sqlstate is None:
        return UsageError(
            f"{where} is no address of a PostgreSQL database: {_reason(error)}.",
            subject=address,
            hint="It looks like postgresql://server/database, with user@ in front of the server if need be.",
        )
    hint = _AGAIN
    if what == "made" and isinstance(error, psycopg.ProgrammingError):
        hint = "The database has tables of something else in its schema `ontofetch`: name another one, or an empty one."
    if isinstance(error, psycopg.OperationalError) and error.sqlstate is None:
        said, database = str(error), shell_word(_database_of(address))
        found = (text for words, text in _HINTS if any(word in said for word in words))
        if known := next(found, ""):
            hint = f"{known.format(user=user, database=database)}; then run the same command again."
    return CatalogUnavailable(
        f"The shared catalog at {where} can't be {what}: {_reason(error)}.", subject=address, hint=hint
    )


def _grant(what: str, address: str) -> str:
    user = _as_sql(_user_of(address))
    right = _ROLES.get(what, "ontofetch_writer")
    if what == "made":
        right = f"CREATE ON DATABASE {_as_sql(_database_of(address))}"
    return f"`GRANT {right} TO {user}`, typed in psql by its owner, gives the right; docs/shared.md has the roles."


def _as_sql(name: str) -> str:
    """Return a name as a statement of PostgreSQL takes it; one that can't be shown is not typed either."""
    if re.fullmatch("[a-z_][a-z0-9_]*", name):
        return name
    return '"' + printable(name).replace('"', '""') + '"'


def _database_of(address: str) -> str:
    return unquote(urlsplit(address).path.strip("/"))


def _user_of(address: str) -> str:
    return unquote(urlsplit(address).username or "") or os.environ.get("PGUSER") or user_name()


def _reason(error: Exception) -> str:
    """Return what a driver says, in one line, without what it was asked."""
    first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    return quote(first.rstrip(".")[:300])
