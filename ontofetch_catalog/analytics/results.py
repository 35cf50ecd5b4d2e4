"""What a report hands back: its frames, what they answer, and how they are drawn or spelled.

It does not know how the frames were made.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field
from typing import TYPE_CHECKING

from ontofetch_hookspecs.extensions import Look
from ontofetch_hookspecs.light_dataclasses import dataclass

from ..errors import UsageError
from ..rendering import encode, figures, markdown, pages, tables
from .drawing import finish
from .fields import Contract

if TYPE_CHECKING:
    import polars as pl

    from ..rendering.figures import Spec

NOTEBOOK_ROWS = 20


@dataclass(frozen=True, slots=True)
class ReportResult(Mapping[str, "pl.DataFrame"]):
    """The frames of one report: a mapping of section → DataFrame, the main section first.

    Args:
        frames: Section → frame.
        parameters: What the frames answer, with the names of releases in full.
        contract: What the sections are, for built-in reports.
        hidden: Section → columns that a table leaves out because they say the same in each row.
        nothing: Section → why it has no rows, where that depends on the rows of others.
        titles: Section → heading of its table, where it is not that of the contract.
        headings: Section → column → its heading, likewise; of one table of a split section, `SECTION VALUE` → …
    """

    frames: Mapping[str, pl.DataFrame]
    parameters: Mapping[str, object] = field(default_factory=dict)
    contract: Contract | None = None
    hidden: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    titles: Mapping[str, str] = field(default_factory=dict)
    headings: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    nothing: Mapping[str, str] = field(default_factory=dict)

    def __getitem__(self, section: str) -> pl.DataFrame:
        return self.frames[section]

    def __iter__(self) -> Iterator[str]:
        return iter(self.frames)

    def __len__(self) -> int:
        return len(self.frames)

    def __repr__(self) -> str:
        rows = ", ".join(f"{name} {frame.height:,}" for name, frame in self.frames.items())
        return f"<{self.title}, rows: {rows}; print() shows them>"

    def __str__(self) -> str:
        return self.as_table()

    def as_table(self, *, width: int = 80, top: int | None = 20, exact: bool = False, colour: bool = False) -> str:
        """Return the report as text of lines of at most `width` cells.

        Args:
            width: Cells of a line.
            top: Most rows of a section; None for all.
            exact: Whether sizes are shown in bytes instead of binary units.
            colour: Whether growth and failures are coloured with escape sequences.
        """
        return tables.draw(self.frames, self.look(), rows=top, exact=exact, width=width, colour=colour)

    def as_jsonl(self) -> bytes:
        """Return the main section as JSON lines."""
        return encode.as_jsonl(self.main)

    def as_json(self) -> bytes:
        """Return all sections and the parameters as one JSON object."""
        return encode.as_json(self.frames, self.parameters)

    def as_csv(self) -> bytes:
        """Return the main section as csv, safe for spreadsheets."""
        return encode.as_csv(self.main)

    def as_parquet(self) -> bytes:
        """Return the main section as a Parquet file."""
        return encode.as_parquet(self.main)

    def as_markdown(self, *, top: int | None = None, exact: bool = False) -> str:
        """Return the sections as Markdown tables."""
        return markdown.as_markdown(self.frames, self.look(), rows=top, exact=exact)

    def as_html(self, *, top: int | None = None, exact: bool = False, plots: bool = True) -> str:
        """Return one page with the sections and, with `plots`, the charts; it needs no other file and no network.

        Raises:
            UsageError: `plots` are asked for and the extra of that name is not installed.
        """
        pictures = [figures.inline(chart) for chart in self.charts()] if plots else []
        return pages.as_page(
            self.frames, self.look(), title=self.title, parameters=self.parameters, pictures=pictures, rows=top,
            exact=exact,
        )  # fmt: skip

    def _repr_html_(self) -> str:
        """Return the tables as a notebook shows them, at most 20 rows of each section."""
        return pages.as_fragment(self.frames, self.look(), rows=NOTEBOOK_ROWS)

    def as_plot(self, kind: str = "svg") -> bytes:
        """Return the charts as one picture: `svg`, `png`, or a `html` page that answers to the mouse.

        Raises:
            UsageError: There is nothing to draw, or the extra `plots` is not installed.
        """
        if charts := self.charts():
            return figures.draw(charts, kind, self.title)
        raise UsageError(
            f"{self.title} has nothing to draw.", subject="--plot", hint="Leave out --plot to see its rows."
        )

    def charts(self) -> list[Spec]:
        """Return the charts as specifications of Vega-Lite, none where there is nothing to draw.

        Raises:
            UsageError: The extra `plots` is not installed.
        """
        try:
            import altair  # noqa: F401 - whether it is there
        except ImportError as error:
            raise figures.missing_extra(error) from error
        if self.contract is None or self.contract.draw is None:
            return []
        return [finish(chart) for chart in self.contract.draw(self, self.parameters)]

    @property
    def title(self) -> str:
        """Return what a page of the report is called."""
        return f"Report {self.contract.name}" if self.contract else "Report"

    @property
    def main(self) -> pl.DataFrame:
        """Return the main section."""
        return next(iter(self.frames.values()))

    def look(self) -> Look:
        """Return how its tables are drawn."""
        if self.contract is None:
            return Look(titles=self.titles, hidden=self.hidden, headings=self.headings)
        sections = [section for section in self.contract.sections if section.name in self.frames]
        return Look(
            titles={section.name: section.title for section in sections} | dict(self.titles),
            order=self.contract.order,
            records=[section.name for section in sections if section.record and len(self.frames[section.name]) == 1],
            details={section.name: section.details for section in sections},
            hidden=self.hidden,
            headings={
                section.name: {field.name: field.heading for field in section.fields}
                | dict(self.headings.get(section.name, {}))
                for section in sections
            }
            | {name: own for name, own in self.headings.items() if name not in self.frames},
            left_out=[
                section.name
                for section in sections
                if not section.shown or (section.quiet and self.frames[section.name].is_empty())
            ],
            newest_last=[section.name for section in sections if section.newest_last],
            whole=[section.name for section in sections if section.whole],
            nothing={section.name: section.nothing for section in sections} | dict(self.nothing),
            split={section.name: section.split for section in sections if section.split},
            search=self.contract.search,
        )
