"""`ontofetch show` and `ontofetch log`: one page about a thing, and the story of a store in sentences."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ontofetch_catalog.catalog.repo.story import list_story
from ontofetch_catalog.rendering.text import human_size
from tests.cli.conftest import Run
from tests.releases import Releases, sha256

pytestmark = pytest.mark.usefixtures("quick_databases")

Rows = Callable[..., list[dict[str, Any]]]
OLD, NEW = "example/sample/1.0", "example/sample/2.0"


def sections(run: Run, *words: str) -> dict[str, Any]:
    """Return what a command prints as JSON: section → rows, and `what` → what it was taken for."""
    code, out, err = run(*words, "--json")
    assert code == 0, err
    found = json.loads(out)
    return {**found["sections"], "what": found["parameters"]["kind"]}


@pytest.mark.parametrize("word", ["2.0", NEW, "sample/2.0", "sample/latest"])
def test_a_release_has_one_page(run: Run, word: str) -> None:
    """Its sums, artifacts, formats, and what changed since the release before; what is recorded, recounted."""
    run("db", "latest", "set", NEW)
    found = sections(run, "show", word)
    assert found["what"] == "release"
    (row,) = found["release"]
    assert (row["version_id"], row["latest"], row["previous"], row["next"]) == (NEW, True, OLD, None)
    assert (row["files"], row["artifacts"], row["position"], row["incomplete"]) == (4, 1, 2, False)
    assert row["size_bytes"] == sum(item["size_bytes"] for item in found["file_formats"])
    assert [item["files"] for item in found["artifacts"]] == [4]
    assert {name: found["change"][0][name] for name in ("added", "removed", "modified", "renamed")} == {
        "added": 1,
        "removed": 1,
        "modified": 1,
        "renamed": 1,
    }
    assert found["doubts"] == []


def test_the_first_release_has_no_change(run: Run) -> None:
    """There is nothing to compare it with."""
    assert "change" not in sections(run, "show", OLD)


OBO = """format-version: 1.2
data-version: {version}
ontology: sample

[Term]
id: X:1
name: one

[Term]
id: X:2
name: two
"""
TURTLE = """@prefix owl: <http://www.w3.org/2002/07/owl#> .
@prefix dcterms: <http://purl.org/dc/terms/> .
<urn:o> a owl:Ontology ; dcterms:title "Our\\u001b[31m rules" ; dcterms:license <urn:licence> ;
  owl:versionIRI <urn:o/1> ; owl:imports <urn:a>, <urn:b> .
