"""Fetching: bytes arrive whole and hashed, or not at all; what is there already is not fetched again."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ontofetch_catalog.errors import FetchError
from ontofetch_catalog.host.copies import Copy
from ontofetch_catalog.host.demands import MARGIN
from ontofetch_catalog.host.fetch import fetch
from ontofetch_catalog.host.http_options import HttpOptions
from ontofetch_catalog.host.sources import parse_source
from ontofetch_hookspecs import ArtifactRecord, DownloadRecord
from ontofetch_hookspecs.stage_records import is_held, read_record
from ontofetch_hookspecs.store_paths import below_root
from tests.releases import sha256
from tests.sites import Answer, Seen, Site, validated

BODY = bytes(range(256)) * 8192  # 2 MiB: more than one chunk
DATE = "Tue, 02 Jan 2024 03:04:05 GMT"


@pytest.fixture
def take(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Copy]:
    """Return a function that fetches into a store of its own; pauses between tries pass at once."""
    monkeypatch.setattr(time, "sleep", lambda _: None)

    def fetch_it(source: str, **changes: Any) -> Copy:
        options = HttpOptions(timeout=5.0, retries=2)
        arguments = {"known": None, "options": options, "progress": lambda *_: None} | changes
        return fetch(tmp_path / "store", parse_source(source), **arguments)

    return fetch_it


def stages(tmp_path: Path) -> list[Path]:
    """Return the stages of the store."""
    folder = tmp_path / "store/.catalog/staging"
    return sorted(folder.iterdir()) if folder.is_dir() else []


def known(tmp_path: Path, data: bytes, *, url: str, etag: str | None = None) -> DownloadRecord:
    """Put a recorded artifact in place."""
    path = tmp_path / "store/s/o/1/src/a.owl"
    path.parent.mkdir(parents=True)
    path.write_bytes(data)
    return DownloadRecord(
        version_id="s/o/1",
        artifact=ArtifactRecord(
            relpath="a.owl", path="s/o/1/src/a.owl", artifact_id=sha256(data), size_bytes=len(data), source_url=url,
            etag=etag, last_modified=None, content_type=None,
        ),
    )  # fmt: skip


# --- servers ----------------------------------------------------------------------------------------------------------


def test_bytes_are_staged_and_hashed_while_they_arrive(site: Site, tmp_path: Path, take: Callable[..., Copy]) -> None:
    """Size, hash and what the server said are those of the bytes in the stage; progress tells how many of how many."""
    site.answers["/a.owl"] = Answer(
        BODY, headers={"ETag": '"1"', "Last-Modified": DATE, "Content-Type": "application/rdf+xml"}
    )
    told = []
    copy = take(site.url("/a.owl"), progress=lambda done, total: told.append((done, total)))
    assert (copy.sha256, copy.size_bytes, copy.path.read_bytes()) == (sha256(BODY), len(BODY), BODY)
    assert (copy.etag, copy.last_modified, copy.content_type) == ('"1"', DATE, "application/rdf+xml")
    assert told[-1] == (len(BODY), len(BODY))
    assert len(told) > 1
    (stage,) = stages(tmp_path)
    record = read_record(below_root(tmp_path, stage))
    assert record is not None
    assert (record.complete, record.sha256, record.size, record.etag) == (True, sha256(BODY), len(BODY), '"1"')
    assert copy.stage is not None
    assert is_held(below_root(tmp_path, stage))
    copy.stage.close()


def test_a_body_without_a_length_is_taken_to_its_end(site: Site, take: Callable[..., Copy]) -> None:
    """A server that closes the connection at the end of the file has sent the file."""
    site.answers["/a.owl"] = Answer(BODY, length=None)
    assert take(site.url("/a.owl")).sha256 == sha256(BODY)


def test_a_body_that_breaks_off_is_fetched_again(site: Site, tmp_path: Path, take: Callable[..., Copy]) -> None:
    """Half a file is thrown away and asked for again; nothing of it stays."""
    site.answers["/a.owl"] = lambda _, number: Answer(BODY, cut=len(BODY) // 2 if number < 3 else None)
    copy = take(site.url("/a.owl"))
    assert (copy.sha256, len(site.seen)) == (sha256(BODY), 3)
    assert [copy.stage.path] == stages(tmp_path)  # type: ignore[union-attr]


def in_parts(body: bytes, seen: Seen, *, cut: int | None, tag: str = '"1"', **changes: str) -> Answer:
    """Answer as a server does that sends what is left of a file; `cut` counts from the beginning of the file."""
    headers = {"ETag": tag, "Accept-Ranges": "bytes"} | {name.replace("_", "-"): text for name, text in changes.items()}
    wanted = seen.headers.get("range")
    if wanted is None or seen.headers.get("if-range") != tag:
        return Answer(body, headers=headers, cut=cut)
    start = int(wanted.removeprefix("bytes=").removesuffix("-"))
    headers = {"Content-Range": f"bytes {start}-{len(body) - 1}/{len(body)}"} | headers
    return Answer(body[start:], 206, headers, cut=None if cut is None else cut - start)


def test_a_body_that_breaks_off_is_gone_on_with(site: Site, tmp_path: Path, take: Callable[..., Copy]) -> None:
    """Where the server knows the bytes again, what is left is asked for, as often as it breaks off."""
    cuts = [(3 << 19) + 1, 7 << 18, None]
    site.answers["/a.owl"] = lambda seen, number: in_parts(BODY, seen, cut=cuts[number - 1])
    told = []
    copy = take(site.url("/a.owl"), progress=lambda done, total: told.append((done, total)))
    assert (copy.sha256, copy.size_bytes) == (sha256(BODY), len(BODY))
    assert [seen.headers.get("range") for seen in site.seen] == [None, "bytes=1572864-", "bytes=1835008-"]
    assert [seen.headers.get("if-range") for seen in site.seen] == [None, '"1"', '"1"']
    assert (told == sorted(told), told[-1]) == (True, (len(BODY), len(BODY)))
    assert [copy.stage.path] == stages(tmp_path)  # type: ignore[union-attr]


def test_the_rest_is_asked_for_although_the_server_was_away(site: Site, take: Callable[..., Copy]) -> None:
    """A server that has too much to do in between costs a try, and nothing of what has come."""

    def answer(seen: Seen, number: int) -> Answer:
        return Answer(b"", 503) if number == 2 else in_parts(BODY, seen, cut=3 << 19 if number == 1 else None)

    site.answers["/a.owl"] = answer
    assert take(site.url("/a.owl")).sha256 == sha256(BODY)
    assert [seen.headers.get("range") for seen in site.seen] == [None, "bytes=1572864-", "bytes=1572864-"]


@pytest.mark.parametrize(
    "changes",
    [{"tag": 'W/"1"'}, {"Accept_Ranges": "none"}, {"tag": "1"}],
    ids=["weak tag", "no parts", "no tag of HTTP"],
)
def test_what_can_not_be_known_again_comes_as_a_whole(
    site: Site, take: Callable[..., Copy], changes: dict[str, str]
) -> None:
    """Of a server that may have other bytes by now, no part is asked for."""
    site.answers["/a.owl"] = lambda seen, number: in_parts(BODY, seen, cut=3 << 19 if number == 1 else None, **changes)
    assert take(site.url("/a.owl")).sha256 == sha256(BODY)
    assert [seen.headers.get("range") for seen in site.seen] == [None, None]


def test_bytes_that_changed_meanwhile_come_as_a_whole(site: Site, take: Callable[..., Copy]) -> None:
    """What was published between two tries is never put behind what has come of the former."""
    other = BODY[::-1]
    site.answers["/a.owl"] = lambda seen, number: (
        in_parts(BODY, seen, cut=3 << 19) if number == 1 else in_parts(other, seen, cut=None, tag='"2"')
    )
    assert take(site.url("/a.owl")).sha256 == sha256(other)
    assert [seen.headers.get("range") for seen in site.seen] == [None, "bytes=1572864-", None]


@pytest.mark.parametrize(
    "changes",
    [
        {"Content_Range": f"bytes 0-{len(BODY) - 1}/{len(BODY)}"},
        {"Content_Range": f"bytes 1572864-{len(BODY)}/{len(BODY) + 1}"},
        {"Content_Range": "bytes 1572864-"},
        {"Content_Encoding": "gzip"},
    ],
    ids=["another part", "another length", "no range", "another coding"],
)
def test_another_part_than_the_rest_is_left(site: Site, take: Callable[..., Copy], changes: dict[str, str]) -> None:
    """An answer that says it is another part is none: all comes again."""
    steps: list[dict[str, str]] = [{}, changes, {}]
    site.answers["/a.owl"] = lambda seen, number: in_parts(
        BODY, seen, cut=3 << 19 if number == 1 else None, **steps[number - 1]
    )
    assert take(site.url("/a.owl")).sha256 == sha256(BODY)
    assert [seen.headers.get("range") for seen in site.seen] == [None, "bytes=1572864-", None]


def test_a_body_that_keeps_breaking_off_leaves_nothing(site: Site, tmp_path: Path, take: Callable[..., Copy]) -> None:
    """After the last try there is a sentence and no stage."""
    site.answers["/a.owl"] = Answer(BODY, cut=100)
    with pytest.raises(FetchError, match="can't be fetched"):
        take(site.url("/a.owl"))
    assert (len(site.seen), stages(tmp_path)) == (3, [])


def test_another_sha256_is_refused(site: Site, tmp_path: Path, take: Callable[..., Copy]) -> None:
    """What --sha256 names must come: other bytes leave nothing behind, the right ones pass."""
    site.answers["/a.owl"] = Answer(BODY)
    with pytest.raises(FetchError, match=sha256(b"wanted")):
        take(site.url("/a.owl"), sha256=sha256(b"wanted"))
    assert stages(tmp_path) == []
    assert take(site.url("/a.owl"), sha256=sha256(BODY)).sha256 == sha256(BODY)


def test_a_copy_with_the_wanted_sha256_needs_no_server(site: Site, tmp_path: Path, take: Callable[..., Copy]) -> None:
    """A recorded artifact that has the sha256 is used without a request."""
    record = known(tmp_path, b"known", url=site.url("/a.owl"))
    copy = take(site.url("/a.owl"), known=record, sha256=sha256(b"known"))
    assert (copy.record, copy.stage, site.seen) == (record, None, [])


@pytest.mark.parametrize("announced", [True, False])
def test_the_free_space_is_looked_at_first(
    site: Site, tmp_path: Path, take: Callable[..., Copy], monkeypatch: pytest.MonkeyPatch, announced: bool
) -> None:
    """What would not fit beside the margin is refused before a byte is written, below a root that may not exist yet."""
    site.answers["/a.owl"] = Answer(BODY, length=-1 if announced else None)
    free = MARGIN + len(BODY) - 1 if announced else MARGIN - 1
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(free * 9, free * 8, free))  # type: ignore[attr-defined]
    with pytest.raises(FetchError, match=f"only {free:,} are free") as refused:
        take(site.url("/a.owl"))
    assert "--root" in refused.value.hint
    assert not (tmp_path / "store").exists()


# --- what is there already --------------------------------------------------------------------------------------------


def left_behind(site: Site, take: Callable[..., Copy]) -> Path:
    """Fetch, let go of the stage as a process that dies does, forget the requests, and return the stage."""
    stage = take(site.url("/a.owl")).stage
    assert stage is not None
    stage.close()
    site.seen.clear()
    return stage.path


def test_a_complete_stage_is_resumed_when_the_server_says_not_modified(site: Site, take: Callable[..., Copy]) -> None:
    """After a crash the bytes are not sent again: the request names their ETag and the 304 speaks for them."""
    site.answers["/a.owl"] = validated(BODY, ETag='"1"')
    path = left_behind(site, take)
    copy = take(site.url("/a.owl"))
    assert copy.stage is not None
    assert (copy.stage.path, copy.sha256) == (path, sha256(BODY))
    assert [seen.headers["if-none-match"] for seen in site.seen] == ['"1"']


def test_a_server_that_knows_no_conditions_need_not_send_again(site: Site, take: Callable[..., Copy]) -> None:
    """With the same strong ETag and length the body is left unread and the stage is taken."""
    site.answers["/a.owl"] = Answer(BODY, headers={"ETag": '"1"'})
    path = left_behind(site, take)
    copy = take(site.url("/a.owl"))
    assert copy.stage is not None
    assert copy.stage.path == path


def test_a_stage_that_the_server_has_outdated_goes(site: Site, tmp_path: Path, take: Callable[..., Copy]) -> None:
    """Where other bytes come, they are staged and the old stage is removed."""
    site.answers["/a.owl"] = validated(BODY, ETag='"1"')
    left_behind(site, take)
    site.answers["/a.owl"] = validated(b"newer", ETag='"2"')
    copy = take(site.url("/a.owl"))
    assert copy.sha256 == sha256(b"newer")
    assert [copy.stage.path] == stages(tmp_path)  # type: ignore[union-attr]


def test_a_stage_survives_a_server_that_is_down(site: Site, tmp_path: Path, take: Callable[..., Copy]) -> None:
    """An error leaves the stage for the next run."""
    site.answers["/a.owl"] = validated(BODY, ETag='"1"')
    path = left_behind(site, take)
    site.answers["/a.owl"] = Answer(b"", 500)
    with pytest.raises(FetchError):
        take(site.url("/a.owl"))
    assert stages(tmp_path) == [path]
    assert not is_held(below_root(tmp_path, path))


def test_not_modified_means_the_recorded_copy(site: Site, tmp_path: Path, take: Callable[..., Copy]) -> None:
    """The artifact that is recorded under the URL is offered, and on a 304 taken."""
    site.answers["/a.owl"] = validated(b"known", ETag='"1"')
    record = known(tmp_path, b"known", url=site.url("/a.owl"), etag='"1"')
    copy = take(site.url("/a.owl"), known=record)
    assert (copy.record, copy.path) == (record, tmp_path / "store/s/o/1/src/a.owl")
    assert stages(tmp_path) == []


def test_a_304_that_could_mean_either_is_asked_again(site: Site, tmp_path: Path, take: Callable[..., Copy]) -> None:
    """Where a stage and a record differ and the 304 names none, the bytes are asked for without conditions."""
    site.answers["/a.owl"] = Answer(BODY, headers={"ETag": '"2"'})
    left_behind(site, take)
    record = known(tmp_path, b"known", url=site.url("/a.owl"), etag='"1"')
    site.answers["/a.owl"] = lambda seen, _: Answer(status=304) if "if-none-match" in seen.headers else Answer(b"third")
    assert take(site.url("/a.owl"), known=record).sha256 == sha256(b"third")
    assert [seen.headers.get("if-none-match") for seen in site.seen] == ['"2", "1"', None]


def test_a_url_with_a_secret_is_asked_without_conditions(site: Site, tmp_path: Path, take: Callable[..., Copy]) -> None:
    """The record of another key looks the same once the key is hidden, so it can't speak for these bytes."""
    url = site.url("/a.owl?token=mine")
    site.answers["/a.owl"] = validated(b"mine", ETag='"1"')
    record = known(tmp_path, b"known", url=url, etag='"1"')
    assert take(url, known=record).sha256 == sha256(b"mine")
    assert "if-none-match" not in site.seen[0].headers


