"""Tables of terms as lazy frames, and the terms of pairs of files that are not the same on both sides.

Which files are pairs, and what became of the terms, is not known here.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import field
from typing import TYPE_CHECKING, Any, TypeVar

import polars as pl

from ontofetch_hookspecs.light_dataclasses import dataclass

from ...content.facts.schema import TERMS_SCHEMA
from ...errors import CatalogUnreadable
from .. import columns as c
from ..collect import Teller, collect
from ..polars_pipelines.terms import is_term, short_name
from ..sources import CatalogLike, Reader

if TYPE_CHECKING:
    import pyarrow.parquet as pq

TABLE_PATH = "table_path"
TABLE = (TABLE_PATH, c.TABLE_SHA256, c.TABLE_BYTES, c.RECORDED_AT)  # what is known of the table of a content
_AT_ONCE = 16  # pairs of files that are looked at together
_GATHERED = 64  # contents of which a column or two are held at a time
_THREADS = 8  # at most; more than cores don't help, and each holds a table
_KEY = "key"
_NONE = pl.lit([], dtype=pl.List(pl.String()))
_T = TypeVar("_T")
Facts = Mapping[str, Any]


class TermTables:
    """The tables of terms of a store, each read once as long as it is held.

    Args:
        tell: Prints plans and times; None for none.
    """

    def __init__(self, reader: Reader, tell: Teller | None = None) -> None:
        self._reader = reader
        self._tell = tell
        self._held: dict[str, bytes] = {}
        self._digests: dict[str, _Digests] = {}
        self._begun: dict[str, Future[bytes]] = {}

    def begin(self, rows: Iterable[Facts]) -> None:
        """Begin to read the tables of contents that are likely to be compared, while other things are asked for."""
        threads = _threads()
        self._begun = {row[TABLE_PATH]: threads.submit(self._prepare, row) for row in rows}
        threads.shutdown(wait=False)

    def _prepare(self, row: Facts) -> bytes:
        data = self._reader.term_table(row)
        path = row[TABLE_PATH]
        self._digests |= self._read_digests({path: pl.scan_parquet(io.BytesIO(data))}, {path: data})
        return data

    def load(self, rows: Iterable[Facts]) -> None:
        """Read the tables of some contents, all cores at once; what is held already is not read again."""
        missing = {row[TABLE_PATH]: row for row in rows if row[TABLE_PATH] not in (None, *self._held)}
        self._held |= {path: self._begun.pop(path).result() for path in missing.keys() & self._begun.keys()}
        rest = {path: row for path, row in missing.items() if path not in self._held}
        if rest:
            self._held |= zip(rest, self.of_each(self._reader.term_table, rest.values()), strict=True)

    def of_each(self, ask: Callable[[Facts], _T], rows: Iterable[Facts]) -> list[_T]:
        """Return what `ask` says of each content, in their order; all cores ask at once.

        Raises:
            CatalogUnreadable: A table is not what its name promises.
        """
        with _threads() as threads:
            return list(threads.map(ask, rows))

    def columns(self, facts: Facts, columns: Sequence[str], iris: Sequence[str] | None = None) -> pl.DataFrame:
        """Return columns of a table, without those parts that have none of some sorted IRIs; nothing of it is held."""
        return self._reader.term_columns(facts, columns, iris)

    def gather(
        self, facts: Sequence[Facts], ask: Callable[[Facts], pl.DataFrame], nothing: pl.DataFrame
    ) -> pl.DataFrame:
        """Return the rows that `ask` returns of each content, each row once; some contents are held at a time."""
        found = nothing
        for start in range(0, len(facts), _GATHERED):
            found = pl.concat([found, *self.of_each(ask, facts[start : start + _GATHERED])]).unique()
        return found

    def iris(self, facts: Sequence[Facts]) -> pl.LazyFrame:
        """Return the IRIs (one column) of all terms of some contents."""
        nothing = pl.DataFrame(schema={c.IRI: pl.String()})
        return self.gather(facts, lambda row: self.columns(row, [c.IRI]), nothing).lazy().filter(is_term())

    def scan(self, facts: Facts) -> pl.LazyFrame:
        """Return the table of a content, as a frame that is not decoded yet; no row where it has none."""
        path = facts[TABLE_PATH]
        if path is None:
            return pl.LazyFrame(schema=SCHEMA)
        self.load([facts])
        return pl.scan_parquet(io.BytesIO(self._held[path]))

    def keep(self, paths: Iterable[str | None]) -> None:
        """Forget all tables but these."""
        kept = set(paths)
        for held in (self._held, self._digests, self._begun):
            for path in held.keys() - kept:
                del held[path]

    def collect(self, frames: Mapping[str, pl.LazyFrame], *, held: bool = False) -> dict[str, pl.DataFrame]:
        """Run all `frames`; `held` where no table is scanned.

        Raises:
            CatalogUnreadable: A table is not what its name promises.
        """
        return collect(frames, self._tell, explain=_no_table, held=held)

    def differing(self, pairs: pl.DataFrame, columns: Sequence[str]) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Return the terms of A and of B that the other side has not in the same way, with `pair`.

        Args:
            pairs: pair, and the facts of both files with `_a` and `_b`; one side may be null.
            columns: Those of the tables that are asked for; iri is one.
        """
        rows = pairs.select("pair", *(f"{name}_{side}" for name in TABLE for side in "ab")).to_dicts()
        old: list[pl.DataFrame] = []
        new: list[pl.DataFrame] = []
        for start in range(0, len(rows), _AT_ONCE):
            found_a, found_b = self._differing(rows[start : start + _AT_ONCE], columns)
            old += found_a
            new += found_b
        empty = pl.DataFrame(schema={c.PAIR: pl.UInt32(), **{name: SCHEMA[name] for name in columns}})
        return pl.concat([empty, *old]), pl.concat([empty, *new])

    def _differing(
        self, rows: Sequence[Facts], columns: Sequence[str]
    ) -> tuple[list[pl.DataFrame], list[pl.DataFrame]]:
        sides = [{name: row[f"{name}_{side}"] for name in TABLE} for row in rows for side in "ab"]
        self.keep(side[TABLE_PATH] for side in sides)
        self.load(sides)
        scans = {str(side[TABLE_PATH]): self.scan(side) for side in sides}
        missing = {path: scan for path, scan in scans.items() if path not in self._digests}
        self._digests |= self._read_digests(missing, self._held)
        numbered = [(f"{at}{side}", row) for at, row in enumerate(rows) for side in "ab"]
        chosen = self.collect({name: self._chosen(row, name[-1]) for name, row in numbered}, held=True)
        wanted = {}
        for name, row in numbered:
            path = str(row[f"{TABLE_PATH}_{name[-1]}"])
            scan, own, found = scans[path], self._digests[path], chosen[name][c.DIGEST]
            if len(found) < len(own.every):
                scan = scan.filter(pl.col(c.DIGEST).is_in(pl.concat([own.heads, found]).implode()))
            told = [_NONE.alias(column) if column in own.empty else column for column in columns]
            wanted[name] = scan.select(pl.lit(row[c.PAIR], pl.UInt32).alias(c.PAIR), *told)
        sought = self.collect(wanted)
        return [sought[f"{at}a"] for at in range(len(rows))], [sought[f"{at}b"] for at in range(len(rows))]

    def _read_digests(self, scans: Mapping[str, pl.LazyFrame], held: Mapping[str, bytes]) -> dict[str, _Digests]:
        every = self.collect({path: scan.select(c.DIGEST) for path, scan in scans.items()})
        # headers are in the row of no term, whose digest leaves them out: it is always looked at
        heads = self.collect({path: scan.filter(~is_term()).select(c.DIGEST) for path, scan in scans.items()})
        empty = {path: _empty_lists(held[path]) if path in held else frozenset[str]() for path in scans}
        return {path: _Digests(every[path][c.DIGEST], heads[path][c.DIGEST], empty[path]) for path in scans}

    def _chosen(self, row: Facts, side: str) -> pl.LazyFrame:
        """Return the digests of the terms of one side that the other has not in the same way."""
        own, other = (self._digests[str(row[f"{TABLE_PATH}_{end}"])] for end in (side, "ab".replace(side, "")))
        # the digest of a term is of its IRI as well; as numbers they are found fastest among those of the other side
        return pl.LazyFrame([own.every, own.keys]).filter(~pl.col(_KEY).is_in(other.keys.implode())).select(c.DIGEST)


