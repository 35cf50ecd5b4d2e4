"""What an event may not hold is refused when the event is made, with a sentence that names the field."""

from __future__ import annotations

import dataclasses
import string
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ontofetch_hookspecs import EventError, Remark
from ontofetch_hookspecs.columns import FILES_COLUMNS
from ontofetch_hookspecs.events import Event
from ontofetch_hookspecs.names import check_relpath
from ontofetch_hookspecs.testing import (
    SAMPLE_TIME,
    sample_download_done,
    sample_extract_done,
    sample_set_latest,
    sample_validate_done,
)
from tests.levels import drawn

ROOT = Path("/nowhere/store")
EMPTY = pa.table({column.name: pa.array([], pa.string()) for column in FILES_COLUMNS})
MANY = settings(max_examples=drawn(80))

SAMPLES: dict[str, Callable[..., Event]] = {
    "DownloadDone": lambda **changes: sample_download_done(changes.pop("root", ROOT), **changes),
    "ExtractDone": lambda **changes: sample_extract_done(
        changes.pop("root", ROOT), changes.pop("files", EMPTY), **changes
    ),
    "ValidateDone": lambda **changes: sample_validate_done(
        changes.pop("root", ROOT), changes.pop("results", EMPTY), **changes
    ),
    "SetLatest": lambda **changes: sample_set_latest(changes.pop("root", ROOT), **changes),
}

# --- what must be refused, by the kind of field -----------------------------------------------------------------------

odd = st.one_of(
    st.integers(),
    st.floats(),
    st.binary(),
    st.booleans(),
    st.lists(st.text(max_size=3), max_size=2),
    st.dictionaries(st.text(max_size=2), st.integers(), max_size=2),
    st.builds(pow, st.just(10), st.just(5000)),  # has more digits than Python turns into text
    st.just(object()),
    st.sampled_from([b"", bytearray(b"x"), {"a"}, frozenset(), 1j, ..., NotImplemented, Path("/x"), SAMPLE_TIME]),
)
unsafe = st.sampled_from(
    ["\0", "\n", "\r", "\t", "\x1b", "\x7f", "\x85", "\ud800", "\udfff", "\u2028", "\u2029", "\u202e", "\u2066"]
)
spoiled = st.tuples(st.text("abc", max_size=5), unsafe, st.text("abc", max_size=5)).map("".join)
not_text = odd.filter(lambda value: not isinstance(value, str))
bad_segment = st.one_of(
    not_text,
    st.none(),
    spoiled,
    st.sampled_from(
        ["", ".", "..", "a/b", "latest", "Latest", "PREVIOUS", "latest.json", "-a", " a", "a ", "ä", "a\n"]
    ),
    st.text(string.ascii_letters, min_size=101, max_size=120),
    st.text(min_size=1).filter(lambda text: not text.isascii()),
)
bad_version_id = st.one_of(
    not_text,
    st.none(),
    st.sampled_from(
        ["", "/", "a/b", "a/b/c/d", "/a/b/c", "a//c", "../b/c", "a/b/..", "a/b/latest", "a/b/c\n", "a/b/c "]
    ),
    st.tuples(bad_segment.filter(lambda value: isinstance(value, str)), st.just("/b/c")).map("".join),
)
bad_relpath = st.one_of(
    not_text,
    st.none(),
    spoiled,
    st.sampled_from(["", "/", "/a", "a/", "a//b", ".", "..", "a/..", "../a", "a/../../b", "./a", "a/./b"]),
    st.sampled_from(["a" * 256, "é" * 128, "😀" * 64, "d/" + "😀" * 64, "/".join(["a" * 200] * 6), "ab/" * 400 + "c"]),
)
bad_sha256 = st.one_of(
    not_text,
    st.none(),
    st.text(string.hexdigits, max_size=70).filter(lambda text: len(text) != 64),
    st.sampled_from(["A" * 64, "g" * 64, "0" * 63 + "\n", "0" * 64 + "\n", " " + "0" * 63, "\u0660" * 64]),
)
bad_size = st.one_of(
    odd.filter(lambda value: not isinstance(value, int)),
    st.none(),
    st.booleans(),
    st.integers(max_value=-1),
    st.integers(min_value=2**63),
    st.text(),
)
bad_time = st.one_of(
    odd.filter(lambda value: not isinstance(value, datetime)),
    st.none(),
    st.datetimes(),
    st.text(),
    st.sampled_from(
        [
            datetime.min.replace(tzinfo=timezone(timedelta(hours=1))),
            datetime.max.replace(tzinfo=timezone(timedelta(hours=-1))),
            date(2025, 1, 1),
        ]
    ),
)
bad_line = st.one_of(not_text, spoiled, st.just("a" * 4097))
bad_table = st.one_of(odd, st.none(), st.text(), st.just([{"relpath": "a"}]), st.just(pl.LazyFrame({"relpath": ["a"]})))
bad_path = st.one_of(
    odd.filter(lambda value: not isinstance(value, Path)),
    st.text(),
    st.sampled_from([Path("relative"), Path(), Path("/a/../b"), Path("/a\0b"), Path("/a\ud800b")]),
)
bad_staged = st.one_of(
    bad_path,
    st.sampled_from(
        [ROOT, ROOT / ".catalog/staging/x\ny", ROOT / ("x" * 256), ROOT / ("x/" * 2100), Path("/elsewhere/a\x1bb")]
    ),
)
bad_flag = st.one_of(st.integers(), st.none(), st.text(), st.floats())
bad_strip = st.one_of(st.integers(max_value=-1), st.integers(min_value=1001), st.booleans(), st.none(), st.text())
bad_include = st.one_of(
    odd, st.none(), st.text(), st.lists(st.text(max_size=3), max_size=2), st.tuples(bad_line), st.tuples(st.none())
)
REMARK = Remark(kind="warning", reason="entry(s) of a kind", count=2, names=("a", "b"))
bad_remarks = st.one_of(
    odd, st.none(), st.text(), st.lists(st.text(), max_size=2), st.tuples(st.text()), st.just((REMARK,) * 17)
)
bad_extra = st.one_of(
    odd.filter(lambda value: not isinstance(value, dict)), st.none(), st.text(),
    st.just({1: "a"}), st.just({"a": object()}), st.just({"a": float("nan")}), st.just({"a": "x" * 17_000}),
)  # fmt: skip
bad_released = st.one_of(odd, st.text(), st.datetimes(), st.datetimes(timezones=st.just(UTC)))

