"""Unpacking: what comes out equals a recount of the archive, and hostile archives are refused with a sentence."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import stat
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from ontofetch_catalog.content.packed.bounds import Limits
from ontofetch_catalog.content.packed.remarks import AGAIN, BEHIND, FOLDED
from ontofetch_catalog.errors import ExtractError
from ontofetch_catalog.host.extract import extract_artifact
from ontofetch_catalog.host.unpacked import Extraction, Wanted
from ontofetch_hookspecs import Stage
from tests.levels import drawn
from tests.releases import sha256

FILES = {"pkg/a.ttl": b"@prefix a: <b> .", "pkg/d/b.obo": b"format-version: 1.4\n", "pkg/d/c": b""}
Pack = Callable[[dict[str, bytes]], bytes]


def zipped(files: dict[str, bytes]) -> bytes:
    """Pack a zip."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name, (2020, 1, 2, 3, 4, 6)), data, zipfile.ZIP_DEFLATED)
    return stream.getvalue()


def tarred(files: dict[str, bytes], extra: tuple[tarfile.TarInfo, ...] = ()) -> bytes:
    """Pack a tar, with further members behind the files."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", encoding="utf-8", errors="surrogateescape") as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.mtime = len(data), 1_577_934_246
            archive.addfile(member, io.BytesIO(data))
        for member in extra:
            archive.addfile(member)
    return stream.getvalue()


def tar_of(members: list[tuple[str, bytes]]) -> bytes:
    """Pack a tar of members of which several may have one name."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name, data in members:
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return stream.getvalue()


PACKS: dict[str, Pack] = {
    "a.zip": zipped,
    "a.tar": tarred,
    "a.tar.gz": lambda files: gzip.compress(tarred(files)),
    "a.tgz": lambda files: gzip.compress(tarred(files)),
    "a.tar.bz2": lambda files: bz2.compress(tarred(files)),
    "a.tar.xz": lambda files: lzma.compress(tarred(files)),
    "a.tar.zst": lambda files: zstandard.compress(tarred(files)),
}


def unpack(
    folder: Path, name: str, data: bytes, progress: Callable[[int, int], None] | None = None, **options: object
) -> Extraction:
    """Unpack an archive made of `data` below `folder`."""
    folder.mkdir(exist_ok=True, parents=True)
    archive = folder / "artifact"
    archive.write_bytes(data)
    stage = Stage.create(folder / "store")
    try:
        return extract_artifact(archive, stage, Wanted(name=name, **options), progress=progress)  # type: ignore[arg-type]
    finally:
        stage.close()


def contents(extraction: Extraction) -> dict[str, bytes]:
    """Return path → bytes of what lies in the folder to be published."""
    folder = extraction.folder
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", PACKS)
def test_every_kind_of_archive_unpacks_to_the_same_files(tmp_path: Path, name: str) -> None:
    """Names, sizes, hashes and times of the table are those of the files, and those of the archive."""
    extraction = unpack(tmp_path, name, PACKS[name](FILES), strip=0)
    assert contents(extraction) == FILES
    rows = extraction.files.to_pylist()
    assert [(row["relpath"], row["file_id"], row["size_bytes"]) for row in rows] == [
        (path, sha256(data), len(data)) for path, data in sorted(FILES.items())
    ]
    assert [row["format"] for row in rows] == ["turtle", "obo", "unknown"]
    for row in rows:
        assert (extraction.folder / row["relpath"]).stat().st_mtime == row["mtime"].timestamp()


@pytest.mark.parametrize("name", ["a.zip", "a.tar.gz"])
def test_a_folder_that_all_entries_share_is_taken_off(tmp_path: Path, name: str) -> None:
    """`auto` takes off one common folder, a number that many, and 0 none."""
    data = PACKS[name](FILES)
    auto = unpack(tmp_path / "1", name, data)
    assert (auto.strip, sorted(contents(auto))) == (1, ["a.ttl", "d/b.obo", "d/c"])
    assert auto.files["relpath"].to_pylist() == ["a.ttl", "d/b.obo", "d/c"]
    two = unpack(tmp_path / "2", name, data, strip=2)
    assert (two.strip, sorted(contents(two)), two.skipped) == (2, ["b.obo", "c"], 1)
    mixed = unpack(tmp_path / "3", name, PACKS[name]({**FILES, "top": b"x"}))
    assert (mixed.strip, sorted(contents(mixed))) == (0, [*sorted(FILES), "top"])


