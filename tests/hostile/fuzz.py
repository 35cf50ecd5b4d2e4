"""The kinds of the fuzzing: what a drawn case is put into, and the batches that are the same for the same seed.

What is drawn stands in `shapes`, what must hold in `oracles`.
"""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import duckdb
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import HypothesisWarning

from . import shapes
from .given_archives import PULL
from .given_stores import DOCUMENTS, ROW_COMMANDS, WRITES, forge_plan, replace
from .oracles import Attack, Prepare, Verdict, Words
from .places import Place, plain_bytes
from .servers import serve

SECONDS = 20.0


def _archives(draw: st.DrawFn) -> Attack:
    name, data = draw(shapes.archives())
    words = draw(st.sampled_from([(), ("--strip", "0"), ("--strip", "1"), ("--include", "*.ttl"), ("--no-validate",)]))
    return Attack(name, "archives", _pulled(name, data, *words), seconds=SECONDS)


def _texts(draw: st.DrawFn) -> Attack:
    name, data = draw(shapes.TEXTS)
    return Attack(name, "texts", _pulled(name, data), seconds=SECONDS)


def _pulled(name: str, data: bytes, *words: str) -> Prepare:
    return lambda place, _: [("pull", place.give(name, data), *PULL, *words)]


def _documents(draw: st.DrawFn) -> Attack:
    """Change a document of the store, or one that a killed command would have left."""
    path = draw(st.sampled_from([path for path in DOCUMENTS if path.endswith(".json")]))
    pattern = shapes.documents(sample(path))
    data = draw(pattern)
    commands = draw(st.permutations(DOCUMENTS[path]))[:3]

    def prepare(place: Place, stack: ExitStack) -> list[Words]:
        del stack
        place.give("next.nt", b"<a:s> <a:p> <a:o> .\n")
        (place.root / "lnk").symlink_to(place.outside)
        replace(place.root / path).write_bytes(data.replace(b"{work}", str(place.work).encode()))
        return list(commands)

    return Attack(path, "documents", prepare, planted=True, seconds=SECONDS)


def sample(path: str) -> bytes:
    """Return what such a document says, as the format is documented."""
    identity = {"service": "s", "ontology": "o", "version": "1", "version_id": "s/o/1"}
    move = {"source": "s/o/9", "target": "s/o/1/manifest.json", "inode": 1, "size": 1}
    boundary = "0123456789abcdef0123456789abcdef"
    artifact = {"artifact_id": "0" * 64, "relpath": "sample.ttl", "source_url": None, "etag": None, "size_bytes": 1}
    time = "2026-01-02T03:04:05.000006Z"
    line: dict[str, Any] = {"version_id": "s/o/1", "relpath": "sample.ttl", "file_id": "0" * 64}
    documents: dict[str, Any] = {
        "generation.json": {"format": 1, "counter": 5, "events": 6, "digest": "0" * 64},
        "restore.json": {"format": 1, "moves": [move]},
        f"{boundary}.json": {
            "format": 1,
            "boundary_id": boundary,
            "folders": ["s/o"],
            "stages": ["x"],
            "moves": [move],
        },
        "stage.json": {
            "url": "file://{work}/next.nt",
            "etag": None,
            "last_modified": None,
            "content_type": None,
            "pid": 1,
            "name": "src/next.nt",
            "sha256": "0" * 64,
            "size": 1,
            "complete": True,
            "start_token": "",
            "host": "",
        },
        "LATEST.json": {"format": 1, "slot": "s/o", "version_id": "s/o/1", "version": "1", "path": "s/o/1"}
        | {"updated_at": time, "updated_by": "me"},
        "manifest.json": {"format": 1, **identity, "released": None, "fs_relpath": "s/o/1", "layout": "native"}
        | {"created_at": time, "plan_hash": None, "run_id": None, "extract_audit": "0" * 64, "validation_audit": None}
        | {"pinned_at": None, "artifacts": [artifact | {"status": "fresh", "recorded_at": time, "extraction": {}}]},
        ".extract.audit.json": line
        | {"artifact_id": "0" * 64, "format": "turtle", "size_bytes": 1, "mtime": "2026-01-02T03:04:05Z", "strip": 0},
        ".validation.audit.json": line
        | {"validator": "rdf-syntax", "validator_version": "1", "passed": True, "details": {}, "run_at": time}
        | {"reused_from": None},
    }
    return json.dumps(documents[path.rpartition("/")[2]]).encode()


