"""Tables in events: what breaks the contract is refused before anything is written, valid extremes come back equal."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ontofetch_catalog.catalog.tables import read_files, read_results
from ontofetch_catalog.errors import EventError, PreconditionFailed
from ontofetch_hookspecs import Stage
from ontofetch_hookspecs.names import relpath_fault, unsafe_character
from ontofetch_hookspecs.testing import sample_download_done, sample_extract_done, sample_validate_done
from tests.levels import drawn
from tests.releases import TIME, Releases, files_table, query, results_table, sha256

pytestmark = pytest.mark.usefixtures("quick_databases")
A = {"a.ttl": "alpha", "d/b.ttl": "beta"}
FAST = {"durability": "off"}
ALPHABET = [
    *"ab/.",
    "\0",
    "\n",
    "\x1f",
    "\x7f",
    "\x85",
    "\u2028",
    "\u202e",
    "\u2066",
    "é",
    "\u0301",
    "ß",
    "😀",
    "\U0010ffff",
]


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Releases:
    """Return a host whose store has one release; no test may change it."""
    releases = Releases(tmp_path_factory.mktemp("recorded") / "store", settings=FAST)
    releases.pull("1.0", A)
    return releases


def _state(root: Path) -> dict[str, tuple[int, int, int]]:
    """Return path → (inode, size, mtime) of all there is, the catalog's own files too."""
    states = {path.relative_to(root).as_posix(): path.lstat() for path in root.rglob("*")}
    return {path: (found.st_ino, found.st_size, found.st_mtime_ns) for path, found in states.items()}


# --- paths ------------------------------------------------------------------------------------------------------------

paths = st.one_of(
    st.text(st.sampled_from(ALPHABET), max_size=12),
    st.text(st.characters(exclude_categories=("Cs",)), max_size=30),
    st.lists(
        st.tuples(st.sampled_from(["a", "é", "\u20ac", "😀"]), st.integers(60, 260)).map(
            lambda found: found[0] * found[1]
        ),
        min_size=1,
        max_size=6,
    ).map("/".join),
)


@settings(max_examples=drawn(700))
@given(path=paths)
@example("😀" * 64)
@example("😀" * 63)
@example("/".join(["😀" * 60] * 5))
@example("/".join(["a" * 255] * 4))
@example("/".join(["a" * 255] * 4) + "/b")
def test_the_columns_are_checked_as_single_names_are(path: str) -> None:
    """By column and by name the same paths are refused: the expressions overlook nothing and refuse nothing else."""
    table = files_table({path: "alpha"})
    fault = relpath_fault(path)
    if fault is None:
        assert read_files(table)["relpath"].to_pylist() == [path]
        return
    with pytest.raises(EventError) as refused:
        read_files(table)
    assert refused.value.message.endswith(f"{fault}.")
    assert str(refused.value).isprintable()


@settings(max_examples=drawn(500))
@given(st.lists(st.text(st.sampled_from("ab./"), max_size=5), min_size=1, max_size=4, unique=True))
def test_no_path_hides_among_others(paths: list[str]) -> None:
    """Many paths are looked at together; that overlooks none of them and refuses no good neighbours."""
    table = files_table(dict.fromkeys(paths, "alpha"))
    if any(relpath_fault(path) for path in paths):
        with pytest.raises(EventError, match=r"^The path "):
            read_files(table)
    else:
        assert read_files(table)["relpath"].to_pylist() == sorted(paths)


@settings(max_examples=drawn(200))
@given(st.lists(st.text(st.sampled_from("aAßsSéeÉE\u0301ﬃİ"), min_size=1, max_size=4), min_size=2, max_size=6))
def test_paths_that_are_one_file_somewhere_are_refused(names: list[str]) -> None:
    """Two paths that differ only in case or normal form are refused, and no others."""
    import unicodedata

    def key(name: str) -> str:
        return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())

    table = files_table(dict.fromkeys(names, "alpha"))
    if len({key(name) for name in names}) == len(set(names)):
        assert len(read_files(table)) == len(set(names))
    else:
        with pytest.raises(EventError, match="same file where case"):
            read_files(table)


# --- refused before anything is written -------------------------------------------------------------------------------

Change = tuple[str, pa.Array]


def _strings(*values: str | None) -> pa.Array:
    return pa.array(values, pa.string())


