"""The catalog as a source of reports: opened read-only for one report and closed again.

What is made of the rows is not known here, and no SQL: that stands in `catalog.repo.reports`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec

import polars as pl
import polars.selectors as cs

from ...catalog.connection import Store
from ...catalog.facts import FORMATS, read_table, read_terms
from ...catalog.portions import in_portions
from ...catalog.repo import duplicates, facts, naming
from ...catalog.repo import reports as sql
from ...catalog.sessions import reading
from ...errors import CatalogUnreadable, OntofetchError
from ..collect import Teller
from .unknown_facts import TOO_LARGE, nothing_known

if TYPE_CHECKING:
    import duckdb

_P = ParamSpec("_P")
_FILES_AT_ONCE = 4_000_000  # whose contents are noted
_CONTENTS_AT_ONCE = 2_000_000  # stored more than once, whose texts are read
_CHANGES_AT_ONCE = 1_000_000  # files that are held against those of the release before
MOST_BYTES_OF_FACTS = 1_000_000_000  # where no setting says another
_MEMORY = 600_000_000  # bytes that DuckDB may hold for a report; what is more goes to its disk


class CatalogSource:
    """Read the catalog of a store.

    Args:
        tell: Prints statements with their plans and times; None for none.
    """

    def __init__(self, store: Store, tell: Teller | None = None) -> None:
        self._store = store
        self._tell = tell

    @contextmanager
    def open(self) -> Iterator[CatalogReader]:
        """Open the catalog for reading, together with other readers; close it at the end."""
        with reading(self._store.bounded(_MEMORY)) as connection:
            closing = threading.Thread(target=connection.close, name="close")
            try:
                yield CatalogReader(connection, self._tell, self._store, closing.start)
            finally:
                # a process that ends while a thread of its is inside DuckDB is aborted
                if closing.ident is not None:
                    closing.join()


def _asking(select: Callable[_P, sql.Statement]) -> Callable[Concatenate[CatalogReader, _P], pl.LazyFrame]:
    """Return the method that reads what a statement selects."""

    def ask(self: CatalogReader, /, *args: _P.args, **named: _P.kwargs) -> pl.LazyFrame:
        return self.read(select(*args, **named))

    return ask


class CatalogReader:
    """Read an open catalog; each method is one statement and one Arrow crossing.

    Args:
        tell: Prints statements with their plans and times; None for none.
        store: Where tables of terms lie beside the catalog; None: there are only rows.
        close: Begins to close the catalog; None: it stays open for others.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        tell: Teller | None = None,
        store: Store | None = None,
        close: Callable[[], None] | None = None,
    ) -> None:
        self._connection = connection
        self._tell = tell
        self._store = store
        self._gathered: tuple[tuple[str, ...] | None] | None = None  # of which releases the contents are noted
        self._close = close
        self._settings = {} if store is None else store.settings
        self._most_bytes = int(str(self._settings.get("facts_max_bytes", MOST_BYTES_OF_FACTS)))

    def has_asked(self) -> None:
        """Let the database be closed, which takes some milliseconds, beside what is made of the rows; nobody asks more.

        Tables of terms can still be read: the catalog stays locked until the source is closed.
        """
        if self._close is not None:
            self._close()

    def resolve(self, name: str) -> str:
        """Return the version_id that `name` means."""
        return naming.resolve_version(self._connection, name)

    def resolve_series(self, name: str) -> str:
        """Return the series that `name` means."""
        return naming.resolve_series(self._connection, name)

    versions = _asking(sql.select_versions)
    files = _asking(sql.select_files)
    changes = _asking(sql.select_changes)
    totals = _asking(sql.select_totals)
    file_count = _asking(sql.select_file_count)
    results = _asking(sql.select_results)
    result_changes = _asking(sql.select_result_changes)
    result_totals = _asking(sql.select_result_totals)
    hotspots = _asking(sql.select_hotspots)
    rows = _asking(sql.select_rows)

    def change_sums(self, pairs: Sequence[tuple[str, str]]) -> pl.LazyFrame:
        """Return sums of what changed, a row per pair with a change; of many files, some pairs after the others."""
        return pl.concat([self.read(sql.select_change_sums(some)) for some in self._some_of(pairs)])

    def _some_of(self, pairs: Sequence[tuple[str, str]]) -> Sequence[Sequence[tuple[str, str]]]:
        """Return pairs of releases in portions that memory holds, as far as one pair fits into it."""
        recorded = sql.read(self._connection, sql.select_all_files())["files"][0].as_py()
        if recorded <= _CHANGES_AT_ONCE or len(pairs) < 2:
            return [pairs]
        counts = self._file_counts([b for _, b in pairs])
        return list(in_portions(pairs, lambda pair: counts.get(pair[1], 0), _CHANGES_AT_ONCE))

    def copies(self, version_ids: Sequence[str] | None) -> pl.LazyFrame:
        """Return contents stored more than once."""
        self._gather(version_ids)
        parts = duplicates.select_copies(self._connection, version_ids, _CONTENTS_AT_ONCE)
        return pl.concat(map(self.read, parts))

    def shared(self, version_ids: Sequence[str] | None) -> pl.LazyFrame:
        """Return what releases hold and share."""
        self._gather(version_ids)
        return self.read(duplicates.select_shared())

    def _gather(self, version_ids: Sequence[str] | None) -> None:
        """Note which contents releases hold, some releases after the others, unless that is done."""
        scope = (None if version_ids is None else tuple(version_ids),)
        if self._gathered == scope:
            return
        counts = self._file_counts(version_ids)
        portions = list(in_portions(sorted(counts), lambda name: counts[name], _FILES_AT_ONCE))
        duplicates.gather(self._connection, portions)
        self._gathered = scope

    def _file_counts(self, version_ids: Sequence[str] | None) -> dict[str, int]:
        """Return how many files each of some releases, or of all, has; those that have none are left out."""
        counted = sql.read(self._connection, sql.select_file_counts(version_ids)).drop_null()
        return dict(zip(*(column.to_pylist() for column in counted.columns), strict=True))

    def knows_facts(self) -> bool:
        """Return whether anything is known of what files say."""
        return len(sql.read(self._connection, sql.select_any_facts())) > 0

    def nothing_known(self, subject: str) -> OntofetchError:
        """Return the error of a report about terms where nothing is: for what reason, and what to type."""
        (found,) = facts.missing_facts(self._connection, list(FORMATS), self._most_bytes).to_pylist()
        is_off = self._settings.get("facts") == "off"
        return nothing_known(subject, **found, most_bytes=self._most_bytes, is_off=is_off)

    def facts(self, version_ids: Sequence[str]) -> pl.LazyFrame:
        """Return the facts of those files of releases that can have some."""
        found = pl.LazyFrame(facts.facts_of(self._connection, version_ids))
        unknown = pl.col("digest").is_null() & pl.col("reason").is_null()
        why = pl.when(unknown & (pl.col("size_bytes") > self._most_bytes)).then(pl.lit(TOO_LARGE)).otherwise("reason")
        return found.filter(pl.col("format").is_in(list(FORMATS))).with_columns(why.alias("reason"))

    def tabled_facts(self, version_ids: Sequence[str]) -> pl.LazyFrame:
        """Return those facts of releases that have a table of terms."""
        found = pl.LazyFrame(facts.tabled_facts_of(self._connection, version_ids))
        return found.filter(pl.col("format").is_in(list(FORMATS)))

    def told(self, version_ids: Sequence[str]) -> frozenset[str]:
        """Return those of some releases that have a file of which it is known what it says."""
        return frozenset(facts.releases_with_facts(self._connection, version_ids))

    def heads(self) -> pl.LazyFrame:
        """Return the ontology headers of the files of all releases."""
        return pl.LazyFrame(facts.heads_of(self._connection, None))

    def heads_among(self, files: pl.DataFrame) -> pl.LazyFrame:
        """Return the ontology headers of some files."""
        known = files.select("version_id", "relpath", "file_id", "content_id", "facts_version")
        return pl.LazyFrame(facts.heads_among(self._connection, known.to_arrow()))

    def term_table(self, row: Mapping[str, Any]) -> bytes:
        """Return the Parquet of the table of terms that a row of facts names."""
        return read_table(self._beside(), row)

    def term_columns(
        self, row: Mapping[str, Any], columns: Sequence[str], iris: Sequence[str] | None = None, /
    ) -> pl.DataFrame:
        """Return columns of that table, of those parts alone that may have one of some sorted IRIs."""
        return pl.DataFrame(read_terms(self._beside(), row, columns, iris))

    def _beside(self) -> Store:
        if self._store is None:
            raise CatalogUnreadable("Tables of terms lie beside a catalog, and only rows are at hand.")
        return self._store

    def read(self, statement: sql.Statement) -> pl.LazyFrame:
        """Return the rows of a statement; times are UTC."""
        start = time.perf_counter()
        table = sql.read(self._connection, statement)
        spent = time.perf_counter() - start
        if self._tell is not None:
            from ...catalog import profile

            with statement.given(self._connection):
                plan = profile.render(profile.profile_query(self._connection, statement.sql))
            self._tell(f"-- duckdb: {len(table)} rows in {spent * 1000:.1f} ms\n{plan}")
        # the catalog stores UTC without zone
        naive = cs.datetime(time_zone=None)
        return pl.LazyFrame(table).with_columns(naive.dt.replace_time_zone("UTC"))
