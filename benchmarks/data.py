"""The data: tables of files, trees of real files, stores with a recorded artifact; the same in every run.

What is done with them is not known here.
"""

from __future__ import annotations

import hashlib
import os
import random
import shutil
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path

import duckdb
import pyarrow as pa

from ontofetch_catalog.catalog.repo import lookup_keys
from ontofetch_catalog.plugins.catalog import CatalogPlugin
from ontofetch_hookspecs import ExtractDone, Stage
from ontofetch_hookspecs.layout import DATABASE
from ontofetch_hookspecs.testing import (
    SAMPLE_BYTES,
    SAMPLE_SHA256,
    make_manager,
    sample_download_done,
    sample_extract_done,
)

VERSION = "example/sample/1.0"
# (path, content): folders of 200 files, names as releases have them; a content is a few lines of its own
_PATH = "printf('ontology/part-%04d/%s/module_%07d_edit.ttl', i // 200, if(i // 100 % 2 = 0, 'README', 'imports'), i)"
_FORMAT = "['turtle', 'rdf-xml', 'obo', 'json-ld'][1 + i % 4]"
_TEXT = "repeat(printf('<urn:example:%07d> a <urn:example:Class> .', i) || chr(10), 2 + (i % 9)::INTEGER)"

SUCCESSOR = """
INSERT INTO extracted_files BY NAME SELECT *, {numbers} FROM (
WITH a AS (
    SELECT *, hash(file_id) % 100 AS lot FROM extracted_files WHERE version_id = '{a}'
)
SELECT '{b}' AS version_id, relpath, if(lot < 4, sha256(file_id), file_id) AS file_id, artifact_id, format,
    if(lot < 4, size_bytes + 7, size_bytes) AS size_bytes, mtime, NULL AS verified_at FROM a WHERE lot < 4 OR lot > 8
UNION ALL SELECT '{b}', if(lot = 4, 'moved/' || relpath, replace(relpath, '_edit', '_full')), file_id, artifact_id,
    format, size_bytes, mtime, NULL FROM a WHERE lot BETWEEN 4 AND 6
UNION ALL SELECT '{b}', 'new/' || relpath, sha256(file_id || 'new'), artifact_id, format, size_bytes, mtime, NULL
    FROM a WHERE lot IN (7, 8)
UNION ALL SELECT '{b}', 'copy/' || relpath, file_id, artifact_id, format, size_bytes, mtime, NULL FROM a WHERE lot = 9
) ORDER BY relpath
"""


