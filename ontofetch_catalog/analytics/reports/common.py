"""What the reports have in common: which releases a name means, and making a result of lazy frames.

It does not know what any report is about.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime
from functools import cached_property

import polars as pl

from ontofetch_hookspecs.names import quote

from ...catalog.repo.naming import refuse_two_series
from ...errors import AmbiguousVersion, UsageError, VersionUnknown
from .. import columns as c
from ..collect import collect
from ..fields import Contract, conform
from ..results import ReportResult
from ..sources import CatalogLike, Reader

MOST_ROWS = 1 << 31  # more than a frame can have


class Releases:
    """All releases of a source, read once if at all, and what names mean among them.

    Args:
        more: What is asked of them besides their order: NEWEST, DATES, STATE.
    """

    NEWEST = (c.IS_LATEST,)
    DATES = (c.RELEASED, c.CREATED_AT)
    STATE = (c.INCOMPLETE,)

    def __init__(self, catalog: CatalogLike, reader: Reader, more: tuple[str, ...] = ()) -> None:
        self._reader = reader
        self._tell = catalog.tell
        self._more = more

    @cached_property
    def all(self) -> pl.DataFrame:
        """Return all releases; whoever names both of two releases needs none of the others."""
        return collect({"versions": self._reader.versions(self._more)}, self._tell, held=True)["versions"]

    def choose(self, name: str | None) -> pl.DataFrame:
        """Return the rows that `name` means: a release, the latest of a series, or without a name of each series."""
        if name is None:
            return self.newest(self.all)
        try:
            slot = self._reader.resolve_series(name)
        except VersionUnknown:
            return self.all.filter(pl.col(c.VERSION_ID) == self._reader.resolve(name))
        return self.newest(self.series(slot))

    def series(self, slot: str) -> pl.DataFrame:
        """Return the releases of a series in its order."""
        return self.all.filter(pl.col(c.SLOT) == slot)

    def scope(self, name: str) -> list[str]:
        """Return the version_ids that `name` means: all releases of a series, or one release."""
        try:
            slot = self._reader.resolve_series(name)
        except VersionUnknown:
            return [self._reader.resolve(name)]
        return list(self.series(slot)[c.VERSION_ID])

    def up_to(self, version_id: str, count: int) -> pl.DataFrame:
        """Return the `count` releases of a series that end with `version_id`, in its order."""
        slot = pl.col(c.SLOT).filter(pl.col(c.VERSION_ID) == version_id).first()
        series = self.all.filter(pl.col(c.SLOT) == slot)
        at = int(series[c.VERSION_ID].index_of(version_id) or 0)
        return series.slice(max(at + 1 - count, 0), min(count, at + 1))

    def newest(self, releases: pl.DataFrame) -> pl.DataFrame:
        """Return the latest release of each series in `releases`; else the one before no other."""
        last = ~pl.col(c.VERSION_ID).is_in(self.all[c.PREVIOUS_VERSION_ID].drop_nulls().implode())
        return releases.filter(pl.when(pl.col(c.IS_LATEST).any().over(c.SLOT)).then(c.IS_LATEST).otherwise(last))

    def one(self, name: str | None) -> str:
        """Return the version_id that `name` means; without a name the latest release of the only series."""
        if name:
            return self._reader.resolve(name)
        try:
            slot = self._reader.resolve_series("")
        except AmbiguousVersion as error:
            # what is asked for is a release: the name of a series would be refused the next time
            one = str(self.newest(self.all)[c.VERSION_ID].min())
            hint = f"Name a release, such as {one}; --help shows with which option."
            raise AmbiguousVersion(error.message, subject=error.subject, hint=hint) from None
        return str(self.newest(self.series(slot))[c.VERSION_ID].item())

    def newest_beside(self, version_id: str) -> str:
        """Return the latest release of the series that `version_id` belongs to."""
        slot = pl.col(c.SLOT).filter(pl.col(c.VERSION_ID) == version_id).first()
        return str(self.newest(self.all.filter(pl.col(c.SLOT) == slot))[c.VERSION_ID].item())

    def pair(self, a: str | None, b: str | None, *, anyway: bool) -> tuple[str, str]:
        """Return the release before and the one after, with what was not named.

        Without `b` it is the latest of the series of `a`; if that is `a` itself, it is held against the one before it.

        Raises:
            UsageError: They are of two series, and nobody said that this is meant.
        """
        named = self._reader.resolve(a) if a else None
        later = self.newest_beside(named) if named and not b else self.one(b)
        if named is None or (named == later and not b):
            return self.before(later, "--a"), later
        refuse_two_series(named, later, anyway=anyway)
        return named, later

    def before(self, version_id: str, option: str) -> str:
        """Return the release before `version_id` in its series.

        Raises:
            VersionUnknown: It is the first one; `option` is what can be given instead.
        """
        previous = self.all.filter(pl.col(c.VERSION_ID) == version_id)[c.PREVIOUS_VERSION_ID].item()
        if previous is None:
            raise VersionUnknown(
                f"{version_id} is the first release of its series.",
                subject=version_id,
                hint=f"Name another one with {option}.",
            )
        return str(previous)


@contextmanager
def open_known(catalog: CatalogLike, version: str | None) -> Iterator[tuple[Reader, Releases, str]]:
    """Give the open source, its releases, and the version_id that a name means, for a report on what files say.

    Raises:
        VersionUnknown, AmbiguousVersion: `version` means no release or several.
        UsageError: Nothing is known of what files say.
    """
    with catalog.source.open() as reader:
        releases = Releases(catalog, reader, Releases.NEWEST + Releases.DATES)
        chosen = releases.one(version)
        if not reader.knows_facts():
            raise reader.nothing_known(chosen)
        yield reader, releases, chosen


def make_result(
    catalog: CatalogLike,
    contract: Contract,
    frames: Mapping[str, pl.LazyFrame],
    parameters: Mapping[str, object],
    hidden: Mapping[str, tuple[str, ...]] | None = None,
    *,
    held: bool = False,
) -> ReportResult:
    """Return the collected `frames`, each with the columns and dtypes of its section; `held` as in `collect`."""
    typed = {name: conform(frame, contract.section(name)) for name, frame in frames.items()}
    return ReportResult(collect(typed, catalog.tell, held=held), parameters, contract, hidden or {})


def parse_day(as_of: date | str | None) -> date:
    """Return a day: itself, or from text like 2026-01-31, or today in UTC.

    Raises:
        UsageError: The text is no date.
    """
    if isinstance(as_of, date):
        return as_of
    try:
        return date.fromisoformat(as_of) if as_of else datetime.now(UTC).date()
    except ValueError as error:
        raise UsageError(f"{quote(as_of)} is not a date like 2026-01-31.", subject="as_of") from error


def check_choice(option: str, value: str, choices: tuple[str, ...]) -> str:
    """Return `value` if it is one of `choices`.

    Raises:
        UsageError: It is none of them.
    """
    if value not in choices:
        raise UsageError(f"{option} is one of {', '.join(choices)}, not {quote(value)}.", subject=option)
    return value


def times_told(releases: pl.DataFrame) -> str:
    """Return what the times of the releases of a series are: a time of recording is never called a release date."""
    return "recorded" if releases[c.RELEASED].has_nulls() else "released"


def parse_count(option: str, value: int | str | None) -> int | None:
    """Return `value` as a whole number from 1 on, at most MOST_ROWS; None if it is None.

    Raises:
        UsageError: It is something else.
    """
    if value is None:
        return None
    text = quote(value)[1:-1] if isinstance(value, int) else value
    digits = text.lstrip("0")
    if not (text.isascii() and text.isdigit() and digits):
        raise UsageError(
            f"{option} is a whole number from 1 on, not {quote(text)}.", subject=option, hint=f"For example: {option} 5"
        )
    return int(digits) if len(digits) < 10 else MOST_ROWS
