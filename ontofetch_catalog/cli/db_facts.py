"""The verb `db facts`: find what files say of terms where that is not recorded, or where its table is lost."""

from __future__ import annotations

from dataclasses import astuple
from typing import TYPE_CHECKING

from ontofetch_hookspecs import HostInfo

from ..console.output import OutputOptions, emit, say
from ..errors import EXIT_OK
from ..rendering.progress import bar
from .common import make_parser, reading, store_to_write, table_of

if TYPE_CHECKING:
    from ..host.facts_again import Made

_TEXT = """Find what the files of releases say of terms, where that is not recorded, or its table is lost.

A pull does so by itself; this is for releases that were recorded before, with --no-facts, or by an earlier version.
What is known is left as it is, and an interrupted run goes on where it was. Without a release it looks at all."""


def main(argv: list[str], host: HostInfo) -> int:
    """Run `db facts` and return its exit code."""
    from ..host.facts_again import Made, make_facts

    parser = make_parser(host, "db facts", _TEXT, "db facts brickschema/0.7.9")
    parser.add_argument("release", nargs="*", metavar="RELEASE", help="version_id, an end of it, or SERIES/latest")
    parser.add_argument("--again", action="store_true", help="also try what had none for some reason")
    args = parser.parse_args(argv)
    options = OutputOptions.from_args(args)
    store_to_write(host)
    made: list[Made] = []
    for version_id in _releases(host, args.release):
        with bar(f"facts {version_id}", unit="files") as update:
            made.append(make_facts(host, version_id, again=args.again, progress=update))
    columns = dict.fromkeys(Made.__dataclass_fields__, "int64") | {"version_id": "string"}
    facts = table_of(map(astuple, made), columns)
    emit({"facts": facts}, options=options, nothing="No release is recorded.", well=True)
    _sum_up(made)
    return EXIT_OK


def _releases(host: HostInfo, words: list[str]) -> list[str]:
    from ..catalog.repo.naming import resolve_version
    from ..catalog.repo.releases import list_versions

    with reading(host) as connection:
        if not words:
            return [row.version_id for row in list_versions(connection)]
        return list(dict.fromkeys(resolve_version(connection, word) for word in words))


def _sum_up(made: list[Made]) -> None:
    found = sum(row.made for row in made)
    say(f"The facts of {found:,} contents are recorded now." if found else "Nothing was to be found.")
    if without := sum(row.without for row in made):
        say(f"{without:,} contents have none; what keeps them from it is recorded, and --again tries once more.")
    if too_large := sum(row.too_large for row in made):
        say(f"{too_large:,} contents are larger than the setting facts_max_bytes says.")
