"""Flip bytes of a real write-ahead log, one at a time, and say what DuckDB and the catalog make of each.

usage: python -m tests.catalog.flip_log [--bits] [--seed 1]

Every byte of the log of a small store is flipped in one bit (with --bits in each of its eight), and the store is opened
for reading and for writing. Exit status 1 when a flip is neither refused nor without effect, or when none was refused
that DuckDB alone would have let pass.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import duckdb

from ontofetch_catalog.catalog import sessions
from ontofetch_catalog.catalog.connection import Store
from ontofetch_catalog.errors import OntofetchError
from tests.releases import Releases, on_disk

FAST: dict[str, object] = {"durability": "off"}
TABLES = ("versions", "artifacts", "extracted_files", "validations", "latest_pointer", "events", "schema_version")


def make_store(root: Path) -> Store:
    """Return a store of a few boundaries, all of them in its log and none in its database file."""
    releases = Releases(root, settings=FAST)
    releases.pull("1.0", {"a.ttl": "alpha", "d/b.ttl": "beta"})
    releases.download("2.0", b"bytes")
    return Store(root, FAST)


def log_of(store: Store) -> Path:
    """Return the path of the write-ahead log."""
    return on_disk(store.database).with_name(on_disk(store.database).name + ".wal")


def rows_of(connection: duckdb.DuckDBPyConnection) -> list[list[tuple[Any, ...]]]:
    """Return all rows of all tables."""
    return [connection.execute(f"SELECT * FROM {table} ORDER BY ALL").fetchall() for table in TABLES]


class Flips:
    """A store whose log is damaged and mended again and again."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.log = log_of(store)
        self.database = on_disk(store.database).read_bytes()
        self.sound = self.log.read_bytes()
        self.record = on_disk(store.generation).read_bytes()
        self.rows = self._alone()

    def _alone(self) -> list[list[tuple[Any, ...]]]:
        connection = duckdb.connect(str(on_disk(self.store.database)), read_only=True)
        try:
            return rows_of(connection)
        finally:
            connection.close()

    def duckdb_alone(self) -> str:
        """Return what DuckDB makes of the files by itself: `same`, `other rows` without a complaint, or `refused`."""
        try:
            return "same" if self._alone() == self.rows else "other rows"
        except (duckdb.Error, RuntimeError):
            return "refused"

    def catalog(self, how: Any) -> tuple[str, str]:
        """Return what the catalog makes of the files, opened with `how`, and the sentence if it refuses."""
        try:
            with how(self.store) as found:
                connection = found if how is sessions.reading else found.connection
                return ("same" if rows_of(connection) == self.rows else "other rows"), ""
        except OntofetchError as error:
            return "refused", str(error)

    def put(self, log: bytes | None) -> None:
        """Put the database and the record back, and `log` in the place of the log."""
        on_disk(self.store.database).write_bytes(self.database)
        on_disk(self.store.generation).write_bytes(self.record)
        if log is None:
            self.log.unlink(missing_ok=True)
        else:
            self.log.write_bytes(log)

    def flip(self, position: int, bit: int) -> list[tuple[str, str, str]]:
        """Flip one bit and return (DuckDB alone, the catalog, its sentence), reading and then writing."""
        damaged = bytearray(self.sound)
        damaged[position] ^= 1 << bit
        found = []
        for how in (sessions.reading, sessions.writing):
            self.put(bytes(damaged))
            alone = self.duckdb_alone()
            found.append((alone, *self.catalog(how)))
        return found


def flip_all(flips: Flips, places: Iterable[tuple[int, int]]) -> tuple[Counter[tuple[str, str]], list[str]]:
    """Flip all these bits; return how often DuckDB and the catalog came to what, and what is wrong."""
    counts: Counter[tuple[str, str]] = Counter()
    wrong = []
    for position, bit in places:
        for alone, ours, sentence in flips.flip(position, bit):
            counts[alone, ours] += 1
            if ours == "other rows":
                wrong.append(f"bit {bit} of byte {position} changes rows unnoticed")
            if ours == "refused" and not ("db rebuild" in sentence and "db restore" in sentence):
                wrong.append(f"bit {bit} of byte {position}: {sentence}")
    return counts, wrong


def main(argv: list[str] | None = None) -> int:
    """Flip every byte, print the figures as JSON, and return 1 if something is wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bits", action="store_true")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args(argv)
    base = Path(tempfile.mkdtemp(prefix="ontofetch-flip-"))
    try:
        flips = Flips(make_store(base / "store"))
        seeded = random.Random(args.seed)
        size = len(flips.sound)
        bits = range(8) if args.bits else range(1)
        places = [(byte, bit if args.bits else seeded.randrange(8)) for byte in range(size) for bit in bits]
        counts, wrong = flip_all(flips, places)
    finally:
        shutil.rmtree(base)
    figures = {
        "duckdb": duckdb.__version__,
        "log_bytes": size,
        "flips": len(places),
        "opened": counts.total(),
        "same_rows_and_digest": sum(found for (_, ours), found in counts.items() if ours == "same"),
        "refused": sum(found for (_, ours), found in counts.items() if ours == "refused"),
        "refused_where_duckdb_opens_without_complaint": counts["other rows", "refused"],
        "wrong": wrong,
    }
    print(json.dumps(figures, indent=1))
    return 1 if wrong or not figures["refused_where_duckdb_opens_without_complaint"] else 0


if __name__ == "__main__":
    sys.exit(main())
