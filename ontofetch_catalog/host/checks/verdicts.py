"""What a check says of a file, and the ways out of one: it is damaged here, or nobody can judge it.

Which library found it is not known here.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import field
from typing import Any

from ontofetch_hookspecs.light_dataclasses import dataclass

from ...content.facts.table import forget_table

Verdict = tuple[bool | None, dict[str, object]]
Told = tuple[bool | None, dict[str, object], dict[str, Any] | None]
_NO_THREAD = "failed to spawn thread"  # of Rust's std::thread


class Faulty(Exception):
    """The file breaks the rules of its syntax.

    Args:
        reason: What is wrong, without where.
        line, column: Where, from 1 on; 0 where nobody knows.
    """

    def __init__(self, reason: str, line: int = 0, column: int = 0) -> None:
        super().__init__(reason)
        self.reason, self.line, self.column = reason, line, column


class NotJudged(Exception):
    """Nobody can say whether the file is valid; the message says why."""


def failed(error: Faulty, **counts: int) -> Verdict:
    """Return the verdict on a faulty file: `error`, `line` and `column` where they are known, and counts."""
    details: dict[str, object] = {"error": error.reason, **counts}
    if error.line:
        details["line"] = error.line
    if error.line and error.column:
        details["column"] = error.column
    return False, details


def not_judged(error: NotJudged) -> Verdict:
    """Return the verdict on a file that nobody can judge."""
    return None, {"not_judged": str(error)}


@contextmanager
def panics_named() -> Iterator[None]:
    """Turn the panic of a library into NotJudged: it says nothing of the file.

    Raises:
        MemoryError: The process has no room for a thread of it.
    """
    try:
        yield
    except BaseException as error:
        # pyo3 derives it from BaseException, each library one of its own
        if type(error).__name__ != "PanicException":
            raise
        if _NO_THREAD in str(error):
            raise MemoryError(str(error)) from error
        raise NotJudged("its parser gave up on it, which is a fault of the parser") from error


@dataclass(slots=True)
class Telling:
    """The answer of a check that tells facts: verdict and facts."""

    answer: Told = field(default=(None, {}, None))

    def passed(self, details: dict[str, object], facts: dict[str, Any] | None) -> None:
        """Say that the file passed, with what a plain check says of it, and its facts, if there are some."""
        self.answer = (True, details, facts)


@contextmanager
def telling(check: Callable[[], Verdict], table: str) -> Iterator[Telling]:
    """Do something that tells facts; where it comes to nothing, the plain check has the word, and there are no facts.

    Args:
        check: The plain check; what it says is what is said, whatever the telling stumbled over.
        table: Path of the table of terms, which is not left half written.
    """
    told = Telling()
    # millions of small objects without a circle among them, which the collector would look at again and again
    was_collecting = gc.isenabled()
    gc.disable()
    try:
        with panics_named():
            yield told
    except (Faulty, NotJudged, SyntaxError, ValueError, RecursionError, MemoryError, OSError):
        forget_table(table)
        told.answer = (*check(), None)
    finally:
        if was_collecting:
            gc.enable()
