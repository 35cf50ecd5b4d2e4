"""What a planted fault is: texts of the source that are replaced, and the tests that have to fail then."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Change:
    """One text of a file of the checkout and what takes its place; the text stands there exactly once."""

    file: str
    former: str
    now: str


@dataclass(frozen=True, slots=True)
class Fault:
    """One defence that is taken out.

    Args:
        name: What is left out.
        changes: How.
        tests: Node ids of pytest, each of which has to fail: a test's id stands for all of its parameters, one of
            which has to.
        note: Why it is planted so, where that is not plain: another defence behind it is taken out with it.
    """

    name: str
    changes: tuple[Change, ...]
    tests: tuple[str, ...]
    note: str = ""


def fault(name: str, *changes: tuple[str, str, str], tests: tuple[str, ...], note: str = "") -> Fault:
    """Return a fault of (file, former text, what takes its place)."""
    return Fault(name, tuple(Change(*change) for change in changes), tests, note)


def of(test: str, *parameters: str) -> tuple[str, ...]:
    """Return the ids of a test with each of these parameters."""
    return tuple(f"{test}[{parameter}]" for parameter in parameters)
