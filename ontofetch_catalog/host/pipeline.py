"""The pull of one artifact: fetch, unpack, validate, set latest, and after each step the hook that records it.

It knows the contract and not who answers: without a catalog it publishes by itself and says that nothing is recorded.
"""

from __future__ import annotations

import getpass
import logging
from contextlib import ExitStack, suppress
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from ontofetch_hookspecs import (
    ArtifactRecord,
    DownloadDone,
    DownloadRecord,
    ExtractDone,
    HostInfo,
    SetLatest,
    Stage,
    ValidateDone,
    Validator,
    VersionRecord,
    Veto,
)
from ontofetch_hookspecs.layout import find_layout
from ontofetch_hookspecs.names import quote
from ontofetch_hookspecs.store_paths import StorePath, below_root, make_root

from ..children.limits import Allowance
from ..errors import ExtractError, OntofetchError, PreconditionFailed
from ..rendering.progress import bar
from .allowances import allowance_of, limits_of
from .checks import builtin_validators
from .contract import Contract, now
from .copies import Copy, find_lost, name_of_copy
from .extract import Extraction, ExtractLimits, Unpacker, extract_artifact
from .facts_room import FactsRoom
from .fetch import STAGED, fetch
from .manager import Plugins
from .outcomes import doubt_about, told_of
from .publish import publish_artifact, publish_files
from .request import Request, Summary
from .validators import run_validators
from .versions import find_statement, is_other, version_by_date

_log = logging.getLogger("ontofetch.pull")


