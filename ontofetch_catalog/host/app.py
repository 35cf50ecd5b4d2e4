"""Own the program `ontofetch` as a process: signals, and how every error becomes a sentence and an exit code.

Which commands there are and what they do is not known here.
"""

from __future__ import annotations

import os
import re
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

_PLATFORMS = ("linux", "darwin")
_VERBOSE = re.compile(r"-v+|--verbose")


class Terminated(BaseException):
    """SIGTERM arrived; what is open is closed on the way out."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the program and return its exit code.

    Args:
        argv: The words after the program's name; None: those of this process.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    if sys.platform not in _PLATFORMS:
        # before anything else is imported: locks and signals are those of POSIX
        sys.stderr.write(f"error: ontofetch runs on Linux and macOS; this is {sys.platform}.\n")
        return 1
    with _sigterm_raises():
        try:
            from .dispatch import run

            code = run(words)
            if sys.stdout is not None:
                sys.stdout.flush()
        except SystemExit as ended:
            code = _code_of(ended)
        except KeyboardInterrupt:
            code = _say("interrupted", 130)
        except Terminated:
            code = _say("terminated", 143)
        except BrokenPipeError:
            code = _close_stdout()
        except Exception as error:  # noqa: BLE001 - the last place: a user gets a sentence, and with -v the traceback
            code = _fail(error, verbose=any(_VERBOSE.fullmatch(word) for word in words))
    return code


@contextmanager
def _sigterm_raises() -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    previous = signal.signal(signal.SIGTERM, _terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)


def _terminate(number: int, frame: FrameType | None) -> NoReturn:
    del number, frame
    raise Terminated


def _code_of(ended: SystemExit) -> int:
    if ended.code is None or isinstance(ended.code, int):
        return ended.code or 0
    return _say(f"error: {ended.code}", 1)


def _fail(error: Exception, *, verbose: bool) -> int:
    from ontofetch_hookspecs.errors import EXIT_ERROR, OntofetchError

    if verbose:
        _show_traceback(error)
    if isinstance(error, OntofetchError):
        return _say(f"error: {error}", error.exit_code)
    if isinstance(error, OSError) and error.strerror:
        about = f": {error.filename}" if error.filename else ""
        return _say(f"error: {error.strerror}{about}", EXIT_ERROR)
    hint = "" if verbose else " Run it again with -v for the traceback."
    return _say(f"error: This should not happen: {type(error).__name__}: {error}.{hint}", EXIT_ERROR)


def _show_traceback(error: Exception) -> None:
    import traceback

    from ..rendering.text import safe_lines
    from .logs import without_secrets

    sys.stderr.write(safe_lines(without_secrets("".join(traceback.format_exception(error)))))


def _say(text: str, code: int) -> int:
    from .logs import clean

    sys.stderr.write(clean(text) + "\n")
    return code


def _close_stdout() -> int:
    """Let nobody write to a pipe that its reader has closed, the interpreter at its end neither."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0
