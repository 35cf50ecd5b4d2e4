"""One verification from its plan to its summary: pages of files in, batches of results out.

The catalog is closed while files are hashed, all but the last few: it is opened for each page and each batch, so that
others get their turn.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import chain
from typing import TYPE_CHECKING

from ...errors import CatalogUnwritable
from .. import fsops, sessions
from ..boundaries.engine import BoundaryResult
from ..connection import Store
from ..dividing import divided
from ..failures import explaining
from ..repo import fixity, row_checks
from ..repo.fixity import Scope
from .pages import Pages, Planned, as_lists, page_schema
from .parts import Parts
from .pool import Answer, Pool
from .recording import Progress, Recording
from .request import Request, Result

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

_LEAST_ROOM = 1 << 20  # bytes that the catalog grows by for a while, whatever it records
_log = logging.getLogger("ontofetch.verify")


def verify(store: Store, request: Request, *, progress: Progress, tell: Callable[[BoundaryResult], None]) -> Result:
    """Hash files again, longest unverified first, and record in batches what is intact.

    An interrupt records what was done and goes on its way.

    Args:
        progress: Called a few times a second.
        tell: Called after each batch was committed.

    Raises:
        OntofetchError: The catalog can't be used, or a process died; what was recorded stays.
    """
    begun = time.monotonic()

    def read(count: int) -> None:
        recording.read(count)

    def is_over() -> bool:
        return request.seconds is not None and time.monotonic() - begun >= request.seconds

    with divided(store, request.work) as division, ExitStack() as ending:
        if division is not None:
            request = request.of_run(division)
        # the processes start while the catalog is read
        pool = ending.enter_context(Pool["pa.Table"](store.root, request.workers, read))
        pages = Pages(request.scope, lambda: sessions.reading(store))
        with sessions.reading(store) as connection:
            _try_to_record(store)
            planned = _plan(connection, request)
            if division is None and not is_over():
                # the first page is read, and lists of it are handed out, before the catalog is closed
                with pages.reading_from(connection):
                    pool.begin(chain(pages.lists(planned.groups), as_lists(planned.terms)))
        require = division.require_held if division else None
        recording = Recording(store, request, planned, progress=progress, tell=tell, require=require)
        _log.info("verifying %s files, %s bytes", f"{planned.files:,}", f"{planned.size_bytes:,}")
        left: Iterator[Answer[pa.Table]] = iter(())
        try:
            if division is None:
                left = _take_most(pool.answers(is_over), pool, recording)
            else:
                parts = Parts(division, planned)
                parts.carry_out(recording, pool, pages, is_over)
                recording.result.shared, recording.result.elsewhere_files = parts.table(), parts.elsewhere_files
        except BaseException:
            ending.close()
            recording.keep()
            raise
        recording.record_last(left, ending.close)
    recording.result.seconds = time.monotonic() - begun
    return recording.result


def _try_to_record(store: Store) -> None:
    """Refuse what could not be recorded, before everything is read."""
    with explaining(
        f"The catalog below {store.root} can't be written{store.purpose}",
        database=store.database,
        kind=CatalogUnwritable,
        subject=str(store.root),
        state="No file was looked at.",
    ):
        fsops.try_room(store.database.parent, _LEAST_ROOM)


def _plan(connection: duckdb.DuckDBPyConnection, request: Request) -> Planned:
    """Return what is to be verified; with the whole store its tables of terms, too."""
    row_checks.refuse_invalid_paths(connection)
    is_whole = Scope(seed=request.scope.seed) == request.scope
    terms = fixity.list_terms(connection) if is_whole else page_schema().empty_table()
    return Planned(fixity.plan_groups(connection, request.scope, request.done), terms)


def _take_most(
    answers: Iterator[Answer[pa.Table]], pool: Pool[pa.Table], recording: Recording
) -> Iterator[Answer[pa.Table]]:
    """Take and record answers until few are left to be waited for; return those."""
    for answer in answers:
        recording.take(answer)
        if pool.is_nearly_done:
            break
    return answers
