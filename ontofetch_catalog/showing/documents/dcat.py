"""A release in DCAT 3 as DCAT-AP wants it: a dataset of a series, and a distribution per artifact."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime

from pyoxigraph import Literal, NamedNode, RdfFormat, Triple, serialize

from ...rendering.text import utc_time
from ..description import Artifact, Description, identifier

PREFIXES = {
    "dcat": "http://www.w3.org/ns/dcat#",
    "dct": "http://purl.org/dc/terms/",
    "owl": "http://www.w3.org/2002/07/owl#",
    "prov": "http://www.w3.org/ns/prov#",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "spdx": "http://spdx.org/rdf/terms#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
_MEDIA_TYPES = "http://www.iana.org/assignments/media-types/"
_IRI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\x00-\x20<>\"{}|\\^`]+")


def make(description: Description) -> bytes:
    """Return the Turtle of a release."""
    text = serialize(_triples(description), format=RdfFormat.TURTLE, prefixes=PREFIXES)
    return text if isinstance(text, bytes) else b""


def _triples(description: Description) -> Iterator[Triple]:
    release, series = NamedNode(description.iri), NamedNode(identifier(description.series))
    yield _type(release, "dcat:Dataset")
    yield Triple(release, _name("dct:title"), Literal(description.title))
    yield Triple(release, _name("dct:description"), Literal(description.summary))
    yield Triple(release, _name("dct:identifier"), Literal(description.version_id))
    yield Triple(release, _name("dct:issued"), _time(description.issued))
    yield Triple(release, _name("dcat:version"), Literal(description.version))
    yield Triple(release, _name("dcat:inSeries"), series)
    if _IRI.fullmatch(description.stated.version_iri):
        yield Triple(release, _name("owl:versionIRI"), NamedNode(description.stated.version_iri))
    if description.previous:
        yield Triple(release, _name("dcat:previousVersion"), NamedNode(identifier(description.previous)))
    if _IRI.fullmatch(description.stated.license):
        yield Triple(release, _name("dct:license"), NamedNode(description.stated.license))
    yield _type(series, "dcat:DatasetSeries")
    yield Triple(series, _name("dct:title"), Literal(description.series))
    yield Triple(series, _name("dct:description"), Literal(f"The releases of {description.series}."))
    for artifact in description.artifacts:
        place = NamedNode(identifier(f"{description.version_id}#{artifact.path}"))
        yield Triple(release, _name("dcat:distribution"), place)
        yield from _distribution(release, place, artifact, description)


def _distribution(
    release: NamedNode, place: NamedNode, artifact: Artifact, description: Description
) -> Iterator[Triple]:
    checksum = NamedNode(identifier(f"{description.version_id}#{artifact.path}#sha256"))
    yield _type(place, "dcat:Distribution")
    yield Triple(place, _name("dct:title"), Literal(artifact.path))
    known = [NamedNode(source) for source in artifact.sources if _IRI.fullmatch(source)]
    # a distribution must say where it is; what came from a disk has no address but the release's own
    yield Triple(place, _name("dcat:accessURL"), known[0] if known else release)
    for source in known:
        yield Triple(place, _name("dcat:downloadURL"), source)
    size = Literal(str(artifact.size_bytes), datatype=_name("xsd:nonNegativeInteger"))
    yield Triple(place, _name("dcat:byteSize"), size)
    if artifact.media_type:
        yield Triple(place, _name("dcat:mediaType"), NamedNode(_MEDIA_TYPES + artifact.media_type))
    yield Triple(place, _name("dct:issued"), _time(artifact.recorded_at))
    if _IRI.fullmatch(description.stated.license):
        yield Triple(place, _name("dct:license"), NamedNode(description.stated.license))
    yield Triple(place, _name("spdx:checksum"), checksum)
    yield _type(checksum, "spdx:Checksum")
    yield Triple(checksum, _name("spdx:algorithm"), _name("spdx:checksumAlgorithm_sha256"))
    digits = Literal(artifact.sha256, datatype=_name("xsd:hexBinary"))
    yield Triple(checksum, _name("spdx:checksumValue"), digits)


def _name(short: str) -> NamedNode:
    prefix, _, local = short.partition(":")
    return NamedNode(PREFIXES[prefix] + local)


def _type(subject: NamedNode, kind: str) -> Triple:
    return Triple(subject, _name("rdf:type"), _name(kind))


def _time(value: date | datetime) -> Literal:
    kind = "xsd:dateTime" if isinstance(value, datetime) else "xsd:date"
    return Literal(utc_time(value), datatype=_name(kind))
