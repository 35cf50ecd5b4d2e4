"""Own the pull of one artifact: fetch, unpack, validate, set latest, and after each step the hook that records it.

It knows the contract and not who answers: without a catalog it publishes by itself and says that nothing is recorded.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ontofetch_hookspecs import (
    DownloadDone,
    Event,
    ExtractDone,
    HostInfo,
    OntofetchError,
    Receipt,
    SetLatest,
    Stage,
    Table,
    ValidateDone,
    Validator,
    VersionRecord,
    find_receipt,
)
from ontofetch_hookspecs.layout import Layout, find_layout, make_version_id
from ontofetch_hookspecs.names import quote
from ontofetch_hookspecs.stages import publish_without_catalog

from ..errors import FetchError
from .checks import builtin_validators
from .extract import ExtractLimits, Strip, extract_artifact
from .fetch import Fetched, HttpFetcher, Source, fetch_file
from .manager import blame
from .progress import bar
from .validators import run_validators

if TYPE_CHECKING:
    import pyarrow as pa

_log = logging.getLogger("ontofetch.pull")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What one pull was asked to do; the fields are the options of `ontofetch pull`."""

    source: Source
    service: str
    ontology: str
    version: str
    released: date | None = None
    sha256: str | None = None
    include: tuple[str, ...] = ()
    strip: Strip = "auto"
    headers: Mapping[str, str] = field(default_factory=dict)
    replace: bool = False
    validate: bool = True
    set_latest: bool = True
    accept_failures: bool = False

    @property
    def plan_hash(self) -> str:
        """Return a hash of what shapes the release: globs and strip."""
        return sha256(repr((self.include, self.strip)).encode()).hexdigest()


@dataclass(slots=True, kw_only=True)
class Summary:
    """What a pull came to: one row of its output."""

    version_id: str
    artifact: str
    sha256: str = ""
    status: str = ""
    files: int = 0
    size_bytes: int = 0
    passed: int = 0
    failed: int = 0
    latest: bool = False
    recorded: bool = True


