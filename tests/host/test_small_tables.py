"""Joins and groups by kernels give what Arrow's own engine gives."""

from __future__ import annotations

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from ontofetch_catalog.host.small_tables import first_of_each, join_one

KEYS = st.lists(st.sampled_from("abcdef"), max_size=12)


@given(KEYS)
def test_the_first_of_each_value(keys: list[str]) -> None:
    """One row for each value, the first, in the order of the table."""
    table = pa.table({"key": pa.array(keys, pa.string()), "number": pa.array(range(len(keys)), pa.int64())})
    found = first_of_each(table, "key").to_pylist()
    assert found == [{"key": key, "number": keys.index(key)} for key in dict.fromkeys(keys)]


@given(KEYS, st.sets(st.sampled_from("abcdef")))
def test_a_join_with_one_row_of_each_value(keys: list[str], known: set[str]) -> None:
    """A row stays where the other table has its value, with what stands there; the order stays."""
    left = pa.table({"key": pa.array(keys, pa.string()), "number": pa.array(range(len(keys)), pa.int64())})
    right = pa.table({"key": pa.array(sorted(known), pa.string()), "word": pa.array([k * 2 for k in sorted(known)])})
    right = right.set_column(1, "word", right["word"].cast(pa.string()))
    found = join_one(left, right, "key").to_pylist()
    assert found == [{"key": k, "number": n, "word": k * 2} for n, k in enumerate(keys) if k in known]
