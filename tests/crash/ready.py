"""What a worker makes ready before it forks: everything imported, small databases, one DuckDB instance for all.

It has no connection to any database. What the children do is not known here.
"""

from __future__ import annotations

import functools
import gc
import importlib
import logging
import os
import pkgutil
import re
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ontofetch_catalog
from ontofetch_catalog.catalog import fsops
from tests.instance import attach, instance

if TYPE_CHECKING:
    import duckdb

BLOCK = 16_384  # bytes
_LIBRARIES = (
    "duckdb",
    "encodings.ascii",
    "encodings.cp437",
    "polars",
    "pyarrow.acero",
    "pyarrow.compute",
    "pyarrow.csv",
    "pyarrow.dataset",
    "pyarrow.parquet",
    "rich.console",
    "structlog",
    "tomllib",
)
# reports are read, not written, and the library of their charts is a third of what a fork would have to look after
_UNUSED = re.compile(r"\.analytics\.|\.__main__$")


def make_ready() -> None:
    """Make this process ready to fork children that start at once."""
    _import_everything()
    _use_small_blocks()
    _do_what_is_done_once()


def _do_what_is_done_once() -> None:
    """Let the libraries do here what each child would do again: Arrow notes its casts, DuckDB its grammar."""
    import pyarrow as pa
    import pyarrow.compute as pc

    cursor = instance().cursor()
    cursor.execute("CREATE TEMP TABLE once AS SELECT 1 AS number, 'name' AS text")
    table = cursor.sql("SELECT text, count(*) AS number FROM temp.once GROUP BY text ORDER BY text").to_arrow_table()
    assert pc.cast(table["number"], pa.string()).to_pylist() == ["1"]
    cursor.execute("DROP TABLE temp.once")
    cursor.close()


def _use_small_blocks() -> None:
    """Let databases be made of the smallest blocks: small as they are here, most of theirs would be copied zeros."""
    original = fsops.open_database

    def open_database(path: Path, config: Mapping[str, Any], *, read_only: bool) -> duckdb.DuckDBPyConnection:
        return original(path, {**config, "default_block_size": BLOCK}, read_only=read_only)

    setattr(fsops, "open_database", open_database)  # noqa: B010 - in this worker and its children


def attach_small(path: Path, config: Mapping[str, Any], *, read_only: bool) -> duckdb.DuckDBPyConnection:
    """Open a database as `fsops.open_database` does, attached to the instance that is inherited."""
    return attach(path, {**config, "default_block_size": BLOCK}, read_only=read_only)


def checkpoint(store: Path) -> dict[str, bool]:
    """Write what is in the log of a store's catalog into its file, if there is a log."""
    path = store / ".catalog/ontofetch.duckdb"
    if not path.with_name(f"{path.name}.wal").exists():
        return {"done": False}
    import duckdb

    with duckdb.connect(path, config={"threads": 1}) as connection:
        connection.execute("CHECKPOINT")
    return {"done": True}


def _import_everything() -> None:
    """Import what operations import, so that no child has to, and quieten what is not looked at."""
    os.environ.update({"ONTOFETCH_DUCKDB_THREADS": "1", "ONTOFETCH_WAIT": "5", "ONTOFETCH_CONFIG": os.devnull})
    os.environ["POLARS_MAX_THREADS"] = "1"
    ours = pkgutil.walk_packages(ontofetch_catalog.__path__, f"{ontofetch_catalog.__name__}.")
    for name in (*_LIBRARIES, *(module.name for module in ours if not _UNUSED.search(module.name))):
        importlib.import_module(name)
    from ontofetch_catalog.catalog.doctor.database import wanted_parts
    from ontofetch_catalog.catalog.migrations import available_migrations
    from ontofetch_catalog.host import manager

    available_migrations()
    wanted_parts()
    # nothing is installed while the loop runs: to look for plugins in each child would only cost time, and so would to
    # look for what Arrow would use if it were there, each time that it converts
    installed = functools.lru_cache(manager.entry_points)
    installed()
    setattr(manager, "entry_points", installed)  # noqa: B010 - as the module has it for itself alone
    if find_spec("dateutil") is None:
        sys.modules["dateutil"] = None  # type: ignore[assignment] # then an import fails at once
    # what is here stays here: children need not copy the pages in which the collector keeps its notes
    gc.collect()
    gc.freeze()
    gc.disable()
    os.environ.pop("ONTOFETCH_DURABILITY", None)
    logging.getLogger("ontofetch").addHandler(logging.NullHandler())
