"""Trees by a pattern and download lists: which file is what is shown before it is applied, and nothing is guessed."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ontofetch_catalog.host.app import main
from ontofetch_catalog.importing.plain import Pattern
from ontofetch_hookspecs import UsageError
from ontofetch_hookspecs.store_paths import StorePath

pytestmark = pytest.mark.usefixtures("quick_databases")

Run = Callable[..., tuple[int, list[dict[str, Any]], str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Return a function that imports into one store: words → exit code, rows, stderr."""
    monkeypatch.setenv("ONTOFETCH_DURABILITY", "off")

    def call(*words: str | Path) -> tuple[int, list[dict[str, Any]], str]:
        code = main(["db", "import", *map(str, words), "--json", "--root", str(tmp_path / "store")])
        out, err = capfd.readouterr()
        return code, json.loads(out)["rows"] if out else [], err

    return call


def make(tree: Path, *paths: str) -> Path:
    """Make files that each hold their own path."""
    for path in paths:
        (tree / path).parent.mkdir(parents=True, exist_ok=True)
        (tree / path).write_text(path)
    return tree


@pytest.mark.parametrize(
    ("pattern", "paths", "releases"),
    [
        ("{ontology}/{version}/*", ["hp/1/hp.owl", "hp/1/hp.obo", "hp/readme.md"], ["s/hp/1 hp.obo", "s/hp/1 hp.owl"]),
        (
            "{ontology}-{version}.owl",
            ["hp-base-2025-01-01.owl", "go-v1.2.owl", "x.owl"],
            ["s/go/v1.2", "s/hp-base/2025-01-01"],
        ),
        ("{ontology}/{ontology}-{version}.*", ["hp/hp-1.owl", "hp/go-1.owl"], ["s/hp/1 hp-1.owl"]),
        (
            "{service}/{ontology}/{version}/**",
            ["obo/hp/1/a/b.ttl", "obo/hp/1/c.ttl"],
            ["obo/hp/1 a/b.ttl", "obo/hp/1 c.ttl"],
        ),
        ("raw/{version}/{ontology}.obo", ["raw/2025/hp.obo", "other/2025/hp.obo"], ["s/hp/2025 hp.obo"]),
    ],
)
def test_patterns(tmp_path: Path, run: Run, pattern: str, paths: list[str], releases: list[str]) -> None:
    """Each part of a path is what the pattern says; the same patterns describe how people and pystow lay files out."""
    tree = make(tmp_path / "tree", *paths)
    service = () if "{service}" in pattern else ("--service", "s")
    code, rows, err = run(tree, "--copy", "--pattern", pattern, *service)
    assert code == 0, err
    store = tmp_path / "store"
    found = []
    for row in rows:
        source = store / row["version_id"] / "src"
        found += [f"{row['version_id']} {path.relative_to(source)}" for path in source.rglob("*") if path.is_file()]
    assert [release for release in releases if not any(item.startswith(release) for item in found)] == []
    assert len(set(found)) == len(releases)
    assert "passed over" in err
    assert {row["state"] for row in run(tree, "--copy", "--pattern", pattern, *service)[1]} == {"unchanged"}


@pytest.mark.parametrize(
    "pattern",
    [
        "",
        "{ontology}",
        "{version}",
        "/x/{ontology}/{version}",
        "../{ontology}/{version}",
        "{ontology}/{version}/{x}",
        "**/{ontology}/{version}",
        "{ontology}/{version}/a**",
        "{ontology}/{version}/{",
        "{ontology}//{version}",
    ],
)
def test_what_is_no_pattern(pattern: str) -> None:
    """It is refused with a sentence and an example."""
    with pytest.raises(UsageError, match="can't be used"):
        Pattern(pattern)


def test_without_a_pattern_some_are_named(tmp_path: Path, run: Run) -> None:
    """Nothing is guessed: the usual patterns are named with how many files each fits, and nothing is written."""
    tree = make(tmp_path / "tree", "hp/1/hp.owl", "hp/2/hp.owl", "go-1.owl")
    code, _, err = run(tree, "--copy", "--service", "s")
    assert code == 2
    assert "'{ontology}/{version}/*' fits 2 files, '{ontology}-{version}.*' fits 1 files" in err
    assert not (tmp_path / "store").exists()
    assert run(tree, "--pattern", "{ontology}/{version}/*", "--copy")[0] == 2
    assert "--service must name it" in run(tree, "--pattern", "{ontology}/{version}/*", "--copy")[2]
    assert "Add --copy" in run(tree, "--pattern", "{ontology}/{version}/*", "--service", "s")[2]


