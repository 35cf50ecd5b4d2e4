"""Check names, paths, hashes and times that come from outside, before anything is done with them.

It refuses to touch the disk: every check looks at the text alone.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from .characters import printable
from .errors import EventError

SEGMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+~-]{0,99}")
SHA256 = re.compile(r"[0-9a-f]{64}")
MAX_PART_BYTES = 255  # NAME_MAX of every file system in use
MAX_PATH_BYTES = 1024  # PATH_MAX of macOS, the smaller of the two platforms
MAX_ROOTED_BYTES = 4096  # below the root, with the folders of release, stage or quarantine before it; PATH_MAX of Linux
MAX_SIZE = 2**63 - 1
SECRET_NAMES = frozenset(
    {"access_token", "api-key", "api_key", "apikey", "auth", "authorization", "client_secret", "cookie", "credential"}
    | {"key", "passwd", "password", "pwd", "secret", "sig", "signature", "token"}
    | {"x-amz-credential", "x-amz-security-token", "x-amz-signature"}
)
DIRECTION_MARKS = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
REDACTED = "REDACTED"


def quote(text: object) -> str:
    """Return `text` so that it can stand in a sentence: printable ASCII or letters, nothing a terminal would obey."""
    try:
        plain = str(text)
    except ValueError:
        # a number of more digits than Python turns into text
        plain = f"a very large {type(text).__name__}"
    shown = printable(plain)
    return repr(shown if len(shown) <= 200 else shown[:120] + "…" + shown[-60:])


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
    if value.casefold() in ("latest", "previous", "latest.json"):
        raise EventError(f"The {field} may not be called {quote(value)}.", subject=field, hint="That word is reserved.")
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
        if unicodedata.category(ch) in ("Cc", "Cs", "Zl", "Zp") or ch in DIRECTION_MARKS:
            return ch
    return None


def relpath_fault(path: str, *, most: int = MAX_PATH_BYTES) -> str | None:
    """Return why `path` can't be a relative POSIX path of at most `most` bytes, as the end of a sentence, or None."""
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


def path_key(path: str) -> str:
    """Return the key under which two paths are the same file on a file system that folds case and normal forms.

    NFC, casefold, NFC again, since folding can undo the normal form (Unicode 16, section 3.13, D145).
    """
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())


def redact_url(url: str) -> str:
    """Return `url` without credentials: user and password dropped, values of secret query names replaced."""
    try:
        parts = urlsplit(url)
        pairs = parse_qsl(parts.query, keep_blank_values=True)
    except ValueError:
        # an URL that can't be read could hide a secret anywhere
        return REDACTED
    host = parts.netloc.rpartition("@")[2]
    query = parts.query
    if any(is_secret_name(name) for name, _ in pairs):
        query = urlencode([(name, REDACTED if is_secret_name(name) else value) for name, value in pairs])
    return urlunsplit((parts.scheme, host, parts.path, query, ""))


def is_secret_name(name: str) -> bool:
    """Say whether a query value or header of this name is a secret."""
    folded = name.casefold()
    return folded in SECRET_NAMES or folded.endswith(("token", "secret", "password", "apikey", "api_key"))
