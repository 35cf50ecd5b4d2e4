"""Where reports get their rows from: what they ask of a source, whatever it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

import polars as pl

from ...errors import OntofetchError
from .. import columns as c
from ..collect import Teller


class Reader(Protocol):
    """An open source; shapes as in `polars_pipelines`."""

    def has_asked(self) -> None:
        """Say that nothing more is asked but tables of terms; what is held for questions is let go meanwhile."""

    def resolve(self, name: str) -> str:
        """Return the version_id that `name` means; VersionUnknown or AmbiguousVersion if it means none or several."""

    def resolve_series(self, name: str) -> str:
        """Return the series that `name` means, the only one for an empty name; raises like `resolve`."""

    def versions(self, more: Sequence[str] = ()) -> pl.LazyFrame:
        """Return version_id, slot, previous_version_id of all releases; `more` of their columns."""

    def files(self, version_ids: Sequence[str]) -> pl.LazyFrame:
        """Return the files of releases, shape as in `polars_pipelines`."""

    def changes(
        self,
        pairs: Sequence[tuple[str, str]],
        columns: Sequence[str],
        *,
        unchanged: bool = False,
        most: int | None = None,
    ) -> pl.LazyFrame:
        """Return what changed from A to B for each pair: of version_id (that of B) and `bare_rows.DELTA`."""

    def change_sums(self, pairs: Sequence[tuple[str, str]]) -> pl.LazyFrame:
        """Return sums of what changed, a row per pair with a change, as `repo.reports.select_change_sums` says."""

    def totals(self, key: str, version_ids: Sequence[str]) -> pl.LazyFrame:
        """Return version_id, `key`, files, size_bytes."""

    def file_count(self, version_id: str) -> pl.LazyFrame:
        """Return one row: files."""

    def results(self, version_id: str, columns: Sequence[str]) -> pl.LazyFrame:
        """Return the results of validators: the columns of `polars_pipelines.validation` that are named."""

    def result_changes(self, a: str, b: str) -> pl.LazyFrame:
        """Return what became of results, shape as in `polars_pipelines.validation`."""

    def result_totals(self, version_ids: Sequence[str]) -> pl.LazyFrame:
        """Return version_id, validator, results, passed, failed, not_judged."""

    def hotspots(self, key: str, version_ids: Sequence[str] | None) -> pl.LazyFrame:
        """Return `key`, files, size_bytes, failed over some releases or all."""

    def copies(self, version_ids: Sequence[str] | None) -> pl.LazyFrame:
        """Return contents stored more than once, shape as in `polars_pipelines.duplicates`."""

    def shared(self, version_ids: Sequence[str] | None) -> pl.LazyFrame:
        """Return what releases hold and share, shape as in `polars_pipelines.duplicates`."""

    def knows_facts(self) -> bool:
        """Return whether anything is known of what files say."""

    def nothing_known(self, subject: str) -> OntofetchError:
        """Return the error of a report about terms where that is not so: why it is, and what to type."""

    def facts(self, version_ids: Sequence[str]) -> pl.LazyFrame:
        """Return the facts of those files of releases that can have some, as `repo.facts.facts_of` says."""

    def tabled_facts(self, version_ids: Sequence[str]) -> pl.LazyFrame:
        """Return those facts of releases that have a table of terms, as `repo.facts.tabled_facts_of` says."""

    def told(self, version_ids: Sequence[str]) -> frozenset[str]:
        """Return those of some releases that have a file of which it is known what it says."""

    def heads(self) -> pl.LazyFrame:
        """Return the ontology headers of the files of all releases, as `repo.facts.heads_of` says."""

    def heads_among(self, files: pl.DataFrame) -> pl.LazyFrame:
        """Return those of some files, of which `facts` has told, as `repo.facts.heads_among` says."""

    def term_table(self, row: Mapping[str, Any]) -> bytes:
        """Return the Parquet of the table of terms that a row of facts names; may be called by several threads."""

    def term_columns(
        self, row: Mapping[str, Any], columns: Sequence[str], iris: Sequence[str] | None = None, /
    ) -> pl.DataFrame:
        """Return columns of that table, as `catalog.facts.read_terms`; may be called by several threads."""

    def rows(
        self, table: str, columns: Sequence[str], version_id: str | None = None, most: int | None = None
    ) -> pl.LazyFrame:
        """Return bare rows of `files`, `validations` or `events`, of one release or of all, in no particular order."""


class Source(Protocol):
    """Where rows come from."""

    def open(self) -> AbstractContextManager[Reader]:
        """Open it for one report; all that is read through the reader belongs to one state."""


class CatalogLike(Protocol):
    """What a report needs of a `Catalog`: where the rows come from, and who prints plans and times, None for nobody."""

    source: Source
    tell: Teller | None


def pairs_of(releases: pl.DataFrame) -> list[tuple[str, str]]:
    """Return (the release before, release) of those releases that have one before them, as a reader is asked for."""
    return releases.drop_nulls(c.PREVIOUS_VERSION_ID).select(c.PREVIOUS_VERSION_ID, c.VERSION_ID).rows()
