"""The way from an import to the hooks: what events carry, what an error on the way is about."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ontofetch_hookspecs import PluginFailed, Stage, Veto
from ontofetch_hookspecs.errors import EventError
from ontofetch_hookspecs.names import quote

from ..errors import Conflict, ExtractError, PreconditionFailed
from .found import FoundArtifact, ImportRefused, Outcome

if TYPE_CHECKING:
    import pyarrow as pa

# what is wrong with one artifact, and says nothing of the next one
OF_ONE = (ImportRefused, EventError, ExtractError, Conflict, PreconditionFailed, Veto, PluginFailed)


@contextmanager
def telling(outcome: Outcome, found: FoundArtifact) -> Iterator[None]:
    """Turn what is wrong with one artifact into what its row says."""
    try:
        yield
    except OF_ONE as error:
        outcome.messages.append(error.message)
    except OSError as error:
        outcome.messages.append(f"{quote(found.file.relpath)} can't be read: {error.strerror or error}.")


class Staging:
    """A stage on its way to a hook.

    Attributes:
        handed: Whether an event was sent that names it.
    """

    handed = False


@contextmanager
def staging(stage: Stage | None) -> Iterator[Staging]:
    """Throw a stage away at the end; an open boundary may need one that was handed over: it stays."""
    held = Staging()
    try:
        yield held
    except BaseException as error:
        if stage is not None and held.handed and not isinstance(error, (*OF_ONE, OSError)):
            stage.close()
        elif stage is not None:
            stage.discard()
        raise
    if stage is not None:
        stage.discard()


def results_table(found: FoundArtifact, file_id: str) -> pa.Table:
    """Return RESULTS_COLUMNS: a row per validator about the artifact as its release's one file.

    Args:
        file_id: sha256 of its bytes.
    """
    import pyarrow as pa

    results = found.results
    count = len(results)
    return pa.table(
        {
            "relpath": pa.array([found.artifact] * count, pa.string()),
            "file_id": pa.array([file_id] * count, pa.string()),
            "validator": pa.array([result.validator for result in results], pa.string()),
            "validator_version": pa.array([found.validator_version] * count, pa.string()),
            "passed": pa.array([result.passed for result in results], pa.bool_()),
            "details": pa.array([result.details for result in results], pa.string()),
            "run_at": pa.array([found.fetched_at] * count, pa.timestamp("us", "UTC")),
            "reused_from": pa.array([None] * count, pa.string()),
        }
    )
