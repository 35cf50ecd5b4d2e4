"""Every limit: how many times its yardstick a measured thing may cost, and what both are.

How they are measured and compared is not known here.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limit:
    """How many times `yardstick` the thing `measured` may cost; both in words, as the table names them."""

    most: float
    measured: str
    yardstick: str


LIMITS = {
    "extract.files": Limit(1.3, "extract boundary, real files", "open, close, bare insert; audit, fsync; walk, sync"),
    "extract.rows": Limit(1.3, "extract boundary, rows alone", "open, close, bare insert; audit, fsync"),
    "extract.full_catalog": Limit(1.3, "extract boundary, many rows there", "the same in an empty catalog"),
    "extract.memory": Limit(4.0, "peak of the extract boundary with its table", "the table"),
    "replace.pull": Limit(2.0, "pull --replace of an artifact, its folders shared", "its first pull"),
    "replace.shared": Limit(2.0, "its hooks alone, without fetching and unpacking", "the same for the first time"),
    "growth": Limit(1.3, "report growth, two large releases", "one SQL statement that yields the same rows"),
    "growth.memory": Limit(1.0, "peak of report growth", "1 GB"),
    "growth.releases": Limit(
        1.5, "growth --series, 1,000 releases of 10 files", "one SQL statement that yields the same"
    ),
    "growth.files": Limit(
        1.5, "growth --series, 20 releases of 50,000 files", "one SQL statement that yields the same"
    ),
    "growth.files.memory": Limit(1.0, "peak of the latter", "700 MB"),
    "meaning": Limit(1.2, "report meaning, two releases of 100,000 terms", "one SQL full join over the same tables"),
    "meaning.series": Limit(
        1.5, "report meaning --series, 100 releases of 10,000 terms", "one SQL statement that counts the same"
    ),
    "show.term": Limit(1.0, "a term's life over 100 releases of 10,000 terms", "0.3 s"),
    "rollup": Limit(1.3, "report hotspots by format, from audits", "scan_ndjson of two columns, group_by, sum"),
    "rollup.memory": Limit(1.0, "peak of the roll-up of audits", "1 GB"),
    "latest": Limit(2.0, "report latest, 20 times as many rows there", "the same in a catalog with that release only"),
    "latest.series": Limit(2.0, "report latest, 1,000 series", "the same with 10 series of as many files"),
    "bare.series": Limit(2.0, "what `ontofetch` alone asks, 1,000 series", "the same with 10 series of as many files"),
    "latest.memory": Limit(1.0, "peak of report latest among many rows", "1 GB"),
    "doctor": Limit(1.0, "doctor without hashing", "10 s per 100,000 files"),
    "doctor.memory": Limit(1.0, "what doctor adds to the peak", "300 MB"),
    "doctor_hash.memory": Limit(1.0, "what doctor --hash adds to the peak", "300 MB"),
    "orphans": Limit(2.0, "orphans found and planned", "find -printf of the same files"),
    "orphans.memory": Limit(1.0, "what looking for orphans adds to the peak", "300 MB"),
    "verify": Limit(1 / 0.9, "verify", "hashlib on the same files, a process per core"),
    "verify.memory": Limit(1.0, "what verify adds to the peak", "300 MB"),
    "rebuild.memory": Limit(1.0, "what db rebuild adds to the peak", "300 MB"),
    "import.one": Limit(1.5, "db import, 10,000 files of one release in place", "db rebuild of as many, hashed"),
    "import.ten": Limit(2.5, "the same, of ten releases: two boundaries each", "db rebuild of as many, hashed"),
    "facts.rdf": Limit(4.0, "facts of 900,000 statements of Turtle, with the table", "a loop over pyoxigraph's parser"),
    "facts.obo": Limit(1.2, "facts of 400,000 clauses of OBO, with the table", "its validation"),
    "facts.memory": Limit(1.0, "peak of the facts of 900,000 statements", "350 MB"),
    "hostile.memory": Limit(1.0, "the process that holds most, of all hostile inputs", "600 MB"),
    "pull.small": Limit(1.25, "pull of a zip of 50,000 small files", "unzip, sync, sha256sum of every file"),
    "pull.large": Limit(1.1, "pull of a zip of 40 files of 50 MB", "unzip, sync, sha256sum of every file"),
    "pull.many": Limit(1.0, "pull --from, small releases, into a new store", "0.15 s for each"),
    "validate.many": Limit(1.15, "validation of 500 Turtle files", "the bare parser on them, a process per core"),
    "start.bare": Limit(1.5, "ontofetch, small catalog", "Python, import duckdb, pyarrow, rich"),
    "start.pull": Limit(2.0, "ontofetch pull, one small file", "Python, import the same and a parser in a child"),
    "start.help": Limit(1.2, "ontofetch --help", "Python, argparse, pluggy, list of entry points"),
    "share.disk": Limit(1.3, "20 releases that share 90 % of their files", "each distinct content once"),
    "share.pull": Limit(1.4, "pull of such a release, stored once", "the same, each file for itself"),
    "shared.pull": Limit(2.0, "pull of 50,000 small files, shared", "the same into a store of its own"),
    "shared.open": Limit(1.0, "a copy of a shared catalog opened for reading", "0.3 s"),
    "shared.report": Limit(1.0, "report latest of a shared catalog, beyond --help", "1.5 s"),
    "shared.growth": Limit(2.5, "report growth of a shared catalog, 1,000,000 files each", "of a store of its own"),
    "shared.boundaries": Limit(
        2.5, "8 processes x 25 boundaries of 1,000 rows, beside 8 readers", "DuckDB and PostgreSQL alone, the same rows"
    ),
    "start.report": Limit(3.0, "ontofetch report latest, small catalog", "Python, import duckdb and polars"),
}
SHORT_FACTOR = 2.0  # in the short form, on small data and few rounds, every limit is so many times as wide
