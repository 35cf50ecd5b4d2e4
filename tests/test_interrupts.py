"""SIGINT and SIGTERM at points all along: rolled back or finished, a word, a code, and nothing is fetched twice."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ontofetch_hookspecs.stage_records import is_held
from ontofetch_hookspecs.store_paths import below_root
from tests.programs import Program, install
from tests.releases import Releases, assert_consistent, query
from tests.sites import Answer, Seen, Site, validated

CHECKOUT = Path(__file__).parents[1]
CODES = {"SIGINT": (130, "interrupted"), "SIGTERM": (143, "terminated")}
POINTS = int(
    os.environ.get("ONTOFETCH_INTERRUPTS", "10")
)  # per signal; all along the run, a longer run by hand takes more
NAMES = ["d/a.ttl", "d/b.txt"]


def _archive() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("d/a.ttl", "<urn:a> <urn:b> <urn:c> .\n" * 50)
        archive.writestr("d/b.txt", "some text")
    return stream.getvalue()


class Served:
    """A server that sends the archive under any number, in pieces, and counts how often it sent the bytes."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.bodies: Counter[str] = Counter()
        self._script = validated(_archive(), ETag='"one"')

    def path(self, point: int | str) -> str:
        """Serve the archive for one point, and return its path."""
        path = f"/{point}/a.zip"
        self.site.answers[path] = self._answer
        return path

    def _answer(self, seen: Seen, number: int) -> Answer:
        answer = self._script(seen, number)
        self.bodies[seen.path] += answer.status == 200
        return answer


@pytest.fixture
def served() -> Iterator[Served]:
    """Return a server on the loopback."""
    site = Site()
    yield Served(site)
    site.close()


