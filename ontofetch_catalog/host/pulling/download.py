"""The first step of a pull: the artifact is fetched into a stage, and recorded."""

from __future__ import annotations

import logging
from contextlib import suppress
from pathlib import Path

from ontofetch_hookspecs import DownloadDone, Stage, Table
from ontofetch_hookspecs.hosting import now
from ontofetch_hookspecs.store_paths import below_root, make_root

from ...rendering.progress import bar
from ..copies import Copy
from ..fetch import STAGED, fetch
from ..publish import publish_artifact
from .state import State

_log = logging.getLogger("ontofetch.pull")


def fetch_artifact(pull: State) -> Copy:
    """Fetch the artifact and nothing else.

    Raises:
        OntofetchError: It can't be fetched; nothing is staged then.
    """
    request, settings = pull.request, pull.host.settings
    # where that is refused, the stage that comes next says it
    with suppress(OSError):
        make_root(pull.host.root, int(str(settings["store_mode"]), 8))
    known = pull.known if request.version is not None else pull.contract.find_download(request.recorded_url)
    options = request.http_options(settings)
    with bar(f"fetch {pull.name}", unit="bytes") as update:
        return fetch(
            pull.host.root,
            request.source,
            known=known,
            options=options,
            sha256=request.sha256,
            checksum=request.checksum,
            expected_by=request.expected_by,
            accept_any=request.accept_any,
            progress=update,
        )


def record_download(pull: State, copy: Copy, files: Table | None) -> None:
    """Record the artifact; on a refusal its bytes stay staged, and the next run goes on with them.

    Args:
        copy: What was fetched.
        files: What was unpacked of it already, where that decides whether it fits beside others; else None.
    """
    request = pull.request
    stage, staged = copy.stage, copy.path if copy.stage else None
    if copy.record is not None and copy.path != pull.place:
        stage = Stage.create(pull.host.root, url=request.source.url, etag=copy.etag)
        staged = stage.link_file(below_root(pull.host.root, copy.path), f"{STAGED}/{pull.name}")
    event = pull.contract.make(
        DownloadDone,
        service=request.service,
        ontology=request.ontology,
        version=pull.version,
        released=request.released,
        layout=pull.layout.name,
        plan_hash=request.plan_hash,
        artifact=pull.name,
        sha256=copy.sha256,
        size_bytes=copy.size_bytes,
        source_url=request.recorded_url,
        etag=copy.etag,
        last_modified=copy.last_modified,
        content_type=copy.content_type,
        status="fresh" if copy.record is None else "cached",
        fetched_at=now(),
        staged=staged,
        replace=request.replace,
        # whoever is unpacking it right now may be done by then
        replace_incomplete=pull.is_incomplete(),
        files=files,
    )
    try:
        changed = _carry_out(pull, event, pull.place)
    except BaseException:
        if stage is not None:
            stage.close()
        raise
    if stage is not None:
        stage.discard()
    pull.summary.sha256 = copy.sha256
    pull.summary.status = event.status if changed else "unchanged"
    if changed:
        pull.find_again()


def _carry_out(pull: State, event: DownloadDone, target: Path) -> bool:
    receipt = pull.contract.send(event)
    if receipt is not None:
        return receipt.changed
    pull.is_recorded = False
    _log.warning("no catalog is loaded: %s is published, but nothing is recorded", pull.version_id)
    return event.staged is not None and publish_artifact(pull.host.root, event.staged, target, replace=event.replace)
