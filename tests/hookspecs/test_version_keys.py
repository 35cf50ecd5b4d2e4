"""The order of versions: what PEP 440 and SemVer say, dates, names, and one order for all of them."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from packaging.version import Version

from ontofetch_hookspecs.version_keys import version_key

SERIES = {
    "PEP 440": "1.0.dev1 1.0a1.dev1 1.0a1 1.0a1.post1 1.0a2 1.0b1 1.0rc1 1.0 1.0+abc 1.0+5 1.0.post1.dev2 1.0.post1"
    " 1.0.1.dev1 1.0.1 1.1 1.10 2.0 1!0.1",
    "the example of SemVer": "1.0.0-alpha 1.0.0-alpha.1 1.0.0-alpha.beta 1.0.0-beta 1.0.0-beta.2 1.0.0-beta.11"
    " 1.0.0-rc.1 1.0.0",
    "other SemVer": "1.0.0-0.3.7 1.0.0-1 1.0.0-2 1.0.0-alpha 1.0.0-alpha.0 1.0.0-x.7.z.92 1.0.0-x-y-z.-- 1.0.0",
    "a v": "v0.9 0.10 v0.11-rc1 V0.11 0.12",
    "a word for release": "release-1.9 1.10 version_1.11 rel1.12",
    "dates in all spellings": "2024-01-31 05.02.2024 2024_02_06 releases/2024-02-07 20240208 09-Feb-2024 2024.02.10"
    " 2024/02/11 12-02-2024 2024-Feb-13 February-14-2024 20240215T1010 20240215T1110 2024-02-16 01.03.2024 2025-01-01",
    "a second one on the same day": "2024-02-05-rc1 2024-02-05 2024-02-05.1 2024-02-05.2 2024-02-05.10 2024-02-06",
    "years and months": "2023 2023-11 2024 2024-01 2024-01-15 2024-02 2024-10",
    "numbers before dates": "1.9 12.3 2023-12-31 2024.1 2024-02-05 2024.3 3000",
    "letters": "24.01d 24.02e 24.10d",
    "revisions": "1.0-1 1.0-2 1.0-10 1.1-1",
    "names with numbers": "bfo-1.9 bfo-1.10-rc1 bfo-1.10 bfo-2",
    "names after numbers": "1.0 2024-01-01 alpha beta core full",
    "snapshots": "1.0-SNAPSHOT 1.0 1.1-draft2 1.1-nightly 1.1",
    "long numbers": "99999999999999999999999 100000000000000000000000",
    "no dates": "1.2.2000 1.2.2001 1.3.0 20241331 20241332",
}  # fmt: skip


@pytest.mark.parametrize("kind", SERIES)
def test_a_series_is_in_order(kind: str) -> None:
    """Whatever the order in which the versions come, their keys sort them as their publishers do."""
    series = SERIES[kind].split()
    mixed = sorted(series, key=lambda version: version[::-1])
    assert sorted(mixed, key=version_key) == series
    assert len({version_key(version) for version in series}) == len(series)


@pytest.mark.parametrize(
    "same",
    ["1.0 v1.0 V1.0 1.0.0 1 01.0 release-1.0", "2024-02-05 20240205 05.02.2024 2024_02_05 5-Feb-2024 2024.2.5",
     "1.0a1 1.0-alpha.1 1.0_ALPHA_1", "1.0rc1 1.0c1 1.0-pre1", "1.0-1 1.0.post1 1.0r1"],
)  # fmt: skip
def test_spellings_of_one_version_have_one_key(same: str) -> None:
    """A `v`, zeros at the end, another spelling of a date or of a phase make no other version."""
    assert len({version_key(version) for version in same.split()}) == 1


_NUMBER = st.integers(0, 30).map(str)
_RELEASE = st.lists(_NUMBER, min_size=1, max_size=4).map(".".join)
_SEPARATOR = st.sampled_from(["", ".", "-", "_"])


@st.composite
def _pep440(draw: st.DrawFn) -> str:
    """Return a version as PEP 440 allows it, in any spelling."""
    parts = [draw(st.sampled_from(["", "", "", "v", "1!", "v2!"])), draw(_RELEASE)]
    if draw(st.booleans()):
        parts += [draw(_SEPARATOR), draw(st.sampled_from(["a", "b", "c", "rc", "alpha", "BETA", "pre", "preview"]))]
        parts += [draw(_SEPARATOR), draw(_NUMBER)] if draw(st.booleans()) else []
    post = draw(st.integers(0, 3))
    if post == 1:
        parts += [draw(_SEPARATOR), draw(st.sampled_from(["post", "rev", "r"])), draw(_SEPARATOR), draw(_NUMBER)]
    elif post == 2:
        parts += ["-", draw(_NUMBER)]
    if draw(st.booleans()):
        parts += [draw(_SEPARATOR), "dev", draw(_NUMBER)]
    if draw(st.booleans()):
        parts += [
            "+",
            draw(st.lists(st.from_regex("[a-z0-9]{1,3}", fullmatch=True), min_size=1, max_size=3).map(".".join)),
        ]
    return "".join(parts)


def _is_conflict(version: str) -> bool:
    """Say whether SemVer gives a version of PEP 440 another meaning: three numbers, then `-` and a number."""
    return re.fullmatch(r"v?[0-9]+\.[0-9]+\.[0-9]+-[0-9]+(\+.*)?", version) is not None


@given(st.lists(_pep440().filter(lambda version: not _is_conflict(version)), min_size=2, max_size=12))
@example(["1.0a.post1", "1.0a0"])
def test_the_order_is_that_of_pep_440(versions: list[str]) -> None:
    """Sorted by their keys, versions of PEP 440 are sorted as `packaging` sorts them; equal ones have equal keys."""
    found = [Version(version) for version in sorted(versions, key=version_key)]
    assert found == sorted(found)


_WORDS = st.sampled_from(["alpha", "beta", "rc", "x", "y", "build", "full", "Zeta", "a-b", "-", "x1", "0a"])
_PRECEDENCE = st.lists(st.one_of(_NUMBER, _WORDS), max_size=4).map(".".join)
_CORE = st.tuples(_NUMBER, _NUMBER, _NUMBER).map(".".join)


@st.composite
def _semver(draw: st.DrawFn) -> str:
    """Return a version of SemVer."""
    pre, build = draw(_PRECEDENCE), draw(st.sampled_from(["", "", "+5", "+exp.sha-1"]))
    return draw(_CORE) + (f"-{pre}" if pre else "") + build


def _compare(a: str, b: str) -> int:
    """Return the precedence of two versions, as https://semver.org, 11, has it."""
    (core_a, _, pre_a), (core_b, _, pre_b) = (v.partition("+")[0].partition("-") for v in (a, b))
    numbers = [[int(number) for number in core.split(".")] for core in (core_a, core_b)]
    if numbers[0] != numbers[1]:
        return -1 if numbers[0] < numbers[1] else 1
    if not pre_a or not pre_b:
        return bool(pre_b) - bool(pre_a) if bool(pre_a) != bool(pre_b) else 0
    keys = [
        [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in pre.split(".")] for pre in (pre_a, pre_b)
    ]
    return (keys[0] > keys[1]) - (keys[0] < keys[1])


@given(st.lists(_semver(), min_size=2, max_size=12))
def test_the_order_is_that_of_semver(versions: list[str]) -> None:
    """Sorted by their keys, versions of SemVer have the precedence that it says."""
    found = sorted(versions, key=version_key)
    assert all(_compare(a, b) <= 0 for a, b in pairwise(found))


@given(st.text(max_size=120))
def test_any_text_has_a_key(text: str) -> None:
    """A name that nobody foresaw has a key as well, of printable ASCII."""
    key = version_key(text)
    assert key.isascii()
    assert key.isprintable()