class Pull:
    """One pull; `run` carries it out."""

    def __init__(self, host: HostInfo, request: Request, validators: tuple[Validator, ...]) -> None:
        self.host = host
        self.request = request
        self.validators = validators
        self.version_id = make_version_id(request.service, request.ontology, request.version)
        self.layout: Layout = find_layout(str(host.settings["layout"]))
        self.folder = host.root / self.layout.version_folder(request.service, request.ontology, request.version)
        self.summary = Summary(version_id=self.version_id, artifact=request.source.name)

    def run(self) -> Summary:
        """Fetch, unpack, validate, set latest; each step is recorded before the next one begins.

        Raises:
            OntofetchError: A step failed or was vetoed; what was recorded before stays.
        """
        fetched = self._fetch()
        try:
            self._download(fetched)
        except BaseException:
            # the bytes stay staged: the next run resumes with them
            if fetched.stage is not None:
                fetched.stage.close()
            raise
        files, folder = self._extract(fetched.sha256)
        self._validate(files, folder)
        self._set_latest()
        return self.summary

    # --- fetch --------------------------------------------------------------------------------------------------------

    def _fetch(self) -> Fetched:
        request, settings = self.request, self.host.settings
        with bar(f"fetch {request.source.name}", unit="bytes", quiet=self._quiet) as update:
            if request.source.path is not None:
                fetched = fetch_file(self.host.root, request.source, update)
            else:
                fetcher = HttpFetcher(
                    self.host.root,
                    request.source,
                    headers=request.headers,
                    timeout=float(str(settings["http_timeout"])),
                    retries=int(str(settings["http_retries"])),
                    progress=update,
                )
                fetched = fetcher.fetch(self._known_artifact())
        if request.sha256 is not None and fetched.sha256 != request.sha256:
            if fetched.stage is not None:
                fetched.stage.discard()
            raise FetchError(
                f"{quote(request.source.name)} has the sha256 {fetched.sha256}, not {request.sha256}.",
                subject=request.source.name,
                hint="Nothing was recorded. Ask the publisher which one is right.",
            )
        return fetched

    def _known_artifact(self) -> Any:
        """Return the last record of the URL if its file is still there: only then may the server say `unchanged`."""
        if self.request.replace:
            return None
        found = self.host.manager.hook.lookup_download(url=self.request.source.url)
        if found is None:
            return None
        path = self.host.root / found.artifact.path
        with suppress(OSError):
            if path.lstat().st_size == found.artifact.size_bytes:
                return found.artifact
        return None

    # --- download -----------------------------------------------------------------------------------------------------

    def _download(self, fetched: Fetched) -> None:
        request = self.request
        record = self._record()
        recorded = {artifact.relpath: artifact for artifact in record.artifacts} if record else {}
        known = recorded.get(request.source.name)
        staged, status = fetched.path, "fresh"
        if fetched.stage is None:
            status = "cached"
            if known is None or known.artifact_id != fetched.sha256:
                staged = self._link(fetched)
        event = DownloadDone(
            **self._common(),
            service=request.service,
            ontology=request.ontology,
            version=request.version,
            released=request.released,
            layout=record.layout if record else self.layout.name,
            plan_hash=request.plan_hash,
            artifact=request.source.name,
            sha256=fetched.sha256,
            size_bytes=fetched.size_bytes,
            source_url=request.source.url,
            etag=fetched.etag,
            last_modified=fetched.last_modified,
            content_type=fetched.content_type,
            status=status,
            fetched_at=datetime.now(UTC),
            staged=staged,
            replace=request.replace,
        )
        receipt = self._call("on_download_done", event)
        self.summary.sha256 = fetched.sha256
        self.summary.recorded = receipt is not None
        if receipt is None:
            _log.warning("no catalog is loaded: %s is published, and nothing is recorded", self.version_id)
            self._publish(staged, self.folder / self.layout.source / request.source.name)
        # what the catalog had already is not needed a second time
        if fetched.stage is not None:
            fetched.stage.discard()
        self.summary.status = status if receipt is None or receipt.changed else "unchanged"

    def _link(self, fetched: Fetched) -> Path:
        """Put the known artifact of another release into a stage of this one."""
        known = self.host.manager.hook.lookup_download(url=self.request.source.url)
        stage = Stage.create(self.host.root, url=self.request.source.url, etag=fetched.etag)
        path = stage.link_file(self.host.root / known.artifact.path, f"src/{self.request.source.name}")
        stage.close()
        return path

    def _publish(self, staged: Path | None, target: Path) -> None:
        if staged is not None:
            publish_without_catalog(staged, target, replace_existing=self.request.replace)

    # --- extract ------------------------------------------------------------------------------------------------------

    def _extract(self, artifact_id: str) -> tuple[pa.Table, Path]:
        """Unpack the artifact unless the record says that it was, in the same way; return files and their folder."""
        import pyarrow as pa
        import pyarrow.compute as pc

        request, record = self.request, self._record()
        layout = find_layout(record.layout) if record else self.layout
        data = self.folder / layout.data
        known = {artifact.relpath: artifact for artifact in record.artifacts} if record else {}
        artifact = known.get(request.source.name)
        as_before = artifact is not None and artifact.include == request.include
        as_before = as_before and artifact is not None and artifact.strip is not None
        if as_before and artifact is not None and request.strip in ("auto", artifact.strip) and data.is_dir():
            files = pa.table(record.files) if record else None
        else:
            files = None
        if files is None:
            self._unpack(artifact_id, layout, data)
            record = self._record()
            files = pa.table(record.files) if record else self._unrecorded
        mine = files.filter(pc.equal(files["artifact_id"], artifact_id)) if record else files
        self.summary.files = len(mine)
        self.summary.size_bytes = pc.sum(mine["size_bytes"]).as_py() or 0
        return files, data

    def _unpack(self, artifact_id: str, layout: Layout, data: Path) -> None:
        request, settings = self.request, self.host.settings
        limits = ExtractLimits(
            max_entries=int(str(settings["max_entries"])),
            max_bytes=int(str(settings["max_bytes"])),
            max_ratio=float(str(settings["max_ratio"])),
        )
        started = datetime.now(UTC)
        stage = Stage.create(self.host.root)
        try:
            with bar(f"unpack {request.source.name}", unit="files", quiet=self._quiet) as update:
                extraction = extract_artifact(
                    self.folder / layout.source / request.source.name,
                    stage,
                    name=request.source.name,
                    include=request.include,
                    strip=request.strip,
                    limits=limits,
                    progress=lambda files, _: update(files, None),
                )
            if extraction.skipped:
                _log.warning(
                    "%d files lie above the %d stripped folders and are left out", extraction.skipped, extraction.strip
                )
            event = ExtractDone(
                **self._common(),
                version_id=self.version_id,
                artifact=request.source.name,
                artifact_id=artifact_id,
                files=extraction.files,
                include=request.include,
                strip=extraction.strip,
                started_at=started,
                finished_at=datetime.now(UTC),
                staged=extraction.folder,
            )
            if self._call("on_extract_done", event) is None:
                self._publish(extraction.folder, data)
            self._unrecorded = extraction.files
        finally:
            # what is published has left it; what was refused can be unpacked again from the artifact
            stage.discard()

    # --- validate -----------------------------------------------------------------------------------------------------

    def _validate(self, files: pa.Table, folder: Path) -> None:
        import pyarrow.compute as pc

        if not self.request.validate:
            return
        settings = self.host.settings
        started = datetime.now(UTC)
        with bar("validate", unit="files", quiet=self._quiet) as update:
            results = run_validators(
                files,
                folder,
                self.validators,
                self._lookup,
                version_id=self.version_id,
                timeout=float(str(settings["validate_timeout"])),
                workers=int(str(settings["validate_workers"])),
                progress=update,
            )
        event = ValidateDone(
            **self._common(),
            version_id=self.version_id,
            results=results,
            started_at=started,
            finished_at=datetime.now(UTC),
        )
        if len(results):
            self._call("on_validate_done", event)
        failing = pc.unique(results.filter(pc.invert(results["passed"]))["relpath"])
        self.summary.failed = len(failing)
        self.summary.passed = len(pc.unique(results["relpath"])) - len(failing)

    def _lookup(self, file_ids: Any, validator: str, validator_version: str) -> Table | None:
        found: Table | None = self.host.manager.hook.lookup_validations(
            file_ids=file_ids, validator=validator, validator_version=validator_version
        )
        return found

    # --- latest -------------------------------------------------------------------------------------------------------

    def _set_latest(self) -> None:
        request, record = self.request, self._record()
        if not request.set_latest or record is None:
            return
        if record.failed and not request.accept_failures:
            _log.warning(
                "%s does not become latest: %d of its files fail validation; --accept-failures sets it all the same",
                self.version_id,
                record.failed,
            )
            return
        if record.before_latest:
            _log.warning(
                "%s comes before the latest, %s, which stays; `%s db latest set %s` sets it all the same",
                self.version_id,
                record.latest,
                self.host.name,
                self.version_id,
            )
            return
        event = SetLatest(
            **self._common(),
            version_id=self.version_id,
            updated_by=f"{self.host.name} pull",
            decided_at=datetime.now(UTC),
            accept_failures=request.accept_failures,
        )
        self._call("on_set_latest", event)
        self.summary.latest = True

    # --- the contract -------------------------------------------------------------------------------------------------

    @property
    def _quiet(self) -> bool:
        return bool(self.host.settings.get("quiet"))

    def _common(self) -> dict[str, Any]:
        return {"root": self.host.root, "run_id": self.host.run_id, "config_hash": self.host.config_hash}

    def _record(self) -> VersionRecord | None:
        found: VersionRecord | None = self.host.manager.hook.lookup_version(version_id=self.version_id)
        return found

    def _call(self, hook: str, event: Event) -> Receipt | None:
        """Call a transactional hook; what another plugin raises becomes a sentence that names it."""
        try:
            return find_receipt(getattr(self.host.manager.hook, hook)(event=event))
        except Exception as error:
            plugin = blame(self.host.manager, error)
            if not plugin:
                raise
            raise OntofetchError(
                f"The plugin {quote(plugin)} refused in {hook}: {error}",
                subject=self.version_id,
                hint=f"Nothing of this step was recorded; --no-plugin {plugin} leaves it out.",
            ) from error


def all_validators(contributed: tuple[Validator, ...]) -> tuple[Validator, ...]:
    """Return the built-in validators and those of plugins; a name that is taken is left out and reported."""
    found: dict[str, Validator] = {}
    for validator in (*builtin_validators(), *contributed):
        if found.setdefault(validator.name, validator) is not validator:
            _log.warning("a second validator called %s is left out", validator.name)
    return tuple(found.values())


__all__ = ["Pull", "Request", "Summary", "all_validators", "replace"]
