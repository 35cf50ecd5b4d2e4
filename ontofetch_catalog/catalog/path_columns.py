"""Columns of paths: whether each is legal and each is there once, and what they are the same by."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ontofetch_hookspecs.names import (
    MAX_PART_BYTES,
    MAX_PATH_BYTES,
    NO_PART,
    UNSAFE_CLASS,
    path_key,
    quote,
    relpath_fault,
)

from ..errors import EventError

if TYPE_CHECKING:
    import pyarrow as pa

# what relpath_fault refuses, as expressions of RE2 over text and over bytes; they only find candidates, relpath_fault
# then says what is wrong
_SUSPECT_PATH = f"(^|/){NO_PART}(/|$)|{UNSAFE_CLASS}"
_LONG_PART = f"[^/]{{{MAX_PART_BYTES + 1}}}"
_SUSPECT_PART = f"/{NO_PART}/"  # the same for printable ASCII, with slashes around
_BATCH_ROWS = 1 << 20


def check_paths(paths: pa.ChunkedArray) -> None:
    """Check that every path is legal, as `names.relpath_fault` says.

    Raises:
        EventError: One is not.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    lengths = pc.binary_length(paths)
    longest = pc.max(lengths).as_py() or 0
    if longest <= MAX_PART_BYTES and all(_are_plain(batch) for batch in _batches(paths)):
        return
    suspect = pc.match_substring_regex(paths, _SUSPECT_PATH)
    if longest > MAX_PART_BYTES:
        # as bytes the expression counts bytes
        long_part = pc.match_substring_regex(paths.cast(pa.binary()), _LONG_PART)
        suspect = pc.or_(suspect, pc.or_(long_part, pc.greater(lengths, MAX_PATH_BYTES)))
    for path in paths.filter(suspect).to_pylist():
        fault = relpath_fault(path)
        if fault is not None:
            raise EventError(f"The path {quote(path)} {fault}.", subject=path, hint="The whole table was refused.")


def _batches(paths: pa.ChunkedArray) -> Iterator[pa.StringArray]:
    """Yield the paths in arrays small enough that their texts, joined, stay below the 2 GiB of one Arrow text."""
    for chunk in paths.chunks:
        for start in range(0, len(chunk), _BATCH_ROWS):
            yield chunk.slice(start, _BATCH_ROWS)


def _are_plain(paths: pa.StringArray) -> bool:
    """Say whether all paths are printable ASCII without an empty part, `.` or `..`; most tables are, and it costs half.

    They are looked at as one long path: an expression costs more to start than to go on.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    if not pc.all(pc.ascii_is_printable(paths)).as_py():
        return len(paths) == 0
    whole = pa.ListArray.from_arrays(pa.array([0, len(paths)], pa.int32()), paths)
    text = pc.binary_join_element_wise("", pc.binary_join(whole, "/"), "", "/")
    return not pc.match_substring_regex(text, _SUSPECT_PART)[0].as_py()


def check_unique(paths: pa.ChunkedArray, *, folded: bool) -> None:
    """Check that no path is there twice, or with `folded` under a name that is the same where case is folded.

    Raises:
        EventError: One is.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    keys = path_keys(paths) if folded else paths
    # in order, none is there twice; ranking names that are nearly so costs a third of hashing them, in time and memory
    if is_sorted(keys) or pc.max(pc.rank(keys, tiebreaker="dense")).as_py() == len(keys):
        del keys
        # the pool would keep what the keys took while the rows are recorded
        pa.default_memory_pool().release_unused()
        return
    counts = pc.value_counts(keys)
    double = counts.filter(pc.greater(counts.field("counts"), 1)).field("values")[0].as_py()
    both = paths.filter(pc.equal(keys, double)).to_pylist()[:2]
    raise EventError(
        f"The paths {quote(both[0])} and {quote(both[1])} are the same file where case and normal forms are folded.",
        subject=both[1],
    )


def path_keys(paths: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return `names.path_key` of each path, as a column."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pc.all(pc.string_is_ascii(paths)).as_py() in (True, None):
        return pc.ascii_lower(paths)
    # one text with NULs between (no path has one): folding and composing it whole is folding each path
    text = "\0".join(paths.to_pylist())
    return pa.chunked_array([pa.array(path_key(text).split("\0"), pa.string())])


def is_sorted(paths: pa.ChunkedArray) -> bool:
    """Say whether paths stand in strictly ascending order of their bytes."""
    import pyarrow.compute as pc

    if len(paths) < 2:
        return True
    return bool(pc.all(pc.less(paths.slice(0, len(paths) - 1), paths.slice(1))).as_py())
