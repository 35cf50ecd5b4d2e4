"""Own every limit: how many times its yardstick a measured thing may cost, and what both are.

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
    "extract.files": Limit(
        1.3, "extract boundary, real files", "open, close, bare insert; audit with fsync; one walk, one sync"
    ),
    "extract.rows": Limit(1.3, "extract boundary, rows alone", "open, close, bare insert; audit with fsync"),
    "extract.full_catalog": Limit(1.3, "extract boundary, many rows there", "the same in an empty catalog"),
    "extract.memory": Limit(4.0, "peak of the extract boundary with its table", "the table"),
    "start.help": Limit(1.5, "ontofetch --help", "Python, argparse, pluggy, list of entry points"),
    "start.report": Limit(3.0, "ontofetch report latest, small catalog", "Python, import duckdb and polars"),
}
SHORT_FACTOR = 2.0  # in the short form, on small data and few rounds, every limit is so many times as wide
