"""The report `duplicates`: its columns, its chart, and which rows it reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import polars as pl

from .. import columns as c
from .. import drawing as d
from .. import fields as f
from ..fields import INT, TEXT, Contract, Field, Section
from ..polars_pipelines import duplicates as pipelines
from ..results import ReportResult
from ..sources import CatalogLike
from .common import Releases, make_result

_KIND = "kind"
_PARTS = ("only here", "in other releases too", "copies inside the release")
RELEASES = 40  # bars of a chart that can still be read


def draw(result: Mapping[str, pl.DataFrame], _: Mapping[str, object]) -> list[d.Drawn]:
    """Return the bytes of each release: only here, in other releases too, copies inside the release."""
    import altair as alt

    held = d.short_versions(result["versions"].filter(pl.col(c.SIZE) > 0).head(RELEASES))
    if held.is_empty():
        return []
    alone = pl.col(c.SIZE) - pl.col(c.REPEATED) - pl.col(c.SHARED)
    named = dict(zip(_PARTS, (alone, pl.col(c.SHARED), pl.col(c.REPEATED)), strict=True))
    long = held.select(d.LABEL, *(part.alias(name) for name, part in named.items())).unpivot(
        index=d.LABEL, variable_name=_KIND, value_name=c.SIZE
    )
    rows, unit = d.in_units(long, c.SIZE, pl.col(d.LABEL))
    order = pl.col(_KIND).replace_strict({name: at for at, name in enumerate(_PARTS)})
    chart = alt.Chart(
        d.data_of(rows.with_columns(order.alias("at"))),
        title="Bytes stored more than once, by release",
        width=d.WIDTH,
        height=d.BAR * held.height,
    )
    return [
        chart.mark_bar(height=d.BAR - 8).encode(
            x=alt.X(f"{d.AMOUNT}:Q", title=unit),
            y=alt.Y(f"{d.LABEL}:N", sort=None, title=None),
            color=alt.Color(f"{_KIND}:N", title=None, scale=d.colours_of(_PARTS)),
            order=alt.Order("at:Q"),
            tooltip=[alt.Tooltip(f"{name}:N") for name in (d.LABEL, _KIND, d.SHOWN)],
        )
    ]


_SAVED = Field(c.SAVED, INT, "bytes that storing each content once would save")
_REPEATED = Field(c.REPEATED, INT, "bytes of copies inside one release, all but the first", "within releases")

DUPLICATES = Contract("duplicates", (
    Section("contents", "contents stored more than once", (
        Field(c.FILE_ID, TEXT, "sha256 of the bytes", detail=4),
        replace(f.PATH, meaning="the first path it has"),
        replace(f.FORMAT, detail=3),
        replace(f.SIZE, meaning="size of one copy in bytes", detail=2),
        Field(c.COPIES, INT, "number of files with these bytes"),
        Field(c.VERSIONS, INT, "number of releases that have it", "releases", 1),
        _SAVED,
    ), nothing="no content is stored twice"),
    Section("versions", "by release", (
        f.VERSION,
        f.FILES,
        f.SIZE,
        _REPEATED,
        Field(c.SHARED, INT, "bytes of contents that another release has too, each once", "shared with others"),
    )),
    Section("summary", "duplicates", (
        Field(c.VERSIONS, INT, "number of releases", "releases"),
        f.FILES,
        f.SIZE,
        Field(c.CONTENTS, INT, "number of different contents"),
        Field(c.UNIQUE, INT, "bytes of the different contents"),
        _SAVED,
        _REPEATED,
        Field(c.SHARED, INT, "bytes saved beyond that by sharing between releases", "across releases"),
    ), record=True, whole=True),
), order=("summary",), draw=draw)  # fmt: skip


def duplicates(catalog: CatalogLike, *, version: str | None = None) -> ReportResult:
    """Return what is stored more than once, within and across releases, and what deduplication would save.

    Files are counted as the catalog knows them; that a file system already shares blocks or links is not looked at.

    Args:
        version: Only this release, or all releases of this series; None for everything recorded.

    Raises:
        VersionUnknown, AmbiguousVersion: `version` means nothing or several things.
    """
    with catalog.source.open() as reader:
        scope = Releases(catalog, reader).scope(version) if version else None
        copies, shared = reader.copies(scope), reader.shared(scope)
    frames = {
        "contents": pipelines.contents(copies),
        "versions": pipelines.releases(shared),
        "summary": pipelines.duplicate_summary(copies, shared),
    }
    return make_result(catalog, DUPLICATES, frames, {"version": version})
