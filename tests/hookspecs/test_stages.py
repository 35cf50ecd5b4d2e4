"""Stages: folders for bytes on their way, locked, resumable, and without secrets."""

from __future__ import annotations

import errno
import io
import json
import os
import stat
from pathlib import Path

import pytest

from ontofetch_hookspecs import Stage, StageError
from ontofetch_hookspecs.publishing import publish_without_catalog
from ontofetch_hookspecs.stage_records import RECORD, is_held, read_record
from ontofetch_hookspecs.stages import StagedFile
from ontofetch_hookspecs.store_paths import StorePath, below_root
from tests.releases import sha256

URL = "https://example.org/a.owl"


def staged(root: Path, data: bytes = b"bytes", url: str = URL) -> Path:
    """Leave a complete stage behind, as a host that died after the download does, and return its folder."""
    stage = Stage.create(root, url=url, etag='"1"')
    with stage.write_file("src/a.owl") as file:
        file.write(data)
    stage.complete(file, last_modified="then")
    stage.close()
    return stage.path


def test_a_file_is_counted_and_hashed_while_it_is_written(tmp_path: Path) -> None:
    """Size and hash are those of the bytes on disk, the time is the one that was asked for, folders are made."""
    stage = Stage.create(tmp_path)
    with stage.write_file("src/deep/a.owl", mtime=1_577_934_246.0) as file:
        file.write(b"one ")
        file.write(b"")
        file.write(b"two")
    assert file.path == stage.path / "src/deep/a.owl"
    assert file.path.read_bytes() == b"one two"
    assert (file.size, file.sha256) == (7, sha256(b"one two"))
    found = file.path.stat()
    assert (found.st_mtime, stat.S_IMODE(found.st_mode) & 0o111) == (1_577_934_246.0, 0)
    stage.discard()
    assert not stage.path.exists()


def test_a_disk_that_takes_less_than_it_is_given_loses_nothing() -> None:
    """write(2) may take a part; the rest is written after it."""

    class Reluctant(io.BytesIO):
        def write(self, data: object) -> int:
            return super().write(bytes(data)[:3])  # type: ignore[call-overload, no-any-return]

    stream = Reluctant()
    file = StagedFile(Path("unused"), stream)
    file.write(b"0123456789")
    assert (stream.getvalue(), file.size, file.sha256) == (b"0123456789", 10, sha256(b"0123456789"))


