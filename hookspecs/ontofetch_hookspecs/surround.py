"""Put a context around single implementations of hooks, around each step of a wrapper too.

pluggy has no other place between its call and one plugin's function; what the contexts are for is not known here.
"""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import AbstractContextManager
from types import GeneratorType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pluggy

Context = Callable[[], AbstractContextManager[object]]


class Hears(ABC):
    """A context that gives itself when it is entered, and is told what the implementation returned."""

    @abstractmethod
    def hear(self, result: object) -> None:
        """Take note of it."""


def surround(impl: pluggy.HookImpl, context: Context) -> None:
    """Let every call of an implementation, and every step of a wrapper, happen inside a new `context()`."""
    function: Callable[..., Any] = impl.function
    steps = inspect.isgeneratorfunction(inspect.unwrap(function))

    def surrounded(*args: Any, **kwargs: Any) -> Any:
        with context() as entered:
            result = function(*args, **kwargs)
        if isinstance(entered, Hears):
            entered.hear(result)
        return _Steps(result, context) if steps else result

    surrounded.__wrapped__ = function  # type: ignore[attr-defined] # so that a second one sees what the first encloses
    impl.function = surrounded  # type: ignore[misc]


class _Steps:
    """A generator of a wrapper, or of what is contributed, each of its steps inside a context."""

    def __init__(self, steps: GeneratorType[Any, Any, Any], context: Context) -> None:
        self._steps = steps
        self._context = context
        self.gi_code = steps.gi_code

    def __iter__(self) -> _Steps:
        return self

    def __next__(self) -> Any:
        with self._context():
            return next(self._steps)

    def send(self, value: Any) -> Any:
        with self._context():
            return self._steps.send(value)

    def throw(self, error: BaseException) -> Any:
        with self._context():
            return self._steps.throw(error)

    def close(self) -> None:
        self._steps.close()
