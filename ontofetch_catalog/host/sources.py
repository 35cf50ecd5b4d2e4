"""What SOURCE means: a local path, a `file:` or an `http(s):` URL, the name of the artifact, the credentials.

It looks at the text alone; nothing is opened.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit
from urllib.request import url2pathname

from ontofetch_hookspecs.names import is_ambiguous, quote, redact_url, relpath_fault, unsafe_character

from ..errors import UsageError

MOST_URL = 4096  # characters: what an event takes
_SCHEME = re.compile(r"(?:(https?|file):|([A-Za-z][A-Za-z0-9+.-]*)://)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where an artifact comes from.

    Args:
        url: To be asked for: without user and password, but secrets may stand in its query, so it is not shown.
        name: The name of the artifact.
        path: Where it lies, if it is local.
        user, password: From the URL, or None.
    """

    url: str = field(repr=False)
    name: str
    path: Path | None = None
    user: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)

    @property
    def shown(self) -> str:
        """Return the URL without credentials, as it is recorded and told."""
        return redact_url(self.url)

    @property
    def hides_values(self) -> bool:
        """Return whether values were replaced: then the recorded URL may stand for several."""
        return self.shown != self.url

    @property
    def is_ambiguous(self) -> bool:
        """Return whether a value was replaced that may choose the bytes: then nothing recorded speaks for this URL."""
        return is_ambiguous(self.url)


def parse_source(text: str) -> Source:
    """Return the source that `text` names.

    Raises:
        UsageError: It is of another kind, or its last part can't be the name of a file.
    """
    if not text or unsafe_character(text) is not None:
        raise UsageError(f"The source {quote(text)} is no plain text.", subject="SOURCE")
    scheme = _SCHEME.match(text)
    if scheme is None:
        return _local(Path(text))
    if scheme[2] is not None:
        raise UsageError(
            f"The source {quote(redact_url(text))} is none of a path, file:, http: and https:.", subject="SOURCE"
        )
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise _unreadable(text) from error
    if parts.scheme == "file":
        return _local(_file_path(parts, text))
    if not parts.hostname or port == 0:
        raise _unreadable(text)
    return _remote(parts)


def _remote(parts: SplitResult) -> Source:
    url = urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, parts.query, ""))
    shown = redact_url(url)
    if len(shown) > MOST_URL:
        raise UsageError(f"The source is an URL of more than {MOST_URL:,} characters.", subject="SOURCE")
    # the name is recorded as well, so it is taken from what may be; parameters of the path are none of a file's name
    last = urlsplit(shown).path.rpartition("/")[2].partition(";")[0]
    return Source(
        url=url,
        name=_name_of(last, shown),
        user=None if parts.username is None else unquote(parts.username),
        password=None if parts.password is None else unquote(parts.password),
    )


def _file_path(parts: SplitResult, text: str) -> Path:
    # RFC 8089: a file URL names an absolute path, on this machine
    if parts.hostname not in (None, "localhost") or not parts.path.startswith("/"):
        raise UsageError(
            f"The source {quote(text)} names no absolute path of this machine.",
            subject="SOURCE",
            hint="Write file:///folder/file, or the path itself.",
        )
    path = url2pathname(parts.path)
    if "\0" in path:
        raise _unreadable(text)
    return Path(path)


def _local(path: Path) -> Source:
    whole = Path(os.path.abspath(path))
    if len(whole.as_uri()) > MOST_URL:
        raise UsageError(f"The source is a path of more than {MOST_URL:,} characters.", subject="SOURCE")
    return Source(url=whole.as_uri(), name=_checked_name(whole.name, str(path)), path=whole)


def _name_of(segment: str, source: str) -> str:
    try:
        name = unquote(segment, errors="strict")
    except UnicodeDecodeError:
        name = unquote(segment, errors="surrogateescape")
    return _checked_name(name, source)


def _checked_name(name: str, source: str) -> str:
    fault = relpath_fault(name)
    if fault is None and "/" not in name:
        return name
    raise UsageError(
        f"The source {quote(source)} does not end in the name of a file: its last part "
        + (f"{fault}." if fault else f"is {quote(name)}."),
        subject="SOURCE",
        hint="Name the file itself, not a folder or a page.",
    )


def _unreadable(text: str) -> UsageError:
    return UsageError(f"The source {quote(redact_url(text))} can't be read as an URL.", subject="SOURCE")