bad_hash = st.text(st.sampled_from("0123456789abcdefABCG \n"), max_size=70).filter(
    lambda text: not (len(text) == 64 and set(text) <= set("0123456789abcdef"))
)
other_types = st.sampled_from(
    [
        pa.array([1, 2]),
        pa.array([1.5, 2.5]),
        pa.array([True, False]),
        pa.array([b"a", b"b"]),
        pa.array([["a"], ["b"]]),
        pa.array([{"a": 1}, {"a": 2}]),
        pa.array(["a", "b"]),
        pa.array([TIME.replace(tzinfo=None)] * 2),
        pa.array([TIME.date()] * 2),
        pa.array([b"\xff\xfe", b"\xed\xa0\x80"], pa.binary()).view(pa.string()),
        pa.nulls(2),
    ]
)
micro = pa.timestamp("us", "UTC")
FILE_FAULTS: dict[str, st.SearchStrategy[pa.Array]] = {
    "relpath": st.one_of(
        paths.filter(lambda path: relpath_fault(path) is not None).map(lambda path: _strings("a.ttl", path)),
        st.just(_strings("a.ttl", "a.ttl")),
        st.just(_strings("a.ttl", None)),
    ),
    "file_id": st.one_of(bad_hash.map(lambda text: _strings("0" * 64, text)), st.just(_strings("0" * 64, None))),
    "format": st.one_of(
        st.sampled_from(["", "Turtle", "a b", "ä", "a\n", "a" * 41]).map(lambda text: _strings("turtle", text)),
        st.just(_strings("turtle", None)),
    ),
    "size_bytes": st.one_of(
        st.integers(-(2**63), -1).map(lambda size: pa.array([5, size])),
        st.integers(2**63, 2**64 - 1).map(lambda size: pa.array([5, size], pa.uint64())),
        st.integers(2**62, 2**63 - 1).map(lambda size: pa.array([2**62, size])),
        st.just(pa.array([5, None], pa.int64())),
    ),
    "mtime": st.one_of(
        st.integers(-(2**63), -62_135_596_800_000_001).map(lambda at: pa.array([0, at]).cast(micro)),
        st.integers(253_402_300_800_000_000, 2**63 - 1).map(lambda at: pa.array([0, at]).cast(micro)),
        st.just(pa.array([0, None], micro)),
        st.datetimes().map(lambda at: pa.array([TIME.replace(tzinfo=None), at], pa.timestamp("us"))),
    ),
}
RESULT_FAULTS: dict[str, st.SearchStrategy[pa.Array]] = {
    "relpath": FILE_FAULTS["relpath"].filter(lambda column: column.to_pylist() != ["a.ttl", "a.ttl"]),
    "file_id": FILE_FAULTS["file_id"],
    "validator": st.sampled_from(["", "-a", "a\n", "ä", "a" * 101, "a/b"]).map(lambda text: _strings("ok", text)),
    "validator_version": st.sampled_from(["", " ", "a\0", "\u202e1"]).map(lambda text: _strings("1", text)),
    "passed": st.just(pa.array([True, None], pa.bool_())),
    "details": st.sampled_from(
        [
            "",
            "null",
            "[]",
            '"a"',
            "1",
            "{",
            '{"a": NaN}',
            '{"a": Infinity}',
            '{"a": "\\ud800"}',
            '{"a": ' + "[" * 100_000,
        ]
    ).map(lambda text: _strings("{}", text)),
    "run_at": FILE_FAULTS["mtime"],
}
FITTING = {
    **dict.fromkeys(("relpath", "file_id", "format", "validator", "validator_version", "details"), (pa.string(),)),
    "size_bytes": (pa.int64(),),
    "passed": (pa.bool_(),),
    "mtime": (),
    "run_at": (),
}


@settings(max_examples=drawn(400))
@given(data=st.data())
def test_a_files_table_with_a_fault_changes_nothing(recorded: Releases, data: st.DataObject) -> None:
    """One wrong value in one column: EventError, and neither the store nor the stage has changed."""
    _refuse(recorded, data, FILE_FAULTS, files_table(A), lambda table: sample_extract_done(
        recorded.root, table, artifact="a.zip", artifact_id=sha256(json.dumps(A).encode())
    ), recorded.manager.hook.on_extract_done)  # fmt: skip


@settings(max_examples=drawn(400))
@given(data=st.data())
def test_a_results_table_with_a_fault_changes_nothing(recorded: Releases, data: st.DataObject) -> None:
    """One wrong value in one column: EventError, and the store has not changed."""
    _refuse(recorded, data, RESULT_FAULTS, results_table(A), lambda table: sample_validate_done(
        recorded.root, table
    ), recorded.manager.hook.on_validate_done)  # fmt: skip


def _refuse(  # noqa: PLR0917 - a table, how it is sent, and what is done to it
    recorded: Releases,
    data: st.DataObject,
    faults: dict[str, st.SearchStrategy[pa.Array]],
    table: pa.Table,
    make: Callable[[pa.Table], Any],
    hook: Callable[..., object],
) -> None:
    name = data.draw(st.sampled_from(sorted(faults)))
    kinds = other_types.filter(lambda column: column.type not in FITTING[name] or not _is_text(column))
    column = data.draw(st.one_of(faults[name], kinds))
    way = data.draw(st.sampled_from(["change", "change", "change", "drop", "double"]))
    index = table.schema.get_field_index(name)
    wrong = {
        "change": lambda: table.set_column(index, name, column),
        "drop": lambda: table.remove_column(index),
        "double": lambda: table.append_column(name, column),
    }[way]()
    before = _state(recorded.root)
    with pytest.raises(EventError) as refused:
        hook(event=make(wrong))
    assert _state(recorded.root) == before
    assert len(str(refused.value)) < 1500


