"""A release as an RO-Crate: the metadata document of its folder, with the paths that its files have in it."""

from __future__ import annotations

import json
from typing import Any

from rocrate.model import ContextEntity
from rocrate.model import File as DataFile
from rocrate.rocrate import ROCrate

from ...rendering.text import utc_time
from ..description import Artifact, Description, File, identifier

_UNSTATED = "The licence is not recorded: see what the files of the release say."


def make(description: Description) -> bytes:
    """Return ro-crate-metadata.json of a release."""
    crate = ROCrate(version="1.2")
    root = crate.root_dataset
    root["name"], root["description"] = description.title, description.summary
    root["identifier"], root["version"] = description.iri, description.version
    root["datePublished"] = utc_time(description.issued)
    root["license"] = crate.add(_licence(crate, description.stated.license))
    root["isPartOf"] = crate.add(ContextEntity(crate, identifier(description.series), _series(description.series)))
    artifacts = {}
    for artifact in description.artifacts:
        made = _file(
            crate,
            artifact,
            "An artifact, as downloaded.",
        )
        made["sdDatePublished"] = utc_time(artifact.recorded_at)
        if artifact.sources:
            made["url"] = [*artifact.sources] if len(artifact.sources) > 1 else artifact.sources[0]
        artifacts[artifact.path] = made
    for file in description.files:
        made = _file(crate, file, f"Unpacked from {file.artifact}.")
        if file.artifact in artifacts:
            made["isBasedOn"] = artifacts[file.artifact]
    return json.dumps(crate.metadata.generate(), indent=1, sort_keys=True).encode() + b"\n"


def _file(crate: ROCrate, part: Artifact | File, words: str) -> Any:
    told = {
        "name": part.path,
        "description": words,
        "sha256": part.sha256,
        "contentSize": str(part.size_bytes),
        "encodingFormat": part.media_type or "application/octet-stream",
    }
    return crate.add(DataFile(crate, source=None, dest_path=part.path, properties=told))


def _licence(crate: ROCrate, licence: str) -> Any:
    if licence.startswith(("http://", "https://")):
        told = {"@type": "CreativeWork", "name": licence, "description": f"The licence {licence}."}
        return ContextEntity(crate, licence, told)
    told = {"@type": "CreativeWork", "name": licence or "not recorded", "description": licence or _UNSTATED}
    return ContextEntity(crate, "#license", told)


def _series(series: str) -> dict[str, str]:
    return {"@type": "CreativeWorkSeries", "name": series}
