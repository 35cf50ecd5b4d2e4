"""`ontofetch db verify` as a user meets it: exit codes, rows, sentences, Ctrl-C."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from pathlib import Path

import duckdb
import pytest

from ontofetch_catalog.catalog.verify.pool import Pool
from tests.programs import Here, Program
from tests.releases import Releases, query, sha256

pytestmark = pytest.mark.usefixtures("quick_databases")


@pytest.fixture
def program(releases: Releases) -> Program:
    """Return the program, called in this process, with a store of one release."""
    releases.pull("1.0", {"a.ttl": "alpha", "b.ttl": "beta"})
    return Here(releases.root)


def test_an_intact_store_is_fine(program: Program) -> None:
    """Exit 0, no finding, the share of what was verified lately."""
    ended = program.run("db", "verify", "--json")
    assert ended.returncode == 0
    shown = json.loads(ended.stdout)
    assert shown["rows"] == []
    summary = shown["sections"]["summary"][0]
    assert (summary["checked_files"], summary["findings"], summary["recent_percent"]) == (3, 0, 100)
    assert "100 % of the bytes verified in the last 30 days." in ended.stderr


def test_the_story_counts_tables_of_terms_as_the_summary_does(tmp_path: Path) -> None:
    """What was verified is one number, wherever it is told."""
    program = Here(tmp_path / "store")
    (tmp_path / "a.nt").write_text("<urn:a> <urn:b> <urn:c> .\n")
    pulled = program.run("pull", str(tmp_path / "a.nt"), "--service", "s", "--ontology", "o", "--version", "1")
    assert pulled.returncode == 0, pulled.stderr
    (summary,) = json.loads(program.run("db", "verify", "--json").stdout)["sections"]["summary"]
    assert summary["checked_files"] == 3
    (row, *_) = json.loads(program.run("log", "--json").stdout)["rows"]
    assert row["story"].startswith("3 files (")


@pytest.mark.skipif(os.geteuid() != 0, reason="to mount a small disk takes the rights of root")
def test_a_full_disk_is_told_before_anything_is_read(
    releases: Releases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What can't be recorded is not read either, and nothing is left of the look; with room again all is well."""
    releases.pull("1.0", {"a.ttl": "alpha"})
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(small)], check=False)
    if mounted.returncode:
        pytest.skip("a disk can't be mounted here")
    try:
        shutil.copytree(releases.root, small / "store")
        program = Here(small / "store")
        names = sorted(small.rglob("*"))
        with (small / "stuff").open("wb") as stream:
            os.posix_fallocate(stream.fileno(), 0, shutil.disk_usage(small).free)
        with monkeypatch.context() as patch:
            patch.setattr(Pool, "begin", lambda *_: pytest.fail("files were handed out"))
            ended = program.run("db", "verify", "--workers", "1")
        assert ended.returncode == 1
        assert "verify: No space left on device. No file was looked at." in ended.stderr
        (small / "stuff").unlink()
        assert sorted(small.rglob("*")) == names
        assert program.run("db", "verify", "--workers", "1").returncode == 0
    finally:
        subprocess.run(["umount", str(small)], check=True)


def test_a_finding_is_exit_3_and_says_what_to_type_next(program: Program) -> None:
    """The row has path and both hashes, stderr names the command that repairs."""
    path = program.root / "example/sample/1.0/data/b.ttl"
    path.write_text("BETA")
    ended = program.run("db", "verify", "sample/1.0", "--json")
    assert ended.returncode == 3
    (row,) = json.loads(ended.stdout)["rows"]
    assert (row["path"], row["outcome"]) == ("example/sample/1.0/data/b.ttl", "damaged")
    assert (row["expected"], row["found"]) == (sha256(b"beta"), sha256(b"BETA"))
    assert "`ontofetch db doctor --fix`" in ended.stderr
    table = program.run("db", "verify", "sample")
    assert (table.returncode, "damaged" in table.stdout) == (3, True)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--sample", "5"], "is no share"),
        (["--sample", "0%"], "is no share"),
        (["--sample", "101%"], "is no share"),
        (["--max-duration", "10"], "is no length of time"),
        (["--max-duration", "ten"], "is no length of time"),
        (["--seed", "1"], "--seed needs --sample"),
        (["--resume", "--sample", "5%"], "--resume goes on"),
        (["--resume"], "nothing to resume"),
    ],
)
def test_wrong_words_are_refused_with_a_sentence(program: Program, words: list[str], sentence: str) -> None:
    """Usage errors are exit 2 and name what is wrong."""
    ended = program.run("db", "verify", *words)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert sentence in ended.stderr


def test_a_sample_tells_its_seed_and_help_has_an_example(program: Program) -> None:
    """Whoever sees the line can look at the same files again."""
    ended = program.run("db", "verify", "--sample", "50%", "--max-duration", "1h30m")
    assert ended.returncode == 0
    assert "--seed " in ended.stderr
    assert "example: ontofetch db verify" in program.run("db", "verify", "--help").stdout


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_it_cleanly(program: Program, number: int, code: int) -> None:
    """The exit code says which, no process stays behind, and the run can be resumed."""
    # a terabyte of nothing takes long to hash, and what is larger than recorded isn't hashed
    os.truncate(program.root / "example/sample/1.0/data/b.ttl", 1 << 40)
    with duckdb.connect(str(program.root / ".catalog/ontofetch.duckdb")) as connection:
        connection.execute("UPDATE extracted_files SET size_bytes = ? WHERE relpath = 'b.ttl'", [1 << 40])
    process = program.start("db", "verify", "--workers", "2")
    assert process.stderr is not None
    while "verifying 3 files" not in process.stderr.readline():
        assert process.poll() is None
    process.send_signal(number)
    _, said = process.communicate(timeout=30)
    assert process.returncode == code
    assert "Traceback" not in said
    assert not _hashers_of(program.root)
    assert query(program.root, "SELECT count(*) FROM events WHERE type = 'verify.rolled_back'") == [(0,)]


def _hashers_of(root: Path) -> list[str]:
    """Return the processes that have the store's root among their words."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = entry.read_bytes().split(b"\0")
        except OSError:
            continue
        if os.fsencode(root) in words and any(word.endswith(b"hasher.py") for word in words):
            found.append(entry.parent.name)
    return found
