"""Compare what the files of releases say, step by step from release to release: pairs, headers, terms.

What a report shows of it is not known here; the frames are made by `polars_pipelines`.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, partial
from typing import Any

import polars as pl

from ontofetch_hookspecs.light_dataclasses import dataclass
from ontofetch_hookspecs.names import quote

from ...errors import UsageError
from .. import columns as c
from ..collect import collect
from ..polars_pipelines import heads as head_pipelines
from ..polars_pipelines import meaning, pairing
from ..polars_pipelines.terms import MENTION, is_term, names_of
from ..sources import CatalogLike, Reader
from .tables import TABLE, TABLE_PATH, TermTables

_PATHS = (f"{c.RELPATH}_a", f"{c.RELPATH}_b")
_MOST_NAMED = 5  # paths in a sentence
_LOOKED_AT = 10_000  # paths that are compared letter by letter
_AHEAD = 16  # tables that are read before it is sure that they are compared
Steps = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Sides:
    """What is known of the files of both releases of each step; `step` numbers them."""

    facts_a: pl.LazyFrame
    facts_b: pl.LazyFrame
    heads_a: pl.LazyFrame
    heads_b: pl.LazyFrame


def read_sides(
    catalog: CatalogLike, reader: Reader, steps: Steps, then: Callable[[pl.DataFrame], None] = lambda _: None
) -> Sides:
    """Return what is known of the files of the releases of some steps; two crossings, however many steps.

    Args:
        catalog: The catalog.
        reader: Its open source.
        steps: (A, B) of each step.
        then: Called with the facts of all files as soon as these are known.
    """
    names = sorted({name for step in steps for name in step})
    facts = collect({"facts": reader.facts(names)}, catalog.tell, held=True)["facts"]
    then(facts)
    known = {"facts": facts.lazy(), "heads": reader.heads_among(facts)}
    numbers = range(len(steps))
    sides = [
        pl.LazyFrame({c.STEP: list(numbers), c.VERSION_ID: [step[side] for step in steps]}, _STEP) for side in (0, 1)
    ]
    return Sides(*(known[name].join(side, on=c.VERSION_ID) for name in ("facts", "heads") for side in sides))


def contents_of(files: pl.DataFrame) -> list[dict[str, Any]]:
    """Return the facts of the contents of some files that have a table of terms, each once, in their order."""
    return files.drop_nulls(TABLE_PATH).unique(TABLE_PATH, keep="first", maintain_order=True).to_dicts()


def _hint_of_files(name: str, known: Sequence[str]) -> str:
    """Return a sentence with the paths that are most like a name, or with some of those that there are."""
    if not known:
        return "There is none."
    close = difflib.get_close_matches(name, known[:_LOOKED_AT], n=_MOST_NAMED, cutoff=0.5)
    found = close or sorted(known)[:_MOST_NAMED]
    more = " …" if len(known) > len(found) else ""
    return f"There are: {', '.join(map(quote, found))}{more}."


_STEP = {c.STEP: pl.Int64(), c.VERSION_ID: pl.String()}


class Comparison:
    """What became of files and terms from release to release.

    Args:
        catalog: The catalog.
        reader: Its open source.
        steps: (A, B) of each step.
        named: Paths of the one file of A and of B that are compared, None for all, of the only step.

    Raises:
        UsageError: A named file is in none of the releases, or nothing is known of what files say.
    """

    def __init__(
        self, catalog: CatalogLike, reader: Reader, steps: Steps, named: tuple[str | None, str | None] = (None, None)
    ) -> None:
        self.steps = steps
        self._tell = catalog.tell
        self._reader = reader
        self._is_each_in_both = False  # whether no file is in one release of the only step alone
        self.tables = TermTables(reader, catalog.tell)
        # of plans one is told after the other; of many steps, or of a file that is named, other tables come first
        ahead = _AHEAD if len(steps) == 1 and not any(named) and catalog.tell is None else 0
        sides = read_sides(catalog, reader, steps, partial(self._begin, most=ahead))
        paths = self._named_pair(sides, named) if any(named) else self._pair_files(sides)
        pairs = pairing.facts_of_pairs(paths, sides.facts_a, sides.facts_b)
        if any(named):
            pairs = pairs.filter(pl.col(c.PAIRED_BY) != pairing.NONE)
        heads = head_pipelines.paired_heads(paths, sides.heads_a, sides.heads_b)
        stated = pairing.states(pairs, head_pipelines.versions(heads))
        found = collect({"pairs": stated, "heads": heads}, catalog.tell, held=True)
        self.pairs, self.heads = found["pairs"], found["heads"]

    def _begin(self, facts: pl.DataFrame, most: int) -> None:
        """Begin to read the tables of the files that have the same path in both releases and do not say the same.

        Args:
            facts: Of both releases, a row for each file.
            most: No more tables than that.

        Raises:
            UsageError: Nothing is known of what any file of the store says.
        """
        if facts[c.DIGEST].null_count() == len(facts) and not self._reader.knows_facts():
            raise self._reader.nothing_known(self.steps[-1][1] if self.steps else "")
        self._is_each_in_both = most > 0 and len(facts) == 2 * facts[c.RELPATH].n_unique()
        if most:
            both = pl.col(c.DIGEST).n_unique().over(c.RELPATH) > 1
            self.tables.begin(contents_of(facts.filter(both))[:most])

    def _pair_files(self, sides: Sides) -> pl.LazyFrame:
        """Return the pairs of files: by path, then by ontology, then by terms; a new file with the one before it."""
        a, b = sides.facts_a, sides.facts_b
        if self._is_each_in_both:
            # as in most releases: to look for others would take as long as all before
            return pairing.by_path(a, b)
        found = self._leave(a, b, pairing.by_path(a, b))
        pairs = found["pairs"].lazy()
        if found["a"].is_empty() and found["b"].is_empty():
            return pairs
        for how in (pairing.IRI, pairing.IRI_DIGITS):
            rest = pairing.leftover(a, pairs, "a"), pairing.leftover(b, pairs, "b")
            pairs = pl.concat([pairs, pairing.by_iri(*rest, sides.heads_a, sides.heads_b, how)])
        found = self._leave(a, b, pairs)
        pairs = found["pairs"].lazy()
        if len(found["a"]) and len(found["b"]):
            terms = [self._iris(found[side]) for side in "ab"]
            pairs = pl.concat([pairs, pairing.by_overlap(terms[0], terms[1])])
        new = pairing.leftover(b, pairs, "b")
        kinds = {"old": pairing.kinds(a, sides.heads_a), "new": pairing.kinds(new, sides.heads_b)}
        known = collect(kinds, self._tell, held=True)
        return pl.concat([pairs, pairing.successors(known["old"].lazy(), known["new"].lazy())])

    def _leave(self, a: pl.LazyFrame, b: pl.LazyFrame, pairs: pl.LazyFrame) -> dict[str, pl.DataFrame]:
        """Return pairs, and the files of each side that are in none."""
        rest = {side: pairing.leftover(files, pairs, side) for side, files in (("a", a), ("b", b))}
        return collect({"pairs": pairs, **rest}, self._tell, held=True)

    def _iris(self, files: pl.DataFrame) -> pl.LazyFrame:
        """Return step, relpath, iri of the terms of some files."""
        rows = files.filter(pl.col(TABLE_PATH).is_not_null()).to_dicts()
        own = (is_term() & (pl.col(c.KIND) != MENTION)).alias("own")
        frames = {
            str(at): self.tables.scan(row)
            .filter(own)
            .select(pl.lit(row[c.STEP]).alias(c.STEP), pl.lit(row[c.RELPATH]).alias(c.RELPATH), c.IRI)
            for at, row in enumerate(rows)
        }
        empty = pl.DataFrame(schema={c.STEP: pl.Int64(), c.RELPATH: pl.String(), c.IRI: pl.String()})
        found = self.tables.collect(frames)
        return pl.concat([empty, *(frame.cast({c.STEP: pl.Int64()}) for frame in found.values())]).lazy()

    def _named_pair(self, sides: Sides, named: tuple[str | None, str | None]) -> pl.LazyFrame:
        """Return the one pair of files that a user names; who names one gets its partner."""
        paths = {"a": sides.facts_a.select(c.RELPATH), "b": sides.facts_b.select(c.RELPATH)}
        known = collect(paths, self._tell, held=True)
        for side, name in zip("ab", named, strict=True):
            if name is not None and name not in known[side][c.RELPATH]:
                raise UsageError(
                    f"Release {side.upper()} has no file {quote(name)} whose terms could be known.",
                    subject=f"--file-{side}",
                    hint=_hint_of_files(name, known[side][c.RELPATH].to_list()),
                )
        if None not in named:
            return pl.LazyFrame(
                {c.STEP: [0], _PATHS[0]: [named[0]], _PATHS[1]: [named[1]], c.PAIRED_BY: [pairing.NAMED]},
                {c.STEP: pl.Int64(), _PATHS[0]: pl.String(), _PATHS[1]: pl.String(), c.PAIRED_BY: pl.String()},
            )
        at, name = next((at, name) for at, name in enumerate(named) if name is not None)
        pairs = collect({"pairs": self._pair_files(sides).filter(pl.col(_PATHS[at]) == name)}, self._tell, held=True)[
            "pairs"
        ]
        if pairs.is_empty():
            raise UsageError(
                f"{quote(name)} has no partner in release {'BA'[at]}.",
                subject=f"--file-{'ab'[at]}",
                hint=f"Name the file to compare it with by --file-{'ba'[at]}.",
            )
        return pairs.head(1).lazy()

    @cached_property
    def compared(self) -> pl.DataFrame:
        """Return the pairs whose terms differ, each two contents once."""
        looked_at = self.pairs.filter(pl.col(c.STATE).is_in(pairing.COMPARED))
        return looked_at.unique([c.STEP, "content_id_a", "content_id_b"], keep="first", maintain_order=True)

    def labels(self, iris: pl.Series, old: pl.DataFrame) -> pl.LazyFrame:
        """Return the names of some terms, as the files of B say, else those of A.

        Args:
            iris: The terms.
            old: Terms of A that are not the same in B, all of them: a label that B has not is among theirs.
        """
        contents = contents_of(self.compared.select(pl.col(f"{name}_b").alias(name) for name in TABLE))
        asked = pl.col(c.IRI).is_in(iris.implode()) & pl.col(c.LABEL).is_not_null()
        sides = [*map(self.tables.scan, contents if len(iris) else []), old.lazy()]
        b = [side.filter(asked).select(c.IRI, c.LABEL) for side in sides]
        a = b.pop()
        nothing = pl.LazyFrame(schema={c.IRI: pl.String(), c.LABEL: pl.String()})
        return names_of(iris.to_frame().lazy(), pl.concat([nothing, *b]), a)

    def differing(self, columns: Sequence[str]) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Return the terms of A and of B that are not the same on the other side, with `pair`."""
        return self.tables.differing(self.compared, columns)

    def contents(self) -> list[dict[str, Any]]:
        """Return the facts of the contents of all pairs, also of those where nothing changed, each once."""
        sides = [self.pairs.select(pl.col(f"{name}_{side}").alias(name) for name in TABLE) for side in "ab"]
        return contents_of(pl.concat(sides))

    def rare(self, raw: pl.LazyFrame, new: pl.LazyFrame) -> dict[str, pl.DataFrame]:
        """Return what few changed terms are: `moves` to another namespace, and `merged` into others.

        Args:
            raw: What `meaning.raw_changes` says of the terms that differ.
            new: Those of B.
        """
        frames = {"moves": meaning.namespace_moves(raw), "merged": meaning.mergers(raw, new)}
        return self.tables.collect(frames, held=True)

    def categories(self, raw: pl.LazyFrame, rare: Mapping[str, pl.DataFrame]) -> pl.LazyFrame:
        """Return each changed term once, in its category; `rare` is what the method of that name returns."""
        return meaning.once_each(meaning.categorise(raw, rare["moves"], rare["merged"]), self.compared)

    def with_counts(self, raw: pl.LazyFrame, statements: pl.LazyFrame, *, whole: bool = True) -> pl.LazyFrame:
        """Return the pairs with what was counted; pairs of the same two contents have the same counts.

        Args:
            raw: What `meaning.raw_changes` says of the terms that differ.
            statements: What `meaning.statement_counts` does.
            whole: Whether these are all terms, so that states can follow from how many they are.
        """
        counts = meaning.pair_counts(raw).join(statements, on=c.PAIR, how="full", coalesce=True)
        contents = [c.STEP, "content_id_a", "content_id_b"]
        first = self.compared.lazy().select(*contents, c.PAIR)
        of_all = (
            self.pairs.lazy()
            .select(*contents, pl.col(c.PAIR).alias("own"))
            .join(first.join(counts, on=c.PAIR), on=contents, nulls_equal=True)
        )
        return pairing.with_terms(
            self.pairs.lazy(), of_all.drop(*contents, c.PAIR).rename({"own": c.PAIR}), whole=whole
        )
