"""Changes of terms as KGCL: a command a line, whatever the words in it are."""

from __future__ import annotations

import re

import polars as pl
import pytest

from ontofetch_catalog.errors import UsageError
from ontofetch_catalog.rendering.kgcl import NEEDED, as_kgcl

A, B, C = (f"http://example.org/{name}" for name in "abc")


# of kgcl.lark in kgcl-schema 0.7.0, those that can be written, with IRIs and texts as they are written here
_ID, _TEXT, _WORD = r"<[^\s<>]+>", r"'[^']+'", r"(rdfs:subClassOf|rdfs:subPropertyOf|skos:broader)"
FORMS = re.compile(
    rf"create node {_ID} {_TEXT}|create {_ID}|delete {_ID}|unobsolete {_ID}|obsolete {_ID}( with replacement {_ID})?"
    rf"|rename {_ID} from {_TEXT} to {_TEXT}|move {_ID} {_WORD} {_ID} from {_ID} to {_ID}"
    rf"|(create|delete) edge {_ID} {_WORD} {_ID}|change definition of {_ID} from {_TEXT} to {_TEXT}"
    rf"|add definition {_TEXT} to {_ID}|remove definition for {_ID}"
)


def changed(change: str, **told: str) -> pl.DataFrame:
    """Return one changed term."""
    return pl.DataFrame([dict.fromkeys(NEEDED) | {"change": change, "iri": A} | told], dict.fromkeys(NEEDED, pl.String))


ALIKE = changed("relabelled", label_a="the same in English", label_b="the same in English")


@pytest.mark.parametrize(
    ("row", "lines"),
    [
        (changed("added", label_b="liver"), [f"create node <{A}> 'liver'"]),
        (changed("added"), [f"create <{A}>"]),
        (changed("added", label_b=""), [f"create <{A}>"]),
        (
            changed("added", label_b="liver", definition_b="an organ", parents_b=f"{B} {C}"),
            [
                f"create node <{A}> 'liver'",
                f"add definition 'an organ' to <{A}>",
                f"create edge <{A}> rdfs:subClassOf <{B}>",
                f"create edge <{A}> rdfs:subClassOf <{C}>",
            ],
        ),
        (changed("removed"), [f"delete <{A}>"]),
        (changed("obsoleted", replaced_by=B), [f"obsolete <{A}> with replacement <{B}>"]),
        (changed("obsoleted"), [f"obsolete <{A}>"]),
        (changed("merged", replaced_by=B), [f"obsolete <{A}> with replacement <{B}>"]),
        (changed("revived"), [f"unobsolete <{A}>"]),
        (changed("namespace", after=B, label_b="x"), [f"create node <{B}> 'x'", f"delete <{A}>"]),
        (changed("relabelled", label_a="a", label_b="b"), [f"rename <{A}> from 'a' to 'b'"]),
        (changed("redefined", definition_a="a", definition_b="b"), [f"change definition of <{A}> from 'a' to 'b'"]),
        (changed("redefined", definition_b="b"), [f"add definition 'b' to <{A}>"]),
        (changed("moved", parents_a=B, parents_b=C), [f"move <{A}> rdfs:subClassOf <{B}> from <{B}> to <{C}>"]),
        (
            changed("moved", parents_a=B, parents_b=C, kind="object property"),
            [f"move <{A}> rdfs:subPropertyOf <{B}> from <{B}> to <{C}>"],
        ),
        (
            changed(
                "relabelled", label_a="a", label_b="b", definition_a="x", definition_b="y", parents_b=B, kind="concept"
            ),
            [
                f"rename <{A}> from 'a' to 'b'",
                f"change definition of <{A}> from 'x' to 'y'",
                f"create edge <{A}> skos:broader <{B}>",
            ],
        ),
        (
            changed("revived", label_a="obsolete a", label_b="a"),
            [f"unobsolete <{A}>", f"rename <{A}> from 'obsolete a' to 'a'"],
        ),
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
    """Each category has its commands, in the forms of the grammar that the language publishes."""
    assert as_kgcl(row).splitlines() == lines
    assert all(FORMS.fullmatch(line) for line in lines)


def test_terms_are_made_first_and_deleted_last() -> None:
    """Who applies one line after the other knows a parent before it gets a child."""
    rows = [
        changed("added", parents_b=B),
        changed("added", iri=B),
        changed("removed", iri=C),
        changed("revived", iri=C),
    ]
    assert [line.split(" <")[0] for line in as_kgcl(pl.concat(rows)).splitlines()] == [
        "create", "create", "create edge", "unobsolete", "delete",
    ]  # fmt: skip


def test_what_has_no_word_is_counted(caplog: pytest.LogCaptureFixture) -> None:
    """Other axioms can't be said; they are not lost without a word."""
    assert as_kgcl(pl.concat([changed("other"), changed("relabelled", label_b="b"), *([ALIKE] * 2)])) == ""
    assert "4 changes" in caplog.text


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
