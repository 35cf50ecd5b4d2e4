"""Processes of ours start with nothing of the current folder, a named environment and limits; one place starts them."""

from __future__ import annotations

import ast
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ontofetch_catalog.children.limits import Allowance
from ontofetch_catalog.children.start import clean_path, environment, start_module
from ontofetch_catalog.content.packed.bounds import Limits
from ontofetch_catalog.errors import ExtractError
from ontofetch_catalog.host.extract import begin_extraction
from ontofetch_catalog.host.unpacked import Wanted
from ontofetch_catalog.host.unpacker_process import Unpacker
from ontofetch_hookspecs import Stage
from tests.environments import CHECKOUT
from tests.programs import SCRIPT, Program

FORGED = """
import os
open({mark!r}, "a").write(__name__ + "\\n")
"""
NAMES = ("json", "ctypes", "signal", "select", "hashlib", "pyoxigraph", "zstandard", "sitecustomize", "usercustomize")
PACKAGES = ("ontofetch_catalog", "ontofetch_hookspecs", "importlib")


@pytest.fixture
def trap(tmp_path: Path) -> tuple[Path, Path]:
    """Return a folder of somebody else's, full of modules with the names of ours, and the file that they write."""
    folder, mark = tmp_path / "cloned", tmp_path / "ran"
    for name in NAMES:
        folder.mkdir(exist_ok=True)
        (folder / f"{name}.py").write_text(FORGED.format(mark=str(mark)))
    for name in PACKAGES:
        (folder / name).mkdir()
        (folder / name / "__init__.py").write_text(FORGED.format(mark=str(mark)))
    (folder / "x.ttl").write_text("<urn:a> <urn:b> <urn:c> .")
    return folder, mark


