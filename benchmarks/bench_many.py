"""Many releases in one run, and many files in one release."""

from __future__ import annotations

import itertools
import os
import random
import subprocess
import sys
from pathlib import Path

import pyarrow as pa

from ontofetch_catalog.host.checks import builtin_validators
from ontofetch_catalog.host.validators import run_validators
from ontofetch_hookspecs.store_paths import StorePath

from .children import SCRIPT, run
from .harness import Race, Side, pick

RELEASES, SECONDS_EACH = pick(100, 20), 0.15
FILES, STATEMENTS = pick(500, 100), 4_000
# what whoever validates has to do: each core parses its share
PARSE = """
import sys, pyoxigraph
for path in sys.argv[1:]:
    with open(path, "rb") as stream:
        for _ in pyoxigraph.parse(stream, format=pyoxigraph.RdfFormat.TURTLE): pass
"""


def test_many_releases(race: Race, room: Path) -> None:
    """A list of small local files, each a release of one of ten series, into a new store."""
    stores, lines = itertools.count(), ["service,ontology,url,version"]
    for number in range(RELEASES):
        source = room / f"{number}.ttl"
        source.write_text(f"@prefix : <http://example.org/> .\n:a{number} :b :c .\n")
        lines.append(f"bench,o{number % 10},{source},v{number}")
    (room / "list.csv").write_text("\n".join(lines) + "\n")

    def pull(_: object) -> None:
        run([SCRIPT, "pull", "--from", room / "list.csv", "-q"], room / f"store-{next(stores)}")

    race.within("pull.many", Side(pull), RELEASES * SECONDS_EACH)


def test_many_files(race: Race, room: Path) -> None:
    """A release of Turtle files, validated by warm processes, beside the bare parser on all cores."""
    chance, names = random.Random(1), [f"f{number}.ttl" for number in range(FILES)]
    for name in names:
        lines = (f':s{chance.getrandbits(40):x} :p{n % 9} "{chance.getrandbits(64):x}" .\n' for n in range(STATEMENTS))
        (room / name).write_text("@prefix : <http://example.org/> .\n" + "".join(lines))
    count = os.cpu_count() or 1
    files = pa.table(
        {
            "relpath": names,
            "file_id": [f"{number:064x}" for number in range(FILES)],
            "format": ["turtle"] * FILES,
            "size_bytes": [(room / name).stat().st_size for name in names],
        }
    )

    def bare(_: object) -> None:
        shares = [[room / name for name in names[core::count]] for core in range(count)]
        started = [subprocess.Popen([sys.executable, "-c", PARSE, *share]) for share in shares]
        if any(process.wait() for process in started):
            raise RuntimeError("the bare parser failed")

    def validate(_: object) -> None:
        found = run_validators(
            files, StorePath(room, ""), builtin_validators(), lambda *_: None, version_id="bench/o/1", workers=count
        )
        if not all(found["passed"].to_pylist()):
            raise RuntimeError("a file failed")

    race("validate.many", Side(validate), Side(bare))
