"""What documents about one release are made of: all that the catalog has recorded of it, read in a few statements.

How a standard spells it is not known here. What the documents of a release say of themselves comes from `stated_of`.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence
from dataclasses import field
from datetime import date, datetime
from typing import TYPE_CHECKING

import polars as pl

from ontofetch_hookspecs.layout import find_layout
from ontofetch_hookspecs.light_dataclasses import dataclass

from ..analytics.collect import collect
from ..catalog.repo import showing
from ..rendering.text import counted

if TYPE_CHECKING:
    from ..analytics.sources.catalog import CatalogReader

_PUBLIC = re.compile(r"(https?|ftp)://\S+")
MEDIA_TYPES = {
    "turtle": "text/turtle", "rdfxml": "application/rdf+xml", "ntriples": "application/n-triples",
    "nquads": "application/n-quads", "trig": "application/trig", "jsonld": "application/ld+json", "n3": "text/n3",
    "obo": "text/obo", "owlxml": "application/owl+xml", "ofn": "text/owl-functional", "omn": "text/owl-manchester",
    "json": "application/json", "xml": "application/xml", "csv": "text/csv", "tsv": "text/tab-separated-values",
    "text": "text/plain", "markdown": "text/markdown", "html": "text/html", "yaml": "application/yaml",
    "zip": "application/zip", "tar": "application/x-tar", "pdf": "application/pdf", "svg": "image/svg+xml",
    "png": "image/png", "sparql": "application/sparql-query",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """What the documents of a release say of themselves; empty where nothing is recorded."""

    title: str = ""
    license: str = ""
    version_iri: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """One artifact: path inside the release's folder, sha256 in hex, bytes, public addresses, the first one first."""

    path: str
    sha256: str
    size_bytes: int
    media_type: str
    sources: Sequence[str]
    recorded_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """One extracted file: path inside the release's folder, sha256 in hex, format, bytes, path of its artifact."""

    path: str
    sha256: str
    format: str
    size_bytes: int
    artifact: str

    @property
    def media_type(self) -> str:
        """Return the media type of its format, empty where it has none."""
        return MEDIA_TYPES.get(self.format, "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a validator said of the files of a release; counts of files."""

    validator: str
    passed: int
    failed: int
    not_judged: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """One release; times are UTC."""

    version_id: str
    series: str
    version: str
    released: date | None
    recorded_at: datetime
    previous: str | None
    artifacts: Sequence[Artifact]
    files: Sequence[File]
    results: Sequence[Result]
    stated: Stated = field(default_factory=Stated)

    @property
    def title(self) -> str:
        """Return what its documents call it, else its name."""
        return self.stated.title or f"{self.series}, release {self.version}"

    @property
    def summary(self) -> str:
        """Return a sentence about it."""
        held = f"{counted(len(self.artifacts), 'artifact')}, and {counted(len(self.files), 'file')} unpacked"
        return f"Release {self.version} of the ontology {self.series}: {held}, as recorded by ontofetch."

    @property
    def issued(self) -> date | datetime:
        """Return the day of its release, else when it was recorded."""
        return self.released or self.recorded_at

    @property
    def iri(self) -> str:
        """Return what names it in documents, whether or not its own say a version IRI."""
        return identifier(self.version_id)


def identifier(name: str) -> str:
    """Return what names a series, a release or a part of it for ever: the same name, the same identifier."""
    return f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, f'ontofetch:{name}')}"


def describe(reader: CatalogReader, version_id: str) -> Description:
    """Return what is recorded of a release that the open catalog has."""
    series, _, version = version_id.rpartition("/")
    found = collect(
        {
            "artifacts": reader.read(showing.select_artifacts([version_id])),
            "files": reader.read(showing.select_held(version_id)),
            "results": reader.result_totals([version_id])
            .sort("validator")
            .select("validator", "passed", "failed", "not_judged"),
            "versions": reader.versions(("released", "created_at", "layout")).filter(
                pl.col("version_id") == version_id
            ),
        }
    )
    row = found["versions"].row(0, named=True)
    layout = find_layout(row["layout"])
    return Description(
        version_id=version_id,
        series=series,
        version=version,
        released=row["released"],
        recorded_at=row["created_at"],
        previous=row["previous_version_id"],
        artifacts=[
            Artifact(
                path=f"{layout.source}/{artifact['relpath']}",
                sha256=artifact["artifact_id"],
                size_bytes=artifact["size_bytes"],
                media_type=_media_type(artifact["content_type"]),
                sources=public_sources(artifact["sources"]),
                recorded_at=artifact["recorded_at"],
            )
            for artifact in found["artifacts"].to_dicts()
        ],
        files=[
            File(
                path=f"{layout.data}/{file['relpath']}",
                sha256=file["file_id"],
                format=file["format"],
                size_bytes=file["size_bytes"],
                artifact=f"{layout.source}/{file['artifact']}",
            )
            for file in found["files"].to_dicts()
        ],
        results=[Result(**result) for result in found["results"].to_dicts()],
        stated=stated_of(reader, version_id),
    )


def stated_of(reader: CatalogReader, version_id: str) -> Stated:
    """Return what the documents of a release state; the one place that knows where that is recorded."""
    found = collect({"stated": reader.read(showing.select_stated([version_id]))})["stated"]
    if found.is_empty():
        return Stated()
    row = found.row(0, named=True)
    return Stated(title=row["title"] or "", license=row["licence"] or "", version_iri=row["version_iri"] or "")


def public_sources(sources: str | None) -> list[str]:
    """Return the addresses that mean something to others: a path of this machine is nobody else's affair."""
    return [source for source in (sources or "").split(" ") if _PUBLIC.fullmatch(source)]


def _media_type(content_type: str | None) -> str:
    found = (content_type or "").partition(";")[0].strip().casefold()
    return found if re.fullmatch(r"[a-z0-9!#$&^_.+-]{1,64}/[a-z0-9!#$&^_.+-]{1,64}", found) else ""