def test_include_narrows_what_is_unpacked(tmp_path: Path) -> None:
    """Globs look at the names in the archive and cross folders; the common folder is still that of all entries."""
    extraction = unpack(tmp_path, "a.zip", zipped(FILES), include=("*.obo", "pkg/a.*"))
    assert sorted(contents(extraction)) == ["a.ttl", "d/b.obo"]


@pytest.mark.parametrize(
    ("name", "pack", "expected"),
    [
        ("hp.obo", bytes, "hp.obo"),
        ("hp.obo.gz", gzip.compress, "hp.obo"),
        ("hp.obo.bz2", bz2.compress, "hp.obo"),
        ("hp.obo.xz", lzma.compress, "hp.obo"),
        ("hp.obo.zst", zstandard.compress, "hp.obo"),
    ],
)
def test_a_single_file_is_a_release_of_one_file(
    tmp_path: Path, name: str, pack: Callable[[bytes], bytes], expected: str
) -> None:
    """A file that is no archive is copied, a compressed one unpacked under its name without the ending."""
    extraction = unpack(tmp_path, name, pack(b"format-version: 1.4\n"))
    assert contents(extraction) == {expected: b"format-version: 1.4\n"}


@pytest.mark.parametrize("name", PACKS)
def test_an_empty_archive_is_an_empty_release(tmp_path: Path, name: str) -> None:
    """An archive without entries is no error."""
    extraction = unpack(tmp_path, name, PACKS[name]({}))
    assert (contents(extraction), len(extraction.files)) == ({}, 0)


HOSTILE_NAMES = {
    "/etc/passwd": "is absolute",
    "../up.ttl": "has a part '.' or '..'",
    "a/../../up.ttl": "has a part '.' or '..'",
    "a//b.ttl": "has an empty part",
    "a\nb.ttl": "control character U+000A",
    "a\x1b[31m.ttl": "control character U+001B",
    "a\u202eltt.exe": "control character U+202E",
    "x" * 256: "has a part longer than 255 bytes",
    "/".join(["x" * 200] * 6): "is longer than 1,024 bytes",
}


@pytest.mark.parametrize("name", HOSTILE_NAMES)
@pytest.mark.parametrize("kind", ["a.zip", "a.tar"])
def test_names_that_leave_the_folder_or_the_terminal_are_refused(tmp_path: Path, kind: str, name: str) -> None:
    """A hostile name is refused with a sentence that shows it harmlessly, and nothing is outside of the stage."""
    with pytest.raises(ExtractError) as refused:
        unpack(tmp_path, kind, PACKS[kind]({"ok.ttl": b"x", name: b"y"}), strip=0)
    assert HOSTILE_NAMES[name] in str(refused.value)
    assert str(refused.value).isprintable()
    assert {path.name for path in tmp_path.iterdir()} == {"artifact", "store"}


def test_a_name_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    """A tar may carry any bytes as a name; what is not UTF-8 can't be recorded."""
    with pytest.raises(ExtractError, match="control character"):
        unpack(tmp_path, "a.tar", tarred({"b\udcffd.ttl": b"x", "ok": b""}), strip=0)


MEETING = [("a.ttl", "A.ttl"), ("caf\u00e9", "cafe\u0301"), ("d/x", "D/y"), ("a", "A/b"), ("A/b", "a")]


@pytest.mark.parametrize("pair", MEETING)
@pytest.mark.parametrize("kind", ["a.zip", "a.tar"])
def test_names_that_meet_where_case_is_folded(tmp_path: Path, kind: str, pair: tuple[str, str]) -> None:
    """Here both are unpacked with a remark; `portable`, and a file system that folds case, refuse them."""
    data = PACKS[kind]({pair[0]: b"x", pair[1]: b"y"})
    both = unpack(tmp_path / "1", kind, data, strip=0)
    assert contents(both) == {pair[0]: b"x", pair[1]: b"y"}
    (remark,) = both.remarks
    assert (remark.kind, remark.reason, remark.count) == ("warning", FOLDED, 1)
    with pytest.raises(ExtractError, match=r"meets .*for --portable they must not be"):
        unpack(tmp_path / "2", kind, data, strip=0, portable=True)
    # where case is folded, the second one is there as soon as the first one is
    stage = Stage.create(tmp_path / "3/store")
    stage.folder(f"data/{pair[1].partition('/')[0]}")
    (tmp_path / "3/artifact").write_bytes(data)
    with pytest.raises(ExtractError, match=r"meets .*this file system does it"):
        extract_artifact(tmp_path / "3/artifact", stage, Wanted(name=kind, strip=0))
    stage.close()


