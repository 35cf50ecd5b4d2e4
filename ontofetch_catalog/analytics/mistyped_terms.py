"""What somebody may have meant who mistyped a term: one whose name differs by a slip, or that has another prefix.

Where the terms come from is not known here.
"""

from __future__ import annotations

import polars as pl

from ontofetch_hookspecs.names import quote

from ..guesses import MOST, close_names
from . import columns as c
from .polars_pipelines.terms import local_name, namespace, short_name, unlikeness

_LOOKED_AT = 20_000  # names that are compared letter by letter
_SLIPS = 2  # letters that a name may have more or less


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
