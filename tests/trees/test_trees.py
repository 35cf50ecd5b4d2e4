"""A sample of the generated trees holds; `python -m tests.trees` tries 10,000."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.trees import trial
from tests.trees.__main__ import main
from tests.trees.loop import run
from tests.trees.tree import DATA, Tree
from tests.trees.trial import NAMES


def test_a_sample_of_trees_loses_nothing_and_finds_every_orphan() -> None:
    """Every trap is hit, no live file is lost or changed, and plans take the true orphans alone."""
    report = run(60, seed=20260101)
    assert report.broken == []
    assert set(report.traps) == set(NAMES)
    assert report.trees == 60


@pytest.mark.parametrize("wrong", ["a live file", "an orphan"])
def test_a_wrong_plan_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrong: str) -> None:
    """A tree whose plan takes one file too many or too few fails."""
    trial.make_template(tmp_path / "template")
    added = Tree.add

    def add(tree: Tree, name: str | bytes, **more: object) -> str:
        relpath = added(tree, name, **more)  # type: ignore[arg-type]
        if wrong == "an orphan":
            tree.orphans.add(f"{DATA}/unseen")
        else:
            tree.orphans.discard(relpath)
        return relpath

    monkeypatch.setattr(Tree, "add", add)
    _, told = trial.try_tree(tmp_path / "template", tmp_path / "tree", 1, 1)
    assert told.startswith("AssertionError: ")


def test_a_failure_is_reproduced_by_its_command(capsys: pytest.CaptureFixture[str]) -> None:
    """One tree can be tried alone by its number."""
    assert main(["--count", "1", "--first", "7", "--processes", "1"]) == 0
    assert "1 trees" in capsys.readouterr().out
