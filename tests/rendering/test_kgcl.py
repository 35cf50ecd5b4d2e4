"""Changes of terms as KGCL: a command a line, whatever the words in it are."""

from __future__ import annotations

import re

import polars as pl
import pytest

from ontofetch_catalog.errors import UsageError
from ontofetch_catalog.rendering.kgcl import NEEDED, as_kgcl

A, B, C = (f"http://example.org/{name}" for name in "abc")


def changed(change: str, **told: str) -> pl.DataFrame:
    """Return one changed term."""
    return pl.DataFrame([dict.fromkeys(NEEDED) | {"change": change, "iri": A} | told], dict.fromkeys(NEEDED, pl.String))


@pytest.mark.parametrize(
    ("row", "lines"),
    [
        (changed("added", label_b="liver"), [f"create node <{A}> 'liver'"]),
        (changed("added"), [f"create <{A}>"]),
        (changed("removed"), [f"delete <{A}>"]),
        (changed("obsoleted", replaced_by=B), [f"obsolete <{A}> with replacement <{B}>"]),
        (changed("obsoleted"), [f"obsolete <{A}>"]),
        (changed("merged", replaced_by=B), [f"obsolete <{A}> with replacement <{B}>"]),
        (changed("revived"), [f"unobsolete <{A}>"]),
        (changed("namespace", after=B, label_b="x"), [f"delete <{A}>", f"create node <{B}> 'x'"]),
        (changed("relabelled", label_a="a", label_b="b"), [f"rename <{A}> from 'a' to 'b'"]),
        (changed("redefined", definition_a="a", definition_b="b"), [f"change definition of <{A}> from 'a' to 'b'"]),
        (changed("redefined", definition_b="b"), [f"add definition 'b' to <{A}>"]),
        (changed("moved", parents_a=B, parents_b=C), [f"move <{A}> from <{B}> to <{C}>"]),
        (
            changed("moved", parents_a=B, parents_b=f"{A} {C}"),
            [
                f"delete edge <{A}> rdfs:subClassOf <{B}>",
                f"create edge <{A}> rdfs:subClassOf <{A}>",
                f"create edge <{A}> rdfs:subClassOf <{C}>",
            ],
        ),
    ],
)
def test_each_change(row: pl.DataFrame, lines: list[str]) -> None:
    """Each category has its command."""
    assert as_kgcl(row).splitlines() == lines


def test_what_has_no_word_is_counted(caplog: pytest.LogCaptureFixture) -> None:
    """Other axioms can't be said; they are not lost without a word."""
    assert as_kgcl(pl.concat([changed("other"), changed("relabelled", label_b="b")])) == ""
    assert "2 changes" in caplog.text


def test_hostile_words_stay_in_their_line() -> None:
    """A label with quotes and line ends, an IRI with brackets: no second command."""
    hostile = changed(
        "relabelled", label_a="a' to 'b'\ndelete <x>", label_b="\x1b[31m\u202e", iri="http://x/>\ndelete <y"
    )
    text = as_kgcl(hostile)
    assert len(text.splitlines()) == 1
    assert re.fullmatch(r"rename <[^<> ]+> from '[^']*' to '[^']*'\n", text)
    assert "\x1b" not in text


def test_other_rows_are_refused() -> None:
    """What is no change of terms is no kgcl."""
    with pytest.raises(UsageError, match="kgcl"):
        as_kgcl(pl.DataFrame({"a": [1]}))
