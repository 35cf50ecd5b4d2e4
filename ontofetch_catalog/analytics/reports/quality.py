"""The report `quality`: its columns, and which rows it reads."""

from __future__ import annotations

import polars as pl

from .. import columns as c
from ..fields import INT, TEXT, Contract, Field, Section
from ..polars_pipelines import quality as pipelines
from ..results import ReportResult
from ..sources import CatalogLike
from ..terms.tables import TABLE_PATH, TermTables
from .common import make_result, open_known
from .imports import closure

FINDING = Field("finding", f"Enum({', '.join(pipelines.FINDINGS)})", "what there is to mend")
FILE = Field(c.FILE, TEXT, "path of the file", detail=2)
QUALITY = Contract("quality", (
    Section("findings", "terms", (
        FINDING,
        Field(c.TERM, TEXT, "short name of the term, its IRI where several have that; of an import, of the ontology"),
        Field(c.IRI, TEXT, "its IRI", "IRI", 3),
        Field(c.LABEL, TEXT, "its label", detail=1),
        Field("detail", TEXT, "what it names: a parent, a replacement, an import; how many share its label"),
        FILE,
    ), split="finding"),
    Section("counts", "findings", (FINDING, FILE, Field("count", INT, "how many there are")), whole=True),
    Section("not_looked_at", "files whose terms are not known", (
        FILE,
        Field(c.REASON, TEXT, "why, or what makes them known"),
    ), quiet=True),
), order=("counts", "not_looked_at"), search=True)  # fmt: skip


def quality(catalog: CatalogLike, *, version: str | None = None) -> ReportResult:
    """Return what there is to mend in the terms of a release.

    Args:
        version: The release; None for the latest one of the only series.

    Raises:
        VersionUnknown, AmbiguousVersion: `version` means no release or several.
        UsageError: Nothing is known of what files say.
    """
    with open_known(catalog, version) as (reader, releases, chosen):
        tables = TermTables(reader, catalog.tell)
        known = tables.collect({"facts": reader.facts([chosen])})["facts"]
        terms = _terms(tables, known)
        missing = closure(catalog, reader, releases.all, chosen)
    imports = missing.filter(pl.col("satisfied_by").is_null()).select(
        pl.lit(pipelines.NO_IMPORT).alias("finding"),
        c.FILE,
        pl.col(c.ONTOLOGY_IRI).alias(c.IRI),
        pl.lit(None, pl.String).alias(c.LABEL),
        pl.col(c.IMPORT).alias("detail"),
    )
    found = pipelines.ordered(pl.concat([pipelines.findings(terms), imports.lazy()]))
    unknown = known.lazy().filter(pl.col(TABLE_PATH).is_null())
    frames = {
        "findings": found,
        "counts": pipelines.counts(found),
        "not_looked_at": unknown.select(
            pl.col(c.RELPATH).alias(c.FILE), pl.col(c.REASON).fill_null("`ontofetch db facts` makes what is missing")
        ),
    }
    return make_result(catalog, QUALITY, frames, {"version": chosen})


def _terms(tables: TermTables, known: pl.DataFrame) -> pl.LazyFrame:
    """Return the terms of all files of a release, with their file; equal contents once."""
    rows = known.filter(pl.col(TABLE_PATH).is_not_null()).unique(TABLE_PATH, keep="first", maintain_order=True)
    tables.load(rows.to_dicts())
    frames = [
        tables.scan(row).select(*pipelines.COLUMNS, pl.lit(row[c.RELPATH]).alias(c.FILE)) for row in rows.to_dicts()
    ]
    nothing = tables.scan({TABLE_PATH: None}).select(*pipelines.COLUMNS, pl.lit("").alias(c.FILE))
    return pl.concat([nothing, *frames])