def _driver(root: Path, name: str, points: str, *words: str) -> list[dict[str, Any]]:
    ended = subprocess.run(
        [sys.executable, "-m", "tests.interrupted", str(root), name, points, "--", *words],
        cwd=CHECKOUT,
        env=Program(root).environment | {"PYTHONPATH": os.pathsep.join([str(CHECKOUT), *filter(None, sys.path)])},
        capture_output=True,
        text=True,
        timeout=550,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return [json.loads(line) for line in ended.stdout.splitlines()]


def _spread(count: int, points: int, shift: int) -> str:
    """Return numbers of calls from the first to the last, others for each signal."""
    return ",".join(str(1 + (number * count + shift * count // 2) // points) for number in range(points))


def _assert_clean(found: dict[str, Any], name: str) -> None:
    code, word = CODES[name]
    told = f"at call {found['k']} {found['first']}"
    assert found["first"]["code"] == code, told
    assert found["first"]["shown"].rstrip().endswith(word), told
    for run in (found["first"], found["second"]):
        assert "Traceback" not in run["shown"], told
        assert "Exception ignored" not in run["shown"], told
        assert "should not happen" not in run["shown"], told
    assert found["second"]["code"] == 0, f"{told} {found['second']}"


@pytest.mark.parametrize("name", CODES)
def test_a_pull_that_is_interrupted_anywhere_goes_on_with_what_it_has(
    name: str, tmp_path: Path, served: Served
) -> None:
    """At every point: exit 130 or 143 and no traceback; the next run ends well and fetches nothing that is there.

    Every third point gets a second signal right after the first.
    """
    words = ("pull", served.site.url("/{k}/a.zip"), "--service", "s", "--ontology", "o", "--version", "1.0", "-q")
    served.path(0)
    counted = _driver(tmp_path, name, "count", *words)[0]
    assert counted["first"]["code"] == 0, counted
    count = int(counted["first"]["at"].split()[0])
    points = _spread(count, POINTS, list(CODES).index(name))
    for point in points.split(","):
        served.path(point)
    results = _driver(tmp_path, name, points, *words)
    assert len(results) == POINTS
    for found in results:
        _assert_clean(found, name)
        store = Path(found["store"])
        assert_consistent(store)
        assert sorted(query(store, "SELECT relpath FROM extracted_files")) == [("a.ttl",), ("b.txt",)]
        assert query(store, "SELECT version_id FROM v_latest") == [("s/o/1.0",)]
        # what an interrupted boundary might have needed may be left for doctor to name; nobody holds it
        left = list((store / ".catalog/staging").iterdir())
        assert len(left) <= 1
        assert not any(is_held(below_root(store, stage)) for stage in left)
        bodies = served.bodies[f"/{found['k']}/a.zip"]
        assert bodies == 1 if found["kept"] else bodies <= 2, found
    # both sides of the fetch were met
    assert {found["kept"] for found in results} == {True, False}


@pytest.mark.parametrize("name", CODES)
def test_a_report_that_is_interrupted_leaves_everything_as_it_was(name: str, tmp_path: Path) -> None:
    """A reader ends with the code of the signal, and the next one reads the same store."""
    releases = Releases(tmp_path / "template", settings={"durability": "off"})
    releases.pull("1.0", {"a.ttl": "alpha"})
    words = ("report", "latest", "--version", "1.0", "--json")
    counted = _driver(tmp_path, name, "count", *words)[0]
    count = int(counted["first"]["at"].split()[0])
    for found in _driver(tmp_path, name, _spread(count, POINTS // 2, list(CODES).index(name)), *words):
        _assert_clean(found, name)
        store = Path(found["store"])
        assert_consistent(store)
        assert (store / ".catalog/generation.json").read_bytes() == (
            tmp_path / "template/.catalog/generation.json"
        ).read_bytes()


SWALLOWS = """
import signal
from ontofetch_hookspecs import Command
@hookimpl
def register_commands():
    return [Command("swallow", "lose an interrupt", "ontofetch_swallow:main")]
def main(argv, host):
    try:
        signal.raise_signal(getattr(signal, argv[0]))
    except BaseException:
        pass
    raise RuntimeError("Query interrupted")
"""


@pytest.mark.parametrize("name", CODES)
def test_an_interrupt_that_a_library_swallows_is_still_one(name: str, tmp_path: Path) -> None:
    """DuckDB turns an interrupted query into an error of its own; the program knows what it was."""
    packages = install(tmp_path / "site", "ontofetch-swallow", SWALLOWS)
    ended = Program(tmp_path / "store", packages).run("swallow", name)
    code, word = CODES[name]
    assert (ended.returncode, ended.stderr) == (code, word + "\n")


def test_a_process_that_ignores_interrupts_goes_on_doing_so(tmp_path: Path) -> None:
    """Under nohup or in a shell's background SIGINT is ignored from the start, and stays so."""
    packages = install(
        tmp_path / "site", "ontofetch-swallow", SWALLOWS.replace('raise RuntimeError("Query interrupted")', "return 0")
    )
    program = Program(tmp_path / "store", packages)
    start = f"import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_IGN); os.execv({str(sys.executable)!r}, "
    start += "[sys.executable, '-m', 'ontofetch_catalog', 'swallow', 'SIGINT'])"
    ended = subprocess.run(
        [sys.executable, "-c", start], env=program.environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert (ended.returncode, ended.stderr) == (0, "")


def test_a_signal_from_outside_ends_a_slow_fetch(tmp_path: Path, served: Served) -> None:
    """A real process in the midst of a body that does not come: the word, the code, and no stage is left."""
    import threading

    stall = threading.Event()
    body = _archive()
    served.site.answers["/slow/a.zip"] = Answer(body[:100], length=len(body), stall=stall)
    program = Program(tmp_path / "store")
    words = ("pull", served.site.url("/slow/a.zip"), "--service", "s", "--ontology", "o", "--version", "1.0")
    for name, (code, word) in CODES.items():
        before = len(served.site.seen)
        process = program.start(*words)
        while len(served.site.seen) == before:
            assert process.poll() is None
        process.send_signal(getattr(signal, name))
        _, told = process.communicate(timeout=60)
        assert (process.returncode, told.splitlines()[-1]) == (code, word)
        assert "Traceback" not in told
    stall.set()
    staging = tmp_path / "store/.catalog/staging"
    assert not staging.exists() or not list(staging.iterdir())
    served.site.answers["/slow/a.zip"] = Answer(body)
    assert program.run(*words).returncode == 0
    assert_consistent(tmp_path / "store")


def test_a_signal_waits_until_the_driver_is_imported() -> None:
    """What breaks its import off lets the next one abort the process, and there is one on the way out."""
    code = """
import os, signal, sys
class Ended(BaseException): pass
def note(*_): raise Ended
signal.signal(signal.SIGTERM, note)
class Finder:
    def find_spec(self, name, *_):
        if name == "_duckdb": os.kill(os.getpid(), signal.SIGTERM)
sys.meta_path.insert(0, Finder())
from ontofetch_catalog.catalog.fsops.driver import driver
try:
    driver()
except Ended:
    print("_duckdb" in sys.modules, "duckdb" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "True True\n"), done.stderr
