"""Plant faults in copies of the checkout: each takes one defence out, and the tests of that defence have to fail.

usage: python -m tests.hostile.mutants [--list] [NAME…]

NAME: what a fault's name, its files or its tests contain; without one all are planted. First the tests are run in a
copy as it is, where all of them have to pass. Nothing is changed in the checkout. Exit status 1 where a fault is not
caught, or no longer fits the source.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
import venv
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from . import outcomes
from .faults import FAULTS
from .faults.fault import Change, Fault

CHECKOUT = Path(__file__).parents[2]
AT_ONCE = 2
SECONDS = 200  # for one test; one that hangs has failed
MEMORY = 6 << 30  # bytes of address space of any process: what a bomb may take of the machine
ENVIRONMENT = {"PYTHONPATH": "", "ONTOFETCH_BENCH": "short"}
# what Python says of a fault that does not fit: it fails by itself, and nobody has tried what its defence is for
_STUMBLES = re.compile(
    r"^E .*\b(NameError|ImportError|ModuleNotFoundError|SyntaxError|IndentationError|UnboundLocalError|"
    r"unexpected keyword argument|positional arguments?\b|module '[\w.]+' has no attribute)",
    re.MULTILINE,
)
_LIMITED = 'ulimit -c 0 && ulimit -v "$0" && exec "$@"'  # in KiB
LEFT_OUT = (".git", ".venv", ".build", ".*_cache", ".hypothesis", ".benchmarks", "demo-store", "dist")


class Stale(Exception):
    """A fault does not fit the source any more."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one test ended: `passed`, `failed`, `hung` (killed at its limit), `died` with its process, or its reason."""

    how: str
    told: str = ""

    @property
    def caught(self) -> bool:
        """Say whether it noticed the fault."""
        return self.how in ("failed", "hung", "died") and not self.stumbled

    @property
    def stumbled(self) -> bool:
        """Say whether it failed because the fault does not fit what stands around it."""
        return self.how == "failed" and _STUMBLES.search(self.told) is not None


def planted(text: str, change: Change) -> str:
    """Return the text of a file with a fault in it.

    Raises:
        Stale: What it replaces does not stand there exactly once.
    """
    count = text.count(change.former)
    if count != 1:
        raise Stale(f"{change.file} has {count} times: {change.former.strip()[:80]!r}")
    if change.former == change.now:
        raise Stale(f"{change.file}: nothing is changed")
    return text.replace(change.former, change.now)


def plant(checkout: Path, fault: Fault) -> None:
    """Put a fault into a copy of the checkout."""
    for change in fault.changes:
        path = checkout / change.file
        path.write_text(planted(path.read_text(encoding="utf-8"), change), encoding="utf-8")
        # a compiled file is known by size and whole second alone, which may both be the former ones
        for compiled in (path.parent / "__pycache__").glob(f"{path.stem}.*.pyc"):
            compiled.unlink()


def copy_checkout(folder: Path) -> Path:
    """Return a copy of the checkout, with an interpreter that finds the copy and not the original."""
    copy = folder / "checkout"
    shutil.copytree(CHECKOUT, copy, ignore=shutil.ignore_patterns(*LEFT_OUT))
    (copy / ".build").mkdir()
    # the S3 server of the tests
    (copy / ".build/s3").symlink_to(CHECKOUT / ".build/s3")
    environment = copy / ".venv"
    venv.create(environment, symlinks=True, with_pip=False)
    places = [str(copy), str(copy / "hookspecs"), sysconfig.get_path("purelib"), sysconfig.get_path("platlib")]
    inner = sysconfig.get_path("purelib", vars={"base": str(environment), "platbase": str(environment)})
    Path(inner, "copy.pth").write_text("\n".join(dict.fromkeys(places)) + "\n")
    program = environment / "bin/ontofetch"
    program.write_text(
        f"#!{environment}/bin/python\nimport sys\nfrom ontofetch_catalog.host.app import main\nsys.exit(main())\n"
    )
    program.chmod(0o755)
    return copy


def run_tests(checkout: Path, tests: Sequence[str]) -> dict[str, Outcome]:
    """Run tests in a copy of the checkout and return how each ended; where one hangs or dies, the others go on."""
    found: dict[str, Outcome] = {}
    left = list(tests)
    while left:
        last = _run_some(checkout, left, found)
        if last is None:
            break
        left = [test for test in left if not _ids(test, found)]
    return found


