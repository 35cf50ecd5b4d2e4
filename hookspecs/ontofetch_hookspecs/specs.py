"""The specifications of the hooks and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from .changes import ChangeReleases
    from .columns import Table
    from .commands import Command, HostInfo, PluginSetting, Report, Validator
    from .dividing import Division
    from .events import CatalogCommitted, CatalogRolledBack, DownloadDone, ExtractDone, SetLatest, ValidateDone
    from .extensions import Exporter, Finding, Retention
    from .origins import SourceScheme
    from .records import DownloadRecord, VersionRecord

PROJECT = "ontofetch"
ENTRY_POINT_GROUP = "ontofetch"
REQUIRED_GROUP = "ontofetch.required"  # a plugin named here too must be loaded, or nothing is recorded
TRANSACTIONAL = ("on_download_done", "on_extract_done", "on_validate_done", "on_set_latest", "on_change_releases")


class RetiredArgument(DeprecationWarning):
    """A hook still takes an argument that will go; say in which release, and what to use instead.

    A specification names it: `@hookspec(warn_on_impl_args={"former": RetiredArgument("…")})`. A new argument needs
    nothing: implementations take those that they name.
    """


hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def on_download_done(event: DownloadDone) -> object:
    """Vote on an artifact that has arrived: raise to veto. May run again, so have no outside effect."""


@hookspec
def on_extract_done(event: ExtractDone) -> object:
    """Vote on the files of an unpacked artifact: raise to veto. May run again, so have no outside effect."""


@hookspec
def on_validate_done(event: ValidateDone) -> object:
    """Vote on the results of validators: raise to veto. May run again, so have no outside effect."""


@hookspec
def on_set_latest(event: SetLatest) -> object:
    """Vote on a release becoming latest: raise to veto. May run again, so have no outside effect."""


@hookspec
def on_change_releases(event: ChangeReleases) -> object:
    """Vote on a change of what is recorded already: raise to veto. May run again, so have no outside effect."""


@hookspec
def on_catalog_committed(event: CatalogCommitted) -> None:
    """Observe a committed boundary. At most once; what is raised here is reported and changes nothing."""


@hookspec
def on_boundary_failed(event: CatalogRolledBack) -> None:
    """Observe a boundary that was given up: by a veto, or by an error. At most once; what is raised changes nothing."""


@hookspec(firstresult=True)
def lookup_download(url: str) -> DownloadRecord | None:
    """Answer with the last record of `url`, credentials aside; None if there is none."""


@hookspec(firstresult=True)
def lookup_version(version_id: str) -> VersionRecord | None:
    """Answer with the record of a release; None if it is not recorded."""


@hookspec(firstresult=True)
def lookup_validations(file_ids: Sequence[str], validator: str, validator_version: str) -> Table | None:
    """Answer with the known results for these contents, columns KNOWN_RESULTS_COLUMNS.

    One row per file_id at most; of the empty content, whose format its name says, one for each ending of such names.
    """


@hookspec(firstresult=True)
def lookup_facts(file_ids: Sequence[str], facts_versions: Sequence[str]) -> Table | None:
    """Answer with the facts of these contents that are known and at hand, columns KNOWN_FACTS_COLUMNS."""


@hookspec(firstresult=True)
def divide_work(work: str) -> AbstractContextManager[Division] | None:
    """Answer with a share in some work, to be entered; None where no other machine can have one."""


@hookspec
def register_commands() -> Iterable[Command]:
    """Contribute commands."""


@hookspec
def register_reports() -> Iterable[Report]:
    """Contribute reports."""


@hookspec
def register_validators() -> Iterable[Validator]:
    """Contribute validators."""


@hookspec
def register_settings() -> Iterable[PluginSetting]:
    """Contribute settings of the plugin's own."""


@hookspec
def register_findings() -> Iterable[Finding]:
    """Contribute checks of a store, and the codes of what they find."""


@hookspec
def register_exporters() -> Iterable[Exporter]:
    """Contribute formats in which commands write their rows."""


@hookspec
def register_retention() -> Iterable[Retention]:
    """Contribute rules of which releases a prune proposes to take."""


@hookspec
def register_sources() -> Iterable[SourceScheme]:
    """Contribute schemes that list the versions of a name, and where they are."""


@hookspec(historic=True)
def on_host_ready(host: HostInfo) -> None:
    """Learn which host this is; called once everything is loaded, and at once for whoever is registered later."""
