"""Where a release came from in PROV: entities, the activities that made them, and who carried those out."""

from __future__ import annotations

from typing import Any

from prov.model import ProvDocument

from ...rendering.text import utc_time
from ..description import Description, identifier

_URN = "urn:uuid:"


def make(description: Description) -> bytes:
    """Return the PROV-JSON of a release."""
    document = ProvDocument()
    document.add_namespace("id", _URN)
    document.add_namespace("dct", "http://purl.org/dc/terms/")
    release = document.entity(
        _id(description.version_id),
        {
            "prov:label": description.version_id,
            "dct:title": description.title,
            "dct:issued": utc_time(description.issued),
        },
    )
    tool = document.agent(_id("agent:ontofetch"), {"prov:label": "ontofetch", "prov:type": "prov:SoftwareAgent"})
    if description.previous:
        before = document.entity(_id(description.previous), {"prov:label": description.previous})
        document.wasDerivedFrom(release, before, other_attributes={"prov:type": "prov:Revision"})
    artifacts = {}
    for artifact in description.artifacts:
        name = f"{description.version_id}#{artifact.path}"
        made = document.entity(_id(name), _held(artifact.path, artifact.sha256, artifact.size_bytes))
        artifacts[artifact.path] = made
        document.hadMember(release, made)
        fetched = document.activity(
            _id(f"{name}#fetch"), None, artifact.recorded_at, {"prov:label": f"fetch of {artifact.path}"}
        )
        document.wasGeneratedBy(made, fetched, artifact.recorded_at)
        document.wasAssociatedWith(fetched, tool)
        for source in artifact.sources:
            origin = document.entity(_id(source), {"prov:label": source, "prov:location": source})
            document.used(fetched, origin)
            document.hadPrimarySource(made, origin)
    for file in description.files:
        made = document.entity(
            _id(f"{description.version_id}#{file.path}"), _held(file.path, file.sha256, file.size_bytes)
        )
        document.hadMember(release, made)
        if file.artifact in artifacts:
            document.wasDerivedFrom(made, artifacts[file.artifact])
    for result in description.results:
        counts = f"{result.passed} passed, {result.failed} failed, {result.not_judged} not judged"
        checked = document.activity(
            _id(f"{description.version_id}#{result.validator}"),
            other_attributes={"prov:label": f"validation by {result.validator}: {counts}"},
        )
        document.used(checked, release)
        document.wasAssociatedWith(checked, tool)
    return str(document.serialize(format="json", indent=1)).encode() + b"\n"


def _id(name: str) -> str:
    return f"id:{identifier(name).removeprefix(_URN)}"


def _held(path: str, sha256: str, size_bytes: int) -> dict[Any, Any]:
    return {"prov:label": path, "dct:identifier": f"sha256:{sha256}", "dct:extent": size_bytes}
