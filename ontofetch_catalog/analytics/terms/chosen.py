"""Which terms a user means: by an IRI, a CURIE, a namespace, the terms below one, or a list; and where one is mistyped.

What is done with them is not known here.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from ontofetch_hookspecs.names import quote

from ...errors import UsageError
from ...guesses import MOST, close_names
from .. import columns as c
from ..polars_pipelines.terms import is_term, local_name, meant_by, namespace, short_name, starts_with, unlikeness
from .tables import Facts, TermTables

_DEEPEST = 1_000  # levels of a hierarchy
_LOOKED_AT = 20_000  # names that are compared letter by letter
_SLIPS = 2  # letters that a name may have more or less
WORD = "word"


def only(found: pl.DataFrame, word: str, option: str) -> str | None:
    """Return the one IRI that a word means, None if it means none.

    Args:
        found: iri of the terms it may mean.
        option: Where it was typed, for the sentence.

    Raises:
        UsageError: It means several.
    """
    rank = unlikeness(pl.lit(word.partition(":")[0]))
    iris = sorted(set(found.filter(rank == rank.min())[c.IRI])) if ":" in word else sorted(set(found[c.IRI]))
    if word in iris or len(iris) == 1:
        return word if word in iris else iris[0]
    if iris:
        named = ", ".join(map(spelled, iris[:5]))
        raise UsageError(
            f"{spelled(word)} may mean {len(iris):,} terms.",
            subject=option,
            hint=f"Name one: {named}{' …' if len(iris) > 5 else ''}.",
        )
    return None


def terms_under(tables: TermTables, facts: Sequence[Facts], word: str) -> pl.DataFrame:
    """Return the IRIs (one column) of a term and of all below it; or of a namespace, where `word` is one.

    Args:
        word: An IRI, a CURIE, the beginning of IRIs, or a prefix such as `GO`.

    Raises:
        UsageError: There is no such term or namespace, or it may be several.
    """

    def edges(row: Facts) -> pl.DataFrame:
        own = tables.columns(row, [c.IRI, c.PARENTS]).filter(is_term())
        return own.explode(c.PARENTS, empty_as_null=True)

    pairs = tables.gather(facts, edges, pl.DataFrame(schema={c.IRI: pl.String(), c.PARENTS: pl.String()}))
    rows = pairs.lazy()
    found = tables.collect({
        "terms": rows.filter(meant_by(word)).select(c.IRI).unique(),
        "namespace": rows.filter(starts_with(word)).select(c.IRI).unique(),
    }, held=True)  # fmt: skip
    top = only(found["terms"], word, "--terms-under")
    if top is not None:
        return _descendants(tables, rows, top)
    if found["namespace"].is_empty():
        raise UsageError(
            f"No term is {spelled(word)}, and no IRI starts like that.",
            subject="--terms-under",
            hint=term_hint(
                word, pairs[c.IRI], "Name a term by IRI or CURIE (`GO:0008150`), a namespace, or a prefix (`GO`)."
            ),
        )
    return found["namespace"]


def chosen_terms(
    tables: TermTables, facts: Sequence[Facts], under: str | None, mine: Sequence[str] | None
) -> tuple[pl.Series, pl.LazyFrame | None]:
    """Return the IRIs of the terms that a user is about; and the words that mean none.

    Args:
        under: A term or a namespace, as for `terms_under`; None for all.
        mine: The words of a list; None for all, then no word is without a term either.

    Raises:
        UsageError: As `terms_under`.
    """
    below = None if under is None else terms_under(tables, facts, under)[c.IRI]
    if mine is None:
        return pl.Series(c.IRI, [], pl.String()) if below is None else below, None
    matched = tables.collect({"mine": match_words(mine, tables.iris(facts))}, held=True)["mine"]
    own = matched[c.IRI].unique()
    asked = pl.LazyFrame({WORD: mine}, {WORD: pl.String()})
    unknown = asked.join(matched.lazy(), on=WORD, how="anti", maintain_order="left")
    return own if below is None else own.filter(own.is_in(below.implode())), unknown


def _descendants(tables: TermTables, rows: pl.LazyFrame, top: str) -> pl.DataFrame:
    edges = tables.collect({"edges": rows.drop_nulls(c.PARENTS)}, held=True)["edges"]
    seen = level = pl.DataFrame({c.IRI: [top]})
    for _ in range(_DEEPEST):
        below = edges.lazy().join(level.lazy(), left_on=c.PARENTS, right_on=c.IRI, how="semi").select(c.IRI).unique()
        level = tables.collect({"level": below.join(seen.lazy(), on=c.IRI, how="anti")}, held=True)["level"]
        if level.is_empty():
            return seen
        seen = pl.concat([seen, level])
    raise UsageError(
        f"The hierarchy below {spelled(top)} is deeper than {_DEEPEST:,} levels.",
        subject="--terms-under",
        hint="Name a term further down, or a namespace.",
    )


def match_words(words: Sequence[str], terms: pl.LazyFrame) -> pl.LazyFrame:
    """Return word, iri for each term that a word of a list means; a word that means none is not there.

    Args:
        words: IRIs, CURIEs, and what stands last in an IRI such as `GO_0008150`.
        terms: iri of all terms that there are.
    """
    asked = pl.LazyFrame({WORD: list(words)}, {WORD: pl.String()})
    iri = pl.col(c.IRI)
    known = terms.select(c.IRI).unique()
    exact = asked.join(known.with_columns(iri.alias(WORD)), on=WORD)
    # what stands last in an IRI of OBO is what spreadsheets have: the short name with another sign in it
    short = pl.col(WORD).str.replace("^([A-Za-z][A-Za-z0-9]*)_([0-9]{3,})$", "${1}:${2}").alias("short")
    named = (
        asked.join(exact, on=WORD, how="anti")
        .with_columns(short)
        .join(known.with_columns(short_name(iri).alias("short")), on="short")
        .select(WORD, c.IRI)
    )
    split = asked.join(pl.concat([exact, named]), on=WORD, how="anti").filter(
        pl.col(WORD).str.contains(r"^[A-Za-z][A-Za-z0-9._-]*:[^/:]+$")
    )
    local = split.with_columns(
        pl.col(WORD).str.extract("^([^:]+):", 1).str.to_lowercase().alias("before"),
        pl.col(WORD).str.extract(":(.+)$", 1).alias("local"),
    ).join(known.with_columns(local_name(iri).alias("local")), on="local")
    likely = local.filter(namespace(iri).str.to_lowercase().str.contains(pl.col("before"), literal=True))
    rank = unlikeness(pl.col("before"))
    return pl.concat([exact, named, likely.filter(rank == rank.min().over(WORD)).select(WORD, c.IRI)])


def spelled(term: str) -> str:
    """Return an IRI or a CURIE for a sentence, without its scheme: of an address a sentence keeps no `#` part."""
    return quote(term.partition("://")[2] or term)


def term_hint(word: str, iris: pl.Series, otherwise: str) -> str:
    """Return the next step for somebody who typed a word that means none of some terms.

    Args:
        word: An IRI, a CURIE, or a local name.
        iris: Those of all terms there are.
        otherwise: What to say where nothing is near.
    """
    found = _close_terms(word, iris.unique().to_frame(c.IRI))
    return f"Did you mean {' or '.join(map(spelled, found))}?" if found else otherwise


def _close_terms(word: str, terms: pl.DataFrame) -> list[str]:
    iri = pl.col(c.IRI)
    typed = pl.select(name=short_name(pl.lit(word)), place=namespace(pl.lit(word))).row(0, named=True)
    before, colon, local = str(typed["name"]).rpartition(":")
    if "://" not in word and ":" in word:
        before, colon, local = word.rpartition(":")
    if not local:
        return []
    named = terms.with_columns(
        short=short_name(iri), local=pl.coalesce(short_name(iri).str.extract(":([0-9]+)$", 1), local_name(iri))
    )
    if local.isascii() and local.isdigit():
        # how many zeros a number begins with is easily forgotten
        same = pl.col("local").str.strip_chars_start("0") == local.lstrip("0")
        found = named.filter(same & pl.col("local").str.contains("^[0-9]+$"))
    else:
        text, size = pl.col("local").str.to_lowercase(), pl.col("local").str.len_chars().cast(pl.Int64)
        begins, ends = text.str.starts_with(local[:2].lower()), text.str.ends_with(local[-3:].lower())
        likely = named.filter(((size - len(local)).abs() <= _SLIPS) & (begins | ends))
        near = likely["local"].unique().sort().head(_LOOKED_AT)
        found = named.filter(pl.col("local").is_in(close_names(local, near)))
    place = before if colon else str(typed["place"]).rstrip("#/").rpartition("/")[2]
    rank = unlikeness(pl.lit(place))
    return found.sort(rank, pl.col("local") != local, c.IRI)[c.IRI].head(MOST).to_list()