"""


def pull(run: Run, source: Path, version: str, root: Path) -> None:
    """Pull a file as a release of s/o."""
    words = ("--service", "s", "--ontology", "o", "--version", version)
    code, _, err = run("pull", str(source), *words, root=root)
    assert code == 0, err


def test_a_release_shows_what_its_documents_state(tmp_path: Path, run: Run) -> None:
    """Title, licence, version IRI and imports of each header; whatever is in them is harmless on a terminal."""
    source, root = tmp_path / "rules.ttl", tmp_path / "stated"
    source.write_text(TURTLE)
    pull(run, source, "1", root)
    (row,) = json.loads(run("show", "s/o/1", "--json", root=root)[1])["sections"]["documents"]
    assert (row["relpath"], row["title"], row["licence"]) == ("rules.ttl", "Our\x1b[31m rules", "urn:licence")
    assert (row["version_iri"], row["ontology_iri"], row["version"]) == ("urn:o/1", "urn:o", None)
    assert set(row["imports"].split()) == {"urn:a", "urn:b"}
    out = run("show", "s/o/1", "--format", "table", root=root)[1]
    assert "version IRI" in out
    assert "\x1b" not in out


def test_without_headers_a_release_shows_what_the_host_said(tmp_path: Path, run: Run) -> None:
    """A downloader that knows a title and a licence has said them; one that knows none leaves the section empty."""
    root = tmp_path / "said"
    releases = Releases(root, settings={"durability": "off"})
    releases.download("1", b"one", title="A sample", licence="urn:licence")
    releases.download("2", b"two")
    found = [
        json.loads(run("show", f"sample/{name}", "--json", root=root)[1])["sections"]["documents"] for name in "12"
    ]
    assert [(row["relpath"], row["title"], row["licence"]) for row in found[0]] == [(None, "A sample", "urn:licence")]
    assert found[1] == []


def test_a_release_shows_its_change_in_meaning(tmp_path: Path, run: Run) -> None:
    """Counts of terms against the release before; a release with nothing before has none."""
    source, root = tmp_path / "sample.obo", tmp_path / "terms"
    source.write_text(OBO.format(version=1))
    pull(run, source, "1", root)
    changed = OBO.format(version=2).replace("name: two", "name: obsolete two\nis_obsolete: true")
    source.write_text(changed.replace("X:1", "X:3") + "\n[Term]\nid: X:4\nname: four\n")
    pull(run, source, "2", root)
    first, second = (json.loads(run("show", f"s/o/{name}", "--json", root=root)[1])["sections"] for name in "12")
    assert "meaning" not in first
    assert second["meaning"] == [{"terms_added": 2, "terms_removed": 1, "obsoleted": 1}]
    # what nobody knows is not counted, and it is said where to look
    for table in (root / ".catalog/facts").rglob("*.parquet"):
        table.unlink()
    code, out, err = run("show", "s/o/2", "--json", root=root)
    assert (code, "meaning" in json.loads(out)["sections"]) == (0, False)
    assert "`ontofetch report meaning --a s/o/1 --b s/o/2` says of which" in err


def test_a_release_shows_notes_tags_and_what_it_replaced(run: Run, rows: Rows) -> None:
    """Tags stand also in the list of releases; what was latest before is named as long as it is a former one."""
    run("note", NEW, "the one that the paper cites")
    run("tag", NEW, "published")
    run("tag", NEW, "v2")
    found = sections(run, "show", NEW)
    assert [row["text"] for row in found["notes"]] == ["the one that the paper cites"]
    (row,) = found["release"]
    assert (row["tags"], row["replaced"]) == ("published v2", OLD)
    assert sections(run, "show", OLD)["release"][0]["replaced"] is None
    assert [row["tags"] for row in rows("db", "versions")] == [None, "published v2"]
    run("db", "latest", "set", OLD)
    assert sections(run, "show", OLD)["release"][0]["replaced"] == NEW
    run("db", "latest", "unset", "sample")
    run("db", "latest", "set", NEW)
    (row,) = sections(run, "show", NEW)["release"]
    assert (row["latest"], row["replaced"]) == (True, None)


@pytest.mark.parametrize("word", ["sample", "example/sample"])
def test_a_series_has_one_page(run: Run, word: str) -> None:
    """Its releases in their order, what is latest and what was; the newest is named also where none is latest."""
    found = sections(run, "show", word)
    assert found["what"] == "series"
    assert [row["version_id"] for row in found["versions"]] == [OLD, NEW]
    (row,) = found["series_page"]
    assert (row["latest"], row["newest"], row["releases"], row["files"]) == (NEW, NEW, 2, 8)
    run("db", "latest", "set", OLD)
    found = sections(run, "show", word)
    assert (found["series_page"][0]["latest"], found["series_page"][0]["newest"]) == (OLD, NEW)
    assert [row["version_id"] for row in found["pointers"]] == [OLD, NEW, OLD]


def test_of_many_releases_the_newest_are_shown(run: Run) -> None:
    """The page of a series is cut at its beginning, and says how many came before."""
    out = run("show", "sample", "--top", "1", "--as", "series")[1]
    releases = out.partition("\nreleases\n")[2].partition("\n\n")[0]
    assert NEW in releases
    assert OLD not in releases
    assert "… and 1 before" in releases


def test_a_path_and_a_hash_are_found(run: Run) -> None:
    """A path shows where it is in all releases, a sha256 everything with these bytes."""
    found = sections(run, "show", "a.ttl")
    assert found["what"] == "file"
    assert {(row["version_id"], row["sha256"]) for row in found["found"]} == {
        (OLD, sha256(b"one")),
        (NEW, sha256(b"ONE!")),
    }
    found = sections(run, "show", sha256(b"two")[:12].upper())
    assert found["what"] == "content"
    assert [row["relpath"] for row in found["found"]] == ["d/old.ttl", "d/new.ttl"]


def test_what_fits_several_can_be_chosen(tmp_path: Path, run: Run) -> None:
    """A file that is called like a series is found by saying that it is a file."""
    root = tmp_path / "other"
    Releases(root, settings={"durability": "off"}).pull("1", {"sample": "x"})
    assert json.loads(run("show", "sample", "--json", root=root)[1])["parameters"]["kind"] == "series"
    code, out, _ = run("show", "sample", "--as", "file", "--json", root=root)
    assert (code, json.loads(out)["rows"][0]["relpath"]) == (0, "sample")


@pytest.mark.parametrize("words", [("nothing",), ("sample", "--as", "release"), ("other/latest",), ("\x1b[31m",)])
def test_what_is_not_recorded_is_a_sentence(run: Run, words: tuple[str, ...]) -> None:
    """It names the word, harmlessly, and what to type next."""
    code, out, err = run("show", *words)
    assert (code, out) == (1, "")
    assert err.startswith("error: ")
    assert "ontofetch" in err
    assert "\x1b" not in err


def test_a_name_alone_may_be_that_of_a_term(run: Run) -> None:
    """Terms are looked for by IRIs and CURIEs only; whoever types the end of an IRI is told how to ask for it."""
    said = run("show", "Air Sensor")[2]
    assert "`ontofetch show 'Air Sensor' --as term` looks among the terms" in said
    assert "--as term" not in run("show", "Sensor", "--as", "series")[2]


def test_failures_have_their_reasons(tmp_path: Path, run: Run) -> None:
    """What failed or was not judged stands on the page of its release and of its file, and in the story."""
    root = tmp_path / "judged"
    source = tmp_path / "bad.ttl"
    source.write_text("<urn:a> <urn:b> .\n")
    names = ("--service", "s", "--ontology", "o", "--version", "1")
    assert run("pull", str(source), *names, root=root)[0] == 3
    found = json.loads(run("show", "s/o/1", "--json", root=root)[1])["sections"]
    (doubt,) = found["doubts"]
    assert (doubt["relpath"], doubt["outcome"]) == ("bad.ttl", "failed")
    assert "line 1" in doubt["reason"]
    (result,) = json.loads(run("show", "bad.ttl", "--as", "file", "--json", root=root)[1])["sections"]["results"]
    assert (result["outcome"], result["reason"]) == ("failed", doubt["reason"])
    (series,) = json.loads(run("--json", root=root)[1])["rows"]
    assert (series["latest"], series["newest"], series["failed"], series["newest_failed"]) == (None, "1", 1, 1)
    assert "1 validation failed" in run("log", root=root)[1]


def test_home_names_the_newest_beside_the_latest(run: Run) -> None:
    """Sums are those of the latest release; the total of the store, and what waits, are said below."""
    run("db", "latest", "set", OLD)
    code, out, err = run("--json")
    (row,) = json.loads(out)["rows"]
    assert (code, row["latest"], row["newest"], row["releases"]) == (0, "1.0", "2.0", 2)
    assert "1 series, 2 releases, 8 files" in err
    assert "quarantine" not in err


def test_home_says_what_waits(run: Run, store: Path) -> None:
    """Bytes in quarantine are named until they are purged, damaged files until a verification finds none."""
    (store / OLD / "data/gone.ttl").write_text("torn!")
    assert run("db", "verify", "-q")[0] == 3
    assert "found 1 damaged or missing" in run()[2]
    (store / OLD / "data/gone.ttl").write_text("three")
    assert run("db", "verify", "-q")[0] == 0
    assert "damaged" not in run()[2]
    prune = ("--keep-last", "1", "--min-age", "0s", "--yes", "0s", "--override", "large-plan")
    assert run("db", "prune", *prune)[0] == 0
    plan = json.loads(run("db", "prune", "--plans", "--json")[1])["rows"][0]["plan_id"]
    assert run("db", "prune", "--apply", plan)[0] == 0
    assert "lie in quarantine" in run()[2]
    assert run("db", "prune", "--purge", plan)[0] == 0
    assert "quarantine" not in run()[2]


def test_the_story_is_told_newest_first(run: Run) -> None:
    """Each event is a sentence, of a release, a series or all; none is shown by a name of a program."""
    run("db", "pin", OLD)
    run("db", "latest", "set", OLD)
    told = json.loads(run("log", "--json")[1])["rows"]
    assert told[0]["story"] == f"became latest, after {NEW}"
    assert (told[1]["story"], told[1]["release"]) == ("pinned", OLD)
    assert [row["event_id"] for row in told] == sorted((row["event_id"] for row in told), reverse=True)
    assert {row["release"] for row in json.loads(run("log", "1.0", "--json")[1])["rows"]} == {OLD}
    assert {row["release"] for row in json.loads(run("log", "sample", "--json")[1])["rows"]} == {OLD, NEW}
    assert not [row["story"] for row in told if row["story"] == row["type"]]


def test_commands_without_effect_are_left_out(run: Run) -> None:
    """They are there with --all."""
    run("db", "latest", "set", NEW)
    few, all_ = (json.loads(run("log", *words, "--json")[1])["rows"] for words in ((), ("--all",)))
    assert len(all_) == len(few) + 1


def test_an_event_that_was_refused_is_told(run: Run, store: Path) -> None:
    """Its reason is part of the story, and reaches a terminal harmlessly, whatever it has in it."""
    payload = json.dumps({"error": "no \x1b[31mroom"})
    with duckdb.connect(str(store / ".catalog/ontofetch.duckdb")) as connection:
        connection.execute(
            "INSERT INTO events (event_id, ts, type, level, version_id, payload)"
            " SELECT max(event_id) + 1, max(ts), 'extract.rolled_back', 'error', ?, ? FROM events",
            [NEW, payload],
        )
    code, out, _ = run("log", "--top", "1")
    assert code == 0
    assert "extract was refused or failed: no " in " ".join(out.split())
    assert "\x1b" not in out


def test_what_was_done_to_names_and_notes_is_told(run: Run) -> None:
    """In the words of the command, with what was taken back; a release's story knows its former name."""
    other = "example/other"
    for words in (
        ("tag", OLD, "good"),
        ("db", "pin", OLD),
        ("undo",),
        ("mv", "example/sample", other, "--yes"),
        ("rm", f"{other}/2.0", "--yes"),
        ("undo",),
        ("db", "latest", "unset", other),
    ):
        assert run(*words)[0] == 0, words
    rows = json.loads(run("log", "--json")[1])["rows"]
    told = [row["story"] for row in rows]
    numbers = {row["type"]: row["event_id"] for row in rows}
    assert told[:7] == [
        f"{other} has no latest now",
        f"{other}/2.0 is back. The latest of {other} is {other}/2.0 now (takes back event {numbers['rm.done']})",
        f"{other}/2.0 was removed to quarantine. The latest of {other} is {other}/1.0 now",
        f"example/sample with 2 releases is called {other} now",
        f"unpinned (takes back event {numbers['prune.pinned']})",
        "pinned",
        f"{OLD} has the tag 'good'",
    ]
    assert "pinned" in [row["story"] for row in json.loads(run("log", f"{other}/1.0", "--json")[1])["rows"]]
    assert told[3] in [row["story"] for row in json.loads(run("log", other, "--json")[1])["rows"]]


