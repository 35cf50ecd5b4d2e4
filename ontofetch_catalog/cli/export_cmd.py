"""The command `export`: describe a release in the words of a standard, for archives, catalogues and inventories."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ontofetch_hookspecs import HostInfo
from ontofetch_hookspecs.names import quote

from ..console.destination import STDOUT, check_destination, descriptor_of
from ..console.output import print_document, save
from ..errors import EXIT_OK, UsageError
from .common import command, make_parser, store_of

if TYPE_CHECKING:
    from ..showing.description import Description


@command("export")
def main(argv: list[str], host: HostInfo) -> int:
    """Run `export` and return its exit code.

    Raises:
        UsageError: There is no such kind of document, or its library is not installed.
        VersionUnknown, AmbiguousVersion: The name means no release or several.
        OntofetchError: The file can't be written, or the catalog can't be read.
    """
    from ..showing import documents

    kinds = "\n".join(f"  {kind:<10}{what}" for kind, (_, what, _) in documents.KINDS.items())
    parser = make_parser(
        host,
        "export",
        f"Describe a release in the words of a standard: checksums, origins, times.\n\n{kinds}",
        "export hp/latest --as ro-crate --out ro-crate-metadata.json",
        rows=False,
    )
    parser.add_argument("release", metavar="RELEASE", help="version_id, an end of it, or SERIES/latest")
    parser.add_argument("--as", dest="kind", required=True, metavar=f"{{{','.join(documents.KINDS)}}}", help="which")
    parser.add_argument("--out", metavar="FILE", help="write to FILE instead of stdout (-)")
    args = parser.parse_args(argv)
    if args.kind not in documents.KINDS:
        raise UsageError(
            f"There is no document {quote(args.kind)}.",
            subject="--as",
            hint=f"There are: {', '.join(documents.KINDS)}.",
        )
    out = Path(args.out) if args.out and args.out != "-" else None
    if out is not None and descriptor_of(out) == STDOUT:
        out = None
    if out is not None:
        check_destination(out)
    documents.check_installed(args.kind)
    data = documents.make(args.kind, _describe(host, args.release))
    if out is None:
        print_document(data)
    else:
        save(out, data)
    return EXIT_OK


def _describe(host: HostInfo, name: str) -> Description:
    from ..analytics.sources.catalog import CatalogSource
    from ..showing.description import describe

    with CatalogSource(store_of(host)).open() as reader:
        return describe(reader, reader.resolve(name))
