"""What a host shows when it is called without a command: what do I have."""

from __future__ import annotations

from ontofetch_hookspecs import HostInfo, take_common_options

from ..errors import EXIT_OK
from .common import make_parser, profiled, reading, say_incomplete, statistics_of, store_of
from .output import OutputOptions, emit, say


def main(argv: list[str], host: HostInfo) -> int:
    """Show a row per series: its latest release, since when, how large, how many files fail."""
    argv, host = take_common_options(argv, host)
    parser = make_parser(host, "", "What do I have: a row per series.", "--json")
    options = OutputOptions.from_args(parser.parse_args(argv))
    return profiled(argv, lambda: _show(host, options))


def _show(host: HostInfo, options: OutputOptions) -> int:
    from ..catalog import journal
    from ..catalog.generation import require_database
    from ..catalog.repo import queries

    store = store_of(host)
    if not require_database(store):
        say(f"Nothing is recorded below {store.root} yet.")
        say(f"`{host.name} pull SOURCE --service S --ontology O --version V` records a release.")
        return EXIT_OK
    with reading(host) as connection:
        rows = queries.list_series(connection, statistics_of(host, connection).relation)
    emit({"series": rows}, options=options)
    say(f"{len(rows):,} series below {store.root}")
    say_incomplete(rows, host)
    if journal.open_intents(store):
        say(f"A boundary is open; `{host.name} db recover` ends what a dead process left.")
    return EXIT_OK
