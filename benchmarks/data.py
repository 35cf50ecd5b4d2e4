"""Own the data: tables of files, trees of real files, stores with a recorded artifact; the same in every run.

What is done with them is not known here.
"""

from __future__ import annotations

import os
import shutil
from functools import lru_cache
from pathlib import Path

import duckdb
import pyarrow as pa

from ontofetch_catalog.plugins.catalog import CatalogPlugin
from ontofetch_hookspecs import ExtractDone
from ontofetch_hookspecs.testing import (
    SAMPLE_BYTES,
    make_manager,
    sample_download_done,
    sample_extract_done,
)

VERSION = "example/sample/1.0"
# (path, content): folders of 200 files, names as releases have them; a content is a few lines of its own
_PATH = "printf('ontology/part-%04d/%s/module_%07d_edit.ttl', i // 200, if(i // 100 % 2 = 0, 'README', 'imports'), i)"
_TEXT = "repeat(printf('<urn:example:%07d> a <urn:example:Class> .', i) || chr(10), 2 + (i % 9)::INTEGER)"


def files_table(count: int) -> pa.Table:
    """Return FILES_COLUMNS of `count` files, sorted by path as a host sends them."""
    return _query(
        f"""
        SELECT {_PATH} AS relpath, sha256({_TEXT}) AS file_id,
            ['turtle', 'rdf-xml', 'obo', 'json-ld'][1 + i % 4] AS format,
            strlen({_TEXT})::BIGINT AS size_bytes,
            TIMESTAMP '2025-09-15 12:00:00' + INTERVAL (i) SECOND AS mtime
        FROM range({count}) t(i) ORDER BY i
        """
    ).cast(
        pa.schema(
            [
                ("relpath", pa.string()),
                ("file_id", pa.string()),
                ("format", pa.string()),
                ("size_bytes", pa.int64()),
                ("mtime", pa.timestamp("us", "UTC")),
            ]
        )
    )


def write_tree(folder: Path, count: int) -> None:
    """Write the files of `files_table(count)` below `folder`, anew if they are there; nothing is made durable."""
    for path, text in _contents(count):
        with open(f"{folder}/{path}", "wb", buffering=0) as file:
            file.write(text)


def make_folders(folder: Path, count: int) -> None:
    """Make the folders of that tree."""
    for path in sorted({os.path.dirname(path) for path, _ in _contents(count)}):
        (folder / path).mkdir(parents=True)


@lru_cache(maxsize=2)
def _contents(count: int) -> list[tuple[str, bytes]]:
    rows = _query(f"SELECT {_PATH} AS path, {_TEXT} AS text FROM range({count}) t(i) ORDER BY i")
    texts = rows["text"].cast(pa.binary()).to_pylist()
    return list(zip(rows["path"].to_pylist(), texts, strict=True))


def make_store(root: Path) -> Path:
    """Make a store that has recorded the artifact of VERSION and nothing of what is in it; return its root."""
    source = root / VERSION / "src"
    source.mkdir(parents=True)
    (source / "sample.nt").write_bytes(SAMPLE_BYTES)
    manager = make_manager(NamedCatalog(), root=root)
    manager.hook.on_download_done(event=sample_download_done(root))
    return root


def copy_store(template: Path, root: Path) -> Path:
    """Make `root` anew as a copy of `template`, durable, so that nothing of it is left to write; return it."""
    shutil.rmtree(root, ignore_errors=True)
    shutil.copytree(template, root)
    os.sync()
    return root


def extract_event(root: Path, files: pa.Table, staged: Path | None) -> ExtractDone:
    """Return the event of VERSION's files."""
    return sample_extract_done(root, files, staged=staged)


class NamedCatalog(CatalogPlugin):
    """The catalog under the name that a host gives it."""

    PLUGIN_NAME = "catalog"


def _query(sql: str) -> pa.Table:
    with duckdb.connect() as connection:
        return connection.sql(sql).to_arrow_table()
