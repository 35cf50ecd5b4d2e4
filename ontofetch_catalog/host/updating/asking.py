"""The asking of schemes: what a plugin answers is checked like all that comes from a network, also what it fetches.

Which registries there are, and what their answers look like, is not known here.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from functools import partial
from itertools import islice
from urllib.parse import urlsplit, urlunsplit

from ontofetch_hookspecs import HostInfo, SourceQuery, SourceScheme, SourceVersion, ask_contribution
from ontofetch_hookspecs.errors import UsageError
from ontofetch_hookspecs.json_documents import parse_json
from ontofetch_hookspecs.light_dataclasses import dataclass
from ontofetch_hookspecs.names import quote
from ontofetch_hookspecs.redaction import redact_url
from ontofetch_hookspecs.version_keys import version_key

from ...errors import FetchError
from ...guesses import perhaps
from ..artifact_names import name_in_url
from ..credentials import Credentials
from ..http_options import HttpOptions
from ..manager import Plugins
from ..sources import parse_source
from ..transport import Connections

MOST_ANSWER = 64 << 20  # bytes of one answer of a registry; that of a large npm package has 20 million
MOST_KEPT = 64 << 20  # bytes of answers that are kept for the next question of the same run
MOST_VERSIONS = 100_000  # that one scheme may list
ANSWER_SECONDS = 120.0  # for one answer, tries and pauses included


@dataclass(frozen=True, slots=True)
class Listing:
    """What a scheme lists.

    Args:
        scheme: Its contribution.
        versions: The versions, as they may be fetched.
        led_from: The kind of address of the server that named them; None where no server was asked.
    """

    scheme: SourceScheme
    versions: Sequence[SourceVersion]
    led_from: str | None

    def newest(self, version: str = "") -> str:
        """Return the newest version, or the one that is asked for; empty where the documents say it themselves.

        Raises:
            FetchError: There is none.
        """
        names = {one.version for one in self.versions} - {""}
        if version:
            if version in names:
                return version
            raise FetchError(
                f"There is no version {quote(version)} of {quote(self.scheme.name)}:… that can be had.",
                subject=version,
                hint=f"{perhaps(version, names)}The newest is {self.newest()}." if names else "",
            )
        if not self.versions:
            raise FetchError(
                f"The scheme {self.scheme.name}: lists no version that can be had.",
                subject=self.scheme.name,
                hint="Look there in a browser whether there is one that is final.",
            )
        return max(names, key=version_key, default="")

    def files(self, version: str, globs: Sequence[str] = ()) -> list[SourceVersion]:
        """Return the files of a version, those that `globs` match; without globs those that the scheme takes.

        Raises:
            FetchError: None of them match.
        """
        found = [one for one in self.versions if one.version == version]
        chosen = [one for one in found if _matches(one, globs or self.scheme.files or ("*",))]
        if chosen or not found:
            return chosen
        if not globs:
            return found
        names = ", ".join(quote(_name(one)) for one in found[:5])
        raise FetchError(
            f"No file of the version {version} is called like {' or '.join(map(quote, globs))}.",
            subject=version,
            hint=f"There are {names}{' and more' if len(found) > 5 else ''}.",
        )


def _matches(one: SourceVersion, globs: Iterable[str]) -> bool:
    name = _name(one).casefold()
    return any(fnmatchcase(name, glob.casefold()) for glob in globs)


def _name(one: SourceVersion) -> str:
    return one.name or name_in_url(redact_url(one.url)) or ""


class Asker:
    """Ask the schemes of a host; from several threads at once.

    Args:
        host: The host, whose plugins contribute schemes.
        credentials: What is sent to registries.
    """

    def __init__(self, host: HostInfo, plugins: Plugins, credentials: Credentials) -> None:
        self._host = host
        self._plugins = plugins
        self._credentials = credentials
        self.schemes = {one.name: one for one in plugins.contributions("register_sources", SourceScheme, ())}
        self._kept: dict[tuple[str, str], tuple[bytes, str | None]] = {}
        self._lock = threading.Lock()

    def is_name(self, text: str) -> bool:
        """Return whether a text is a name of a scheme, such as `obo:hp`."""
        scheme, colon, name = text.partition(":")
        return bool(colon and name) and scheme in self.schemes

    def ask(self, text: str, connections: Connections | None = None) -> Listing:
        """Return what the scheme of `text`, e.g. `pypi:brickschema`, lists.

        Raises:
            UsageError: There is no such scheme.
            PluginFailed: The plugin failed, or answered with something else.
            OntofetchError: Whoever is asked can't be, or knows no such name.
        """
        name, _, rest = text.partition(":")
        scheme = self.schemes.get(name)
        if scheme is None or not rest:
            raise UsageError(
                f"There is no scheme {quote(name)}.",
                subject=text,
                hint=f"{perhaps(name, self.schemes)}There are: {', '.join(f'{one}:' for one in sorted(self.schemes))}",
            )
        plugin = self._plugins.owner(scheme)
        kinds: list[str | None] = []
        query = SourceQuery(
            name=rest,
            base=self._base_of(plugin, scheme),
            fetch=partial(self._fetch, connections, kinds),
            read_json=parse_json,
        )
        found = ask_contribution(plugin, f"its scheme {name}", scheme.target, query, read=_as_versions)
        secure = query.base.startswith("https:")
        versions = [_by_https(one) if secure else one for one in found]
        return Listing(scheme, versions, next((kind for kind in kinds if kind is not None), None))

    def _base_of(self, plugin: str, scheme: SourceScheme) -> str:
        told = self._host.plugin_settings.get(plugin, {}).get(scheme.name)
        base = (str(told) if told else scheme.base).rstrip("/")
        if base and urlsplit(base).scheme not in ("http", "https"):
            raise UsageError(
                f"The setting {scheme.name} of the plugin {plugin} is no http or https address.", subject=scheme.name
            )
        return base

    def _fetch(
        self,
        connections: Connections | None,
        kinds: list[str | None],
        url: str,
        headers: Mapping[str, str] | None = None,
    ) -> bytes:
        """Return the body of an answer, that of the same question of this run if there was one."""
        key = url, repr(sorted((headers or {}).items()))
        with self._lock:
            kept = self._kept.get(key)
        data, kind = kept or self._receive(connections, url, headers or {})
        kinds.append(kind)
        with self._lock:
            if sum(len(one) for one, _ in self._kept.values()) + len(data) > MOST_KEPT:
                self._kept.clear()
            self._kept[key] = data, kind
        return data

    def _receive(
        self, connections: Connections | None, url: str, headers: Mapping[str, str]
    ) -> tuple[bytes, str | None]:
        from ..http import Exchange

        source = parse_source(url)
        if source.path is not None:
            raise FetchError(f"{quote(source.shown)} is no http or https address.", subject=source.shown)
        private = self._credentials.headers_for(source.url, tuple(headers.items()), user=source.user)
        options = HttpOptions.from_settings(self._host.settings, private)
        options = replace(
            options,
            most_bytes=min(options.most_bytes or MOST_ANSWER, MOST_ANSWER),
            deadline=min(options.deadline or ANSWER_SECONDS, ANSWER_SECONDS),
            connections=connections,
        )
        exchange = Exchange(source, options)

        def take(response: object) -> bytes:
            if response.status_code != 200:  # type: ignore[attr-defined]
                raise exchange.refused(response)  # type: ignore[arg-type]
            return b"".join(exchange.document(response, source.label))  # type: ignore[arg-type]

        return exchange.get({}, take), exchange.kind


def _as_versions(answer: object) -> list[SourceVersion]:
    """Return what a scheme answered.

    Raises:
        TypeError: It is something else.
        ValueError: There are too many.
    """
    if isinstance(answer, str | bytes) or not isinstance(answer, Iterable):
        raise TypeError(f"a {type(answer).__name__} was returned, not versions")
    found = list(islice(answer, MOST_VERSIONS + 1))
    if len(found) > MOST_VERSIONS:
        raise ValueError(f"more than {MOST_VERSIONS:,} versions were returned")
    for one in found:
        if not isinstance(one, SourceVersion):
            raise TypeError(f"a {type(one).__name__} was returned, not a SourceVersion")
    return found


def _by_https(one: SourceVersion) -> SourceVersion:
    """Return a version that https is asked for: nobody on the way may change what a registry has said over https."""
    parts = urlsplit(one.url)
    if parts.scheme == "https":
        return one
    if parts.port is not None:
        raise FetchError(
            f"The registry names {quote(redact_url(one.url))}, which is no https address as its own is.",
            subject=redact_url(one.url),
            hint="If you trust it and the network, give that address as the `url` of the series.",
        )
    return replace(one, url=urlunsplit(parts._replace(scheme="https")))