def files_table(count: int) -> pa.Table:
    """Return FILES_COLUMNS of `count` files, sorted by path as a host sends them."""
    return _query(
        f"""
        SELECT {_PATH} AS relpath, sha256({_TEXT}) AS file_id,
            {_FORMAT} AS format,
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
        # a file that is cut to nothing first would be flushed when it is closed, by ext4 at least
        descriptor = os.open(f"{folder}/{path}", os.O_WRONLY | os.O_CREAT, 0o644)
        os.write(descriptor, text)
        os.close(descriptor)


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
    manager = make_manager(CatalogPlugin(), root=root)
    manager.hook.on_download_done(event=sample_download_done(root))
    return root


def fill_catalog(root: Path, versions: Sequence[str], count: int) -> None:
    """Record `count` files of each release in bulk, past the boundaries: what lies on disk does not matter here."""
    with duckdb.connect(str(root / DATABASE)) as connection:
        for version_id in versions:
            service, ontology, version = version_id.split("/")
            connection.execute(
                "INSERT INTO versions BY NAME SELECT ? AS version_id, ? AS service, ? AS ontology, ? AS version,"
                " ? AS fs_relpath, 'native' AS layout, TIMESTAMP '2025-09-15 12:00:00' AS created_at",
                [version_id, service, ontology, version, version_id],
            )
            connection.execute(
                f"INSERT INTO extracted_files BY NAME SELECT * EXCLUDE (i), {lookup_keys.BOTH} FROM ("
                f"SELECT '{version_id}' AS version_id, {_PATH} AS relpath,"
                f" sha256({_TEXT} || '{version_id}') AS file_id, '{SAMPLE_SHA256}' AS artifact_id,"
                f" {_FORMAT} AS format, strlen({_TEXT}) AS size_bytes,"
                f" TIMESTAMP '2025-09-15 12:00:00' AS mtime, i FROM range({count}) t(i)) ORDER BY i"
            )


def fill_others(root: Path, like: str, versions: Sequence[str]) -> None:
    """Record releases with as many files as the release `like` has, at its paths, with contents of their own."""
    told = "(VALUES " + ", ".join(f"('{version_id}')" for version_id in versions) + ") o(other)"
    with duckdb.connect(str(root / DATABASE)) as connection:
        connection.execute(
            "INSERT INTO versions BY NAME SELECT v.* REPLACE (other AS version_id, other AS fs_relpath,"
            " split_part(other, '/', 1) AS service, split_part(other, '/', 2) AS ontology,"
            f" split_part(other, '/', 3) AS version) FROM versions v, {told} WHERE version_id = '{like}'"
        )
        for version_id in versions:
            # a text that is made anew takes twice as long as one that is read
            connection.execute(
                "INSERT INTO extracted_files BY NAME SELECT * REPLACE"
                f" ({lookup_keys.content_key('file_id')} AS content_key) FROM (SELECT * REPLACE"
                f" ('{version_id}' AS version_id, sha256(file_id || '{version_id}') AS file_id)"
                f" FROM extracted_files WHERE version_id = '{like}')"
            )


def fill_successor(root: Path, a: str, b: str) -> None:
    """Record release `b` as a changed `a`: of 100 files 4 modified, 3 renamed, 2 gone, 2 come, 1 copied."""
    version = b.rpartition("/")[2]
    with duckdb.connect(str(root / DATABASE)) as connection:
        connection.execute(
            "INSERT INTO versions BY NAME SELECT * REPLACE (? AS version_id, ? AS version, ? AS fs_relpath,"
            " created_at + INTERVAL 1 DAY AS created_at) FROM versions WHERE version_id = ?",
            [b, version, b, a],
        )
        connection.execute(SUCCESSOR.format(a=a, b=b, numbers=lookup_keys.BOTH))


def fill_series(root: Path, series: int, releases: int, count: int) -> None:
    """Record `series` series (`example/series-0` …) of `releases` releases of `count` files, the last one latest.

    From a release to the next one file in 29 is modified, one in 53 gets another name, one in 37 moves, some twice.
    """
    with duckdb.connect(str(root / DATABASE)) as connection:
        connection.execute(
            "INSERT INTO versions BY NAME SELECT version_id, 'example' AS service, 'series-' || s AS ontology,"
            " '1.' || r AS version, version_id AS fs_relpath, 'native' AS layout,"
            " TIMESTAMP '2025-01-01 12:00:00' + to_days(r::INTEGER) AS created_at FROM (SELECT s, r,"
            f" printf('example/series-%d/1.%d', s, r) AS version_id FROM range({series}) a(s), range({releases}) b(r))"
            " ORDER BY s, r"
        )
        connection.execute(
            f"INSERT INTO extracted_files BY NAME SELECT *, {lookup_keys.BOTH} FROM ("
            "SELECT version_id, printf('part-%02d/%smodule_%07d.ttl', i % 50,"
            " if((i + r) % 37 = 0, printf('moved-%d/', r), ''), if((i + r) % 53 = 0, 1_000_000 + i, i)) AS relpath,"
            " sha256(printf('%s %d %d', ontology, i, edition)) AS file_id,"
            f" '{SAMPLE_SHA256}' AS artifact_id, {_FORMAT} AS format, 1_000 + i % 977 + edition AS size_bytes,"
            " TIMESTAMP '2025-09-15 12:00:00' AS mtime"
            " FROM (SELECT *, if((i * 7 + r) % 29 = 0, r, 0) AS edition FROM (SELECT version_id, ontology,"
            f" version[3:]::BIGINT AS r, i FROM versions, range({count}) t(i) WHERE ontology LIKE 'series-%')))"
            " ORDER BY version_id, relpath"
        )
        connection.execute(
            "INSERT INTO latest_pointer BY NAME SELECT service || '/' || ontology AS slot,"
            " max_by(version_id, created_at) AS version_id, max(created_at) AS updated_at FROM versions"
            " WHERE ontology LIKE 'series-%' GROUP BY slot"
        )


def record_tree(root: Path, files: pa.Table, write: Callable[[Path], None]) -> None:
    """Stage real files and record them as VERSION's; `write` gets the folder they belong into, its folders made."""
    stage = Stage.create(root)
    staged = stage.folder("data")
    for folder in sorted({os.path.dirname(path) for path in files["relpath"].to_pylist()}):
        (staged / folder).mkdir(parents=True)
    write(staged)
    stage.close()
    manager = make_manager(CatalogPlugin(), root=root)
    manager.hook.on_extract_done(event=extract_event(root, files, staged))


def record_copies(root: Path, count: int, size: int, *, distinct: int = 0) -> None:
    """Record `count` files of `size` bytes that share some contents; equal ones are one file with many names.

    Args:
        root: The store.
        count: How many files.
        size: Bytes of each.
        distinct: How many contents; 0: as few as a file can have names for.
    """
    block = random.Random(1).randbytes(size)

    def content(number: int) -> bytes:
        return number.to_bytes(8, "big") + block[8:]

    hashes = [hashlib.sha256(content(number)).hexdigest() for number in range(distinct or max(count // 20_000, 64))]
    files = files_table(count)
    chosen = pa.array([hashes[number % len(hashes)] for number in range(count)], pa.string())
    files = files.set_column(1, "file_id", chosen).set_column(3, "size_bytes", pa.array([size] * count, pa.int64()))

    def write(folder: Path) -> None:
        paths = files["relpath"].to_pylist()
        for number, path in enumerate(paths):
            if number < len(hashes):
                (folder / path).write_bytes(content(number))
            else:
                os.link(folder / paths[number % len(hashes)], folder / path)

    record_tree(root, files, write)


def copy_store(template: Path, root: Path) -> Path:
    """Make `root` anew as a copy of `template`, durable, so that nothing of it is left to write; return it."""
    shutil.rmtree(root, ignore_errors=True)
    shutil.copytree(template, root)
    for path in root.rglob("*"):
        descriptor = os.open(path, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)
    return root


def extract_event(root: Path, files: pa.Table, staged: Path | None) -> ExtractDone:
    """Return the event of VERSION's files."""
    return sample_extract_done(root, files, staged=staged)


def _query(sql: str) -> pa.Table:
    with duckdb.connect() as connection:
        return connection.sql(sql).to_arrow_table()
