"""Whether the command that runs was asked to be quiet (`-q`): then it says only what is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from ontofetch_hookspecs import HostInfo, take_common_options

_quiet: ContextVar[bool] = ContextVar("quiet", default=False)


def is_quiet() -> bool:
    """Say whether what is well goes without saying."""
    return _quiet.get()


@contextmanager
def quietly(quiet: bool) -> Iterator[None]:
    """Let commands be quiet, or not, as long as the body runs."""
    before = _quiet.set(quiet)
    try:
        yield
    finally:
        _quiet.reset(before)


def take_options(argv: list[str], host: HostInfo) -> tuple[list[str], HostInfo]:
    """Take the options of every command out of the words of one, as any host hands them over, and heed `-q`.

    Raises:
        UsageError: One of them can't be heeded.
    """
    words, host = take_common_options(argv, host)
    _quiet.set(bool(host.settings.get("quiet")))
    return words, host
