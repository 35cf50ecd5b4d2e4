"""Boundaries as the program records them, in a run as `update` does; and what a reader asks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa

from ontofetch_catalog.catalog import sessions
from ontofetch_catalog.catalog.connection import Store
from ontofetch_catalog.plugins.catalog import CatalogPlugin
from ontofetch_hookspecs.samples import sample_validate_done
from ontofetch_hookspecs.testing import make_manager
from ontofetch_hookspecs.together import recording_together

EVENTS = "SELECT min(event_id), max(event_id), count(*) FROM events"


@contextmanager
def recording(root: Path) -> Iterator[Callable[[pa.Table], None]]:
    """Give what records validations of all files of the release, one boundary each."""
    manager = make_manager(CatalogPlugin(), root=root)

    def record(results: pa.Table) -> None:
        manager.hook.on_validate_done(event=sample_validate_done(root, results))

    with recording_together():
        yield record


def look(root: Path) -> tuple[int, int, int]:
    """Return number of the first event, of the last, and how many there are."""
    with sessions.reading(Store(root)) as connection:
        ((first, last, count),) = connection.execute(EVENTS).fetchall()
    return first, last, count
