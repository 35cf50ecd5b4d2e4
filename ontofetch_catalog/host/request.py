"""What one pull is asked to do and what came of it.

It carries nothing out.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field, replace
from datetime import date
from typing import TYPE_CHECKING

from ontofetch_hookspecs.layout import make_version_id
from ontofetch_hookspecs.light_dataclasses import dataclass

from .copies import Copy
from .credentials import Credentials
from .http_options import HttpOptions
from .sources import Source
from .unpacked import Strip

if TYPE_CHECKING:
    import pyarrow as pa

    from .transport import Connections


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What one pull is asked to do.

    Args:
        source: Where the artifact comes from.
        service, ontology, version: The release; version is None where the document is to say it.
        released: Its release date, or None.
        sha256: What the artifact's bytes must have, or None.
        include: Globs that narrow what is unpacked, sorted; empty for everything.
        exclude: Globs of what is taken out of that again, sorted.
        strip: How many leading folders are taken off each name.
        portable: Whether names that meet where case and normal forms are folded are refused.
        headers: What is sent to the server; may be secret.
        replace: Whether other bytes under a recorded name may be displaced.
        validate: Whether the files are validated.
        facts: Whether what the files say is recorded too.
        set_latest: Whether the release becomes the latest of its series.
        accept_failures: Whether it does so although files fail validation.
        accept_any: Whether a web page, an error message or a pointer is taken for the artifact.
        checksum: Another checksum of the artifact's bytes, e.g. `sha512:…`, or None.
        expected_by: Who says what its bytes must have.
        origin: The URL that is recorded where the bytes come from elsewhere; None: that of the source.
        name_version: Returns the version from the copy that was fetched, where neither the user nor the document says
            it; None where the document is asked first.
        credentials: What is sent to a server beside `headers`, by its host.
        keep_decision: Whether a release that was recorded already becomes latest only where nobody has decided since.
        led_from: The kind of address of the server that named the URL; None where a user did.
        connections: Connections that outlast the download.
    """

    source: Source
    service: str
    ontology: str
    version: str | None
    released: date | None = None
    sha256: str | None = None
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    strip: Strip = "auto"
    portable: bool = False
    headers: Sequence[tuple[str, str]] = field(default=(), repr=False)
    replace: bool = False
    validate: bool = True
    facts: bool = True
    set_latest: bool = True
    accept_failures: bool = False
    accept_any: bool = False
    checksum: str | None = None
    expected_by: str = "--sha256"
    origin: str | None = None
    name_version: Callable[[Copy], str] | None = field(default=None, repr=False, compare=False)
    credentials: Credentials | None = field(default=None, repr=False, compare=False)
    keep_decision: bool = False
    led_from: str | None = None
    connections: Connections | None = field(default=None, repr=False, compare=False)

    @property
    def recorded_url(self) -> str:
        """Return the URL under which the download is recorded; secrets may stand in it."""
        return self.origin or self.source.url

    def http_options(self, settings: Mapping[str, object]) -> HttpOptions:
        """Return how the server of the source is asked."""
        private = self.credentials or Credentials.from_environment()
        headers = private.headers_for(self.source.url, self.headers, user=self.source.user)
        return replace(
            HttpOptions.from_settings(settings, headers), led_from=self.led_from, connections=self.connections
        )

    def version_id(self, version: str) -> str:
        """Return `service/ontology/version` after a check of each part."""
        return make_version_id(self.service, self.ontology, version)

    def check_names(self) -> None:
        """Check service, ontology and, where it is given, version.

        Raises:
            EventError: One can't be a name.
        """
        self.version_id(self.version or "1")

    @property
    def plan_hash(self) -> str:
        """Return the sha256 of what shapes the files of the release: globs and folders to take off."""
        plan: dict[str, object] = {"include": list(self.include), "strip": self.strip}
        # a plan without them is the one that releases were recorded with before there were any
        plan |= {"exclude": list(self.exclude)} if self.exclude else {}
        plan |= {"portable": True} if self.portable else {}
        return hashlib.sha256(json.dumps(plan, sort_keys=True).encode()).hexdigest()


@dataclass(slots=True, kw_only=True)
class Summary:
    """What came of a pull: the row that is printed.

    Args:
        artifact: Name of the artifact.
        status: `fresh`, `cached` (a known copy was reused), or `unchanged` (it was recorded already, just so).
        files, bytes: Number of files of the release and the sum of their sizes in bytes.
        passed, failed, not_judged: Number of files that a validator passed and none failed, that one failed, that were
            looked at and not judged; None where nobody looked.
        latest: Whether the release is the latest of its series now.
    """

    version_id: str
    artifact: str
    sha256: str = ""
    status: str = ""
    files: int = 0
    bytes: int = 0
    passed: int | None = None
    failed: int | None = None
    not_judged: int | None = None
    latest: bool = False

    def count(self, results: pa.Table) -> None:
        """Count the files of some results by outcome."""
        import pyarrow.compute as pc

        failed = results["relpath"].filter(pc.equal(results["passed"], False))
        judged = len(pc.unique(results["relpath"].filter(pc.is_valid(results["passed"]))))
        self.failed = len(pc.unique(failed))
        self.passed = judged - self.failed
        self.not_judged = len(pc.unique(results["relpath"])) - judged