def test_the_pattern_is_shown_first(tmp_path: Path, run: Run) -> None:
    """Five files and the number of all; with --dry-run every row, and no store."""
    tree = make(tmp_path / "tree", *(f"o{number}/1/x.ttl" for number in range(7)))
    code, rows, err = run(tree, "--copy", "--service", "s", "--pattern", "{ontology}/{version}/*", "--dry-run")
    assert (code, len(rows), err.count(" is x.ttl of s/o")) == (0, 7, 5)
    assert "fits 7 files" in err
    assert not (tmp_path / "store").exists()


def test_hostile_trees_by_a_pattern(tmp_path: Path, run: Run) -> None:
    """Links, pipes, unfinished downloads and odd names are named; hidden folders are not entered."""
    tree = make(
        tmp_path / "tree",
        "hp/1/good.ttl",
        "hp/1/half.owl.part",
        ".git/1/x.ttl",
        "hp/1/bad\x1bname.ttl",
        "hp/latest/x.ttl",
    )
    (tree / "hp/1/link.ttl").symlink_to("/etc/passwd")
    os.mkfifo(tree / "hp/1/pipe.ttl")
    (tree / "away").symlink_to(tree / "hp")
    os.mkdir(os.fsencode(tree) + b"/hp/1\xff")
    code, rows, err = run(tree, "--copy", "--service", "s", "--pattern", "{ontology}/{version}/*")
    assert code == 3
    assert "\x1b" not in err
    left = sorted(row["message"] for row in rows if row["state"] == "left")
    assert [row["path"] for row in rows if row["state"] == "recorded"] == ["hp/1/good.ttl"]
    assert len(left) == 5
    for word in ("symbolic link", "regular file", "did not come to an end", "control character", "may not be called"):
        assert any(word in message for message in left), word
    assert not (tmp_path / "store/s/git").exists()


def test_a_part_has_few_fields_and_stars() -> None:
    """With many of them a long name that nearly fits would be tried for hours."""
    with pytest.raises(UsageError, match="more than 4 fields and stars"):
        Pattern("{service}-{ontology}-{version}-*-*.owl")
    pattern = Pattern("{service}-{ontology}-{version}-*.owl")
    assert pattern.own_path(StorePath(Path("/x"), "a-b-1-c.owl")) == "a-b-1-c.owl"
    assert pattern._parts[0].fullmatch("1-" * 127) is None


# --- download lists ---------------------------------------------------------------------------------------------------

LIST = """
---
- url: https://example.org/hp.json?token=abc
  local_name: raw/hp.json
  tag: phenotypes
- url: https://example.org/data/go.nt.gz
- local_name: nothing.tsv
- url: "https://x/\\u001b[31m"
- api: elasticsearch
  url: https://elastic.example.org
  query_file: q.json
  index: i
  local_name: out.json
"""


def test_a_download_list_becomes_sources(tmp_path: Path, run: Run) -> None:
    """Its entries are printed, without secrets; what is no entry is named; nothing is fetched or recorded."""
    pytest.importorskip("yaml")
    path = tmp_path / "download.yaml"
    path.write_text(LIST)
    code, rows, err = run(path)
    assert code == 3
    assert [(row["name"], row["tag"], row["api"]) for row in rows] == [
        ("hp", "phenotypes", None),
        ("go", None, None),
        ("out", None, "elasticsearch"),
    ]
    assert rows[0]["url"] == "https://example.org/hp.json?token=REDACTED"
    assert "entry 3: It has no url." in err
    assert "entry 4" in err
    assert "\x1b" not in err
    assert not (tmp_path / "store").exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: &a [x]\nb: [*a, *a]", "aliases"),
        ("- {", "no YAML"),
        ("[" * 100_000, "nesting"),
        ("- " * 100_000, "nesting"),
        ("{a: " * 100_000, "nesting"),
        ("url: x", "no entries at its top"),
        ("- !!python/object/apply:os.system [id]", "no YAML"),
    ],
)
def test_what_is_no_download_list(tmp_path: Path, run: Run, text: str, said: str) -> None:
    """It is refused with a sentence; no code of it runs, and nothing grows without end."""
    pytest.importorskip("yaml")
    path = tmp_path / "download.yml"
    path.write_text(text)
    code, _, err = run(path)
    assert code == 1
    assert said in err
