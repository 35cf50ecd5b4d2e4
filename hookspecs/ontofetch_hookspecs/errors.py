"""The base of every error that crosses the contract.

It knows nothing of any particular host or catalog; `ontofetch_catalog.errors` derives its own from here.
"""

from __future__ import annotations

import errno

EXIT_OK = 0
EXIT_ERROR = 1
EXIT_USAGE = 2
EXIT_FINDINGS = 3
EXIT_LOCKED = 4
EXIT_NEW = 5
EXIT_INTERRUPTED = 130
EXIT_TERMINATED = 143


_FULL = "Free some space on that disk and run the same command again."
_CLOSED = "Let this user in (`ls -l` shows whose it is), or name another place, and run the same command again."
_TOO_MANY = "Close some files or raise the limit (`ulimit -n`), and run the same command again."
_STEPS = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.EFBIG: "Raise the limit of a file's size (`ulimit -f`), and run the same command again.",
    errno.EROFS: "Mount that file system for writing, or name another place, and run the same command again.",
    errno.EACCES: _CLOSED,
    errno.EPERM: _CLOSED,
    errno.EIO: "The disk may be failing: look into the system's log, and run the same command again on a sound one.",
    errno.EMFILE: _TOO_MANY,
    errno.ENFILE: _TOO_MANY,
    errno.ENOMEM: "Free some memory and run the same command again.",
}
SYSTEM_CODES = tuple(_STEPS)  # errors by which the system says that it, and not a file, is at fault


def next_step(code: int | None) -> str:
    """Return a sentence that says what to do about an error of the system; `code` as in `OSError.errno`."""
    return _STEPS.get(code or 0, "Fix that and run the same command again.")


def step_at(error: BaseException, place: str) -> str:
    """Return what to do about an error of writing: of a disk or a system that is at fault, else about the `place`."""
    code = error.errno if isinstance(error, OSError) else None
    return next_step(code) if code in _STEPS and _STEPS[code] != _CLOSED else place


def text_of(error: BaseException) -> str:
    """Return what an error says, whatever it is: it may have no text that can be made, or none that can be written."""
    try:
        text = str(error)
    except Exception as other:  # noqa: BLE001 - the class of an error may be anybody's
        text = f"(its text can't be made: {type(other).__name__})"
    return text.encode("utf-8", "backslashreplace").decode()


class OntofetchError(Exception):
    """Say in a sentence what happened, to which thing, and what to type next.

    Args:
        message: What happened, a sentence.
        subject: The identity of the thing it is about (a version_id, a path, a field …).
        hint: What the user can do next, a sentence; empty where there is nothing to do.
    """

    exit_code = EXIT_ERROR

    def __init__(self, message: str, *, subject: str = "", hint: str = "") -> None:
        # a plugin may raise one with whatever it has at hand
        message, subject, hint = (it if isinstance(it, str) else str(it) for it in (message, subject, hint))
        super().__init__(message)
        self.message = message
        self.subject = subject
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        # keyword-only arguments do not survive the default pickling, and workers send errors home
        return _rebuild, (type(self), self.message, self.subject, self.hint)


def _rebuild(kind: type[OntofetchError], message: str, subject: str, hint: str) -> OntofetchError:
    return kind(message, subject=subject, hint=hint)


class EventError(OntofetchError):
    """A field of an event, or a name, path or hash from outside, breaks the contract."""


class StageError(OntofetchError):
    """A stage can't be made, read, locked or published."""


class Veto(OntofetchError):
    """A plugin votes against a boundary; raise it from a transactional hook."""


class PluginFailed(OntofetchError):
    """A plugin raised something that is not meant for users, or gave what nobody can use."""


class UsageError(OntofetchError):
    """The words of a command, or a setting, are off."""

    exit_code = EXIT_USAGE
