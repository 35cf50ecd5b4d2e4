"""The command `site`: write a static site of the whole catalog into a folder."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import TYPE_CHECKING

from ontofetch_hookspecs import HostInfo
from ontofetch_hookspecs.names import quote

from ..console.formats import DEFAULT, find_formats
from ..console.output import OutputOptions, emit
from ..errors import EXIT_OK, UsageError
from ..rendering.progress import bar
from .common import command, make_parser, store_of

if TYPE_CHECKING:
    from ..showing.rows import Catalogue

_URL = re.compile(r"https?://[^\s\"'<>?#]+")
_MOST = 200  # characters of the name of a site


@command("site")
def main(argv: list[str], host: HostInfo) -> int:
    """Run `site` and return its exit code.

    Raises:
        UsageError: The folder holds something else than a site, or a word is off.
        OntofetchError: The folder can't be written, or the catalog can't be read.
    """
    args = _parser(host).parse_args(argv)
    options = OutputOptions(format=args.format or DEFAULT, formats=find_formats(host.manager))
    options.formats.find(options.format)
    if not args.title.strip() or len(args.title) > _MOST:
        raise UsageError(
            f"A title has 1 to {_MOST} characters.", subject="--title", hint="Give a shorter one, or leave --title out."
        )
    if args.base_url and not _URL.fullmatch(args.base_url):
        raise UsageError(
            f"{quote(args.base_url)} is not the address of a folder.",
            subject="--base-url",
            hint="Write it like https://example.org/ontologies/.",
        )
    return _write(host, args, options)


def _parser(host: HostInfo) -> argparse.ArgumentParser:
    parser = make_parser(
        host,
        "site",
        "Write a static site of the whole catalog: series, releases, changes, validation, health, search, and a feed\n"
        "per series. Plain files that need no server; a repeated run writes only what changed.",
        "site --out public --title 'Our ontologies'",
        rows=False,
    )
    parser.add_argument("--out", required=True, metavar="DIR", help="the folder: new, empty, or of an earlier site")
    parser.add_argument("--title", default="Ontologies", metavar="TEXT", help="name of the site (default: Ontologies)")
    parser.add_argument("--base-url", default="", metavar="URL", help="where it will lie, for whole addresses in feeds")
    formats = ",".join(find_formats(host.manager).exporters)
    parser.add_argument("--format", metavar=f"{{{formats}}}", help="how the counts are printed (default: table)")
    parser.add_argument("--json", dest="format", action="store_const", const="json", help="short for --format json")
    return parser


def _write(host: HostInfo, args: argparse.Namespace, options: OutputOptions) -> int:
    import pyarrow as pa

    from ..showing import folder, site

    out, base = Path(args.out), args.base_url
    folder.check(out, host.root)
    catalogue = _read(host)
    names = site.page_names(catalogue)
    made = site.pages(catalogue, args.title, base if not base or base.endswith("/") else f"{base}/")
    with bar("site", unit="pages") as update:
        done = folder.write(out, names, made, update)
    counts = {
        "folder": str(out),
        "series": len(catalogue.series),
        "releases": catalogue.releases.height,
        "written": done.written,
        "unchanged": done.kept,
        "removed": done.removed,
    }
    emit({"site": pa.Table.from_pylist([counts])}, options=options, well=True)
    return EXIT_OK


def _read(host: HostInfo) -> Catalogue:
    from ..analytics import Catalog
    from ..analytics.sources.catalog import CatalogSource
    from ..showing import rows

    source = CatalogSource(store_of(host))
    with source.open() as reader, bar("compare", unit="releases") as update:
        return rows.read(Catalog(source), reader, update)
