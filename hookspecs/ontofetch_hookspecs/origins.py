"""Where releases can be had from: schemes such as `pypi:` that plugins answer, and the versions that they list.

As with all contributions, a scheme names its code as `package.module:name`, and nothing is imported before it is asked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import field
from datetime import date
from urllib.parse import urlsplit

from .checked import check_target, check_tuple
from .errors import EventError
from .light_dataclasses import dataclass
from .names import check_segment, check_text, quote, relpath_fault

DIGITS = {"md5": 32, "sha1": 40, "sha256": 64, "sha512": 128}  # of a checksum, by algorithm
MOST_HEADERS = 20
_SCHEME = re.compile(r"[a-z][a-z0-9-]{1,30}")
_CHECKSUM = re.compile(r"(md5|sha1|sha256|sha512):([0-9a-f]+)")
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")  # RFC 9110, 5.6.2
_RESERVED = ("file", "http", "https", "ftp", "data")


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceQuery:
    """What a scheme is asked for, and the way in which it asks servers.

    Args:
        name: What stands behind the colon, e.g. `brickschema`.
        base: The address that the user's settings give for the scheme, else its own; without a `/` at its end.
        fetch: Called as `fetch(url, headers)` with a mapping or nothing, returns the bytes of a small document: its
            size and its time are limited, proxies, `netrc` and the user's headers are honoured, redirects are checked.
        read_json: Returns what the bytes of a JSON document hold; raises ValueError where it is none, nested too deeply
            or has too many values.
    """

    name: str
    base: str
    fetch: Callable[..., bytes]
    read_json: Callable[[bytes], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceVersion:
    """One file of one version that can be fetched.

    Args:
        version: The version, as a release may be called; empty where only the document itself says it.
        url: An http or https address.
        released: Its date, or None.
        checksum: `sha256:…`, `sha512:…`, `sha1:…` or `md5:…` of its bytes, hex digits; None where nobody says it.
        name: What the file is called; None: what its address or its server says.
        headers: What is sent to this server alone; never recorded.
    """

    version: str
    url: str
    released: date | None = None
    checksum: str | None = None
    name: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        if self.version != "":
            check_segment("version", self.version)
        check_text("url", self.url, optional=False)
        if not _is_address(self.url):
            raise EventError("The url of a version is no http or https address.", subject="url")
        if self.released is not None and type(self.released) is not date:
            raise EventError(f"released is {quote(self.released)}, not a date.", subject="released")
        if self.checksum is not None:
            check_checksum("checksum", self.checksum)
        if self.name is not None and (
            not isinstance(self.name, str) or "/" in self.name or relpath_fault(self.name) is not None
        ):
            raise EventError(f"The name {quote(self.name)} can't be that of a file.", subject="name")
        _check_headers(self.headers)


@dataclass(frozen=True, slots=True)
class SourceScheme:
    """Contribute a scheme that lists the versions of a name: `NAME:…` in `ontofetch add` and in a sources file.

    Args:
        name: The scheme, small letters, without its colon.
        help: One line: whose versions are listed.
        target: `package.module:function`; called as `function(query: SourceQuery)` it returns a SourceVersion for each
            file of each version, in any order.
        example: What stands behind the colon, for the help.
        base: The address of whoever is asked; the plugin's own setting of the name of the scheme replaces it.
        files: Globs of the names of files that are taken where a version has several and nobody chose; none: all.
    """

    name: str
    help: str
    target: str
    example: str
    base: str = ""
    files: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not _SCHEME.fullmatch(self.name) or self.name in _RESERVED:
            raise EventError(
                f"The name of a scheme is {quote(self.name)}, not a word of small letters, digits and `-`, or it has"
                " a meaning already.",
                subject="name",
            )
        check_target(f"scheme {self.name}", self.target)
        check_text("help", self.help, most=500, optional=False)
        check_text("example", self.example, most=200, optional=False)
        check_text("base", self.base, optional=False)
        if self.base and not _is_address(self.base):
            raise EventError(f"The base of the scheme {self.name} is no http or https address.", subject="base")
        check_tuple(f"scheme {self.name}", "files", self.files, str)


def check_checksum(field_name: str, value: object) -> str:
    """Return `value` if it is a checksum such as `sha256:…` in lower-case hex digits.

    Raises:
        EventError: It is not.
    """
    found = _CHECKSUM.fullmatch(value) if isinstance(value, str) else None
    if found is None or len(found[2]) != DIGITS[found[1]]:
        raise EventError(
            f"{field_name} is {quote(value)}, not one of {', '.join(f'{name}:…' for name in DIGITS)} in hex digits.",
            subject=field_name,
        )
    return found[0]


def _is_address(url: object) -> bool:
    try:
        parts = urlsplit(url if isinstance(url, str) else "")
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _check_headers(headers: object) -> None:
    # a value may be a secret, so none is repeated
    sound = isinstance(headers, Mapping) and len(headers) <= MOST_HEADERS
    for name, value in headers.items() if isinstance(headers, Mapping) else ():
        plain = isinstance(value, str) and value.isascii() and value.isprintable() and 0 < len(value) <= 8000
        sound = sound and isinstance(name, str) and _HEADER.fullmatch(name) is not None and plain
    if not sound:
        raise EventError("The headers of a version are no mapping of names to plain ASCII values.", subject="headers")
