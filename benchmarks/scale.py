"""How the cost of each command grows with the age of a store: time and peak memory by size, and a fitted exponent.

usage: python -m benchmarks.scale [--releases 100,1000,10000] [--rows 100000,1000000,20000000] [--plot FILE]

Two axes. Along *releases*, every release lies on disk (five small files, one artifact, its documents), so that all
commands can be run; along *rows*, a hundred releases hold ever more rows, and only what reads the catalog alone is run.
Commands run as processes of their own; a time is the median of three, memory the peak of the process and its children.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import os
import re
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from . import data
from .children import SCRIPT, TOP
from .machine import describe_machine

FILES, SERIES, ROUNDS = 5, 10, 3
SHAPE = 100  # releases along the axis of rows
SOURCE = b"<urn:s> <urn:p> <urn:new> .\n"
READING: Mapping[str, tuple[str, ...]] = {
    "help": ("--help",),
    "home": (),
    "show series": ("show", "{series}"),
    "show release": ("show", "{release}"),
    "log": ("log", "--top", "20"),
    "find": ("db", "find", "{path}"),
    "latest": ("db", "latest", "get", "{series}"),
    "report latest": ("report", "latest", "--top", "20"),
    "report growth": ("report", "growth", "--b", "{release}"),
    "report growth --series": ("report", "growth", "--series", "{series}"),
    "report validation": ("report", "validation", "--version", "{release}"),
    "report hotspots": ("report", "hotspots"),
}
CARE: Mapping[str, tuple[str, ...]] = {
    "doctor": ("db", "doctor"),
    "verify --sample": ("db", "verify", "--sample", "5%"),
    "prune plan": ("db", "prune", "--keep-last", "50", "--dry-run"),
    "backup": ("db", "backup", "--to", "{room}/backup-{number}"),
    "rebuild": ("db", "rebuild", "--replace"),
    "pull": ("pull", "{room}/new.nt", "--service", "new", "--ontology", "o", "--version", "{number}"),
}
# what must not grow with what it does not touch; everything else may grow as its size does
FLAT = {"help", "show release", "find", "latest", "pull", "log", "report growth", "report validation"}


@dataclass(frozen=True, slots=True)
class Cost:
    """What one command cost at one size: seconds, and bytes at the peak."""

    axis: str
    command: str
    size: int
    seconds: float
    peak: int


def main() -> int:
    """Measure, print, and say by the exit code whether something is steeper than it may be."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__)
    parser.add_argument("--releases", default="100,1000,10000", help="sizes along the axis of releases")
    parser.add_argument("--rows", default="100000,1000000,20000000", help="sizes along the axis of rows")
    parser.add_argument("--plot", type=Path, help="where to draw them")
    args = parser.parse_args()
    room = TOP / ".build/scale"
    costs: list[Cost] = []
    for axis, sizes, make, commands in (
        ("releases", args.releases, make_releases, {**READING, **CARE}),
        ("rows", args.rows, make_rows, READING),
    ):
        for size in filter(None, sizes.split(",")):
            shutil.rmtree(room, ignore_errors=True)
            words = make(room, int(size))
            costs += measure(axis, int(size), room, words, commands)
    shutil.rmtree(room, ignore_errors=True)
    print("\n".join(describe_machine(TOP)))
    steep = [line for axis in ("releases", "rows") for line in tell(axis, costs)]
    if args.plot:
        draw(costs, args.plot)
    return 1 if steep else 0


