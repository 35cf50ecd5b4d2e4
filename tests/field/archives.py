"""Archives as the field has them: what systems leave in them, odd and double names, links, what nobody asked for."""

from __future__ import annotations

import io
import json
import tarfile
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from ..hostile import packing
from ..hostile.packing import Member
from .case import Case
from .pulling import UNJUDGED, Pulled, pull, run

TURTLE = b"<urn:a> <urn:b> <urn:c> .\n"
OTHER = b"<urn:a> <urn:b> <urn:d> .\n"
TEXT = b"read me\n"
TREE = {"hp-1/hp.ttl": TURTLE, "hp-1/doc/a.txt": TEXT}
_TREE = [Member(name=name.encode(), data=data) for name, data in TREE.items()]


def zipped(*members: tuple[str, bytes]) -> bytes:
    """Return a zip of these members, of which two may have one name."""
    return packing.zipped(*(Member(name=name.encode(), data=data, flags=0x800) for name, data in members))


def tarred(*members: tuple[str, bytes | str]) -> bytes:
    """Return a tar of these members; text instead of bytes is what a hard link is another name of."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name, data in members:
            member = tarfile.TarInfo(name)
            if isinstance(data, str):
                member.type, member.linkname = tarfile.LNKTYPE, data
                archive.addfile(member)
            else:
                member.size = len(data)
                archive.addfile(member, io.BytesIO(data))
    return stream.getvalue()


def odd_tar(*odd: tarfile.TarInfo) -> bytes:
    """Return a tar of TREE with further members before it."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for member in odd:
            archive.addfile(member)
        for name, data in TREE.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return stream.getvalue()


