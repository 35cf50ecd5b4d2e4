"""What a host shows when it is called without a command: what do I have, and what waits."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING

from ontofetch_hookspecs import HostInfo

from ..console.output import emit, get_ready, parse, say, warn
from ..errors import EXIT_OK
from ..rendering.text import counted, human_size
from .common import command, make_parser, reading, say_incomplete, statistics_of, store_of
from .source_hints import say_never_pulled

if TYPE_CHECKING:
    from ..catalog.repo.home import Sums


@command()
def main(argv: list[str], host: HostInfo) -> int:
    """Show a row per series: latest and newest release, since when, how large, how many files fail; and what waits."""
    from ..catalog import fsops
    from ..catalog.generation import require_database
    from ..catalog.repo import home
    from ..rendering.few_rows import FewRows

    _, options = parse(make_parser(host, "", "What do I have: a row per series.", "--json"), argv)
    store = store_of(host)
    if not require_database(store):
        say(f"Nothing is recorded below {store.root} yet.")
        say(f"`{host.name} pull SOURCE --service S --ontology O --version V` records a release.")
        say_never_pulled(host, ())
        return EXIT_OK
    # the database works while Python imports
    get_ready(options)
    with nullcontext() if options.profile else fsops.plain_statements(), reading(host) as connection:
        stats = statistics_of(host, connection).relation
        rows = FewRows(home.SERIES, home.list_series(connection, stats))
        sums = home.sum_store(connection, stats)
    emit({"series": rows}, options=options)
    _say_sums(host, sums)
    say_incomplete(sums.incomplete, host)
    say_never_pulled(host, set(rows["slot"].to_pylist()))
    if store.open_intents:
        warn(f"A boundary is open; `{host.name} db recover` ends what a dead process left.")
    _say_what_waits(host, sums)
    return EXIT_OK


def _say_sums(host: HostInfo, sums: Sums) -> None:
    many = f"{counted(sums.releases, 'release')}, {counted(sums.files, 'file')}"
    say(f"{sums.series:,} series, {many}, {human_size(sums.size_bytes)} below {host.root}")


def _say_what_waits(host: HostInfo, sums: Sums) -> None:
    """Say what somebody should look at."""
    if sums.suspects:
        warn(
            f"The last verification, on {sums.verified_at:%Y-%m-%d}, found {sums.suspects:,} damaged or missing files;"
            f" `{host.name} db doctor --hash` says what mends them."
        )
    if sums.quarantined_bytes:
        say(
            f"{human_size(sums.quarantined_bytes)} lie in quarantine; `{host.name} db prune --plans` lists what can be"
            " brought back or removed for good."
        )
