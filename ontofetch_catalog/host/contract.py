"""The contract as one pull speaks it: events made and sent, questions asked, errors with the name of a plugin.

It does not know who listens or answers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime
from typing import Any, TypeVar

from ontofetch_hookspecs import (
    DownloadDone,
    DownloadRecord,
    Event,
    ExtractDone,
    HostInfo,
    PluginFailed,
    Receipt,
    SetLatest,
    Table,
    ValidateDone,
    VersionRecord,
    find_receipt,
)
from ontofetch_hookspecs.dividing import Division
from ontofetch_hookspecs.names import quote
from ontofetch_hookspecs.together import asking_together, recording_together
from ontofetch_hookspecs.votes import subject_of

from .manager import Plugins

Sent = TypeVar("Sent", bound=Event)
Answer = TypeVar("Answer")


class Contract:
    """The hooks of one host."""

    def __init__(self, host: HostInfo, plugins: Plugins) -> None:
        self._host = host
        self._plugins = plugins

    def download_done(self, event: DownloadDone) -> Receipt | None:
        """Send the event and return the catalog's receipt, None if there is no catalog."""
        return self._call("on_download_done", event)

    def extract_done(self, event: ExtractDone) -> Receipt | None:
        """Likewise."""
        return self._call("on_extract_done", event)

    def validate_done(self, event: ValidateDone) -> Receipt | None:
        """Likewise."""
        return self._call("on_validate_done", event)

    def set_latest(self, event: SetLatest) -> Receipt | None:
        """Likewise."""
        return self._call("on_set_latest", event)

    def make(self, kind: type[Sent], **fields: Any) -> Sent:
        """Return an event of this run with `fields`."""
        host = self._host
        return kind(root=host.root, run_id=host.run_id, config_hash=host.config_hash, **fields)

    def find_download(self, url: str) -> DownloadRecord | None:
        """Return the last record of a URL."""
        return self._answer("lookup_download", DownloadRecord, url=url)

    def find_version(self, version_id: str) -> VersionRecord | None:
        """Return the record of a release."""
        return self._answer("lookup_version", VersionRecord, version_id=version_id)

    def find_release(self, version_id: str, url: str) -> tuple[VersionRecord | None, DownloadRecord | None]:
        """Return the record of a release and the last one of a URL, asked together."""
        with asking_together():
            return self.find_version(version_id), self.find_download(url)

    def find_results(self, file_ids: Sequence[str], validator: str, validator_version: str) -> Table | None:
        """Return what is known of these contents."""
        asked = {"file_ids": file_ids, "validator": validator, "validator_version": validator_version}
        found: Table | None = self._answer("lookup_validations", Table, **asked)  # type: ignore[type-abstract]
        return found

    def find_facts(self, file_ids: Sequence[str], facts_versions: Sequence[str]) -> Table | None:
        """Return of which of these contents facts are known."""
        asked = {"file_ids": file_ids, "facts_versions": facts_versions}
        found: Table | None = self._answer("lookup_facts", Table, **asked)  # type: ignore[type-abstract]
        return found

    @contextmanager
    def recording_together(self) -> Iterator[None]:
        """Let the events sent inside share what the catalog needs to record them, where nobody else hears of them."""
        with nullcontext() if self._plugins.others_hear() else recording_together():
            yield

    @contextmanager
    def dividing(self, work: str) -> Iterator[Division | None]:
        """Have a share in some work until the end of a `with`; None where no other machine can have one."""
        share: AbstractContextManager[Division] | None = None
        if work:
            share = self._answer("divide_work", AbstractContextManager, work=work)  # type: ignore[type-abstract]
        with share or nullcontext() as division:
            yield division

    def _answer(self, hook: str, kind: type[Answer], **asked: Any) -> Answer | None:
        """Ask, and return the answer.

        Raises:
            PluginFailed: It is of another kind.
        """
        caller = getattr(self._host.manager.hook, hook)
        found = caller(**asked)
        if found is None or isinstance(found, kind):
            return found
        # pluggy does not say who answered: the first that has an answer, the last of the list first
        impls = reversed(caller.get_hookimpls())
        names = (
            impl.plugin_name for impl in impls if impl.function(*(asked[name] for name in impl.argnames)) is not None
        )
        plugin = next(names, "")
        raise PluginFailed(
            f"The plugin {quote(plugin)} answered {hook} with a {type(found).__name__}, not a {kind.__name__}.",
            subject=plugin,
            hint=f"`--no-plugin {plugin}` leaves the plugin out.",
        )

    def _call(self, hook: str, event: DownloadDone | ExtractDone | ValidateDone | SetLatest) -> Receipt | None:
        return find_receipt(self._plugins.call(hook, event, subject_of(hook, event)))


def now() -> datetime:
    """Return the time, with its zone."""
    return datetime.now(UTC)