@pytest.mark.parametrize(
    "query", ["?thing={}", "?{}", "?v=1;part={}", ";part={}", "?token=a&edition={}", "?v=1%26part={}"]
)
def test_a_hidden_value_may_mean_other_bytes(site: Site, tmp_path: Path, take: Callable[..., Copy], query: str) -> None:
    """Neither a stage nor a record of an URL that looks the same once values are hidden speaks for this one."""
    one, other = (f"/a.owl{query.format(number)}" for number in "12")
    headers = {"ETag": '"1"', "Last-Modified": DATE}

    def script(seen: Seen, _: int) -> Answer:
        return Answer(b"first" if seen.path == one else b"other", headers=headers)

    for path in (one, other):
        site.answers[path.partition("?")[0]] = script
    stage = take(site.url(one)).stage
    assert stage is not None
    stage.close()
    record = known(tmp_path, b"first", url=site.url(one), etag='"1"')
    assert take(site.url(other), known=record).sha256 == sha256(b"other")
    assert not {"if-none-match", "if-modified-since"} & set(site.seen[-1].headers)
    # what another URL left stays, and the bytes that --sha256 names are known wherever they came from
    assert stage.path in stages(tmp_path)
    asked = len(site.seen)
    assert take(site.url(other), known=record, sha256=sha256(b"first")).record is record
    assert len(site.seen) == asked


