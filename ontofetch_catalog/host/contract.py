"""The contract as a pull and an import speak it: events sent, questions asked, errors with the name of a plugin.

It does not know who listens or answers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, TypeVar

from ontofetch_hookspecs import (
    DownloadDone,
    DownloadRecord,
    ExtractDone,
    Host,
    HostInfo,
    OntofetchError,
    PluginFailed,
    Receipt,
    SetLatest,
    Table,
    ValidateDone,
    VersionRecord,
)
from ontofetch_hookspecs.names import quote
from ontofetch_hookspecs.notify import FAILURES
from ontofetch_hookspecs.together import asking_together, recording_together
from ontofetch_hookspecs.votes import explain_vote, hook_of, subject_of

from .manager import others_hear

if TYPE_CHECKING:
    from ontofetch_hookspecs.dividing import Division

Answer = TypeVar("Answer")


class Contract(Host):
    """The hooks of one host: events as any host sends them, and the questions that it asks."""

    def __init__(self, info: HostInfo) -> None:
        super().__init__(info, way_out="`--no-plugin {}` leaves the plugin out.")

    def send(self, event: DownloadDone | ExtractDone | ValidateDone | SetLatest) -> Receipt | None:
        """Send an event and return the catalog's receipt, None if there is no catalog.

        Raises:
            OntofetchError: What the catalog raised, as it is; what another plugin raised, with the plugin's name.
        """
        return self._call(hook_of(event), event)

    def _call(self, hook: str, event: Any) -> Receipt | None:
        try:
            return super()._call(hook, event)
        except OntofetchError:
            raise
        except FAILURES as error:
            # no plugin's vote, such as what pluggy says of a wrapper with a second yield
            subject, hint = subject_of(hook, event), "`ontofetch plugins` lists them."
            raise explain_vote(error, "", hook, subject, hint) from error

    def recording(self) -> AbstractContextManager[None]:
        """Let events that this thread sends inside share what it takes to record them, if nobody else hears."""
        return nullcontext() if others_hear(self.manager) else recording_together()

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
        caller = getattr(self.manager.hook, hook)
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