COMMON: dict[str, st.SearchStrategy[Any]] = {
    "root": st.one_of(bad_path, st.none()),
    "run_id": st.one_of(bad_line, st.none(), st.just("a" * 201)),
    "config_hash": st.one_of(bad_line, st.none(), st.just("a" * 201)),
}
FIELDS: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "DownloadDone": {
        **COMMON,
        **dict.fromkeys(("service", "ontology", "version"), bad_segment),
        "released": bad_released,
        "layout": st.one_of(odd, st.none(), st.text()),
        **dict.fromkeys(("plan_hash", "etag", "last_modified", "content_type"), bad_line),
        **dict.fromkeys(("title", "licence", "version_iri"), bad_line),
        "extra": bad_extra,
        "artifact": bad_relpath,
        "sha256": bad_sha256,
        "size_bytes": bad_size,
        "source_url": st.one_of(bad_line, st.none()),
        "status": st.one_of(odd, st.none(), st.text()),
        "fetched_at": bad_time,
        "staged": bad_staged,
        "replace": bad_flag,
        "files": bad_table.filter(lambda value: value is not None),
    },
    "ExtractDone": {
        **COMMON,
        "version_id": bad_version_id,
        "artifact": bad_relpath,
        "artifact_id": bad_sha256,
        "files": bad_table,
        "include": bad_include,
        "exclude": bad_include,
        "strip": bad_strip,
        "remarks": bad_remarks,
        "portable": bad_flag,
        "started_at": bad_time,
        "finished_at": bad_time,
        "staged": bad_staged,
    },
    "ValidateDone": {
        **COMMON,
        "version_id": bad_version_id,
        "results": bad_table,
        "started_at": bad_time,
        "finished_at": bad_time,
        "facts": bad_table.filter(lambda value: value is not None),
        "staged": bad_staged,
    },
    "SetLatest": {
        **COMMON,
        "version_id": bad_version_id,
        "updated_by": st.one_of(bad_line, st.none(), st.just("a" * 201)),
        "decided_at": bad_time,
        "accept_failures": bad_flag,
    },
}
CASES = [(kind, field) for kind, fields in FIELDS.items() for field in fields]


@pytest.mark.parametrize(("kind", "field"), CASES)
@MANY
@given(data=st.data())
def test_a_wrong_value_is_refused_with_a_sentence(kind: str, field: str, data: st.DataObject) -> None:
    """Whatever a field may not hold raises EventError when the event is made: one printable, short sentence."""
    value = data.draw(FIELDS[kind][field])
    with pytest.raises(EventError) as refused:
        SAMPLES[kind](**{field: value})
    sentence = str(refused.value)
    assert sentence.isprintable()
    assert sentence.rstrip().endswith(".")
    assert 10 < len(sentence) < 1500