def _plans(draw: st.DrawFn) -> Attack:
    """Change the plan of a store and its digest with it, as somebody who knows the format."""
    header, entry = draw(st.integers(0, 2**32)), draw(st.booleans())
    values = draw(st.lists(shapes.VALUES, min_size=1, max_size=3))

    def forge(document: dict[str, Any], entries: list[dict[str, Any]]) -> None:
        targets: list[dict[str, Any]] = [document, *document["batches"]]
        if entry:
            targets = list(entries)
        for number, value in enumerate(values):
            target = targets[(header + number) % len(targets)]
            target[sorted(target)[(header // 7 + number) % len(target)]] = value

    def prepare(place: Place, stack: ExitStack) -> list[Words]:
        del stack
        name = forge_plan(place.root, forge)
        return [
            ("db", "prune", "--plans"),
            *(("db", "prune", step, name) for step in ("--apply", "--restore", "--purge")),
        ]

    return Attack("plan", "plans", prepare, planted=True, seconds=SECONDS)


def _backups(draw: st.DrawFn) -> Attack:
    """Change a member of a backup, or the backup's own bytes; the list of hashes and the manifest follow, or do not."""
    chosen, follows = draw(st.integers(0, 1000)), draw(st.booleans())
    cut = draw(shapes.mangled(st.just(bytes(64))))
    value, packed = draw(shapes.VALUES), draw(st.booleans())

    def prepare(place: Place, stack: ExitStack) -> list[Words]:
        del stack
        return [("db", "restore", _forge_backup(place, chosen, value, follows=follows, cut=cut, packed=packed))]

    return Attack("backup", "backups", prepare, planted=True, seconds=SECONDS)


def _forge_backup(place: Place, chosen: int, value: object, *, follows: bool, cut: bytes, packed: bool) -> str:
    import io
    import tarfile

    import zstandard

    backup = place.top / "backup"
    if packed:
        data = bytearray(backup.with_suffix(".tar.zst").read_bytes())
        at = chosen * 7919 % len(data)
        data[at : at + len(cut)] = cut
        return place.give("b.tar.zst", bytes(data))
    with tarfile.open(fileobj=io.BytesIO(plain_bytes(backup.with_suffix(".tar.zst")))) as source:
        members = [(member, source.extractfile(member)) for member in source.getmembers()]
        files = [(member.name, stream.read()) for member, stream in members if stream is not None]
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", encoding="utf-8", errors="surrogatepass") as target:
        for number, (name, told) in enumerate(files):
            body = told
            if number == chosen % len(files) and name.endswith(".json"):
                document = json.loads(body)
                document[sorted(document)[chosen // 7 % len(document)]] = value
                body = json.dumps(document).encode()
            elif number == chosen % len(files) and isinstance(value, str) and value and not follows:
                name = value  # noqa: PLW2901 - a member of another name
            elif number == chosen % len(files):
                body = cut
            member = tarfile.TarInfo(name)
            member.size = len(body)
            target.addfile(member, io.BytesIO(body))
    return place.give("b.tar.zst", zstandard.compress(stream.getvalue()))


_TABLES = ("versions", "artifacts", "extracted_files", "validations", "latest_pointer", "events")


def _rows(draw: st.DrawFn) -> Attack:
    table, column = draw(st.sampled_from(_TABLES)), draw(st.integers(0, 50))
    value = draw(shapes.VALUES)
    commands = draw(st.permutations([*ROW_COMMANDS, *WRITES]))[:4]

    def prepare(place: Place, stack: ExitStack) -> list[Words]:
        del stack
        place.give("next.nt", b"<a:s> <a:p> <a:o> .\n")
        (place.root / "lnk").symlink_to(place.outside)
        with duckdb.connect(str(place.root / ".catalog/ontofetch.duckdb")) as connection:
            names = [row[0] for row in connection.execute(f"SELECT column_name FROM (DESCRIBE {table})").fetchall()]
            # where the column's type does not take it, the store stays as it is
            with suppress(duckdb.Error, UnicodeError, OverflowError, TypeError, ValueError):
                connection.execute(f"UPDATE {table} SET {names[column % len(names)]} = ?", [value])
        prune = ("db", "prune", "--version", "s/o/1", "--min-age", "0s", "--yes", "0s", "--override", "large-plan")
        return [*commands, prune]

    return Attack(table, "rows", prepare, planted=True, seconds=SECONDS)


def _answers(draw: st.DrawFn) -> Attack:
    said = draw(st.lists(shapes.ANSWERS, min_size=1, max_size=3))

    def prepare(place: Place, stack: ExitStack) -> list[Words]:
        del place
        server = serve(stack, lambda _: said)
        return [("pull", server.url, *PULL)]

    return Attack("answer", "answers", prepare, seconds=SECONDS)


def _words(draw: st.DrawFn) -> Attack:
    words = tuple(word for word in draw(shapes.WORDS) if "\0" not in word)

    def prepare(place: Place, stack: ExitStack) -> list[Words]:
        del stack
        place.give("given.nt", shapes.TURTLE)
        return [words]

    return Attack("words", "words", prepare, seconds=SECONDS)


KINDS: dict[str, Callable[[st.DrawFn], Attack]] = {
    "archives": _archives,
    "texts": _texts,
    "documents": _documents,
    "plans": _plans,
    "backups": _backups,
    "rows": _rows,
    "answers": _answers,
    "words": _words,
}


def batch(kind: str, number: int, examples: int) -> Iterator[Attack]:
    """Yield the attacks of one batch: the same for the same kind and number."""
    drawn: list[Attack] = []
    strategy = st.composite(KINDS[kind])()

    @seed(int.from_bytes(hashlib.sha256(f"{kind} {number}".encode()).digest()[:8], "big"))
    @settings(
        max_examples=examples,
        database=None,
        phases=[Phase.generate],
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def collect(attack: Attack) -> None:
        drawn.append(attack)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", HypothesisWarning)
        collect()
    yield from drawn


def keep(folder: Path, verdict: Verdict) -> None:
    """Keep what a failed attack put into its place, and what was said, for a look by hand."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = [f"{fault.oracle}: {fault.text}" for fault in verdict.faults]
    lines += ["", *(f"$ ontofetch {' '.join(ended.words)}\n{ended.code} {ended.err}" for ended in verdict.ended)]
    (folder / "told.txt").write_text("\n".join(lines), encoding="utf-8", errors="backslashreplace")
