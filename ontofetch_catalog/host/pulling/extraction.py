"""The second step of a pull: unless it was done, the artifact is unpacked into a stage; its files are recorded."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from ontofetch_hookspecs import ArtifactRecord, ExtractDone, Stage, Veto
from ontofetch_hookspecs.hosting import now
from ontofetch_hookspecs.names import quote
from ontofetch_hookspecs.store_paths import StorePath, below_root

from ...errors import ExtractError, PreconditionFailed
from ...rendering.progress import Update, bar
from ...rendering.text import counted
from ..copies import find_lost
from ..extract import begin_extraction, extract_artifact
from ..judging import Judging
from ..publish import publish_files
from ..unpacked import Extraction, Wanted
from ..unpacker_process import Unpacker
from ..versions import find_statement, is_other
from .state import State

_log = logging.getLogger("ontofetch.pull")


class Unpacked(NamedTuple):
    """A stage, what was unpacked into it, and when that was begun."""

    stage: Stage
    extraction: Extraction
    started: datetime


class Started(NamedTuple):
    """A stage, what brings to an end what was begun to be unpacked into it, and when that was."""

    stage: Stage
    finish: Callable[[Update], Extraction]
    started: datetime


def start_unpacking(
    pull: State, source: StorePath, unpacker: Unpacker | None, *, moves_to: StorePath | None = None
) -> Started:
    """Have a process begin to unpack an artifact into a stage of its own.

    Args:
        source: Where the artifact lies.
        unpacker: The process; None: nothing is done before the end, when one is started if one is needed.
        moves_to: Where the artifact may be moved to meanwhile.
    """
    started, stage = now(), Stage.create(pull.host.root)
    try:
        if unpacker is None:
            allowance = pull.tools.allowance
            return Started(stage, partial(extract_artifact, source, stage, _wanted(pull), allowance), started)
        begun = begin_extraction(source, stage, unpacker, _wanted(pull), moves_to=moves_to)
        return Started(stage, begun.finish, started)
    except BaseException:
        stage.discard()
        raise


def finish_unpacking(pull: State, begun: Started) -> Unpacked:
    """Wait until what was begun is unpacked; say meanwhile how far it is, and then what is odd about it."""
    try:
        with bar(f"unpack {pull.name}") as update:
            extraction = begun.finish(update)
        _tell(pull, extraction)
    except BaseException:
        begun.stage.discard()
        raise
    return Unpacked(begun.stage, extraction, begun.started)


def unpack(pull: State, source: StorePath, unpacker: Unpacker | None) -> Unpacked:
    """Unpack an artifact into a stage of its own; as `start_unpacking`."""
    return finish_unpacking(pull, start_unpacking(pull, source, unpacker))


def record_files(pull: State, unpacked: Unpacked, judging: Judging | None) -> pa.Table:
    """Record what was unpacked and publish it; return all files of the release.

    Args:
        unpacked: What was unpacked; its stage is discarded.
        judging: Who looks at the files meanwhile, and is told before they move; None: nobody.
    """
    stage, extraction, started = unpacked
    handed = False
    try:
        _compare_version(pull, extraction)
        event = pull.contract.make(
            ExtractDone,
            version_id=pull.version_id,
            artifact=pull.name,
            artifact_id=pull.summary.sha256,
            files=extraction.files,
            include=pull.request.include,
            exclude=pull.request.exclude,
            strip=extraction.strip,
            remarks=extraction.remarks,
            portable=pull.request.portable,
            started_at=started,
            finished_at=now(),
            staged=extraction.folder,
        )
        if judging is not None:
            judging.tell_of_moving()
        handed = True
        _carry_out(pull, event)
    except (ExtractError, PreconditionFailed, Veto):
        # refused before anything moved; what was unpacked can be unpacked again
        stage.discard()
        raise
    except BaseException:
        if handed:
            # an open boundary may need what is in the stage
            stage.close()
        else:
            stage.discard()
        raise
    stage.discard()
    pull.find_again()
    if pull.record is None or len(pull.record.artifacts) == 1:
        # what was just unpacked is all there is
        return extraction.files
    return pa.table(pull.record.files)


def is_unpacked(pull: State) -> bool:
    """Return whether the artifact is recorded as unpacked in the way that is asked for, and its files are there."""
    request, record = pull.request, pull.record
    for artifact in record.artifacts if record else ():
        if artifact.strip is None or (artifact.relpath, artifact.artifact_id) != (pull.name, pull.summary.sha256):
            continue
        as_asked = artifact.strip == request.strip
        # what `auto` came to is recorded; that it was `auto`, only the plan knows
        as_planned = request.strip == "auto" and record is not None and record.plan_hash == request.plan_hash
        same = (artifact.include, artifact.exclude) == (request.include, request.exclude)
        return same and (as_asked or as_planned) and _is_in_place(pull, artifact)
    return False


def _is_in_place(pull: State, artifact: ArtifactRecord) -> bool:
    """Return whether every file of an artifact is there with its size; a person may have tidied up."""
    if pull.record is None:
        return False
    files = pa.table(pull.record.files)
    lost = find_lost(
        files.filter(pc.equal(files["artifact_id"], artifact.artifact_id)), below_root(pull.host.root, pull.data)
    )
    if lost is not None:
        _log.warning("%s is gone or cut: %s is unpacked anew", quote(lost), quote(artifact.relpath))
    return lost is None


def _compare_version(pull: State, extraction: Extraction) -> None:
    """Warn where the document states another version than was asked for."""
    if pull.request.version is None:
        return
    folder = below_root(pull.host.root, extraction.folder)
    found = find_statement(extraction.files, folder, pull.request.ontology)
    # a date is none, and says nothing against one
    if found is not None and not found.stated.is_date and is_other(found.stated.version, pull.version):
        _log.warning(
            "%s states the version %s (%s), but is recorded as %s, as --version says",
            quote(found.relpath),
            found.stated.version,
            found.stated.where,
            pull.version,
        )


def _wanted(pull: State) -> Wanted:
    request = pull.request
    return Wanted(
        name=pull.name,
        content_type=pull.content_type,
        include=request.include,
        exclude=request.exclude,
        strip=request.strip,
        portable=request.portable,
        limits=pull.tools.limits,
    )


def _tell(pull: State, extraction: Extraction) -> None:
    """Say what is odd about what was unpacked.

    Raises:
        ExtractError: Nothing is left of it.
    """
    request = pull.request
    if (request.include or request.exclude) and not len(extraction.files):
        raise _nothing_left(pull)
    for remark in extraction.remarks:
        level = logging.INFO if remark.kind == "left_out" else logging.WARNING
        _log.log(level, "%s: %s", quote(pull.name), remark)
    if extraction.skipped:
        left, lie = counted(extraction.skipped, "file"), "it lies" if extraction.skipped == 1 else "they lie"
        _log.warning("--strip %s leaves %s out: %s above it", extraction.strip, left, lie)


def _nothing_left(pull: State) -> ExtractError:
    include, exclude = (" or ".join(map(quote, globs)) for globs in (pull.request.include, pull.request.exclude))
    asked = [f"matches --include {include}"] if include else []
    asked += [f"is left by --exclude {exclude}"] if exclude else []
    return ExtractError(
        f"Nothing in {quote(pull.name)} {' and '.join(asked)}.",
        subject=pull.name,
        hint="A glob is compared with the whole name in the archive; * crosses /.",
    )


def _carry_out(pull: State, event: ExtractDone) -> None:
    pull.contract.send(event)
    if not pull.is_recorded and event.staged is not None:
        root = pull.host.root
        alone = len(below_root(root, pull.folder / pull.layout.source).names()) == 1
        publish_files(root, event.staged, pull.data, replace=pull.request.replace, alone=alone)
