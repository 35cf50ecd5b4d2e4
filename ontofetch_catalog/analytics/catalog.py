"""The face of the reports for Python and notebooks: a catalog, its rows as lazy frames, its reports as objects.

It knows neither SQL nor pipelines nor the command line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import polars as pl
from polars.io.plugins import register_io_source

from ontofetch_hookspecs.names import quote

from ..catalog.connection import Store
from ..errors import UsageError
from . import columns as c
from .bare_rows import EVENTS, TABLES
from .collect import Teller, collect
from .fields import conform, dtype_of
from .reports import NAMES
from .results import ReportResult
from .sources import Reader, Source
from .sources.catalog import CatalogSource

# reads rows of one kind from an open source: these columns, at most so many rows
Rows = Callable[[Reader, Sequence[str], int | None], pl.LazyFrame]


class Catalog:
    """The catalog of a store, open for reports.

    Every report opens the database read-only, reads, and closes it again, so that a catalog at hand
    keeps nobody waiting.

    Args:
        source: Where the rows come from.
        tell: Prints plans and times; None for none.
    """

    def __init__(self, source: Source, tell: Teller | None = None) -> None:
        self.source = source
        self.tell = tell

    @classmethod
    def open(
        cls, root: str | Path, *, settings: Mapping[str, object] | None = None, tell: Teller | None = None
    ) -> Catalog:
        """Return the catalog of the store at `root`.

        Args:
            root: The store.
            settings: Name → value, as in `ontofetch.toml`; what is missing has its default.
            tell: Prints plans and times; None for none.

        Raises:
            CatalogMissing, CatalogLocked, CatalogUnreadable, SchemaError: At the first read, as their names say.
        """
        return cls(CatalogSource(Store(Path(root).absolute(), dict(settings or {})), tell), tell)

    @classmethod
    def from_audits(cls, root: str | Path, *, tell: Teller | None = None) -> Catalog:
        """Return the releases below `root` as their manifests and audits say, without the database.

        Args:
            root: The store.
            tell: Prints plans and times; None for none.
        """
        from .sources.audits import AuditSource

        return cls(AuditSource(Path(root).absolute(), tell), tell)

    def versions(self) -> pl.LazyFrame:
        """Return all releases, each series in its order; the columns are those of `bare_rows.VERSIONS`."""
        more = (c.IS_LATEST, c.INCOMPLETE, c.RELEASED, c.CREATED_AT)
        return self._rows("versions", lambda reader, columns, most: _head(reader.versions(more), columns, most))

    def files(self, version: str | None = None) -> pl.LazyFrame:
        """Return the files of a release, or of all; the columns are those of `bare_rows.FILES`.

        Raises:
            VersionUnknown, AmbiguousVersion: `version` means no release or several.
        """
        version_id = self._resolve(version)
        return self._rows("files", lambda reader, columns, most: reader.rows("files", columns, version_id, most))

    def validations(self, version: str | None = None) -> pl.LazyFrame:
        """Return the results of a release, or of all; the columns are those of `bare_rows.VALIDATIONS`.

        Raises:
            VersionUnknown, AmbiguousVersion: `version` means no release or several.
        """
        version_id = self._resolve(version)
        return self._rows(
            "validations", lambda reader, columns, most: reader.rows("validations", columns, version_id, most)
        )

    def events(self, exported: str | Path | None = None) -> pl.LazyFrame:
        """Return what was recorded; the columns are those of `bare_rows.EVENTS`.

        Args:
            exported: Parquet that `ontofetch db events --format parquet` wrote; None for the catalog's own.

        Raises:
            UsageError: The file is no such export, or there are only audits.
        """
        if exported is not None:
            return _scan_events(exported)
        return self._rows("events", lambda reader, columns, most: reader.rows("events", columns, None, most))

    def delta(self, a: str, b: str, *, unchanged: bool = False) -> pl.LazyFrame:
        """Return what changed from release `a` to release `b`; the columns are those of `bare_rows.DELTA`.

        Args:
            a: The earlier release.
            b: The later one.
            unchanged: Whether unchanged files are there too.

        Raises:
            VersionUnknown, AmbiguousVersion: A name means no release or several.
        """
        with self.source.open() as reader:
            pair = reader.resolve(a), reader.resolve(b)
        return self._rows(
            "delta", lambda reader, columns, most: reader.changes([pair], columns, unchanged=unchanged, most=most)
        )

    def meaning(self, a: str, b: str) -> pl.LazyFrame:
        """Return what became of terms from release `a` to release `b`; the columns are those of `bare_rows.MEANING`.

        Which files are compared, and which can't be, says the report: `report("meaning", a=a, b=b)`.

        Raises:
            VersionUnknown, AmbiguousVersion: A name means no release or several.
            UsageError: When it is collected, if nothing is known of what files say.
        """
        with self.source.open() as reader:
            pair = reader.resolve(a), reader.resolve(b)

        def changes(reader: Reader, columns: Sequence[str], most: int | None) -> pl.LazyFrame:
            from .terms.changed import changed_terms
            from .terms.comparison import Comparison

            return _head(changed_terms(Comparison(self, reader, [pair])).changes, columns, most)

        return self._rows("meaning", changes)

    def terms(self, version: str | None = None) -> pl.LazyFrame:
        """Return the terms of the files of a release, or of the latest releases; columns as in `bare_rows.TERMS`.

        Raises:
            VersionUnknown, AmbiguousVersion: `version` means no release or several.
            UsageError: When it is collected, if nothing is known of what files say.
        """
        version_id = self._resolve(version)

        def terms(reader: Reader, columns: Sequence[str], most: int | None) -> pl.LazyFrame:
            from .terms.tables import terms_of_releases

            return _head(terms_of_releases(self, reader, version_id), columns, most)

        return self._rows("terms", terms)

    def _resolve(self, version: str | None) -> str | None:
        if version is None:
            return None
        with self.source.open() as reader:
            return reader.resolve(version)

    def _rows(self, table: str, rows: Rows) -> pl.LazyFrame:
        """Return the rows of a section of TABLES; the source is opened for each collect and closed again."""
        section = TABLES.section(table)
        names = [field.name for field in section.fields]

        def scan(
            with_columns: list[str] | None, predicate: pl.Expr | None, n_rows: int | None, batch_size: int | None
        ) -> Iterator[pl.DataFrame]:
            del batch_size  # an answer of DuckDB is one table; what is not asked for is not in it
            chosen = [name for name in names if with_columns is None or name in with_columns] or names[:1]
            with self.source.open() as reader:
                found = conform(rows(reader, chosen, n_rows), section, chosen)
                frames = {table: found if predicate is None else found.filter(predicate)}
                frame = collect(frames, self.tell)[table]
            yield frame

        schema = {field.name: dtype_of(field) for field in section.fields}
        return register_io_source(scan, schema=schema, is_pure=False, explain_name=f"CATALOG {table}")

    def report(self, name: str, **parameters: Any) -> ReportResult:
        """Return the report `name`, a built-in one or one of an installed plugin.

        Args:
            name: The report.
            **parameters: Those of its function in `reports`; of a plugin's, its options with `_` for `-`.

        Raises:
            UsageError: There is no such report, or a plugin's has no such parameter.
            PluginFailed: A plugin's report failed.
        """
        if name not in NAMES:
            from .contributed import run_installed

            return run_installed(name, self, parameters)
        found: ReportResult = getattr(import_module(f"{__package__}.reports.{name}"), name)(self, **parameters)
        return found

    def latest(self, version: str | None = None, **parameters: Any) -> ReportResult:
        """Return what the latest release of each series holds; see `reports.latest`."""
        return self.report("latest", version=version, **parameters)

    def growth(self, a: str | None = None, b: str | None = None, **parameters: Any) -> ReportResult:
        """Return what changed from release `a` to release `b`, or over a series; see `reports.growth`."""
        return self.report("growth", a=a, b=b, **parameters)

    def validation(self, version: str | None = None, **parameters: Any) -> ReportResult:
        """Return how the files of a release fared; see `reports.validation`."""
        return self.report("validation", version=version, **parameters)

    def hotspots(self, by: str = "service", **parameters: Any) -> ReportResult:
        """Return who dominates; see `reports.hotspots`."""
        return self.report("hotspots", by=by, **parameters)

    def duplicates(self, version: str | None = None) -> ReportResult:
        """Return what is stored more than once; see `reports.duplicates`."""
        return self.report("duplicates", version=version)


def _head(rows: pl.LazyFrame, columns: Sequence[str], most: int | None) -> pl.LazyFrame:
    return rows.select(columns) if most is None else rows.select(columns).head(most)


def _scan_events(path: str | Path) -> pl.LazyFrame:
    """Return events that `ontofetch db events --format parquet` exported, lazily; columns as in `bare_rows`.

    Raises:
        UsageError: The file is no such export.
    """
    events = pl.scan_parquet(path)
    try:
        names = events.collect_schema().names()
    except (pl.exceptions.PolarsError, OSError) as error:
        raise UsageError(f"{quote(path)} can't be read as Parquet: {quote(error)}.", subject=str(path)) from error
    missing = [field.name for field in EVENTS.fields if field.name not in names]
    if missing:
        raise UsageError(
            f"{quote(path)} has no column {missing[0]}.",
            subject=str(path),
            hint="Export events with `ontofetch db events --format parquet --out events.parquet`.",
        )
    return conform(events, EVENTS)
