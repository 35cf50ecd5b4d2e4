"""The catalog as a plugin: wraps the transactional hooks in boundaries and answers the host's questions.

It imports the catalog only when it is called; before that it is a list of hooks.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from ontofetch_hookspecs import Command, hookimpl, refuse_without
from ontofetch_hookspecs.names import quote
from ontofetch_hookspecs.notify import FAILURES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ontofetch_catalog.catalog.boundaries import Boundary, BoundaryResult
    from ontofetch_catalog.catalog.boundaries.replacing import Leaves
    from ontofetch_catalog.catalog.connection import Store
    from ontofetch_hookspecs import (
        ChangeReleases,
        DownloadDone,
        DownloadRecord,
        ExtractDone,
        Finding,
        HostInfo,
        Receipt,
        Retention,
        SetLatest,
        Table,
        ValidateDone,
        VersionRecord,
    )
    from ontofetch_hookspecs.dividing import Division
    from ontofetch_hookspecs.votes import Raised, Votes

    Voted = DownloadDone | ExtractDone | ValidateDone | SetLatest | ChangeReleases
    Run = Callable[[Callable[[BoundaryResult], None]], Receipt]

PLUGIN_NAME = "catalog"
_CLI = "ontofetch_catalog.cli"
_log = logging.getLogger("ontofetch.catalog")
_state = threading.local()


@contextmanager
def _not_nested() -> Iterator[None]:
    """Refuse a boundary inside a boundary of the same thread, from the vote to the last observer."""
    from ontofetch_catalog.errors import NestedBoundary

    if getattr(_state, "inside", False):
        raise NestedBoundary(
            "A hook called back into a boundary while one of the same thread was open.",
            hint="Do it after the hook has returned, from the host.",
        )
    _state.inside = True
    try:
        yield
    finally:
        _state.inside = False


def _refuse_lost(hook: str, raised: Sequence[Raised]) -> None:
    """Raise the veto that a wrapper of another plugin has swallowed; what leaves a plugin counts."""
    if raised:
        _log.warning(
            "a wrapper of %s swallowed what plugin %s raised; a veto counts all the same", hook, quote(raised[0].plugin)
        )
        raise raised[0].error


def _keep(store: Store, version_id: str, artifact: str) -> Leaves:
    """Return what keeps an artifact that is replaced; seldom needed, so it is imported then."""
    from ontofetch_catalog.catalog.undoing.swapping import Leaving

    return Leaving(store, version_id, artifact)


def _prepare(store: Store, event: Voted) -> tuple[Boundary, Run]:
    """Return the boundary of an event, after a check of it, and what carries it out; nothing is written."""
    from ontofetch_catalog.catalog.boundaries import carry_out, make_boundary
    from ontofetch_hookspecs import ChangeReleases

    if isinstance(event, ChangeReleases):
        from ontofetch_catalog.catalog.undoing.changes import change_of

        change = change_of(store, event)
        return change.boundary, change.run
    boundary = make_boundary(store, event, _keep)

    def run(tell: Callable[[BoundaryResult], None]) -> Receipt:
        outcome = carry_out(store, boundary)
        tell(outcome)
        return outcome.receipt

    return boundary, run


class CatalogPlugin:
    """One catalog for one manager; it learns its root when the host is ready."""

    PLUGIN_NAME = PLUGIN_NAME

    def __init__(self) -> None:
        self._host: HostInfo | None = None
        self._votes: Votes | None = None

    @hookimpl
    def on_host_ready(self, host: HostInfo) -> None:
        """Remember the host: its root, its settings, and the manager through which observers are told.

        A second manager gets a catalog of its own: what is loaded from an entry point is one object for all of them,
        and a question would be answered from the catalog of whichever host was ready last.
        """
        if self._host is not None and self._host.manager is not host.manager:
            name = host.manager.get_name(self)
            host.manager.unregister(self)
            # it hears of the host as it is registered, and is outermost, as whoever comes last
            host.manager.register(CatalogPlugin(), name=name)
            return
        self._host = host

    @hookimpl(wrapper=True)
    def on_download_done(self, event: DownloadDone) -> Generator[None, list[Any], list[Any]]:
        """Record an artifact: rows and file, or neither."""
        return (yield from self._boundary("on_download_done", event))

    @hookimpl(wrapper=True)
    def on_extract_done(self, event: ExtractDone) -> Generator[None, list[Any], list[Any]]:
        """Record the files of an artifact: rows and files, or neither."""
        return (yield from self._boundary("on_extract_done", event))

    @hookimpl(wrapper=True)
    def on_validate_done(self, event: ValidateDone) -> Generator[None, list[Any], list[Any]]:
        """Record results of validators: rows and audit, or neither."""
        return (yield from self._boundary("on_validate_done", event))

    @hookimpl(wrapper=True)
    def on_set_latest(self, event: SetLatest) -> Generator[None, list[Any], list[Any]]:
        """Record a latest pointer: row and LATEST.json, or neither."""
        return (yield from self._boundary("on_set_latest", event))

    @hookimpl(wrapper=True)
    def on_change_releases(self, event: ChangeReleases) -> Generator[None, list[Any], list[Any]]:
        """Change what is recorded already: rows and files, or neither."""
        return (yield from self._boundary("on_change_releases", event))

    def _boundary(self, hook: str, event: Voted) -> Generator[None, list[Any], list[Any]]:
        from ontofetch_catalog.catalog.boundaries import notify_observers, notify_rolled_back, record_rollback
        from ontofetch_catalog.catalog.connection import Store
        from ontofetch_hookspecs.votes import Ballot, Votes, check_kind

        check_kind(hook, event)
        if self._host is not None:
            refuse_without(self._host)
            if self._votes is None:
                self._votes = Votes(self._host.manager, self._host.manager.get_name(self) or PLUGIN_NAME)
        # without a host it is the store of the event, with default settings
        store = self._store() or Store(event.root, {}, event.run_id, event.config_hash)
        with _not_nested():
            boundary, run = _prepare(store, event)
            store = boundary.store
            ballot = Ballot()
            try:
                with ExitStack() as stack:
                    if self._votes is not None:
                        ballot = stack.enter_context(self._votes.asked(hook))
                    votes = yield
                boundary.votes = ballot.milliseconds
                _refuse_lost(hook, ballot.raised)
            except FAILURES as veto:
                boundary.votes = ballot.milliseconds
                plugin = next((other.plugin for other in ballot.raised if other.error is veto), "")
                record_rollback(store, boundary, veto, plugin)
                if self._host is not None:
                    notify_rolled_back(self._host.manager, store, boundary, veto, plugin)
                raise

            def tell(outcome: BoundaryResult) -> None:
                if self._host is not None:
                    notify_observers(self._host.manager, store, outcome)

            try:
                receipt = run(tell)
            except FAILURES as error:
                if self._host is not None:
                    notify_rolled_back(self._host.manager, store, boundary, error, "")
                raise
        return [*votes, receipt]

    @hookimpl
    def lookup_download(self, url: str) -> DownloadRecord | None:
        """Answer with the last record of a URL."""
        found: DownloadRecord | None = self._ask("lookup_download", url)
        return found

    @hookimpl
    def lookup_version(self, version_id: str) -> VersionRecord | None:
        """Answer with the record of a release."""
        found: VersionRecord | None = self._ask("lookup_version", version_id)
        return found

    @hookimpl
    def lookup_validations(self, file_ids: Sequence[str], validator: str, validator_version: str) -> Table | None:
        """Answer with known results for these contents."""
        found: Table | None = self._ask("lookup_validations", file_ids, validator, validator_version)
        return found

    @hookimpl
    def lookup_facts(self, file_ids: Sequence[str], facts_versions: Sequence[str]) -> Table | None:
        """Answer with the known facts of these contents."""
        found: Table | None = self._ask("lookup_facts", file_ids, facts_versions)
        return found

    @hookimpl
    def divide_work(self, work: str) -> AbstractContextManager[Division] | None:
        """Answer with a share in some work, where machines share the catalog."""
        from ontofetch_catalog.catalog.dividing import share_in

        store = self._store()
        return share_in(store, work) if store else None

    @hookimpl
    def register_commands(self) -> Iterable[Command]:
        """Contribute `db`, what changes and shows releases, and what a host without a command shows."""
        return [
            Command("rm", "remove a release, a series or an artifact to quarantine", f"{_CLI}.rm_cmd:main"),
            Command("mv", "give a release, a series or a service another name", f"{_CLI}.mv_cmd:main"),
            Command("undo", "take back what was done last", f"{_CLI}.undo_cmd:main"),
            Command("note", "write down a sentence about a release", f"{_CLI}.note_cmd:note"),
            Command("tag", "give a release a tag", f"{_CLI}.note_cmd:tag"),
            Command("db", "look at the catalog and care for it", f"{_CLI}.db_cmd:main"),
            Command("init", "make a store, of its own or one that shares its catalog", f"{_CLI}.shared_cmd:init"),
            Command("lock", "write down which releases there are", f"{_CLI}.lock_cmd:main"),
            Command("show", "one page about a release, a series or a file", f"{_CLI}.show_cmd:main"),
            Command("log", "what happened, in sentences", f"{_CLI}.log_cmd:main"),
            Command("home", "what do I have", f"{_CLI}.home_cmd:main", default=True),
        ]

    @hookimpl
    def register_findings(self) -> Iterable[Finding]:
        """Contribute the codes of `db doctor`, CAT001 and so on."""
        from ontofetch_catalog.catalog.doctor.codes import as_contributions

        return as_contributions()

    @hookimpl
    def register_retention(self) -> Iterable[Retention]:
        """Contribute the rules behind `--keep-last` and `--older-than`."""
        from ontofetch_hookspecs import Retention

        rules = "ontofetch_catalog.catalog.prune.retention"
        return [
            Retention("keep-last", "releases before the last N of their series", f"{rules}:keep_last", "N"),
            Retention(
                "keep-by-series", "releases before the last N of each series named", f"{rules}:keep_by_series", "LIST"
            ),
            Retention("older-than", "releases recorded longer ago, e.g. 90d", f"{rules}:older_than", "AGE"),
        ]

    def _ask(self, question: str, *given: object) -> Any:
        """Return the answer to a question of a host, which is about to write; None without a store.

        What keeps readers out is ended first.
        """
        from ontofetch_catalog.catalog import lookups, sessions
        from ontofetch_catalog.catalog.boundaries import notify_recovered
        from ontofetch_hookspecs.layout import SWAP

        store = self._store()
        if store is None or self._host is None:
            return None
        if store.path(SWAP).exists():
            with sessions.writing(store) as session:
                recovered = session.recovered
            notify_recovered(self._host.manager, store, recovered)
        return getattr(lookups, question)(store, *given)

    def _store(self) -> Store | None:
        from ontofetch_catalog.catalog.connection import Store

        host = self._host
        return None if host is None else Store(host.root, host.settings, host.run_id, host.config_hash)


plugin = CatalogPlugin()