def test_a_pull_runs_nothing_of_the_current_folder(trap: tuple[Path, Path], tmp_path: Path) -> None:
    """Unpacking, validating and verifying in a cloned folder leave its modules alone."""
    folder, mark = trap
    environment = {**Program(tmp_path / "store").environment}
    del environment["PYTHONPATH"]
    for words in (
        ["pull", "x.ttl", "--service", "s", "--ontology", "o", "--version", "1"],
        ["db", "verify"],
    ):
        done = subprocess.run(
            [SCRIPT, *words], env=environment, cwd=folder, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, done.stderr
    assert not mark.exists()


@pytest.mark.parametrize("spoiled", ["{folder}", "", ".", "sub", "..", "{folder}/sub", "{folder}/.."])
def test_whatever_leads_to_the_current_folder_is_left_out(trap: tuple[Path, Path], spoiled: str) -> None:
    """Empty, relative, absolute, its child, its parent, through a link: none is handed on, and none is run."""
    folder, mark = trap
    (folder / "sub").mkdir()
    (folder / "sub/json.py").write_text(FORGED.format(mark=str(mark)))
    entry = spoiled.format(folder=folder)
    found = clean_path([entry, *sys.path], str(folder))
    assert entry not in found
    assert all(os.path.isabs(path) for path in found)
    link = folder.parent / "link"
    link.symlink_to(folder)
    assert str(link) not in clean_path([str(link)], str(folder))


def test_a_venv_in_the_current_folder_is_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What belongs to the interpreter stays, wherever it is; so does our own code."""
    monkeypatch.setattr(sys, "prefix", str(tmp_path / ".venv"))
    inside = str(tmp_path / ".venv/lib/site-packages")
    assert clean_path([inside, str(tmp_path)], str(tmp_path)) == [inside, str(CHECKOUT), str(CHECKOUT / "hookspecs")]


def test_the_environment_is_what_is_named() -> None:
    """Nothing that brings code in, and no secret of somebody else, is handed on."""
    ours = {
        "PATH": "/bin",
        "LC_ALL": "C",
        "ONTOFETCH_SHAPES": "x",
        "PYTHONPATH": ".",
        "PYTHONSTARTUP": "x",
        "PYTHONHOME": "x",
        "LD_PRELOAD": "x.so",
        "LD_LIBRARY_PATH": ":lib:/opt/lib",
        "AWS_SECRET_ACCESS_KEY": "x",
    }
    told = {"PATH": "/bin", "LC_ALL": "C", "ONTOFETCH_SHAPES": "x", "LD_LIBRARY_PATH": "/opt/lib"}
    assert environment(ours) == told | {"MALLOC_ARENA_MAX": "2"}


PROBE = """
import json, os, resource, sys
def main(*words):
    limits = {name: resource.getrlimit(getattr(resource, name))[0] for name in ("RLIMIT_AS", "RLIMIT_CORE")}
    told = {"words": words, "flags": [sys.flags.isolated, sys.flags.safe_path], "cwd": os.getcwd(), "path": sys.path}
    print(json.dumps({**told, **limits}), flush=True)
    return 0
"""


def test_a_process_starts_isolated_elsewhere_and_limited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has its limits from the first line on, no current folder of ours, and our path behind its own."""
    (tmp_path / "probing.py").write_text(PROBE)
    monkeypatch.syspath_prepend(str(tmp_path))
    process = start_module("probing", "a", "b", memory=1 << 30)
    out, _ = process.communicate(timeout=60)
    told = json.loads(out)
    assert (told["words"], told["flags"], told["cwd"]) == (["a", "b"], [1, True], "/")
    assert told["RLIMIT_CORE"] == 0
    assert sys.platform != "linux" or told["RLIMIT_AS"] == 1 << 30
    library = next(place for place, entry in enumerate(told["path"]) if entry.endswith("lib-dynload"))
    assert told["path"].index(str(tmp_path)) > library


def archive(folder: Path, size: int) -> Path:
    """Return a file of so many bytes that is its own release."""
    path = folder / "a.ttl"
    with path.open("wb") as stream:
        stream.truncate(size)
    return path


def unpack(archive: Path, stage: Stage, wanted: Wanted, allowance: Allowance) -> None:
    """Unpack in a process, also what this process would have copied by itself."""
    begin_extraction(archive, stage, Unpacker(allowance), wanted).finish()


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS does not enforce RLIMIT_AS")
def test_unpacking_beyond_a_limit_is_a_sentence(tmp_path: Path) -> None:
    """Memory and processor are limited in the process that unpacks; the sentence names limit, setting and file."""
    many = tmp_path / "many.tar"
    from tests import hostile_archives as hostile

    many.write_bytes(b"".join(hostile.tar_header(f"n{'x' * 60}{number}", 0) for number in range(60_000)) + bytes(1024))
    with pytest.raises(ExtractError) as refused:
        unpack(many, Stage.create(tmp_path / "s1"), Wanted(name="many.tar"), Allowance(max_memory=34_000_000))
    assert "max_memory" in str(refused.value)
    assert "'many.tar'" in str(refused.value)
    slow = Allowance(max_cpu=0.001, max_cpu_per_mb=0.0)
    with pytest.raises(ExtractError, match="max_cpu") as refused:
        unpack(archive(tmp_path, 20_000_000_000), Stage.create(tmp_path / "s2"), Wanted(name="a.ttl"), slow)
    assert "'a.ttl'" in str(refused.value)


@pytest.mark.skipif(not Path("/proc/self/limits").exists(), reason="only Linux tells the limits of a process")
def test_a_process_that_unpacks_writes_no_file_beyond_its_limit(tmp_path: Path) -> None:
    """Whatever the reader of an archive lets through, no file becomes larger than all of it may be."""
    limits = []
    unpacker = Unpacker()
    wanted = Wanted(name="a.ttl", limits=Limits(max_bytes=123_456))
    begin_extraction(archive(tmp_path, 10), Stage.create(tmp_path / "store"), unpacker, wanted).finish(
        lambda *_: limits.append(Path(f"/proc/{unpacker._process.pid}/limits").read_text())
    )
    assert limits
    assert all("123456" in line for text in limits for line in text.splitlines() if line.startswith("Max file size"))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL, signal.SIGTERM])