@pytest.mark.parametrize("relpath", ["../a", "/a", "a//b", "", "a\nb"])
def test_nothing_is_staged_outside_of_the_stage(tmp_path: Path, relpath: str) -> None:
    """A path that leaves the stage is refused before anything is made."""
    stage = Stage.create(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(Exception, match="staged"), stage.write_file(relpath):
        pass
    with pytest.raises(Exception, match="staged"):
        stage.folder(relpath)
    assert sorted(tmp_path.rglob("*")) == before
    stage.close()


def test_a_file_is_never_written_over_or_through_a_link(tmp_path: Path) -> None:
    """What is there already stays, be it a file or a link to one."""
    stage = Stage.create(tmp_path)
    target = tmp_path / "target"
    target.write_bytes(b"keep")
    (stage.path / "link").symlink_to(target)
    with stage.write_file("a") as file:
        file.write(b"first")
    for name in ("a", "link"):
        with pytest.raises(StageError, match=name), stage.write_file(name) as again:
            again.write(b"second")
    assert (target.read_bytes(), (stage.path / "a").read_bytes()) == (b"keep", b"first")
    stage.close()


def test_a_full_disk_is_a_sentence(tmp_path: Path) -> None:
    """Running out of space names the file and says what to do."""
    stage = Stage.create(tmp_path)
    with pytest.raises(StageError, match="'a' can't be staged") as full, stage.write_file("a"):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert "Free some space" in full.value.hint
    stage.close()


def test_the_record_says_what_is_staged_and_no_secret(tmp_path: Path) -> None:
    """stage.json has the URL without credentials, what the server said, size and hash, and who prepares it."""
    path = staged(tmp_path, url="https://jo:hush@example.org/a.owl?token=hush")
    text = (path / RECORD).read_text()
    assert "hush" not in text
    found = json.loads(text)
    assert found["url"] == "https://example.org/a.owl?token=REDACTED"
    assert (found["name"], found["size"], found["sha256"]) == ("src/a.owl", 5, sha256(b"bytes"))
    assert (found["etag"], found["last_modified"], found["complete"]) == ('"1"', "then", True)
    assert found["pid"] == os.getpid()


def test_a_complete_stage_is_resumed_by_its_url(tmp_path: Path) -> None:
    """The next run takes it over, locked; another URL, or a second taker while it is held, gets none."""
    path = staged(tmp_path)
    assert Stage.resume(tmp_path, url="https://example.org/b.owl") is None
    found = Stage.resume(tmp_path, url=URL)
    assert found is not None
    assert (found.path, found.record.sha256) == (path, sha256(b"bytes"))
    assert is_held(below_root(tmp_path, path))
    assert Stage.resume(tmp_path, url=URL) is None
    found.close()
    assert not is_held(below_root(tmp_path, path))
    again = Stage.resume(tmp_path, url=URL)
    assert again is not None
    again.discard()
    assert Stage.resume(tmp_path, url=URL) is None


@pytest.mark.parametrize("fault", ["bytes", "cut", "gone", "record", "climbs", "incomplete", "extra"])
def test_a_stage_that_is_not_whole_is_not_resumed(tmp_path: Path, fault: str) -> None:
    """Bytes that changed, were cut or are gone, and a record that can't be trusted, make no artifact."""
    path = staged(tmp_path)
    record = json.loads((path / RECORD).read_text())
    if fault == "bytes":
        (path / "src/a.owl").write_bytes(b"other")
    elif fault == "cut":
        (path / "src/a.owl").write_bytes(b"byte")
    elif fault == "gone":
        (path / "src/a.owl").unlink()
    elif fault == "record":
        (path / RECORD).write_text("{")
    else:
        (tmp_path / "outside").write_bytes(b"bytes")
        changes = {"climbs": {"name": "../../../outside"}, "incomplete": {"complete": False}, "extra": {"who": 1}}
        (path / RECORD).write_text(json.dumps(record | changes[fault]))
    assert Stage.resume(tmp_path, url=URL) is None
    assert (read_record(below_root(tmp_path, path)) is None) is (fault in ("record", "climbs", "extra"))


def test_a_known_file_is_linked_where_that_can_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hard link costs no space; where there are none, the bytes are copied."""
    source = tmp_path / "known"
    source.write_bytes(b"known")
    stage = Stage.create(tmp_path)
    linked = stage.link_file(StorePath(tmp_path, "known"), "src/one")
    assert linked.stat().st_ino == source.stat().st_ino

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))

    monkeypatch.setattr(os, "link", refuse)
    copied = stage.link_file(StorePath(tmp_path, "known"), "src/two")
    assert (copied.read_bytes(), copied.stat().st_ino != source.stat().st_ino) == (b"known", True)
    stage.close()


def test_a_root_that_is_no_folder_is_a_sentence(tmp_path: Path) -> None:
    """Where no stage can be made, the sentence names the root."""
    (tmp_path / "file").write_text("")
    with pytest.raises(StageError, match="stage can't be made below"):
        Stage.create(tmp_path / "file")


def test_a_host_without_a_catalog_publishes_by_itself(tmp_path: Path) -> None:
    """A staged thing is moved to its place; what is in the way stays, unless it may be replaced."""
    for kind in ("file", "folder"):
        one, two, target = (tmp_path / kind / name for name in ("one", "two", "deep/target"))
        for path in (one, two):
            if kind == "file":
                path.parent.mkdir(exist_ok=True)
                path.write_text(path.name)
            else:
                path.mkdir(parents=True)
                (path / path.name).write_text("")
        publish_without_catalog(tmp_path, one, target)
        assert not one.exists()
        with pytest.raises(StageError, match="is there already"):
            publish_without_catalog(tmp_path, two, target)
        assert two.exists()
        publish_without_catalog(tmp_path, two, target, replace_existing=True)
        shown = target.read_text() if kind == "file" else next(target.iterdir()).name
        assert (shown, two.exists()) == ("two", False)
