"""What charts have in common: units of sizes, short names, what is left of many groups, colours and measures.

It does not know what any chart is about.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import polars as pl

from ..rendering.fonts import FAMILY
from ..rendering.palette import TONES, format_colours, tone_of
from ..rendering.text import SIZE_UNITS, human_size, safe_text, shorten_middle
from . import columns as c

if TYPE_CHECKING:
    import altair as alt

WIDTH = 640
BAR = 22  # height of a bar with its gap
MOST = 12  # groups of a chart; the rest is one
COLOURS = 10  # that can be told apart
NAME_WIDTH = 44  # letters of a name beside a bar
MORE, LESS = tone_of("added").light, tone_of("removed").light
PLAIN, CALM = TONES["plain"].light, TONES["dim"].light
Drawn = Any  # a chart of altair, which types its kinds of charts apart and `encode` not at all
AMOUNT, LABEL, SHOWN, RANK = "amount", "label", "shown", "rank"


def finish(chart: Drawn) -> dict[str, Any]:
    """Return a chart as a specification with the fonts and colours that all share."""
    # names are short already, and no word of a legend, an axis or a title is cut: limits of 0 are none
    styled = chart.configure_view(strokeOpacity=0).configure_axis(
        labelFont=FAMILY, titleFont=FAMILY, titleFontWeight="normal", labelLimit=0, titleLimit=0, gridColor="#e3e7eb",
        labelFontSize=12, titleFontSize=12,
    )  # fmt: skip
    styled = styled.configure_title(font=FAMILY, fontSize=14, fontWeight="normal", limit=0, anchor="start", offset=12)
    styled = styled.configure_legend(
        labelFont=FAMILY, titleFont=FAMILY, labelFontSize=12, titleFontSize=12, labelLimit=0, titleLimit=0
    )
    found: dict[str, Any] = styled.to_dict()
    return found


def colours_of(words: Sequence[str]) -> alt.Scale:
    """Return the colours of words of ours, such as outcomes."""
    import altair as alt

    return alt.Scale(domain=list(words), range=[tone_of(word).light for word in words])


def data_of(frame: pl.DataFrame) -> alt.InlineData:
    """Return rows for a chart; names are made harmless and short, times are milliseconds."""
    import altair as alt

    words = [name for name, dtype in frame.schema.items() if dtype in (pl.String, pl.Categorical, pl.Enum)]
    rows = frame.with_columns(pl.col(words).cast(pl.String)).to_dicts()
    for row in rows:
        for name in words:
            if row[name] is not None:
                row[name] = shorten_middle(safe_text(row[name]), NAME_WIDTH)
    return alt.InlineData(values=rows)


def in_units(frame: pl.DataFrame, size: str, together: pl.Expr | None = None) -> tuple[pl.DataFrame, str]:
    """Return `frame` with `amount` (sizes in one unit) and `shown` (sizes with their own), and the unit.

    Args:
        size: Its column of bytes.
        together: What stands on one bar; the unit fits the longest.
    """
    stacked = pl.col(size).abs() if together is None else pl.col(size).abs().sum().over(together)
    most = int(frame.select(stacked.max()).item() or 0)
    power = max(0, min((most.bit_length() - 1) // 10, len(SIZE_UNITS)))
    shown = [human_size(int(value), signed=size in (c.NET, c.DELTA)) for value in frame[size].fill_null(0)]
    amount = (pl.col(size) / 1024**power).alias(AMOUNT)
    return frame.with_columns(amount, pl.Series(SHOWN, shown, pl.String)), SIZE_UNITS[power - 1] if power else "bytes"


def largest(frame: pl.DataFrame, key: str, measure: str, *sums: str, most: int = MOST) -> pl.DataFrame:
    """Return the `most` groups by the absolute `measure`, largest first, and one more that sums up the rest."""
    columns = [key, measure, *sums]
    ordered = frame.with_columns(pl.col(key).cast(pl.String)).sort(pl.col(measure).abs(), key, descending=[True, False])
    rest = ordered.slice(most)
    if rest.height < 2:
        return ordered.select(columns)
    name = pl.lit(f"{rest.height} others").alias(key)
    return pl.concat([ordered.head(most).select(columns), rest.select(name, pl.col(measure, *sums).sum())])


def fold(formats: pl.DataFrame) -> tuple[pl.DataFrame, list[str]]:
    """Return version_id, format, size_bytes with at most COLOURS formats, the smaller ones as one, and their names."""
    sums = formats.group_by(pl.col(c.FORMAT).cast(pl.String)).agg(pl.col(c.SIZE).sum())
    names = largest(sums, c.FORMAT, c.SIZE, most=COLOURS - 1)[c.FORMAT].to_list()
    name = pl.col(c.FORMAT).cast(pl.String)
    folded = formats.with_columns(pl.when(name.is_in(names)).then(name).otherwise(pl.lit(names[-1])).alias(c.FORMAT))
    rank = pl.col(c.FORMAT).replace_strict({name: at for at, name in enumerate(names)}).alias(RANK)
    sums = folded.group_by(c.VERSION_ID, c.FORMAT, maintain_order=True).agg(pl.col(c.SIZE).sum())
    return sums.with_columns(rank), names


def stacked_formats(formats: pl.DataFrame, releases: Sequence[str], title: str, *, lying: bool) -> Drawn:
    """Return a bar for each of `releases`, lying or standing, with the bytes of its formats on one another."""
    import altair as alt

    folded, names = fold(formats)
    rows, unit = in_units(short_versions(folded), c.SIZE, pl.col(c.VERSION_ID))
    amount = f"{AMOUNT}:Q"
    place: dict[str, Any] = {"x": release_axis(releases), "y": alt.Y(amount, title=unit)}
    if lying:
        place = {"x": alt.X(amount, title=unit), "y": alt.Y(f"{LABEL}:N", sort=None, title=None)}
    chart = alt.Chart(data_of(rows), title=title, width=WIDTH, height=BAR * len(releases) if lying else 240)
    marked = chart.mark_bar(height=BAR - 8) if lying else chart.mark_bar()
    return marked.encode(
        **place,
        color=alt.Color(
            f"{c.FORMAT}:N", title=None, sort=names, scale=alt.Scale(domain=names, range=format_colours(names))
        ),
        order=alt.Order(f"{RANK}:Q"),
        tooltip=[alt.Tooltip(f"{name}:N") for name in (LABEL, c.FORMAT, SHOWN)],
    )


def short_versions(frame: pl.DataFrame) -> pl.DataFrame:
    """Return `frame` with `label`: the version alone where all releases are of one series, else the version_id."""
    series = frame.select(pl.col(c.VERSION_ID).str.extract("^(.*)/").n_unique()).item()
    last = pl.col(c.VERSION_ID).str.split("/").list.last()
    return frame.with_columns((last if series <= 1 else pl.col(c.VERSION_ID)).alias(LABEL))


def by_format(names: Sequence[str]) -> alt.Color:
    """Return the colour of bars of formats, which say their names themselves."""
    import altair as alt

    scale = alt.Scale(domain=list(names), range=format_colours(names))
    return alt.Color(f"{c.FORMAT}:N", legend=None, scale=scale)


def release_axis(names: Sequence[str]) -> alt.X:
    """Return the axis of releases, in their order."""
    import altair as alt

    angle = 0 if sum(map(len, names)) * 8 < WIDTH - 40 * len(names) else -45
    axis = alt.Axis(labelAngle=angle, labelOverlap=True)
    return alt.X(f"{LABEL}:O", scale=alt.Scale(domain=list(names)), title=None, axis=axis)


def bars(frame: pl.DataFrame, key: str, *, title: str, axis: str, colour: Any, tooltip: Sequence[str] = ()) -> Drawn:
    """Return lying bars of `amount` by `key`, each with `shown` at its end, in the order of the rows."""
    import altair as alt

    base = alt.Chart(data_of(frame), width=WIDTH, height=BAR * max(frame.height, 1))
    y = alt.Y(f"{key}:N", sort=None, title=None)
    hints = [alt.Tooltip(f"{name}:N") for name in (key, SHOWN, *tooltip)]
    # room for the words at the ends of the bars
    amounts: list[float] = frame[AMOUNT].to_list()
    least, most = min(0.0, *amounts), max(0.0, *amounts)
    margin = (most - least) * 0.13
    room = [least - margin if least < 0 else 0.0, most + margin if most > 0 else 0.0]
    x = alt.X(f"{AMOUNT}:Q", title=axis, scale=alt.Scale(domain=room, nice=False))
    drawn = base.mark_bar(height=BAR - 8).encode(x=x, y=y, color=colour, tooltip=hints)
    place: dict[str, Any] = {"dx": 4, "align": "left", "fontSize": 11, "font": FAMILY}
    right = base.transform_filter(f"datum.{AMOUNT} >= 0").mark_text(**place)
    left = base.transform_filter(f"datum.{AMOUNT} < 0").mark_text(**place | {"dx": -4, "align": "right"})
    words = [text.encode(x=x, y=y, text=f"{SHOWN}:N") for text in (right, left)]
    return alt.layer(drawn, *words, title=title)
