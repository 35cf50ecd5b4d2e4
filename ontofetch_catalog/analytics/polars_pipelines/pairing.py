"""The pipelines that pair the files of two releases and say what is known of each pair before any term is looked at.

LazyFrame in, LazyFrame out: nothing here reads a source or collects. Many steps from release to release are looked at
together: every row has the number of its `step`. They speak of

- *facts*: step, relpath, file_id, content_id, facts_version, digest, terms, reason, table_path …: the files of one
  release that can have facts, as `catalog.repo.facts.facts_of` has them.
- *heads*: step, relpath, position, ontology_iri, version_iri, version_info, title, license, imports …
- *pairs*: the columns of both, those of A with `_a` and those of B with `_b`; `paired_by` and `state`.
"""

from __future__ import annotations

import polars as pl

from .. import columns as c

PATH, IRI, IRI_DIGITS, OVERLAP, SUCCESSOR, NAMED, NONE = (
    "path", "ontology IRI", "IRI without digits", "overlap of terms", "IRI without digits, new", "named", "none",
)  # fmt: skip
PAIRINGS = (PATH, IRI, IRI_DIGITS, OVERLAP, SUCCESSOR, NAMED, NONE)

UNCHANGED, RESERIALISED, INEXACT, SAME_VERSION, OTHER_VERSION, CHANGED, ONLY_A, ONLY_B, NOT_COMPARED = (
    "unchanged", "reserialised", "not exact", "same version other graph", "other version same terms", "changed",
    "only in A", "only in B", "not compared",
)  # fmt: skip
STATES = (
    SAME_VERSION, NOT_COMPARED, OTHER_VERSION, RESERIALISED, INEXACT, CHANGED, ONLY_A, ONLY_B, UNCHANGED,
)  # fmt: skip
COMPARED = (INEXACT, SAME_VERSION, OTHER_VERSION, CHANGED, ONLY_A, ONLY_B)  # whose terms are looked at

_A, _B = f"{c.RELPATH}_a", f"{c.RELPATH}_b"
_DIGITS = r"[0-9]+(?:[._-][0-9]+)*"
LEAST_SHARED = 0.5  # part of the terms of the larger file that both must have


def natural(path: pl.Expr) -> pl.Expr:
    """Return text by which names with numbers sort as people expect: `1.10` after `1.9`."""
    numbers = path.str.extract_all("[0-9]+").list.eval(pl.element().str.zfill(12)).list.join(".")
    return pl.concat_str(without_digits(path), pl.lit(" "), numbers)


def without_digits(text: pl.Expr) -> pl.Expr:
    """Return text with each number or version in it as `0`."""
    return text.str.replace_all(_DIGITS, "0")


def by_path(a: pl.LazyFrame, b: pl.LazyFrame) -> pl.LazyFrame:
    """Return step, relpath_a, relpath_b, paired_by of files with the same path."""
    path = pl.col(c.RELPATH)
    return a.select(c.STEP, path.alias(_A), path.alias(_B), pl.lit(PATH).alias(c.PAIRED_BY)).join(
        b.select(c.STEP, path.alias(_B)), on=[c.STEP, _B], how="semi"
    )


def leftover(files: pl.LazyFrame, pairs: pl.LazyFrame, side: str) -> pl.LazyFrame:
    """Return the files of side `a` or `b` that are in no pair."""
    return files.join(pairs, left_on=[c.STEP, c.RELPATH], right_on=[c.STEP, f"{c.RELPATH}_{side}"], how="anti")


def _keyed(files: pl.LazyFrame, heads: pl.LazyFrame, key: pl.Expr) -> pl.LazyFrame:
    """Return step, relpath, key, rank: a row per file and ontology IRI, with the place of the file among its likes."""
    iris = heads.drop_nulls(c.ONTOLOGY_IRI).select(c.STEP, c.RELPATH, key.alias("key")).unique()
    last = natural(pl.col(c.RELPATH)).rank("ordinal", descending=True).over(c.STEP, "key").alias("rank")
    return files.select(c.STEP, c.RELPATH).join(iris, on=[c.STEP, c.RELPATH]).with_columns(last)


def _once_each(found: pl.LazyFrame) -> pl.LazyFrame:
    """Return the first of the pairs that a file is in, each file once."""
    once_a = found.unique([c.STEP, _A], keep="first", maintain_order=True)
    return once_a.unique([c.STEP, _B], keep="first", maintain_order=True)


def by_iri(a: pl.LazyFrame, b: pl.LazyFrame, heads_a: pl.LazyFrame, heads_b: pl.LazyFrame, how: str) -> pl.LazyFrame:
    """Return pairs of files of one ontology: the last with the last where there are several.

    Args:
        a: The files of A that have no partner yet.
        b: Those of B.
        heads_a: Headers of A.
        heads_b: Headers of B.
        how: IRI; or IRI_DIGITS, where `…/1.4/x` and `…/1.5/x` are one.
    """
    key = pl.col(c.ONTOLOGY_IRI) if how == IRI else without_digits(pl.col(c.ONTOLOGY_IRI))
    on = [c.STEP, "key", "rank"]
    old, new = _keyed(a, heads_a, key).rename({c.RELPATH: _A}), _keyed(b, heads_b, key).rename({c.RELPATH: _B})
    return _once_each(old.join(new, on=on).sort(*on, _A, _B)).select(c.STEP, _A, _B, pl.lit(how).alias(c.PAIRED_BY))


