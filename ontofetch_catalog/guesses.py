"""What somebody may have meant who mistyped a name: one that is there and differs by a slip.

It imports nothing of the package; whose names they are is not known here.
"""

from __future__ import annotations

from collections.abc import Iterable

MOST = 3  # names that a sentence offers
SHOWN = 20  # names that a sentence lists
LONGEST = 100  # letters of a name that is compared letter by letter


def close_names(word: str, names: Iterable[str]) -> list[str]:
    """Return what `word` may mean among `names`, best first.

    It may be one of them but for case, blanks and dashes, the beginning of one, or one with a slip.
    A slip is one letter too many, missing, another, or two exchanged; two slips in a word of more than six letters.
    Of a name with slashes its end alone may be meant, too.
    """
    wanted = _plain(word)
    if not wanted:
        return []
    ranked = []
    for name in dict.fromkeys(names):
        rank = min((_rank(wanted, _plain(part)) for part in _ends(name)), default=9)
        if rank < 9:
            ranked.append((rank, name))
    best = min((rank for rank, _ in ranked), default=0)
    # a word that is a name but for case means no other that begins with it
    return [name for rank, name in ranked if rank == best][:MOST]


def did_you_mean(word: str, names: Iterable[str], otherwise: str = "") -> str:
    """Return the next step for somebody who typed `word`: what may be meant, else `otherwise`, else what there is."""
    known = list(names)
    close = close_names(word, known)
    if close:
        return f"Did you mean {' or '.join(close)}?"
    if otherwise:
        return otherwise
    return f"There are: {listed(known, SHOWN)}." if known else "There is none."


def listed(names: Iterable[str], most: int = 10) -> str:
    """Return names as a sentence lists them, and how many more there are."""
    known = list(names)
    return ", ".join(known[:most]) + (f" and {len(known) - most:,} more" if len(known) > most else "")


def perhaps(word: str, names: Iterable[str]) -> str:
    """Return `Did you mean …? ` to stand ahead of what there is, nothing where no name is like `word`.

    For a few known words, all of which are told anyway: here more than a slip may lie between.
    """
    import difflib

    known = list(names)
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    close = close or [name for name in known if word and name.startswith(word)]
    return f"Did you mean {close[0]}? " if close else ""


def _plain(text: str) -> str:
    return "/".join(text.casefold().replace("_", "-").split()).strip("/")


def _ends(name: str) -> list[str]:
    parts = name.split("/")
    return ["/".join(parts[start:]) for start in range(len(parts))]


def _rank(word: str, name: str) -> int:
    """Return how far a word is from a name: 0 the same, 1 a beginning, 2 a slip, 3 two slips, 9 something else."""
    if word == name:
        return 0
    if len(word) > 1 and name.startswith(word):
        return 1
    if max(len(word), len(name)) > LONGEST or min(len(word), len(name)) < 2:
        return 9
    allowed = 2 if min(len(word), len(name)) > 6 else 1
    slips = _slips(word, name, allowed)
    return 1 + slips if slips <= allowed else 9


def _slips(word: str, name: str, most: int) -> int:
    """Return the number of letters put in, left out, changed or exchanged with the next; `most` + 1 for any more."""
    if abs(len(word) - len(name)) > most:
        return most + 1
    before: list[int] = []
    row = list(range(len(name) + 1))
    for i, letter in enumerate(word, start=1):
        above, row = row, [i]
        for j, other in enumerate(name, start=1):
            cost = min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (letter != other))
            if i > 1 and j > 1 and letter == name[j - 2] and word[i - 2] == other:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        before = above
    return min(row[-1], most + 1)