@pytest.mark.parametrize("pair", [("a", "a/b"), ("a/b", "a"), ("d/e/f", "d/e")])
@pytest.mark.parametrize("kind", ["a.zip", "a.tar"])
def test_a_file_that_is_also_a_folder_is_refused(tmp_path: Path, kind: str, pair: tuple[str, str]) -> None:
    """One name can't be both, wherever it is unpacked."""
    with pytest.raises(ExtractError, match="is a file and a folder"):
        unpack(tmp_path, kind, PACKS[kind]({pair[0]: b"x", pair[1]: b"y"}), strip=0)


def test_names_that_are_one_without_their_folders_are_refused(tmp_path: Path) -> None:
    """What is taken off may be what told two files apart; the sentence says both names."""
    with pytest.raises(ExtractError, match=r"'b/x' meets 'a/x': without 1 leading folders both are 'x'"):
        unpack(tmp_path, "a.tar", tarred({"a/x": b"1", "b/x": b"1"}), strip=1)


def test_one_file_among_many_spellings_is_found(tmp_path: Path) -> None:
    """Of names that differ in case, each is a file of its own, and one that is there again takes its own place."""
    names = ["abc", "ABC", "Abc", "aBc"]
    data = tar_of([*((name, name.encode()) for name in names), ("Abc", b"new")])
    found = unpack(tmp_path, "a.tar", data, strip=0)
    assert contents(found) == {"abc": b"abc", "ABC": b"ABC", "Abc": b"new", "aBc": b"aBc"}
    rows = {row["relpath"]: row["file_id"] for row in found.files.to_pylist()}
    assert rows == {name: sha256(data) for name, data in contents(found).items()}
    assert [(remark.reason, remark.count) for remark in found.remarks] == [(FOLDED, 3), (AGAIN, 1)]


def test_many_entries_of_one_name_are_the_last_one(tmp_path: Path) -> None:
    """Also where the rows of the first ones have been told already."""
    data = tar_of([("a", b"%d" % number) for number in range(1200)])
    found = unpack(tmp_path, "a.tar", data, strip=0)
    assert (contents(found), len(found.files)) == ({"a": b"1199"}, 1)
    assert found.files["file_id"].to_pylist() == [sha256(b"1199")]


def test_a_hard_link_takes_room_of_its_own(tmp_path: Path) -> None:
    """A file and ten thousand other names of it are ten thousand files, and count."""
    linked = []
    for number in range(10_000):
        member = tarfile.TarInfo(f"l{number}")
        member.type, member.linkname = tarfile.LNKTYPE, "a"
        linked.append(member)
    data = tarred({"a": bytes(range(256)) * 400}, tuple(linked))
    with pytest.raises(ExtractError, match="takes the archive beyond 100,000,000 bytes"):
        unpack(tmp_path, "a.tar", data, limits=Limits(max_bytes=100_000_000))


def test_hard_links_to_what_is_not_unpacked_are_bounded(tmp_path: Path) -> None:
    """Other names of a file that nobody asked for count as much as those of one that is unpacked."""
    linked = []
    for number in range(2000):
        member = tarfile.TarInfo(f"l{number}.ttl")
        member.type, member.linkname = tarfile.LNKTYPE, "a"
        linked.append(member)
    data = tarred({"a": bytes(range(256)) * 400}, tuple(linked))
    with pytest.raises(ExtractError, match="takes the archive beyond 100,000,000 bytes"):
        unpack(tmp_path, "a.tar", data, include=("*.ttl",), limits=Limits(max_bytes=100_000_000))


def test_a_tar_that_ends_with_a_zip_is_a_tar(tmp_path: Path) -> None:
    """Where a zip says what is in it stands at its end, and that may be the end of what it is packed in."""
    files = {"a.ttl": b"x", "z.zip": zipped({"inside.ttl": b"y"})}
    assert contents(unpack(tmp_path / "1", "a.tar", tarred(files))) == files
    stored = gzip.compress(tarred(files), 0)
    assert contents(unpack(tmp_path / "2", "a.tar.gz", stored)) == files


def test_what_stands_behind_the_end_of_a_tar_is_remarked(tmp_path: Path) -> None:
    """Two tars in one file are the first one, as for tar itself, but not in silence."""
    first, second = tarred({"a.ttl": b"x"}), tarred({"b.ttl": b"y"})
    both = unpack(tmp_path / "1", "a.tar.gz", gzip.compress(first + second))
    assert contents(both) == {"a.ttl": b"x"}
    assert [remark.reason for remark in both.remarks] == [BEHIND]
    assert unpack(tmp_path / "2", "a.tar", first + bytes(100_000)).remarks == ()


