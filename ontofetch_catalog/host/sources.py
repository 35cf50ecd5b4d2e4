"""What SOURCE means: a local path, a `file:` or an `http(s):` URL, the name of the artifact, the credentials.

It looks at the text alone; nothing is opened.
"""

from __future__ import annotations

import os
import re
from dataclasses import field, replace
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

from ontofetch_hookspecs.light_dataclasses import dataclass
from ontofetch_hookspecs.names import quote, relpath_fault, unsafe_character
from ontofetch_hookspecs.redaction import REDACTED, is_ambiguous, redact_url

from ..errors import UsageError
from .artifact_names import name_in_url

MOST_URL = 4096  # characters: what an event takes
_SCHEME = re.compile(r"(?:(https?|file):|([A-Za-z][A-Za-z0-9+.-]*)://)", re.IGNORECASE)
_PASSWORD = re.compile("[^/:@]+:[^/@]+@")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where an artifact comes from.

    Args:
        url: To be asked for: without user and password, but secrets may stand in its query, so it is not shown.
        name: The name of the artifact; None where it is known only from what a server answers.
        is_named: Whether the user chose that name.
        path: Where it lies, if it is local.
        user, password: From the URL, or None.
    """

    url: str = field(repr=False)
    name: str | None = None
    is_named: bool = False
    path: Path | None = None
    user: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)

    @property
    def shown(self) -> str:
        """Return the URL without credentials, as it is recorded and told."""
        return redact_url(self.url)

    @property
    def label(self) -> str:
        """Return the name, and where that is not known yet what the URL says, for progress and sentences."""
        return self.name or name_in_url(self.shown) or urlsplit(self.shown).netloc

    @property
    def asked_name(self) -> str:
        """Return the name that the user asked for, empty if there is none: what a server says does not count."""
        return self.name or name_in_url(self.shown) or ""

    @property
    def hides_values(self) -> bool:
        """Return whether values were replaced: then the recorded URL may stand for several."""
        return self.shown != self.url

    @property
    def is_ambiguous(self) -> bool:
        """Return whether a value was replaced that may choose the bytes: then nothing recorded speaks for this URL."""
        return is_ambiguous(self.url)


def parse_source(text: str, name: str | None = None) -> Source:
    """Return the source that `text` names.

    Args:
        text: What the user wrote.
        name: What the user calls the artifact, or None.

    Raises:
        UsageError: It is of another kind, or the name can't be that of a file.
    """
    if name is not None:
        return replace(_parsed(text, own_name=True), name=_checked_name(name, "--name"), is_named=True)
    return _parsed(text)


def _parsed(text: str, *, own_name: bool = False) -> Source:
    if not text or unsafe_character(text) is not None:
        raise UsageError(
            f"The source {quote(text)} is no plain text.",
            subject="SOURCE",
            hint="Type it again, without what can't be seen.",
        )
    scheme = _SCHEME.match(text)
    if scheme is None:
        if _PASSWORD.match(text) and not os.path.lexists(text):
            # the sentence about a file that is not there would have the password in it
            raise UsageError(
                "The source has a password in it, and no https:// in front.",
                subject="SOURCE",
                hint="Put that in front; ~/.netrc and --header-file keep a password out of sight.",
            )
        return _local(Path(text), own_name=own_name)
    if scheme[2] is not None:
        raise UsageError(
            f"The source {quote(redact_url(text))} is none of a path, file:, http: and https:.",
            subject="SOURCE",
            hint="Download it by other means, and name the file.",
        )
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise _unreadable(text) from error
    if parts.scheme == "file":
        return _local(_file_path(parts, text), own_name=own_name)
    if not parts.hostname or port == 0:
        raise _unreadable(text)
    return _remote(parts)


def _remote(parts: SplitResult) -> Source:
    url = urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, parts.query, ""))
    shown = redact_url(url)
    if len(shown) > MOST_URL:
        raise UsageError(
            f"The source is an URL of more than {MOST_URL:,} characters.",
            subject="SOURCE",
            hint="Download it by other means, and pull the file.",
        )
    return Source(
        url=url,
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
    path = unquote(parts.path)
    if "\0" in path:
        raise _unreadable(text)
    return Path(path)


def _local(path: Path, *, own_name: bool) -> Source:
    whole = Path(os.path.abspath(path))
    if len(whole.as_uri()) > MOST_URL:
        raise UsageError(
            f"The source is a path of more than {MOST_URL:,} characters.",
            subject="SOURCE",
            hint="Go to its folder, and name it from there.",
        )
    name = None if own_name else _checked_name(whole.name, f"The source {quote(path)}")
    return Source(url=whole.as_uri(), name=name, path=whole)


def _checked_name(name: str, what: str) -> str:
    fault = relpath_fault(name)
    if fault is None and "/" not in name:
        return name
    raise UsageError(
        f"{what} is not the name of a file: " + (f"it {fault}." if fault else f"{quote(name)} has a folder in it."),
        subject="--name" if what == "--name" else "SOURCE",
        hint="Write a plain name, such as --name hp.owl."
        if what == "--name"
        else "Name the file itself; what it shall be called in the release says --name.",
    )


def _unreadable(text: str) -> UsageError:
    shown = redact_url(text)
    what = f"The source {quote(shown)}" if shown != REDACTED else "The source, which may have a secret in it,"
    return UsageError(
        f"{what} can't be read as an URL.",
        subject="SOURCE",
        hint="Write it as https://example.org/hp.owl, with the host behind // and a port from 1 to 65535, if any.",
    )
