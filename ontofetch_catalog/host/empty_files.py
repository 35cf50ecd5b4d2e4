"""The one content whose judgement depends on its name: a file of no bytes is Turtle without a triple, and no RDF/XML.

Everywhere else equal bytes have one format and one judgement, and the sha256 tells them apart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..content.formats import named_format

if TYPE_CHECKING:
    import pyarrow as pa

EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"  # sha256 of no bytes
_PATH = r"^[^#]*#"  # of `reused_from`: what stands before the path
_SHA256 = len(EMPTY)


def content_of(file_id: str, format_name: str) -> str:
    """Return what is judged once: the sha256, of an empty file with its format."""
    return f"{file_id}#{format_name}" if file_id == EMPTY else file_id


def sha256_of(content: str) -> str:
    """Return the sha256 of what is judged once."""
    return content[:_SHA256]


def with_contents(files: pa.Table) -> pa.Table:
    """Return files, with file_id and format, with what is judged once in the place of the file_id."""
    import pyarrow.compute as pc

    return _replaced(files, pc.equal(files["file_id"], EMPTY), files["format"])


def known_contents(known: pa.Table) -> pa.Table:
    """Return the same of known results: which format an empty file had, the name says under which it was judged."""
    import pyarrow as pa
    import pyarrow.compute as pc

    is_empty = pc.equal(known["file_id"], EMPTY)
    if not pc.any(is_empty).as_py():
        return known
    paths = pc.replace_substring_regex(known["reused_from"], _PATH, "")
    # of all others the name does not count
    asked = pc.unique(paths.filter(is_empty))
    told = pa.array([named_format(path) for path in asked.to_pylist()], pa.string())
    return _replaced(known, is_empty, told.take(pc.index_in(paths, value_set=asked)))


def without_formats(results: pa.Table) -> pa.Table:
    """Return a table with the sha256 as file_id again."""
    import pyarrow.compute as pc

    ids = pc.utf8_slice_codeunits(results["file_id"], 0, _SHA256)
    return results.set_column(results.schema.get_field_index("file_id"), results.schema.field("file_id"), ids)


def _replaced(table: pa.Table, is_empty: pa.ChunkedArray, formats: pa.ChunkedArray) -> pa.Table:
    import pyarrow.compute as pc

    if not pc.any(is_empty).as_py():
        return table
    both = pc.binary_join_element_wise(table["file_id"], formats, "#")
    ids = pc.if_else(is_empty, both, table["file_id"])
    return table.set_column(table.schema.get_field_index("file_id"), table.schema.field("file_id"), ids)
