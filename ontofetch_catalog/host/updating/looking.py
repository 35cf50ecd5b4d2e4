"""The looking for something new without taking it: what is recorded, and what the head of an answer says."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ontofetch_hookspecs import HostInfo
from ontofetch_hookspecs.layout import make_version_id
from ontofetch_hookspecs.names import quote
from ontofetch_hookspecs.records import ArtifactRecord
from ontofetch_hookspecs.redaction import redact_url

from ...errors import FetchError
from ...named_files import open_named
from ..contract import Contract
from ..copies import choose, conditions_of, find_copies, find_same, length_of
from ..request import Request
from .jobs import Task

if TYPE_CHECKING:
    import httpx

_UNCLEAR = "The server does not say whether it has changed; without --check it is fetched and compared."


def look(contract: Contract, host: HostInfo, task: Task) -> dict[str, Any]:
    """Return status, release and reason of a task; nothing is fetched but the head of an answer.

    Raises:
        FetchError: It can't be looked at.
    """
    request = task.requests[0]
    if task.version:
        version_id = make_version_id(request.service, request.ontology, task.version)
        record = contract.find_version(version_id)
        artifacts = record.artifacts if record is not None else ()
        if record is None or any(one.strip is None for one in artifacts):
            for one in task.requests:
                _reach(host, one)
            return {"status": "new", "version_id": version_id}
        for one in task.requests:
            other = _other_bytes(one, artifacts)
            if other is not None:
                return {"status": "differs", "version_id": version_id, "reason": other}
        whole = all(_is_there(one, artifacts) for one in task.requests)
        return {"status": "unchanged" if whole else "changed", "version_id": version_id}
    seen = [_look_at(contract, host, one) for one in task.requests]
    found = next((one for word in ("new", "unclear", "unchanged") for one in seen if one["status"] == word), {})
    return found | {"version_id": next((one.get("version_id") for one in seen if one.get("version_id")), None)}


def _is_there(request: Request, artifacts: Sequence[ArtifactRecord]) -> bool:
    if request.sha256 is not None:
        return any(one.artifact_id == request.sha256 for one in artifacts)
    shown = redact_url(request.recorded_url)
    return any(one.source_url == shown for one in artifacts)


def _other_bytes(request: Request, artifacts: Sequence[ArtifactRecord]) -> str | None:
    """Return the sentence that other bytes are recorded under the name that is wanted; None if that is not so."""
    for one in artifacts:
        if request.sha256 is not None and one.relpath == request.source.name and one.artifact_id != request.sha256:
            return (
                f"Its {quote(one.relpath)} has the sha256 {one.artifact_id}, not {request.sha256} as"
                f" {request.expected_by} says."
            )
    return None


def _look_at(contract: Contract, host: HostInfo, request: Request) -> dict[str, Any]:
    known = contract.find_download(request.recorded_url)
    if known is None or known.artifact.strip is None:
        _reach(host, request)
        return {"status": "new"}
    if request.source.path is not None:
        same = _digest(request) == known.artifact.artifact_id
        return {"status": "unchanged", "version_id": known.version_id} if same else {"status": "new"}
    if request.source.hides_values:
        return {"status": "unclear", "reason": _UNCLEAR}
    return _ask(host, request, find_copies(host.root, None, known), known.version_id)


def _ask(host: HostInfo, request: Request, copies: list[Any], version_id: str) -> dict[str, Any]:
    from ..http import Exchange

    exchange = Exchange(request.source, request.http_options(host.settings))
    conditions = conditions_of(copies)

    def take(response: httpx.Response) -> str:
        if response.status_code == 304 and conditions:
            return "unchanged" if choose(response, copies) is not None else "unclear"
        if response.status_code not in (200, 203):
            raise exchange.refused(response)
        if find_same(response, copies) is not None:
            return "unchanged"
        told = [name for name in ("etag", "last-modified") if response.headers.get(name)]
        length = length_of(response)
        other_length = length is not None and copies and not response.headers.get("content-encoding")
        if (conditions and told) or (other_length and length != copies[0].size_bytes):
            return "new"
        return "unclear"

    status = exchange.get(conditions, take)
    return {
        "status": status,
        "version_id": None if status == "new" else version_id,
        "reason": _UNCLEAR if status == "unclear" else None,
    }


def _reach(host: HostInfo, request: Request) -> None:
    """Ask whether there is something at an address: what is new, and can't be had, is no news but a failure.

    Raises:
        FetchError: There is nothing, or nobody says so.
    """
    from ..http import Exchange

    if request.source.path is not None:
        _digest(request)
        return
    exchange = Exchange(request.source, request.http_options(host.settings))

    def take(response: httpx.Response) -> None:
        if response.status_code not in (200, 203):
            raise exchange.refused(response)

    exchange.get({}, take)


def _digest(request: Request) -> str:
    try:
        with open_named(str(request.source.path), regular=True) as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise FetchError(
            f"The file {quote(request.source.path)} can't be read: {error.strerror}.", subject=str(request.source.path)
        ) from error
