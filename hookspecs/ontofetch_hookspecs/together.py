"""What a host asks, or has recorded, one right after the other: whoever does it may keep open what it needs for it.

What questions keep open is closed when the last of them is answered, so nobody else waits for it longer than that. What
is kept between two events is let go as soon as somebody waits for it, and at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

Entered = TypeVar("Entered")


class Together:
    """What the answers to some questions keep open."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._entered: dict[Hashable, Any] = {}

    def enter_once(self, key: Hashable, make: Callable[[], AbstractContextManager[Entered]]) -> Entered:
        """Enter the context that `make` returns, unless one was entered under this key; return what it gives."""
        if key not in self._entered:
            self._entered[key] = self._stack.enter_context(make())
        found: Entered = self._entered[key]
        return found


_current: ContextVar[Together | None] = ContextVar("together", default=None)
_recording: ContextVar[Together | None] = ContextVar("recording", default=None)


def asking_together() -> AbstractContextManager[None]:
    """Let the questions asked inside share what they need; nothing but questions belongs inside."""
    return _sharing(_current)


@contextmanager
def answering() -> Iterator[Together]:
    """Give what the questions that are asked together keep open; for a question that is asked alone, it closes here."""
    current = _current.get()
    if current is not None:
        yield current
        return
    with ExitStack() as stack:
        yield Together(stack)


def recording_together() -> AbstractContextManager[None]:
    """Let events that this thread sends inside share what is needed to record them; what lies between takes its time.

    Only a host whose plugins neither vote nor observe may do so: they may look at what they know to be closed.
    """
    return _sharing(_recording)


@contextmanager
def _sharing(variable: ContextVar[Together | None]) -> Iterator[None]:
    with ExitStack() as stack:
        token = variable.set(Together(stack))
        try:
            yield
        finally:
            variable.reset(token)


def recording() -> Together | None:
    """Return what may be kept until the next event of this thread; None where every event stands alone."""
    return _recording.get()
