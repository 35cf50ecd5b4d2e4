"""The verb `db facts`: find what files say of terms where that is not recorded, or where its table is lost."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, astuple
from typing import TYPE_CHECKING

from ontofetch_hookspecs import HostInfo
from ontofetch_hookspecs.dividing import Held, Shares, read_outcome

from ..console.output import OutputOptions, emit, say
from ..errors import EXIT_OK
from ..rendering.progress import bar
from .common import make_parser, reading, store_of, store_to_write, table_of

if TYPE_CHECKING:
    from ..host.facts_again import Made

_TEXT = """Find what the files of releases say of terms, where that is not recorded, or its table is lost.

A pull does so by itself; this is for releases that were recorded before, with --no-facts, or by an earlier version.
What is known is left as it is, and an interrupted run goes on where it was. Without a release it looks at all.
Machines that share a catalog divide the releases, and each ends when all are done."""


def main(argv: list[str], host: HostInfo) -> int:
    """Run `db facts` and return its exit code."""
    from ..catalog.dividing import divided
    from ..host.facts_again import Made, make_facts, recording, wanted_versions
    from ..host.pools import add_executor, open_pool, with_executor

    parser = make_parser(host, "db facts", _TEXT, "db facts brickschema/0.7.9")
    parser.add_argument("release", nargs="*", metavar="RELEASE", help="version_id, an end of it, or SERIES/latest")
    parser.add_argument("--again", action="store_true", help="also try what had none for some reason")
    add_executor(parser)
    args = parser.parse_args(argv)
    host = with_executor(host, args.executor)
    options = OutputOptions.from_args(args)
    store = store_to_write(host)
    made: list[Made] = []

    releases, known = _releases(host, args.release, wanted_versions(host), again=args.again)

    def make(version_id: str, require: Callable[[], None] | None = None) -> Made:
        if (contents := known.get(version_id)) is not None:
            return Made(version_id=version_id, contents=contents, known=contents, made=0, without=0, too_large=0)
        with bar(f"facts {version_id}", unit="files") as update:
            made.append(make_facts(host, pool, version_id, again=args.again, progress=update, require=require))
        return made[-1]

    columns = dict.fromkeys(Made.__dataclass_fields__, "int64") | {"version_id": "string"}
    rows: list[tuple[object, ...]] = []
    work = f"facts {json.dumps({'again': args.again})}"
    with open_pool(host.settings) as pool, divided(store, work) as division, recording(host):
        if division is None:
            rows += (astuple(make(version_id)) for version_id in releases)
        else:
            columns |= {"by": "string"}
            shares = Shares(division, releases)
            for (version_id,) in shares.portions(lambda _: 1, lambda: False):
                one = make(version_id, division.require_held)
                division.done({version_id: json.dumps(asdict(one))})
                rows.append((*astuple(one), None))
            rows += (_elsewhere(version_id, held) for version_id, held in shares.elsewhere.items())
            places = {version_id: place for place, version_id in enumerate(releases)}
            rows.sort(key=lambda row: places[str(row[0])])
    facts = table_of(rows, columns)
    emit({"facts": facts}, options=options, nothing="No release is recorded.", well=True)
    _sum_up(made)
    return EXIT_OK


def _elsewhere(version_id: str, held: Held) -> tuple[object, ...]:
    """Return the row of a release that another machine has looked at, with the numbers that it tells."""
    from ..host.facts_again import Made

    told = read_outcome(held)
    numbers = (told.get(name) for name in list(Made.__dataclass_fields__)[1:])
    return version_id, *(one if type(one) is int and 0 <= one < 1 << 62 else None for one in numbers), held.who


def _releases(
    host: HostInfo, words: list[str], versions: dict[str, str], *, again: bool
) -> tuple[list[str], dict[str, int]]:
    """Return the releases that are meant, and of those that lack nothing how many contents they have.

    All are asked about at once: to look at one takes a hundred times as long.
    """
    from ..catalog.facts_on_disk import count_known
    from ..catalog.repo.naming import resolve_version
    from ..catalog.repo.releases import list_versions

    with reading(host) as connection:
        if words:
            return list(dict.fromkeys(resolve_version(connection, word) for word in words)), {}
        known = count_known(store_of(host), connection, versions, again=again)
        return [row.version_id for row in list_versions(connection)], known


def _sum_up(made: list[Made]) -> None:
    found = sum(row.made for row in made)
    say(f"The facts of {found:,} contents are recorded now." if found else "Nothing was to be found.")
    if without := sum(row.without for row in made):
        say(f"{without:,} contents have none; what keeps them from it is recorded, and --again tries once more.")
    if too_large := sum(row.too_large for row in made):
        say(f"{too_large:,} contents are larger than the setting facts_max_bytes says.")
