"""What is to be done for one series: which artifacts are pulled, and under which version.

A job is made before anybody is asked; what it asks, it asks in the thread that carries it out.
"""

from __future__ import annotations

import hashlib
import json
import socket
from collections.abc import Callable, Sequence
from dataclasses import field, replace
from urllib.parse import urlsplit

from ontofetch_hookspecs import SourceVersion
from ontofetch_hookspecs.errors import EventError, UsageError
from ontofetch_hookspecs.hosting import now
from ontofetch_hookspecs.light_dataclasses import dataclass
from ontofetch_hookspecs.names import check_segment, quote
from ontofetch_hookspecs.redaction import redact_url

from ...content.version_names import version_in_iri
from ...errors import FetchError
from ...series_file import MODES, VERSION, Series, compile_pattern
from ..copies import Copy
from ..credentials import Credentials
from ..request import Request
from ..sources import parse_source
from ..transport import Connections
from ..unpacked import Strip
from ..versions import version_by_date
from .asking import Asker


@dataclass(frozen=True, slots=True)
class Task:
    """What a job came to: the artifacts of one release, in their order.

    Args:
        requests: What is pulled; the first one finds the version where it is not known yet.
        version: The version, empty where the first artifact says it.
    """

    requests: Sequence[Request]
    version: str = ""


@dataclass(frozen=True, slots=True)
class Job:
    """One line of an update.

    Args:
        title: The series, or the release.
        prepare: Returns what is to be pulled; may ask servers, over these connections.
        complete: Whether the artifacts of the task are all that the release may have.
        key: By what machines that divide jobs know that two are the same; empty where each does its own.
    """

    title: str
    prepare: Callable[[Connections | None], Task] = field(repr=False)
    complete: bool = False
    key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What a command wants of all pulls.

    Args:
        credentials: What is sent to servers.
        replace, validate, set_latest, accept_failures, accept_any: As for one pull.
    """

    credentials: Credentials = field(default_factory=Credentials, repr=False)
    replace: bool = False
    validate: bool = True
    set_latest: bool = True
    accept_failures: bool = False
    accept_any: bool = False

    def work(self, *, check: bool) -> str:
        """Return what machines call an update that divide it: those that want the same of it."""
        wanted = ("replace", "validate", "set_latest", "accept_failures", "accept_any")
        return f"update {json.dumps({'check': check} | {name: getattr(self, name) for name in wanted})}"

    def request(self, url: str, service: str, ontology: str, *, name: str | None = None) -> Request:
        """Return the pull of one address.

        Raises:
            UsageError: It can't be one.
        """
        return Request(
            source=parse_source(url, name),
            service=service,
            ontology=ontology,
            version=None,
            replace=self.replace,
            validate=self.validate,
            set_latest=self.set_latest,
            accept_failures=self.accept_failures,
            accept_any=self.accept_any,
            credentials=self.credentials,
            keep_decision=True,
        )


def job_of(series: Series, asker: Asker, wishes: Wishes) -> Job:
    """Return the job of a series of a sources file."""

    def prepare(connections: Connections | None) -> Task:
        if series.source:
            return _from_source(series, asker, wishes, connections)
        return _from_parts(series, wishes)

    return Job(series.name, prepare, key=_key(series))


def _key(series: Series) -> str:
    """Return what is the same where another machine's sources file says the same of a series."""
    # a file that lies here may be another one, or none, elsewhere
    here = () if all("://" in part.url for part in series.parts) else (socket.gethostname(),)
    return f"{series.name} {hashlib.sha256(repr((series, *here)).encode()).hexdigest()[:16]}"


def strip_of(text: str) -> Strip:
    """Return what a text says about the folders that are taken off."""
    return "auto" if text == "auto" else int(text)


def _shaped(request: Request, series: Series) -> Request:
    return replace(request, include=series.include, exclude=series.exclude, strip=strip_of(series.strip))


def _from_parts(series: Series, wishes: Wishes) -> Task:
    mode = series.version.partition(":")[0]
    version = "" if mode in ("", *MODES) else series.version
    requests = []
    for part in series.parts:
        url = part.url.replace(VERSION, version) if version else part.url
        request = _shaped(wishes.request(url, series.service, series.ontology, name=part.name), series)
        requests.append(replace(request, sha256=part.sha256, expected_by="the sources file"))
    if not version and mode not in ("", "from-document"):
        requests[0] = replace(requests[0], name_version=_namer(series))
    return Task(requests, version)


def _from_source(series: Series, asker: Asker, wishes: Wishes, connections: Connections | None) -> Task:
    listing = asker.ask(series.source, connections)
    mode = series.version.partition(":")[0]
    version = listing.newest("" if mode in MODES else series.version)
    requests = []
    if series.parts:
        # the source says which versions there are, the file where they are
        if not version:
            raise FetchError(
                f"{quote(series.source)} does not say which versions there are.",
                subject=series.name,
                hint=f"Leave {VERSION} out of the address.",
            )
        for part in series.parts:
            url = part.url.replace(VERSION, version)
            request = wishes.request(url, series.service, series.ontology, name=part.name)
            requests.append(_shaped(request, series))
        return Task(requests, version)
    for file in listing.files(version, series.files):
        request = _shaped(_of_file(file, series, wishes), series)
        requests.append(replace(request, led_from=listing.led_from, expected_by=f"the registry of {series.source}"))
    if mode in MODES and mode != "from-document" and not version:
        requests[0] = replace(requests[0], name_version=_namer(series))
    return Task(requests, version)


def _of_file(file: SourceVersion, series: Series, wishes: Wishes) -> Request:
    request = wishes.request(file.url, series.service, series.ontology, name=file.name)
    if request.source.path is not None:
        raise FetchError(f"{quote(redact_url(file.url))} is no http or https address.", subject=series.name)
    algorithm, _, digest = (file.checksum or "").partition(":")
    return replace(
        request,
        released=file.released,
        sha256=digest if algorithm == "sha256" else None,
        checksum=file.checksum if algorithm and algorithm != "sha256" else None,
        headers=tuple(file.headers.items()),
    )


def _namer(series: Series) -> Callable[[Copy], str]:
    """Return the function that finds the version of what was fetched as a series says."""
    mode, _, pattern = series.version.partition(":")

    def name(copy: Copy) -> str:
        if mode == "date":
            return now().date().isoformat()
        if mode == "from-header":
            version, origin = version_by_date(copy.last_modified, now())
            if copy.last_modified is None or "Last-Modified" not in origin:
                raise _nameless(series, "the server does not say when it was changed", "Use from-document or date.")
            return version
        return _in_address(series, copy.came_from or "", pattern)

    return name


def _in_address(series: Series, address: str, pattern: str) -> str:
    """Return the version in an address, after all redirects, in a time that grows with its length alone."""
    found: str | None
    if pattern:
        import pyarrow as pa
        import pyarrow.compute as pc

        fields = pc.extract_regex(pa.array([address[:4096]]), compile_pattern(series.name, pattern))[0].as_py() or {}
        found = fields.get("version") or next((value for value in fields.values() if value), None)
    else:
        found = version_in_iri(address)
    try:
        return check_segment("version", found or "")
    except EventError as error:
        where = quote(redact_url(address)) if urlsplit(address).scheme else "the path of a file"
        raise _nameless(
            series, f"there is none in {where}", "Correct the expression behind from-url:, or use from-document."
        ) from error


def _nameless(series: Series, why: str, hint: str) -> UsageError:
    return UsageError(f"The version of {series.name} is not known: {why}.", subject=series.name, hint=hint)
