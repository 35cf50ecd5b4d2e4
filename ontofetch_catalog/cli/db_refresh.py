"""`db refresh`: compute the sums of releases once, so that looking at many of them costs nothing for a while."""

from __future__ import annotations

from ontofetch_hookspecs import HostInfo

from ..console.output import emit, parse, say
from ..errors import EXIT_OK
from .changing import carry_out
from .common import make_parser, store_to_write

_TEXT = """Compute the sums of all releases (files, bytes, formats, validation) and store them for a while.

`db stats`, `db versions` and the bare command then read them and say how old they are; a release that changed since is
counted anew. For how long they count says the setting stats_ttl."""


def main(argv: list[str], host: HostInfo) -> int:
    """Run `db refresh` and return its exit code."""
    import pyarrow as pa

    from ..catalog.boundaries.refresh import Refresh

    _, options = parse(make_parser(host, "db refresh", _TEXT, "db refresh"), argv)
    store = store_to_write(host)
    outcome = carry_out(host, store, Refresh(store))
    row = {"releases": outcome.receipt.rows, "milliseconds": round(outcome.receipt.milliseconds)}
    emit({"refresh": pa.Table.from_pylist([row])}, options=options, well=True)
    say(f"Computed the sums of {outcome.receipt.rows:,} releases.")
    return EXIT_OK
