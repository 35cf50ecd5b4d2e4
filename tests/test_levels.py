"""What `make quick` runs `make test` runs, what this runs `make test-all` runs, and the gate runs all."""

from __future__ import annotations

import ast
import re
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

from tests import levels

CHECKOUT = levels.TOP.parent


def functions(path: Path) -> set[str]:
    """Return the names of the functions of a file."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def imported(path: Path) -> set[str]:
    """Return the modules of the package and of the tests that a file imports."""
    found = set()
    parents = ("", *(".".join(path.relative_to(CHECKOUT).parts[:-up]) for up in range(1, len(path.parts))))
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            place = ".".join(filter(None, (parents[node.level], node.module)))
            found |= {place, *(f"{place}.{alias.name}" for alias in node.names)}
    return {name for name in found if name.startswith(("ontofetch_catalog.", "tests.")) and source_of(name).exists()}


def source_of(module: str) -> Path:
    """Return where a module or a package would be."""
    path = CHECKOUT / module.replace(".", "/")
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def test_what_is_named_is_there() -> None:
    """A renamed file or test leaves nothing behind in the tables."""
    for name in (*levels.SLOW, *levels.RARE, *levels.SHARES, *levels.WHOLE):
        path, _, function = name.partition("::")
        found = levels.TOP / f"{path}.py"
        assert found.exists() or (levels.TOP / path).is_dir(), name
        assert not function or function in functions(found), name


def test_nothing_is_named_in_vain() -> None:
    """What is rare is slow; what is whole or sampled is not rare."""
    assert not [name for name in (*levels.SLOW, *levels.SHARES, *levels.WHOLE) if name.startswith(levels.RARE)]
    assert not [name for name in levels.SHARES if name.startswith(levels.WHOLE)]
    assert min(levels.SHARES.values()) > levels.SHARE
    assert sorted(levels.SLOW) == sorted(set(levels.SLOW))
    assert sorted(levels.RARE) == sorted(set(levels.RARE))


@pytest.mark.parametrize("cases", [5, 12, 60, 1200])
def test_a_sample_is_evenly_spread(cases: int) -> None:
    """It has the first case, about one in so many of any stretch, and some of any column of a table."""
    sample = [case for case in range(cases) if levels.is_in_sample("x", case, cases)]
    assert sample[0] == 0
    assert abs(len(sample) - cases / levels.SHARE) < 3
    assert max(after - before for before, after in pairwise([*sample, cases])) < 2 * levels.SHARE
    for columns in range(2, cases // 80):
        found = Counter(case % columns for case in sample)
        assert len(found) == columns
        assert max(found.values()) < 2 * min(found.values())


def test_a_few_cases_are_no_sample() -> None:
    """Nor are those of a test whose cases are each its own."""
    for name, cases in (("x", levels.FEW), (levels.WHOLE[0], 1000)):
        assert all(levels.is_in_sample(name, case, cases) for case in range(cases))


def test_each_run_asks_for_its_tests() -> None:
    """The commands of make are told apart by the marks, and the gate's has none."""
    makefile = (CHECKOUT / "Makefile").read_text(encoding="utf-8")
    runs = dict(re.findall(r"^([\w-]+): \$\(STAMP\)\n\t\$\(PYTEST\)(.*)$", makefile, re.MULTILINE))
    assert runs == {"quick": ' -m "not slow"', "test": ' -m "not rare"', "test-all": ""}
    gate = (CHECKOUT / ".ci/run").read_text(encoding="utf-8").splitlines()
    assert [line for line in gate if line.startswith("make test")] == ["make test-all"]


def test_no_module_is_left_to_the_longest_run() -> None:
    """Whatever module of the package a test imports, one that `make test` runs leads to, if not by itself."""
    files = {path: imported(path) for path in levels.TOP.rglob("test_*.py")}
    often = set[str]().union(*(found for path, found in files.items() if not levels.begins_with(path, levels.RARE)))
    assert len(often) > 100
    helped = often.union(*(imported(source_of(name)) for name in often if name.startswith("tests.")))
    reached = helped.union(*(imported(source_of(name)) for name in helped))
    left = set[str]().union(*files.values()) - reached
    assert [name for name in left if not name.startswith("tests.")] == []


def test_each_run_is_within_the_next(request: pytest.FixtureRequest) -> None:
    """Of the tests of this run: what a longer one leaves out no shorter one has, and of a sample a case is there."""
    marks = {item: {mark.name for mark in item.iter_markers()} for item in request.session.items}
    assert not [item for item, names in marks.items() if "rare" in names and "slow" not in names]
    often = {levels.name_of(item) for item, names in marks.items() if "rare" not in names}
    assert not [
        name for item in marks if (name := levels.name_of(item)) not in often and not name.startswith(levels.RARE)
    ]
    for left_out, mark in (("not slow", "slow"), ("not rare", "rare")):
        # a file that is not even read is one of which no test is asked for
        assert not [item for item in marks if levels.is_left_out(item.path, left_out) and mark not in marks[item]]
