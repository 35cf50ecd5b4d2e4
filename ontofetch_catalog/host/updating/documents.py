"""The looking at a document before it is followed: which version it states, and what else could say one.

No more than its beginning is read, and nothing is kept.
"""

from __future__ import annotations

import io
from dataclasses import replace
from typing import TYPE_CHECKING

from ontofetch_hookspecs import HostInfo, UsageError
from ontofetch_hookspecs.light_dataclasses import dataclass
from ontofetch_hookspecs.names import quote

from ...content.packed.plain import is_packed
from ...content.stated import HEAD_BYTES, read_stated
from ...errors import FetchError
from ...named_files import open_named
from ..credentials import Credentials
from ..http_options import HttpOptions
from ..inspection import Inspection, credentials_of, secrets_of
from ..sources import Source, parse_source

if TYPE_CHECKING:
    import httpx


@dataclass(frozen=True, slots=True)
class Head:
    """What the beginning of a document says.

    Args:
        address: Its address, or its absolute path.
        version: The version that it states; None where it states none.
        how: How its versions can be found: `from-document`, `from-header` or `date`.
    """

    address: str
    version: str | None
    how: str


def head_of(text: str, host: HostInfo, credentials: Credentials) -> Head:
    """Return what the document of a URL or a path says.

    Raises:
        FetchError: It can't be had, or is no document.
        UsageError: The text names none, or one with a secret in it.
    """
    source = parse_source(text)
    if source.user is not None or credentials_of(source, ()):
        raise UsageError(
            f"The address {quote(source.shown)} holds a password or a key, and others may read a sources file.",
            subject=source.shown,
            hint="Give the address without it, and the secret by netrc, ONTOFETCH_HEADER_<HOST> or --header-file.",
        )
    if source.path is not None:
        data, changed = _of_file(source), True
    else:
        data, changed = _of_server(source, host, credentials)
    stated = read_stated(io.BytesIO(data))
    # what is in an archive is looked at when it is pulled
    how = (
        "from-document" if stated is not None or is_packed(source.label, data) else "from-header" if changed else "date"
    )
    if source.path is not None and how == "from-header":
        how = "date"
    address = str(source.path) if source.path is not None else text.partition("#")[0]
    return Head(address, stated.version if stated else None, how)


def _of_file(source: Source) -> bytes:
    try:
        with open_named(str(source.path), regular=True) as stream:
            return stream.read(HEAD_BYTES)
    except OSError as error:
        raise FetchError(
            f"The file {quote(source.path)} can't be read: {error.strerror}.",
            subject=str(source.path),
            hint="Give an address, a file, or a name with a scheme, such as obo:hp.",
        ) from error


def _of_server(source: Source, host: HostInfo, credentials: Credentials) -> tuple[bytes, bool]:
    from ..http import Exchange

    headers = credentials.headers_for(source.url, user=source.user)
    options = replace(HttpOptions.from_settings(host.settings, headers), most_bytes=0)
    exchange = Exchange(source, options)
    inspection = Inspection(source, accept_any=False, secrets=tuple(secrets_of(source, headers)))

    def take(response: httpx.Response) -> tuple[bytes, bool]:
        if response.status_code != 200:
            raise exchange.refused(response)
        data = b""
        for chunk in exchange.document(response, source.label):
            inspection.see(chunk)
            data += chunk
            if len(data) >= HEAD_BYTES:
                break
        inspection.end()
        return data, response.headers.get("last-modified") is not None

    return exchange.get({}, take)