def test_another_key_does_not_mean_other_bytes(site: Site, take: Callable[..., Copy]) -> None:
    """A stage whose URL differs in a credential alone is resumed where the server names the same ETag and length."""
    site.answers["/a.owl"] = Answer(BODY, headers={"ETag": '"1"'})
    stage = take(site.url("/a.owl?v=1&apikey=one")).stage
    assert stage is not None
    stage.close()
    copy = take(site.url("/a.owl?v=1&apikey=two"))
    assert copy.stage is not None
    assert copy.stage.path == stage.path


@pytest.mark.parametrize("length", [-1, None])
def test_what_is_too_large_leaves_nothing(
    site: Site, tmp_path: Path, take: Callable[..., Copy], length: int | None
) -> None:
    """Declared or counted, a download over the limit is no stage afterwards."""
    site.answers["/a.owl"] = Answer(BODY, length=length)
    with pytest.raises(FetchError, match="larger than the 1,000,000 bytes"):
        take(site.url("/a.owl"), options=HttpOptions(most_bytes=1_000_000))
    assert stages(tmp_path) == []
    assert len(site.seen) == 1


# --- local files ------------------------------------------------------------------------------------------------------


def test_a_local_file_is_copied_and_hashed(tmp_path: Path, take: Callable[..., Copy]) -> None:
    """A path and a file: URL give the bytes of the file, which stays as it is."""
    path = tmp_path / "a b.owl"
    path.write_bytes(BODY)
    for source in (str(path), path.as_uri()):
        copy = take(source)
        assert (copy.sha256, copy.path.read_bytes(), copy.path.name) == (sha256(BODY), BODY, "a b.owl")
        assert copy.path.stat().st_ino != path.stat().st_ino
        assert copy.stage is not None
        copy.stage.discard()
    assert path.read_bytes() == BODY


def test_a_local_file_that_did_not_change_is_not_copied(tmp_path: Path, take: Callable[..., Copy]) -> None:
    """Equal bytes are recognised by their hash; other bytes of the same length are copied."""
    path = tmp_path / "a.owl"
    record = known(tmp_path, b"known", url=path.as_uri())
    path.write_bytes(b"known")
    assert take(str(path), known=record).record is record
    path.write_bytes(b"KNOWN")
    assert take(str(path), known=record).sha256 == sha256(b"KNOWN")


def test_what_is_no_readable_file_is_refused(tmp_path: Path, take: Callable[..., Copy]) -> None:
    """A folder, a device, and a path to nothing are told apart; no stage is left."""
    (tmp_path / "folder").mkdir()
    for source, words in (
        (tmp_path / "folder", "is a folder"),
        (Path("/dev/null"), "is no regular file"),
        (tmp_path / "absent.owl", "No such file"),
    ):
        with pytest.raises(FetchError, match=words):
            take(str(source))
    assert stages(tmp_path) == []
