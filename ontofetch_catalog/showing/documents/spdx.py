"""A release in SPDX 2.3: packages for the release, its artifacts and its files, each with its checksum.

A file is a package with the purpose FILE: what SPDX calls a file must have a SHA-1, which is not recorded.
"""

from __future__ import annotations

import io
from datetime import date, datetime

from spdx_tools.spdx.model.actor import Actor, ActorType
from spdx_tools.spdx.model.checksum import Checksum, ChecksumAlgorithm
from spdx_tools.spdx.model.document import CreationInfo, Document
from spdx_tools.spdx.model.package import Package, PackagePurpose
from spdx_tools.spdx.model.relationship import Relationship, RelationshipType
from spdx_tools.spdx.model.spdx_no_assertion import SpdxNoAssertion
from spdx_tools.spdx.writer.json.json_writer import write_document_to_stream

from ...rendering.text import safe_text
from ..description import Description, identifier

_DOCUMENT, _RELEASE = "SPDXRef-DOCUMENT", "SPDXRef-Release"


def make(description: Description) -> bytes:
    """Return the JSON of a release."""
    created = description.recorded_at.replace(microsecond=0, tzinfo=None)
    head = CreationInfo(
        spdx_version="SPDX-2.3",
        spdx_id=_DOCUMENT,
        name=description.version_id,
        # every document of another content has another name
        document_namespace=f"https://spdx.org/spdxdocs/{_unique(description)}",
        creators=[Actor(ActorType.TOOL, "ontofetch")],
        created=created,
        document_comment=f"{description.summary} The licence that its documents state:"
        f" {safe_text(description.stated.license) or 'none is recorded'}.",
    )
    release = _package(_RELEASE, description.title, released=description.released)
    release.version = description.version
    packages, relations = [release], [Relationship(_DOCUMENT, RelationshipType.DESCRIBES, _RELEASE)]
    places: dict[str, str] = {}
    for number, artifact in enumerate(description.artifacts, 1):
        place = places[artifact.path] = f"SPDXRef-Artifact-{number}"
        source = artifact.sources[0] if artifact.sources else ""
        packages.append(_package(place, artifact.path, artifact.sha256, artifact.size_bytes, source=source))
        relations.append(Relationship(_RELEASE, RelationshipType.CONTAINS, place))
    for number, file in enumerate(description.files, 1):
        place = f"SPDXRef-File-{number}"
        packages.append(_package(place, file.path, file.sha256, file.size_bytes))
        holder = places.get(file.artifact)
        kind = RelationshipType.EXPANDED_FROM_ARCHIVE if holder else RelationshipType.CONTAINS
        relations.append(Relationship(place, kind, holder) if holder else Relationship(_RELEASE, kind, place))
    stream = io.StringIO()
    write_document_to_stream(Document(head, packages=packages, relationships=relations), stream, validate=False)
    return stream.getvalue().encode() + b"\n"


def _package(
    place: str, name: str, sha256: str = "", size_bytes: int = 0, *, source: str = "", released: date | None = None
) -> Package:
    return Package(
        spdx_id=place,
        name=safe_text(name),
        download_location=source or SpdxNoAssertion(),
        files_analyzed=False,
        checksums=[Checksum(ChecksumAlgorithm.SHA256, sha256)] if sha256 else [],
        primary_package_purpose=PackagePurpose.FILE if sha256 else PackagePurpose.SOURCE,
        comment=f"{size_bytes} bytes" if sha256 else None,
        license_concluded=SpdxNoAssertion(),
        license_declared=SpdxNoAssertion(),
        copyright_text=SpdxNoAssertion(),
        release_date=datetime(released.year, released.month, released.day) if released else None,  # noqa: DTZ001 - as the library wants it
    )


def _unique(description: Description) -> str:
    contents = "\n".join(
        sorted([*(one.sha256 for one in description.artifacts), *(one.sha256 for one in description.files)])
    )
    return identifier(f"{description.version_id}\n{contents}").removeprefix("urn:uuid:")
