"""Let many processes write and read one store, and say whether anything was lost, torn, late or overtaken.

usage: python -m tests.catalog.many_processes [--seconds 60] [--writers 8] [--readers 8] [--kills 20] [--root FOLDER]

The processes are forked from one that has imported everything; each writes a journal of its own, and the verdict comes
from the journals and from a recount of the store. Exit status 1 when something is broken. With --boundaries N every
writer does N and nothing is judged by the clock.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import statistics
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ontofetch_catalog.catalog import locks, sessions
from ontofetch_catalog.catalog.connection import Store
from tests.releases import Releases, assert_consistent, query

WAIT = 120.0  # seconds: whoever gives up has starved
TEXTS = {"a.ttl": "alpha", "d/b.ttl": "beta", "d/c.ttl": "gamma"}
FACTOR = 3  # times processes times the median boundary: the longest wait that is fair
MOST_DELAY = 1.0  # seconds from the death of a holder to the next one's entry
WHOLE = """
SELECT (SELECT count(*) FROM versions) AS versions,
       (SELECT count(*) FROM artifacts) AS artifacts,
       (SELECT count(*) FROM events WHERE type = 'download.done') AS downloads,
       (SELECT count(DISTINCT version_id) FROM extracted_files) AS unpacked,
       (SELECT count(*) FROM extracted_files) AS files,
       (SELECT count(*) FROM events WHERE type = 'extract.done') AS extracts,
       (SELECT count(*) FROM events) AS events,
       (SELECT max(event_id) FROM events) AS last
