"""What a command prints of a catalog without a release: a sentence, and no table that says `nothing` by itself."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from tests.cli.conftest import Run
from tests.cli.test_destination import every_command

pytestmark = pytest.mark.usefixtures("quick_databases")


@pytest.fixture
def emptied(store: Path) -> Path:
    """Return the store after all its rows but the events were taken away."""
    with duckdb.connect(str(store / ".catalog/ontofetch.duckdb")) as connection:
        for table in ("versions", "artifacts", "extracted_files", "validations", "latest_pointer"):
            connection.execute(f"DELETE FROM {table}")
    return store


@every_command
def test_nothing_is_said_in_a_sentence(words: tuple[str, ...], emptied: Path, run: Run) -> None:
    """Where there are no rows stdout is empty or has headings, and stderr says what there is none of."""
    _, printed, err = run(*words, root=emptied)
    lines = printed.splitlines()
    assert lines[:1] != ["nothing"]
    assert printed or err.strip()
    if "nothing" in lines:
        assert lines[lines.index("nothing") - 1].strip()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("events", "--type", "none.*"), "No event fits."),
        (("files", "2.0", "--include", "none*"), "example/sample/2.0 has no file that matches."),
        (("pin",), "No release is pinned."),
        (("backup", "--list"), "There is no backup below .catalog/backups."),
        (("prune", "--plans"), "There is no plan."),
        (("doctor",), "nothing is wrong"),
    ],
)
def test_a_lone_table_without_rows_is_a_sentence(words: tuple[str, ...], said: str, run: Run) -> None:
    """Nothing goes to stdout, and one sentence to stderr."""
    code, printed, err = run("db", *words)
    assert (code, printed) == (0, "")
    assert said in err
    assert len(err.splitlines()) == 1
