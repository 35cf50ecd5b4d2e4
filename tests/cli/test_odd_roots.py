"""Stores in folders with odd names: every command works there, or none makes anything."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from ontofetch_catalog.cli.db_cmd import VERBS
from ontofetch_catalog.host.app import main
from ontofetch_hookspecs.names import MAX_ROOT_BYTES, root_fault
from tests.releases import query

Run = Callable[..., tuple[int, str, str]]
# one path with all of it: each command meets every name, below others and above others
WORK = "/".join(
    (
        "s3:/md:x/file:/-rf/.hidden/x.duckdb/ontofetch.duckdb.wal",
        "a\nb\tc\x1b[31md\u202eefg\u200b-Ärger-漢字-😀-a\u0308",
        'a b#c%20d%&;e=\'f"g" $HOME`x`*[a-c]{d,e}!(f)~ ',
    )
)
FAIL = {
    "a question mark": ("a?access_mode=READ_ONLY", r"has a \? in it"),
    "a backslash": ("a\\b", r"has a \\ in it"),
    "bytes": (os.fsdecode(b"a\xffb"), "is not UTF-8"),
    "a long part": ("n" * 256, "has a part longer than 255 bytes"),
    "a long path": ("/".join(["n" * 100] * 40), "is longer than"),
}
VERSIONS = {"1": "<urn:a> <urn:b> <urn:c> .\n", "2": "<urn:a> <urn:b> <urn:d> .\n", "3": "<urn:a> <urn:b> <urn:e> .\n"}
PRUNE = ("--version", "s/o/1", "--min-age", "0s", "--yes", "0s", "--override", "large-plan")
# every verb, and what reads audits and writes beside the store; `{home}` is the folder that holds the store
COMMANDS: tuple[tuple[str, ...], ...] = (
    (),
    ("plugins",),
    ("show", "o/1"),
    ("log",),
    ("db", "status"),
    ("db", "versions", "--out", "{home}/versions.parquet"),
    ("db", "files", "o/1"),
    ("db", "stats", "--profile"),
    ("db", "find", "a.nt"),
    ("db", "delta", "o/1", "o/2"),
    ("db", "events"),
    ("db", "latest", "set", "o/1"),
    ("db", "latest", "set", "o/3"),
    ("db", "facts"),
    ("db", "share", "--by", "hardlink"),
    ("db", "refresh"),
    ("db", "verify"),
    ("lock", "--file", "{home}/x.lock"),
    ("pull", "--locked", "{home}/x.lock", "--dry-run"),
    ("db", "pin", "o/2"),
    ("db", "backup", "--to", "{home}/backup ?#", "--include-data"),
    ("db", "backup", "--to", "{home}/b?a.tar.zst"),
    ("db", "restore", "{home}/backup ?#"),
    ("db", "restore", "{home}/b?a.tar.zst"),
    ("db", "prune", *PRUNE),
    ("db", "prune", "--apply", "{plan}"),
    ("db", "prune", "--restore", "{plan}"),
    ("db", "prune", "--explain", "s/o/1"),
    ("note", "s/o/2", "the one to cite"),
    ("tag", "s/o/2", "published"),
    ("rm", "s/o/3", "--yes"),
    ("undo",),
    ("mv", "s/o", "s/p", "--yes"),
    ("undo",),
    ("undo", "--list"),
    ("db", "latest", "unset", "s/o"),
    ("undo",),
    ("db", "migrate"),
    ("db", "doctor"),
    ("db", "doctor", "--fix", "--yes", "--hash"),
    ("db", "rebuild", "--replace"),
    ("db", "import", "{home}", "--service", "t", "--copy", "--pattern", "none-{{ontology}}-{{version}}.owl"),
    ("db", "recover"),
    ("db", "sweep"),
    ("db", "hold"),
    ("db", "move", "--to", "local"),
    ("site", "--out", "{home}/site ?#"),
    ("site", "--out", "{home}/site ?#", "--json"),
    *(("export", "o/1", "--as", kind) for kind in ("ro-crate", "dcat", "prov", "spdx")),
    *(("report", name) for name in ("latest", "validation", "hotspots", "duplicates")),
    ("report", "growth", "--a", "o/1", "--b", "o/2"),
    *(("report", name, "--from", "audits") for name in ("latest", "validation", "hotspots", "duplicates")),
    ("report", "growth", "--a", "o/1", "--b", "o/2", "--from", "audits", "--out", "{home}/growth.html"),
    ("db", "doctor"),
)


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return a function that runs the program over a store: root, words → exit code, stdout, stderr."""
    monkeypatch.setenv("ONTOFETCH_DURABILITY", "off")

    def call(root: Path, *words: str) -> tuple[int, str, str]:
        code = main([*words, "--root", str(root)])
        out, err = capfd.readouterr()
        return code, out, err

    return call


