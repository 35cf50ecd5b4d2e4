"""Joins and groups of Arrow tables by the kernels alone: the engine that Arrow has for them takes long to import.

Which tables these are is not known here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ontofetch_hookspecs.columns import Column

if TYPE_CHECKING:
    import pyarrow as pa


def first_of_each(table: pa.Table, key: str) -> pa.Table:
    """Return the first row of each value of a column, in the order of the table."""
    import pyarrow as pa
    import pyarrow.compute as pc

    values = table[key].combine_chunks()
    # where each row's value stands among the distinct ones: a row is the first of its value where that grows
    places = pc.index_in(values, value_set=pc.unique(values))
    before = pa.concat_arrays([pa.array([-1], places.type), pc.cumulative_max(places).cast(places.type)])
    return table.filter(pc.greater(places, before.slice(0, len(places))))


def join_one(left: pa.Table, right: pa.Table, key: str) -> pa.Table:
    """Return the rows of `left` whose key is in `right`, with the columns of its one row there."""
    import pyarrow.compute as pc

    places = pc.index_in(left[key], value_set=right[key].combine_chunks()).combine_chunks()
    joined = left.filter(places.is_valid())
    beside = right.take(places.drop_null())
    for name in right.column_names:
        if name != key:
            joined = joined.append_column(name, beside[name])
    return joined


def schema_of(columns: Sequence[Column]) -> pa.Schema:
    """Return the schema of a table that the contract describes."""
    import pyarrow as pa

    types = {
        "string": pa.string(),
        "int64": pa.int64(),
        "bool": pa.bool_(),
        "timestamp[us, UTC]": pa.timestamp("us", "UTC"),
    }
    return pa.schema([pa.field(column.name, types[column.type], column.nullable) for column in columns])
