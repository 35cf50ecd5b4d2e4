"""The stores along the axes of growth: many releases on disk, many rows in the catalog, many files on disk.

Which commands run over them is not known here. Each is made by a process of its own: `python -m benchmarks.scale_stores
AXIS SIZE FOLDER ADDRESS`, which prints the words of commands as JSON.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

import duckdb

from ontofetch_hookspecs.layout import DATABASE

from . import data
from .children import SCRIPT, run

FILES, SERIES = 5, 10
SHAPE = 100  # releases along the axis of rows
ROUNDS = 5  # pulls that are made ready
TERMS = 200


def make(axis: str, size: int, room: Path, address: str) -> dict[str, str]:
    """Make a store below a new folder and return what the words of commands stand for."""
    words = {"releases": make_releases, "rows": make_rows, "files": make_files}[axis](room, size)
    if axis != "files":
        add_the_living(room, address)
    return {**words, "room": str(room)}


def make_releases(room: Path, count: int) -> dict[str, str]:
    """Make a store of `count` releases in series of equal length, all on disk."""
    root = room / "store"
    per_series = max(count // SERIES, 1)
    template = _template(room)
    for number in range(count):
        series, version = f"series-{number // per_series:03d}", f"1.{number % per_series}"
        content = _write_release(root, template, series, version, number)
    for series in {f"series-{number // per_series:03d}" for number in range(count)}:
        _point(root, series, f"1.{per_series - 1}")
    run([SCRIPT, "db", "rebuild", "--replace", "-q"], root)
    middle = f"1.{per_series // 2}"
    return {"series": "t/series-000", "release": f"t/series-000/{middle}", "content": content}


def make_rows(room: Path, count: int) -> dict[str, str]:
    """Make a catalog of `count` rows of files in a hundred releases of one series; nothing of them is on disk."""
    root = data.make_store(room / "store")
    data.fill_series(root, 1, SHAPE, count // SHAPE)
    run([SCRIPT, "db", "refresh", "-q"], root)
    # what one release alone has, as `fill_series` makes it: file 19 is modified in release 99
    content = hashlib.sha256(b"series-0 19 99").hexdigest()
    with duckdb.connect(str(root / DATABASE), read_only=True) as connection:
        held = connection.execute("SELECT count(*) FROM extracted_files WHERE file_id = ?", [content]).fetchall()
    if held != [(1,)]:
        raise RuntimeError(f"{held} files have the content that one should have")
    return {"series": "example/series-0", "release": "example/series-0/1.50", "content": content}


def make_files(room: Path, count: int) -> dict[str, str]:
    """Make a store of one release of `count` files on disk, of few contents with many names each."""
    data.record_copies(data.make_store(room / "store"), count, 100)
    return {}


def add_the_living(room: Path, address: str) -> None:
    """Pull releases whose terms are known, and one from a server; make ready what is pulled while it is measured."""
    root, served = room / "store", room / "served"
    for version in (1, 2):
        text = (
            "@prefix owl: <http://www.w3.org/2002/07/owl#> . @prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .\n"
        )
        for term in range(TERMS):
            label = f"term {term} {'anew' if version == 2 and term % 7 == 0 else ''}"
            text += f'<urn:t:c{term}> a owl:Class ; rdfs:label "{label}" .\n'
        (room / "terms.ttl").write_text(text)
        _pull(root, room / "terms.ttl", "meant", str(version))
    (room / "mine.txt").write_text("".join(f"urn:t:c{term}\n" for term in range(0, TERMS, 10)))
    served.mkdir()
    (served / "news.nt").write_bytes(b"<urn:s> <urn:p> <urn:news> .\n")
    (root / "ontofetch.toml").write_text(f'[t.news]\nurl = "{address}/news.nt"\nversion = "1.0"\n')
    run([SCRIPT, "update", "-q"], root)
    for number in range(ROUNDS):
        (room / f"new-{number}.nt").write_text(f"<urn:s> <urn:p> <urn:new:{number}> .\n")
        with zipfile.ZipFile(room / f"more-{number}.zip", "w") as archive:
            for file in range(1_000):
                # nine of ten are those of the release before
                archive.writestr(f"f{file}.nt", f"<urn:s> <urn:p> <urn:f:{file}:{number if file % 10 == 0 else 0}> .\n")
    run(["env", "ONTOFETCH_STORE_SHARE=hardlink", SCRIPT, "pull", room / "more-0.zip", *_named("more", "first")], root)


def _named(series: str, version: str) -> tuple[str, ...]:
    return "--service", "t", "--ontology", series, "--version", version, "-q"


def _pull(root: Path, source: Path, series: str, version: str) -> None:
    run([SCRIPT, "pull", source, *_named(series, version)], root)


def _template(room: Path) -> Path:
    """Pull one release of five files and return its folder, from which all others are written."""
    folder, root = room / "files", room / "template"
    folder.mkdir(parents=True)
    for number in range(FILES):
        (folder / f"f{number}.nt").write_text(f'<urn:s> <urn:p> "{number}" .\n')
    _pull(root, Path(shutil.make_archive(str(room / "release"), "zip", folder)), "series", "0")
    return root / "t/series/0"


def _write_release(root: Path, template: Path, series: str, version: str, number: int) -> str:
    """Write a release as the boundaries leave it; each has one file of its own, whose hash is returned."""
    target = root / "t" / series / version
    shutil.copytree(template, target)
    text = f'<urn:s> <urn:p> "{number} of its own" .\n'.encode()
    (target / "data/f0.nt").write_bytes(text)
    content = hashlib.sha256(text).hexdigest()
    old = hashlib.sha256((template / "data/f0.nt").read_bytes()).hexdigest()
    size = (template / "data/f0.nt").stat().st_size
    digests = {}
    for name in (".extract.audit.json", ".validation.audit.json"):
        said = (target / name).read_text().replace("t/series/0", f"t/{series}/{version}").replace(old, content)
        said = re.sub(rf'("relpath":"f0.nt".*"size_bytes":){size}\b', rf"\g<1>{len(text)}", said)
        (target / name).write_text(said)
        digests[name] = hashlib.sha256(said.encode()).hexdigest()
    manifest = json.loads((target / "manifest.json").read_text().replace("t/series/0", f"t/{series}/{version}"))
    manifest |= {"ontology": series, "version": version}
    manifest |= {"extract_audit": digests[".extract.audit.json"], "validation_audit": digests[".validation.audit.json"]}
    (target / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")
    return content


def _point(root: Path, series: str, version: str) -> None:
    told: Mapping[str, object] = {
        "format": 1,
        "slot": f"t/{series}",
        "version_id": f"t/{series}/{version}",
        "version": version,
        "path": f"t/{series}/{version}",
        "updated_at": "2025-01-01T00:00:00.000000Z",
        "updated_by": "benchmark",
    }
    (root / "t" / series / "LATEST.json").write_text(json.dumps(told, indent=2) + "\n")


if __name__ == "__main__":
    os.environ.pop("ONTOFETCH_ROOT", None)
    print(json.dumps(make(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]), sys.argv[4])))
