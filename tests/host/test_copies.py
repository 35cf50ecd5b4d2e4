"""Copies that are there already: which conditions they allow, and which of them an answer is about."""

from __future__ import annotations

from pathlib import Path

import httpx
import pyarrow as pa
import pytest

from ontofetch_catalog.host.copies import (
    Copy,
    choose,
    conditions_of,
    find_copies,
    find_lost,
    find_same,
    length_of,
)
from ontofetch_hookspecs import ArtifactRecord, DownloadRecord, Stage
from ontofetch_hookspecs.file_checks import has_bytes
from ontofetch_hookspecs.store_paths import StorePath
from tests.releases import sha256

DATE = "Tue, 02 Jan 2024 03:04:05 GMT"


def copy(name: str, etag: str | None = None, date: str | None = None, stage: Stage | None = None) -> Copy:
    """Return a copy with the bytes of its name."""
    return Copy(
        path=Path(name), sha256=sha256(name.encode()), size_bytes=len(name), etag=etag, last_modified=date, stage=stage
    )


def answer(status: int, **headers: str) -> httpx.Response:
    """Return a server's answer."""
    return httpx.Response(status, headers={name.replace("_", "-"): value for name, value in headers.items()})


def recorded(path: str, size: int, etag: str | None) -> DownloadRecord:
    """Return the record of an artifact at a path below the root."""
    artifact = ArtifactRecord(
        relpath=Path(path).name, path=path, artifact_id=sha256(b"known"), size_bytes=size, source_url="u", etag=etag,
        last_modified=None, content_type=None,
    )  # fmt: skip
    return DownloadRecord(version_id="s/o/1", artifact=artifact)


def test_a_recorded_artifact_counts_as_long_as_it_is_there(tmp_path: Path) -> None:
    """A file that is gone, cut, or became a link is no copy."""
    (tmp_path / "known").write_bytes(b"known")
    (tmp_path / "link").symlink_to(tmp_path / "known")
    (found,) = find_copies(tmp_path, None, recorded("known", 5, '"1"'))
    assert (found.path, found.etag, found.stage) == (tmp_path / "known", '"1"', None)
    assert find_copies(tmp_path, None, recorded("known", 6, '"1"')) == []
    assert find_copies(tmp_path, None, recorded("gone", 5, '"1"')) == []
    assert find_copies(tmp_path, None, recorded("link", 5, '"1"')) == []
    (odd,) = find_copies(tmp_path, None, recorded("known", 5, '"ä"'))
    assert odd.etag is None


def test_a_staged_copy_comes_first(tmp_path: Path) -> None:
    """What a run left that got no further is newer than what is recorded."""
    (tmp_path / "known").write_bytes(b"known")
    stage = Stage.create(tmp_path, url="http://example.org/a", etag='"2"')
    with stage.write_file("src/a") as file:
        file.write(b"newer")
    stage.complete(file)
    first, second = find_copies(tmp_path, stage, recorded("known", 5, '"1"'))
    assert (first.stage, first.sha256, first.path) == (stage, sha256(b"newer"), stage.path / "src/a")
    assert second.record is not None
    assert conditions_of([first, second]) == {"If-None-Match": '"2", "1"'}
    stage.close()


def test_conditions() -> None:
    """ETags go before dates, each is named once, and without either nothing is asked conditionally."""
    assert conditions_of([]) == {}
    assert conditions_of([copy("a")]) == {}
    assert conditions_of([copy("a", date=DATE)]) == {"If-Modified-Since": DATE}
    assert conditions_of([copy("a", '"1"', DATE), copy("b", 'W/"2"'), copy("c", '"1"')]) == {
        "If-None-Match": '"1", W/"2"'
    }


def test_which_copy_is_not_modified() -> None:
    """A 304 is about the copy whose ETag it names, compared weakly; without a name only if all agree."""
    one, two = copy("one", '"1"'), copy("two", 'W/"2"')
    assert choose(answer(304, etag='"2"'), [one, two]) is two
    assert choose(answer(304, etag='W/"1"'), [one, two]) is one
    assert choose(answer(304, etag='"3"'), [one, two]) is None
    assert choose(answer(304), [one, two]) is None
    assert choose(answer(304), [one]) is one
    dated = copy("dated", date=DATE)
    assert choose(answer(304), [copy("plain"), dated]) is dated
    assert choose(answer(304), [copy("plain")]) is None


@pytest.mark.parametrize(
    ("headers", "same"),
    [
        ({"etag": '"1"', "content_length": "3"}, True),
        ({"etag": '"1"', "content_length": "4"}, False),
        ({"etag": '"1"'}, False),
        ({"etag": '"2"', "content_length": "3"}, False),
        ({"content_length": "3"}, False),
        ({"content_length": "3", "last_modified": DATE}, False),
    ],
)
def test_a_body_that_need_not_be_read(headers: dict[str, str], same: bool) -> None:
    """A server that ignores conditions is believed when a strong ETag and the length are those of the copy."""
    known = copy("one", '"1"', DATE)
    assert find_same(answer(200, **headers), [copy("other", '"1x"'), known]) is (known if same else None)


def test_a_weak_etag_or_a_date_says_little(tmp_path: Path) -> None:
    """A weak ETag never spares the body; a date does for the stage of an unfinished run alone."""
    assert find_same(answer(200, etag='W/"1"', content_length="3"), [copy("one", 'W/"1"')]) is None
    stage = Stage.create(tmp_path)
    staged = copy("one", date=DATE, stage=stage)
    assert find_same(answer(200, last_modified=DATE, content_length="3"), [staged]) is staged
    assert find_same(answer(200, last_modified=DATE, content_length="3", etag='"1"'), [staged]) is None
    stage.close()


@pytest.mark.parametrize(
    ("text", "length"), [("0", 0), ("12", 12), ("", None), ("-1", None), ("1e3", None), ("٣", None)]
)
def test_the_announced_length(text: str, length: int | None) -> None:
    """Only plain digits announce a length."""
    assert length_of(httpx.Response(200, headers=[(b"content-length", text.encode())])) == length


def test_lost_files_are_found(tmp_path: Path) -> None:
    """The first one that is gone, cut, or became a link is named; a copy with other bytes is not intact."""
    (tmp_path / "d").mkdir()
    for name in ("a", "d/b"):
        (tmp_path / name).write_bytes(b"12")
    files = pa.table({"relpath": ["a", "d/b"], "size_bytes": [2, 2]})
    assert find_lost(files, StorePath(tmp_path, "")) is None
    (tmp_path / "a").unlink()
    (tmp_path / "a").symlink_to(tmp_path / "d/b")
    assert find_lost(files, StorePath(tmp_path, "")) == StorePath(tmp_path, "a")
    assert find_lost(files.slice(1), StorePath(tmp_path, "")) is None
    (tmp_path / "d/b").write_bytes(b"1")
    assert find_lost(files.slice(1), StorePath(tmp_path, "")) == StorePath(tmp_path, "d/b")

    held = Copy(path=tmp_path / "copy", sha256=sha256(b"right"), size_bytes=5)
    assert not has_bytes(StorePath(tmp_path, "copy"), held.size_bytes, held.sha256)
    held.path.write_bytes(b"wrong")
    assert not has_bytes(StorePath(tmp_path, "copy"), held.size_bytes, held.sha256)
    held.path.write_bytes(b"right")
    assert has_bytes(StorePath(tmp_path, "copy"), held.size_bytes, held.sha256)
