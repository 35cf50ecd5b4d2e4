"""How many terms came, went or became obsolete from release to release, for reports of something else.

How that is found out is imported where facts are known, which of many catalogs they are not.
"""

from __future__ import annotations

import polars as pl

from ...errors import CatalogUnreadable
from .. import columns as c
from ..fields import INT, Field
from ..sources import CatalogLike, Reader

GROWN = tuple(
    Field(
        name, INT, f"terms that {what}, as in `report meaning`; null where that is not known of all files that differ",
        detail=9,
    )
    for name, what in ((c.TERMS_ADDED, "came"), (c.TERMS_REMOVED, "are gone"), (c.OBSOLETED, "became obsolete"))
)  # fmt: skip


def grown_terms(catalog: CatalogLike, reader: Reader, steps: list[tuple[str, str]]) -> pl.LazyFrame:
    """Return version_id (of B), terms_added, terms_removed, obsoleted; no row where nothing is known.

    A table of terms that is lost or damaged makes them unknown: what a report says of bytes does not depend on it.
    """
    nothing = pl.LazyFrame(schema={c.VERSION_ID: pl.String(), **{field.name: pl.Int64() for field in GROWN}})
    # where nothing is known of either release there is nothing to compare, however many files they have
    told = reader.told(sorted({name for step in steps for name in step})) if reader.knows_facts() else frozenset()
    known = [step for step in steps if not told.isdisjoint(step)] if told else []
    if not known:
        return nothing
    from .comparison import Comparison
    from .steps import changes_of_steps

    try:
        _, counts = changes_of_steps(Comparison(catalog, reader, known))
    except CatalogUnreadable:
        return nothing
    return counts.select(
        c.VERSION_ID,
        pl.col(c.TERM_ADDED).alias(c.TERMS_ADDED),
        pl.col(c.TERM_REMOVED).alias(c.TERMS_REMOVED),
        c.OBSOLETED,
    )
