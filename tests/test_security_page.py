"""docs/security.md: every test that it names is there, and each kind of attack on a store has its row."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.catalog.test_foreign_store import ATTACKS

CHECKOUT = Path(__file__).parents[1]
PAGE = (CHECKOUT / "docs/security.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`((?:tests|benchmarks)/[\w/]+\.py)::(\w+)`", PAGE)))


def functions(path: str) -> set[str]:
    """Return the names of the functions of a file."""
    tree = ast.parse((CHECKOUT / path).read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize(("path", "name"), NAMED)
def test_a_named_test_is_there(path: str, name: str) -> None:
    """Each test of the page exists under its name."""
    assert name in functions(path)


def test_every_row_names_a_test() -> None:
    """No defence is told of without a test: its name, or the row above whose test it shares."""
    rows = [line for line in PAGE.splitlines() if line.startswith("| ") and not line.startswith("| attack")]
    assert len(rows) > 50
    for row in rows:
        *_, tests, _ = row.split("|")
        assert "::" in tests or "the first" in tests or "the same" in tests, row


def test_every_kind_of_attack_on_a_store_has_a_row() -> None:
    """What is tried against a store is told of, kind by kind."""
    kinds = {name.partition("/")[0] for name in ATTACKS}
    for kind in kinds - {"swap"}:
        assert f"`{kind}/" in PAGE, kind
