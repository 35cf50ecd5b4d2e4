"""Machines do at the same time what gets in each other's way, round by round, with pauses at drawn steps.

`python -m tests.shared.meetings [--kind NAME] [--rounds N] [--seed N]` prints a line of JSON for each round. Exit
status 1 where something is broken.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from random import Random

from .postgres import QUICK, Postgres
from .three import Broken, Lab, lab_of
from .workers import Ended

_STEPS = 60  # how many a command of these has, about
Commands = dict[str, tuple[str, ...]]


def meet(lab: Lab, random: Random, commands: Commands) -> dict[str, Ended]:
    """Run a command on each of several machines at once, each with a pause before a drawn step."""
    for name, words in commands.items():
        pause = f"sleep {random.choice((0, 0.05, 0.3))}"
        lab.workers[name].begin(*words, happens=pause, at=random.randint(1, _STEPS))
    ended = {name: lab.workers[name].end() for name in commands}
    for name, one in ended.items():
        if "Traceback" in one.err or one.code not in (0, 1, 2):
            raise Broken(f"{name}: {' '.join(commands[name])}: {one.code}\n{one.err}")
    return ended


def sweep_and_commit(lab: Lab, random: Random) -> None:
    """One machine sweeps what another one pulls again, byte for byte, and a third one catches up."""
    number = _next(lab)
    lab.pull("a", number)
    lab.run("a", "rm", f"s/o/{number}", "--yes")
    lab.run("a", "db", "prune", "--purge", _plan(lab, "a"))
    if random.random() < 0.5:
        # what was pulled last is known of no event: an object that nothing names
        lab.workers["b"].run(*lab.pulling(number), happens="kill", at=1, only="_write")
    if random.random() < 0.7:
        lab.run("c", "db", "sweep", "--grace", "1d")
    age(lab)
    ended = meet(
        lab,
        random,
        {"a": ("db", "sweep", "--grace", "1d"), "b": lab.pulling(number), "c": ("db", "versions")},
    )
    if any(one.code for one in ended.values()):
        raise Broken(str(ended))
    lab.check("a", "b", "c")


def restore_and_purge(lab: Lab, random: Random) -> None:
    """One machine brings back what another one purges and sweeps, and a third one reads what was before."""
    number = _next(lab)
    lab.pull("a", number)
    lab.run("a", "rm", f"s/o/{number}", "--yes")
    plan = _plan(lab, "a")
    lab.run("b", "db", "versions")
    if random.random() < 0.5:
        lab.run("c", "db", "versions")
    ended = meet(
        lab,
        random,
        {"a": ("db", "prune", "--restore", plan), "b": ("db", "prune", "--purge", plan), "c": ("report", "latest")},
    )
    if ended["c"].code:
        raise Broken(str(ended))
    lab.run("b", "db", "sweep", "--grace", "1d")
    age(lab)
    ended |= meet(lab, random, {"b": ("db", "sweep", "--grace", "1d"), "c": ("db", "verify")})
    if ended["c"].code:
        raise Broken(str(ended))
    lab.check("a", "b", "c")
    there = bool(lab.ask("SELECT 1 FROM ontofetch.paths WHERE path LIKE %s LIMIT 1", f"s/o/{number}/%"))
    purged = bool(lab.ask("SELECT 1 FROM ontofetch.boundaries WHERE type = 'prune.restored' AND version_id = %s "
                          "LIMIT 1", f"s/o/{number}"))  # fmt: skip
    if purged and not there:
        raise Broken(f"{number} was brought back, and is not there: {ended}")


def same_release(lab: Lab, random: Random) -> None:
    """Two machines pull one release at once: one records it, to the other it is unchanged."""
    number = _next(lab)
    ended = meet(lab, random, {"a": lab.pulling(number), "b": lab.pulling(number)})
    if any(one.code for one in ended.values()):
        raise Broken(str(ended))
    lab.check("a", "b", "c")
    for kind in ("download", "extract"):
        if sorted(_kinds(lab, number, kind)) != [f"{kind}.done", f"{kind}.unchanged"]:
            raise Broken(f"{number}: {_kinds(lab, number, kind)}")


def other_bytes(lab: Lab, random: Random) -> None:
    """Two machines pull one release at once, with different bytes: one of them is refused."""
    number = _next(lab)
    ended = meet(lab, random, {"a": lab.pulling(number), "b": lab.pulling(number, "other")})
    codes = sorted(one.code or 0 for one in ended.values())
    said = "".join(one.err for one in ended.values())
    if codes != [0, 1] or "--replace" not in said:
        raise Broken(f"{codes}: {said}")
    lab.check("a", "b", "c")
    if _kinds(lab, number, "download").count("download.done") != 1:
        raise Broken(str(_kinds(lab, number, "download")))


KINDS: dict[str, Callable[[Lab, Random], None]] = {
    "sweep-and-commit": sweep_and_commit,
    "restore-and-purge": restore_and_purge,
    "same-release": same_release,
    "other-bytes": other_bytes,
}


def age(lab: Lab, seconds: float = 3 * 86_400) -> None:
    """Let all objects, and all that is condemned, be old: three days, or so many seconds."""
    for place in (lab.folder / "objects").rglob("*"):
        if place.is_file():
            os.utime(place, (time.time() - seconds,) * 2)
    sql = "UPDATE ontofetch.contents SET condemned_at = condemned_at - make_interval(secs => %s) RETURNING 1"
    lab.ask(sql, seconds)


def _next(lab: Lab) -> int:
    lab.numbers += 1
    return lab.numbers


def _plan(lab: Lab, name: str) -> str:
    """Return the plan that a machine made last and that is in quarantine."""
    return max(os.listdir(lab.workers[name].root / ".catalog/quarantine"))


def _kinds(lab: Lab, number: int, kind: str) -> list[str]:
    rows = lab.ask("SELECT type FROM ontofetch.boundaries WHERE version_id = %s AND type LIKE %s",
                   f"s/o/{number}", f"{kind}.%")  # fmt: skip
    return [found for (found,) in rows]


def main(words: list[str]) -> int:
    """Run the rounds and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.shared.meetings", description=__doc__)
    parser.add_argument("--kind", choices=KINDS, action="append")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args(words)
    broken = 0
    server, folder = Postgres(QUICK), Path(tempfile.mkdtemp(prefix="meetings-"))
    try:
        for kind in asked.kind or KINDS:
            with closing(_Folder(folder / kind)) as place, lab_of(place.path, server, server.new()) as lab:
                for number in range(asked.rounds):
                    told: dict[str, object] = {"kind": kind, "seed": asked.seed + number}
                    try:
                        KINDS[kind](lab, Random(asked.seed + number))
                    except Broken as error:
                        broken += 1
                        told["broken"] = str(error)
                    print(json.dumps(told), flush=True)
    finally:
        server.remove()
        shutil.rmtree(folder)
    print(f"{broken} broken")
    return 1 if broken else 0


class _Folder:
    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir()

    def close(self) -> None:
        shutil.rmtree(self.path)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