def pull(run: Run, root: Path, folder: Path, version: str, *words: str) -> tuple[int, str, str]:
    """Pull a small release."""
    (folder / "a.nt").write_text(VERSIONS[version])
    release = ("--service", "s", "--ontology", "o", "--version", version)
    return run(root, "pull", str(folder / "a.nt"), *release, *words)


def test_every_verb_is_tried() -> None:
    """A new verb of `db` joins the commands."""
    assert {words[1] for words in COMMANDS if words[:1] == ("db",)} == VERBS.keys()


def test_every_command_works_in_an_odd_folder(tmp_path: Path, run: Run) -> None:
    """From the first pull to the rebuild, nothing lies elsewhere than it should, and no control character is shown."""
    root = tmp_path / "home" / WORK
    (tmp_path / "given").mkdir()
    (tmp_path / "out").mkdir()
    for version in VERSIONS:
        code, _, err = pull(run, root, tmp_path / "given", version)
        assert code == 0, err
    plan = ""
    for words in COMMANDS:
        code, out, err = run(root, *(word.format(home=tmp_path / "out", plan=plan) for word in words))
        assert code == 0, (words, err)
        for line in (out + err).splitlines():
            assert not set(line) & set("\x1b\u202e\u200b"), words
        if words[:2] == ("db", "prune") and not plan:
            plan = json.loads(run(root, "db", "prune", "--plans", "--json")[1])["rows"][0]["plan_id"]
    assert query(root, "SELECT version FROM versions ORDER BY 1") == [("1",), ("2",), ("3",)]
    top = root.relative_to(tmp_path / "home").parts[0]
    assert os.listdir(tmp_path / "home") == [top]
    assert sorted(os.listdir(tmp_path)) == ["given", "home", "out"]


@pytest.mark.parametrize("case", FAIL.values(), ids=FAIL)
def test_a_folder_that_can_not_hold_a_store_is_refused(tmp_path: Path, run: Run, case: tuple[str, str]) -> None:
    """Whatever the command, a sentence says what is wrong with the name, and nothing is made."""
    name, words = case
    (tmp_path / "given").mkdir()
    root = tmp_path / name
    told = {pull(run, root, tmp_path / "given", "1")[::2]}
    told |= {run(root, *(word.format(home=tmp_path / "out", plan="x") for word in line))[::2] for line in COMMANDS}
    ((code, sentence),) = told
    assert code == 2
    assert sentence.startswith("error: The store ")
    assert re.search(words, sentence)
    assert "--root" in sentence
    assert sentence.removesuffix("\n").isprintable()
    assert os.listdir(tmp_path) == ["given"]


def test_the_longest_folder_works(tmp_path: Path, run: Run) -> None:
    """Where the name is as long as it may be, the catalog's own files still fit behind it."""
    left = MAX_ROOT_BYTES - len(str(tmp_path)) - 1
    whole, rest = divmod(left, 201)
    root = tmp_path / "/".join([*["n" * 200] * whole, "n" * rest or "n"])
    assert root_fault(str(root)) is None
    assert root_fault(f"{root}nn") is not None
    assert pull(run, root, tmp_path, "1")[0] == 0
    assert run(root, "db", "rebuild", "--replace")[0] == 0
    assert run(root, "db", "backup")[0] == 0
    assert run(root, "db", "doctor")[0] == 0
