"""`db share`: what it says and returns, what it refuses, and how the setting behind it is mistyped."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from ontofetch_catalog.catalog.equal_files import extents, ways
from tests.cli.conftest import Run

pytestmark = pytest.mark.usefixtures("quick_databases")
SAME = "example/sample/{}/data/{}"


def links(store: Path, version: str, name: str) -> int:
    """Return how many names a file has."""
    return (store / SAME.format(version, name)).stat().st_nlink


def test_a_dry_run_says_what_then_happens(store: Path, run: Run) -> None:
    """Done in earnest, equal files are one file, as many bytes are free, and the repeat says that it is so."""
    code, out, err = run("db", "share", "--by", "hardlink", "--dry-run", "--json")
    would = json.loads(out)
    assert (code, links(store, "2.0", "same.ttl"), "would free" in err) == (0, 1, True)
    code, out, err = run("db", "share", "--by", "hardlink", "--json")
    done = json.loads(out)
    assert (code, done["rows"], done["parameters"]["dry_run"], would["parameters"]["dry_run"]) == (
        0,
        would["rows"],
        False,
        True,
    )
    assert [row["version_id"] for row in done["rows"]] == ["example/sample/2.0"]
    assert done["parameters"]["freed_bytes"] == done["rows"][0]["freed_bytes"] > 0
    assert (links(store, "2.0", "same.ttl"), links(store, "2.0", "d/new.ttl"), links(store, "2.0", "a.ttl")) == (
        2,
        2,
        1,
    )
    code, out, err = run("db", "share", "--by", "hardlink")
    assert (code, "2 files are stored once already" in err) == (0, True)
    assert run("db", "verify")[0] == run("db", "doctor", "--hash")[0] == 0
    code, out, _ = run("log", "--json")
    assert "2 files stored as equal ones" in out


def test_what_is_damaged_is_named_and_ends_with_three(store: Path, run: Run) -> None:
    """A file that has not the bytes of its row is left alone, its path can't steer the terminal, and the code is 3."""
    path = store / SAME.format("2.0", "same.ttl")
    path.write_text("SAME")
    code, out, err = run("db", "share", "--by", "hardlink", "--json")
    assert code == 3
    (row,) = json.loads(out)["sections"]["damaged"]
    assert row["path"] == SAME.format("2.0", "same.ttl")
    assert "db doctor --fix" in err
    assert (path.read_text(), path.stat().st_nlink) == ("SAME", 1)


def test_it_says_why_it_can_not(store: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the setting says no, or the file system can't, nothing happens, and a sentence says what to type."""
    monkeypatch.setattr(extents, "can_clone", lambda folder: False)
    monkeypatch.setattr(ways, "_can_clone", {})
    code, _, err = run("db", "share")
    assert (code, "has no reflinks" in err, "--by hardlink" in err) == (1, True, True)
    monkeypatch.setenv("ONTOFETCH_STORE_SHARE", "off")
    code, _, err = run("db", "share")
    assert (code, "store_share is off" in err, "--by hardlink" in err) == (1, True, True)
    assert links(store, "2.0", "same.ttl") == 1


@pytest.mark.parametrize("typed", ["hardlinks", "reflnk", "on", "Hardlink", "true"])
def test_a_mistyped_way_is_refused_before_anything_happens(
    store: Path, run: Run, monkeypatch: pytest.MonkeyPatch, typed: str
) -> None:
    """As an option and as a setting, and in the settings file, the ways that there are are told."""
    code, _, err = run("db", "share", "--by", typed)
    assert (code, "hardlink" in err) == (2, True)
    monkeypatch.setenv("ONTOFETCH_STORE_SHARE", typed)
    code, _, err = run("db", "share")
    assert (code, "one of reflink, hardlink, off" in err) == (2, True)
    monkeypatch.delenv("ONTOFETCH_STORE_SHARE")
    file = store.parent / "settings.toml"
    file.write_text(f'store_share = "{typed}"\n')
    monkeypatch.setenv("ONTOFETCH_CONFIG", os.fspath(file))
    code, _, err = run("db", "share")
    assert (code, "settings.toml" in err, "one of reflink, hardlink, off" in err) == (2, True, True)
    assert links(store, "2.0", "same.ttl") == 1


def test_a_store_without_a_catalog_is_a_sentence(tmp_path: Path, run: Run) -> None:
    """Where nothing is, nothing is made."""
    code, _, err = run("db", "share", "--by", "hardlink", "--dry-run", root=tmp_path / "none")
    assert (code, "There is no catalog" in err, (tmp_path / "none").exists()) == (1, True, False)


def test_a_plan_and_a_purge_say_what_is_free_then(store: Path, run: Run) -> None:
    """Of files that another release has too, prune says that they free nothing, before and after."""
    assert run("db", "share", "--by", "hardlink")[0] == 0
    words = ("--version", "1.0", "--min-age", "0s", "--yes", "0s", "--override", "large-plan")
    code, out, _ = run("db", "prune", *words, "--json")
    plan = json.loads(out)
    assert code == 0
    entries = {row["path"]: row["size_bytes"] for row in plan["rows"]}
    kept = sum(entries[SAME.format("1.0", name)] for name in ("same.ttl", "d/old.ttl"))
    assert kept == len("same") + len("two")
    assert plan["parameters"]["totals"]["bytes_freed"] == plan["parameters"]["totals"]["bytes"] - kept
    assert run("db", "prune", "--apply", plan["parameters"]["id"])[0] == 0
    code, out, _ = run("db", "prune", "--purge", plan["parameters"]["id"], "--json")
    assert (code, json.loads(out)["rows"][0]["freed_bytes"]) == (0, plan["parameters"]["totals"]["bytes_freed"])
    assert (store / SAME.format("2.0", "same.ttl")).read_text() == "same"
    assert links(store, "2.0", "same.ttl") == 1
