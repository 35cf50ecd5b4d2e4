"""The verbs of `db` that look at rows say what is recorded, name a release as a user does, and fit a terminal."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ontofetch_catalog.catalog.repo import queries, story
from tests.cli.conftest import A, B, Run
from tests.releases import Releases

Rows = Callable[..., list[dict[str, Any]]]
VERBS = (
    ["db", "versions"],
    ["db", "files", "2.0"],
    ["db", "stats"],
    ["db", "find", "*.ttl"],
    ["db", "delta", "1.0", "2.0"],
    ["db", "events"],
    ["db", "latest", "history"],
    ["plugins"],
)


def test_versions_are_listed_in_the_order_of_the_series(rows: Rows) -> None:
    """Each release is there with its counts; the last set is the latest."""
    found = rows("db", "versions", "sample")
    assert [row["version_id"] for row in found] == ["example/sample/1.0", "example/sample/2.0"]
    assert [row["is_latest"] if "is_latest" in row else row["latest"] for row in found] == [False, True]
    assert [row["files"] for row in found] == [len(A), len(B)]
    assert [row["size_bytes"] for row in found] == [sum(map(len, A.values())), sum(map(len, B.values()))]


def test_of_one_series_the_newest_are_shown(run: Run) -> None:
    """Where not all are, those before are left out; of several series the first ones stand, as in any list."""
    code, out, _ = run("db", "versions", "sample", "--top", "1", "--format", "table")
    assert code == 0
    assert "example/sample/2.0" in out
    assert "example/sample/1.0" not in out
    assert "… and 1 before (--top 2, or --format json)" in out
    _, out, _ = run("db", "versions", "--top", "1", "--format", "table")
    assert "example/sample/1.0" in out
    assert "… and 1 more" in out


def test_list_is_another_word_for_versions(run: Run) -> None:
    """`db list` prints what `db versions` prints, its help too, and both helps say so."""
    assert run("db", "list") == run("db", "versions")
    help_of_list = run("db", "list", "--help")
    assert help_of_list == run("db", "versions", "--help")
    assert "`db list` is the same" in " ".join(help_of_list[1].split())
    assert "(also: list)" in run("db", "--help")[1]


def test_files_are_narrowed_by_a_glob_that_crosses_folders(rows: Rows) -> None:
    """`*` matches `/`, and a release may be named by the end of its id, latest, or previous."""
    assert [row["relpath"] for row in rows("db", "files", "sample/latest")] == sorted(B)
    assert [row["relpath"] for row in rows("db", "files", "sample/previous", "--include", "*old*")] == ["d/old.ttl"]
    (row,) = rows("db", "files", "example/sample/2.0", "--include", "a.ttl")
    assert row["file_id"] == hashlib.sha256(B["a.ttl"].encode()).hexdigest()


def test_stats_sum_up_one_release_with_its_formats(rows: Rows) -> None:
    """One release has its formats beside it, a series has a row per release."""
    assert len(rows("db", "stats", "--series", "example/sample")) == 2
    (row,) = rows("db", "stats", "2.0")
    assert (row["files"], row["passed"], row["failed"], row["not_validated"]) == (len(B), len(B), 0, 0)
    (formats,) = rows("db", "stats", "2.0", section="formats")
    assert (formats["format"], formats["files"]) == ("turtle", len(B))


def test_find_finds_a_content_by_its_hash_and_a_path_by_its_end(run: Run, rows: Rows) -> None:
    """A content is found wherever it lies; what is not recorded is an error."""
    digest = hashlib.sha256(b"two").hexdigest()
    assert {row["relpath"] for row in rows("db", "find", digest)} == {"d/old.ttl", "d/new.ttl"}
    assert {row["relpath"] for row in rows("db", "find", digest[:10].upper())} == {"d/old.ttl", "d/new.ttl"}
    assert {row["version_id"] for row in rows("db", "find", "same.ttl")} == {"example/sample/1.0", "example/sample/2.0"}
    code, _, err = run("db", "find", "nowhere.ttl")
    assert code == 1
    assert err.startswith("error: Nothing recorded has the sha256 or path 'nowhere.ttl'. A path is named whole, ")


def test_delta_tells_what_changed(rows: Rows) -> None:
    """One row per change, unchanged files only when asked for, and the sums beside them."""
    found = {row["relpath"]: row["change"] for row in rows("db", "delta", "1.0", "2.0")}
    changes = {"a.ttl": "MODIFIED", "d/new.ttl": "RENAMED", "gone.ttl": "REMOVED", "come.ttl": "ADDED"}
    assert found == changes
    assert len(rows("db", "delta", "1.0", "2.0", "--all")) == len(changes) + 1
    (summary,) = rows("db", "delta", "1.0", "2.0", section="summary")
    assert summary["net_bytes"] == sum(map(len, B.values())) - sum(map(len, A.values()))


def test_delta_of_a_release_with_itself_says_so(run: Run) -> None:
    """Nothing changed, and a line says it."""
    code, out, err = run("db", "delta", "2.0", "2.0", "--json")
    assert (code, json.loads(out)["rows"]) == (0, [])
    assert err == "example/sample/2.0 and example/sample/2.0 have the same files.\n"


def test_events_are_listed_newest_first_and_narrowed(rows: Rows) -> None:
    """A type may be a glob, a release any name of it."""
    kinds = [row["type"] for row in rows("db", "events", "--release", "1.0")]
    assert kinds == ["latest.set", "validate.done", "extract.done", "extract.start", "download.done"]
    assert {row["type"] for row in rows("db", "events", "--type", "extract.*")} == {"extract.start", "extract.done"}


@pytest.mark.parametrize("words", [("db", "events"), ("log", "--all")])
def test_events_that_a_table_leaves_out_are_counted_and_not_read(
    store: Path, run: Run, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    """A table of a few of very many says how many more there are; other formats have all of them."""
    read: list[int | None] = []
    newest_of = story.newest_of

    def watched(*args: Any) -> tuple[Any, int]:
        rows, total = newest_of(*args)
        read.append(rows.num_rows)
        return rows, total

    monkeypatch.setattr(story, "newest_of", watched)
    monkeypatch.setattr(queries, "newest_of", watched)
    everything = len(json.loads(run(*words, "--json")[1])["rows"])
    code, out, _ = run(*words, "--top", "3")
    assert (code, read) == (0, [everything, 3])
    assert f"… and {everything - 3} more (--top {everything}, or --format json)" in out


def test_a_name_that_may_be_several_releases_lists_them(store: Path, run: Run) -> None:
    """An ambiguous name is an error with the candidates, an unknown one says where to look."""
    other = Releases(store, settings={"durability": "off"})
    other.download("1.0", b"x", service="other")
    code, _, err = run("db", "files", "1.0")
    assert code == 1
    assert "example/sample/1.0, other/sample/1.0" in err
    code, _, err = run("db", "files", "9.9")
    assert (code, err) == (
        1,
        "error: No release '9.9' is recorded. `ontofetch db versions` lists what there is.\n",
    )


@pytest.mark.parametrize("words", VERBS, ids=" ".join)
def test_tables_fit_eighty_columns(words: list[str], run: Run) -> None:
    """At 80 columns every verb draws a grid with one line per row, and no line is longer."""
    code, out, err = run(*words)
    assert code == 0, err
    lines = out.splitlines()
    assert all(len(line) <= 80 for line in lines)
    assert any(set(line) == {"─", " "} for line in lines[:6])


@pytest.mark.parametrize("verb", ["versions", "files", "stats", "find", "delta", "events", "latest"])
def test_every_verb_has_an_example(verb: str, run: Run) -> None:
    """The help of each verb ends with something to type."""
    code, out, _ = run("db", verb, "--help")
    assert code == 0
    assert f"example: ontofetch db {verb}" in out


def test_without_a_catalog_a_verb_says_what_makes_one(run: Run, tmp_path: Path) -> None:
    """Looking below an empty root is an error with the next step."""
    code, out, err = run("db", "versions", root=tmp_path / "empty")
    assert (code, out) == (1, "")
    assert "There is no catalog below" in err
    assert "ontofetch pull" in err
    assert not (tmp_path / "empty").exists()


def test_what_duckdb_says_in_the_middle_of_a_query_is_one_sentence(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A damaged block found while reading is told in one line, with what to do next."""

    def broken(*_: object) -> None:
        raise duckdb.IOException("IO Error: Corrupt database file\n\nStack Trace:\n\nsomewhere")

    monkeypatch.setattr("ontofetch_catalog.catalog.repo.queries.list_versions", broken)
    code, out, err = run("db", "versions")
    assert (code, out) == (1, "")
    assert err.count("\n") == 1
    assert "Corrupt database file" in err
    assert "ontofetch db restore" in err


