"""The planted faults fit the source and the page of attacks; that they are caught is seen by `make hostile-mutants`."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from . import mutants
from .faults import FAULTS
from .faults.fault import Change, Fault

PAGE = (mutants.CHECKOUT / "docs/security.md").read_text(encoding="utf-8")
_TEST = re.compile(r"`(?P<path>[\w/]+\.py|…)::(?P<name>\w+)`|(?P<again>the first|the same)|`(?P<words>[^`]+)`")


def rows() -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Yield attack and (test, how its parameters begin; empty: any of them) of each row of the page."""
    first = last = ("", "")
    for line in PAGE.splitlines():
        if line.startswith(("## ", "| attack")):
            first = ("", "")
        if not line.startswith("| ") or line.startswith("| attack"):
            continue
        attack, _, told = line.strip("| ").split(" | ")
        found: list[tuple[str, str]] = []
        for match in _TEST.finditer(told.partition(", long:")[0]):
            if match["again"]:
                found.append(("::".join(first if match["again"] == "the first" else last), ""))
            elif match["words"]:
                test, words = found[-1]
                # several words stand for several parameters of one test
                found[-1:] = [(test, words)] if words else []
                found.append((test, match["words"].rstrip("…")))
            else:
                last = (last[0] if match["path"] == "…" else match["path"], match["name"])
                first = first if first[0] else last
                found.append(("::".join(last), ""))
        yield attack, found


@pytest.mark.parametrize(("attack", "tests"), list(rows()), ids=[attack[:50] for attack, _ in rows()])
def test_every_row_of_the_page_has_a_fault(attack: str, tests: list[tuple[str, str]]) -> None:
    """Each test that a row names has to fail with some planted fault, with parameters of the kind that it names."""
    planted = {test for fault in FAULTS for test in fault.tests}
    assert tests
    for test, words in tests:
        named = [one for one in planted if one == test or one.startswith(f"{test}[{words}")]
        assert named, (test, words)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_fits_the_source(fault: Fault) -> None:
    """What it replaces stands in its file exactly once, and what it makes of it is a module still."""
    texts: dict[str, str] = {}
    for change in fault.changes:
        text = texts.get(change.file) or (mutants.CHECKOUT / change.file).read_text(encoding="utf-8")
        texts[change.file] = mutants.planted(text, change)
    for name, text in texts.items():
        assert not name.endswith(".py") or ast.parse(text)
    assert fault.tests


def test_a_fault_knows_the_names_that_it_uses(tmp_path: Path) -> None:
    """Every name in what it makes of a module is there: a fault that fails by itself proves nothing about its tests."""
    for number, fault in enumerate(FAULTS):
        texts: dict[str, str] = {}
        for change in fault.changes:
            text = texts.get(change.file) or (mutants.CHECKOUT / change.file).read_text(encoding="utf-8")
            texts[change.file] = mutants.planted(text, change)
        for place, (name, text) in enumerate(texts.items()):
            if name.endswith(".py"):
                (tmp_path / f"{number}_{place}.py").write_text(f"# {fault.name}\n{text}", encoding="utf-8")
    words = ["-m", "ruff", "check", "--isolated", "--no-cache", "--target-version", "py311", "--select", "F821,F823"]
    told = subprocess.run([sys.executable, *words, tmp_path], capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stdout


@pytest.mark.parametrize("folder", ["tests/", "benchmarks/"])
def test_every_test_of_a_fault_is_there(folder: str) -> None:
    """What a fault says has to fail is the name of a test, with parameters that it has."""
    named = {test for fault in FAULTS for test in fault.tests if test.startswith(folder)}
    files = sorted({test.partition("::")[0] for test in named})
    words = ["-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", *files]
    # a process of its own, and no worker: pytest-benchmark warns where the first one of them finds a benchmark
    own = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_XDIST")}
    told = subprocess.run(
        [sys.executable, *words], cwd=mutants.CHECKOUT, env=own, capture_output=True, text=True, check=False
    )
    assert told.returncode == 0, told.stdout[-2000:] + told.stderr[-2000:]
    there = {line for line in told.stdout.splitlines() if "::" in line}
    there |= {line.partition("[")[0] for line in there}
    assert sorted(named - there) == []


def test_no_two_faults_have_one_name() -> None:
    """A name means one fault."""
    assert len({fault.name for fault in FAULTS}) == len(FAULTS)


@pytest.mark.parametrize(("former", "words"), [("nowhere", "has 0 times"), ("a", "has 3 times")])
def test_a_stale_fault_is_an_error(former: str, words: str) -> None:
    """A text that is gone, or stands there more than once, plants nothing."""
    with pytest.raises(mutants.Stale, match=words):
        mutants.planted("a a a", Change("x.py", former, "b"))


def test_what_did_not_notice_a_fault_is_told() -> None:
    """A test that passes, or never gets as far as its call, has caught nothing; one of its parameters is enough."""
    fault = Fault("x", (), ("t.py::one", "t.py::two", "t.py::three"))
    found = {
        "t.py::one[a]": mutants.Outcome("passed"),
        "t.py::one[b]": mutants.Outcome("failed"),
        "t.py::two": mutants.Outcome("setup failed", "no room"),
    }
    assert mutants.judge(fault, found) == ["t.py::two: setup failed", "    no room", "t.py::three: never called"]
    assert mutants.judge(fault, dict.fromkeys(fault.tests, mutants.Outcome("hung"))) == []


def test_a_fault_that_fails_by_itself_is_not_caught() -> None:
    """A fault that does not fit what stands around it makes its tests fail, but they have not noticed the defence."""
    stumbled = mutants.Outcome(
        "failed", "    open(x, mode=1)\nE   TypeError: f() got an unexpected keyword argument 'mode'"
    )
    assert not stumbled.caught
    assert mutants.judge(Fault("x", (), ("t.py::one",)), {"t.py::one": stumbled})[0] == "t.py::one: failed by itself"
    assert mutants.Outcome("failed", "    raise NameError\nE   assert 1 == 2").caught
