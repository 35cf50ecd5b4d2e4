"""The report `imports`: its columns, and which rows it reads."""

from __future__ import annotations

import polars as pl

from .. import columns as c
from ..collect import collect
from ..fields import INT, TEXT, Contract, Field, Section
from ..polars_pipelines.heads import satisfied
from ..results import ReportResult
from ..sources import CatalogLike, Reader
from .common import make_result, open_known

_DEEPEST = 1_000
IMPORTS = Contract("imports", (
    Section("imports", "what it imports, and what satisfies that", (
        Field("depth", INT, "1: imported by the release itself, 2: by what it imports …"),
        Field(c.ONTOLOGY_IRI, TEXT, "IRI of the ontology that imports", "ontology", 2),
        Field(c.IMPORT, TEXT, "IRI that it imports"),
        Field("satisfied_by", TEXT, "the release of the store that has it; null where none has", "satisfied by"),
        Field("satisfied_file", TEXT, "its file", "file", 1),
        Field("satisfied_version", TEXT, "the version that its header states", "version", 3),
        Field(c.VERSION_ID, TEXT, "the release that imports it", "of release", 5),
        Field(c.FILE, TEXT, "the file that imports it", "importing file", 4),
    )),
    Section("summary", "imports", (
        Field(c.IMPORTS, INT, "imports in the closure"),
        Field("missing", INT, "of these, those that no release of the store satisfies"),
        Field("deepest", INT, "how deep the closure is"),
    ), record=True),
), order=("summary",))  # fmt: skip


def imports(catalog: CatalogLike, *, version: str | None = None) -> ReportResult:
    """Return what a release imports, directly and through what it imports, and which releases satisfy that.

    Args:
        version: The release; None for the latest one of the only series.

    Raises:
        VersionUnknown, AmbiguousVersion: `version` means no release or several.
        UsageError: Nothing is known of what files say.
    """
    with open_known(catalog, version) as (reader, releases, chosen):
        rows = closure(catalog, reader, releases.all, chosen).lazy()
    summary = rows.select(
        pl.len().alias(c.IMPORTS),
        pl.col("satisfied_by").is_null().sum().alias("missing"),
        pl.col("depth").max().fill_null(0).alias("deepest"),
    )
    return make_result(catalog, IMPORTS, {"imports": rows, "summary": summary}, {"version": chosen})


def closure(catalog: CatalogLike, reader: Reader, releases: pl.DataFrame, version_id: str) -> pl.DataFrame:
    """Return the imports of a release and of all that satisfies them: the columns of the section, each once.

    Args:
        releases: version_id, slot, is_latest, created_at of all releases.
        version_id: Where it begins. Its own files satisfy before those of others.
    """
    heads = collect({"heads": reader.heads()}, catalog.tell)["heads"]
    # the release itself first, then what is latest, then what was recorded last
    recency = releases.lazy().sort(
        pl.col(c.VERSION_ID) == version_id, c.IS_LATEST, c.CREATED_AT, c.VERSION_ID
    ).select(c.VERSION_ID).with_row_index("recency")  # fmt: skip
    held = collect({"held": heads.lazy().join(recency, on=c.VERSION_ID)}, catalog.tell)["held"]
    level = heads.filter(pl.col(c.VERSION_ID) == version_id)
    found: list[pl.DataFrame] = []
    seen = pl.DataFrame(schema={c.VERSION_ID: pl.String(), c.RELPATH: pl.String()})
    for depth in range(1, _DEEPEST + 1):
        here = level.select(c.VERSION_ID, c.RELPATH)
        seen = pl.concat([seen, here]).unique()
        wanted = (
            level.lazy()
            .select(c.VERSION_ID, c.RELPATH, c.ONTOLOGY_IRI, pl.col(c.IMPORTS).alias(c.IMPORT))
            .explode(c.IMPORT, empty_as_null=True)
            .drop_nulls(c.IMPORT)
            .unique()
            .rename({c.VERSION_ID: "of", c.RELPATH: c.FILE})
        )
        rows = satisfied(wanted, held.lazy()).select(
            pl.lit(depth, pl.Int64).alias("depth"),
            c.ONTOLOGY_IRI,
            c.IMPORT,
            pl.col(c.VERSION_ID).alias("satisfied_by"),
            pl.col(c.RELPATH).alias("satisfied_file"),
            pl.col(c.VERSION_INFO).alias("satisfied_version"),
            pl.col("of").alias(c.VERSION_ID),
            c.FILE,
        )
        step = collect({"step": rows.sort(c.VERSION_ID, c.FILE, c.ONTOLOGY_IRI, c.IMPORT)}, catalog.tell)["step"]
        found.append(step)
        reached = step.lazy().select(
            pl.col("satisfied_by").alias(c.VERSION_ID), pl.col("satisfied_file").alias(c.RELPATH)
        ).drop_nulls().unique().join(seen.lazy(), on=[c.VERSION_ID, c.RELPATH], how="anti")  # fmt: skip
        level = collect({"level": heads.lazy().join(reached, on=[c.VERSION_ID, c.RELPATH], how="semi")})["level"]
        if level.is_empty():
            break
    return pl.concat(found)
