"""What plugins contribute beside commands and reports: rules of retention.

As with all contributions, a value names its code as `package.module:name`, and nothing is imported before it is called.
"""

from __future__ import annotations

from dataclasses import dataclass

from .checked import check_contribution, check_word
from .events import Column
from .names import check_text

RELEASES_COLUMNS = (
    Column("version_id", "string", False, "the release"),
    Column("slot", "string", False, "its series, `service/ontology`"),
    Column("position", "int64", False, "its place in the series, from 1 on, the oldest first"),
    Column("newer", "int64", False, "how many releases of the series come after it"),
    Column("is_latest", "bool", False, "whether the series' latest pointer names it; such a one is never taken"),
    Column("pinned", "bool", False, "whether it is pinned; such a one is never taken"),
    Column("released", "date32[day]", True, "its release date, null where it is not known"),
    Column("recorded", "timestamp[us, UTC]", False, "when it was first recorded"),
    Column("age_seconds", "int64", False, "whole seconds since then"),
    Column("files", "int64", False, "number of its extracted files"),
    Column("size_bytes", "int64", False, "bytes of its artifacts and its extracted files"),
)


@dataclass(frozen=True, slots=True)
class Retention:
    """Contribute a rule that says which releases `db prune` proposes to take.

    Args:
        name: The word after `--retention`.
        help: One line: which releases are taken.
        target: `package.module:function`; called as `function(releases: pyarrow.Table, value: str | None)` with one
            row per release, columns RELEASES_COLUMNS, in the order of their series, it returns the version_ids to
            take: strings, or an Arrow array or column of them.
        metavar: What stands for its value in the help; empty if it takes none.
    """

    name: str
    help: str
    target: str
    metavar: str = "VALUE"

    def __post_init__(self) -> None:
        check_contribution("retention", self)
        check_text("help", self.help, most=500, optional=False)
        if self.metavar != "":
            check_word(f"retention {self.name}", "metavar", self.metavar)
