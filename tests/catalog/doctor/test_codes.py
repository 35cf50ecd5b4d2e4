"""The table of findings in the documentation says what the code says, and every fix can be carried out."""

from __future__ import annotations

import inspect
import sys
from pathlib import Path

from ontofetch_catalog.catalog.doctor.codes import CODES, as_contributions
from ontofetch_catalog.catalog.doctor.findings import COLUMNS
from ontofetch_catalog.catalog.doctor.plan import REPAIRS
from ontofetch_hookspecs import load_target

PAGE = Path(__file__).parents[3] / "docs/operations.md"


def test_the_table_of_codes_is_the_codes() -> None:
    """Each code stands in the page with its severity, meaning, fixes and what to do else, in order."""
    rows = [line.strip("| ").split(" | ") for line in PAGE.read_text().splitlines() if line.startswith("| CAT")]
    assert rows == [
        [
            code.code,
            code.severity,
            code.meaning,
            "; ".join(f"`{fix.name}`: {fix.does}" for fix in code.fixes) or "-",
            code.otherwise or "-",
        ]
        for code in CODES
    ]


def test_codes_are_numbered_and_every_fix_has_a_repair() -> None:
    """No number is left out or used twice; fixes and repairs are the same pairs; without a fix there is advice."""
    assert [code.code for code in CODES] == [f"CAT{number:03d}" for number in range(1, len(CODES) + 1)]
    assert {(code.code, fix.name) for code in CODES for fix in code.fixes} == set(REPAIRS)
    assert all(code.fixes or code.otherwise for code in CODES)


def test_every_code_names_its_check() -> None:
    """The table says what finds each code: a function in a module that names it."""
    contributed = as_contributions()
    assert [item.code for item in contributed] == [code.code for code in CODES]
    for item in contributed:
        check = load_target(item.target)
        assert callable(check)
        assert f'"{item.code}"' in inspect.getsource(sys.modules[check.__module__]), item.target


def test_the_columns_are_documented() -> None:
    """Every column of a finding is named in the page."""
    page = PAGE.read_text()
    assert all(f"`{name}`" in page for name in COLUMNS)
