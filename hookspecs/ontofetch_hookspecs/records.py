"""The answers to the three questions a host may ask the catalog.

Plain values, and tables that can be read as often as one likes: whoever answers keeps no database open.
"""

from __future__ import annotations

from datetime import date

from .columns import Table
from .light_dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtifactRecord:
    """One recorded artifact.

    Args:
        relpath: Path below the release's source folder.
        path: Path below the root.
        artifact_id: sha256 of its bytes.
        size_bytes: Its size in bytes.
        source_url: Where it came from, without credentials.
        etag, last_modified, content_type: What the server said, or None.
        include, exclude, strip: How it was unpacked; strip is None as long as it was not.
    """

    relpath: str
    path: str
    artifact_id: str
    size_bytes: int
    source_url: str
    etag: str | None
    last_modified: str | None
    content_type: str | None
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    strip: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DownloadRecord:
    """The last record of a URL: the release and its artifact."""

    version_id: str
    artifact: ArtifactRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionRecord:
    """One recorded release.

    Args:
        version_id: `service/ontology/version`.
        fs_relpath: Its folder below the root.
        layout: Name of its layout.
        released: Its release date, or None.
        plan_hash: What the host recorded with it.
        artifacts: Its artifacts, sorted by path.
        files: Its extracted files: relpath, file_id, format, size_bytes, mtime, artifact_id; sorted by path. Read when
            they are first asked for, and kept.
        failed: Number of files with a failing validation.
        latest: version_id the series' latest pointer names, or None.
        before_latest: Whether it comes before `latest` in the order of the series.
        undecided: Whether nobody has set the series' latest since this release was first recorded.
    """

    version_id: str
    fs_relpath: str
    layout: str
    released: date | None
    plan_hash: str | None
    artifacts: tuple[ArtifactRecord, ...]
    files: Table
    failed: int
    latest: str | None
    before_latest: bool
    undecided: bool = False
