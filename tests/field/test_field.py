"""Every case of the field holds; `python -m tests.field` prints them as a table."""

from __future__ import annotations

from pathlib import Path

import pytest

from .case import Case
from .cases import CASES

OPENINGS = ("roots",)  # kinds in which the opening of the database is what may go wrong


@pytest.mark.parametrize("case", CASES, ids=[case.title for case in CASES])
def test_a_case_of_the_field(tmp_path: Path, case: Case, request: pytest.FixtureRequest) -> None:
    """What the field publishes becomes what it must."""
    if case.kind not in OPENINGS:
        request.getfixturevalue("quick_databases")
    case.run(tmp_path)


def test_no_two_cases_have_one_title() -> None:
    """A case is found by its title."""
    assert len({case.title for case in CASES}) == len(CASES)