def test_remarks_are_bounded(tmp_path: Path) -> None:
    """However odd an archive is, what is said of it stays short and harmless."""
    names = {f"{chr(1 + number % 8)}{number}\x1b[2J": b"" for number in range(3000)}
    names |= {f"/abs{number}": b"" for number in range(3000)}
    names |= {"x" * (256 + number): b"" for number in range(50)}
    found = unpack(tmp_path, "a.tar", tarred({"a.ttl": b"x", **names}), include=("a.ttl",))
    assert contents(found) == {"a.ttl": b"x"}
    assert len(found.remarks) <= 16
    assert sum(remark.count for remark in found.remarks) == 6050
    assert all(len(remark.names) <= 10 and str(remark).isprintable() for remark in found.remarks)


def test_a_name_in_a_remark_is_spelled_as_documents_always_have_it(tmp_path: Path) -> None:
    """Manifests and audits carry remarks: an archive that is unpacked again must make the same ones as years ago."""
    found = unpack(tmp_path, "a.tar", tarred({"a.ttl": b"x", "b\nc.ttl": b"y"}), include=("a.ttl",))
    assert [remark.names for remark in found.remarks] == [("'b\\\\nc.ttl'",)]


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (tarfile.SYMTYPE, "a symbolic link"),
        (tarfile.LNKTYPE, "a hard link"),
        (tarfile.CHRTYPE, "a device"),
        (tarfile.BLKTYPE, "a device"),
        (tarfile.FIFOTYPE, "a device or a pipe"),
    ],
)
def test_what_is_no_regular_file_is_refused_in_a_tar(tmp_path: Path, kind: bytes, words: str) -> None:
    """Links, devices and pipes are refused by name."""
    member = tarfile.TarInfo("evil")
    member.type, member.linkname = kind, "/etc/passwd"
    with pytest.raises(ExtractError, match=f"'evil' of 'a.tar' is {words}"):
        unpack(tmp_path, "a.tar", tarred({"ok.ttl": b"x"}, (member,)))


def test_a_symbolic_link_is_refused_in_a_zip(tmp_path: Path) -> None:
    """A zip says in its attributes that an entry is a link."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        info = zipfile.ZipInfo("evil")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(info, "/etc/passwd")
    with pytest.raises(ExtractError, match=r"'evil' of 'a.zip' is a symbolic link"):
        unpack(tmp_path, "a.zip", stream.getvalue())


def test_an_encrypted_entry_is_refused(tmp_path: Path) -> None:
    """An entry whose header says encrypted is refused by name."""
    data = bytearray(zipped({"secret.ttl": b"x" * 50}))
    for magic, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(magic) + offset] |= 1
    with pytest.raises(ExtractError, match=r"'secret\.ttl' of 'a\.zip' is encrypted"):
        unpack(tmp_path, "a.zip", bytes(data))


@pytest.mark.parametrize("name", [name for name in PACKS if name != "a.zip"])
def test_a_truncated_tar_is_refused_wherever_it_was_cut(tmp_path: Path, name: str) -> None:
    """A cut anywhere, also between two entries and inside the compression's trailer, is noticed."""
    data = PACKS[name]({"a.ttl": b"x" * 700, "b.ttl": bytes(range(256)) * 9})
    # a plain tar ends in blocks of zeros, and losing some of them loses nothing
    cuts = [512, 1536, 2048, 3000] if name == "a.tar" else [len(data) // 2, len(data) - 9, len(data) - 1]
    for number, cut in enumerate(cuts):
        with pytest.raises(ExtractError, match="damaged or truncated"):
            unpack(tmp_path / str(number), name, data[:cut])


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress, zstandard.compress])
def test_a_truncated_single_file_is_refused(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    """A compressed file that lacks its end is no release."""
    endings = {gzip.compress: "gz", bz2.compress: "bz2", lzma.compress: "xz", zstandard.compress: "zst"}
    with pytest.raises(ExtractError, match="damaged or truncated"):
        unpack(tmp_path, f"a.ttl.{endings[pack]}", pack(bytes(range(256)) * 50)[:-3])


@pytest.mark.parametrize("kept", [4, 40, 150, -1])
def test_a_truncated_zip_is_refused_wherever_it_was_cut(tmp_path: Path, kept: int) -> None:
    """A zip that lost its end is damage, and not a release of one file."""
    with pytest.raises(ExtractError, match="damaged or truncated"):
        unpack(tmp_path, "a.whl", zipped({"a.ttl": bytes(range(256)) * 20, "b": b"x"})[:kept])


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.zip", b"<html>404</html>"),
        ("a.zip", b""),
        ("a.WHL", b"PK"),
        ("a.tar", b"text"),
        ("a.tar.gz", gzip.compress(b"text", mtime=0)),
        ("a.tgz", gzip.compress(b"text", mtime=0)),
        ("a.ttl.gz", b"<a> <b> <c> ."),
        ("a.tar.zst", b""),
    ],
)
def test_what_is_named_like_an_archive_must_be_one(tmp_path: Path, name: str, data: bytes) -> None:
    """An error page that a server sent for an archive is refused with the name of the artifact."""
    with pytest.raises(ExtractError, match="named like an archive") as refused:
        unpack(tmp_path, name, data)
    assert refused.value.subject == name


