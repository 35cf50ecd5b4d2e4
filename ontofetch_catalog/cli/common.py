"""Own what the verbs of `db` have in common: their parsers, the store they work on, reading for them."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ontofetch_hookspecs import HostInfo, add_common_options

from .output import add_output_options

if TYPE_CHECKING:
    import duckdb

    from ..catalog.connection import Store


def make_parser(host: HostInfo, verb: str, text: str, example: str, *, rows: bool = True) -> argparse.ArgumentParser:
    """Return a parser for `verb` with the options of every command and, with `rows`, those of output."""
    parser = argparse.ArgumentParser(
        prog=f"{host.name} {verb}",
        description=text,
        epilog=f"example: {host.name} {example}",
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_common_options(parser)
    if rows:
        add_output_options(parser)
    return parser


def store_of(host: HostInfo) -> Store:
    """Return the store a host works on."""
    from ..catalog.connection import Store

    return Store(host.root, host.settings, host.run_id, host.config_hash)


@contextmanager
def reading(host: HostInfo) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the catalog of a host for reading, together with others, and close it at the end."""
    from ..catalog import sessions

    with sessions.reading(store_of(host)) as connection:
        yield connection
