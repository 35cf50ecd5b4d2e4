"""How a user is asked before something is changed that they may not have meant."""

from __future__ import annotations

import sys

from ..errors import OntofetchError, UsageError


def confirm(question: str, *, yes: bool, subject: str, hint: str = "Add --yes, or --dry-run.") -> None:
    """Ask on the terminal; `yes` is an answer given beforehand.

    Args:
        question: What would be done, as a sentence.
        yes: Whether it was answered already.
        subject: What it is about.
        hint: What to type where nobody can be asked.

    Raises:
        UsageError: Nobody can be asked.
        OntofetchError: The answer is no.
    """
    if yes:
        return
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError(f"{question} Nobody can be asked: this is no terminal.", subject=subject, hint=hint)
    sys.stderr.write(f"{question} [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().casefold() not in ("y", "yes"):
        raise OntofetchError("Nothing was changed.", subject=subject, hint="Answer y, or add --yes.")