class Pull:
    """One pull; `run` carries it out, once."""

    def __init__(self, host: HostInfo, plugins: Plugins, request: Request) -> None:
        self._host = host
        self._plugins = plugins
        self._contract = Contract(host, plugins)
        self._request = request
        self._name = request.source.label  # until what was fetched says how it is called
        self._length_known = True
        self._content_type: str | None = None
        self._record: VersionRecord | None = None
        self._known: DownloadRecord | None = None
        self._summary = Summary(version_id="", artifact=self._name)
        self._early: tuple[Stage, Extraction] | None = None  # what was unpacked before the download is recorded
        self.was_recorded = False  # whether the release was recorded, and nothing of it lacked, before this pull
        self._recorded = True  # until nobody hands out a receipt
        if request.version is not None:
            self._find_release(request.version)

    def _find_release(self, version: str) -> None:
        """Find what is recorded of the release, and where it lies; all else about it follows from its version."""
        request, host = self._request, self._host
        self._version = version
        self._version_id = request.version_id(version)
        self._summary = Summary(version_id=self._version_id, artifact=self._name)
        self._record, self._known = self._contract.find_release(self._version_id, request.recorded_url)
        self.was_recorded = self._record is not None and all(one.strip is not None for one in self._record.artifacts)
        self._layout = find_layout(self._record.layout if self._record else str(host.settings["layout"]))
        folder = self._layout.version_folder(request.service, request.ontology, version)
        self._folder = host.root / (self._record.fs_relpath if self._record else folder)

    def run(self) -> Summary:
        """Fetch, unpack, validate, set latest; each step is recorded before the next one begins.

        Raises:
            OntofetchError: A step failed or was refused; what was recorded before it stays.
        """
        return self.finish(self.fetch())

    def fetch(self) -> Copy:
        """Fetch the artifact and nothing else; may run beside other pulls, in a thread of its own.

        Raises:
            OntofetchError: It can't be fetched; nothing is staged then.
        """
        return self._fetch()

    def finish(self, copy: Copy) -> Summary:
        """Do what comes after the fetch, with the copy that came of it."""
        self._note_copy(copy)
        # a process is ready to unpack by the time that the download is recorded
        with ExitStack() as stack:
            unpacker = stack.enter_context(Unpacker(self._allowance)) if copy.record is None else None
            stack.callback(self._forget_early)
            unpacker = self._prepare(copy, unpacker)
            self._download(copy)
            files = self._unpack(unpacker)
        self._summary.files = len(files)
        self._summary.bytes = pc.sum(files["size_bytes"]).as_py() or 0
        if self._request.validate:
            self._validate(files)
        elif self._record is not None:
            self._summary.failed = self._record.failed
        self._set_latest(doubt_about(files, self._summary))
        return self._summary

    # --- what must be known before anything is recorded ---------------------------------------------------------------

    def _prepare(self, copy: Copy, unpacker: Unpacker | None) -> Unpacker | None:
        """Learn the version where it was not given, and unpack early where that decides; return an unused unpacker.

        On a refusal nothing is recorded, and the bytes stay staged.
        """
        try:
            if self._request.version is None:
                self._learn_version(copy, unpacker)
            elif self._joins_others(copy):
                self._unpack_early(copy, unpacker)
        except BaseException:
            if copy.stage is not None:
                copy.stage.close()
            raise
        return unpacker if self._early is None else None

    def _learn_version(self, copy: Copy, unpacker: Unpacker | None) -> None:
        """Take the version of the same bytes from the same place, else what the document states, else a date."""
        request = self._request
        last = self._contract.find_download(request.recorded_url)
        known = last.version_id.split("/") if last and last.artifact.artifact_id == copy.sha256 else []
        if known[:2] == [request.service, request.ontology]:
            self._find_release(known[2])
            self._note_copy(copy)
            _log.info("%s is recorded as %s already", quote(self._name), self._version_id)
            return
        if request.name_version is not None:
            self._find_release(request.name_version(copy))
            self._note_copy(copy)
            return
        extraction = self._unpack_early(copy, unpacker)
        found = find_statement(extraction.files, below_root(self._host.root, extraction.folder), request.ontology)
        if found is not None:
            version, origin = found.stated.version, f"{found.stated.where} of {quote(found.relpath)}"
        else:
            version, origin = version_by_date(copy.last_modified, now())
        self._find_release(version)
        self._note_copy(copy)
        _log.info("the version is %s, from %s; --version gives it another one", version, origin)

    def _joins_others(self, copy: Copy) -> bool:
        """Return whether the artifact is another one beside those of a recorded release."""
        artifacts = self._record.artifacts if self._record else ()
        same = any((found.relpath, found.artifact_id) == (self._name, copy.sha256) for found in artifacts)
        return not same and any(found.relpath != self._name for found in artifacts)

    def _unpack_early(self, copy: Copy, unpacker: Unpacker | None) -> Extraction:
        stage = Stage.create(self._host.root)
        try:
            source = below_root(self._host.root, copy.path)
            extraction = self._extract(stage, unpacker or Unpacker(self._allowance), source)
        except BaseException:
            stage.discard()
            raise
        self._early = (stage, extraction)
        return extraction

    def _forget_early(self) -> None:
        if self._early is not None:
            self._early[0].discard()

    # --- download -----------------------------------------------------------------------------------------------------

    def _fetch(self) -> Copy:
        request, settings = self._request, self._host.settings
        # where that is refused, the stage that comes next says it
        with suppress(OSError):
            make_root(self._host.root, int(str(settings["store_mode"]), 8))
        known = self._known if request.version is not None else self._contract.find_download(request.recorded_url)
        options = request.http_options(settings)
        with bar(f"fetch {self._name}", unit="bytes") as update:
            return fetch(
                self._host.root,
                request.source,
                known=known,
                options=options,
                sha256=request.sha256,
                checksum=request.checksum,
                expected_by=request.expected_by,
                accept_any=request.accept_any,
                progress=update,
            )

    def _note_copy(self, copy: Copy) -> None:
        """Note what only the fetch could tell: how the artifact is called, and whether all of it has come."""
        self._name = name_of_copy(copy, self._request.source, self._record)
        self._summary.artifact = self._name
        self._length_known = copy.length_known
        self._content_type = copy.content_type

    def _download(self, copy: Copy) -> None:
        """Record the artifact; on a refusal its bytes stay staged, and the next run goes on with them."""
        request = self._request
        in_place = self._folder / self._layout.source / self._name
        stage, staged = copy.stage, copy.path if copy.stage else None
        if copy.record is not None and copy.path != in_place:
            stage = Stage.create(self._host.root, url=request.source.url, etag=copy.etag)
            staged = stage.link_file(below_root(self._host.root, copy.path), f"{STAGED}/{self._name}")
        event = self._contract.make(
            DownloadDone,
            service=request.service,
            ontology=request.ontology,
            version=self._version,
            released=request.released,
            layout=self._layout.name,
            plan_hash=request.plan_hash,
            artifact=self._name,
            sha256=copy.sha256,
            size_bytes=copy.size_bytes,
            source_url=request.recorded_url,
            etag=copy.etag,
            last_modified=copy.last_modified,
            content_type=copy.content_type,
            status="fresh" if copy.record is None else "cached",
            fetched_at=now(),
            staged=staged,
            replace=request.replace or self._is_incomplete(),
            files=None if self._early is None else self._early[1].files,
        )
        try:
            changed = self._carry_out_download(event, in_place)
        except BaseException:
            if stage is not None:
                stage.close()
            raise
        if stage is not None:
            stage.discard()
        self._summary.sha256 = copy.sha256
        self._summary.status = event.status if changed else "unchanged"
        if changed:
            self._record = self._contract.find_version(self._version_id)

    def _is_incomplete(self) -> bool:
        """Return whether the artifact is recorded and nothing of it was published: then other bytes take its place."""
        artifacts = self._record.artifacts if self._record else ()
        return any(found.relpath == self._name and found.strip is None for found in artifacts)

    def _carry_out_download(self, event: DownloadDone, target: Path) -> bool:
        receipt = self._contract.download_done(event)
        if receipt is not None:
            return receipt.changed
        self._recorded = False
        _log.warning("no catalog is loaded: %s is published, but nothing is recorded", self._version_id)
        return event.staged is not None and publish_artifact(
            self._host.root, event.staged, target, replace=event.replace
        )

    # --- extract ------------------------------------------------------------------------------------------------------

    def _unpack(self, unpacker: Unpacker | None) -> pa.Table:
        """Unpack the artifact, unless the record says that it was unpacked in the same way; return all files."""
        if self._is_unpacked() and self._record is not None:
            return pa.table(self._record.files)
        started = now()
        stage, extraction = self._early or (Stage.create(self._host.root), None)
        self._early = None
        handed = False
        try:
            if extraction is None:
                place = below_root(self._host.root, self._folder / self._layout.source / self._name)
                extraction = self._extract(stage, unpacker or Unpacker(self._allowance), place)
            self._compare_version(extraction)
            event = self._contract.make(
                ExtractDone,
                version_id=self._version_id,
                artifact=self._name,
                artifact_id=self._summary.sha256,
                files=extraction.files,
                include=self._request.include,
                exclude=self._request.exclude,
                strip=extraction.strip,
                remarks=extraction.remarks,
                portable=self._request.portable,
                started_at=started,
                finished_at=now(),
                staged=extraction.folder,
            )
            handed = True
            self._carry_out_extract(event)
        except (ExtractError, PreconditionFailed, Veto) as error:
            # refused before anything moved; what was unpacked can be unpacked again
            stage.discard()
            raise self._left_incomplete(error) from error
        except BaseException:
            if handed:
                # an open boundary may need what is in the stage
                stage.close()
            else:
                stage.discard()
            raise
        stage.discard()
        self._record = self._contract.find_version(self._version_id)
        if self._record is None or len(self._record.artifacts) == 1:
            # what was just unpacked is all there is
            return extraction.files
        return pa.table(self._record.files)

    def _left_incomplete(self, error: OntofetchError) -> OntofetchError:
        """Return the error with what to type next: the download is recorded, and nothing came out of it."""
        if not self._is_incomplete():
            return error
        hint = (
            f"{self._version_id} is recorded as incomplete: pull a corrected {quote(self._name)} under the same"
            " version, leave out what is refused with --exclude, or take the release away with"
            f" `{self._host.name} db prune --version {self._version_id}`."
        )
        return type(error)(error.message, subject=error.subject, hint=f"{error.hint} {hint}".strip())

    def _compare_version(self, extraction: Extraction) -> None:
        """Warn where the document states another version than was asked for."""
        if self._request.version is None:
            return
        folder = below_root(self._host.root, extraction.folder)
        found = find_statement(extraction.files, folder, self._request.ontology)
        if found is not None and is_other(found.stated.version, self._version):
            _log.warning(
                "%s states the version %s (%s), but is recorded as %s, as --version says",
                quote(found.relpath),
                found.stated.version,
                found.stated.where,
                self._version,
            )

    def _is_unpacked(self) -> bool:
        request, record = self._request, self._record
        for artifact in record.artifacts if record else ():
            if artifact.strip is None or (artifact.relpath, artifact.artifact_id) != (self._name, self._summary.sha256):
                continue
            as_asked = artifact.strip == request.strip
            # what `auto` came to is recorded; that it was `auto`, only the plan knows
            as_planned = request.strip == "auto" and record is not None and record.plan_hash == request.plan_hash
            same = (artifact.include, artifact.exclude) == (request.include, request.exclude)
            return same and (as_asked or as_planned) and self._is_in_place(artifact)
        return False

    def _is_in_place(self, artifact: ArtifactRecord) -> bool:
        """Return whether every file of an artifact is there with its size; a person may have tidied up."""
        if self._record is None:
            return False
        files = pa.table(self._record.files)
        lost = find_lost(
            files.filter(pc.equal(files["artifact_id"], artifact.artifact_id)), below_root(self._host.root, self._data)
        )
        if lost is not None:
            _log.warning("%s is gone or cut: %s is unpacked anew", quote(lost), quote(artifact.relpath))
        return lost is None

    def _extract(self, stage: Stage, unpacker: Unpacker, source: StorePath) -> Extraction:
        request = self._request
        with bar(f"unpack {self._name}") as update:
            extraction = extract_artifact(
                source,
                stage,
                name=self._name,
                content_type=self._content_type,
                include=request.include,
                exclude=request.exclude,
                strip=request.strip,
                portable=request.portable,
                limits=self._limits,
                unpacker=unpacker,
                progress=update,
            )
        if (request.include or request.exclude) and not len(extraction.files):
            raise self._nothing_left()
        for remark in extraction.remarks:
            level = logging.INFO if remark.kind == "left_out" else logging.WARNING
            _log.log(level, "%s: %s", quote(self._name), remark)
        if extraction.skipped:
            _log.warning("--strip %s leaves %d files out: they lie above it", extraction.strip, extraction.skipped)
        return extraction

    def _nothing_left(self) -> ExtractError:
        include, exclude = (" or ".join(map(quote, globs)) for globs in (self._request.include, self._request.exclude))
        asked = [f"matches --include {include}"] if include else []
        asked += [f"is left by --exclude {exclude}"] if exclude else []
        return ExtractError(
            f"Nothing in {quote(self._name)} {' and '.join(asked)}.",
            subject=self._name,
            hint="A glob is compared with the whole name in the archive; * crosses /.",
        )

    def _carry_out_extract(self, event: ExtractDone) -> None:
        self._contract.extract_done(event)
        if not self._recorded and event.staged is not None:
            root = self._host.root
            alone = len(below_root(root, self._folder / self._layout.source).names()) == 1
            publish_files(root, event.staged, self._data, replace=self._request.replace, alone=alone)

    # --- validate -----------------------------------------------------------------------------------------------------

    def _validate(self, files: pa.Table) -> None:
        with ExitStack() as stack:
            room = stack.enter_context(self._facts_room()) if self._wants_facts() else None
            results = self._run_validators(files, room)
        self._summary.count(results)
        for line in told_of(results):
            _log.warning("%s", line)
        if not self._length_known and self._fails(files, results.filter(pc.equal(results["passed"], False))):
            _log.warning(
                "%s may have ended early: the server gave no length; the document may be cut", quote(self._name)
            )

    def _wants_facts(self) -> bool:
        return self._request.facts and self._host.settings.get("facts", "on") == "on"

    def _facts_room(self) -> FactsRoom:
        return FactsRoom(self._host.root, self._contract.find_facts, _as_int(self._host.settings["facts_max_bytes"]))

    def _run_validators(self, files: pa.Table, room: FactsRoom | None) -> pa.Table:
        """Validate the files and record the results, and what they say as far as there is room for it."""
        settings, started = self._host.settings, now()
        with bar("validate") as update:
            results = run_validators(
                files,
                below_root(self._host.root, self._data),
                self._plugins.contributions("register_validators", Validator, builtin_validators()),
                self._contract.find_results,
                version_id=self._version_id,
                timeout=_as_float(settings["validate_timeout"]),
                workers=_as_int(settings["validate_workers"]),
                allowance=self._allowance,
                limits=self._limits,
                facts=room,
                progress=update,
            )
        event = self._contract.make(
            ValidateDone,
            version_id=self._version_id,
            results=results,
            started_at=started,
            finished_at=now(),
            facts=None if room is None else room.found,
            staged=None if room is None else room.staged,
        )
        self._contract.validate_done(event)
        return results

    def _fails(self, files: pa.Table, failures: pa.Table) -> bool:
        """Return whether one of the files that fail came out of this artifact."""
        if "artifact_id" in files.column_names:
            files = files.filter(pc.equal(files["artifact_id"], self._summary.sha256))
        return bool(pc.any(pc.is_in(failures["relpath"], value_set=files["relpath"].combine_chunks())).as_py())

    # --- latest -------------------------------------------------------------------------------------------------------

    def _set_latest(self, doubt: str | None) -> None:
        """Set the release latest, unless files fail, another one comes after it, or there is `doubt` about it."""
        request, record = self._request, self._record
        if record is None:
            return
        self._summary.latest = record.latest == self._version_id
        decided = self.was_recorded and request.keep_decision and not record.undecided
        if not request.set_latest or decided:
            return
        if self._summary.failed and not request.accept_failures:
            _log.warning(
                "%s does not become latest: %d of its files fail validation; --accept-failures sets it all the same",
                self._version_id,
                self._summary.failed,
            )
        elif doubt is not None and not request.accept_failures and not self._summary.latest:
            _log.warning(
                "%s does not become latest: %s; `%s db latest set %s` sets it all the same, as --accept-failures would",
                self._version_id,
                doubt,
                self._host.name,
                self._version_id,
            )
        elif record.before_latest:
            _log.warning(
                "%s stays latest: %s comes before it in the order of the series; `%s db latest set %s` sets it all the "
                "same, and --released DATE, given for each of its releases, orders them by date",
                record.latest,
                self._version_id,
                self._host.name,
                self._version_id,
            )
        else:
            event = self._contract.make(
                SetLatest,
                version_id=self._version_id,
                updated_by=_user(),
                decided_at=now(),
                accept_failures=request.accept_failures,
            )
            self._contract.set_latest(event)
            self._summary.latest = True

    @property
    def _allowance(self) -> Allowance:
        return allowance_of(self._host.settings)

    @property
    def _limits(self) -> ExtractLimits:
        return limits_of(self._host.settings)

    @property
    def _data(self) -> Path:
        return self._folder / self._layout.data


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        # a container may run under a number without a name
        return "unknown"


def _as_int(value: object) -> int:
    return int(str(value))


def _as_float(value: object) -> float:
    return float(str(value))
