"""The check of the tables of terms beside the catalog, and what may be done about what it finds.

A table is made of a file that is there, so that forgetting one loses nothing but time.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ontofetch_hookspecs.names import quote, relpath_fault

from .. import journal
from ..boundaries.boundary import Recorded
from ..connection import Store
from ..facts_on_disk import adopt_tables, find_files, list_on_disk, read_row
from ..repo import fixity, held_facts
from ..walk import as_text
from .findings import Findings
from .recover_files import is_whole
from .repair import Repair

if TYPE_CHECKING:
    import duckdb


def check_tables(
    store: Store, connection: duckdb.DuckDBPyConnection, findings: Findings, *, hashing: bool = True
) -> None:
    """Look for tables of terms that are lost, damaged, of no release, or not recorded.

    Args:
        hashing: Whether all are read as a whole; else only those that a verification found damaged.
    """
    there = list_on_disk(store)
    suspects = set(fixity.list_suspects(connection)["path"].to_pylist())
    for row in held_facts.list_tables(connection).to_pylist():
        path = row["table_path"]
        size = there.pop(path, None)
        if not row["held"]:
            message = f"No release holds the content that {path} is about any more."
            findings.add("CAT037", path, message, fix="drop")
        elif size is None:
            findings.add("CAT035", path, f"The table of terms {path} is recorded and not there.", fix="drop")
        elif size != row["table_bytes"] or _is_damaged(store, row, hashing or path in suspects):
            findings.add("CAT035", path, f"The table of terms {path} is not the one that was recorded.", fix="drop")
    adoptable = {path for path in find_files(store, connection, sorted(there)) if read_row(store, path)}
    for path in sorted(there):
        message = f"The table of terms {quote(path)[1:-1]} is not recorded."
        movable = ["quarantine"] if relpath_fault(path) is None else []
        findings.add("CAT036", as_text(path), message, fix="adopt" if path in adoptable else None, unsafe=movable)


def _is_damaged(store: Store, row: Mapping[str, Any], hashing: bool) -> bool:
    return hashing and not is_whole(store, row["table_path"], row["table_sha256"])


class DropFacts(Repair):
    """Un-record facts whose table of terms can't be used, or whose content nobody holds; the table goes aside."""

    def still_found(self, connection: duckdb.DuckDBPyConnection) -> list[str]:
        """Return the subjects that are found again."""
        found = Findings()
        check_tables(self.store, connection, found)
        return found.among(self.code, self.subjects)

    def mend(self, connection: duckdb.DuckDBPyConnection, draft: journal.IntentDraft) -> Recorded:
        """Un-record them, and move what lies there into quarantine."""
        rows = held_facts.delete_facts(connection, self.subjects)
        for subject in self.subjects:
            draft.displace(subject, keep=True)
        return Recorded(rows=rows)


class AdoptTables(Repair):
    """Record the facts that tables of terms have in themselves."""

    def in_place(self) -> list[str]:
        """Return the tables."""
        return self.subjects

    def still_found(self, connection: duckdb.DuckDBPyConnection) -> list[str]:
        """Return the tables that are still not recorded."""
        known = set(held_facts.list_tables(connection)["table_path"].to_pylist())
        return list(find_files(self.store, connection, [path for path in self.subjects if path not in known]))

    def mend(self, connection: duckdb.DuckDBPyConnection, draft: journal.IntentDraft) -> Recorded:
        """Record them."""
        del draft
        return Recorded(rows=adopt_tables(self.store, connection, self.subjects))
