"""Check names, paths, hashes and times that come from outside, before anything is done with them.

It refuses to touch the disk: every check looks at the text alone.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from datetime import UTC, datetime

from .characters import escape_unseen
from .errors import EventError

MAX_SEGMENT = 100  # characters of a service, an ontology or a version
SEGMENT = re.compile(rf"[A-Za-z0-9][A-Za-z0-9._+~-]{{0,{MAX_SEGMENT - 1}}}")
SHA256 = re.compile(r"[0-9a-f]{64}")
MAX_PART_BYTES = 255  # NAME_MAX of every file system in use
MAX_PATH_BYTES = 1024  # PATH_MAX of macOS, the smaller of the two platforms
MAX_ROOTED_BYTES = 4096  # below the root, with the folders of release, stage or quarantine before it; PATH_MAX of Linux
MAX_ROOT_BYTES = 512 if sys.platform == "darwin" else 3584  # PATH_MAX, less what the catalog's own files need
MAX_SIZE = 2**63 - 1
# which paths are legal and which are the same: these and the limits above are the rule; what looks at whole columns, as
# Arrow and SQL do, is made of them
UNSAFE_CATEGORIES = ("Cc", "Cs", "Zl", "Zp")
DIRECTION_MARKS = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
UNSAFE_CLASS = (  # as RE2 writes it
    "["
    + "".join(rf"\p{{{name}}}" for name in UNSAFE_CATEGORIES)
    + "".join(rf"\x{{{ord(mark):x}}}" for mark in DIRECTION_MARKS)
    + "]"
)
NO_PART = r"\.{0,2}"  # what no part of a path may be: empty, `.`, `..`
# code points from first to last among which are the lower-case letters that folding makes something else of (Unicode,
# CaseFolding.txt); a test looks at all others
_FOLDED_APART = (
    (0xB5, 0xDF), (0x149, 0x149), (0x17F, 0x17F), (0x1F0, 0x1F0), (0x345, 0x345), (0x390, 0x3F5), (0x587, 0x587),
    (0x13F8, 0x13FD), (0x1C80, 0x1C88), (0x1E96, 0x1E9B), (0x1F50, 0x1FF7), (0xAB70, 0xABBF), (0xFB00, 0xFB17),
)  # fmt: skip


def quote(text: object) -> str:
    r"""Return `text` so that it can stand in a sentence: printable ASCII or letters, nothing a terminal would obey.

    A line end is `\n`, and a backslash is two: what is not cut is no other text's.
    """
    try:
        plain = str(text)
    except ValueError:
        # a number of more digits than Python turns into text
        plain = f"a very large {type(text).__name__}"
    shown = escape_unseen(repr(plain))
    return shown if len(shown) <= 202 else shown[:121] + "…" + shown[-61:]


def shell_word(name: str) -> str:
    """Return `name` as a shell takes it in a command that a sentence tells to type; FILE if it can't be shown."""
    import shlex

    return shlex.quote(name) if name.isprintable() else "FILE"


def check_segment(field: str, value: object) -> str:
    """Return `value` if it can be a service, an ontology or a version.

    Raises:
        EventError: It is not text of the form `[A-Za-z0-9][A-Za-z0-9._+~-]{0,99}`, or it is the word `latest`.
    """
    if not isinstance(value, str) or not SEGMENT.fullmatch(value):
        raise EventError(
            f"The {field} {quote(value)} is not a name the catalog can hold.",
            subject=field,
            hint="Use 1 to 100 of A-Z a-z 0-9 . _ + ~ - and start with a letter or a digit.",
        )
    if path_key(value) in ("latest", "previous", "latest.json"):
        raise EventError(
            f"The {field} may not be called {quote(value)}.",
            subject=field,
            hint="That word is reserved; give it another one.",
        )
    return value


def check_sha256(field: str, value: object) -> str:
    """Return `value` if it is a sha256 in 64 lower-case hex digits, else raise EventError."""
    if not isinstance(value, str) or not SHA256.fullmatch(value):
        raise EventError(f"{field} is {quote(value)}, not a sha256 in 64 lower-case hex digits.", subject=field)
    return value


def check_size(field: str, value: object) -> int:
    """Return `value` if it is a number of bytes from 0 to 2**63-1, else raise EventError."""
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MAX_SIZE:
        raise EventError(f"{field} is {quote(value)}, not a number of bytes from 0 to 2**63-1.", subject=field)
    return value


