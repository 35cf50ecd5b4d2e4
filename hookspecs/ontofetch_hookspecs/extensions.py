"""What plugins contribute beside commands and reports: rules of retention, formats of rows, checks of `db doctor`.

As with all contributions, a value names its code as `package.module:name`, and nothing is imported before it is called.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import field

from .checked import check_contribution, check_target, check_tuple, check_word
from .columns import Column
from .errors import EventError
from .light_dataclasses import dataclass
from .names import check_text, quote

SEVERITIES = ("error", "warning", "note")
_CODE = re.compile(r"[A-Z][A-Z0-9]{1,11}[0-9]{3}")
_ENDING = re.compile(r"\.[a-z0-9_-]{1,20}")

RELEASES_COLUMNS = (
    Column("version_id", "string", False, "the release"),
    Column("slot", "string", False, "its series, `service/ontology`"),
    Column("position", "int64", False, "its place in the series, from 1 on, the oldest first"),
    Column("newer", "int64", False, "how many releases of the series come after it"),
    Column("is_latest", "bool", False, "whether the series' latest pointer names it; such a one is never taken"),
    Column("pinned", "bool", False, "whether it is pinned; such a one is never taken"),
    Column("incomplete", "bool", False, "whether an artifact of it was never unpacked"),
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What is shown of sections beyond their rows, where a format is for people; every key is the name of a section.

    Args:
        titles: Headings; a lone section has none unless it is named here.
        order: Sections that come first, in this order.
        records: Sections whose rows are shown as `name value` lines.
        details: Columns that give way where the width is short, the last one first.
        hidden: Columns that are left out.
        headings: Column → heading, where it is not the name of the column in words; of one table of a section that is
            split, under the name of the section and the value, with a blank between.
        left_out: Sections that are not shown.
        whole: Sections that are never cut to some rows.
        newest_last: Sections of which the last rows are shown, not the first.
        nothing: Section → why it has no rows, where it has none; else `nothing`.
        split: Section → column; there is a table for each of its values, in the order of the rows.
        search: Whether a page has a field that searches its tables.
    """

    titles: Mapping[str, str] = field(default_factory=dict)
    order: Sequence[str] = ()
    records: Collection[str] = ()
    details: Mapping[str, Sequence[str]] = field(default_factory=dict)
    hidden: Mapping[str, Collection[str]] = field(default_factory=dict)
    headings: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    left_out: Collection[str] = ()
    whole: Collection[str] = ()
    newest_last: Collection[str] = ()
    nothing: Mapping[str, str] = field(default_factory=dict)
    split: Mapping[str, str] = field(default_factory=dict)
    search: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportOptions:
    """What a format is told beside the rows.

    Args:
        title: What the rows are, one line.
        parameters: What they answer: name → plain value.
        top: Most rows of a section that were asked for, to which they are cut already; None if all were.
        totals: Section → how many rows it had before.
        exact: Whether sizes are to be exact instead of in binary units.
        width: Cells that a line may have, a million where there is no limit.
        colour: Whether the text goes to a terminal that shows colours.
        look: What is shown beyond the rows, for people.
        pictures: Called for the charts of a report, returns SVG; none where there are none.
    """

    title: str = "ontofetch"
    parameters: Mapping[str, object] = field(default_factory=dict)
    top: int | None = None
    totals: Mapping[str, int] = field(default_factory=dict)
    exact: bool = False
    width: int = 1_000_000
    colour: bool = False
    look: Look = field(default_factory=Look)
    pictures: Callable[[], Sequence[str]] = tuple


@dataclass(frozen=True, slots=True)
class Exporter:
    """Contribute a format in which every command can write its rows.

    Args:
        name: The word after `--format`.
        endings: Endings of files of `--out` that mean it, such as `.md`; may be none.
        target: `package.module:function`; called as `function(sections: Mapping[str, Table], options: ExportOptions)`
            with the main section first, it returns the bytes of a whole file, text as UTF-8.
        help: One line.
        binary: Whether it is of no use on a terminal, where it is refused.
        colours: Whether it may colour its text where `options.colour` says so. It has to make foreign words harmless
            itself: of all that a terminal obeys, colours reach it from such a format, and nothing from another one.
    """

    name: str
    endings: tuple[str, ...]
    target: str
    help: str
    binary: bool = False
    colours: bool = False

    def __post_init__(self) -> None:
        check_contribution("exporter", self)
        check_text("help", self.help, most=500, optional=False)
        check_tuple(f"exporter {self.name}", "endings", self.endings, str)
        for ending in self.endings:
            if not _ENDING.fullmatch(ending):
                raise EventError(
                    f"The ending {quote(ending)} of the exporter {self.name} is not of the form `.word`, in small"
                    " letters.",
                    subject="endings",
                )


@dataclass(frozen=True, slots=True)
class Finding:
    """Contribute a check of `db doctor`, and the code of what it finds.

    Args:
        code: Capital letters and three digits, such as `ACME001`; `CAT…` are the catalog's own.
        severity: `error`, `warning` or `note`.
        title: What it means, a sentence.
        target: `package.module:function`; called as `function(catalog)` with an open
            `ontofetch_catalog.analytics.Catalog`, which reads and can't write, it returns what it found: tuples
            `(subject, version_id, message)`, or a table with these columns, all text. The subject is a path below the
            root, or names what it is about; version_id is None where there is no release; the message is a sentence.
        fixes: Names of the fixes that `--fix CODE=FIX` can apply. Only the catalog's own findings have some.
        otherwise: What to do about it, the end of a sentence; shown to the user where there is no fix.
    """

    code: str
    severity: str
    title: str
    target: str
    fixes: tuple[str, ...] = ()
    otherwise: str = ""

    def __post_init__(self) -> None:
        if not isinstance(self.code, str) or not _CODE.fullmatch(self.code):
            raise EventError(
                f"The code of a finding is {quote(self.code)}, not capital letters and three digits such as ACME001.",
                subject="code",
            )
        if self.severity not in SEVERITIES:
            raise EventError(
                f"The severity of the finding {self.code} is {quote(self.severity)}, none of {', '.join(SEVERITIES)}.",
                subject="severity",
            )
        check_text("title", self.title, most=500, optional=False)
        check_text("otherwise", self.otherwise, most=500, optional=False)
        check_target(f"finding {self.code}", self.target)
        check_tuple(f"finding {self.code}", "fixes", self.fixes, str)

    @property
    def name(self) -> str:
        """Return its code, by which it is told from others."""
        return self.code
