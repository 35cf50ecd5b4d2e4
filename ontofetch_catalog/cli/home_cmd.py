"""What a host shows when it is called without a command: what do I have, and what waits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ontofetch_hookspecs import HostInfo

from ..errors import EXIT_OK
from ..rendering.text import human_size
from .common import make_parser, profiled, reading, say_incomplete, statistics_of, store_of
from .output import OutputOptions, emit, get_ready, say, warn
from .quiet import take_options
from .source_hints import say_never_pulled

if TYPE_CHECKING:
    import pyarrow as pa


def main(argv: list[str], host: HostInfo) -> int:
    """Show a row per series: latest and newest release, since when, how large, how many files fail; and what waits."""
    argv, host = take_options(argv, host)
    parser = make_parser(host, "", "What do I have: a row per series.", "--json")
    options = OutputOptions.from_args(parser.parse_args(argv))
    return profiled(argv, lambda: _show(host, options))


def _show(host: HostInfo, options: OutputOptions) -> int:
    from ..catalog import journal
    from ..catalog.generation import require_database
    from ..catalog.repo import pages, queries

    store = store_of(host)
    if not require_database(store):
        say(f"Nothing is recorded below {store.root} yet.")
        say(f"`{host.name} pull SOURCE --service S --ontology O --version V` records a release.")
        say_never_pulled(host, ())
        return EXIT_OK
    # the database works while Python imports
    get_ready(options)
    with reading(host) as connection:
        stats = statistics_of(host, connection).relation
        rows = queries.list_series(connection, stats)
        sums = pages.sum_store(connection, stats)
    emit({"series": rows}, options=options)
    _say_sums(host, sums)
    say_incomplete(sums["incomplete"][0].as_py(), host)
    say_never_pulled(host, set(rows["slot"].to_pylist()))
    if journal.open_intents(store):
        warn(f"A boundary is open; `{host.name} db recover` ends what a dead process left.")
    _say_what_waits(host, sums)
    return EXIT_OK


def _say_sums(host: HostInfo, sums: pa.Table) -> None:
    series, releases, files, size = (sums[name][0].as_py() for name in ("series", "releases", "files", "size_bytes"))
    many = f"{releases:,} {'release' if releases == 1 else 'releases'}, {files:,} {'file' if files == 1 else 'files'}"
    say(f"{series:,} series, {many}, {human_size(size)} below {host.root}")


def _say_what_waits(host: HostInfo, sums: pa.Table) -> None:
    """Say what somebody should look at."""
    suspects, verified_at = sums["suspects"][0].as_py(), sums["verified_at"][0].as_py()
    if suspects:
        warn(
            f"The last verification, on {verified_at:%Y-%m-%d}, found {suspects:,} damaged or missing files;"
            f" `{host.name} db doctor --hash` says what mends them."
        )
    quarantined = sums["quarantined_bytes"][0].as_py()
    if quarantined:
        say(
            f"{human_size(quarantined)} lie in quarantine; `{host.name} db prune --plans` lists what can be brought"
            " back or removed for good."
        )
