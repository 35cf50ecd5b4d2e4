"""How the server of a shared catalog takes ever more files: bytes of a file, and what commands take beside so many.

usage: python -m benchmarks.scale_shared [--files 1000000,20000000] [--partitions 16]

The tables of paths and contents are filled as boundaries of 100,000 files would have filled them, each in the order of
its own contents, so that their indexes are as full as they become in use; then a machine whose copy knows nothing of
these files does what is to be measured. With partitions the two tables are made before the first `init`, by hash, as
an administrator may; everything else is the same.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import pytest

from ontofetch_catalog.catalog.shared.log_schema import SCHEMA
from tests.shared import postgres
from tests.shared.copies import without_password

from .children import SCRIPT, TOP, run
from .machine import describe_machine

BATCH, ROUNDS = 100_000, 5
_CONTENTS = """
INSERT INTO ontofetch.contents
SELECT sha256, 100 + n %% 5000, 'pack/' || left(md5((n / 20000)::text), 2) || '/' || md5((n / 20000)::text),
    n %% 20000 * 2600
FROM (
    SELECT n, encode(sha256(n::text::bytea), 'hex') AS sha256 FROM generate_series(%s::bigint, %s::bigint) AS n
) AS new
ORDER BY sha256
"""
_PATHS = """
INSERT INTO ontofetch.paths
SELECT format('obo/s%%s/%%s/data/d%%s/f%%s.owl', n / 2000000, n / 100000, n / 100 %% 1000, n),
    encode(sha256(n::text::bytea), 'hex'), 100 + n %% 5000, 1780000000000000000 + n, 420
FROM generate_series(%s::bigint, %s::bigint) AS n
ORDER BY 1
"""

_LOOK = "SELECT sha256, size, key, position FROM ontofetch.contents WHERE sha256 = ANY(%s)"


def main() -> None:
    """Fill, measure and print, a size after the other."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.scale_shared",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--files", default="1000000,20000000", help="how many files (default: 1000000,20000000)")
    parser.add_argument("--partitions", type=int, default=0, help="of each of the two tables (default: none)")
    args = parser.parse_args()
    sizes = sorted(int(size) for size in args.files.split(","))
    print("\n".join([*describe_machine(TOP), f"PostgreSQL {_version()}, {args.partitions or 'no'} partitions"]))
    titles = [f"{title:>9}" for title in ("a path", "a content", "pull", "rm", "sweep", "look up", "fill")]
    print(f"\n{'files':>12} {' '.join(titles)}")
    with _server() as address, TemporaryDirectory(prefix="ontofetch-scale-") as folder:
        if args.partitions:
            _make_partitions(address, args.partitions)
        machine, filled = Path(folder) / "machine", 0
        run([SCRIPT, "init", "--catalog", address, "--objects", (Path(folder) / "objects").as_uri(), "-q"], machine)
        for size in sizes:
            begun = time.perf_counter()
            _fill(address, filled, size)
            seconds = time.perf_counter() - begun
            filled = size
            print(f"{size:,} files are there", file=sys.stderr, flush=True)
            print(f"{size:>12,} {_measured(address, machine, size)} {f'{seconds:.0f} s':>9}", flush=True)


@contextmanager
def _server() -> Iterator[str]:
    """Run a server that keeps what it acknowledges, as it is installed; give the address of an empty database."""
    with TemporaryDirectory(prefix="ontofetch-agreed-") as config, pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CONFIG_HOME", config)
        patch.setenv("PGPASSWORD", postgres.PASSWORD)
        server = postgres.Postgres({"max_wal_size": "8GB"})
        try:
            with server.database() as name:
                yield without_password(server.dsn(name), patch)
        finally:
            server.remove()


def _version() -> str:
    found = postgres.binaries()
    return found.parent.name if found else "is not installed"


def _make_partitions(address: str, count: int) -> None:
    """Make the tables in parts, by hash of their keys; `init` finds them there."""
    with psycopg.connect(address) as connection:
        connection.execute(SCHEMA)
        for table, key in (("contents", "sha256"), ("paths", "path")):
            connection.execute(f"ALTER TABLE ontofetch.{table} RENAME TO whole_{table}".encode())
            connection.execute(
                f"CREATE TABLE ontofetch.{table} (LIKE ontofetch.whole_{table} INCLUDING CONSTRAINTS,"
                f" PRIMARY KEY ({key})) PARTITION BY HASH ({key})".encode()
            )
            connection.execute(f"DROP TABLE ontofetch.whole_{table}".encode())
            for part in range(count):
                connection.execute(
                    f"CREATE TABLE ontofetch.{table}_{part} PARTITION OF ontofetch.{table}"
                    f" FOR VALUES WITH (MODULUS {count}, REMAINDER {part})".encode()
                )


def _fill(address: str, first: int, until: int) -> None:
    with psycopg.connect(address, autocommit=True) as connection:
        for start in range(first, until, BATCH):
            end = min(start + BATCH, until) - 1
            with connection.transaction():
                connection.execute(_CONTENTS, [start, end])
                connection.execute(_PATHS, [start, end])
        connection.execute("VACUUM ANALYZE ontofetch.paths, ontofetch.contents")


def _measured(address: str, machine: Path, size: int) -> str:
    """Return bytes and seconds, as a line of the table."""
    sources = []
    for number in range(ROUNDS):
        sources.append(machine.with_name(f"{size}-{number}.txt"))
        sources[-1].write_text(f"{number} of {size}\n")
    words = ["--service", "b", "--ontology", "o"]
    pulls = [
        _timed([SCRIPT, "pull", source, *words, "--version", source.stem, "--no-validate", "-q"], machine)
        for source in sources
    ]
    gone = [_timed([SCRIPT, "rm", f"b/o/{source.stem}", "--yes", "-q"], machine) for source in sources]
    sweep = _timed([SCRIPT, "db", "sweep", "--dry-run", "-q"], machine)
    with psycopg.connect(address, autocommit=True) as connection:
        ask = "SELECT array_agg(encode(sha256(n::text::bytea), 'hex')) FROM generate_series(0, %s, %s) AS n"
        ((some,),) = connection.execute(ask, [size - 1, max(size // 1_000, 1)]).fetchall()
        looks = []
        for _ in range(ROUNDS):
            begun = time.perf_counter()
            connection.execute(_LOOK, [some]).fetchall()
            looks.append(time.perf_counter() - begun)
        each = [_bytes(connection, table) / size for table in ("paths", "contents")]
    median = statistics.median
    figures = [
        f"{each[0]:.0f} B",
        f"{each[1]:.0f} B",
        f"{median(pulls):.2f} s",
        f"{median(gone):.2f} s",
        f"{sweep:.1f} s",
    ]
    return " ".join(f"{figure:>9}" for figure in [*figures, f"{median(looks) * 1000:.1f} ms"])


def _bytes(connection: psycopg.Connection, table: str) -> int:
    """Return how many bytes a table has with its index, and its parts."""
    ask = (
        "SELECT sum(pg_total_relation_size(oid)) FROM pg_class WHERE oid = %(table)s::regclass"
        " OR oid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = %(table)s::regclass)"
    )
    ((found,),) = connection.execute(ask, {"table": f"ontofetch.{table}"}).fetchall()
    return int(found)


def _timed(words: list[str | Path], root: Path) -> float:
    begun = time.perf_counter()
    run(words, root)
    return time.perf_counter() - begun


if __name__ == "__main__":
    main()
