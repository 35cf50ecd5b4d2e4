"""The races: a process swaps parts of a store for links to the outside and back while commands are at work.

usage: python -m tests.hostile.races FOLDER COUNT PATH…: be that process. Where the system can exchange two names at
once (renameat2), it does; else a path is away for a moment between two renames.
"""

from __future__ import annotations

import ctypes
import os
import random
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .oracles import judge_command
from .places import PROGRAM, SECRET, TOP, Bench, Ended, Place, changes, holders_of_canary, recount

_AT_FDCWD, _EXCHANGE = -100, 2
# DuckDB opens its files by name (docs/security.md, "What does not hold"): opening one is no fault; whether it changed
# one, a recount shows. The one change that is not prevented is named there, too: an open writer makes its log anew in a
# folder that took the place of `.catalog`.
_BY_DUCKDB = re.compile(r"/\.catalog/ontofetch\.duckdb(\.wal)?>")
_LOG_OF_TWIN = "twins/.catalog/ontofetch.duckdb.wal "
_NEVER_OPENED = re.compile(r"ENOENT|ENOTDIR|ELOOP|EXDEV|EACCES|O_PATH")

SWAPPED = (
    *("s", "s/o", "s/o/1", "s/o/1/data", "s/o/2", "s/o/2/src", ".catalog/intents", ".catalog/staging"),
    *(".catalog/quarantine", ".catalog/plans", ".catalog/backups", ".catalog/restoring", ".catalog"),
    *("s/o/1/manifest.json", "s/o/1/data/sample.ttl", "s/o/2/src/sample.ttl", "s/o/LATEST.json"),
    *("s/o/2/.extract.audit.json", ".catalog/generation.json", "s/o/1/data/orphan.ttl"),
)
COMMANDS: tuple[tuple[str, ...], ...] = (
    ("pull", "next.nt", "--service", "s", "--ontology", "o", "--version", "3", "-q"),
    ("pull", "next.nt", "--service", "n", "--ontology", "o", "--version", "{number}", "-q"),
    ("db", "prune", "--apply", "{plan}"),
    ("db", "prune", "--restore", "{plan}"),
    ("db", "doctor", "--fix", "--yes"),
    ("db", "verify", "-q"),
    ("db", "backup", "--include-data", "--to", "backup-{number}.tar.zst"),
    ("db", "restore", "backup-{number}.tar.zst"),
    ("db", "rebuild", "--replace"),
    ("db", "recover"),
)


@dataclass(frozen=True, slots=True)
class Told:
    """What the races beside one command came to."""

    line: str
    swaps: int
    faults: tuple[str, ...]


def exchange(one: str, other: str) -> bool:
    """Exchange two names at once; say whether the system can."""
    if not sys.platform.startswith("linux"):
        return False
    call = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if call is None:
        return False
    if call(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _EXCHANGE) == 0:
        return True
    number = ctypes.get_errno()
    raise OSError(number, os.strerror(number), one)


def swap(folder: Path, most: int, paths: list[str]) -> int:
    """Swap paths below `folder` for links to their twins outside and back until told to stop; return how often.

    A link lies ready beside the store, in `links`; each swap ends as it began, so that the store is whole again.
    """
    done = 0
    chance = random.Random(1)
    stop = folder / "stop"
    while done < most and not stop.exists():
        path = chance.choice(paths)
        there, link = str(folder / "store" / path), str(folder / "links" / path.replace("/", "+"))
        if not os.path.lexists(there) or os.path.islink(there) or not os.path.islink(link):
            # what is not there (yet) can't be swapped
            continue
        try:
            _there_and_back(there, link, chance.choice((0.0, 0.0002, 0.001, 0.004)))
        except OSError:
            # the command has moved it meanwhile
            continue
        done += 1
        if done % 20 == 0:
            (folder / "swaps").write_text(str(done))
        # bursts, and calm in which a command comes far enough to be met in the middle
        time.sleep(chance.choice((0.0, 0.0, 0.0, 0.002, 0.03)))
    (folder / "swaps").write_text(str(done))
    return done


def _there_and_back(there: str, link: str, pause: float) -> None:
    if exchange(there, link):
        time.sleep(pause)
        # the command may have put something of its own there: only a link goes back
        if os.path.islink(there):
            exchange(there, link)
        return
    os.rename(there, there + "~")
    os.symlink(os.readlink(link), there)
    time.sleep(pause)
    os.unlink(there)
    os.rename(there + "~", there)


