"""The report `impact`: its columns, and which rows it reads."""

from __future__ import annotations

import polars as pl

from ...catalog.repo.naming import refuse_two_series
from ...errors import UsageError
from .. import columns as c
from ..fields import INT, TEXT, Contract, Field, Section
from ..lists import read_words
from ..polars_pipelines import impact as pipelines
from ..polars_pipelines import lives, meaning, telling
from ..polars_pipelines.terms import is_term
from ..results import ReportResult
from ..sources import CatalogLike, Reader
from ..terms.chosen import WORD, match_words
from ..terms.comparison import Comparison
from ..terms.lives import Known
from .common import Releases, make_result

STATUS = f"Enum({', '.join(pipelines.STATUSES)})"
IMPACT = Contract("impact", (
    Section("terms", "terms of the list", (
        Field("status", STATUS, "what became of it; `unknown`: no release up to B has it"),
        Field(WORD, TEXT, "as the list has it", "in the list"),
        Field(c.IRI, TEXT, "its IRI", "IRI", 5),
        Field(c.LABEL, TEXT, "its label, as the last release that has it says"),
        Field(c.REPLACED_BY, TEXT, "IRIs of what replaces it, with blanks between", "instead"),
        Field(c.CONSIDER, TEXT, "IRIs of what to consider instead, likewise", detail=1),
        Field("since", TEXT, "the release in which it became obsolete or was gone", detail=2),
        Field(c.BEFORE, TEXT, "what changed from A to B, as it was", detail=4),
        Field(c.AFTER, TEXT, "what it became", detail=3),
    )),
    Section("statuses", "what became of them", (
        Field("status", STATUS, "what became of terms"),
        Field(c.TERMS, INT, "terms of the list"),
    ), whole=True),
), order=("statuses",))  # fmt: skip


def impact(
    catalog: CatalogLike,
    *,
    mine: str | None = None,
    a: str | None = None,
    b: str | None = None,
    anyway: bool = False,
) -> ReportResult:
    """Return which terms of a list are obsolete, gone or changed, and what replaces them.

    Args:
        mine: The list: a file with an IRI or CURIE a line, or CSV with a column `iri`.
        a: The release that changes are counted from; None for the one before `b`, if there is one.
        b: The release that counts; None for the latest one of the series of `a`, or of the only series.
        anyway: Whether `a` may be of another series.

    Raises:
        VersionUnknown, AmbiguousVersion: A name means no release or several.
        UsageError: There is no list, it can't be read, the releases are of two series, or nothing is known of what
            files say.
    """
    if mine is None:
        raise UsageError("There is no list of terms.", subject="--mine", hint="Name a file: an IRI or CURIE a line.")
    words = read_words(mine)
    with catalog.source.open() as reader:
        releases = Releases(catalog, reader, Releases.NEWEST)
        named = reader.resolve(a) if a else None
        later = releases.newest_beside(named) if named and not b else releases.one(b)
        if named:
            refuse_two_series(named, later, anyway=anyway)
        if not reader.knows_facts():
            raise reader.nothing_known(later)
        until = releases.up_to(later, len(releases.all))
        before = until[c.VERSION_ID].to_list()[-2:-1]
        earlier = named or next(iter(before), None)
        known = Known(catalog, reader, until)
        matched = known.tables.collect({"mine": match_words(words, known.all_terms())})["mine"]
        iris = matched[c.IRI]
        seen = known.find(is_term() & pl.col(c.IRI).is_in(iris.implode()), iris.to_list())
        changes = _changes(catalog, reader, earlier, later, matched)
    asked = pl.LazyFrame({WORD: words}).join(matched.lazy(), on=WORD, how="left", maintain_order="left")
    told = lives.now(lives.lives(seen.lazy(), known.releases.lazy()))
    rows = pipelines.impact(asked, told, changes)
    counted = rows.group_by("status").agg(pl.len().alias(c.TERMS)).sort("status")
    return make_result(catalog, IMPACT, {"terms": rows, "statuses": counted}, {"mine": mine, "a": earlier, "b": later})


def _changes(
    catalog: CatalogLike, reader: Reader, earlier: str | None, later: str, matched: pl.DataFrame
) -> pl.LazyFrame:
    """Return what became of these terms from one release to the other."""
    comparison = Comparison(catalog, reader, [(earlier, later)] if earlier else [])
    old, new = comparison.differing(meaning.WIDE)
    changed = meaning.raw_changes(old.lazy(), new.lazy())
    raw = comparison.tables.collect({"raw": changed}, held=True)["raw"].lazy()
    rare = comparison.rare(raw, new.lazy())
    mine = matched.lazy()
    named = telling.named_iris(raw.join(mine, on=c.IRI, how="semi"), rare["merged"])
    iris = comparison.tables.collect({"iris": named}, held=True)["iris"][c.IRI]
    own = comparison.categories(raw, rare).join(mine, on=c.IRI, how="semi", maintain_order="left")
    found = comparison.tables.collect({"own": own, "names": comparison.labels(iris, old)}, held=True)
    return telling.described(found["own"].lazy(), found["names"])
