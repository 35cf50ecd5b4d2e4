"""What plugins raise while a transactional hook is called, kept, so that no wrapper between can lose a veto.

The time that each vote takes is kept as well.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import field
from functools import cache, partial
from types import TracebackType
from typing import TYPE_CHECKING

from .commands import describe
from .errors import EventError, OntofetchError, PluginFailed, Veto
from .light_dataclasses import dataclass
from .names import quote
from .specs import TRANSACTIONAL
from .surround import Hears, surround

if TYPE_CHECKING:
    import pluggy


_SUBJECTS = {
    "on_download_done": "the download of {}",
    "on_extract_done": "the files of {}",
    "on_validate_done": "the validation of {}",
    "on_set_latest": "{} as latest",
    "on_change_releases": "{}",
}
SLOW_MILLISECONDS = 1000.0  # a vote that takes longer is named
_log = logging.getLogger("ontofetch.votes")


@dataclass(frozen=True, slots=True)
class Raised:
    """What a plugin raised: its name and the exception."""

    plugin: str
    error: BaseException


@dataclass(frozen=True, slots=True)
class Ballot:
    """What came of asking once.

    Args:
        raised: What was raised, in its order.
        milliseconds: Plugin → what its vote took.
        misled: Plugins that returned False, which is no veto.
    """

    raised: list[Raised] = field(default_factory=list)
    misled: list[str] = field(default_factory=list)
    milliseconds: dict[str, float] = field(default_factory=dict)


class Votes:
    """The votes of one manager.

    Args:
        manager: Whose implementations of the transactional hooks are watched.
        apart: Name of the plugin that asks for the votes; it has none itself.
    """

    def __init__(self, manager: pluggy.PluginManager, apart: str) -> None:
        self._manager = manager
        self._apart = apart
        self._local = threading.local()
        self._watched: list[pluggy.HookImpl] = []
        self._lock = threading.Lock()

    @contextmanager
    def asked(self, hook: str, *, tell: bool = True) -> Iterator[Ballot]:
        """Yield what is filled with whatever plugins raise and spend in this thread until the end.

        Args:
            hook: What is called.
            tell: Whether slow plugins are named, and those whose answer says nothing.
        """
        self._watch()
        ballot = Ballot()
        before = getattr(self._local, "ballot", None)
        self._local.ballot = ballot
        try:
            yield ballot
        finally:
            self._local.ballot = before
            if tell:
                _tell(ballot, hook)

    def _watch(self) -> None:
        """Watch everybody, those too who were registered since the last time."""
        with self._lock:
            for name in TRANSACTIONAL:
                for impl in getattr(self._manager.hook, name).get_hookimpls():
                    if impl.plugin_name != self._apart and impl not in self._watched:
                        self._watched.append(impl)
                        surround(impl, partial(_Noting, self._local, impl.plugin_name))


def _tell(ballot: Ballot, hook: str) -> None:
    for plugin, spent in ballot.milliseconds.items():
        if spent > SLOW_MILLISECONDS:
            _log.warning("plugin %s took %.1f s in %s; a vote should be quick", quote(plugin), spent / 1000, hook)
    for plugin in ballot.misled:
        _log.warning("plugin %s returned False from %s, which is no veto: raise a Veto", quote(plugin), hook)


class _Noting(Hears):
    """Note what leaves its body, but for the end of a generator, and how long it took."""

    def __init__(self, local: threading.local, plugin: str) -> None:
        self._local = local
        self._plugin = plugin
        self._start = 0.0

    def __enter__(self) -> _Noting:
        self._start = time.perf_counter()
        return self

    def hear(self, result: object) -> None:
        """Note a plugin that takes False for a veto."""
        ballot: Ballot | None = getattr(self._local, "ballot", None)
        if ballot is not None and result is False:
            ballot.misled.append(self._plugin)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        ballot: Ballot | None = getattr(self._local, "ballot", None)
        if ballot is None:
            return
        spent = (time.perf_counter() - self._start) * 1000
        ballot.milliseconds[self._plugin] = ballot.milliseconds.get(self._plugin, 0.0) + spent
        if error is None or isinstance(error, StopIteration | GeneratorExit):
            return
        # on its way out it passes the wrappers around its origin
        if all(error is not other.error for other in ballot.raised):
            ballot.raised.append(Raised(self._plugin, error))


@cache
def _kinds() -> dict[str, type]:
    """Return transactional hook → the event that belongs to it."""
    from .changes import ChangeReleases
    from .events import DownloadDone, ExtractDone, SetLatest, ValidateDone

    return {
        "on_download_done": DownloadDone,
        "on_extract_done": ExtractDone,
        "on_validate_done": ValidateDone,
        "on_set_latest": SetLatest,
        "on_change_releases": ChangeReleases,
    }


def hook_of(event: object) -> str:
    """Return the hook that an event belongs to, empty where it belongs to none."""
    return next((name for name, kind in _kinds().items() if isinstance(event, kind)), "")


def check_kind(hook: str, event: object) -> None:
    """Refuse an event that belongs to another hook, or none: nobody was asked for a vote on it.

    Raises:
        EventError: It does.
    """
    meant = hook_of(event)
    if meant != hook:
        wanted = _kinds()[hook].__name__
        raise EventError(
            f"{hook} was called with a {type(event).__name__}, not a {wanted}.",
            subject="event",
            hint=f"Call {meant} with it." if meant else f"Make a {wanted} and pass it as event=.",
        )


def subject_of(hook: str, event: object) -> str:
    """Return what a vote is about, for a sentence."""
    # a change says it itself; all others are about one release
    return _SUBJECTS[hook].format(getattr(event, "about", None) or getattr(event, "version_id", "an event"))


def explain_vote(error: BaseException, plugin: str, hook: str, subject: str, hint: str) -> OntofetchError:
    """Return what a host raises for what a plugin raised: a Veto or a PluginFailed that names it.

    Args:
        error: What it raised.
        plugin: Its name; empty where nobody knows whose error it is.
        hook: Where.
        subject: What it was asked about.
        hint: What the user may do, where the plugin does not say it.
    """
    if isinstance(error, OntofetchError):
        refused = f"The plugin {quote(plugin)} refuses {subject}: {_as_sentence(error.message)}"
        return Veto(refused, subject=subject, hint=error.hint or hint)
    who = f"The plugin {quote(plugin)}" if plugin else "A plugin"
    failed = f"{who} failed in {hook} for {subject}: {describe(error)}."
    return PluginFailed(failed, subject=subject, hint=hint)


def _as_sentence(message: str) -> str:
    """Return a plugin's message with an end, for something may follow."""
    return message if message.rstrip().endswith((".", "!", "?")) else f"{message.rstrip()}."
