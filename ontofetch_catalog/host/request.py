"""What one pull is asked to do and what came of it.

It carries nothing out.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from ontofetch_hookspecs.layout import make_version_id

from .extract import Strip
from .sources import Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What one pull is asked to do.

    Args:
        source: Where the artifact comes from.
        service, ontology, version: The release; version is None where the document is to say it.
        released: Its release date, or None.
        sha256: What the artifact's bytes must have, or None.
        include: Globs that narrow what is unpacked, sorted; empty for everything.
        strip: How many leading folders are taken off each name.
        headers: What is sent to the server; may be secret.
        replace: Whether other bytes under a recorded name may be displaced.
        validate: Whether the files are validated.
        set_latest: Whether the release becomes the latest of its series.
        accept_failures: Whether it does so although files fail validation.
    """

    source: Source
    service: str
    ontology: str
    version: str | None
    released: date | None = None
    sha256: str | None = None
    include: tuple[str, ...] = ()
    strip: Strip = "auto"
    headers: Sequence[tuple[str, str]] = field(default=(), repr=False)
    replace: bool = False
    validate: bool = True
    set_latest: bool = True
    accept_failures: bool = False

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
        plan = json.dumps({"include": list(self.include), "strip": self.strip}, sort_keys=True)
        return hashlib.sha256(plan.encode()).hexdigest()


@dataclass(slots=True, kw_only=True)
class Summary:
    """What came of a pull: the row that is printed.

    Args:
        version_id: The release.
        artifact: Name of the artifact.
        sha256: Of its bytes.
        status: `fresh`, `cached` (a known copy was reused), or `unchanged` (it was recorded already, just so).
        files, bytes: Number of files of the release and the sum of their sizes in bytes.
        passed, failed: Number of files whose validations all passed, or not; None where nobody looked.
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
    latest: bool = False
