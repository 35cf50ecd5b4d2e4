"""The recording of one artifact of a foreign tree: a download, its files, its results, each through its hook.

What is recorded already is left as it is, so that an import that was cut short goes on where it stopped. The tree is
only read, but for the documents and links beside a release that is taken in where it lies.
"""

from __future__ import annotations

import hashlib
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from ontofetch_hookspecs import ArtifactRecord, HostInfo, Stage, VersionRecord
from ontofetch_hookspecs.layout import DOCSTOKG_TREE, NATIVE, find_layout, make_version_id
from ontofetch_hookspecs.light_dataclasses import dataclass
from ontofetch_hookspecs.names import quote
from ontofetch_hookspecs.store_paths import StorePath
from ontofetch_hookspecs.taking import HEAD_BYTES, take_file

from ..content.packed.plain import is_packed
from ..host.contract import Contract
from .files import Files, stage_alone, stage_archive, stage_unpacked
from .found import PLANNED, RECORDED, UNCHANGED, FoundArtifact, ImportRefused, Outcome
from .sending import results_table, staging, telling

if TYPE_CHECKING:
    import pyarrow as pa

STAGED = "artifact"


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How artifacts are taken in.

    Args:
        in_place: Whether they stay where they lie, below the store's root, and only their rows are new.
        replace: Whether other bytes under a recorded name take its place.
        layout: Of releases that are copied.
    """

    in_place: bool = False
    replace: bool = False
    layout: str = NATIVE.name


@dataclass(slots=True)
class _Release:
    """What is recorded of a release, or what its first artifact will make of it."""

    record: VersionRecord | None
    layout: str
    folder: str

    def known(self, name: str) -> ArtifactRecord | None:
        """Return the record of an artifact."""
        artifacts = self.record.artifacts if self.record else ()
        return next((artifact for artifact in artifacts if artifact.relpath == name), None)

    def path_of(self, name: str) -> str:
        """Return where an artifact lies below the root, once it is recorded."""
        return f"{self.folder}/{find_layout(self.layout).source}/{name}"


class Recorder:
    """Takes in one artifact after the other; may be called from several threads at once.

    Args:
        info: The host on whose store it records.
        way: How.
    """

    def __init__(self, info: HostInfo, way: Way) -> None:
        self._info = info
        self._contract = Contract(info)
        self._way = way
        self._layout = DOCSTOKG_TREE if way.in_place else find_layout(way.layout)
        self._deciding = threading.Lock()

    def plan(self, found: FoundArtifact) -> Outcome:
        """Say what `take` would do, as far as names, sizes and hashes tell; nothing is written."""
        outcome = Outcome(path=found.file.relpath)
        with telling(outcome, found):
            release = self._look_at(found, outcome)
            outcome.bytes = found.file.lstat().st_size
            outcome.state = UNCHANGED if self._is_known(found, release) else PLANNED
        return outcome

    def take(self, found: FoundArtifact) -> Outcome:
        """Take in an artifact, as far as it is not recorded yet.

        Raises:
            OntofetchError: What is wrong has nothing to do with this artifact: the disk is full, the catalog is held.
        """
        outcome = Outcome(path=found.file.relpath)
        with telling(outcome, found):
            release = self._look_at(found, outcome)
            self._take(found, release, outcome)
        return outcome

    def set_latest(self, version_id: str, told_by: str, *, only_forward: bool = False) -> bool:
        """Make a recorded release the latest of its series, unless files of it fail; say whether it is.

        Args:
            told_by: Who asks for it.
            only_forward: Whether one that comes before the latest stays behind it.

        Raises:
            OntofetchError: It is refused.
        """
        # what one thread has just made latest is what another one may not go behind
        with self._deciding:
            record = self._contract.find_version(version_id)
            if record is None or record.failed or not any(artifact.strip is not None for artifact in record.artifacts):
                return False
            if only_forward and record.before_latest:
                return False
            if record.latest != version_id:
                self._contract.set_latest(version_id=version_id, updated_by=told_by)
        return True

    # --- steps --------------------------------------------------------------------------------------------------------

    def _look_at(self, found: FoundArtifact, outcome: Outcome) -> _Release:
        outcome.version_id = make_version_id(found.service, found.ontology, found.version)
        record = self._contract.find_version(found.version_id)
        layout = self._layout.name if record is None else record.layout
        folder = self._layout.version_folder(found.service, found.ontology, found.version)
        release = _Release(record, layout, folder if record is None else record.fs_relpath)
        if self._way.in_place:
            self._check_place(found, release)
        return release

    def _check_place(self, found: FoundArtifact, release: _Release) -> None:
        """Check that a release that stays where it lies is where its layout has it.

        Raises:
            ImportRefused: It is elsewhere, or copied already.
        """
        if release.layout != self._layout.name:
            raise ImportRefused(
                f"{found.version_id} is recorded with the layout {release.layout}.", subject=found.version_id
            )
        wanted = self._info.root / release.path_of(found.artifact)
        if Path(str(found.file)) != wanted:
            raise ImportRefused(
                f"{quote(found.file.relpath)} does not lie where the store has it, {quote(wanted)}.",
                subject=found.file.relpath,
            )

    def _is_known(self, found: FoundArtifact, release: _Release) -> bool:
        """Say whether the artifact is recorded with these bytes; they are only hashed if nobody says what they are."""
        known = release.known(found.artifact)
        if known is None or found.file.lstat().st_size != known.size_bytes:
            return False
        return known.artifact_id == (found.sha256 or _hash(found.file))

    def _take(self, found: FoundArtifact, release: _Release, outcome: Outcome) -> None:
        known = release.known(found.artifact)
        fresh = known is None or not self._is_known(found, release)
        sha256 = self._download(found, release) if fresh or known is None else known.artifact_id
        outcome.state = RECORDED if fresh else UNCHANGED
        if fresh or known is None or known.strip is None:
            table = self._extract(found, release, sha256, outcome)
            outcome.state = RECORDED
        else:
            table = self._recorded_files(release, sha256)
        outcome.files, outcome.bytes = len(table), _sum(table)
        alone = table["file_id"].to_pylist() == [sha256] if len(table) == 1 else False
        if found.results and alone and not self._is_judged(found, sha256):
            # results about an archive are about none of its files
            self._contract.validate_done(version_id=found.version_id, results=results_table(found, sha256))
            outcome.state = RECORDED

    def _download(self, found: FoundArtifact, release: _Release) -> str:
        """Record the artifact and return its sha256."""
        stage = None if self._way.in_place else Stage.create(self._info.root, url=found.source_url, etag=found.etag)
        with staging(stage) as held:
            if stage is None:
                sha256, size = _hash(found.file), found.file.lstat().st_size
            else:
                taken = take_file(stage, found.file, f"{STAGED}/{found.artifact}")
                sha256, size = taken.sha256, taken.size
            if found.sha256 not in (None, sha256):
                raise ImportRefused(
                    f"{quote(found.file.relpath)} has the sha256 {sha256}, its tree says {found.sha256}.",
                    subject=found.file.relpath,
                )
            held.handed = True
            self._contract.download_done(
                service=found.service,
                ontology=found.ontology,
                version=found.version,
                layout=release.layout,
                artifact=found.artifact,
                sha256=sha256,
                size_bytes=size,
                source_url=found.source_url,
                etag=found.etag,
                last_modified=found.last_modified,
                content_type=found.content_type,
                status="cached" if found.cached else "fresh",
                fetched_at=found.fetched_at,
                staged=None if stage is None else stage.path / STAGED / found.artifact,
                replace=self._way.replace,
            )
        return sha256

    def _extract(self, found: FoundArtifact, release: _Release, sha256: str, outcome: Outcome) -> pa.Table:
        """Record the files of an artifact and return them."""
        artifact = StorePath(self._info.root, release.path_of(found.artifact))
        with os.fdopen(artifact.open_file(), "rb") as stream:
            packed = is_packed(artifact.name, stream.read(HEAD_BYTES))
        if packed and found.unpacked is not None and found.unpacked.is_dir():
            stage = Stage.create(self._info.root)
            with staging(stage) as held:
                files = stage_unpacked(stage, found.unpacked, sha256, link=self._way.in_place)
                if files is not None:
                    held.handed = True
                    return self._send_files(found, sha256, files)
            outcome.messages.append(
                f"What was unpacked of {quote(found.file.relpath)} is not what its audit says; it is unpacked anew."
            )
        stage = Stage.create(self._info.root)
        with staging(stage) as held:
            if packed:
                files = stage_archive(stage, artifact, found.artifact, self._info.settings)
            else:
                files = stage_alone(stage, artifact, found.artifact)
            held.handed = True
            return self._send_files(found, sha256, files)

    def _send_files(self, found: FoundArtifact, sha256: str, files: Files) -> pa.Table:
        self._contract.extract_done(
            version_id=found.version_id,
            artifact=found.artifact,
            artifact_id=sha256,
            files=files.table,
            strip=files.strip,
            started_at=files.started_at,
            staged=files.folder,
        )
        return files.table

    def _recorded_files(self, release: _Release, sha256: str) -> pa.Table:
        import pyarrow as pa
        import pyarrow.compute as pc

        files = pa.table(release.record.files if release.record else {"artifact_id": []})
        return files.filter(pc.equal(files["artifact_id"], sha256))

    def _is_judged(self, found: FoundArtifact, file_id: str) -> bool:
        """Say whether every result is known, as far as one of several releases with this file can be told from others.

        If it can't, the results are sent again, and are unchanged.
        """
        import pyarrow as pa

        here = f"{found.version_id}#{found.artifact}"
        for result in found.results:
            known = self._contract.find_results([file_id], result.validator, found.validator_version)
            if known is None or here not in pa.table(known)["reused_from"].to_pylist():
                return False
        return True


def _hash(path: StorePath) -> str:
    with os.fdopen(path.open_file(), "rb", buffering=0) as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _sum(files: pa.Table) -> int:
    import pyarrow.compute as pc

    return int(pc.sum(files["size_bytes"]).as_py() or 0) if "size_bytes" in files.column_names else 0
