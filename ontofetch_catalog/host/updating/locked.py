"""The bringing of what a lock file names: from where it came, or from another store, and just these bytes."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from urllib.parse import quote as percent

from ontofetch_hookspecs import UsageError
from ontofetch_hookspecs.light_dataclasses import dataclass
from ontofetch_hookspecs.names import quote
from ontofetch_hookspecs.redaction import REDACTED

from ...errors import FetchError
from ...lock_file import LockedArtifact, LockedRelease
from ..request import Request
from ..sources import parse_source
from ..transport import Connections
from .jobs import Job, Task, Wishes


@dataclass(frozen=True, slots=True)
class Mirror:
    """Another store, from which artifacts are taken: its folder, or its http or https address."""

    place: str

    def find(self, artifact: LockedArtifact) -> str:
        """Return where an artifact lies there."""
        if _is_address(self.place):
            return f"{self.place.rstrip('/')}/{percent(artifact.path)}"
        return os.path.join(self.place, artifact.path)


def make_mirror(text: str) -> Mirror:
    """Return the mirror that a user names.

    Raises:
        UsageError: It is neither a folder nor an http or https address.
    """
    if _is_address(text):
        parse_source(text)
        return Mirror(text)
    if not os.path.isdir(text):
        raise UsageError(
            f"The mirror {quote(text)} is neither a folder nor an http or https address.",
            subject="--mirror",
            hint="Name the root of another store.",
        )
    return Mirror(os.path.abspath(text))


def _is_address(text: str) -> bool:
    return text.casefold().startswith(("http://", "https://"))


def jobs_of(releases: Sequence[LockedRelease], wishes: Wishes, mirror: Mirror | None) -> list[Job]:
    """Return a job for each release."""
    return [Job(release.version_id, partial(_prepare, release, wishes, mirror), complete=True) for release in releases]


def _prepare(release: LockedRelease, wishes: Wishes, mirror: Mirror | None, _connections: Connections | None) -> Task:
    service, ontology, version = release.version_id.split("/")
    requests = [_request(one, release, wishes, mirror, (service, ontology)) for one in release.artifacts]
    return Task(requests, version)


def _request(
    artifact: LockedArtifact, release: LockedRelease, wishes: Wishes, mirror: Mirror | None, series: tuple[str, str]
) -> Request:
    if mirror is None and REDACTED in artifact.url:
        raise FetchError(
            f"The address of {quote(artifact.name)} held a secret, which no lock file has.",
            subject=release.version_id,
            hint="Bring it from another store with --mirror.",
        )
    place = artifact.url if mirror is None else mirror.find(artifact)
    request = wishes.request(place, *series, name=Path(artifact.name).name)
    if mirror is None and request.source.path is not None and not request.source.path.is_file():
        raise FetchError(
            f"{quote(artifact.name)} came from a file, {quote(request.source.path)}, which is not here.",
            subject=release.version_id,
            hint="Bring it from another store with --mirror.",
        )
    if "/" in artifact.name:
        raise FetchError(
            f"{quote(artifact.name)} lies in a folder of its own, as only a program that imports puts it there.",
            subject=release.version_id,
            hint="`db backup` and `db restore` bring such releases elsewhere.",
        )
    return replace(
        request,
        released=release.released,
        sha256=artifact.sha256,
        expected_by="the lock file",
        include=artifact.include,
        exclude=artifact.exclude,
        strip=artifact.strip,
        origin=artifact.url,
        # what was latest there is latest here, whatever its validators say: somebody decided that
        set_latest=release.latest and wishes.set_latest,
        accept_failures=True,
    )
