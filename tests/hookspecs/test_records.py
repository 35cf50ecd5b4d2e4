"""Records: what the catalog answers is what was sent, as plain values that outlive its connection."""

from __future__ import annotations

import dataclasses

import pytest

from ontofetch_hookspecs import ArtifactRecord, DownloadRecord, VersionRecord
from ontofetch_hookspecs.testing import SAMPLE_TIME
from tests.releases import Releases, sha256

TEXTS = {"b.ttl": "two", "a.ttl": "one"}


def test_a_url_is_answered_with_its_last_record(releases: Releases) -> None:
    """Release, path and what the server said come back; credentials in the question do not matter."""
    hook = releases.manager.hook
    assert hook.lookup_download(url="https://example.org/hp.zip") is None
    for version, etag in (("1", '"one"'), ("2", '"two"')):
        releases.download(
            version, version.encode(), source_url="https://example.org/hp.zip?token=hush", etag=etag, last_modified="m"
        )
    found = hook.lookup_download(url="https://jo:pw@example.org/hp.zip?token=other")
    assert found == DownloadRecord(
        version_id="example/sample/2",
        artifact=ArtifactRecord(
            relpath="a.zip",
            path="example/sample/2/src/a.zip",
            artifact_id=sha256(b"2"),
            size_bytes=1,
            source_url="https://example.org/hp.zip?token=REDACTED",
            etag='"two"',
            last_modified="m",
            content_type=None,
        ),
    )
    assert (releases.root / found.artifact.path).read_bytes() == b"2"


def test_a_release_is_answered_with_all_that_is_known(releases: Releases) -> None:
    """Folder, artifacts and how they were unpacked, files, failures and the latest pointer come back."""
    hook = releases.manager.hook
    assert hook.lookup_version(version_id="example/sample/1") is None
    releases.download("1", b"zip", plan_hash="plan", released=SAMPLE_TIME.date())
    bare = hook.lookup_version(version_id="example/sample/1")
    assert ([artifact.strip for artifact in bare.artifacts], len(bare.files), bare.latest) == ([None], 0, None)
    releases.extract("1", b"zip", TEXTS, include=("*.ttl",), strip=2)
    releases.set_latest("1")
    found = hook.lookup_version(version_id="example/sample/1")
    assert isinstance(found, VersionRecord)
    (artifact,) = found.artifacts
    assert (artifact.include, artifact.strip) == (("*.ttl",), 2)
    assert (found.fs_relpath, found.layout, found.plan_hash) == ("example/sample/1", "native", "plan")
    assert (found.released, found.failed, found.latest, found.before_latest) == (
        SAMPLE_TIME.date(), 0, "example/sample/1", False
    )  # fmt: skip
    files = found.files.to_pylist()  # type: ignore[attr-defined]
    assert [(row["relpath"], row["file_id"]) for row in files] == [
        (name, sha256(TEXTS[name].encode())) for name in sorted(TEXTS)
    ]
    releases.pull("2", TEXTS)
    assert hook.lookup_version(version_id="example/sample/1").before_latest


def test_records_are_values() -> None:
    """A record can't be changed and must be named field by field."""
    record = DownloadRecord(version_id="a/b/1", artifact=None)  # type: ignore[arg-type]
    with pytest.raises(dataclasses.FrozenInstanceError):
        record.version_id = "x"  # type: ignore[misc]
    with pytest.raises(TypeError):
        DownloadRecord("a/b/1", None)  # type: ignore[misc]