def run(
    bench: Bench,
    swaps: int,
    seconds: float,
    *,
    commands: tuple[tuple[str, ...], ...] = COMMANDS,
    target: str = PROGRAM,
    until: str = "",
) -> Iterator[Told]:
    """Race beside every command in turns until so many swaps were done or the time is over; one verdict per command.

    Args:
        bench: Where.
        swaps: How many swaps in all.
        seconds: How long in all.
        commands: Beside which commands.
        target: `module:function` in place of the program.
        until: The oracle whose first fault ends it, where one is looked for; empty: it goes on whatever is found.
    """
    has_strace = shutil.which("strace") is not None and target == PROGRAM
    yield Told(f"races: strace is {'' if has_strace else 'not '}used", 0, ())
    share = max(swaps // len(commands), 1)
    for command in commands:
        yield _race(bench, command, share, seconds / len(commands), target=target, traced=has_strace, until=until)


def _race(
    bench: Bench, command: tuple[str, ...], swaps: int, seconds: float, *, target: str, traced: bool, until: str
) -> Told:
    """Repeat one command while the swapper is at work."""
    place = bench.place()
    _make_twins(place)
    place.give("next.nt", b"<a:s> <a:p> <a:o> .\n")
    plan = next(iter(sorted((place.root / ".catalog/plans").iterdir()))).name
    if "restore" in command:
        bench.run(place, "db", "backup", "--include-data", "--to", "backup-0.tar.zst")
    before = recount(place.outside)
    swapper = subprocess.Popen(
        [sys.executable, "-m", "tests.hostile.races", str(place.top), str(1_000 * swaps), *SWAPPED], cwd=TOP
    )
    faults: list[str] = []
    runs = 0
    end = time.monotonic() + seconds
    try:
        while not runs or (_swaps(place) < swaps and time.monotonic() < end):
            number = "0" if "restore" in command else str(runs)
            words = [word.format(plan=plan, number=number) for word in command]
            ended = (
                _traced(place, words)
                if traced and runs % 5 == 0
                else bench.run(place, *words, seconds=60, target=target)
            )
            faults += [f"{fault.oracle}: {fault.text}" for fault in judge_command(ended)]
            runs += 1
            # the store is not looked at while parts of it are swapped: what was read outside is seen in what was said
            if until and any(fault.startswith(f"{until}: ") for fault in (*faults, *_outside(place, before))):
                break
    finally:
        (place.top / "stop").touch()
        swapper.wait(60)
    faults += _judge(place, before)
    done = _swaps(place)
    place.remove()
    unique = tuple(dict.fromkeys(faults))
    return Told(f"races: {' '.join(command)}: {runs} runs beside {done:,} swaps, {len(unique)} faults", done, unique)


def _swaps(place: Place) -> int:
    try:
        return int((place.top / "swaps").read_text() or 0)
    except FileNotFoundError:
        return 0


def _make_twins(place: Place) -> None:
    """Make a twin outside of everything that is swapped, with the same names and other content, and links to them."""
    links = place.top / "links"
    links.mkdir()
    for path in SWAPPED:
        there, name = place.root / path, path.replace("/", "+")
        twin = place.outside / "twins" / name
        twin.parent.mkdir(exist_ok=True)
        if there.is_dir():
            shutil.copytree(there, twin)
            for file in twin.rglob("*"):
                if file.is_file() and not file.name.startswith("ontofetch.duckdb"):
                    file.write_bytes(SECRET)
            (twin / "pipe.ttl").write_bytes(SECRET)
        elif there.exists():
            twin.write_bytes(SECRET)
        else:
            twin.mkdir()
            (twin / "canary").write_bytes(SECRET)
        (links / name).symlink_to(twin)


def _outside(place: Place, before: dict[str, tuple[object, ...]]) -> Iterator[str]:
    for change in changes(before, recount(place.outside)):
        if not change.startswith(_LOG_OF_TWIN):
            yield f"outside: {change}"


def _judge(place: Place, before: dict[str, tuple[object, ...]]) -> Iterator[str]:
    yield from _outside(place, before)
    for path in holders_of_canary(place.root):
        yield f"read outside: the store's {path} holds what lies outside"
    for path in holders_of_canary(place.work):
        yield f"read outside: {path} holds what lies outside"


def _traced(place: Place, words: list[str]) -> Ended:
    """Run a command under strace and judge the paths of the files that it has really opened or changed."""
    from .forks import SCRIPT
    from .places import environment_of

    log = place.top / "trace"
    calls = "open,openat,openat2,unlink,unlinkat,rename,renameat,renameat2,mkdir,mkdirat,rmdir,link,linkat,symlinkat"
    began = time.monotonic()
    done = subprocess.run(
        [
            "strace",
            "-f",
            "-y",
            "-qq",
            "-s",
            "0",
            "-e",
            f"trace={calls}",
            "-e",
            "status=successful",
            "-o",
            log,
            SCRIPT,
            *words,
        ],
        env=environment_of(place),
        cwd=place.work,
        capture_output=True,
        check=False,
        timeout=120,
    )
    outside = str(place.outside)
    # -y shows after `=` what a descriptor really is, whatever the path was that it was opened by
    seen = sorted(
        {line.split(None, 1)[1] for line in log.read_text(errors="replace").splitlines() if _is_outside(line, outside)}
    )
    told = done.stderr.decode(errors="replace") + "".join(f"strace: {line}\n" for line in seen[:3])
    if seen:
        told += "Traceback (most recent call last): strace saw the outside opened\n" + f"strace: {seen[0][:250]}"
    return Ended(tuple(words), done.returncode, "", 0, time.monotonic() - began, done.stdout, told)


def _is_outside(line: str, outside: str) -> bool:
    result = line.rpartition(" = ")[2]
    return f"<{outside}" in result and not _NEVER_OPENED.search(line) and not _BY_DUCKDB.search(result)


def _main(words: list[str]) -> int:
    swap(Path(words[0]), int(words[1]), words[2:])
    return 0


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1:]))
