"""The pipelines of the report `quality`: what a curator would want to mend in the terms of one release.

LazyFrame in, LazyFrame out: nothing here reads a source or collects. *terms* are rows of tables of terms with the
`file` that has them.
"""

from __future__ import annotations

import polars as pl

from .. import columns as c
from .terms import MENTION, is_term, namespace, short_name

FINDINGS = (
    "duplicate label", "obsolete without replacement", "replacement is obsolete", "replacement is unknown",
    "dangling parent", "foreign parent", "parent is obsolete", "no definition", "no label", "import not in the store",
)  # fmt: skip
(_LABEL, _NO_REPLACEMENT, _OBSOLETE, _UNKNOWN, _DANGLING, _FOREIGN, _OBSOLETE_PARENT, _NO_DEFINITION, _NO_LABEL,
 NO_IMPORT) = FINDINGS  # fmt: skip
COLUMNS = (c.IRI, c.KIND, c.LABEL, c.DEFINITION, c.DEPRECATED, c.REPLACED_BY, c.CONSIDER, c.PARENTS)
# what every ontology may name without defining it
_COMMON = (
    r"^http://www\.w3\.org/(2002/07/owl|2000/01/rdf-schema|1999/02/22-rdf-syntax-ns|2001/XMLSchema|2004/02/skos/core)#"
)
_DEFINED = ("class", "concept", "object property", "data property", "annotation property", "property")


def _finding(rows: pl.LazyFrame, name: str, detail: pl.Expr | None = None) -> pl.LazyFrame:
    return rows.select(
        pl.lit(name).alias("finding"),
        c.FILE,
        c.IRI,
        c.LABEL,
        (pl.lit(None, pl.String) if detail is None else detail).alias("detail"),
    )


def _pointing(rows: pl.LazyFrame, column: str) -> pl.LazyFrame:
    """Return the rows of `column`, one per IRI in it, as `target`."""
    return rows.with_columns(pl.col(column).alias("target")).explode("target", empty_as_null=True).drop_nulls("target")


def findings(terms: pl.LazyFrame) -> pl.LazyFrame:
    """Return finding, file, iri, label, detail, sorted by finding, file and IRI."""
    stated = terms.filter(is_term() & (pl.col(c.KIND) != MENTION))
    alive, obsolete = stated.filter(~pl.col(c.DEPRECATED)), stated.filter(c.DEPRECATED)
    # a term that one file keeps and another one has as obsolete is not obsolete
    known = stated.group_by(pl.col(c.IRI).alias("target")).agg(pl.col(c.DEPRECATED).all().alias("target_obsolete"))
    own = stated.select(namespace(pl.col(c.IRI)).alias("namespace")).unique().with_columns(pl.lit(True).alias("own"))
    label = [c.FILE, c.KIND, pl.col(c.LABEL).str.to_lowercase().str.strip_chars()]
    same = alive.drop_nulls(c.LABEL).filter(pl.len().over(label) > 1)
    replaced = _pointing(obsolete, c.REPLACED_BY).join(known, on="target", how="left")
    parents = (
        _pointing(alive, c.PARENTS)
        .filter(~pl.col("target").str.contains(_COMMON))
        .join(known, on="target", how="left")
        .with_columns(namespace(pl.col("target")).alias("namespace"))
        .join(own, on="namespace", how="left")
    )
    missing, target = pl.col("target_obsolete").is_null(), pl.col("target")
    defined = alive.filter(pl.col(c.KIND).is_in(_DEFINED))
    nothing_instead = (pl.col(c.REPLACED_BY).list.len() == 0) & (pl.col(c.CONSIDER).list.len() == 0)
    first, second = (pl.col(c.IRI).sort().get(at, null_on_oob=True).over(label) for at in (0, 1))
    other = pl.when(pl.col(c.IRI) == first).then(second).otherwise(first)
    named = pl.when(short_name(other) == short_name(pl.col(c.IRI))).then(other).otherwise(short_name(other))
    others = pl.concat_str(pl.lit("with "), named, pl.lit(", "), pl.len().over(label), pl.lit(" terms"))
    found = [
        _finding(same.with_columns(others.alias("others")), _LABEL, pl.col("others")),
        _finding(obsolete.filter(nothing_instead), _NO_REPLACEMENT),
        _finding(replaced.filter(pl.col("target_obsolete")), _OBSOLETE, target),
        _finding(replaced.filter(missing), _UNKNOWN, target),
        _finding(parents.filter(missing & pl.col("own")), _DANGLING, target),
        _finding(parents.filter(missing & pl.col("own").is_null()), _FOREIGN, target),
        _finding(parents.filter(pl.col("target_obsolete")), _OBSOLETE_PARENT, target),
        _finding(defined.filter(pl.col(c.DEFINITION).is_null()), _NO_DEFINITION),
        _finding(defined.filter(pl.col(c.LABEL).is_null()), _NO_LABEL),
    ]
    return pl.concat(found)


def ordered(found: pl.LazyFrame) -> pl.LazyFrame:
    """Return findings with names of their terms, in the order of FINDINGS, then by file and IRI.

    A name is a short one, and the IRI where others have the same short one.
    """
    named = found.with_columns(pl.col("finding").cast(pl.Enum(FINDINGS)), short_name(pl.col(c.IRI)).alias(c.TERM))
    several = pl.col(c.IRI).n_unique().over(c.TERM) > 1
    return named.with_columns(pl.when(several).then(c.IRI).otherwise(c.TERM).alias(c.TERM)).sort(
        "finding", c.FILE, c.IRI, "detail"
    )


def counts(found: pl.LazyFrame) -> pl.LazyFrame:
    """Return finding, file, count."""
    return found.group_by("finding", c.FILE).agg(pl.len().alias("count")).sort("finding", c.FILE)