@dataclass(slots=True)
class _Digests:
    """What is looked at first of a table.

    Attributes:
        every: The digests of all its rows.
        heads: Those that belong to no term.
        empty: Columns of lists in which no row has anything: to decode them takes as long as if they had.
        keys: The digests as numbers.
    """

    every: pl.Series
    heads: pl.Series
    empty: frozenset[str]
    keys: pl.Series = field(init=False)

    def __post_init__(self) -> None:
        self.keys = self.every.bin.reinterpret(dtype=pl.Int128).alias(_KEY)


def _empty_lists(data: bytes) -> frozenset[str]:
    """Return the columns of lists of which a table says that nothing is in them."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        told = pq.ParquetFile(pa.BufferReader(data)).metadata
    except (pa.ArrowException, OSError) as error:
        raise _no_table() from error
    places = {told.schema.column(at).path.partition(".")[0]: at for at in range(told.num_columns)}
    groups = [told.row_group(number) for number in range(told.num_row_groups)]
    return frozenset(
        name for name in _LISTS if name in places and all(_has_nothing(group.column(places[name])) for group in groups)
    )


def _has_nothing(part: pq.ColumnChunkMetaData) -> bool:
    known = part.statistics
    return known is not None and known.has_null_count and known.num_values == 0


def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(min(_THREADS, os.cpu_count() or 1))


def terms_of_releases(catalog: CatalogLike, reader: Reader, version_id: str | None) -> pl.LazyFrame:
    """Return the terms of all files of a release, or (None) of the latest release of each series.

    Columns as in `bare_rows.TERMS`.

    Raises:
        UsageError: Nothing is known of what files say.
    """
    if not reader.knows_facts():
        raise reader.nothing_known(version_id or "terms")
    tables = TermTables(reader, catalog.tell)
    latest = reader.versions((c.IS_LATEST,)).filter(c.IS_LATEST).select(c.VERSION_ID)
    names = [version_id] if version_id else tables.collect({"latest": latest})["latest"][c.VERSION_ID].to_list()
    files = tables.collect({"facts": reader.tabled_facts(names)})["facts"]
    tables.load(files.to_dicts())
    frames = [
        tables.scan(row).select(
            pl.lit(row[c.VERSION_ID]).alias(c.VERSION_ID), pl.lit(row[c.RELPATH]).alias(c.RELPATH), *_TOLD
        )
        for row in files.to_dicts()
    ]
    nothing = tables.scan({TABLE_PATH: None}).select(
        pl.lit("").alias(c.VERSION_ID), pl.lit("").alias(c.RELPATH), *_TOLD
    )
    rows = pl.concat([nothing, *frames]).filter(is_term())
    lists = [pl.col(name).list.join(" ").replace("", None) for name in _LISTS]
    return rows.with_columns(short_name(pl.col(c.IRI)).alias(c.TERM), *lists)


_LISTS = (c.REPLACED_BY, c.CONSIDER, c.PARENTS, c.ALT_IDS)
_TOLD = (c.IRI, c.KIND, c.LABEL, c.DEFINITION, c.DEPRECATED, *_LISTS, c.STATEMENTS)
# the columns of a table, as Polars reads them
SCHEMA = pl.DataFrame(TERMS_SCHEMA.empty_table()).schema


def _no_table() -> CatalogUnreadable:
    return CatalogUnreadable(
        "A table of terms is not what its name promises.",
        hint="`ontofetch db verify` says which; `ontofetch db facts` makes it again.",
    )
