"""Find terms in the tables of many releases, each content opened once.

What a report shows of them is not known here.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from .. import columns as c
from ..collect import collect
from ..polars_pipelines.lives import TOLD, one_per_release
from ..sources import CatalogLike, Reader
from .tables import SCHEMA, TABLE_PATH, Facts, TermTables


class Known:
    """The files of some releases of which it is known what they say.

    Args:
        releases: version_id, slot; each series in its order.
    """

    def __init__(self, catalog: CatalogLike, reader: Reader, releases: pl.DataFrame) -> None:
        self.tables = TermTables(reader, catalog.tell)
        names = releases[c.VERSION_ID].to_list()
        placed = releases.lazy().select(c.VERSION_ID, c.SLOT).with_row_index(c.POSITION)
        facts = reader.tabled_facts(names).join(placed, on=c.VERSION_ID)
        self.files = collect({"facts": facts}, catalog.tell, held=True)["facts"].sort(c.POSITION, c.RELPATH)
        self.releases = self.files.select(c.SLOT, c.POSITION, c.VERSION_ID).unique(maintain_order=True)

    def all_terms(self) -> pl.LazyFrame:
        """Return the IRIs of all terms of all files."""
        return self.tables.iris(self._contents().to_dicts())

    def find(self, which: pl.Expr, iris: Sequence[str] | None = None) -> pl.DataFrame:
        """Return the terms that `which` holds for, in every file: version_id, slot, position, relpath, iri, TOLD.

        Args:
            which: About iri.
            iris: Those that it can hold for, if they are known.
        """
        wanted = None if iris is None else sorted(set(iris))
        contents = self._contents()
        own = pl.col(TABLE_PATH)

        def place(row: Facts) -> pl.DataFrame:
            key = self.tables.columns(row, _KEY, wanted)
            return key.filter(which).with_columns(pl.lit(row[TABLE_PATH]).alias(TABLE_PATH))

        rows = contents.to_dicts()
        nothing = pl.DataFrame(schema={c.IRI: pl.String(), c.DIGEST: pl.Binary(), TABLE_PATH: pl.String()})
        there = pl.concat([nothing, *self.tables.of_each(place, rows)]).join(
            contents.select(TABLE_PATH, c.FACTS_VERSION), on=TABLE_PATH
        )
        # what has one digest says the same, so that one of the tables tells it for all
        same = [c.FACTS_VERSION, *_KEY]
        tellers = there.unique(same, keep="first", maintain_order=True)

        def tell(row: Facts) -> pl.DataFrame:
            chosen = tellers.filter(own == row[TABLE_PATH])
            said = self.tables.columns(row, [c.IRI, *TOLD], sorted(chosen[c.IRI]))
            return said.join(chosen.select(c.IRI, c.FACTS_VERSION), on=c.IRI)

        telling = set(tellers[TABLE_PATH])
        empty = pl.DataFrame(schema=_TOLD)
        told = pl.concat([empty, *self.tables.of_each(tell, [row for row in rows if row[TABLE_PATH] in telling])])
        places = self.files.lazy().select(TABLE_PATH, *_SEEN_PLACES)
        found = there.lazy().join(told.lazy(), on=same).join(places, on=TABLE_PATH).select(*_SEEN, *TOLD)
        return self.tables.collect({"seen": one_per_release(found)}, held=True)["seen"]

    def _contents(self) -> pl.DataFrame:
        return self.files.unique(TABLE_PATH, maintain_order=True)


_KEY = (c.IRI, c.DIGEST)
_SEEN_PLACES = (c.VERSION_ID, c.SLOT, c.POSITION, c.RELPATH)
_SEEN = (*_SEEN_PLACES, c.IRI)
_TOLD = {c.IRI: pl.String(), **{name: SCHEMA[name] for name in TOLD}, c.FACTS_VERSION: pl.String()}
