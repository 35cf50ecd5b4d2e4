"""What the pages of a site are made of: all rows of a catalog that they show, read at once, release by release.

Each table is one statement over all releases. What is made of the rows is not known here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import polars as pl

from ontofetch_hookspecs.light_dataclasses import dataclass

from ..analytics.collect import collect
from ..analytics.sources import CatalogLike
from ..analytics.sources.catalog import CatalogReader
from ..analytics.terms.grown import grown_terms
from ..catalog.repo import showing

MOST_CHANGES = 100  # changed files of a release that its page lists
MOST_FAILURES = 50
MOST_FILES = 20
STEPS_AT_ONCE = 50  # releases whose terms are compared at once: what differs of them is held
Frames = Mapping[str, pl.DataFrame]


@dataclass(frozen=True, slots=True)
class Release:
    """One release as its page shows it; of each kind its rows, without version_id.

    Args:
        series: `service/ontology`.
        version: The last part of its name.
        previous: The release before it in its series, None for the first.
        facts: Its row of `releases`.
        rows: `artifacts`, `formats`, `largest`, `changes`, `sums`, `meaning`, `results`, `failures`: those that have
            rows.
    """

    version_id: str
    series: str
    version: str
    previous: str | None
    facts: Mapping[str, object]
    rows: Frames


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All that a site shows.

    Args:
        releases: A row per release, each series in its order.
        series: Series → its releases in order.
    """

    releases: pl.DataFrame
    series: Mapping[str, list[Release]]


def read(catalog: CatalogLike, reader: CatalogReader, update: Callable[[int, int], None]) -> Catalogue:
    """Return all rows that a site shows, of an open catalog.

    Args:
        update: Is told of how many releases, and of how many in all, it is known what became of their terms.
    """
    known = collect({"releases": reader.read(showing.select_releases())})["releases"]
    # opening a catalog has checked that its names can be names of folders and files
    stated = collect({"stated": reader.read(showing.select_stated())})["stated"]
    known = known.join(stated, on="version_id", how="left", maintain_order="left")
    known = known.with_columns(pl.col("version_id").shift(1).over("slot").alias("previous"))
    pairs = known.drop_nulls("previous").select("previous", "version_id").rows()
    lazy = {
        # a path of this machine is nobody else's affair
        "artifacts": reader.read(showing.select_artifacts()).with_columns(
            pl.col("sources").str.replace_all("(^| )file:[^ ]*", "${1}a local file")
        ),
        "formats": reader.totals("format", known["version_id"].to_list()).sort(
            "version_id", "size_bytes", "format", descending=[False, True, False]
        ),
        "largest": reader.read(showing.select_largest(MOST_FILES)),
        "sums": reader.change_sums(pairs),
        "meaning": _meaning(catalog, reader, pairs, update),
        "changes": reader.read(showing.select_first_changes(pairs, MOST_CHANGES)),
        "results": reader.result_totals(known["version_id"].to_list()).sort("version_id", "validator"),
        "failures": reader.read(showing.select_failures(MOST_FAILURES)),
    }
    split = {name: _by_release(frame) for name, frame in collect(lazy).items()}
    series: dict[str, list[Release]] = {}
    for facts in known.to_dicts():
        version_id, slot = str(facts["version_id"]), str(facts["slot"])
        rows = {name: of[version_id] for name, of in split.items() if version_id in of}
        release = Release(version_id, slot, version_id.rpartition("/")[2], facts["previous"], facts, rows)
        series.setdefault(slot, []).append(release)
    return Catalogue(known, series)


def _meaning(
    catalog: CatalogLike, reader: CatalogReader, pairs: list[tuple[str, str]], update: Callable[[int, int], None]
) -> pl.LazyFrame:
    """Return version_id, terms_added, terms_removed, obsoleted, where that is known of all files that differ."""
    found = []
    # also where there is nothing to compare: the columns are known then
    for at in range(0, max(len(pairs), 1), STEPS_AT_ONCE):
        update(at, len(pairs))
        counted = grown_terms(catalog, reader, pairs[at : at + STEPS_AT_ONCE])
        counts = counted.with_columns(pl.exclude("version_id").cast(pl.Int64))
        found.append(collect({"meaning": counts})["meaning"])
    update(len(pairs), len(pairs))
    return pl.concat(found).drop_nulls().lazy()


def _by_release(frame: pl.DataFrame) -> dict[str, pl.DataFrame]:
    parts = frame.partition_by("version_id", as_dict=True, include_key=False, maintain_order=True)
    return {str(key[0]): part for key, part in parts.items()}