"""


class Journal:
    """What one process did, one line of JSON after the other."""

    def __init__(self, folder: Path, name: str) -> None:
        self._stream = (folder / f"{name}.jsonl").open("a", encoding="utf-8", buffering=1)

    def note(self, **what: Any) -> None:
        """Append a line."""
        self._stream.write(json.dumps(what) + "\n")


@contextmanager
def timed_gate(journal: Journal) -> Iterator[None]:
    """Note every passage of the gate: kind, ticket, and when it was asked for, entered and left (CLOCK_MONOTONIC)."""
    draw = locks.Gate._draw_ticket
    tickets: list[int] = []

    def drawn(*args: Any) -> int:
        tickets.append(draw(*args))
        return tickets[-1]

    def timed(kind: str, passage: Callable[..., Any]) -> Callable[..., Any]:
        @contextmanager
        def replaced(self: locks.Gate, wait: float, **options: Any) -> Iterator[Any]:
            asked = time.monotonic()
            with passage(self, wait, **options) as hold:
                entered = time.monotonic()
                try:
                    yield hold
                finally:
                    left = time.monotonic()
                    journal.note(kind=kind, ticket=tickets[-1], asked=asked, entered=entered, left=left)

        return replaced

    exclusive, shared = locks.Gate.exclusive, locks.Gate.shared
    locks.Gate._draw_ticket = drawn  # type: ignore[method-assign]
    locks.Gate.exclusive, locks.Gate.shared = timed("write", exclusive), timed("read", shared)  # type: ignore[method-assign]
    yield


def write(root: Path, number: int, journal: Journal, go_on: Callable[[int], bool], settings: dict[str, Any]) -> None:
    """Record one release after the other, with its files every other time, and acknowledge each boundary."""
    releases = Releases(root, settings=settings)
    done = 0
    while go_on(done):
        version = f"{number}.{done}"
        data = version.encode()
        releases.download(version, data)
        journal.note(acknowledged="download", version_id=f"example/sample/{version}")
        done += 1
        if done % 2 == 0:
            releases.extract(version, data, TEXTS)
            journal.note(acknowledged="extract", version_id=f"example/sample/{version}")
            done += 1


def read(root: Path, folder: Path, journal: Journal, go_on: Callable[[int], bool], settings: dict[str, Any]) -> None:
    """Look again and again, and complain of a boundary that is there in part, or gone although it was acknowledged."""
    done = 0
    while go_on(done):
        known = sum(1 for found in journals(folder) if "acknowledged" in found)
        with sessions.reading(Store(root, settings)) as connection:
            cursor = connection.execute(WHOLE)
            names = [column[0] for column in cursor.description]
            seen = dict(zip(names, cursor.fetchall()[0], strict=True))
        whole = (
            seen["versions"] == seen["artifacts"] == seen["downloads"]
            and seen["unpacked"] == seen["extracts"]
            and seen["files"] == seen["unpacked"] * len(TEXTS)
            and seen["events"] == seen["last"]
        )
        if not whole or seen["downloads"] + seen["extracts"] < known:
            journal.note(error=f"a reader saw {seen} when {known} boundaries were acknowledged")
        done += 1
        journal.note(looked=seen["events"])


def journals(folder: Path) -> list[dict[str, Any]]:
    """Return the lines of all journals; a last line may still be on its way."""
    lines = [line for path in sorted(folder.glob("*.jsonl")) for line in path.read_text().split("\n")[:-1]]
    return [json.loads(line) for line in lines]


def fork(body: Callable[[], None], journal: Callable[[], Journal]) -> int:
    """Run `body` in a child process and return its number; what it raises is noted."""
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        notes = journal()
        try:
            body()
            code = 0
        except BaseException:  # noqa: BLE001 - whatever it is, it is noted and judged
            notes.note(error=traceback.format_exc())
    finally:
        os._exit(code)


def run(root: Path, folder: Path, args: argparse.Namespace, settings: dict[str, Any]) -> None:
    """Let all of them work until the time is up, or every writer has done its boundaries."""
    until = time.monotonic() + args.seconds
    done = folder / "done"

    def writer_goes_on(count: int) -> bool:
        return count < args.boundaries if args.boundaries else time.monotonic() < until

    def reader_goes_on(count: int) -> bool:
        return count == 0 or not done.exists()

    def work(role: str, number: int) -> None:
        journal = Journal(folder, f"{role}-{number}")
        with timed_gate(journal):
            if role == "writer":
                write(root, number, journal, writer_goes_on, settings)
            else:
                read(root, folder, journal, reader_goes_on, settings)

    def prepare() -> None:
        with sessions.writing(Store(root, settings)):
            pass

    def start(role: str, number: int) -> int:
        return fork(lambda: work(role, number), lambda: Journal(folder, f"errors-{role}-{number}"))

    # readers need a store, and this process has none open when it forks
    os.waitpid(fork(prepare, lambda: Journal(folder, "errors-prepare")), 0)
    readers = [start("reader", number) for number in range(args.readers)]
    writers = [start("writer", number) for number in range(args.writers)]
    for pid in writers:
        os.waitpid(pid, 0)
    done.touch()
    for pid in readers:
        os.waitpid(pid, 0)


def kill_holder(root: Path, settings: dict[str, Any]) -> float:
    """Kill a holder inside a transaction while another process waits; return the seconds until that one is in."""
    store = Store(root, settings)
    inside, tell_inside = os.pipe()
    entered, tell_entered = os.pipe()

    def hold() -> None:
        with sessions.writing(store) as session:
            session.connection.execute("BEGIN")
            session.connection.execute("DELETE FROM versions")
            os.write(tell_inside, b"1")
            time.sleep(WAIT)

    def wait() -> None:
        with sessions.writing(store):
            os.write(tell_entered, json.dumps(time.monotonic()).encode())

    folder = Path(tempfile.mkdtemp(prefix="ontofetch-kill-"))
    holder = fork(hold, lambda: Journal(folder, "holder"))
    os.read(inside, 1)
    waiter = fork(wait, lambda: Journal(folder, "waiter"))
    time.sleep(0.05)
    killed = time.monotonic()
    os.kill(holder, signal.SIGKILL)
    _, status = os.waitpid(waiter, 0)
    os.waitpid(holder, 0)
    os.close(tell_entered)
    told = os.read(entered, 100)
    for descriptor in (inside, tell_inside, entered):
        os.close(descriptor)
    shutil.rmtree(folder)
    if status or not told:
        raise SystemExit("the next one did not get in after the holder was killed")
    return float(json.loads(told)) - killed


def overtaken(passages: list[dict[str, Any]]) -> int:
    """Return how many passages of the gate came before one with a lower ticket that they had to wait for."""
    wrong, last_writer, last_left = 0, -1.0, -1.0
    for passage in sorted(passages, key=lambda found: found["ticket"]):
        if passage["kind"] == "write":
            wrong += passage["entered"] < last_left
            last_writer = last_left = max(last_left, passage["left"])
        else:
            # readers in a row read together
            wrong += passage["entered"] < last_writer
            last_left = max(last_left, passage["left"])
    return wrong


def judge(root: Path, folder: Path, args: argparse.Namespace) -> dict[str, Any]:
    """Return the figures of a run and, under `broken`, what is not as it must be."""
    notes = journals(folder)
    broken = [found["error"] for found in notes if "error" in found]
    acknowledged = sorted((found["acknowledged"], found["version_id"]) for found in notes if "acknowledged" in found)
    recorded = query(root, "SELECT type, version_id FROM events WHERE type IN ('download.done', 'extract.done')")
    if sorted((kind.removesuffix(".done"), version_id) for kind, version_id in recorded) != acknowledged:
        broken.append(f"{len(recorded)} boundaries are recorded, {len(acknowledged)} were acknowledged")
    if sorted(query(root, "SELECT version_id FROM versions")) != [
        (v,) for kind, v in acknowledged if kind == "download"
    ]:
        broken.append("the releases are not those that were acknowledged")
    assert_consistent(root)
    passages = [found for found in notes if "ticket" in found]
    overtakings = overtaken(passages)
    if overtakings:
        broken.append(f"{overtakings} passages overtook one that waited before them")
    if not {"write", "read"} <= {found["kind"] for found in passages}:
        return {"broken": [*broken, "nobody wrote, or nobody read"]}
    held = [found["left"] - found["entered"] for found in passages if found["kind"] == "write"]
    waits = {
        kind: sorted(found["entered"] - found["asked"] for found in passages if found["kind"] == kind)
        for kind in ("write", "read")
    }
    per_writer = [
        sum(1 for kind, version_id in acknowledged if version_id.split("/")[2].startswith(f"{number}."))
        for number in range(args.writers)
    ]
    median = statistics.median(held)
    figures = {
        "boundaries": len(acknowledged),
        "fewest_per_writer": min(per_writer),
        "looks": sum(1 for found in notes if "looked" in found),
        "overtakings": overtakings,
        "median_boundary_ms": round(median * 1000, 1),
        "longest_wait_ms": round(max(waits["write"] + waits["read"]) * 1000, 1),
        "longest_fair_wait_ms": round(FACTOR * (args.writers + args.readers) * median * 1000, 1),
    }
    for kind, found in waits.items():
        for percent in (50, 99):
            figures[f"{kind}_wait_p{percent}_ms"] = round(found[(len(found) - 1) * percent // 100] * 1000, 1)
    return {**figures, "broken": broken}


def judge_clock(figures: dict[str, Any], delays: list[float], args: argparse.Namespace) -> None:
    """Add what is broken by the clock: too few boundaries, a wait too long, a dead holder in the way for too long."""
    broken = figures["broken"]
    if figures["fewest_per_writer"] < 20:
        broken.append("a writer did fewer than 20 boundaries")
    if figures["longest_wait_ms"] > figures["longest_fair_wait_ms"]:
        broken.append(f"the longest wait is more than {FACTOR} x {args.writers + args.readers} x the median boundary")
    figures["kills"] = len(delays)
    if delays:
        figures["after_kill_p50_ms"] = round(statistics.median(delays) * 1000, 1)
        figures["after_kill_longest_ms"] = round(max(delays) * 1000, 1)
        if max(delays) >= MOST_DELAY:
            broken.append("a dead holder delayed the next one for a second or more")


def main(argv: list[str] | None = None) -> int:
    """Run, print the figures as JSON, and return 1 if something is broken."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--boundaries", type=int, default=0)
    parser.add_argument("--writers", type=int, default=8)
    parser.add_argument("--readers", type=int, default=8)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--root", type=Path)
    args = parser.parse_args(argv)
    settings = {"durability": "off" if args.boundaries else "full", "wait": WAIT, "duckdb_threads": 1}
    base = Path(tempfile.mkdtemp(prefix="ontofetch-many-", dir=args.root))
    try:
        folder = base / "journals"
        folder.mkdir()
        # the libraries are loaded before the fork, but no database is open in it
        __import__("pyarrow.compute")
        run(base / "store", folder, args, settings)
        figures = judge(base / "store", folder, args)
        delays = [kill_holder(base / "store", settings) for _ in range(args.kills)]
        assert_consistent(base / "store")
        if not args.boundaries and "boundaries" in figures:
            judge_clock(figures, delays, args)
    finally:
        shutil.rmtree(base)
    print(json.dumps(figures, indent=1))
    return 1 if figures["broken"] else 0


if __name__ == "__main__":
    sys.exit(main())