def kinds(files: pl.LazyFrame, heads: pl.LazyFrame) -> pl.LazyFrame:
    """Return step, relpath, place, key: path and ontology IRI without numbers, of the files that have a header."""
    key = without_digits(pl.col(c.ONTOLOGY_IRI)).alias("key")
    place = without_digits(pl.col(c.RELPATH)).alias("place")
    file = [c.STEP, c.RELPATH]
    return files.select(*file, place).join(heads.drop_nulls(c.ONTOLOGY_IRI).select(*file, key), on=file)


def successors(old: pl.LazyFrame, new: pl.LazyFrame) -> pl.LazyFrame:
    """Return a pair for each file that is new in B beside an earlier one of its kind that stays.

    Its partner is the last file of A of the same ontology, numbers in its IRI and path aside, that has one already.

    Args:
        old: The kinds of all files of A, collected: otherwise Polars may join by the places of all files first, of
            which thousands are alike.
        new: Those of the files of B that have no partner, likewise.
    """
    found = old.rename({c.RELPATH: _A}).join(new.rename({c.RELPATH: _B}), on=[c.STEP, "key", "place"])
    return (
        found.with_columns(natural(pl.col(_A)).alias("order"), natural(pl.col(_B)).alias("own"))
        .filter(pl.col("order") < pl.col("own"))
        .sort(c.STEP, _B, "order", descending=[False, False, True])
        .unique([c.STEP, _B], keep="first", maintain_order=True)
        .select(c.STEP, _A, _B, pl.lit(SUCCESSOR).alias(c.PAIRED_BY))
    )


def by_overlap(a: pl.LazyFrame, b: pl.LazyFrame) -> pl.LazyFrame:
    """Return pairs of files that share most of their terms, each other's best.

    Args:
        a: step, relpath, iri of the terms of files of A.
        b: Likewise of B.
    """
    sizes = [side.group_by(c.STEP, c.RELPATH).agg(pl.len().alias(c.TERMS)) for side in (a, b)]
    pair = [c.STEP, _A, _B]
    shared = (
        a.rename({c.RELPATH: _A})
        .join(b.rename({c.RELPATH: _B}), on=[c.STEP, c.IRI])
        .group_by(pair)
        .agg(pl.len().alias("shared"))
        .join(sizes[0].rename({c.RELPATH: _A}), on=[c.STEP, _A])
        .join(sizes[1].rename({c.RELPATH: _B}), on=[c.STEP, _B], suffix="_b")
        .with_columns((pl.col("shared") / pl.max_horizontal(c.TERMS, "terms_b")).alias("part"))
        .filter(pl.col("part") >= LEAST_SHARED)
        .sort("part", *pair, descending=[True, False, False, False])
    )
    best = [shared.unique([c.STEP, side], keep="first", maintain_order=True).select(pair) for side in (_A, _B)]
    return best[0].join(best[1], on=pair, how="semi").with_columns(pl.lit(OVERLAP).alias(c.PAIRED_BY))


def facts_of_pairs(pairs: pl.LazyFrame, a: pl.LazyFrame, b: pl.LazyFrame) -> pl.LazyFrame:
    """Return the facts of both files of each pair, and a row for each file without a partner."""
    left, right = (
        side.select(c.STEP, *(pl.col(name).alias(f"{name}_{end}") for name in _FACTS))
        for side, end in ((a, "a"), (b, "b"))
    )
    lone, nowhere = pl.lit(NONE).alias(c.PAIRED_BY), pl.lit(None, pl.String)
    path = pl.col(c.RELPATH)
    alone_a = leftover(a, pairs, "a").select(c.STEP, path.alias(_A), nowhere.alias(_B), lone)
    alone_b = leftover(b, pairs, "b").select(c.STEP, nowhere.alias(_A), path.alias(_B), lone)
    every = pl.concat([pairs.select(c.STEP, _A, _B, c.PAIRED_BY), alone_a, alone_b])
    return every.join(left, on=[c.STEP, _A], how="left").join(right, on=[c.STEP, _B], how="left")


_FACTS = (
    c.RELPATH, c.FILE_ID, c.FORMAT, c.CONTENT_ID, c.FACTS_VERSION, c.DIGEST_KIND, c.DIGEST, c.DIGEST_EXACT, c.TRIPLES,
    c.TERMS, c.REASON, "table_path", c.TABLE_SHA256, c.TABLE_BYTES, c.RECORDED_AT,
)  # fmt: skip