def test_every_field_is_tried() -> None:
    """The table of wrong values names every field of every event."""
    for kind, sample in SAMPLES.items():
        assert {field.name for field in dataclasses.fields(sample())} == set(FIELDS[kind])


# --- what must be accepted --------------------------------------------------------------------------------------------

good_segment = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._+~-]{0,99}", fullmatch=True).filter(
    lambda text: text.casefold() not in ("latest", "previous", "latest.json")
)
good_part = st.text(
    st.characters(
        exclude_categories=("Cc", "Cs", "Zl", "Zp"),
        exclude_characters="/\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069",
    ),
    min_size=1,
    max_size=63,
).filter(lambda text: text not in (".", ".."))
good_relpath = st.lists(good_part, min_size=1, max_size=4).map("/".join).filter(lambda text: len(text.encode()) <= 1024)


# a day's distance from the ends of the calendar, where every zone still has a UTC
EARLY, LATE = datetime.min + timedelta(days=2), datetime.max - timedelta(days=2)  # noqa: DTZ901 - hypothesis adds the zones


@settings(max_examples=drawn(500))
@given(
    names=st.tuples(good_segment, good_segment, good_segment),
    artifact=good_relpath,
    sha256=st.text("0123456789abcdef", min_size=64, max_size=64),
    size=st.integers(min_value=0, max_value=2**63 - 1),
    time=st.datetimes(EARLY, LATE, timezones=st.timezones()),
    released=st.one_of(st.none(), st.dates()),
)
@example(
    names=("a", "b" * 100, "0"),
    artifact="😀" * 63,
    sha256="0" * 64,
    size=2**63 - 1,
    time=SAMPLE_TIME,
    released=date.max,
)
def test_what_is_allowed_is_kept_as_it_is(  # noqa: PLR0917 - hypothesis names each of them
    names: tuple[str, str, str], artifact: str, sha256: str, size: int, time: datetime, released: date | None
) -> None:
    """Longest names, every plane of Unicode, the largest size and any zone are values like any other."""
    service, ontology, version = names
    event = sample_download_done(
        ROOT,
        service=service,
        ontology=ontology,
        version=version,
        artifact=artifact,
        sha256=sha256,
        size_bytes=size,
        fetched_at=time,
        released=released,
    )
    assert event.version_id == "/".join(names)
    assert (event.artifact, event.sha256, event.size_bytes) == (artifact, sha256, size)
    assert (event.fetched_at, event.released) == (time, released)
    assert check_relpath("artifact", artifact) == artifact


def test_a_stage_may_lie_anywhere() -> None:
    """Staged bytes may lie below the root or elsewhere, also where names are not UTF-8."""
    for path in (ROOT / ".catalog/staging/x/src/a.zip", Path("/elsewhere/a.zip"), Path("/else\udce4/a.zip"), None):
        assert sample_download_done(ROOT, staged=path).staged == path


def test_a_one_shot_reader_is_refused() -> None:
    """A reader that can be read once would leave nothing to its second reader."""
    with pytest.raises(EventError, match="more than once"):
        sample_extract_done(ROOT, EMPTY.to_reader())  # type: ignore[arg-type]


def test_an_event_can_not_be_changed() -> None:
    """What was checked stays as it was."""
    event = sample_set_latest(ROOT)
    with pytest.raises(dataclasses.FrozenInstanceError):
        event.version_id = "x/y/z"  # type: ignore[misc]


BAD_REMARKS: dict[str, dict[str, Any]] = {
    "kind": {"kind": "error"},
    "no kind": {"kind": None},
    "reason": {"reason": "two\nlines"},
    "a long reason": {"reason": "x" * 501},
    "count": {"count": -1},
    "no names": {"names": ["a"]},
    "more names than count": {"count": 1, "names": ("a", "b")},
    "many names": {"count": 99, "names": ("a",) * 11},
    "a name a terminal would obey": {"names": ("\x1b[2J",)},
}


@pytest.mark.parametrize("name", BAD_REMARKS)
def test_a_remark_that_breaks_a_rule_is_refused(name: str) -> None:
    """What is said of an archive is plain, bounded text."""
    with pytest.raises(EventError):
        dataclasses.replace(REMARK, **BAD_REMARKS[name])


def test_a_remark_is_a_part_of_a_sentence() -> None:
    """It says how many, what, and a few of the names."""
    many = Remark(kind="left_out", reason="file(s) left out", count=1200, names=("a", "'b\\n'", "c", "d"))
    assert str(many) == "1,200 file(s) left out: 'a', 'b\\n', 'c', …"
    assert str(Remark(kind="warning", reason="odd", count=1)) == "1 odd"
    assert str(REMARK) == "2 entry(s) of a kind: 'a', 'b'"