def make_releases(room: Path, count: int) -> dict[str, str]:
    """Make a store of `count` releases in series of equal length, all on disk; return the words of commands."""
    root = room / "store"
    per_series = max(count // SERIES, 1)
    template = _template(room)
    for number in range(count):
        series, version = f"series-{number // per_series:03d}", f"1.{number % per_series}"
        _write_release(root, template, series, version, number)
    _run(root, "db", "rebuild", "--replace")
    for series in {f"series-{number // per_series:03d}" for number in range(count)}:
        _point(root, series, f"1.{per_series - 1}")
    _run(root, "db", "rebuild", "--replace")
    (room / "new.nt").write_bytes(SOURCE)
    return {"series": "t/series-000", "release": "t/series-000/1.5", "path": "f4.nt", "room": str(room)}


def make_rows(room: Path, count: int) -> dict[str, str]:
    """Make a catalog of `count` rows of files in 100 releases of one series; nothing of them is on disk."""
    root = data.make_store(room / "store")
    data.fill_series(root, 1, SHAPE, count // SHAPE)
    _run(root, "db", "refresh")
    path = "part-01/module_0000001.ttl"
    return {"series": "example/series-0", "release": "example/series-0/1.50", "path": path, "room": str(room)}


def _template(room: Path) -> Path:
    """Pull one release of five files and return its folder, from which all others are written."""
    folder, root = room / "files", room / "template"
    folder.mkdir(parents=True)
    for number in range(FILES):
        (folder / f"f{number}.nt").write_text(f'<urn:s> <urn:p> "{number}" .\n')
    archive = shutil.make_archive(str(room / "release"), "zip", folder)
    _run(root, "pull", archive, "--service", "t", "--ontology", "series", "--version", "0", "-q")
    return root / "t/series/0"


def _write_release(root: Path, template: Path, series: str, version: str, number: int) -> None:
    """Write a release as the boundaries leave it; each has one file of its own."""
    target = root / "t" / series / version
    shutil.copytree(template, target)
    text = f'<urn:s> <urn:p> "{number} of its own" .\n'.encode()
    (target / "data/f0.nt").write_bytes(text)
    old = hashlib.sha256((template / "data/f0.nt").read_bytes()).hexdigest()
    size = (template / "data/f0.nt").stat().st_size
    digests = {}
    for name in (".extract.audit.json", ".validation.audit.json"):
        said = (target / name).read_text().replace("t/series/0", f"t/{series}/{version}")
        said = said.replace(old, hashlib.sha256(text).hexdigest())
        said = re.sub(rf'("relpath":"f0.nt".*"size_bytes":){size}\b', rf"\g<1>{len(text)}", said)
        (target / name).write_text(said)
        digests[name] = hashlib.sha256(said.encode()).hexdigest()
    manifest = json.loads((target / "manifest.json").read_text().replace("t/series/0", f"t/{series}/{version}"))
    manifest |= {"ontology": series, "version": version}
    manifest |= {"extract_audit": digests[".extract.audit.json"], "validation_audit": digests[".validation.audit.json"]}
    (target / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")


def _point(root: Path, series: str, version: str) -> None:
    told = {
        "format": 1,
        "slot": f"t/{series}",
        "version_id": f"t/{series}/{version}",
        "version": version,
        "path": f"t/{series}/{version}",
        "updated_at": "2025-01-01T00:00:00.000000Z",
        "updated_by": "benchmark",
    }
    (root / "t" / series / "LATEST.json").write_text(json.dumps(told, indent=2) + "\n")


def measure(
    axis: str, size: int, room: Path, words: Mapping[str, str], commands: Mapping[str, tuple[str, ...]]
) -> Iterator[Cost]:
    """Run every command some times and yield what it cost."""
    for command, template in commands.items():
        seconds, peaks = [], []
        for number in range(ROUNDS):
            began = time.perf_counter()
            peaks.append(_run(room / "store", *(word.format(**words, number=number) for word in template)))
            seconds.append(time.perf_counter() - began)
            if sum(seconds) > 60:
                break
        found = Cost(axis, command, size, statistics.median(seconds), max(peaks))
        print(f"{axis} {size:>11,} {command:<24} {found.seconds:8.2f} s {found.peak >> 20:6,} MiB", file=sys.stderr)
        yield found


def _run(root: Path, *words: str) -> int:
    """Run the program over a store and return the peak of its resident memory in bytes, or of a child's."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ONTOFETCH_")}
    environment["ONTOFETCH_ROOT"] = str(root)
    process = subprocess.Popen(
        [SCRIPT, *words], env=environment, cwd=root.parent, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    assert process.stderr is not None
    said = process.stderr.read()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 3):
        raise RuntimeError(f"{words} ended with {process.returncode}: {said.decode(errors='replace')[-2000:]}")
    return used.ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def tell(axis: str, costs: list[Cost]) -> Iterator[str]:
    """Print a line per command with its exponent; yield those that are steeper than they may be."""
    mine = [cost for cost in costs if cost.axis == axis]
    sizes = sorted({cost.size for cost in mine})
    if not sizes:
        return
    print(f"\n{axis:<24}" + "".join(f"{size:>20,}" for size in sizes) + f"{'exponent':>10}{'at most':>9}")
    for command in dict.fromkeys(cost.command for cost in mine):
        row = {cost.size: cost for cost in mine if cost.command == command}
        cells = "".join(f"{row[size].seconds:9.2f} s{row[size].peak >> 20:5,} MiB" for size in sizes)
        slope, most = exponent({size: row[size].seconds for size in sizes}), 0.1 if command in FLAT else 1.0
        print(f"{command:<24}{cells}{slope:>10.2f}{most:>9.1f}")
        if slope > most:
            yield command


def exponent(seconds: Mapping[int, float]) -> float:
    """Return the slope of the best line through log(seconds) over log(size); 0 for a single size."""
    if len(seconds) < 2:
        return 0.0
    return statistics.linear_regression(
        [math.log(size) for size in seconds], [math.log(value) for value in seconds.values()]
    ).slope


def draw(costs: list[Cost], path: Path) -> None:
    """Draw time by size, a line per command, both axes logarithmic."""
    import altair as alt
    import polars as pl

    frame = pl.DataFrame([asdict(cost) for cost in costs])
    logarithmic = alt.Scale(type="log")
    chart = alt.Chart(frame).mark_line(point=True)
    chart = chart.encode(
        alt.X("size:Q", scale=logarithmic),
        alt.Y("seconds:Q", scale=logarithmic),
        alt.Color("command:N"),
        alt.Column("axis:N"),
    )
    chart.resolve_scale(x="independent").save(str(path))


if __name__ == "__main__":
    sys.exit(main())