def test_a_zip_behind_a_program_is_a_zip(tmp_path: Path) -> None:
    """What stands before a zip does not keep it from being unpacked."""
    extraction = unpack(tmp_path, "a.zip", b"#!/bin/sh\n" + zipped(FILES), strip=0)
    assert contents(extraction) == FILES


def test_a_zip_with_a_wrong_checksum_is_refused(tmp_path: Path) -> None:
    """An entry whose bytes don't fit its checksum is damage."""
    data = bytearray(zipped({"a.ttl": bytes(range(256)) * 20}))
    data[data.index(b"PK\x01\x02") - 3] ^= 0xFF
    with pytest.raises(ExtractError, match="damaged or truncated"):
        unpack(tmp_path, "a.zip", bytes(data))


@pytest.mark.parametrize(
    ("limits", "setting"),
    [
        (Limits(max_entries=2), "max_entries"),
        (Limits(max_bytes=20), "max_bytes"),
    ],
)
def test_more_than_the_limits_is_refused(tmp_path: Path, limits: Limits, setting: str) -> None:
    """Too many entries or bytes are refused, and the sentence names the setting."""
    with pytest.raises(ExtractError) as refused:
        unpack(tmp_path, "a.zip", zipped(FILES), limits=limits)
    assert setting in refused.value.hint


@pytest.mark.parametrize("name", ["a.zip", "a.tar.gz", "a.tar.zst"])
def test_a_bomb_is_refused_long_before_it_is_unpacked(tmp_path: Path, name: str) -> None:
    """What unpacks to far more than it is stops at the ratio, whatever its headers say."""
    with pytest.raises(ExtractError, match="more than 200 times"):
        unpack(tmp_path, name, PACKS[name]({"zeros": bytes(60_000_000)}))
    written = sum(path.stat().st_size for path in (tmp_path / "store").rglob("zeros"))
    assert written < 40_000_000


NAMES = st.lists(
    st.text(
        st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp"), exclude_characters="/\\\0"), min_size=1, max_size=8
    ),
    min_size=1,
    max_size=4,
).map("/".join)


@settings(max_examples=drawn(60))
@given(files=st.dictionaries(NAMES, st.binary(max_size=40), max_size=8), name=st.sampled_from(["a.zip", "a.tar.gz"]))
def test_any_archive_unpacks_exactly_or_is_refused(
    tmp_path_factory: pytest.TempPathFactory, files: dict[str, bytes], name: str
) -> None:
    """Whatever the names, the stage afterwards holds exactly the archive's files, or there is an ExtractError."""
    folder = tmp_path_factory.mktemp("archive")
    try:
        extraction = unpack(folder, name, PACKS[name](files), strip=0)
    except ExtractError:
        return
    assert contents(extraction) == {path.removeprefix("./"): data for path, data in files.items()}
    assert extraction.files["relpath"].to_pylist() == sorted(contents(extraction), key=str.encode)


def test_progress_moves_within_one_large_file(tmp_path: Path) -> None:
    """Whoever waits for a single file sees how far its archive is read, long before the file is whole."""
    size, seen = 256 << 20, []

    def note(read: int, total: int) -> None:
        seen.append((read, total))

    unpack(tmp_path, "big.tar", tarred({"big.ttl": bytes(size)}), progress=note)
    assert [read for read, total in seen if 0 < read < size < total]
    assert size < seen[-1][0] <= seen[-1][1]
    assert seen == sorted(seen)
