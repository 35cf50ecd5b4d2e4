"""One rule for a legal path and one for the same path: name by name, by column and in SQL they say the same."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ontofetch_catalog.catalog.connection import Store
from ontofetch_catalog.catalog.doctor.examine import examine
from ontofetch_catalog.catalog.path_columns import path_keys
from ontofetch_catalog.catalog.rebuild.build import rebuild
from ontofetch_catalog.catalog.repo import paths
from ontofetch_catalog.catalog.tables import read_files
from ontofetch_catalog.errors import Conflict, EventError
from ontofetch_hookspecs.names import path_key, relpath_fault
from tests.levels import drawn
from tests.releases import Releases, files_table

pytestmark = pytest.mark.usefixtures("quick_databases")

FAST = {"durability": "off"}
SURROGATES = range(0xD800, 0xE000)
# letters whose folding is more than lower case, marks that compose, what no path may have, what is long
LETTERS = (
    "aA\u00df\u1e9esS\u017f\u00e9eE\u0301\ufb03\u0130iI\u0131\u0307\u03a3\u03c3\u03c2\u01f0\u1f88\u1f80\u0345\u0390"
    "\u13a0\uab70\u13f8\u13f0\u1c88\u212aK\uac00\u1100\u1161\U0001f600"
)
name = st.one_of(
    st.text(st.sampled_from(LETTERS), max_size=8),
    st.text(st.characters(exclude_categories=("Cs", "Cn")), max_size=20),
    st.text(st.sampled_from("ab./\0\n\x7f\x85\u2028\u202e\u2069"), max_size=8),
    st.lists(st.tuples(st.sampled_from(["a", "é", "😀"]), st.integers(60, 260)), min_size=1, max_size=6).map(
        lambda parts: "/".join(letter * count for letter, count in parts)
    ),
)


@cache
def all_points() -> list[str]:
    """Return every character that can stand in a text."""
    return [chr(point) for point in range(0x110000) if point not in SURROGATES]


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    """Return a connection to a database of its own."""
    with duckdb.connect() as connection:
        yield connection


def in_sql(connection: duckdb.DuckDBPyConnection, expression: str, names: list[str]) -> list[object]:
    """Return what an expression over `name` is for each name."""
    connection.register("names", pa.table({"id": range(len(names)), "name": pa.array(names, pa.string())}))
    found = connection.sql(f"SELECT {expression} AS found FROM names ORDER BY id").to_arrow_table()
    connection.unregister("names")
    return found["found"].to_pylist()


# --- the forms agree --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("around", ["{}", "a{}B", "é{}\u0301"])
def test_the_forms_fold_every_code_point_alike(around: str, connection: duckdb.DuckDBPyConnection) -> None:
    """Python, Arrow and SQL have the same key for every character, alone and between others.

    DuckDB may know marks of a later Unicode than Python does: what is not assigned yet is only looked at alone.
    """
    points = all_points()
    known = points if around == "{}" else [point for point in points if unicodedata.category(point) != "Cn"]
    names = [around.format(point) for point in known if point != "\0"]
    keys = [path_key(name) for name in names]
    assert in_sql(connection, paths.path_key("name"), names) == keys
    assert path_keys(pa.chunked_array([pa.array(names)])).to_pylist() == keys


def test_the_forms_refuse_the_same_code_points(connection: duckdb.DuckDBPyConnection) -> None:
    """Python, Arrow and SQL find a fault with the same characters."""
    names = [f"a{point}b" for point in all_points()]
    faults = [relpath_fault(name) is not None for name in names]
    assert in_sql(connection, paths.is_illegal("name"), names) == faults
    assert sum(faults) == sum(unicodedata.category(point) in ("Cc", "Zl", "Zp") for point in all_points()) + 9
    legal = [name for name, fault in zip(names, faults, strict=True) if not fault]
    told = 0
    for name in set(names) - set(legal):
        with pytest.raises(EventError):
            read_files(files_table({name: "x"}))
        told += 1
    assert told == sum(faults)


@settings(max_examples=drawn(300), deadline=None)
@given(st.lists(name, min_size=1, max_size=40))
@example(["straße.txt", "STRASSE.txt", "ﬃ", "FFI", "ᏸ", "Ᏸ"])
@example(["😀" * 64, "/".join(["😀" * 60] * 5), "/".join(["a" * 255] * 4), "/".join(["a" * 255] * 4) + "/b", ""])
def test_the_forms_agree_on_drawn_names(connection: duckdb.DuckDBPyConnection, names: list[str]) -> None:
    """Keys and faults of whole names are the same in Python, Arrow and SQL."""
    faults = [relpath_fault(name) is not None for name in names]
    assert in_sql(connection, paths.is_illegal("name"), names) == faults
    usable = [name for name in names if "\0" not in name]
    keys = [path_key(name) for name in usable]
    assert in_sql(connection, paths.path_key("name"), usable) == keys
    if usable:
        assert path_keys(pa.chunked_array([pa.array(usable)])).to_pylist() == keys
    table = files_table(dict.fromkeys(names, "x"))
    good = not any(faults) and len({path_key(name) for name in names}) == len(set(names))
    try:
        assert pc.all(pc.is_in(read_files(table)["relpath"], value_set=table["relpath"])).as_py() in (True, None)
    except EventError:
        assert not good
    else:
        assert good


def test_a_path_that_leads_elsewhere_is_an_illegal_one(connection: duckdb.DuckDBPyConnection) -> None:
    """What `leads_elsewhere` says is the part of the rule that has to do with parts."""
    names = [
        "",
        "/",
        "/a",
        "a/",
        "a//b",
        ".",
        "..",
        "a/../b",
        "./a",
        "a/.",
        "...",
        ".a",
        "a..",
        "a/.../b",
        "\u202e",
        "a",
    ]
    assert in_sql(connection, paths.leads_elsewhere("name"), names) == [True] * 10 + [False] * 6


# --- refused at the door ----------------------------------------------------------------------------------------------


@pytest.fixture
def releases(tmp_path: Path) -> Releases:
    """Return a host with an empty store."""
    return Releases(tmp_path / "store", settings=FAST)


def unpack(releases: Releases, artifact: str, *names: str, **changes: Any) -> None:
    """Record an artifact of release 1.0 and files with these names in it."""
    texts = {name: f"{artifact} {name}" for name in names}
    releases.download("1.0", artifact.encode(), artifact=artifact)
    releases.extract("1.0", artifact.encode(), texts, artifact=artifact, **changes)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("straße.txt", "STRASSE.txt"),
        ("É.ttl", "e\u0301.ttl"),
        ("ﬃ", "FFI"),
        ("\u13a0", "\uab70"),
        ("İ", "i\u0307"),
        ("Dir/a.ttl", "dir/b.ttl"),
        ("x/Straße/a.ttl", "x/STRASSE/y/b.ttl"),
        ("name", "NAME/a.ttl"),
        ("a/b/c.ttl", "a/B"),
    ],
)
def test_paths_of_two_archives_that_meet_where_case_is_folded(
    first: str, second: str, releases: Releases, caplog: pytest.LogCaptureFixture
) -> None:
    """Here both are recorded, with a warning; a portable release, and a file system that folds, refuse the second."""
    unpack(releases, "a.zip", first, "z/other.ttl")
    with pytest.raises(Conflict, match=r"belongs to another artifact .*are folded\."):
        unpack(releases, "b.zip", second, portable=True)
    # where case is folded, what differs in case is there already
    data = releases.root / "example/sample/1.0/data"
    folding = [data.joinpath(*second.split("/")[: depth + 1]) for depth in range(second.count("/") + 1)]
    made = next(path for path in folding if not path.exists())
    made.mkdir()
    with pytest.raises(Conflict, match=r"belongs to another artifact .*as this file system does"):
        unpack(releases, "b.zip", second)
    made.rmdir()
    assert releases.rows("SELECT relpath FROM extracted_files ORDER BY ALL") == sorted([(first,), ("z/other.ttl",)])
    caplog.clear()
    unpack(releases, "b.zip", second)
    assert sum("not portable" in record.getMessage() for record in caplog.records) == 1
    expected = sorted([(first,), ("z/other.ttl",), (second,)])
    assert releases.rows("SELECT relpath FROM extracted_files ORDER BY ALL") == expected
    releases.check()


@pytest.mark.parametrize(("first", "second"), [("a", "a/b"), ("a/b", "a"), ("a/b", "a/b"), ("Ä", "Ä")])
def test_the_same_path_of_two_archives_is_refused(first: str, second: str, releases: Releases) -> None:
    """A file in another one's place, or a folder in a file's, is refused wherever it is."""
    unpack(releases, "a.zip", first, "A/other.ttl")
    with pytest.raises(Conflict, match=r"belongs to another artifact \(sha256 [0-9a-f]+\); '[^']+' would meet it\."):
        unpack(releases, "b.zip", second)


def test_names_of_one_archive_may_meet_where_case_is_folded(releases: Releases) -> None:
    """What differs in case alone is recorded; equal names never, and for a portable release neither."""
    unpack(releases, "a.zip", "a.ttl", "A.ttl", "d/x", "D/y")
    releases.check()
    with pytest.raises(EventError, match="the same file where case and normal forms are folded"):
        unpack(releases, "b.zip", "b.ttl", "B.ttl", portable=True)


def test_neighbours_in_one_folder_are_fine(releases: Releases) -> None:
    """Two archives may share folders that are spelled alike."""
    unpack(releases, "a.zip", "Dir/a.ttl", "Dir/Straße/b.ttl")
    unpack(releases, "b.zip", "Dir/b.ttl", "Dir/Straße/a.ttl", "strasse.ttl", "DIR\\b/c.ttl")
    releases.check()


def test_names_that_are_one_folder_where_case_is_folded_are_refused(releases: Releases) -> None:
    """A second service, series or version that differs in case is refused, in a sentence that names the first."""
    releases.download("v1", b"x", service="obo", ontology="Hp")
    for service, ontology, version, said in (
        ("OBO", "mondo", "1", "The service obo is recorded; OBO would be the same folder"),
        ("obo", "hp", "2", "The series obo/Hp is recorded; obo/hp would be the same folder"),
        ("obo", "Hp", "V1", "The release obo/Hp/v1 is recorded; obo/Hp/V1 would be the same folder"),
    ):
        with pytest.raises(Conflict, match=said):
            releases.download(version, b"y", service=service, ontology=ontology)
    assert releases.rows("SELECT version_id FROM versions") == [("obo/Hp/v1",)]
    releases.download("V2", b"y", service="obo", ontology="Hp")


# --- what is there already --------------------------------------------------------------------------------------------


def test_what_is_there_already_is_found_and_keeps_working(releases: Releases, monkeypatch: pytest.MonkeyPatch) -> None:
    """Series that an earlier version let in, and paths, are notes; new releases and repeats are taken as before."""
    from ontofetch_catalog.catalog.repo import releases as rows

    with monkeypatch.context() as earlier:
        earlier.setattr(rows, "find_folded", lambda *_: None)
        unpack(releases, "a.zip", "straße.txt", "Dir/a.ttl")
        unpack(releases, "b.zip", "STRASSE.txt", "dir/b.ttl")
        releases.download("1.0", b"hp", service="example", ontology="Sample")
        releases.download("1.0", b"other", service="Example", ontology="hp")
    found = examine(Store(releases.root, FAST)).findings.to_pylist()
    assert [(row["code"], row["severity"], row["subject"], row["version_id"]) for row in found] == [
        ("CAT030", "note", "files: example/sample/1.0/straße.txt", "example/sample/1.0"),
        ("CAT030", "note", "folders: example/sample/1.0/dir", "example/sample/1.0"),
        ("CAT030", "note", "ontologies: example/sample", None),
        ("CAT030", "note", "services: example", None),
    ]
    assert found[0]["message"] == (
        "The files STRASSE.txt, straße.txt of example/sample/1.0 are one where case and normal forms are folded."
    )
    assert found[3]["message"] == "The services Example, example are one where case and normal forms are folded."
    unpack(releases, "b.zip", "STRASSE.txt", "dir/b.ttl")
    releases.download("2.0", b"hp 2", service="example", ontology="Sample")
    releases.pull("3.0", {"a.ttl": "x"})
    before = releases.rows("SELECT version_id, relpath, file_id FROM extracted_files ORDER BY ALL")
    rebuild(Store(releases.root, FAST), replace=True)
    assert releases.rows("SELECT version_id, relpath, file_id FROM extracted_files ORDER BY ALL") == before
    assert set(examine(Store(releases.root, FAST)).findings["code"].to_pylist()) == {"CAT030"}


def test_rows_that_no_door_lets_in_are_found(releases: Releases) -> None:
    """A direction mark or a part of 300 bytes in a row is a finding, wherever it came from."""
    releases.pull("1.0", {"a.ttl": "x", "b.ttl": "y"})
    with duckdb.connect(str(releases.root / ".catalog/ontofetch.duckdb")) as connection:
        connection.execute("UPDATE extracted_files SET relpath = 'a' || chr(8238) WHERE relpath = 'a.ttl'")
        connection.execute("UPDATE artifacts SET relpath = repeat('é', 150) || '.zip'")
    found = examine(Store(releases.root, FAST)).findings.to_pylist()
    broken = [row["message"] for row in found if row["code"] == "CAT027"]
    assert [message.split(" break a rule")[0] for message in broken] == [
        "1 rows of artifacts of example/sample/1.0",
        "1 rows of extracted_files of example/sample/1.0",
    ]


def test_files_whose_names_no_row_can_hold_are_found(releases: Releases) -> None:
    """A file in a release with a direction mark, or deeper than a path may be long, can only be renamed."""
    releases.pull("1.0", {"a.ttl": "x"})
    data = releases.root / "example/sample/1.0/data"
    (data / "a\u202e.ttl").write_text("x")
    deep = data.joinpath(*["d" * 250] * 5)
    deep.mkdir(parents=True)
    (deep / "x.ttl").write_text("x")
    found = examine(Store(releases.root, FAST)).findings["code"].to_pylist()
    assert found == ["CAT018", "CAT018"]