def test_events_are_sentences_and_their_json_is_for_programs(run: Run) -> None:
    """A table tells what happened; json and csv have the payload beside it."""
    run("tag", NEW, "good")
    _, out, _ = run("db", "events", "--top", "1")
    assert f"{NEW} has the tag 'good'" in " ".join(out.split())
    assert "payload" not in out
    assert "{" not in out
    (row,) = json.loads(run("db", "events", "--top", "1", "--json")[1])["rows"]
    assert json.loads(row["payload"])["text"] == "good"
    assert row["story"] == f"{NEW} has the tag 'good'"
    assert "payload" in run("db", "events", "--format", "csv")[1].splitlines()[0]


def test_sizes_in_the_story_are_those_of_tables(tmp_path: Path) -> None:
    """One rule rounds them, wherever they are told."""
    sizes = [0, 1023, 1024, 3_652_893, 8_698_389, 1_048_524, 1_048_525, 2**30, 5 * 2**50]
    releases = Releases(tmp_path / "store", settings={"durability": "off"})
    for number in range(len(sizes)):
        releases.download(f"{number}.0", b"one")
    with duckdb.connect(str(releases.root / ".catalog/ontofetch.duckdb")) as connection:
        for number, size in enumerate(sizes):
            connection.execute(
                "UPDATE events SET payload = json_merge_patch(payload, ?) WHERE version_id = ?",
                [json.dumps({"bytes": size}), f"example/sample/{number}.0"],
            )
        told = list_story(connection, None, None, unchanged=False)[0]["story"].to_pylist()
    assert [f"a.zip ({human_size(size)}) fetched" for size in reversed(sizes)] == [
        story.partition(" from")[0] for story in told if "fetched" in story
    ]