def of_type(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    """Return a member without bytes."""
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, target
    return member


def given(folder: Path, name: str, data: bytes, *words: str) -> Pulled:
    """Write an archive, pull it, and return what came of it."""
    path = folder / name
    path.write_bytes(data)
    return pull(folder, path, *words)


def _took(found: Pulled, expected: dict[str, bytes]) -> None:
    """Check that a pull took exactly these files."""
    assert found.code == 0, found.said
    assert found.data == expected, sorted(found.data)


def _whole(folder: Path, found: Pulled, expected: dict[str, bytes]) -> None:
    """Check that a pull took exactly these files, and that doctor and a rebuild find nothing else."""
    _took(found, expected)
    code, out, err = run(folder, "db", "doctor", "--json")
    assert code == 0, out + err
    before = found.rows("SELECT relpath, file_id FROM extracted_files ORDER BY ALL")
    how = found.rows("SELECT artifact_id, extraction::VARCHAR FROM artifacts")
    code, out, err = run(folder, "db", "rebuild", "--replace")
    assert code == 0, out + err
    assert found.rows("SELECT relpath, file_id FROM extracted_files ORDER BY ALL") == before
    assert found.rows("SELECT artifact_id, extraction::VARCHAR FROM artifacts") == how


# --- what systems leave behind ----------------------------------------------------------------------------------------

METADATA = (
    "__MACOSX/hp-1/._hp.ttl", "__MACOSX/._hp-1", ".DS_Store", "hp-1/.DS_Store", "hp-1/._a.ttl", "Thumbs.db",
    "hp-1/doc/thumbs.db", "hp-1/Icon\r", "desktop.ini", ".Spotlight-V100/store.db",
)  # fmt: skip


def _metadata(pack: Callable[..., bytes], name: str, folder: Path) -> None:
    found = given(folder, name, pack(*((name, b"x") for name in METADATA), *TREE.items()))
    _whole(folder, found, {"hp.ttl": TURTLE, "doc/a.txt": TEXT})
    assert f"{len(METADATA)} file(s) that macOS or Windows keep for themselves, left out" in found.said
    lines = [json.loads(line) for line in (found.root / "t/x/1/.extract.audit.json").read_text().splitlines()]
    (remark,) = lines[-1]["remarks"]
    assert (remark["kind"], remark["count"]) == ("left_out", len(METADATA))
    assert "hp-1/.DS_Store" in remark["names"]
    code, out, err = run(folder, "report", "latest", "--from", "audits", "--json")
    assert code == 0, err
    assert json.loads(out)["rows"][0]["files"] == 2, out


def _metadata_asked_for(folder: Path) -> None:
    found = given(folder, "a.zip", zipped((".DS_Store", b"x"), ("a.ttl", TURTLE)), "--include", ".DS_Store")
    _took(found, {".DS_Store": b"x"})


# --- include and exclude ----------------------------------------------------------------------------------------------

ODD: dict[str, tuple[str, Callable[[], bytes], str]] = {
    "a symbolic link": ("a.tar", lambda: odd_tar(of_type("hp-1/latest", tarfile.SYMTYPE, "hp.ttl")), "symbolic link"),
    "a device": ("a.tar", lambda: odd_tar(of_type("hp-1/null", tarfile.CHRTYPE)), "a device or a pipe"),
    "a hard link to nothing": ("a.tar", lambda: odd_tar(of_type("hp-1/x", tarfile.LNKTYPE, "nothing")), "a hard link"),
    "a name that climbs": ("a.tar", lambda: tarred(("../up.txt", b"x"), *TREE.items()), "'.' or '..'"),
    "an absolute name": ("a.zip", lambda: zipped(("/etc/passwd", b"x"), *TREE.items()), "is absolute"),
    "a control character": ("a.zip", lambda: zipped(("hp-1/a\x07b", b"x"), *TREE.items()), "control character"),
    "a long name": ("a.tar", lambda: tarred(("hp-1/" + "x" * 300, b"x"), *TREE.items()), "longer than 255 bytes"),
    "an encrypted entry": (
        "a.zip",
        lambda: packing.zipped(Member(name=b"hp-1/secret", data=b"x" * 20, flags=1), *_TREE),
        "is encrypted",
    ),
    "Deflate64": (
        "a.zip",
        lambda: packing.zipped(Member(name=b"hp-1/x", data=b"x" * 20, method=9), *_TREE),
        "Deflate64",
    ),
    "a member twice": ("a.zip", lambda: zipped(("hp-1/x", b"1"), ("hp-1/x", b"2"), *TREE.items()), "different bytes"),
}  # fmt: skip


def _odd_wanted(name: str, folder: Path) -> None:
    file, make, words = ODD[name]
    given(folder, file, make()).refused(words)


def _odd_elsewhere(name: str, how: str, folder: Path) -> None:
    file, make, _ = ODD[name]
    words = ("--include", "*.ttl") if how == "not included" else ("--exclude", "hp-1/[!hd]*", "--exclude", "[!h]*")
    words = words if how == "not included" else (*words, "--exclude", "hp-1/latest")
    found = given(folder, file, make(), *UNJUDGED, *words)
    expected = {"hp.ttl": TURTLE} if how == "not included" else {"hp.ttl": TURTLE, "doc/a.txt": TEXT}
    _took(found, expected)
    if name not in ("Deflate64", "a member twice", "a hard link to nothing"):
        assert "nobody asked for" in found.said, found.said


def _excluded(folder: Path) -> None:
    found = given(folder, "a.zip", zipped(*TREE.items()), "--include", "*.t*", "--exclude", "*.txt")
    _whole(folder, found, {"hp.ttl": TURTLE})
    again = pull(folder, folder / "a.zip", "--include", "*.t*", "--exclude", "*.txt")
    assert again.row["status"] == "unchanged", again.said
    more = pull(folder, folder / "a.zip", "--include", "*.t*")
    assert sorted(more.data) == ["doc/a.txt", "hp.ttl"], more.said


def _all_excluded(folder: Path) -> None:
    given(folder, "a.zip", zipped(*TREE.items()), "--exclude", "*").refused("is left by --exclude '*'")


# --- links and double members -----------------------------------------------------------------------------------------

LINKS: dict[str, tuple[tuple[tuple[str, bytes | str], ...], tuple[str, ...], dict[str, bytes]]] = {
    "to a file before it": ((("a.ttl", TURTLE), ("b.ttl", "a.ttl")), (), {"a.ttl": TURTLE, "b.ttl": TURTLE}),
    "to a link": (
        (("a.ttl", TURTLE), ("b.ttl", "a.ttl"), ("c.ttl", "b.ttl")),
        (),
        {"a.ttl": TURTLE, "b.ttl": TURTLE, "c.ttl": TURTLE},
    ),
    "to what is not asked for": ((("a.txt", TURTLE), ("b.ttl", "a.txt")), ("--include", "*.ttl"), {"b.ttl": TURTLE}),
    "two of them to what is not asked for": (
        (("x/a.txt", TURTLE), ("x/b.ttl", "x/a.txt"), ("x/c.ttl", "x/b.ttl")),
        ("--include", "*.ttl"),
        {"b.ttl": TURTLE, "c.ttl": TURTLE},
    ),
    "to itself": ((("a.ttl", TURTLE), ("a.ttl", "a.ttl")), (), {"a.ttl": TURTLE}),
    "with ./ before names": ((("./a.ttl", TURTLE), ("./b.ttl", "./a.ttl")), (), {"a.ttl": TURTLE, "b.ttl": TURTLE}),
    "to what is replaced afterwards": (
        (("a.ttl", TURTLE), ("b.ttl", "a.ttl"), ("a.ttl", OTHER)),
        (),
        {"a.ttl": OTHER, "b.ttl": TURTLE},
    ),
    "replaced by a file": (
        (("a.txt", TEXT), ("b.ttl", "a.txt"), ("b.ttl", TURTLE)),
        ("--include", "*.ttl"),
        {"b.ttl": TURTLE},
    ),
}  # fmt: skip


def _linked(name: str, folder: Path) -> None:
    members, words, expected = LINKS[name]
    _took(given(folder, "a.tar", tarred(*members), *UNJUDGED, *words), expected)


def _mended(folder: Path) -> None:
    found = given(folder, "a.tar", tarred(("a.ttl", TURTLE), ("b.ttl", "a.ttl"), ("c.ttl", TEXT), ("c.ttl", OTHER)))
    for name in ("a.ttl", "b.ttl", "c.ttl"):
        (found.root / "t/x/1/data" / name).unlink()
    code, out, err = run(folder, "db", "doctor", "--fix", "CAT014=restore", "--yes")
    assert code == 0, out + err
    assert found.data == {"a.ttl": TURTLE, "b.ttl": TURTLE, "c.ttl": OTHER}


def _twice_in_a_tar(folder: Path) -> None:
    found = given(folder, "a.tar", tarred(("x/a.ttl", TURTLE), ("x/b.txt", TEXT), ("x/a.ttl", OTHER)))
    _whole(folder, found, {"a.ttl": OTHER, "b.txt": TEXT})
    assert "the last one taken" in found.said


def _twice_in_a_zip(folder: Path) -> None:
    found = given(folder, "a.zip", zipped(("a.ttl", TURTLE), ("a.ttl", TURTLE)))
    _took(found, {"a.ttl": TURTLE})
    assert "same bytes, taken once" in found.said


# --- names ------------------------------------------------------------------------------------------------------------


def _backslashes(folder: Path) -> None:
    found = given(folder, "a.zip", zipped(("hp-1\\hp.ttl", TURTLE), ("hp-1\\doc\\", b""), ("hp-1\\doc\\a.txt", TEXT)))
    _whole(folder, found, {"hp.ttl": TURTLE, "doc/a.txt": TEXT})
    assert found.said.count("with a backslash") == 1


def _without_the_flag(folder: Path) -> None:
    utf8 = Member(name="\u00e9/\u65e5.ttl".encode(), data=TURTLE, flags=0)
    old = Member(name="\u00e9/\u00fc.ttl".encode("cp437"), data=OTHER, flags=0)
    found = given(folder, "a.zip", packing.zipped(utf8, old), "--strip", "0")
    _whole(folder, found, {"\u00e9/\u65e5.ttl": TURTLE, "\u00e9/\u00fc.ttl": OTHER})


def _other_local_name(folder: Path) -> None:
    member = Member(name=b"hp.ttl", data=TURTLE, local={"name": b"../hp.ttl"})
    found = given(folder, "a.zip", packing.zipped(member))
    _whole(folder, found, {"hp.ttl": TURTLE})
    assert "the directory's taken" in found.said


FOLDED = {"files": ("a.ttl", "A.ttl"), "folders": ("d/a.ttl", "D/b.ttl"), "forms": ("\u00e9.ttl", "e\u0301.ttl")}


def _folded(kind: str, folder: Path) -> None:
    one, two = FOLDED[kind]
    archive = zipped((one, TURTLE), (two, OTHER))
    given(folder, "a.zip", archive, "--portable").refused("are one where case and normal forms are folded", "--exclude")
    if (folder / "STORE").exists():
        given(folder, "a.zip", archive).refused("this file system does it")
        return
    found = given(folder, "a.zip", archive)
    _whole(folder, found, {one: TURTLE, two: OTHER})
    assert "not portable" in found.said


# --- what is no archive, or an empty one ------------------------------------------------------------------------------


def _office(name: str, first: str, content: bytes, folder: Path) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(first, content)
        archive.writestr("content.xml", "<x/>")
    found = given(folder, name, stream.getvalue())
    assert found.data == {name: stream.getvalue()}, found.said


def _empty(data: bytes, name: str, folder: Path) -> None:
    found = given(folder, name, data)
    assert "Traceback" not in found.said
    assert "should not happen" not in found.said
    assert not found.data


CASES = (
    Case("what systems leave in archives", "in a zip", partial(_metadata, zipped, "a.zip")),
    Case("what systems leave in archives", "in a tar", partial(_metadata, tarred, "a.tar")),
    Case("what systems leave in archives", "asked for by its name", _metadata_asked_for),
    *(Case("odd entries", f"{name}, wanted", partial(_odd_wanted, name)) for name in ODD),
    *(Case("odd entries", f"{name}, not included", partial(_odd_elsewhere, name, "not included")) for name in ODD),
    *(Case("odd entries", f"{name}, excluded", partial(_odd_elsewhere, name, "excluded")) for name in ODD),
    Case("include and exclude", "exclude after include, and again", _excluded),
    Case("include and exclude", "nothing left", _all_excluded),
    *(Case("hard links", name, partial(_linked, name)) for name in LINKS),
    Case("hard links", "brought back by doctor", _mended),
    Case("members that are there twice", "in a tar", _twice_in_a_tar),
    Case("members that are there twice", "in a zip, the same bytes", _twice_in_a_zip),
    Case("names in archives", "backslashes", _backslashes),
    Case("names in archives", "UTF-8 that does not say so", _without_the_flag),
    Case("names in archives", "another one before the entry", _other_local_name),
    *(
        Case("names in archives", f"{kind} that are one where case is folded", partial(_folded, kind))
        for kind in FOLDED
    ),
    Case("office documents", "xlsx", partial(_office, "x.xlsx", "[Content_Types].xml", b"<Types/>")),
    Case("office documents", "ods", partial(_office, "x.ods", "mimetype", b"application/vnd.oasis.opendocument")),
    Case("office documents", "by its name alone", partial(_office, "x.docx", "word.xml", b"<x/>")),
    Case("office documents", "by its content alone", partial(_office, "x.zip", "[Content_Types].xml", b"<Types/>")),
    Case("archives without entries", "zip", partial(_empty, zipped(), "a.zip")),
    Case("archives without entries", "zip under another name", partial(_empty, zipped(), "a")),
    Case("archives without entries", "tar", partial(_empty, tarred(), "a.tar")),
)
