"""Changes of terms in the Knowledge Graph Change Language, one command a line, for tools that apply them.

It knows the columns of the report `meaning`, and nothing of where its rows come from.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from ..errors import UsageError
from .text import safe_text

if TYPE_CHECKING:
    import polars as pl

NEEDED = ("change", "iri", "label_a", "label_b", "definition_a", "definition_b", "parents_a", "parents_b",
          "replaced_by", "after")  # fmt: skip
_UNDER = "rdfs:subClassOf"
_log = logging.getLogger("ontofetch.report")


def as_kgcl(frame: pl.DataFrame) -> str:
    """Return the changes of the report `meaning` as lines of KGCL; how many have no word in it is logged.

    Raises:
        UsageError: The rows are about something else than changes of terms.
    """
    import polars as pl

    if any(name not in frame.columns for name in NEEDED):
        raise UsageError(
            "Only changes of terms can be written as kgcl.",
            subject="--format",
            hint="`report meaning --a A --b B --format kgcl` has them; leave out --by and --series.",
        )
    change = pl.col("change").cast(pl.String)
    written = pl.coalesce(*(pl.when(change == name).then(lines) for name, lines in _commands().items()))
    commands = frame.select(written.alias("line"))["line"]
    silent = commands.null_count() + int((commands.list.len() == 0).sum())
    if silent:
        _log.warning("%s changes have no word in kgcl and are left out: other axioms, other kinds", f"{silent:,}")
    lines = commands.explode(empty_as_null=True).drop_nulls()
    # a line stays one line, whatever a label has in it
    return "".join(f"{safe_text(line)}\n" for line in lines)


def _commands() -> dict[str, pl.Expr]:
    """Return change → the lines that say it, a list."""
    import polars as pl

    here, label_a, label_b = _id(pl.col("iri")), _text(pl.col("label_a")), _text(pl.col("label_b"))
    there = _id(pl.col("after"))
    obsolete = _line("obsolete ", here)
    replaced = pl.coalesce(_line(obsolete, " with replacement ", _id(pl.col("replaced_by"))), obsolete)
    old, new = _text(pl.col("definition_a")), _text(pl.col("definition_b"))
    redefined = pl.coalesce(
        _line("change definition of ", here, " from ", old, " to ", new),
        _line("add definition ", new, " to ", here),
        _line("remove definition for ", here),
    )
    created = [pl.coalesce(_line("create node ", each, " ", label_b), _line("create ", each)) for each in (here, there)]
    renamed = _line("rename ", here, " from ", label_a, " to ", label_b)
    return {
        "added": pl.concat_list(created[0]),
        "removed": pl.concat_list(_line("delete ", here)),
        "obsoleted": pl.concat_list(replaced),
        "revived": pl.concat_list(_line("unobsolete ", here)),
        "merged": pl.concat_list(replaced),
        "namespace": pl.concat_list(_line("delete ", here), created[1]),
        "relabelled": pl.concat_list(renamed).list.drop_nulls(),
        "redefined": pl.concat_list(redefined),
        "moved": _moves(here),
    }


def _line(*parts: pl.Expr | str) -> pl.Expr:
    """Return text; null where a part is null."""
    import polars as pl

    return pl.concat_str([pl.lit(part) if isinstance(part, str) else part for part in parts])


def _id(iri: pl.Expr) -> pl.Expr:
    # what may not stand in an IRI can't end the one that is written
    return _line("<", iri.str.replace_all(r"[<>\s\"{}|\\^`]", "_"), ">")


def _text(text: pl.Expr) -> pl.Expr:
    # the language has no way to write a quote inside of quotes
    return _line("'", text.str.replace_all("'", "\u2019").str.replace_all(r"\s+", " "), "'")


def _moves(here: pl.Expr) -> pl.Expr:
    """Return the lines for other parents: a move where one took the place of another, else an edge for each."""
    import polars as pl

    sides = [pl.col(name).fill_null("").str.split(" ") for name in ("parents_a", "parents_b")]
    old, new = (side.list.filter(pl.element() != "") for side in sides)
    lost, gained = old.list.set_difference(new).list.sort(), new.list.set_difference(old).list.sort()
    one = (lost.list.len() == 1) & (gained.list.len() == 1)
    move = _line("move ", here, " from ", _id(lost.list.first()), " to ", _id(gained.list.first()))
    edges = pl.concat_list(_edges("delete", here, lost), _edges("create", here, gained))
    return pl.when(one).then(pl.concat_list(move)).otherwise(edges)


def _edges(word: str, here: pl.Expr, parents: pl.Expr) -> pl.Expr:
    import polars as pl

    # one text first: inside of a list an expression does not see the other columns
    start = _line(f"{word} edge ", here, f" {_UNDER} ")
    joined = parents.list.eval(_id(pl.element())).list.join("\n")
    whole = _line(start, joined.str.replace_all("\n", _line("\n", start).fill_null(""), literal=True))
    return pl.when(parents.list.len() > 0).then(whole.str.split("\n")).otherwise(pl.lit([], pl.List(pl.String)))
