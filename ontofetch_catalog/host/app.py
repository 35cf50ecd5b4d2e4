"""The program `ontofetch` as a process: signals, and how every error becomes a sentence and an exit code.

Which commands there are and what they do is not known here.
"""

from __future__ import annotations

import gc
import io
import os
import re
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

from .interrupts import Terminated

_PLATFORMS = ("linux", "darwin")
_SIZE = re.compile("0{0,5}[1-9][0-9]{0,5}")
_YOUNG = 200_000  # objects that are made before garbage is looked for: more than a start makes
_VERBOSE = re.compile(r"-v+|--verbose")
_CODES: dict[int, tuple[str, int]] = {signal.SIGINT: ("interrupted", 130), signal.SIGTERM: ("terminated", 143)}


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
    if argv is None:
        # what is imported stays: nothing of it is garbage, and looking for some takes a tenth of a start
        gc.set_threshold(_YOUNG, 10, 10)
        _open_closed_streams()
        _leave_current_folder_out()
        _take_odd_terminals()
    with _handled(stays=argv is None) as signals:
        try:
            code = _run(words, signals)
        except (KeyboardInterrupt, Terminated):
            # one before there was anything to interrupt, or a second one while the first was told
            signals.ignore()
            code = _say(*_CODES[signals.arrived or signal.SIGINT])
    if argv is None:
        # nor is it looked for at the end, when all of it goes anyway
        gc.freeze()
    return code


def _open_closed_streams() -> None:
    """Let stdin, stdout and stderr be there, where whoever started this process has closed them.

    Else the next file that is opened, such as the database, has the number of one of them, and whatever a library or a
    child writes to its stderr goes into that file. Rows that nobody can read are an error: stdout can't be written.
    """
    flags = {"stdin": os.O_RDWR, "stdout": os.O_RDONLY, "stderr": os.O_RDWR}
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        try:
            os.fstat(number)
        except OSError:
            # the lowest number that is free, which is this one
            os.set_inheritable(os.open(os.devnull, flags[name]), True)
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, mode, encoding="utf-8", errors="replace", closefd=False))  # noqa: SIM115 - it stays


def _leave_current_folder_out() -> None:
    """Take off the path of this process what means the current folder, or leads below it: no plugin comes from there.

    An absolute entry of PYTHONPATH stays, the user named it; one that is empty or relative means another folder every
    day. Where the package itself lies there, in a checkout, it stays too.
    """
    named = "" if sys.flags.ignore_environment else os.environ.get("PYTHONPATH", "")
    relative = [entry for entry in named.split(os.pathsep) if named and not os.path.isabs(entry)]
    try:
        # Python has made them absolute when it started
        below = {os.path.abspath(entry) for entry in relative}
    except OSError:
        # the current folder is gone, and nothing can be found in it
        below = set()
    below -= {os.path.abspath(entry) for entry in named.split(os.pathsep) if os.path.isabs(entry)}
    below -= {os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))}
    sys.path[:] = [entry for entry in sys.path if os.path.isabs(entry) and entry not in below]


