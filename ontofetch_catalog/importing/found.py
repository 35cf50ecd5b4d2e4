"""What a foreign tree says of one artifact, and what became of it: values that every reader of trees hands over.

They are checked where they are used; nothing is opened here.
"""

from __future__ import annotations

from dataclasses import field
from datetime import datetime

from ontofetch_hookspecs import OntofetchError
from ontofetch_hookspecs.light_dataclasses import dataclass
from ontofetch_hookspecs.store_paths import StorePath

RECORDED, UNCHANGED, PLANNED, LEFT = "recorded", "unchanged", "planned", "left"


class ImportRefused(OntofetchError):
    """Something in a foreign tree can't be taken in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundResult:
    """What a validator of another program said of an artifact.

    Args:
        passed: Whether it accepted it.
        details: What it said, as one JSON object.
    """

    validator: str
    passed: bool
    details: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundArtifact:
    """One artifact of a release, as it lies in a foreign tree.

    Args:
        service, ontology, version: The release.
        name: Its path as the release has it; empty: the name of the file.
        source_url: Where it came from; of a file about which nobody says that, a `file:` URL.
        sha256: What the tree says of its content; None if it says nothing.
        etag, last_modified, content_type: What the server said.
        cached: Whether the program that fetched it had reused a copy.
        fetched_at: When.
        unpacked: The folder in which that program unpacks it, also if it is not there.
        validator_version: Version of whoever validated it.
        results: What its validators said.
    """

    service: str
    ontology: str
    version: str
    file: StorePath
    name: str = ""
    source_url: str
    sha256: str | None = None
    etag: str | None = None
    last_modified: str | None = None
    content_type: str | None = None
    cached: bool = False
    fetched_at: datetime
    unpacked: StorePath | None = None
    validator_version: str = "unknown"
    results: tuple[FoundResult, ...] = ()

    @property
    def artifact(self) -> str:
        """Return its path as the release has it."""
        return self.name or self.file.name

    @property
    def version_id(self) -> str:
        """Return `service/ontology/version`, unchecked."""
        return f"{self.service}/{self.ontology}/{self.version}"

    @property
    def accepted(self) -> bool:
        """Say whether there were validators and all of them accepted it."""
        return bool(self.results) and all(result.passed for result in self.results)


@dataclass(frozen=True, slots=True)
class Left:
    """What can't be taken in: its path below the tree, and why, as a sentence."""

    path: str
    reason: str


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What became of one artifact.

    Args:
        path: Where it lies, below the tree.
        version_id: Its release; empty where it has none.
        state: `recorded`, `unchanged`, `planned` (nothing was written) or `left`.
        files: How many files it has.
        bytes: The sum of their sizes.
        messages: What could not be taken in, and why.
    """

    path: str
    version_id: str = ""
    state: str = LEFT
    files: int = 0
    bytes: int = 0
    messages: list[str] = field(default_factory=list)
