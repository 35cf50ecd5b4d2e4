"""What the verbs of `db` have in common: their parsers, the store they work on, reading for them."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from datetime import UTC, datetime
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING

from ontofetch_hookspecs import HostInfo, add_common_options
from ontofetch_hookspecs.errors import OntofetchError, next_step
from ontofetch_hookspecs.names import quote

from ..console.destination import check_destination
from ..console.output import add_output_options, save, say, say_lines, warn
from ..console.parser import Parser
from ..console.quiet import take_options

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

    from ..catalog.connection import Store
    from ..catalog.profile import Profiler
    from ..catalog.repo.stats import Statistics

Main = Callable[[list[str], HostInfo], int]
_MEMORY = 300_000_000  # bytes that DuckDB may hold of what a command reads; what is more goes to its disk
# of the command that runs in this thread
_profiler: ContextVar[Profiler | None] = ContextVar("profiler", default=None)
_verb: ContextVar[str] = ContextVar("verb", default="")
_writes: ContextVar[bool] = ContextVar("writes", default=False)  # the verb that runs is to change the store


def make_parser(host: HostInfo, verb: str, text: str, example: str, *, rows: bool = True) -> argparse.ArgumentParser:
    """Return a parser for `verb` with the options of every command and, with `rows`, those of output."""
    parser = Parser(f"{host.name} {verb}", text, f"{host.name} {example}")
    add_common_options(parser)
    if rows:
        add_output_options(parser, host.manager)
        parser.add_argument("--profile-out", metavar="FILE", help="write the plans of --profile as JSON to FILE")
    return parser


def store_of(host: HostInfo) -> Store:
    """Return the store a host works on: errors name the verb that runs, and inside `profiled` queries are profiled."""
    from ..catalog.connection import Store

    profiler = _profiler.get()
    watch = None if profiler is None else profiler.watch
    return Store(host.root, host.settings, host.run_id, host.config_hash, _verb.get(), _writes.get(), watch)


def store_to_plan(host: HostInfo) -> Store:
    """Return the store for a verb that writes down what another is to do: whoever looks brings the schema up to date.

    What is planned for an older one would not be carried out, for the migration comes in between.
    """
    _writes.set(True)
    return store_of(host)


def store_to_write(host: HostInfo, *, dry_run: bool = False) -> Store:
    """Return the store for a verb that changes it: what dead processes left open is ended before it looks at anything.

    In a copy of a shared catalog, what others have recorded is there: what a name means is nothing of yesterday's.

    Verbs that put another catalog in place, which may find one that nobody can enter, look after that themselves.

    Args:
        host: The host whose store it is.
        dry_run: Whether the verb only looks: then nothing is ended.

    Raises:
        CatalogUnavailable: A shared catalog does not answer.
    """
    if dry_run:
        return store_of(host)
    from ..catalog import sessions
    from ..catalog.boundaries import notify_recovered

    store = store_to_plan(host)
    sessions.refresh(store)
    if sessions.has_open(store):
        with sessions.writing(store) as session:
            recovered = session.recovered
        notify_recovered(host.manager, store, recovered)
    return store


@contextmanager
def running(verb: str) -> Iterator[None]:
    """Let errors name this verb as long as it runs; what the system refuses around the catalog becomes a sentence."""
    before, former = _verb.set(verb), _writes.set(False)
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        if isinstance(error, FileNotFoundError) and not error.filename:
            raise  # the current folder is gone, which is no fault of the verb
        about = f" at {quote(error.filename)}" if error.filename else ""
        raise OntofetchError(
            f"The {verb} was stopped{about}: {error.strerror or error}.", subject=verb, hint=next_step(error.errno)
        ) from error
    finally:
        _verb.reset(before)
        _writes.reset(former)


def profiled(argv: Sequence[str], run: Callable[[], int]) -> int:
    """Run a command; with `--profile` among its words, tell the plans of its queries on stderr when it is done."""
    switches = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    switches.add_argument("--profile", action="store_true")
    switches.add_argument("--profile-out", metavar="FILE")
    found, _ = switches.parse_known_args(argv)
    if not found.profile and not found.profile_out:
        return run()
    if found.profile_out:
        check_destination(Path(found.profile_out))
    from ..catalog.profile import Profiler

    profiler = Profiler()
    former = _profiler.set(profiler)
    try:
        return run()
    finally:
        _profiler.reset(former)
        say_lines(profiler.as_text(with_json=not found.profile_out))
        if found.profile_out:
            save(Path(found.profile_out), profiler.as_json().encode())


def command(verb: str = "") -> Callable[[Main], Main]:
    """Make a function a command of the top level: errors name it by `verb`, its queries can be profiled.

    The options of every command are taken out of its words, as any host hands them over.
    """

    def made(main: Main) -> Main:
        @wraps(main)
        def run(argv: list[str], host: HostInfo) -> int:
            argv, host = take_options(argv, host)
            with running(verb) if verb else nullcontext():
                return profiled(argv, lambda: main(argv, host))

        return run

    return made


def statistics_of(host: HostInfo, connection: duckdb.DuckDBPyConnection) -> Statistics:
    """Return where statistics come from, and say how old they are where they were not counted now."""
    from ..catalog.repo.stats import find_statistics

    now = datetime.now(UTC).replace(tzinfo=None)
    found = find_statistics(connection, now, float(str(host.settings.get("stats_ttl", 86_400.0))))
    if found.oldest is not None:
        say(f"Sums of {found.computed:,} releases as `{host.name} db refresh` found them {_ago(now, found.oldest)}.")
    if found.oldest is not None and found.counted:
        say(f"{found.counted:,} releases changed since and are counted now.")
    return found


def _ago(now: datetime, then: datetime) -> str:
    seconds = int((now - then).total_seconds())
    for unit, length in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= length:
            count = seconds // length
            return f"{count} {unit}{'s' if count > 1 else ''} ago"
    return "less than a minute ago"


@contextmanager
def reading(host: HostInfo, memory: int = _MEMORY) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the catalog of a host for reading, together with others, and close it at the end.

    Args:
        memory: Bytes that DuckDB may hold, unless a setting says how many.
    """
    from ..catalog import sessions

    # DuckDB would keep all that it has read, as far as the machine has room for it
    with sessions.reading(store_of(host).bounded(memory)) as connection:
        yield connection


def table_of(rows: Iterable[Sequence[object]], columns: Mapping[str, str]) -> pa.Table:
    """Return rows as a table.

    Args:
        rows: The values of each, in the order of the columns.
        columns: Name → its Arrow type: `string`, `int64`, `bool`, `timestamp[us]`.
    """
    import pyarrow as pa

    schema = pa.schema([(name, pa.type_for_alias(kind)) for name, kind in columns.items()])
    return pa.Table.from_pylist([dict(zip(columns, row, strict=True)) for row in rows], schema=schema)


def say_incomplete(count: int, host: HostInfo) -> None:
    """Say that so many releases are incomplete, and what to do, if there are any."""
    if count:
        subject = "1 release is" if count == 1 else f"{count:,} releases are"
        warn(
            f"{subject} incomplete: an artifact was recorded and never unpacked. Pull a good copy of it, or take the"
            f" release away with `{host.name} db prune --version VERSION`."
        )


def mending_of_copy(host: HostInfo) -> str:
    """Return what mends the files of a copy of a shared catalog; empty for a store of its own."""
    if not store_of(host).shared_by.exists():
        return ""
    return f"`{host.name} db doctor --hash --fix` fetches from the objects what is lost here or has other bytes."