def _take_odd_terminals() -> None:
    """Let no letter that a stream can't show, and no size of a terminal that is none, be an error."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    for name in ("COLUMNS", "LINES"):
        if not _SIZE.fullmatch(os.environ.get(name, "")):
            # rich takes every digit of Unicode for one that it can read, and draws nothing in no columns
            os.environ.pop(name, None)


class _Signals:
    """Which signal arrived first; what its handler raises may be lost inside a library that fails in its own way."""

    def __init__(self) -> None:
        self.arrived: int | None = None

    def note(self, number: int, frame: FrameType | None) -> NoReturn:
        """Remember the signal and raise what stands for it."""
        del frame
        self.arrived = self.arrived or number
        raise KeyboardInterrupt if number == signal.SIGINT else Terminated

    def ignore(self) -> None:
        """Let no further signal disturb the end."""
        for number in _CODES:
            signal.signal(number, signal.SIG_IGN)


def _run(words: list[str], signals: _Signals) -> int:
    try:
        from .dispatch import run

        code = run(words)
        _flush_stdout()
        if signals.arrived is not None:
            # what it raised was lost on the way, in a finalizer for instance; who sent it learns that it came
            code = _say(*_CODES[signals.arrived])
    except SystemExit as ended:
        code = _code_of(ended)
    except (KeyboardInterrupt, Terminated) as interrupt:
        # at once: a second one would find no handler on the last steps out
        signals.ignore()
        code = _say(*_CODES[signal.SIGINT if isinstance(interrupt, KeyboardInterrupt) else signal.SIGTERM])
    except BrokenPipeError:
        code = _close_stdout()
    except Exception as error:  # noqa: BLE001 - the last place: a user gets a sentence, and with -v the traceback
        if signals.arrived is not None:
            # DuckDB, for one, turns the interrupt of a query into a RuntimeError
            return _say(*_CODES[signals.arrived])
        code = _fail(error, verbose=any(_VERBOSE.fullmatch(word) for word in words))
    except BaseException as error:
        # a library in Rust that panics raises what is no Exception
        if type(error).__name__ != "PanicException":
            raise
        code = _fail(RuntimeError(str(error)), verbose=any(_VERBOSE.fullmatch(word) for word in words))
    return code


@contextmanager
def _handled(*, stays: bool) -> Iterator[_Signals]:
    """Let SIGINT and SIGTERM raise; with `stays` no further one disturbs the end of a process that was told to end."""
    signals = _Signals()
    if threading.current_thread() is not threading.main_thread():
        yield signals
        return
    previous = {signal.SIGTERM: signal.signal(signal.SIGTERM, signals.note)}
    # a process that was started to ignore it (nohup, a shell's background) goes on doing so
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        previous[signal.SIGINT] = signal.signal(signal.SIGINT, signals.note)
    try:
        yield signals
    finally:
        if stays and signals.arrived is not None:
            signals.ignore()
        else:
            for number, handler in previous.items():
                signal.signal(number, handler)


def _code_of(ended: SystemExit) -> int:
    if ended.code is None or isinstance(ended.code, int):
        return ended.code or 0
    return _say(f"error: {ended.code}", 1)


def _fail(error: Exception, *, verbose: bool) -> int:
    import errno

    from ontofetch_hookspecs.errors import EXIT_ERROR, OntofetchError, next_step

    from ..console.told_commands import with_store

    if verbose:
        _show_traceback(error)
    if isinstance(error, OntofetchError):
        return _say(f"error: {error.message} {with_store(error.hint)}".rstrip(), error.exit_code)
    if isinstance(error, FileNotFoundError) and not error.filename and _is_nowhere():
        hint = "Go to a folder that is there, and run the same command again."
        return _say(f"error: The current folder was removed. {hint}", EXIT_ERROR)
    if isinstance(error, OSError) and error.strerror:
        about = f": {error.filename}" if error.filename else ""
        return _say(f"error: {error.strerror}{about}", EXIT_ERROR)
    if isinstance(error, MemoryError):
        return _say(f"error: There is not enough memory. {next_step(errno.ENOMEM)}", EXIT_ERROR)
    hint = "" if verbose else " Run it again with -v for the traceback."
    return _say(f"error: This should not happen: {type(error).__name__}: {error}.{hint}", EXIT_ERROR)


def _is_nowhere() -> bool:
    """Say whether the current folder is gone: a relative path, or a name that is not there, then has no whole path."""
    try:
        os.getcwd()
    except OSError:
        return True
    return False


def _show_traceback(error: Exception) -> None:
    import traceback

    from ..rendering.text import safe_lines
    from .logs import without_secrets

    sys.stderr.write(safe_lines(without_secrets("".join(traceback.format_exception(error)))))


def _say(text: str, code: int) -> int:
    from .logs import clean

    sys.stderr.write(clean(text) + "\n")
    return code


def _flush_stdout() -> None:
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError as error:
        _close_stdout()
        if not isinstance(error, BrokenPipeError):
            raise OSError(error.errno, error.strerror, "stdout") from error


def _close_stdout() -> int:
    """Let nobody write to a pipe that its reader has closed, the interpreter at its end neither."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0
