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

NEEDED = ("change", "iri", "kind", "label_a", "label_b", "definition_a", "definition_b", "parents_a", "parents_b",
          "replaced_by", "after")  # fmt: skip
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
        _log.warning(
            "%s changes have no word in kgcl and are left out: other axioms, other kinds, texts in other languages",
            f"{silent:,}",
        )
    lines = commands.explode(empty_as_null=True).drop_nulls()
    # who applies them one by one has to know a term before it gets children, and loses it last
    first, last = lines.str.contains("^create (node )?<"), lines.str.starts_with("delete <")
    ordered = pl.concat([lines.filter(first), lines.filter(~(first | last)), lines.filter(last)])
    # a line stays one line, whatever a label has in it
    return "".join(f"{safe_text(line)}\n" for line in ordered)


def _commands() -> dict[str, pl.Expr]:
    """Return change → the lines that say it, a list."""
    import polars as pl

    here, label_a, label_b = _id(pl.col("iri")), _text(pl.col("label_a")), _text(pl.col("label_b"))
    obsolete = _line("obsolete ", here)
    replaced = pl.coalesce(_line(obsolete, " with replacement ", _id(pl.col("replaced_by"))), obsolete)
    old, new = _text(pl.col("definition_a")), _text(pl.col("definition_b"))
    redefined = pl.when(pl.col("definition_a").ne_missing(pl.col("definition_b"))).then(
        pl.coalesce(
            _line("change definition of ", here, " from ", old, " to ", new),
            _line("add definition ", new, " to ", here),
            _line("remove definition for ", here),
        )
    )
    renamed = pl.when(label_a != label_b).then(_line("rename ", here, " from ", label_a, " to ", label_b))
    # a term has one change and may differ in more
    edits = _all_of(pl.concat_list(renamed, redefined), _moves(here))
    return {
        "added": _made(here),
        "removed": pl.concat_list(_line("delete ", here)),
        "obsoleted": pl.concat_list(replaced),
        "revived": _all_of(pl.concat_list(_line("unobsolete ", here)), edits),
        "merged": pl.concat_list(replaced),
        "namespace": _all_of(pl.concat_list(_line("delete ", here)), _made(_id(pl.col("after")))),
        **dict.fromkeys(("relabelled", "redefined", "moved", "other"), edits),
    }


def _made(here: pl.Expr) -> pl.Expr:
    """Return the lines for a term that was not there: itself, its definition, its parents."""
    import polars as pl

    node = pl.coalesce(_line("create node ", here, " ", _text(pl.col("label_b"))), _line("create ", here))
    defined = _line("add definition ", _text(pl.col("definition_b")), " to ", here)
    return _all_of(pl.concat_list(node, defined), _edges("create", here, _parents("parents_b")))


def _all_of(*lists: pl.Expr) -> pl.Expr:
    """Return the lines of several lists, without those that are null."""
    import polars as pl

    return pl.concat_list(*(each.list.drop_nulls() for each in lists))


def _line(*parts: pl.Expr | str) -> pl.Expr:
    """Return text; null where a part is null."""
    import polars as pl

    return pl.concat_str([pl.lit(part) if isinstance(part, str) else part for part in parts])


def _id(iri: pl.Expr) -> pl.Expr:
    # what may not stand in an IRI can't end the one that is written
    return _line("<", iri.str.replace_all(r"[<>\s\"{}|\\^`]", "_"), ">")


def _text(text: pl.Expr) -> pl.Expr:
    # the language has no way to write a quote inside of quotes, and none for nothing
    plain = text.str.replace_all("'", "\u2019").str.replace_all(r"\s+", " ")
    return _line("'", plain.replace("", None), "'")


def _moves(here: pl.Expr) -> pl.Expr:
    """Return the lines for other parents: a move where one took the place of another, else an edge for each."""
    import polars as pl

    old, new = _parents("parents_a"), _parents("parents_b")
    lost, gained = old.list.set_difference(new).list.sort(), new.list.set_difference(old).list.sort()
    one = (lost.list.len() == 1) & (gained.list.len() == 1)
    old_one, new_one = _id(lost.list.first()), _id(gained.list.first())
    move = _line("move ", here, _under(), old_one, " from ", old_one, " to ", new_one)
    edges = pl.concat_list(_edges("delete", here, lost), _edges("create", here, gained))
    return pl.when(one).then(pl.concat_list(move)).otherwise(edges)


def _parents(name: str) -> pl.Expr:
    """Return the IRIs of parents, which stand in one text."""
    import polars as pl

    return pl.col(name).fill_null("").str.split(" ").list.filter(pl.element() != "")


def _under() -> pl.Expr:
    """Return what a term of its kind is to its parents, between blanks."""
    import polars as pl

    kind = pl.col("kind").cast(pl.String)
    named = pl.when(kind.str.contains("property")).then(pl.lit(" rdfs:subPropertyOf "))
    return named.when(kind == "concept").then(pl.lit(" skos:broader ")).otherwise(pl.lit(" rdfs:subClassOf "))


def _edges(word: str, here: pl.Expr, parents: pl.Expr) -> pl.Expr:
    import polars as pl

    # one text first: inside of a list an expression does not see the other columns
    start = _line(f"{word} edge ", here, _under())
    joined = parents.list.eval(_id(pl.element())).list.join("\n")
    whole = _line(start, joined.str.replace_all("\n", _line("\n", start).fill_null(""), literal=True))
    return pl.when(parents.list.len() > 0).then(whole.str.split("\n")).otherwise(pl.lit([], pl.List(pl.String)))
