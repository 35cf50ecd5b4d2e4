"""Machines do at the same time what gets in each other's way, round by round, with pauses at drawn steps.

`python -m tests.shared.meetings [--kind NAME] [--rounds N] [--first N]` prints a line of JSON for each round, with the
seed (`at`) of what is drawn in it, `--jobs N` labs side by side. Exit status 1 where something is broken.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from random import Random

from .labs import Broken, Ground, Names, Part, Trial, new_folder, parser_of, run
from .three import Lab, lab_of
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


@contextmanager
def _opened(ground: Ground, names: Names) -> Iterator[Lab]:
    server = ground.server()
    with ExitStack() as ending:
        folder = new_folder(ending, "meetings-")
        yield ending.enter_context(lab_of(folder, server, ending.enter_context(server.database())))


def _meet(lab: Lab, names: Names, seed: int, all_of_it: bool) -> bool:
    del all_of_it  # they are compared in each
    KINDS[names[0]](lab, Random(seed))
    return True


def main(words: list[str]) -> int:
    """Run the rounds and return the exit code."""
    parser = parser_of("tests.shared.meetings", __doc__, "seeds")
    parser.add_argument("--kind", choices=KINDS, action="append")
    parser.add_argument("--rounds", type=int, default=20, metavar="N", help="of each kind")
    asked = parser.parse_args(words)
    trial = Trial(words=("kind",), opened=_opened, tried=_meet, alike=lambda names: None)
    last = asked.first + asked.rounds - 1
    # so many at once that one process has not all that are of a kind which takes long
    parts = [
        Part((kind,), first, min(first + asked.renew - 1, last))
        for first in range(asked.first, last + 1, asked.renew)
        for kind in asked.kind or KINDS
    ]
    return run(trial, parts, asked)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
