"""The order of versions: for each a key, an ASCII text whose byte order is the order of the versions.

The rules are those that publishers follow; `docs/operations.md` says them in words. It compares nothing itself, so that
whoever sorts by the key (SQL, Polars, Python) comes to the same order.
"""

from __future__ import annotations

import re
from datetime import date
from functools import lru_cache

# What may follow a number, by the first letter of the part that follows; their byte order is the rule.
_DEV, _PRE_NUMBER, _PRE_WORD, _END, _LOCAL, _POST, _SUFFIX, _MORE = "01234567"
_NEXT_NUMBER, _NEXT_WORD = "89"  # a further identifier of a pre-release
_NUMBERED, _NAMED = "12"  # whether a version begins with a number or with a name
_WORD_END = " "  # lower than whatever a word consists of

# PEP 440, "pre-release spelling", and words that announce a final release elsewhere
_PHASES = {"a": "alpha", "alpha": "alpha", "b": "beta", "beta": "beta", "c": "rc", "rc": "rc", "pre": "rc"} | {
    word: word for word in ("draft", "milestone", "nightly", "snapshot")
} | {"preview": "rc"}  # fmt: skip
_PHASE = "|".join(sorted(_PHASES, key=len, reverse=True))
_WORD_DONE = "(?=(?:post|rev|r)?(?:dev)?(?![a-z]))"  # PEP 440 allows them to stand without a separator
_PRE = rf"[-_.]?(?:{_PHASE}){_WORD_DONE}[-_.]?[0-9]*"
_POST_WORD = rf"[-_.]?(?:post|rev|r){_WORD_DONE}[-_.]?[0-9]*"
_DEV_WORD = rf"[-_.]?dev{_WORD_DONE}[-_.]?[0-9]*"
_LOCAL_PART = r"\+[a-z0-9]+(?:[-_.][a-z0-9]+)*"
_LEADING_V = re.compile(r"(?:v|ver|version|rel|release|releases)[-_./ ]?(?=[0-9])", re.IGNORECASE | re.ASCII)
_EPOCH = re.compile(r"([0-9]+)!(?=[0-9])")
_NUMBERS = re.compile(r"[0-9]+(?:\.[0-9]+)*")
_PEP_TAIL = re.compile(
    rf"(?:{_PRE})?(?:{_POST_WORD}|-[0-9]+)?(?:{_DEV_WORD})?(?:{_LOCAL_PART})?", re.IGNORECASE | re.ASCII
)
# https://semver.org, 9 and 10; what stands before the tail is known to be three numbers
_SEMVER_NUMBERS = re.compile(r"(?:0|[1-9][0-9]*)(?:\.(?:0|[1-9][0-9]*)){2}")
_SEMVER_TAIL = re.compile(r"-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)(\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?")
_IDENTIFIER_PHASE = re.compile(rf"({_PHASE})([0-9]*)", re.IGNORECASE | re.ASCII)
_TOKEN = re.compile(
    rf"[-_.]?(?P<phase>{_PHASE}){_WORD_DONE}(?:[-_.]?(?P<phase_number>[0-9]+))?"
    rf"|[-_.]?(?P<dev>dev){_WORD_DONE}(?:[-_.]?(?P<dev_number>[0-9]+))?"
    rf"|[-_.]?(?P<post>post|rev|r){_WORD_DONE}(?:[-_.]?(?P<post_number>[0-9]+))?"
    r"|-(?P<revision>[0-9]+)"
    r"|[._]?(?P<number>[0-9]+)"
    r"|\+(?P<local>.*)"
    r"|(?P<word>[^0-9+]+)",
    re.IGNORECASE | re.ASCII | re.DOTALL,
)
_MONTHS = {name: number for number, name in enumerate(
    ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), 1
)}  # fmt: skip
_MONTH = (
    r"(jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?)"
)
_YEAR = "(1[0-9]{3}|2[01][0-9]{2})"
_NO_DIGIT = "(?![0-9])"
_CLOCK = "[tT]?[0-9]{4}(?:[0-9]{2})?"
# each with the places of year, month and day among its groups; only the first may have more digits behind it
_DATES = tuple(
    (re.compile(pattern, re.IGNORECASE | re.ASCII), places)
    for pattern, places in (
        (rf"{_YEAR}([01][0-9])([0-3][0-9])(?=(?:{_CLOCK})?{_NO_DIGIT})", (1, 2, 3)),
        (rf"{_YEAR}([-_./])([0-9]{{1,2}})\2([0-9]{{1,2}}){_NO_DIGIT}", (1, 3, 4)),
        (rf"([0-3][0-9])([-_./])([01][0-9])\2{_YEAR}{_NO_DIGIT}", (4, 3, 1)),
        (rf"{_YEAR}-([01][0-9])(?![-0-9._])", (1, 2, 0)),
        (rf"([0-3]?[0-9])[-_. ]?{_MONTH}[-_. ]?{_YEAR}{_NO_DIGIT}", (3, 2, 1)),
        (rf"{_YEAR}[-_. ]?{_MONTH}(?![a-z])(?:[-_. ]?([0-3]?[0-9]){_NO_DIGIT})?", (1, 2, 3)),
        (rf"{_MONTH}[-_. ]?(?:([0-3]?[0-9])[-_. ])?{_YEAR}{_NO_DIGIT}", (3, 1, 2)),
    )
)


