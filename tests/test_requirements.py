"""What is required, what was tried, and what is installed for development: three places that say the same."""

from __future__ import annotations

import re
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.environments import CHECKOUT, CONTRACT, DIGEST_LINE, requirements_digest

LOCK = (CHECKOUT / "requirements.lock").read_text(encoding="utf-8")
PROJECT = (CHECKOUT / "pyproject.toml").read_text(encoding="utf-8")
_PIN = re.compile(r"([a-z0-9-]+)==([^ ;]+)(?: ; (.*?))? \\")
_HASH = re.compile(r"    --hash=sha256:[0-9a-f]{64}(?: \\)?")


def required() -> list[Requirement]:
    """Return all that pyproject.toml requires from others: to build, to run, for each extra."""
    found = tomllib.loads(PROJECT)
    lists = [found["build-system"]["requires"], found["project"]["dependencies"]]
    lists += found["project"]["optional-dependencies"].values()
    return [Requirement(line) for lines in lists for line in lines if not line.startswith(CONTRACT)]


def pins(lock: str) -> dict[str, list[str]]:
    """Return name → versions of a lock file; a name has several where Pythons or platforms differ."""
    found: dict[str, list[str]] = {}
    for line in lock.splitlines():
        match = _PIN.fullmatch(line)
        if match:
            found.setdefault(match[1], []).append(match[2])
    return found


def faults(lock: str) -> list[str]:
    """Return what a lock file lacks or has too much of."""
    versions = pins(lock)
    found = [f"{it} is not met" for it in required() if not is_met(it, versions)]
    if lock.splitlines()[0] != DIGEST_LINE.format(requirements_digest()):
        found.append("it was made of another pyproject.toml")
    lines = lock.splitlines()
    for line, following in zip(lines[1:], [*lines[2:], ""], strict=True):
        if not _PIN.fullmatch(line) and not _HASH.fullmatch(line):
            found.append(f"{line!r} is neither a version nor a hash")
        if _PIN.fullmatch(line) and not _HASH.fullmatch(following):
            found.append(f"{line!r} has no hash")
    return found


def is_met(requirement: Requirement, versions: dict[str, list[str]]) -> bool:
    """Say whether each version of a lock file fits a requirement."""
    locked = versions.get(canonicalize_name(requirement.name), [])
    return bool(locked) and all(requirement.specifier.contains(version) for version in locked)


def test_the_lock_file_says_what_is_required() -> None:
    """Everything in pyproject.toml has a version within its bounds, each with hashes, and no place is named."""
    assert faults(LOCK) == [], "`make lock` makes it anew"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("\nduckdb==", "\nduckdb==9", "duckdb<3,>=1.5.2 is not met"),
        ("\nhatchling==", "\nother==", "hatchling>=1.27 is not met"),
        ("requires: ", "requires: 0", "another pyproject"),
        ("    --hash=sha256:", "    --hash=md5:", "has no hash"),
        ("\nhttpx==", "\n--extra-index-url https://h/simple\nhttpx==", "neither a version"),
        ("\nhttpx==", "\nhttpx @ https://h/httpx.whl #", "httpx<0.29,>=0.28 is not met"),
    ],
)
def test_a_lock_file_that_differs_is_found_out(old: str, new: str, words: str) -> None:
    """The check above sees each kind of difference."""
    assert words in "; ".join(faults(LOCK.replace(old, new, 1)))


def test_what_may_break_has_an_upper_bound_and_a_reason() -> None:
    """Each upper bound of what is needed to run says why; what is below 1.0 ends before its next minor version."""
    lines = PROJECT.partition("\ndependencies = [\n")[2].partition("\n]")[0].splitlines()
    for line in lines:
        quoted, _, reason = line.partition(",  #") if ",  #" in line else line.partition(", #")
        requirement = Requirement(quoted.strip().strip('",'))
        if requirement.name == CONTRACT:
            continue
        upper = [it for it in requirement.specifier if it.operator == "<"]
        assert bool(upper) == bool(reason.strip()), line
        for version in pins(LOCK)[canonicalize_name(requirement.name)]:
            if version.startswith("0."):
                minor = int(version.split(".")[1])
                assert [it.version for it in upper] == [f"0.{minor + 1}"]