@pytest.mark.parametrize("words", [("db", "events"), ("log", "--all")])
def test_all_events_are_read_part_by_part(
    store: Path, rows: Rows, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    """However many they are, no more of them are sorted at once than a part, and all are there, newest first."""
    every = rows(*words)
    assert len(every) > 4
    asked: list[int] = []
    newest = story._newest

    def watched(*args: Any) -> Any:
        found = newest(*args)
        asked.append(found.num_rows)
        return found

    monkeypatch.setattr(story, "_PART", 2)
    monkeypatch.setattr(story, "_newest", watched)
    assert rows(*words) == every
    assert max(asked) <= 2
    assert rows("db", "events", "--type", "never.*") == []


@pytest.mark.parametrize("more", [(), ("--all",)])
def test_files_that_a_delta_leaves_out_are_counted_and_not_read(
    store: Path, run: Run, rows: Rows, monkeypatch: pytest.MonkeyPatch, more: tuple[str, ...]
) -> None:
    """Of very many files that differ a table has the first, and says how many more there are."""
    every = rows("db", "delta", "1.0", "2.0", *more)
    assert len(every) > 1
    read: list[int] = []
    list_delta = queries.list_delta

    def watched(*args: Any, **options: Any) -> Any:
        found = list_delta(*args, **options)
        read.append(found.num_rows)
        return found

    monkeypatch.setattr(queries, "list_delta", watched)
    _, out, _ = run("db", "delta", "1.0", "2.0", *more, "--top", "1")
    assert read == [1]
    assert f"… and {len(every) - 1} more (--top {len(every)}, or --format json)" in out


def test_no_two_lines_of_a_sum_are_called_the_same(store: Path, run: Run) -> None:
    """The sum of a delta counts files and sizes, under names of their own."""
    _, out, _ = run("db", "delta", "1.0", "2.0")
    names = [line.split("  ")[0] for line in out.partition("summary\n")[2].splitlines()]
    assert {"added", "size added", "removed", "size removed"} <= set(names)
    assert len(names) == len(set(names))