_OWL_PARSER = r"\+py-horned-owl-[^+]*"


def states(pairs: pl.LazyFrame, versions: pl.LazyFrame) -> pl.LazyFrame:
    """Return `pairs` with `state`, `reason` (why they are not compared), version_a and version_b.

    Args:
        pairs: As `facts_of_pairs` returns them.
        versions: step, relpath_a, relpath_b, version_a, version_b of the ontologies that both files are of.
    """
    lone_a, lone_b = pl.col(_B).is_null(), pl.col(_A).is_null()
    known_a, known_b = pl.col("digest_a").is_not_null(), pl.col("digest_b").is_not_null()
    same = (pl.col("file_id_a") == pl.col("file_id_b")) | (pl.col("content_id_a") == pl.col("content_id_b"))
    exact = pl.col("digest_exact_a") & pl.col("digest_exact_b")
    missing = (
        pl.when(~lone_a & ~lone_b & ~known_a & ~known_b)
        .then(_why("A", pl.col("reason_a")) + pl.lit("; ") + _why("B", pl.col("reason_b")))
        .when(pl.col(_A).is_not_null() & ~known_a)
        .then(_why("A", pl.col("reason_a")))
        .when(pl.col(_B).is_not_null() & ~known_b)
        .then(_why("B", pl.col("reason_b")))
    )
    other = (
        pl.when(pl.col("digest_kind_a") != pl.col("digest_kind_b"))
        .then(pl.lit("facts of two kinds: ") + _two("digest_kind"))
        .when(~_of_one_version())
        .then(pl.lit("`ontofetch db facts` makes facts of one version: ") + _two("facts_version"))
    )
    why = pl.when(~same.fill_null(value=False)).then(pl.coalesce(missing, other)).alias(c.REASON)
    version_same = pl.col(c.VERSION_A) == pl.col(c.VERSION_B)
    state = (
        pl.when(same)
        .then(pl.lit(UNCHANGED))
        .when(pl.col(c.REASON).is_not_null())
        .then(pl.lit(NOT_COMPARED))
        .when(lone_a)
        .then(pl.lit(ONLY_A))
        .when(lone_b)
        .then(pl.lit(ONLY_B))
        .when((pl.col("digest_a") == pl.col("digest_b")) & exact)
        .then(pl.lit(RESERIALISED))
        .when(pl.col("digest_a") == pl.col("digest_b"))
        .then(pl.lit(INEXACT))
        .when(version_same)
        .then(pl.lit(SAME_VERSION))
        .otherwise(pl.lit(CHANGED))
    )
    return (
        pairs.join(versions, on=[c.STEP, _A, _B], how="left")
        .with_columns(why)
        .with_columns(state.alias(c.STATE))
        .sort(c.STEP, pl.coalesce(_B, _A), _A)
        .with_row_index(c.PAIR)
    )


def _why(side: str, reason: pl.Expr) -> pl.Expr:
    return pl.lit(f"no facts in {side}: ") + reason.fill_null("`ontofetch db facts` makes them")


def _of_one_version() -> pl.Expr:
    """Say whether facts of both sides were made in the same way.

    What is read as OWL first comes to the same graph as what is read as RDF, where the parser of OWL is none.
    """
    versions = [pl.col(f"facts_version_{side}") for side in "ab"]
    as_rdf = [version.str.replace(_OWL_PARSER, "") for version in versions]
    one_is_rdf = as_rdf[0].eq(versions[0]) ^ as_rdf[1].eq(versions[1])
    return versions[0].eq(versions[1]) | (as_rdf[0].eq(as_rdf[1]) & one_is_rdf)


def _two(name: str) -> pl.Expr:
    return pl.concat_str(f"{name}_a", pl.lit(" and "), f"{name}_b")


def with_terms(pairs: pl.LazyFrame, counts: pl.LazyFrame, *, whole: bool) -> pl.LazyFrame:
    """Return `pairs` with what the comparison of terms found, and with the states that follow from it.

    Args:
        pairs: As `states` returns them.
        counts: pair → counts, of pairs where something differs.
        whole: Whether all terms were counted.
    """
    rows = pairs.join(counts, on=c.PAIR, how="left", maintain_order="left")
    counted = [name for name in counts.collect_schema().names() if name != c.PAIR]
    looked_at = ~pl.col(c.STATE).is_in([NOT_COMPARED])
    filled = rows.with_columns(pl.when(looked_at).then(pl.col(counted).fill_null(0)))
    alike = (pl.col(c.STATE) == CHANGED) & (pl.sum_horizontal(c.TERMS_ADDED, c.TERMS_REMOVED, c.TERMS_CHANGED) == 0)
    bumped = pl.lit(whole) & alike & (pl.col(c.VERSION_A) != pl.col(c.VERSION_B)).fill_null(value=False)
    return filled.with_columns(
        pl.when(bumped).then(pl.lit(OTHER_VERSION)).otherwise(c.STATE).cast(pl.Enum(STATES)).alias(c.STATE)
    )
