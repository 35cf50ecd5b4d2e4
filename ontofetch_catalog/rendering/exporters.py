"""The built-in formats as exporters: plain tables and options come in, bytes go out.

What they look like is known to the modules of this package; where the bytes go is not known here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ontofetch_hookspecs.extensions import Exporter, ExportOptions

if TYPE_CHECKING:
    import polars as pl
    import pyarrow as pa

    from ontofetch_hookspecs import Table

TABLE_ROWS = 20
_HERE = __name__


def built_in() -> list[Exporter]:
    """Return the exporters of this module, the default one first."""
    return [
        Exporter("table", (".txt",), f"{_HERE}:table", "lines for people", colours=True),
        Exporter("json", (".json",), f"{_HERE}:json", "one object: rows, sections, parameters"),
        Exporter("jsonl", (".jsonl", ".ndjson"), f"{_HERE}:jsonl", "an object per row of the main section"),
        Exporter("csv", (".csv",), f"{_HERE}:csv", "the main section, safe for spreadsheets"),
        Exporter("parquet", (".parquet",), f"{_HERE}:parquet", "the main section with its types", binary=True),
        Exporter("markdown", (".markdown", ".md"), f"{_HERE}:markdown", "tables for issues and wikis"),
        Exporter("html", (".html", ".htm"), f"{_HERE}:html", "one page that needs nothing else"),
        Exporter("kgcl", (".kgcl",), f"{_HERE}:kgcl", "changes of terms as commands, of report meaning"),
    ]


def table(sections: Mapping[str, Table], options: ExportOptions) -> bytes:
    """Return tables for people, of at most TABLE_ROWS rows unless told otherwise."""
    from .cells import drawable
    from .tables import draw

    return draw(
        {name: drawable(section) for name, section in sections.items()},
        options.look,
        rows=TABLE_ROWS if options.top is None else options.top,
        exact=options.exact,
        width=options.width,
        colour=options.colour,
        totals=options.totals,
    ).encode()


def json(sections: Mapping[str, Table], options: ExportOptions) -> bytes:
    """Return all sections and the parameters as one JSON object."""
    from .encode import as_json

    return as_json(_frames(sections), options.parameters)


def jsonl(sections: Mapping[str, Table], options: ExportOptions) -> bytes:
    """Return the main section as JSON lines."""
    from .encode import as_jsonl

    del options
    return as_jsonl(_main(sections))


def csv(sections: Mapping[str, Table], options: ExportOptions) -> bytes:
    """Return the main section as csv.

    Raises:
        UsageError: A column holds lists or structs.
    """
    from .encode import as_csv

    del options
    return as_csv(_main(sections))


def parquet(sections: Mapping[str, Table], options: ExportOptions) -> bytes:
    """Return the main section as a Parquet file."""
    from .encode import as_parquet

    del options
    return as_parquet(_main(sections))


def markdown(sections: Mapping[str, Table], options: ExportOptions) -> bytes:
    """Return the sections as Markdown tables."""
    from .markdown import as_markdown

    return as_markdown(_rows(sections), options.look, exact=options.exact, totals=options.totals).encode()


def kgcl(sections: Mapping[str, Table], options: ExportOptions) -> bytes:
    """Return changes of terms as lines of KGCL.

    Raises:
        UsageError: The main section has none.
    """
    from .kgcl import as_kgcl

    del options
    return as_kgcl(_main(sections)).encode()


def html(sections: Mapping[str, Table], options: ExportOptions) -> bytes:
    """Return one page with the sections and the pictures."""
    from .pages import as_page

    return as_page(
        _rows(sections),
        options.look,
        title=options.title,
        parameters=options.parameters,
        pictures=options.pictures(),
        exact=options.exact,
        totals=options.totals,
    ).encode()


def _rows(sections: Mapping[str, Table]) -> dict[str, pa.Table]:
    from .cells import to_rows

    return {name: to_rows(section) for name, section in sections.items()}


def _frames(sections: Mapping[str, Table]) -> dict[str, pl.DataFrame]:
    from .encode import to_frame

    return {name: to_frame(section) for name, section in sections.items()}


def _main(sections: Mapping[str, Table]) -> pl.DataFrame:
    from .encode import to_frame

    return to_frame(next(iter(sections.values())))
