"""Every request to the objects, of every kind of command, meets every kind of trouble once, or from then on.

`python -m tests.shared.bad_objects [--operation NAME] [--trouble NAME] [--first N] [--every N] [--for-good]` tries them
and prints a line of JSON for each; without a name all of them, `--jobs N` labs side by side. Exit status 1 where
something is broken.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .labs import Broken, Ground, Names, Part, Trial, new_folder, parser_of, run
from .postgres import Postgres
from .proxies import HttpProxy
from .s3 import S3Server
from .three import NEXT, OPERATIONS, Lab, lab_of

TIMEOUT = 2  # seconds that machine `a` waits for an answer
SECRETS = ("hidden-id", "hidden-secret", "hidden-token")


@dataclass(frozen=True, slots=True)
class Trouble:
    """What a request meets.

    Args:
        what: As `proxies.Rule` has it.
        code: What S3 calls it.
        seconds: How long it takes.
        passes: Whether it is over at the next try, so that nobody notices; otherwise it may be a sentence.
    """

    what: str
    code: str = ""
    seconds: float = 0.0
    passes: bool = False


TROUBLES = {
    "slow": Trouble("delay", seconds=0.3, passes=True),
    "500": Trouble("500", passes=True),
    "503": Trouble("503", "SlowDown", passes=True),
    "412": Trouble("412", "PreconditionFailed"),
    "409": Trouble("409", "ConditionalRequestConflict", passes=True),
    "reset": Trouble("cut", passes=True),
    "lost": Trouble("lose", passes=True),
    "late": Trouble("late", seconds=TIMEOUT + 1, passes=True),
    "truncated": Trouble("half", passes=True),
    "other-bytes": Trouble("flip"),
    "wrong-checksum": Trouble("400", "BadDigest", passes=True),
    "wrong-key": Trouble("403", "InvalidAccessKeyId"),
    "wrong-secret": Trouble("403", "SignatureDoesNotMatch"),
    "no-right": Trouble("403", "AccessDenied"),
    "expired": Trouble("400", "ExpiredToken"),
}
# those that reach for objects
ASKED = ("pull", "replace", "rm", "undo", "catch-up", "sweep")


@contextmanager
def bad_line(folder: Path, server: Postgres, database: str, s3: S3Server) -> Iterator[tuple[Lab, HttpProxy]]:
    """Give three machines of which `a` reaches the objects over a line that can be made bad."""
    line = HttpProxy(s3.port)
    keys = dict(zip(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"), SECRETS, strict=True))
    with closing(line), lab_of(folder, server, database, s3) as lab:
        lab.bad = {
            **keys,
            "AWS_ENDPOINT_URL": line.endpoint,
            "ONTOFETCH_OBJECTS_TIMEOUT": str(TIMEOUT),
            "ONTOFETCH_OBJECTS_RETRIES": "2",
        }
        yield lab, line


def try_request(
    lab: Lab, line: HttpProxy, operation: str, name: str, at: int, *, times: int = 1, all_of_it: bool = True
) -> bool:
    """Let a command's request of this number meet trouble; say whether it came that far.

    Args:
        lab: The machines.
        line: The line of `a`.
        operation: Of `three.OPERATIONS`.
        name: Of `TROUBLES`.
        at: Which request, from 1.
        times: How many of them, -1: all from there on.
        all_of_it: Whether the others catch up, and all are compared; if not, `a` alone with log and objects.

    Raises:
        Broken: Something is lost, there twice, not said, or told that is a secret.
    """
    lab.numbers += 1
    act = OPERATIONS[operation](lab, lab.numbers)
    a, trouble = lab.workers["a"], TROUBLES[name]
    options: dict[str, Any] = {"code": trouble.code, "seconds": trouble.seconds}
    rule = line.on(".", trouble.what, times=times, skip=at - 1, **options)
    ended = a.run(*act.words, "-vv", environment=lab.bad)
    line.clear()
    told = ended.out + ended.err
    # so much is said here that a traceback is among it
    if any(secret in told for secret in SECRETS):
        raise Broken(told)
    if ended.code not in (0, 1, 2) or (ended.code and not _says_what_to_do(told)):
        raise Broken(f"{ended.code}\n{told}")
    if ended.code and (not rule.hits or (trouble.passes and times == 1)):
        raise Broken(f"what passes is not tried again: {ended.code}\n{told}")
    again = a.run(*act.words, "-q")
    if again.code != 0 and (ended.code != 0 or operation not in ("rm", "undo")):
        raise Broken(f"the same command again: {again.code}\n{again.err}")
    if all_of_it or not rule.hits:
        lab.check("a", "b", "c")
    else:
        lab.check_caught_up("a")
    for place in (a.machine.folder / "store/.catalog").rglob("*"):
        if place.is_file() and any(secret.encode() in place.read_bytes() for secret in SECRETS):
            raise Broken(f"a secret is in {place}")
    return rule.hits > 0


def _says_what_to_do(told: str) -> bool:
    return any(words in told or words.lower() in told for words in NEXT)


@contextmanager
def _opened(ground: Ground, names: Names) -> Iterator[tuple[Lab, HttpProxy]]:
    server = ground.server()
    with ExitStack() as ending:
        folder = new_folder(ending, "bad-objects-")
        database = ending.enter_context(server.database())
        yield ending.enter_context(bad_line(folder, server, database, ground.s3()))


def main(words: list[str]) -> int:
    """Try the requests and return the exit code."""
    parser = parser_of("tests.shared.bad_objects", __doc__, "requests")
    parser.add_argument("--operation", choices=ASKED, action="append")
    parser.add_argument("--trouble", choices=TROUBLES, action="append")
    parser.add_argument("--for-good", action="store_true", help="every request from there on meets it")
    asked = parser.parse_args(words)
    times = -1 if asked.for_good else 1
    names = [(operation, name) for name in asked.trouble or TROUBLES for operation in asked.operation or ASKED]
    trial = Trial(
        words=("operation", "trouble"),
        opened=_opened,
        tried=lambda lab, names, at, all_of_it: try_request(
            *lab, names[0], names[1], at, times=times, all_of_it=all_of_it
        ),
        alike=lambda names: None,
    )
    return run(trial, [Part(one, asked.first, asked.last) for one in names], asked)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