def test_no_unpacker_outlives_its_parent(tmp_path: Path, number: int) -> None:
    """However the one that started it ends, the process that unpacks ends, in the middle of a large file."""
    archive(tmp_path, 1 << 40)
    script = (
        "import sys; from pathlib import Path; from ontofetch_hookspecs import Stage\n"
        "from ontofetch_catalog.content.packed.bounds import Limits\n"
        "from ontofetch_catalog.host.extract import extract_artifact\n"
        "from ontofetch_catalog.host.unpacked import Wanted\n"
        "print('ready', flush=True)\n"
        "wanted = Wanted(name='a.ttl', limits=Limits(max_bytes=10**9))\n"
        "extract_artifact(Path(sys.argv[1]) / 'a.ttl', Stage.create(Path(sys.argv[1]) / 'store'), wanted)\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=CHECKOUT,
    )
    assert parent.stdout is not None
    parent.stdout.readline()
    children = _wait_for(lambda: _children(parent.pid))
    parent.send_signal(number)
    parent.wait(timeout=60)
    parent.stdout.close()
    _wait_for(lambda: not any(_runs(child) for child in children))


def _children(pid: int) -> list[int]:
    return [int(found) for path in Path(f"/proc/{pid}/task").glob("*/children") for found in path.read_text().split()]


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def _wait_for(condition: Any, seconds: float = 30.0) -> Any:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError("it did not come to pass")


STARTS = {"subprocess", "multiprocessing", "concurrent.futures.process", "pty"}
CALLS = ("exec", "spawn", "posix_spawn", "fork", "system", "popen")
# /bin/ps, by its whole name, tells on macOS what /proc tells on Linux
ALLOWED = {
    "ontofetch_catalog/children/start.py",
    "hookspecs/ontofetch_hookspecs/processes.py",
    "hookspecs/ontofetch_hookspecs/conformance.py",  # imports a plugin anew, in its author's tests
    "ontofetch_catalog/host/writers.py",  # forks the process that unpacks, with its limits
}
TYPES_ONLY = {"Popen"}


def starts(source: str) -> Iterator[str]:
    """Yield what in a module could start a process."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in STARTS - {"subprocess"})
        if isinstance(node, ast.ImportFrom) and node.module in STARTS:
            yield from (alias.name for alias in node.names if alias.name not in TYPES_ONLY)
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            owner, _, last = name.rpartition(".")
            if owner in ("os", "pty") and last.startswith(CALLS):
                yield name
            if owner == "subprocess" or name == "Popen" or last in ("ProcessPoolExecutor", "create_subprocess_exec"):
                yield name


def test_one_place_starts_processes() -> None:
    """No module but one starts a process; what unpacks is forked where it writes, with nothing new in it."""
    sources = [*(CHECKOUT / "ontofetch_catalog").rglob("*.py"), *(CHECKOUT / "hookspecs").rglob("*.py")]
    found = {path.relative_to(CHECKOUT).as_posix(): list(starts(path.read_text(encoding="utf-8"))) for path in sources}
    assert {path for path, calls in found.items() if calls} == ALLOWED


@pytest.mark.parametrize(
    "source",
    [
        "import subprocess\nsubprocess.run(['x'])",
        "from subprocess import run",
        "import multiprocessing",
        "import os\nos.execv('x', [])",
        "import os\nos.posix_spawn('x', [], {})",
        "import os\nos.system('x')",
        "import os\nos.fork()",
        "from subprocess import Popen\nPopen(['x'])",
    ],
)
def test_the_rule_about_starting_can_fail(source: str) -> None:
    """Each way to start a process is seen."""
    assert list(starts(source))


ASKING = """
import sys
face = sys.modules["ontofetch_hookspecs"]
def main():
    print("errors" in vars(face), "OntofetchError" in vars(face), "pluggy" in sys.modules, flush=True)
    from ontofetch_hookspecs import OntofetchError, hookimpl
    import ontofetch_hookspecs.errors
    print(sys.modules["ontofetch_hookspecs"] is face, OntofetchError is ontofetch_hookspecs.errors.OntofetchError,
        face.__spec__.name, "pluggy" in sys.modules, flush=True)
    return 0
"""


def test_the_face_of_the_contract_comes_when_somebody_asks_for_a_name_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that needs single modules does not wait for it; a plugin's module finds all of it."""
    (tmp_path / "asking.py").write_text(ASKING)
    monkeypatch.syspath_prepend(tmp_path)
    with start_module("asking") as process:
        told, _ = process.communicate()
    assert told.split(b"\n")[:2] == [b"False False False", b"True True ontofetch_hookspecs True"]
