"""The way from an import to the hooks: looking releases up, what events carry, what an error on the way is about."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ontofetch_hookspecs import Host, HostInfo, PluginFailed, Receipt, Stage, VersionRecord, Veto
from ontofetch_hookspecs.commands import describe
from ontofetch_hookspecs.errors import EventError, OntofetchError
from ontofetch_hookspecs.names import quote
from ontofetch_hookspecs.notify import FAILURES

from ..errors import Conflict, ExtractError, PreconditionFailed
from .found import FoundArtifact, ImportRefused, Outcome

if TYPE_CHECKING:
    import pyarrow as pa

# what is wrong with one artifact, and says nothing of the next one
OF_ONE = (ImportRefused, EventError, ExtractError, Conflict, PreconditionFailed, Veto, PluginFailed)


class Contract:
    """What an import asks and tells the plugins of a host."""

    def __init__(self, info: HostInfo) -> None:
        self._info = info
        self._host = Host(info)

    def find(self, version_id: str) -> VersionRecord | None:
        """Return what is recorded of a release, None if nothing is."""
        found = self._info.manager.hook.lookup_version(version_id=version_id)
        if found is not None and not isinstance(found, VersionRecord):
            raise PluginFailed(f"A plugin answered lookup_version with a {type(found).__name__}.", subject=version_id)
        return found

    def send(self, step: str, **fields: object) -> Receipt | None:
        """Send an event.

        Raises:
            OntofetchError: It was refused; what else a plugin raises is its veto.
        """
        try:
            receipt: Receipt | None = getattr(self._host, step)(**fields)
        except (OntofetchError, OSError):
            raise
        except FAILURES as error:
            raise PluginFailed(f"A plugin failed in on_{step}: {describe(error)}.", subject=step) from error
        return receipt


@contextmanager
def telling(outcome: Outcome, found: FoundArtifact) -> Iterator[None]:
    """Turn what is wrong with one artifact into what its row says."""
    try:
        yield
    except OF_ONE as error:
        outcome.messages.append(error.message)
    except OSError as error:
        outcome.messages.append(f"{quote(found.file.relpath)} can't be read: {error.strerror or error}.")


@contextmanager
def staging(stage: Stage | None) -> Iterator[None]:
    """Throw a stage away at the end; after an error of the catalog it stays, for an open boundary may need it."""
    try:
        yield
    except (*OF_ONE, OSError):
        if stage is not None:
            stage.discard()
        raise
    except BaseException:
        if stage is not None:
            stage.close()
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
