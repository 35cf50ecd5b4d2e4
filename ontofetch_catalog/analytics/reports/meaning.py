"""The report `meaning`: its columns, its chart, and which rows it reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import polars as pl

from ...rendering.palette import term_change_colours
from ...rendering.text import whole_number
from .. import columns as c
from .. import drawing as d
from ..bare_rows import CHANGE, CHANGES
from ..fields import INT, TEXT, Contract, Field, Section
from ..polars_pipelines import heads as head_pipelines
from ..polars_pipelines import meaning as pipelines
from ..polars_pipelines import pairing
from ..results import ReportResult
from ..sources import CatalogLike
from ..terms.changed import ChangedTerms, changed_terms
from ..terms.comparison import Comparison
from ..terms.steps import Steps
from .common import Releases, check_choice, make_result, parse_count, times_told
from .meaning_series import GROUP, HISTORY, UNKNOWN, meaning_series, recent_counts, refuse_releases
from .meaning_series import draw as draw_history


def draw(result: Mapping[str, pl.DataFrame], parameters: Mapping[str, object]) -> list[d.Drawn]:
    """Return how many terms have each change, and with a history how that was over time."""
    charts = draw_history({"history": result["history"]}, parameters) if "history" in result else []
    return [*charts, *_draw_changes(result)]


def _draw_changes(result: Mapping[str, pl.DataFrame]) -> list[d.Drawn]:
    import altair as alt

    rows = result["kinds"].filter(pl.col(c.TERMS) > 0).with_columns(pl.col(c.TERMS).alias(d.AMOUNT))
    rows = rows.with_columns(pl.Series(d.SHOWN, [whole_number(count) for count in rows[c.TERMS]], pl.String))
    if rows.is_empty():
        return []
    summary = result["summary"].row(0, named=True)
    title = f"Changed terms, {summary['a']} to {summary['b']}"
    names = rows[c.CHANGE].cast(pl.String).to_list()
    scale = alt.Scale(domain=names, range=term_change_colours(names))
    colour = alt.Color(f"{c.CHANGE}:N", legend=None, scale=scale)
    return [d.bars(rows, c.CHANGE, title=title, axis="terms", colour=colour)]


# of each change, what stands before and after
HEADINGS = {
    f"changes {c.TERM_ADDED}": {c.AFTER: "definition"},
    f"changes {c.OBSOLETED}": {c.AFTER: "instead", c.REPLACED_BY: "its IRI"},
    f"changes {c.MERGED}": {c.AFTER: "into", c.REPLACED_BY: "its IRI"},
    f"changes {c.MOVED}": {c.BEFORE: "parents lost", c.AFTER: "parents gained"},
    f"changes {c.RENAMESPACED}": {c.BEFORE: "old IRI", c.AFTER: "new IRI"},
}
BY = ("term", "kind", "prefix", "change")
_STATE = f"Enum({', '.join(pairing.STATES)})"


def _counts() -> tuple[Field, ...]:
    return tuple(Field(name, INT, f"terms with the change `{name}`", detail=2) for name in c.TERM_CHANGES)


_FILE_A = Field(c.FILE_A, TEXT, "path in A; null if the file is in B alone", "file in A")
_FILE_B = Field(c.FILE_B, TEXT, "path in B; null if the file is in A alone", "file in B")
_VERSION_A = Field(c.VERSION_A, TEXT, "version that the header states in A", "version in A", 4)
_VERSION_B = Field(c.VERSION_B, TEXT, "version that the header states in B", "version in B", 3)
_NULL = "; null where they are not compared"
_OVERLAP = "; a term may count in several of these columns" + _NULL
FILES = Section(
    "files",
    "files, and how they were paired",
    (
        Field(c.STATE, _STATE, "what can be said of the pair"),
        _FILE_A,
        _FILE_B,
        Field(c.PAIRED_BY, TEXT, f"what they have in common: {', '.join(pairing.PAIRINGS)}", "paired by"),
        _VERSION_A,
        _VERSION_B,
        Field(c.TRIPLES_ADDED, INT, "statements in B alone; triples, in OBO clauses" + _NULL, detail=1),
        Field(c.TRIPLES_REMOVED, INT, "statements in A alone" + _NULL, detail=1),
        Field(c.TERMS_ADDED, INT, "terms in B alone" + _NULL, detail=1),
        Field(c.TERMS_REMOVED, INT, "terms in A alone" + _NULL, detail=1),
        Field(c.TERMS_CHANGED, INT, "terms of both that are not the same" + _NULL, detail=1),
        Field(c.OBSOLETED, INT, "terms of both that are obsolete in B alone" + _OVERLAP, detail=2),
        Field(c.REPLACED, INT, "of these, those with a replacement" + _NULL, detail=2),
        Field(c.RELABELLED, INT, "terms of both with other labels" + _OVERLAP, detail=2),
        Field(c.REDEFINED, INT, "terms of both with other definitions" + _OVERLAP, detail=2),
        Field(c.MOVED, INT, "terms of both with other named parents" + _OVERLAP, detail=2),
    ),
)
# section → the state of the files that it lists, its title
_SPECIAL = {
    "same_version": (pairing.SAME_VERSION, "same version, other graph"),
    "not_compared": (pairing.NOT_COMPARED, "not compared, and why"),
    "other_version": (pairing.OTHER_VERSION, "other version, no term changed"),
    "reserialised": (pairing.RESERIALISED, "reserialised: other bytes, equal graph"),
    "not_exact": (pairing.INEXACT, "no difference found, and not sure that there is none"),
}
_REASON = Field(c.REASON, TEXT, "why their terms are not compared; null elsewhere")

MEANING = Contract(
    "meaning",
    (
        CHANGES,
        Section("groups", "changed terms by group", (GROUP, Field(c.TERMS, INT, "changed terms"), *_counts())),
        Section(
            "kinds",
            "what changed",
            (Field(c.CHANGE, CHANGE, "what became of terms"), Field(c.TERMS, INT, "terms with that change")),
            whole=True,
        ),
        Section(
            "ontologies",
            "headers",
            (
                Field(c.FILE, TEXT, "path in B, of a removed header in A", detail=2),
                Field(c.ONTOLOGY_IRI, TEXT, "IRI of the ontology", "ontology", 1),
                Field(c.FIELD, TEXT, f"what changed: {', '.join(head_pipelines.FIELDS)}"),
                Field(c.BEFORE, TEXT, "value in A"),
                Field(c.AFTER, TEXT, "value in B"),
            ),
        ),
        *(
            Section(name, title, (_FILE_A, _FILE_B, _VERSION_A, _VERSION_B, _REASON), quiet=True)
            for name, (_, title) in _SPECIAL.items()
        ),
        Section(
            "namespaces",
            "terms changed namespace",
            (
                Field(c.BEFORE, TEXT, "namespace in A"),
                Field(c.AFTER, TEXT, "namespace in B"),
                Field(c.TERMS, INT, "terms that changed from one to the other"),
            ),
            quiet=True,
        ),
        FILES,
        UNKNOWN,
        replace(HISTORY, name="history", quiet=True),
        Section(
            "summary",
            "summary",
            (
                Field("a", TEXT, "version_id of A"),
                Field("b", TEXT, "version_id of B"),
                Field(c.TERMS, INT, "changed terms"),
                *_counts(),
                Field(c.TRIPLES_ADDED, INT, "statements in B alone, over all pairs of files; null if none is compared"),
                Field(c.TRIPLES_REMOVED, INT, "statements in A alone, likewise"),
            ),
            shown=False,
        ),
    ),
    order=("kinds", "ontologies", *_SPECIAL, "namespaces", "files", "groups"),
    draw=draw,
    search=True,
)


def meaning(
    catalog: CatalogLike,
    *,
    a: str | None = None,
    b: str | None = None,
    series: str | None = None,
    last: int | str | None = None,
    file_a: str | None = None,
    file_b: str | None = None,
    terms_under: str | None = None,
    mine: str | None = None,
    by: str = "term",
    anyway: bool = False,
) -> ReportResult:
    """Return what changed in meaning from release `a` to release `b`, or over a series.

    Args:
        catalog: The catalog.
        a: The earlier release; None for the one before `b` in its series.
        b: The later release; None for the latest one of the series of `a`, or of the only series. If that is `a`
            itself, it is held against the release before it.
        series: Asks for counts over all releases of this series instead.
        last: Adds the counts of so many releases up to `b`; of a series, only its newest so many.
        file_a: Only this file of A; compared with `file_b`, or else with its partner.
        file_b: Likewise, of B.
        terms_under: Only a term and those below it in one of the releases, or a namespace.
        mine: Only the terms of this list.
        by: What the main frame is about: `term`, `kind`, `prefix` or `change`.
        anyway: Whether releases of two series are compared.

    Raises:
        VersionUnknown, AmbiguousVersion: A name means no release or several, or there is none before `b`.
        UsageError: `by` is none of them, a file or term is unknown, the releases are of two series, or nothing is
            known of what files say.
    """
    check_choice("--by", by, BY)
    count = parse_count("--last", last)
    if series is not None:
        refuse_releases({"--a": a, "--b": b, "--file-a": file_a, "--file-b": file_b})
        return meaning_series(catalog, series, last=count, under=terms_under, mine=mine, by=by)
    return _compare(catalog, a, b, (file_a, file_b), under=terms_under, mine=mine, by=by, last=count, anyway=anyway)


def _compare(
    catalog: CatalogLike,
    a: str | None,
    b: str | None,
    named: tuple[str | None, str | None],
    *,
    under: str | None,
    mine: str | None,
    by: str,
    last: int | None,
    anyway: bool,
) -> ReportResult:
    """Return what changed in meaning between two releases; `named` are the files of A and B that are compared."""
    with catalog.source.open() as reader:
        releases = Releases(catalog, reader, Releases.NEWEST + (Releases.DATES + Releases.STATE if last else ()))
        earlier, later = releases.pair(a, b, anyway=anyway)
        comparison = Comparison(catalog, reader, [(earlier, later)], named)
        if not last:
            reader.has_asked()
        found = changed_terms(comparison, under, mine)
        past = releases.up_to(later, last) if last else None
        history = None if past is None else Steps(catalog, reader, past).counts()
    sections = _sections(found, by)
    if history is not None:
        sections["history"] = history
    sections["summary"] = pipelines.summary(found.changes, found.files, earlier, later)
    asked = {
        "a": earlier, "b": later, "file_a": named[0], "file_b": named[1], "terms_under": under, "mine": mine,
        "by": by, "last": last,
    }  # fmt: skip
    # a picture of the releases before costs something: it is looked for when somebody draws
    whole = all(value is None for value in (*named, under, mine, last))
    contract = replace(MEANING, draw=partial(_draw_with_past, catalog, later)) if whole else MEANING
    result = make_result(catalog, contract, sections, asked, held=True)
    titles = {"kinds": f"what changed from {earlier} to {later}", "files": f"{FILES.title}{_statements(result)}"}
    headings = HEADINGS if past is None else {**HEADINGS, "history": {c.RELEASE_TIME: times_told(past)}}
    return replace(result, titles=titles, hidden=_hidden(result), headings=headings)


def _sections(found: ChangedTerms, by: str) -> dict[str, pl.LazyFrame]:
    """Return the sections about two releases, the main one first."""
    return {
        **_main_section(found.changes, by),
        "kinds": pipelines.counts_by_change(found.changes),
        "ontologies": found.headers,
        **{name: found.files.filter(pl.col(c.STATE) == state) for name, (state, _) in _SPECIAL.items()},
        **({} if found.unknown is None else {"unknown": found.unknown}),
        "namespaces": pipelines.namespaces(found.changes),
        "files": found.files,
    }


def _main_section(changes: pl.LazyFrame, by: str) -> dict[str, pl.LazyFrame]:
    """Return the section that the report is about, which comes first."""
    if by == c.CHANGE:
        return {"kinds": pipelines.counts_by_change(changes)}
    if by in (c.KIND, c.PREFIX):
        return {"groups": pipelines.counts_by(changes, [by]).rename({by: "group"})}
    return {"changes": changes}


def _hidden(result: Mapping[str, pl.DataFrame]) -> dict[str, tuple[str, ...]]:
    """Return which columns of which sections are not shown to people."""
    # the long texts are for machines; what of them changed stands before and after
    hidden = ["definition_a", "definition_b", "parents_a", "parents_b", c.FILES]
    if "changes" in result and result["changes"][c.FILE].n_unique() <= 1:
        hidden.append(c.FILE)
    without_reason = {name: (c.REASON,) for name in _SPECIAL if name != "not_compared"}
    return {"changes": tuple(hidden), **without_reason}


def _statements(result: Mapping[str, pl.DataFrame]) -> str:
    """Return how many statements came and went, as the end of a heading: a narrow table of files leaves them out."""
    added, removed = result["summary"].select(c.TRIPLES_ADDED, c.TRIPLES_REMOVED).row(0)
    if added is None:
        return ""
    return f"; statements: {whole_number(added)} added, {whole_number(removed)} removed"


def _draw_with_past(
    catalog: CatalogLike, later: str, result: Mapping[str, pl.DataFrame], parameters: Mapping[str, object]
) -> list[d.Drawn]:
    """Return what `draw` does, behind it the changes of some releases before, as far as these are quickly read."""
    past, title = recent_counts(catalog, later)
    return [*draw(result, parameters), *(draw_history({"history": past}, {"title": title}) if len(past) else [])]
