"""The report on one term: its life, its columns, and which rows it reads."""

from __future__ import annotations

import polars as pl

from ontofetch_hookspecs.names import quote

from ...errors import UsageError
from .. import columns as c
from .. import fields as f
from ..fields import INT, TEXT, Contract, Field, Section
from ..polars_pipelines import lives as pipelines
from ..polars_pipelines.terms import is_term, meant_by, roughly_meant_by, short_name
from ..results import ReportResult
from ..sources import CatalogLike
from ..terms.chosen import only, spelled, term_hint
from ..terms.lives import Known
from .common import Releases, make_result

STATES = ("current", "obsolete", "gone")
STATE = f"Enum({', '.join(STATES)})"
SERIES = Field(c.SLOT, TEXT, "the series", "series")
NOW = (
    Field(c.STATE, STATE, "whether the last release whose files are known has it, as obsolete, or no longer"),
    Field(c.LABEL, TEXT, "its label, as the last release that has it says"),
    Field(c.KIND, TEXT, "class, object property, individual …; `mention` where no type is stated", detail=1),
    Field(c.DEFINITION, TEXT, "its definition", detail=5),
    Field(c.REPLACED_BY, TEXT, "IRIs of what replaces it, with blanks between", detail=2),
    Field(c.CONSIDER, TEXT, "IRIs of what to consider instead, likewise", detail=3),
    Field(c.PARENTS, TEXT, "IRIs of its named parents, likewise", detail=4),
    Field("since", TEXT, "the first known release that has it"),
    Field("until", TEXT, "the last one"),
    Field("obsolete_since", TEXT, "the release in which it became obsolete; the first known one, if it was so there"),
    Field("removed_in", TEXT, "the first release without it, if the last one is without it"),
    Field(c.RELEASES, INT, "number of releases that have it"),
    Field(c.RELPATH, TEXT, "file of the last release that has it", "file", 6),
)
TERM = Contract("term", (
    Section("life", "its life", (
        SERIES,
        f.VERSION,
        Field("event", f"Enum({', '.join(pipelines.EVENTS)})", "what happened to it in this release"),
        Field(c.LABEL, TEXT, "label from then on"),
        Field(c.DEFINITION, TEXT, "definition from then on", detail=3),
        Field(c.PARENTS, TEXT, "IRIs of its named parents from then on, with blanks between", detail=2),
        Field(c.REPLACED_BY, TEXT, "IRIs of what replaces it, with blanks between", detail=1),
        Field(c.RELPATH, TEXT, "file that says it", "file", 4),
    )),
    Section("term", "", (
        Field(c.TERM, TEXT, "short name"),
        Field(c.IRI, TEXT, "its IRI", "IRI"),
        SERIES,
        *NOW,
        Field("unknown", INT, "releases of the series of whose files nothing is known"),
    ), record=True),
), order=("term",))  # fmt: skip


def term(catalog: CatalogLike, *, word: str, series: str | None = None) -> ReportResult:
    """Return the life of a term in each series that has it.

    Args:
        word: Its IRI, a CURIE, or its local name.
        series: Only this series; None for all.

    Raises:
        VersionUnknown, AmbiguousVersion: `series` means none or several.
        UsageError: No release has such a term, or it may be several, or nothing is known of what files say.
    """
    with catalog.source.open() as reader:
        releases = Releases(catalog, reader)
        chosen = releases.series(reader.resolve_series(series)) if series else releases.all
        if not reader.knows_facts():
            raise reader.nothing_known(word)
        known = Known(catalog, reader, chosen)
        whole = [word] if "://" in word else None
        seen = known.find(is_term() & roughly_meant_by(word), whole).filter(meant_by(word))
        iri = only(seen, word, word)
        if iri is None:
            iris = known.tables.collect({"iris": known.all_terms()}, held=True)["iris"][c.IRI]
            raise UsageError(
                f"No release{f' of {quote(series)}' if series else ''} has a term {spelled(word)}.",
                subject=word,
                hint=term_hint(word, iris, "Name it by its IRI, a CURIE such as `GO:0008150`, or the end of its IRI."),
            )
    rows = pipelines.lives(seen.lazy().filter(pl.col(c.IRI) == iri), known.releases.lazy())
    every, told = (frame.lazy().group_by(c.SLOT).agg(pl.len()) for frame in (chosen, known.releases))
    unknown = every.cast({c.SLOT: pl.String}).join(
        told.cast({c.SLOT: pl.String}), on=c.SLOT, how="left", suffix="_known"
    )
    blank = unknown.select(c.SLOT, (pl.col("len") - pl.col("len_known").fill_null(0)).alias("unknown"))
    summary = pipelines.now(rows).cast({c.SLOT: pl.String}).join(blank, on=c.SLOT, how="left", maintain_order="left")
    frames = {
        "life": rows.filter(pl.col("event").is_not_null()),
        "term": summary.with_columns(short_name(pl.col(c.IRI)).alias(c.TERM)),
    }
    return make_result(catalog, TERM, frames, {"term": iri, "series": series}, held=True)
