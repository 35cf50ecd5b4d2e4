"""`note` and `tag`: what is said of a release is kept with it, in the row and in the manifest."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Run
from tests.releases import assert_consistent, query

pytestmark = pytest.mark.usefixtures("quick_databases")

Rows = Callable[..., list[dict[str, Any]]]
HP = "example/sample"


def test_notes_and_tags_are_listed_and_taken_away(store: Path, run: Run, rows: Rows) -> None:
    """They have numbers within their release; one goes by its number or by its words."""
    for text in ("first", "second", "third"):
        assert run("note", "2.0", text)[0] == 0
    run("tag", "1.0", "published")
    assert [(row["version_id"], row["number"], row["text"]) for row in rows("note")] == [
        (f"{HP}/2.0", number, text) for number, text in enumerate(("first", "second", "third"), 1)
    ]
    assert [row["text"] for row in rows("tag")] == ["published"]
    assert run("note", "2.0", "--remove", "2")[0] == 0
    assert run("note", "2.0", "--remove", "third")[0] == 0
    assert [row["text"] for row in rows("note", "2.0")] == ["first"]
    manifest = json.loads((store / HP / "2.0/manifest.json").read_text())
    assert [(note["kind"], note["text"]) for note in manifest["notes"]] == [("note", "first")]
    assert run("db", "doctor")[0] == 0
    assert_consistent(store)


def test_what_is_said_already_is_said_once(store: Path, run: Run) -> None:
    """The same words again change nothing."""
    run("note", "2.0", "once")
    code, _, err = run("note", "2.0", "once")
    assert (code, "already" in err) == (0, True)
    assert query(store, "SELECT count(*) FROM notes") == [(1,)]


def test_the_same_removal_again_is_no_mistake(store: Path, run: Run) -> None:
    """Who repeats it, as the first run was stopped at its end, is told so; of what never was there, the mistake."""
    run("tag", "2.0", "published")
    assert run("tag", "2.0", "--remove", "published")[0] == 0
    code, _, err = run("tag", "2.0", "--remove", "published")
    assert (code, "That tag was removed already." in err) == (0, True)
    assert query(store, "SELECT count(*) FROM events WHERE type = 'tag.removed'") == [(1,)]
    assert run("tag", "1.0", "--remove", "published")[0] == 2
    assert run("note", "2.0", "--remove", "published")[0] == 2


def test_a_number_never_means_another(store: Path, run: Run, rows: Rows) -> None:
    """What was removed by its number stays the one that a repeat means; taken back, it has its number again."""
    for text in ("first", "second", "third"):
        assert run("note", "2.0", text)[0] == 0
    assert run("note", "2.0", "--remove", "1")[0] == 0
    code, _, err = run("note", "2.0", "--remove", "1")
    assert (code, "That note was removed already." in err) == (0, True)
    assert [(row["number"], row["text"]) for row in rows("note", "2.0")] == [(2, "second"), (3, "third")]
    assert run("undo")[0] == 0
    assert [row["number"] for row in rows("note", "2.0")] == [1, 2, 3]
    assert run("note", "2.0", "--remove", "3")[0] == 0
    assert run("note", "2.0", "third")[0] == 0
    assert [row["number"] for row in rows("note", "2.0")] == [1, 2, 4]
    assert run("note", "2.0", "--remove", "3")[0] == 2


@pytest.mark.parametrize("text", ["\x1b[31mred", "two\nlines", "\u202egnp.exe", "", "   ", "x" * 2_001])
def test_a_note_is_a_line_of_plain_text(store: Path, run: Run, text: str) -> None:
    """What could change a terminal, and what says nothing, is refused, and does not reach it."""
    code, out, err = run("note", "2.0", text)
    assert code in (1, 2)
    assert "\x1b" not in out + err
    assert query(store, "SELECT count(*) FROM notes") == [(0,)]


@pytest.mark.parametrize("text", ["two words", "latest", "../x", "", "ü"])
def test_a_tag_is_a_name(store: Path, run: Run, text: str) -> None:
    """It may be what a version may be."""
    assert run("tag", "2.0", text)[0] in (1, 2)
    assert query(store, "SELECT count(*) FROM notes") == [(0,)]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("note", "9.9", "x"), "No release '9.9'"),
        (("note", "2.0", "--remove", "7"), "has no note '7'"),
        (("tag", "2.0", "--remove", "nothing"), "has no tag 'nothing'"),
        (("note", "--remove", "1"), "--remove needs the RELEASE"),
        (("tag", "2.0", "a", "--remove", "1"), "--remove needs the RELEASE"),
    ],
)
def test_a_mistake_is_a_sentence(store: Path, run: Run, words: tuple[str, ...], said: str) -> None:
    """It says what is wrong, and changes nothing."""
    code, _, err = run(*words)
    assert code in (1, 2)
    assert said in err


def test_a_store_from_elsewhere_brings_no_odd_notes(store: Path, run: Run) -> None:
    """A manifest whose notes break the rules is not taken over by a rebuild."""
    run("note", "2.0", "fine")
    path = store / HP / "2.0/manifest.json"
    path.write_text(path.read_text().replace('"text": "fine"', '"text": "\\u001b[31m"'))
    code, _, err = run("db", "rebuild", "--replace")
    assert code == 0
    assert "not taken over" in err
    assert query(store, "SELECT count(*) FROM notes") == [(0,)]