def _run_some(checkout: Path, tests: Sequence[str], found: dict[str, Outcome]) -> str | None:
    """Run tests once, add how they ended, and return the one in which the process was killed or died, if any."""
    told = checkout.parent / "outcomes"
    told.unlink(missing_ok=True)
    temporary = checkout.parent / "tmp"
    temporary.mkdir(exist_ok=True)
    words = ["-m", "pytest", "-q", "-p", outcomes.__name__, "-p", "no:cacheprovider", "-p", "no:xdist", *tests]
    with (checkout.parent / "said").open("w+") as said:
        process = subprocess.Popen(
            ["/bin/sh", "-c", _LIMITED, str(MEMORY >> 10), str(checkout / ".venv/bin/python"), *words],
            cwd=checkout,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env={**os.environ, outcomes.VARIABLE: str(told), "TMPDIR": str(temporary)} | ENVIRONMENT,
        )
        try:
            killed = _waits_too_long(process, told)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            _remove(temporary)
        said.seek(0)
        words_said = said.read()[-2000:]
    begun = None
    for line in told.read_text(encoding="utf-8").splitlines() if told.exists() else ():
        test, how, text = json.loads(line)
        begun = test if how == "begins" else None
        if how != "begins":
            # what comes after the call has no say: a fault may leave a file open
            found.setdefault(test, Outcome(how.removeprefix("call "), text))
    if begun is None and (killed or process.returncode not in (0, 1)):
        # nothing was collected: the fault broke more than its defence, or a test's name is wrong
        found.update((test, Outcome("never called", words_said)) for test in tests if not _ids(test, found))
    if begun is not None:
        found[begun] = Outcome("hung" if killed else "died", f"exit code {process.returncode}\n{words_said}")
    return begun


def _new_folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="mutant-"))
    # the server of the tests has a user of its own, who has to get to its files in it
    folder.chmod(0o711)
    return folder


def _remove(folder: Path) -> None:
    # a bomb may have left hundreds of thousands of folders, and another run waits for this interpreter
    subprocess.run(["rm", "-rf", "--", str(folder)], check=False)


def _waits_too_long(process: subprocess.Popen[bytes], told: Path) -> bool:
    """Wait for the end of a run; say whether a single test took longer than it may."""
    began = time.time()
    while True:
        try:
            process.wait(timeout=0.5)
        except subprocess.TimeoutExpired:
            last = told.stat().st_mtime if told.exists() else began
            if time.time() - last > SECONDS:
                return True
        else:
            return False


def _ids(test: str, among: Iterable[str]) -> list[str]:
    """Return the ids that a test's id stands for: its own, or those of its parameters."""
    return [one for one in among if one == test or one.startswith(f"{test}[")]


def judge(fault: Fault, found: dict[str, Outcome]) -> list[str]:
    """Return what is wrong: the tests that did not notice the fault, with how they ended."""
    wrong = []
    for test in fault.tests:
        mine = [found[one] for one in _ids(test, found)]
        if not any(outcome.caught for outcome in mine):
            ended = sorted({"failed by itself" if one.stumbled else one.how for one in mine}) or ["never called"]
            wrong.append(f"{test}: {', '.join(ended)}")
            told = next((outcome.told for outcome in mine if outcome.how != "passed"), "")
            wrong += [f"    {line}" for line in told.splitlines()[-5:]]
    return wrong


def try_fault(fault: Fault) -> tuple[Fault, list[str], float]:
    """Plant a fault in a copy, run its tests, and return what is wrong and how many seconds it took."""
    began = time.monotonic()
    folder = _new_folder()
    try:
        copy = copy_checkout(folder)
        plant(copy, fault)
        wrong = judge(fault, run_tests(copy, fault.tests))
    except Stale as error:
        wrong = [f"it does not fit the source: {error}"]
    finally:
        _remove(folder)
    return fault, wrong, time.monotonic() - began


def unsound(tests: Sequence[str]) -> list[str]:
    """Return which tests of one file do not pass in a copy without a fault: such a test proves nothing."""
    folder = _new_folder()
    try:
        found = run_tests(copy_checkout(folder), tests)
    finally:
        _remove(folder)
    wrong = [f"{test}: {outcome.how}\n{outcome.told}" for test, outcome in found.items() if outcome.how != "passed"]
    return wrong + [f"{test}: never called" for test in tests if not _ids(test, found)]


def _is_meant(fault: Fault, name: str) -> bool:
    return name in fault.name or any(name in change.file for change in fault.changes) or name in " ".join(fault.tests)


def main(words: list[str]) -> int:
    """Run and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.hostile.mutants", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--list", action="store_true", help="print the names and the tests, plant nothing")
    parser.add_argument("--no-control", action="store_true", help="do not run the tests without a fault first")
    asked = parser.parse_args(words)
    chosen = [fault for fault in FAULTS if not asked.names or any(_is_meant(fault, name) for name in asked.names)]
    if asked.list:
        for fault in chosen:
            print(f"{fault.name}\n    " + "\n    ".join(fault.tests))
        return 0
    missed = 0
    with ThreadPoolExecutor(AT_ONCE) as pool:
        if not asked.no_control:
            tests = sorted({test for fault in chosen for test in fault.tests})
            # a process for each file: the memory of the limit is for the tests of one fault, not of all
            files = [list(group) for _, group in groupby(tests, lambda test: test.partition("::")[0])]
            wrong = [line for lines in pool.map(unsound, files) for line in lines]
            print("\n".join(wrong) or f"all of {len(tests)} tests pass without a fault", flush=True)
            missed += bool(wrong)
        caught = 0
        for done in as_completed([pool.submit(try_fault, fault) for fault in chosen]):
            fault, wrong, seconds = done.result()
            caught += not wrong
            print(f"{'NOT caught' if wrong else 'caught'}  {fault.name} ({len(fault.tests)} tests, {seconds:.0f} s)")
            print("".join(f"    {line}\n" for line in wrong), end="", flush=True)
    print(f"{caught} of {len(chosen)} faults are caught")
    return 1 if missed or caught < len(chosen) or not chosen else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
