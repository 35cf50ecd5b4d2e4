"""The events of the four boundaries, what observers are told, and the columns of the tables inside them.

Events are frozen and checked when they are made; they know nothing of who sends or stores them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import date, datetime
from pathlib import Path

from .columns import Table
from .errors import EventError
from .event_checks import check_extra, check_flag, check_globs, check_root, check_staged, check_table
from .layout import find_layout, make_version_id, split_version_id
from .light_dataclasses import dataclass
from .names import check_relpath, check_sha256, check_size, check_text, check_time, quote
from .redaction import redact_url
from .remarks import MOST_REMARKS, Remark


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What every event carries.

    Args:
        root: Absolute path of the store.
        run_id: Names the run of the host, one line of text.
        config_hash: Hash of the host's settings in their normal form.
    """

    root: Path
    run_id: str
    config_hash: str

    def __post_init__(self) -> None:
        check_root(self.root)
        check_text("run_id", self.run_id, most=200, optional=False)
        check_text("config_hash", self.config_hash, most=200, optional=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class DownloadDone(Event):
    """One artifact of a release has arrived.

    Args:
        service, ontology, version: The release, each as `names.check_segment` wants it.
        released: The release date, if it is known.
        layout: Name of the layout below the root.
        plan_hash: Hash of what the host was asked to do; text or None.
        artifact: Path of the file below the release's source folder, usually one name.
        sha256: sha256 of its bytes.
        size_bytes: Its size in bytes.
        source_url: Where it came from; credentials in it are replaced.
        etag, last_modified, content_type: What the server said, as text, or None.
        status: `fresh` if the bytes came over the wire, `cached` if a known copy was reused.
        fetched_at: When, with a zone.
        staged: Absolute path of the staged file; None if it already lies in place.
        replace: Whether other bytes under the same name may be displaced.
        replace_incomplete: Whether they may as long as nothing of them was ever unpacked.
        files: The files that will come out of it, FILES_COLUMNS, if that is known already: none of them may meet
            another artifact's. None if it is not.
        title, licence, version_iri: What the document says of itself, as far as the host knows it; text or None.
        extra: What else the host wants to be recorded with it, as JSON takes it; at most MAX_EXTRA_BYTES of that.
    """

    service: str
    ontology: str
    version: str
    released: date | None = None
    layout: str = "native"
    plan_hash: str | None = None
    artifact: str
    sha256: str
    size_bytes: int
    source_url: str
    etag: str | None = None
    last_modified: str | None = None
    content_type: str | None = None
    status: str = "fresh"
    fetched_at: datetime
    staged: Path | None = None
    replace: bool = False
    replace_incomplete: bool = False
    files: Table | None = None
    title: str | None = None
    licence: str | None = None
    version_iri: str | None = None
    extra: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # zero-argument super() does not find the class that slots=True replaced
        Event.__post_init__(self)
        make_version_id(self.service, self.ontology, self.version)
        if self.released is not None and (not isinstance(self.released, date) or isinstance(self.released, datetime)):
            raise EventError(f"released is {quote(self.released)}, not a date.", subject="released")
        find_layout(self.layout)
        check_relpath("artifact", self.artifact)
        check_sha256("sha256", self.sha256)
        check_size("size_bytes", self.size_bytes)
        check_text("source_url", self.source_url, optional=False)
        object.__setattr__(self, "source_url", redact_url(self.source_url))
        for name in ("plan_hash", "etag", "last_modified", "content_type", "title", "licence", "version_iri"):
            check_text(name, getattr(self, name))
        if not isinstance(self.status, str) or self.status not in ("fresh", "cached"):
            raise EventError(f"status is {quote(self.status)}, neither fresh nor cached.", subject="status")
        check_time("fetched_at", self.fetched_at)
        check_staged(self.staged, self.root)
        check_flag("replace", self.replace)
        check_flag("replace_incomplete", self.replace_incomplete)
        if self.files is not None:
            check_table("files", self.files)
        check_extra(self.extra)

    @property
    def version_id(self) -> str:
        """Return `service/ontology/version`."""
        return f"{self.service}/{self.ontology}/{self.version}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtractDone(Event):
    """One artifact of a release has been unpacked.

    Args:
        version_id: The release.
        artifact: Path of the artifact below the release's source folder.
        artifact_id: sha256 of the artifact that was unpacked.
        files: One row per file, columns FILES_COLUMNS; may be empty.
        include: The globs that narrowed what was unpacked; empty for everything.
        exclude: The globs of what was taken out of that again.
        strip: How many leading folders were taken off each name.
        remarks: What was left out, and what is odd about the archive; MOST_REMARKS at most.
        portable: Whether names that meet where case and normal forms are folded are refused.
        started_at, finished_at: With a zone.
        staged: Absolute path of the folder with the files; None if they already lie in the data folder.
    """

    version_id: str
    artifact: str
    artifact_id: str
    files: Table
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    strip: int = 0
    remarks: tuple[Remark, ...] = ()
    portable: bool = False
    started_at: datetime
    finished_at: datetime
    staged: Path | None = None

    def __post_init__(self) -> None:
        Event.__post_init__(self)
        split_version_id(self.version_id)
        check_relpath("artifact", self.artifact)
        check_sha256("artifact_id", self.artifact_id)
        check_table("files", self.files)
        check_globs("include", self.include)
        check_globs("exclude", self.exclude)
        if not isinstance(self.strip, int) or isinstance(self.strip, bool) or not 0 <= self.strip <= 1000:
            raise EventError(f"strip is {quote(self.strip)}, not a number of folders.", subject="strip")
        if not isinstance(self.remarks, tuple) or not all(isinstance(remark, Remark) for remark in self.remarks):
            raise EventError("remarks is not a tuple of Remark.", subject="remarks")
        if len(self.remarks) > MOST_REMARKS:
            raise EventError(f"There are more than {MOST_REMARKS} remarks.", subject="remarks")
        check_flag("portable", self.portable)
        check_time("started_at", self.started_at)
        check_time("finished_at", self.finished_at)
        check_staged(self.staged, self.root)


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidateDone(Event):
    """Files of a release have been validated.

    Args:
        version_id: The release.
        results: One row per file and validator, columns RESULTS_COLUMNS; may be empty.
        started_at, finished_at: With a zone.
        facts: What the files say, one row per content, columns FACTS_COLUMNS; None if nobody looked.
        staged: Absolute path of the folder with the tables of terms; None if there are none.
    """

    version_id: str
    results: Table
    started_at: datetime
    finished_at: datetime
    facts: Table | None = None
    staged: Path | None = None

    def __post_init__(self) -> None:
        Event.__post_init__(self)
        split_version_id(self.version_id)
        check_table("results", self.results)
        check_time("started_at", self.started_at)
        check_time("finished_at", self.finished_at)
        if self.facts is not None:
            check_table("facts", self.facts)
        check_staged(self.staged, self.root)


@dataclass(frozen=True, slots=True, kw_only=True)
class SetLatest(Event):
    """A release becomes the latest of its series.

    Args:
        version_id: The release.
        updated_by: Who asked for it, one line of text.
        decided_at: When, with a zone.
        accept_failures: Whether a release with failing validations may become latest.
    """

    version_id: str
    updated_by: str
    decided_at: datetime
    accept_failures: bool = False

    def __post_init__(self) -> None:
        Event.__post_init__(self)
        split_version_id(self.version_id)
        check_text("updated_by", self.updated_by, most=200, optional=False)
        check_time("decided_at", self.decided_at)
        check_flag("accept_failures", self.accept_failures)


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogCommitted(Event):
    """A boundary has been committed; observers are told after the fact, at most once.

    Args:
        boundary_id: Names the boundary.
        type: Type of the event in the catalog, e.g. `download.done`, `latest.unchanged`.
        version_id: The release, or None where there is none (a migration, say).
        committed_at: When, with a zone.
        payload: What the catalog recorded with the event: rows, bytes, milliseconds, votes (plugin → milliseconds of
            its vote) …
        recovered: Whether recovery finished this boundary for a process that died.
    """

    boundary_id: str
    type: str
    version_id: str | None
    committed_at: datetime
    payload: Mapping[str, object] = field(default_factory=dict)
    recovered: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogRolledBack(Event):
    """A boundary was given up, and nothing of it is recorded; observers are told after the fact, at most once.

    Args:
        type: Type of the event in the catalog, e.g. `download.rolled_back`.
        version_id: The release, empty where it is about several.
        failed_at: When, with a zone.
        plugin: Name of the plugin whose vote it was, empty where it was none.
        error: Name of the exception's type, e.g. `Veto`.
        reason: Its message, at most 500 characters.
        subject: What it was about, for a sentence: the release, else the series, the service or the store.
    """

    type: str
    version_id: str
    failed_at: datetime
    plugin: str
    error: str
    reason: str
    subject: str = ""


def staged_path(event: DownloadDone | ExtractDone, layout: str = "native") -> Path:
    """Return where the bytes of an event are while it is voted on: the artifact, or the folder with the files.

    Staged bytes are in their stage, others in the place that the layout names; a vote that looks at them only reads.

    Args:
        event: The event.
        layout: Name of the release's layout, for files that are in place; an artifact's event names it itself.
    """
    if event.staged is not None:
        return event.staged
    download = isinstance(event, DownloadDone)
    found = find_layout(event.layout if isinstance(event, DownloadDone) else layout)
    folder = event.root / found.version_folder(*split_version_id(event.version_id))
    return folder / found.source / event.artifact if download else folder / found.data
