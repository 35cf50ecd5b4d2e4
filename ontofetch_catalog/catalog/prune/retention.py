"""The rules of retention: those that are built in, and the choice that several of them make together.

A rule sees releases and names some of them; what is protected, and what becomes of a release, is not known here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from ontofetch_hookspecs import PluginFailed, ask_contribution
from ontofetch_hookspecs.names import quote

from ...errors import UsageError
from .policy import AskedRetention, parse_age

if TYPE_CHECKING:
    import pyarrow as pa


def keep_last(releases: pa.Table, value: str | None) -> pa.ChunkedArray:
    """Return the releases before the last `value` of their series.

    Raises:
        UsageError: The value is not a whole number from 0 on.
    """
    import pyarrow.compute as pc

    text = value or ""
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise UsageError(
            f"{quote(text)} is not a whole number from 0 on.",
            subject="keep-last",
            hint="Write how many releases of each series stay, e.g. 3.",
        )
    return releases.filter(pc.field("newer") >= int(text))["version_id"]


def keep_by_series(releases: pa.Table, value: str | None) -> pa.ChunkedArray:
    """Return the releases before the last N of their series, each of which has an N of its own: `obo/hp:5,obo/go:3`.

    Raises:
        UsageError: The value is of another form.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    kept = read_kept(value)
    places = pc.index_in(releases["slot"], value_set=pa.array(list(kept), pa.string()))
    most = pc.take(pa.array(list(kept.values()), pa.int64()), places)
    # where a series has no number there is nothing to compare with, and null chooses nothing
    return releases.filter(pc.greater_equal(releases["newer"], most))["version_id"]


def read_kept(value: str | None) -> dict[str, int]:
    """Return series → how many of its releases stay, as a value of `keep_by_series` says it; raises as that does."""
    kept: dict[str, int] = {}
    for word in (value or "").split(","):
        series, _, number = word.strip().rpartition(":")
        if not series or not (number.isascii() and number.isdigit() and len(number) < 10):
            raise UsageError(
                f"{quote(word)} is not a series with a number.",
                subject="keep-by-series",
                hint="Write how many releases of each series stay, e.g. obo/hp:5,obo/go:3.",
            )
        kept[series] = int(number)
    return kept


def older_than(releases: pa.Table, value: str | None) -> pa.ChunkedArray:
    """Return the releases that were recorded an age of `value` ago, such as `90d`, or earlier.

    Raises:
        UsageError: The value is no age.
    """
    import pyarrow.compute as pc

    return releases.filter(pc.field("age_seconds") >= parse_age(value or "") // 10**9)["version_id"]


def choose_by_rules(releases: pa.Table, rules: Sequence[AskedRetention]) -> list[str]:
    """Return the version_ids that every one of `rules` chooses.

    Args:
        releases: The releases that they see, columns RELEASES_COLUMNS.
        rules: At least one.

    Raises:
        PluginFailed: A rule failed, returned something else than version_ids, or one that it was not given.
        OntofetchError: It refused its value.
    """
    import pyarrow.compute as pc

    chosen = releases["version_id"]
    for rule in rules:
        named = _ask(rule, releases)
        chosen = chosen.filter(pc.is_in(chosen, value_set=named))
    found: list[str] = chosen.to_pylist()
    return found


def _ask(rule: AskedRetention, releases: pa.Table) -> pa.ChunkedArray:
    """Return what a rule names, all of it among the releases."""
    import pyarrow.compute as pc

    title = f"its retention {rule.name}"

    def read(answer: object) -> pa.ChunkedArray:
        named = _as_texts(answer, most=len(releases))
        unknown = named.filter(pc.invert(pc.is_in(named, value_set=releases["version_id"])))
        if len(unknown):
            raise PluginFailed(
                f"The plugin {quote(rule.plugin)} chose {quote(unknown[0].as_py())} by {title}, which is none of the"
                " releases that it was given.",
                subject=rule.plugin,
                hint=f"`--no-plugin {rule.plugin}` leaves the plugin out.",
            )
        return named

    return ask_contribution(rule.plugin, title, rule.target, releases, rule.value, read=read)


def _as_texts(answer: Any, *, most: int) -> pa.ChunkedArray:
    """Return an answer as texts: an Arrow array or column, or strings, of which at most `most` are taken.

    Raises:
        TypeError: It is something else.
        ValueError: There are more.
    """
    import pyarrow as pa

    if hasattr(answer, "__arrow_c_stream__") and not hasattr(answer, "__dataframe__"):
        named = pa.chunked_array(answer)
    elif hasattr(answer, "__arrow_c_array__"):
        named = pa.chunked_array([pa.array(answer)])
    elif isinstance(answer, str | bytes) or not isinstance(answer, Iterable):
        raise TypeError(f"a {type(answer).__name__} was returned, not version_ids")
    else:
        named = pa.chunked_array([pa.array(list(islice(answer, most + 1)), pa.string())])
    if len(named) > most:
        raise ValueError(f"more version_ids were returned than the {most:,} releases that there are")
    return named.cast(pa.string())