def check_time(field: str, value: object) -> datetime:
    """Return `value` if it is a datetime that knows its zone, else raise EventError."""
    try:
        if isinstance(value, datetime) and value.utcoffset() is not None:
            # the first and the last hours of the calendar have no UTC
            value.astimezone(UTC)
            return value
    except OverflowError:
        pass
    raise EventError(
        f"{field} is {quote(value)}, not a time with a zone.", subject=field, hint="Use datetime.now(timezone.utc)."
    )


def check_text(field: str, value: object, *, most: int = 4096, optional: bool = True) -> str | None:
    """Return `value` if it is text of one line without control characters, at most `most` characters; else raise."""
    if value is None and optional:
        return None
    if not isinstance(value, str) or len(value) > most or unsafe_character(value) is not None:
        raise EventError(f"{field} is {quote(value)}, not plain text of at most {most:,} characters.", subject=field)
    return value


def unsafe_character(text: str) -> str | None:
    """Return the first control character, surrogate, line or direction mark in `text`, or None."""
    if text.isascii() and text.isprintable():
        return None
    for ch in text:
        if unicodedata.category(ch) in UNSAFE_CATEGORIES or ch in DIRECTION_MARKS:
            return ch
    return None


def relpath_fault(path: str, *, most: int = MAX_PATH_BYTES) -> str | None:
    """Return why `path` can't be a relative POSIX path of at most `most` bytes, as the end of a sentence, or None."""
    if path.isascii() and path.isprintable() and len(path) <= MAX_PART_BYTES <= most:
        # most are such, and there may be a million: letters are bytes, and no part can be too long
        around = f"/{path}/"
        if "//" not in around and "/./" not in around and "/../" not in around:
            return None
    if not path:
        return "is empty"
    if path.startswith("/"):
        return "is absolute"
    bad = unsafe_character(path)
    if bad is not None:
        return f"contains the control character U+{ord(bad):04X}"
    return _parts_fault(path.split("/"), most)


def _parts_fault(parts: list[str], most: int) -> str | None:
    if "" in parts:
        return "has an empty part"
    if ".." in parts or "." in parts:
        return "has a part '.' or '..'"
    sizes = [len(part.encode()) for part in parts]
    if max(sizes) > MAX_PART_BYTES:
        return f"has a part longer than {MAX_PART_BYTES} bytes"
    if sum(sizes) + len(sizes) - 1 > most:
        return f"is longer than {most:,} bytes"
    return None


def check_relpath(field: str, value: object, *, most: int = MAX_PATH_BYTES) -> str:
    """Return `value` if it is a relative POSIX path of at most `most` bytes that stays below its folder.

    Raises:
        EventError: Absolute, empty, with `.` or `..` or an empty part, a control character, a surrogate, or too long.
    """
    if not isinstance(value, str):
        raise EventError(f"{field} is {quote(value)}, not text.", subject=field)
    fault = relpath_fault(value, most=most)
    if fault is not None:
        raise EventError(f"{field} {quote(value)} {fault}.", subject=field)
    return value


def root_fault(path: str) -> str | None:
    r"""Return why a store can't lie at an absolute path, as the end of a sentence, or None.

    The database is opened by its path, in which DuckDB takes `?` for the start of options and `\\` for a separator.
    """
    try:
        parts = path.encode().split(b"/")
    except UnicodeEncodeError:
        return "is not UTF-8, and the database can't be opened there"
    for bad in "?\\":
        if bad in path:
            return f"has a {bad} in it, and the database can't be opened there"
    if max(map(len, parts)) > MAX_PART_BYTES:
        return f"has a part longer than {MAX_PART_BYTES} bytes"
    if sum(map(len, parts)) + len(parts) - 1 > MAX_ROOT_BYTES:
        return f"is longer than {MAX_ROOT_BYTES:,} bytes"
    return None


def path_key(path: str) -> str:
    """Return the key under which two paths are the same file on a file system that folds case and normal forms.

    NFC, casefold, NFC again, since folding can undo the normal form (Unicode 16, section 3.13, D145).
    """
    if path.isascii():
        return path.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())


def folded_apart() -> dict[str, str]:
    """Return lower-case letter → what folding makes of it, where that is something else."""
    letters = (chr(point) for first, last in _FOLDED_APART for point in range(first, last + 1))
    return {letter: letter.casefold() for letter in letters if letter.lower() == letter != letter.casefold()}