@lru_cache(maxsize=4096)
def version_key(version: str) -> str:
    """Return the text by whose bytes versions of a series are sorted; equal where the rules see no difference.

    Args:
        version: The version's name; what stands before its last `/` does not count.
    """
    text = version if _date_at(version) else version.rpartition("/")[2]
    leading = _LEADING_V.match(text)
    text = text[leading.end() :] if leading else text
    if _date_at(text) is None and not _is_number(text[:1]):
        name = re.match(r"[^0-9]*", text)
        prefix = name[0] if name else ""
        return f"{_NAMED}{_ascii(prefix)}{_WORD_END}{_key_of_numbers(text[len(prefix) :])}"
    return f"{_NUMBERED}{_key_of_numbers(text)}"


def _key_of_numbers(text: str) -> str:
    """Return the key of what begins with a number or a date, or of nothing."""
    found = _date_at(text)
    if found is not None:
        numbers, rest = found
        return _number("0") + _release(numbers) + _tail(rest.lstrip("tT") if _is_number(rest[1:2]) else rest)
    epoch = _EPOCH.match(text)
    text = text[epoch.end() :] if epoch else text
    match = _NUMBERS.match(text)
    digits = match[0] if match else ""
    release = _number(epoch[1] if epoch else "0") + _release(digits.split(".") if digits else [])
    rest = text[len(digits) :]
    identifiers = _SEMVER_TAIL.fullmatch(rest)
    # `1.0.0-1` is legal by both rules, with opposite meanings: three numbers are taken for SemVer
    if (
        identifiers
        and _SEMVER_NUMBERS.fullmatch(digits)
        and (_is_number(identifiers[1]) or not _PEP_TAIL.fullmatch(rest))
    ):
        return release + _identifiers(identifiers[1]) + _end((identifiers[2] or "")[1:])
    return release + _tail(rest)


def _date_at(text: str) -> tuple[list[str], str] | None:
    """Return year, month and day as numbers at the beginning of `text`, and what follows; None if there is no date."""
    for pattern, places in _DATES:
        match = pattern.match(text)
        if match is None:
            continue
        year, month, day = (match[place] if place and match[place] else "" for place in places)
        month = str(_MONTHS.get(month[:3].lower(), month))
        try:
            date(int(year), int(month), int(day or 1))
        except ValueError:
            continue
        return [year, month, *([day] if day else [])], text[match.end() :]
    return None


def _release(numbers: list[str]) -> str:
    plain = [number.lstrip("0") for number in numbers]
    while plain and not plain[-1]:
        # PEP 440: 1.0 and 1.0.0 are the same
        plain.pop()
    return "".join(_MORE + _number(number) for number in plain)


def _number(digits: str) -> str:
    """Return a number as text that sorts by its value: how many digits it has, then these."""
    plain = digits.lstrip("0")
    return f"{min(len(plain), 255):02x}{plain}"


def _identifiers(text: str) -> str:
    """Return the key of a pre-release of SemVer: numbers by value before words, words by ASCII, fewer before more."""
    parts = []
    for position, part in enumerate(text.split(".")):
        number, word = (_NEXT_NUMBER, _NEXT_WORD) if position else (_PRE_NUMBER, _PRE_WORD)
        phase = _IDENTIFIER_PHASE.fullmatch(part)
        if _is_number(part):
            parts.append(number + _number(part))
        elif phase:
            parts.append(f"{word}{_PHASES[phase[1].lower()]}{_WORD_END}")
            parts += [_NEXT_NUMBER + _number(phase[2])] if phase[2] else []
        else:
            parts.append(f"{word}{part}{_WORD_END}")
    return _with_first_number("".join(parts))


def _with_first_number(key: str) -> str:
    """Say that a phase without a number is its number 0, as PEP 440 has it, unless a number follows."""
    head, end, rest = key.partition(_WORD_END)
    if end and head[:1] == _PRE_WORD and head[1:] in _PHASES.values() and rest[:1] != _NEXT_NUMBER:
        return f"{head}{end}{rest}" if rest[:1] == _NEXT_WORD else f"{head}{end}{_NEXT_NUMBER}{_number('0')}{rest}"
    return key


def _tail(text: str) -> str:
    """Return the key of what follows the numbers, by PEP 440 and, where it does not know a word, naturally."""
    parts: list[str] = []
    local = after = ""
    in_pre = False
    for token in _TOKEN.finditer(text):
        kind = token.lastgroup or ""
        if token["phase"]:
            parts.append(f"{_NEXT_WORD if in_pre else _PRE_WORD}{_PHASES[token['phase'].lower()]}{_WORD_END}")
            parts.append(_NEXT_NUMBER + _number(token["phase_number"] or "0"))
            # SemVer alone puts alpha.0 behind alpha
            after = "0" if (token["phase_number"] or "1").strip("0") == "" else after
            in_pre = True
        elif token["dev"]:
            parts.append(_DEV + _number(token["dev_number"] or "0"))
        elif token["post"] or token["revision"]:
            parts.append(_POST + _number(token["post_number"] or token["revision"] or "0"))
        elif token["number"]:
            parts.append((_NEXT_NUMBER if in_pre else _MORE) + _number(token["number"]))
        elif kind == "local":
            local = token["local"]
        else:
            parts.append(f"{_SUFFIX}{_ascii(token['word'])}{_WORD_END}")
    return "".join(parts) + _end(local) + after


def _end(local: str) -> str:
    """Return the end of a key, with what stands behind a `+`: PEP 440 puts words before numbers there."""
    if not local:
        return _END
    parts = re.split("[-_.]", local.lower())
    told = (
        _PRE_WORD + _number(part) if _is_number(part) else f"{_PRE_NUMBER}{_ascii(part)}{_WORD_END}" for part in parts
    )
    return _LOCAL + "".join(told)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _ascii(text: str) -> str:
    """Return `text` in printable ASCII without the character that ends a word."""
    return "".join(letter if "!" <= letter <= "~" else f"~{ord(letter):06x}" for letter in text)