def _is_text(column: pa.Array) -> bool:
    try:
        column.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return column.null_count == 0


@pytest.mark.parametrize("version", ["9.9", "1.0-other"])
def test_a_release_that_nobody_recorded_leaves_no_row(recorded: Releases, version: str) -> None:
    """Files, results and pointers of an unknown release are refused, and the catalog has not one row more."""
    tables = ("versions", "artifacts", "extracted_files", "validations", "latest_pointer")
    before = {table: recorded.rows(f"SELECT * FROM {table} ORDER BY ALL") for table in tables}
    for step in (
        lambda: recorded.extract(version, b"bytes", {}, staged=None),
        lambda: recorded.validate(version, results_table({})),
        lambda: recorded.set_latest(version),
    ):
        with pytest.raises(PreconditionFailed, match=version):
            step()
    assert {table: recorded.rows(f"SELECT * FROM {table} ORDER BY ALL") for table in tables} == before
    assert not (recorded.root / "example/sample" / version).exists()


def test_bytes_of_another_release_are_not_staged_bytes(recorded: Releases) -> None:
    """A `staged` that names a published file or the catalog's own is refused: it would be moved away."""
    before = _state(recorded.root)
    artifact = recorded.root / "example/sample/1.0/src/a.zip"
    for path in (artifact, recorded.root / ".catalog/ontofetch.duckdb", recorded.root / "example/sample/1.0/data"):
        with pytest.raises(EventError, match="not staged"):
            recorded.download("2.0", artifact.read_bytes(), staged=path)
        with pytest.raises(EventError, match="not staged"):
            recorded.extract("1.0", artifact.read_bytes(), A, staged=path)
    assert _state(recorded.root) == before


# --- what fits --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "table",
    [
        pl.DataFrame(files_table(A)),
        pl.DataFrame(files_table(A)).with_columns(pl.col("format").cast(pl.Categorical)),
        files_table(A).set_column(2, "format", files_table(A)["format"].dictionary_encode()),
        files_table(A).set_column(3, "size_bytes", files_table(A)["size_bytes"].cast(pa.uint8())),
        files_table(A).set_column(4, "mtime", files_table(A)["mtime"].cast(pa.timestamp("s", "Asia/Tokyo"))),
        files_table(A)
        .append_column("extra", pa.array([1, 2]))
        .select(["extra", *reversed(files_table(A).column_names)]),
    ],
    ids=["polars", "polars categorical", "dictionary", "uint8", "seconds in Tokyo", "more columns, another order"],
)
def test_what_means_the_same_is_taken(table: Any) -> None:
    """Another library, a narrower type, another zone or order is the same table."""
    assert read_files(table).equals(read_files(files_table(A)))


def test_empty_tables_may_not_know_their_types() -> None:
    """A table without rows fits whatever its columns are."""
    for empty in (files_table({}), pa.table({name: [] for name in files_table({}).column_names})):
        assert len(read_files(empty)) == 0
    for empty in (results_table({}), pl.DataFrame({name: [] for name in results_table({}).column_names})):
        assert len(read_results(empty)) == 0


# --- extremes through real boundaries ---------------------------------------------------------------------------------


def _planes() -> list[str]:
    """Return names with characters of every plane of Unicode, its first, last and unassigned ones among them."""
    names = []
    for plane in range(17):
        points = [
            plane * 0x10000 + offset for offset in (0x20, 0xE9, 0x4E00, 0x8000, 0xE000, 0xFEFF, 0xFFFD, 0xFFFE, 0xFFFF)
        ]
        text = "".join(chr(point) for point in points if not 0xD800 <= point <= 0xDFFF)
        assert unsafe_character(text) is None
        names.append(f"plane-{plane:02}/{text}.ttl")
    return names


