"""Find terms in the tables of many releases, each content opened once.

What a report shows of them is not known here.
"""

from __future__ import annotations

import polars as pl

from . import columns as c
from .collect import collect
from .polars_pipelines.lives import TOLD, one_per_release
from .polars_pipelines.terms import is_term
from .sources import CatalogLike, Reader
from .term_tables import TABLE_PATH, TermTables

_AT_ONCE = 64  # tables that are held together


class Known:
    """The files of some releases of which it is known what they say.

    Args:
        catalog: The catalog.
        reader: Its open source.
        releases: version_id, slot; each series in its order.
    """

    def __init__(self, catalog: CatalogLike, reader: Reader, releases: pl.DataFrame) -> None:
        self.tables = TermTables(reader, catalog.tell)
        names = releases[c.VERSION_ID].to_list()
        placed = releases.lazy().select(c.VERSION_ID, c.SLOT).with_row_index(c.POSITION)
        facts = reader.facts(names).join(placed, on=c.VERSION_ID)
        self.facts = collect({"facts": facts}, catalog.tell)["facts"].sort(c.POSITION, c.RELPATH)
        with_table = self.facts.filter(pl.col(TABLE_PATH).is_not_null())
        self.files = with_table
        self.releases = with_table.select(c.SLOT, c.POSITION, c.VERSION_ID).unique(maintain_order=True)

    def all_terms(self) -> pl.LazyFrame:
        """Return the IRIs of all terms of all files."""
        contents = self.files.unique(TABLE_PATH, maintain_order=True).to_dicts()
        empty = pl.LazyFrame(schema={c.IRI: pl.String()})
        frames = {str(at): self.tables.scan(row).select(c.IRI) for at, row in enumerate(contents)}
        found = self.tables.collect(frames).values()
        self.tables.keep([])
        return pl.concat([empty, *(frame.lazy() for frame in found)]).filter(is_term()).unique()

    def find(self, which: pl.Expr) -> pl.DataFrame:
        """Return the terms that `which` holds for, in every file: version_id, slot, position, relpath, iri, TOLD."""
        contents = self.files.unique(TABLE_PATH, maintain_order=True)
        parts: list[pl.DataFrame] = []
        for chunk in contents.iter_slices(_AT_ONCE):
            self.tables.keep([])
            frames = {
                str(at): self.tables.scan(row).filter(which).select(
                    c.IRI, *TOLD, pl.lit(row[TABLE_PATH]).alias(TABLE_PATH)
                )
                for at, row in enumerate(chunk.to_dicts())
            }  # fmt: skip
            parts += self.tables.collect(frames).values()
        if not parts:
            return pl.DataFrame(schema={**_SEEN, **self.tables.scan({TABLE_PATH: None}).select(*TOLD).collect_schema()})
        places = self.files.lazy().select(TABLE_PATH, *_SEEN_PLACES)
        found = pl.concat(parts).lazy().join(places, on=TABLE_PATH).select(*_SEEN, *TOLD)
        return self.tables.collect({"seen": one_per_release(found)})["seen"]


_SEEN_PLACES = (c.VERSION_ID, c.SLOT, c.POSITION, c.RELPATH)
_SEEN = {
    c.VERSION_ID: pl.String(), c.SLOT: pl.String(), c.POSITION: pl.UInt32(), c.RELPATH: pl.String(),
    c.IRI: pl.String(),
}  # fmt: skip
