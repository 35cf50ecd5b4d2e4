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
SAMPLES = levels.SAMPLED | levels.SAMPLED_IN_QUICK


def functions(path: Path) -> set[str]:
    """Return the names of the functions of a file."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def imported(path: Path) -> set[str]:
    """Return what a file of tests imports of the package, as `package.module` or `package.module.name`."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names |= {str(node.module)} | {f"{node.module}.{alias.name}" for alias in node.names}
    return {name for name in names if name.startswith("ontofetch_catalog.")}


def test_what_is_named_is_there() -> None:
    """A renamed file or test leaves nothing behind in the tables."""
    for name in (*levels.SLOW, *levels.RARE, *SAMPLES):
        path, _, function = name.partition("::")
        found = levels.TOP / f"{path}.py"
        assert found.exists() or (levels.TOP / path).is_dir(), name
        assert not function or function in functions(found), name


def test_nothing_is_named_in_vain() -> None:
    """A sample is smaller than what it is of, and of something that is not left out."""
    for name in SAMPLES:
        assert levels.SAMPLED.get(name, 2) > 1, name
        assert levels.SAMPLED_IN_QUICK.get(name, 2**30) > levels.SAMPLED.get(name, 1), name
        assert not name.startswith(levels.RARE), name
    assert not [name for name in levels.SAMPLED_IN_QUICK if name.startswith(levels.SLOW)]
    assert not [name for name in levels.SLOW if name.startswith(levels.RARE)]


@pytest.mark.parametrize("share", [2, 3, 4, 6, 8])
def test_a_sample_is_evenly_spread(share: int) -> None:
    """It has the first, about one in so many of any stretch and of any column of a table, and each smaller sample."""
    sample = [number for number in range(1200) if levels.is_in_sample(number, share)]
    assert sample[0] == 0
    assert max(after - before for before, after in pairwise(sample)) < 3 * share
    assert set(sample) >= {number for number in range(1200) if levels.is_in_sample(number, share + 1)}
    for columns in range(2, 12):
        found = Counter(number % columns for number in sample)
        assert len(found) == columns
        assert max(found.values()) < 2 * min(found.values())
    assert all(levels.is_in_sample(number, 1) for number in range(100))


def test_each_run_asks_for_its_tests() -> None:
    """The commands of make are told apart by the marks, and the gate's has none."""
    makefile = (CHECKOUT / "Makefile").read_text(encoding="utf-8")
    runs = dict(re.findall(r"^([\w-]+): \$\(STAMP\)\n\t\$\(PYTEST\)(.*)$", makefile, re.MULTILINE))
    assert runs == {"quick": ' -m "not slow"', "test": ' -m "not rare"', "test-all": ""}
    gate = (CHECKOUT / ".ci/run").read_text(encoding="utf-8").splitlines()
    assert [line for line in gate if line.startswith("make test")] == ["make test-all"]


def test_no_module_is_left_to_the_longest_run() -> None:
    """Whatever module of the package a test imports, one that `make test` runs imports, too."""
    files = {path: imported(path) for path in levels.TOP.rglob("test_*.py")}
    often = {name for path, names in files.items() if not levels.begins_with(path, levels.RARE) for name in names}
    assert len(often) > 100
    assert set().union(*files.values()) - often == set()


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
