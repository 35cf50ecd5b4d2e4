"""The manual page says what the parsers say, and is a page of man."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from ontofetch_catalog.cli.db_cmd import VERBS
from tests.manual import PAGE, make_page


def test_the_page_is_what_the_parsers_make() -> None:
    """`python -m tests.manual` would write it as it is; each verb has its place, and options are told."""
    page = PAGE.read_text(encoding="utf-8")
    assert page == make_page()
    assert all(f"ontofetch db {verb}" in page.replace("\\", "") for verb in VERBS)
    assert "\\-\\-keep\\-last" in page


@pytest.mark.skipif(not shutil.which("groff"), reason="groff is not installed")
def test_groff_finds_no_fault() -> None:
    """It is shown whole and without a warning."""
    shown = subprocess.run(
        ["groff", "-man", "-Tascii", "-ww", "-P-cbou", str(PAGE)], capture_output=True, text=True, check=True
    )
    assert shown.stderr == ""
    assert "--keep-last N" in shown.stdout
