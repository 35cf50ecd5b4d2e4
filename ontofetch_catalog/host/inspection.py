"""What is not taken although it can be fetched: web pages, error messages and pointers in the place of a document.

What they look like is known by `content.responses`; this says when that is refused, and in which words.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from ontofetch_hookspecs.names import quote
from ontofetch_hookspecs.redaction import REDACTED, is_secret_name

from ..errors import FetchError
from .sources import Source

if TYPE_CHECKING:
    from ..content.responses import Instead

_PAGES = (".html", ".htm", ".xhtml", ".xht", ".shtml")
# a local file of these endings is no web page that somebody wants to keep
_ONTOLOGIES = (
    ".owl", ".rdf", ".rdfs", ".xrdf", ".ttl", ".turtle", ".nt", ".ntriples", ".nq", ".nquads", ".trig", ".n3",
    ".jsonld", ".obo", ".ofn", ".omn", ".owx",
)  # fmt: skip
_HARMLESS_HEADERS = frozenset({"accept", "accept-encoding", "accept-language", "referer", "user-agent"})
_LEAST_SECRET = 4  # characters; fewer are in every sentence
_ANYWAY = "With --accept-any it is taken as it is."


class Inspection:
    """The looking at what arrives, while it does.

    Args:
        source: What was asked for.
        accept_any: Whether the user takes whatever comes.
        secrets: What no sentence may repeat.
    """

    def __init__(self, source: Source, *, accept_any: bool, secrets: Iterable[str] = ()) -> None:
        self._source = source
        self._is_over = accept_any
        self._secrets = [secret for secret in secrets if len(secret) >= _LEAST_SECRET]
        self._head = b""
        self._size = 0

    def see(self, chunk: bytes) -> None:
        """Look at what came next.

        Raises:
            FetchError: It is no document.
        """
        self._size += len(chunk)
        if self._is_over:
            return
        from ..content.responses import HEAD

        self._head += chunk[: HEAD - len(self._head)]
        if self._size > HEAD:
            self.end()

    def end(self) -> None:
        """Look at all that came; raises as `see` does."""
        if self._is_over:
            return
        from ..content.responses import find_instead

        self._is_over = True
        found = find_instead(self._head, self._size)
        if found is not None and self._refuses(found):
            raise self._refused(found)

    def _refuses(self, found: Instead) -> bool:
        name = self._source.asked_name.casefold()
        if self._source.path is None:
            return not (found.is_page and name.endswith(_PAGES))
        return found.is_pointer or (found.is_page and name.endswith(_ONTOLOGIES))

    def _refused(self, found: Instead) -> FetchError:
        shown = self._source.shown
        words = f": {quote(self._without_secrets(found.words))}" if found.words else ""
        if self._source.path is not None:
            return FetchError(
                f"The file {quote(self._source.path)} is {found.kind}{words}.",
                subject=str(self._source.path),
                hint=f"{found.hint} {_ANYWAY}".strip(),
            )
        hint = found.hint or "Look at the address in a browser; if it wants credentials, give them with --header."
        return FetchError(
            f"{quote(shown)} answers with {found.kind}{words}.",
            subject=shown,
            hint=f"{hint} {'' if not self._size else _ANYWAY}".strip(),
        )

    def _without_secrets(self, words: str) -> str:
        for secret in self._secrets:
            words = words.replace(secret, REDACTED)
        return words


def secrets_of(source: Source, headers: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Yield what the user sends and a server may repeat: values of headers and of the query, and the password."""
    for name, value in headers:
        if name.casefold() not in _HARMLESS_HEADERS:
            yield from (value, *value.split())
    yield from (word for word in (source.password,) if word)
    yield from (value for _, value in _pairs(source) if value not in source.shown)


def credentials_of(source: Source, headers: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """Return those of the secrets that say who asks, and not what for: no artifact is called like one of them."""
    found = [word for name, value in headers if is_secret_name(name) for word in (value, *value.split())]
    found += [value for name, value in _pairs(source) if is_secret_name(name)]
    return tuple(word for word in [*found, source.password or ""] if len(word) >= _LEAST_SECRET)


def _pairs(source: Source) -> list[tuple[str, str]]:
    return parse_qsl(urlsplit(source.url).query)