def test_extremes_of_names_and_times_come_back_equal(tmp_path: Path) -> None:
    """Every plane of Unicode, the longest names and paths, the ends of the calendar: rows, audit and files agree."""
    releases = Releases(tmp_path / "store", settings=FAST)
    long_part, deep = "x" * 251 + ".ttl", "/".join(["d" * 255] * 3 + ["e" * 247 + ".ttl"])
    names = [
        *_planes(),
        long_part,
        "é" * 125 + ".ttl",
        "😀" * 62 + ".ttl",
        deep,
        " ",
        "~",
        "-rf",
        "*",
        "a\\b",
        "'\"`$(x)",
    ]
    texts = {name: f"text of {number}" for number, name in enumerate(names)}
    table = files_table(texts)
    ends = [datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)]
    times = [*ends, *[TIME] * (len(table) - 2)]
    table = table.set_column(4, "mtime", pa.array(times, micro))
    # with the folder of the stage it is the longest path that can be staged
    assert len(f"data/{deep}") == 1024
    releases.download("1.0", b"bytes")
    releases.extract("1.0", b"bytes", texts, files=table)
    results = results_table(texts)
    results = results.set_column(6, "run_at", pa.array(times, micro))
    releases.validate("1.0", results)
    releases.set_latest("1.0")
    releases.check()
    rows = releases.rows("SELECT relpath, file_id, format, size_bytes, mtime FROM extracted_files ORDER BY relpath")
    naive = table.set_column(4, "mtime", table["mtime"].cast(pa.timestamp("us")))
    assert sorted(rows) == sorted(tuple(row.values()) for row in naive.to_pylist())
    audit = (releases.root / "example/sample/1.0/.extract.audit.json").read_text(encoding="utf-8").splitlines()
    assert {json.loads(line)["relpath"] for line in audit} == set(names)
    assert releases.rows("SELECT count(*) FROM v_latest_files") == [(len(names),)]
    assert sorted(releases.rows("SELECT relpath, run_at FROM validations")) == sorted(
        zip(results["relpath"].to_pylist(), results["run_at"].cast(pa.timestamp("us")).to_pylist(), strict=True)
    )


def _sparse(path: Path) -> int:
    """Make the largest sparse file that the file system allows, and return its size in bytes."""
    for power in range(62, 30, -1):
        try:
            os.truncate(path, 2**power - 1)
        except OSError:
            continue
        return 2**power - 1
    raise AssertionError("no file system is that small")


def test_extremes_of_size_come_back_equal(tmp_path: Path) -> None:
    """The largest files that a file system holds, as artifact and as extracted file, have their sizes everywhere."""
    releases = Releases(tmp_path / "store", settings=FAST)
    stage = Stage.create(releases.root)
    with stage.write_file("src/a.zip") as staged:
        pass
    size = _sparse(staged.path)
    # nobody can hash that many zeros: the record of the stage says what they are
    stage.update(name="src/a.zip", sha256="a" * 64, size=size, complete=True)
    event = sample_download_done(releases.root, artifact="a.zip", sha256="a" * 64, size_bytes=size, staged=staged.path)
    releases.manager.hook.on_download_done(event=event)
    folder = releases.stage_tree({"a.bin": "", "b.bin": "b"})
    assert _sparse(folder / "a.bin") == size
    table = files_table({"a.bin": "", "b.bin": "b"}).set_column(3, "size_bytes", pa.array([size, 1]))
    files = sample_extract_done(releases.root, table, artifact="a.zip", artifact_id="a" * 64, staged=folder)
    releases.manager.hook.on_extract_done(event=files)
    stage.close()
    assert releases.rows("SELECT size_bytes FROM artifacts") == [(size,)]
    assert releases.rows("SELECT relpath, size_bytes FROM extracted_files ORDER BY 1") == [
        ("a.bin", size),
        ("b.bin", 1),
    ]
    assert releases.rows("SELECT size_bytes FROM v_version_stats") == [(size + 1,)]
    manifest = json.loads((releases.root / "example/sample/1.0/manifest.json").read_bytes())
    assert manifest["artifacts"][0]["size_bytes"] == size


def test_a_million_rows_come_back_equal(tmp_path: Path) -> None:
    """A million results are one boundary, and the rows are those of the table."""
    releases = Releases(tmp_path / "store", settings=FAST)
    texts = {f"{number:03}.ttl": "alpha" for number in range(100)}
    releases.download("1.0", b"bytes")
    releases.extract("1.0", b"bytes", texts)
    one = results_table(texts)
    million = pa.concat_tables([one] * 10_000).combine_chunks()
    validators = pc.binary_join_element_wise("v", pa.array([n // 100 for n in range(1_000_000)]).cast(pa.string()), "")
    million = million.set_column(2, "validator", validators)
    assert releases.validate("1.0", million).rows == 1_000_000
    found = query(
        releases.root,
        "SELECT count(*), count(DISTINCT (relpath, validator)), min(validator), max(file_id), bool_and(passed),"
        " count(DISTINCT run_at), min(details::VARCHAR) FROM validations",
    )
    digest = sha256(b"alpha")
    assert found == [(1_000_000, 1_000_000, "v0", digest, True, 1, '{"triples": 1}')]
    audit = releases.root / "example/sample/1.0/.validation.audit.json"
    with audit.open("rb") as stream:
        assert sum(1 for _ in stream) == 1_000_000
