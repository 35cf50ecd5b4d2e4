"""Turn what the system and DuckDB refuse into a sentence: what could not be done, why, and a step that helps.

All errors of DuckDB are read here, for readers and writers; only damage advises to bring a catalog back.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ontofetch_hookspecs.errors import SYSTEM_CODES, next_step

from ..errors import CatalogLocked, CatalogUnreadable, OntofetchError
from . import fsops

if TYPE_CHECKING:
    import duckdb

    from ontofetch_hookspecs.store_paths import StorePath

BRING_BACK = "Bring it back with `ontofetch db restore BACKUP`, or make it anew with `ontofetch db rebuild`."
_MORE_MEMORY = "Give DuckDB more memory with the setting duckdb_memory, and run the same command again."
_MORE_SPACE = (
    "Free some space beside the catalog, where DuckDB puts what memory can't hold, and run the same command again."
)
_NEWER = "A newer DuckDB made it: use that one or a later one (`pip install -U duckdb`)."
_OURS = (
    "If `ontofetch db doctor` finds nothing, this is a fault of the program: report what the same command says with -v."
)
_NO_MEMORY, _NEWER_VERSION = "out of memory", "database file with version number"
# what DuckDB says of a file, log or block that is not what was written, or is none of its own
_DAMAGE = re.compile(
    r"corrupt|could not read enough bytes|not a valid duckdb database file|failure while replaying wal"
    r"|failed to deserialize|sqlite_scanner"
)


def code_of(error: Exception) -> int | None:
    """Return the number of the system's error behind an error, as in `OSError.errno`; None if there is none."""
    if isinstance(error, OSError):
        return error.errno
    # what is in quotes are paths, which may have any name
    told = re.sub(r'"[^"]*"', "", str(error))
    return next((code for code in SYSTEM_CODES if os.strerror(code) in told), None)


def is_damage(error: Exception) -> bool:
    """Say whether DuckDB met a file, log or block that is not what was written; a refusal of the system is none."""
    duckdb = fsops.driver()
    # a checksum that fails has no class of its own
    kinds = (duckdb.IOException, duckdb.InternalException, duckdb.FatalException, duckdb.SerializationException)
    if not (type(error) is duckdb.Error or isinstance(error, kinds)) or is_refusal(error):
        return False
    return _DAMAGE.search(str(error).casefold()) is not None


def is_refusal(error: BaseException | None) -> bool:
    """Say whether the system, a limit or an older DuckDB refuses what may be sound."""
    told = str(error).casefold()
    return isinstance(error, Exception) and (code_of(error) is not None or _NO_MEMORY in told or _NEWER_VERSION in told)


def explain(
    error: OSError | duckdb.Error,
    what: str,
    *,
    database: StorePath,
    kind: type[OntofetchError],
    subject: str = "",
    state: str = "",
) -> OntofetchError:
    """Return an error as a sentence with what to do next; raise it `from error`.

    Args:
        error: Of the system or of DuckDB.
        what: What could not be done, without a full stop.
        database: The catalog's file.
        kind: What it becomes, unless it is damage (CatalogUnreadable) or a lock (CatalogLocked).
        subject: Identity of what it is about; the catalog if empty.
        state: A sentence about what is left of it now.
    """
    if is_damage(error):
        return CatalogUnreadable(
            f"The catalog {database} can't be read: {_reason(error)}.", subject=str(database), hint=BRING_BACK
        )
    # a damaged block has a "lock" in it too, and so may a path
    if "could not set lock on file" in str(error).casefold():
        return CatalogLocked(
            f"DuckDB can't lock {database}: another program has it open.",
            subject=str(database),
            hint="Close that program (a DuckDB shell, a notebook) and run the same command again.",
        )
    return kind(f"{what}: {_reason(error)}.", subject=subject or str(database), hint=f"{state} {_step(error)}".strip())


@contextmanager
def explaining(
    what: str,
    *,
    database: StorePath,
    kind: type[OntofetchError],
    subject: str = "",
    state: str = "",
    system: bool = True,
) -> Iterator[None]:
    """Turn errors of DuckDB, and with `system` those of the system, into a sentence, see `explain`; others pass."""
    try:
        yield
    except (OSError, fsops.driver().Error) as error:
        if isinstance(error, OSError) and not system:
            raise
        raise explain(error, what, database=database, kind=kind, subject=subject, state=state) from error


def _reason(error: Exception) -> str:
    return (getattr(error, "strerror", None) or str(error).splitlines()[0]).rstrip(".")


def _step(error: Exception) -> str:
    told = str(error).casefold()
    code = code_of(error)
    if code not in (None, errno.ENOMEM) or isinstance(error, OSError):
        return next_step(code)
    if _NO_MEMORY in told:
        return _MORE_SPACE if "temp_directory_size" in told or "offload" in told else _MORE_MEMORY
    return _NEWER if _NEWER_VERSION in told else _OURS
