"""What a check says of a file, and the ways out of one: it is damaged here, or nobody can judge it.

Which library found it is not known here.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

Verdict = tuple[bool | None, dict[str, object]]


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
    """Turn the panic of a library into NotJudged: it says nothing of the file."""
    try:
        yield
    except BaseException as error:
        # pyo3 derives it from BaseException, each library one of its own
        if type(error).__name__ != "PanicException":
            raise
        raise NotJudged("its parser gave up on it, which is a fault of the parser") from error
