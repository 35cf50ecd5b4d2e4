"""What one machine does, all have: rows, files, quarantine; each may take back what another did."""

from __future__ import annotations

import itertools
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import psycopg
import pytest

from ontofetch_catalog.catalog import fsops
from ontofetch_catalog.catalog.bringing import Brought
from ontofetch_catalog.catalog.connection import Store
from ontofetch_catalog.catalog.fsops import hash_file, walk
from ontofetch_catalog.catalog.journal import IntentDraft
from ontofetch_catalog.catalog.shared.files_going import FilesGoing
from ontofetch_catalog.catalog.shared.folder import FolderObjects
from ontofetch_catalog.catalog.shared.log import Log
from ontofetch_catalog.catalog.shared.packs import Place
from ontofetch_catalog.host.app import main
from ontofetch_hookspecs.layout import STAGING

from .copies import LARGE, Copies, copies, release, rows_of, tree_of
from .states import dying, forked

__all__ = ["copies"]

pytestmark = pytest.mark.usefixtures("quick_databases")


def test_a_day_of_two_machines_and_a_third_that_comes_late(copies: Copies, tmp_path: Path) -> None:
    """Each command on one is seen on the other; who comes late has the same, and goes away with all of it."""
    copies.join("a", "b")
    for number in (1, 2, 3):
        copies.pull("a", release(tmp_path, number), str(number))
    copies.check_same("a", "b")
    other = release(tmp_path, 9).rename(tmp_path / "release-3.zip")
    copies.pull("b", other, "3", code=1)
    copies.pull("b", other, "3", "--replace")
    copies.run("b", "note", "s/o/1", "hello")
    copies.run("a", "tag", "s/o/2", "published")
    copies.run("a", "db", "pin", "s/o/1")
    copies.check_same("a", "b")
    copies.run("b", "mv", "s/o/2", "s/o/2b")
    copies.run("a", "rm", "s/o/3", "--yes")
    copies.check_same("b", "a")
    # what a removed, b takes back
    copies.run("b", "undo")
    copies.check_same("a", "b")
    copies.run("a", "db", "latest", "set", "s/o/1")
    copies.run("a", "mv", "s/o", "s/p", "--yes")
    copies.run("b", "db", "verify")
    copies.check_same("a", "b")
    copies.join("c")
    copies.check_same("a", "c")
    before = tree_of(tmp_path / "c")
    copies.run("c", "db", "move", "--to", "local")
    assert tree_of(tmp_path / "c") == before
    copies.pull("c", release(tmp_path, 11), "11")
    copies.run("a", "db", "versions")
    assert "s/o/11" not in str(rows_of(tmp_path / "a")["versions"])


def test_a_store_moves_to_a_shared_catalog_and_back(copies: Copies, tmp_path: Path) -> None:
    """All of it comes along, and a second store with releases of its own is refused."""
    copies.pull("a", release(tmp_path, 1), "1")
    copies.run("a", "rm", "s/o/1", "--yes")
    copies.pull("a", release(tmp_path, 2), "2")
    before, rows = tree_of(tmp_path / "a"), rows_of(tmp_path / "a")
    copies.run("a", "db", "move", "--to", copies.catalog, "--objects", copies.objects)
    assert (tree_of(tmp_path / "a"), rows_of(tmp_path / "a")) == (before, rows)
    # the same again is fine: it may have been interrupted
    copies.run("a", "db", "move", "--to", copies.catalog, "--objects", copies.objects)
    copies.join("b")
    copies.check_same("a", "b")
    copies.pull("d", release(tmp_path, 3), "3")
    copies.run("d", "init", "--catalog", copies.catalog, "--objects", copies.objects, code=1)
    copies.run("a", "db", "move", "--to", "local")
    assert (tree_of(tmp_path / "a"), rows_of(tmp_path / "a")) == (before, rows)


def test_a_move_is_killed_before_any_step(copies: Copies, tmp_path: Path) -> None:
    """There and back: the same command again does the rest, and a new machine gets all of it."""
    copies.pull("a", release(tmp_path, 1), "1")
    copies.pull("a", release(tmp_path, 2), "2")
    copies.run("a", "tag", "s/o/1", "late")
    before, rows = tree_of(tmp_path / "a"), rows_of(tmp_path / "a")
    there = ("db", "move", "--to", copies.catalog, "--objects", copies.objects)
    steps = dict.fromkeys((there, ("db", "move", "--to", "local")), 0)
    left = set(steps)
    for step in itertools.count(1, 2):
        for words in steps:

            def killed(step: int = step, words: Sequence[str] = words) -> int:
                dying(step)
                return main([*words, "-q", "--root", str(tmp_path / "a")])

            ended = forked(killed)
            assert ended in (0, -signal.SIGKILL), (step, words)
            left -= {words} if ended == 0 else set()
            steps[words] += ended != 0
            copies.run("a", *words)
            assert (tree_of(tmp_path / "a"), rows_of(tmp_path / "a")) == (before, rows), (step, words)
            if words == there:
                copies.join("new")
                copies.check_same("a", "new")
                shutil.rmtree(tmp_path / "new")
        if not left:
            break
        with psycopg.connect(copies.catalog) as connection:
            connection.execute("DROP SCHEMA ontofetch CASCADE")
        shutil.rmtree(tmp_path / "objects")
    assert min(steps.values()) > 1, steps


def test_the_five_commands_of_the_page(
    copies: Copies, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Word for word, but for where the database, the objects and the source are."""
    page = (Path(__file__).parents[2] / "docs/shared.md").read_text(encoding="utf-8")
    (section,) = re.findall(r"^## Set up in five commands\n(.*?)^## ", page, re.MULTILINE | re.DOTALL)
    typed = re.findall(r"^    ontofetch (.*)$", section, re.MULTILINE)
    where = {
        "postgresql://curator@db.example.org/ontologies": copies.catalog,
        "s3://ontologies/files": copies.objects,
        "SOURCE": str(release(tmp_path, 1)),
    }
    assert len(typed) == 5
    for machine, line in zip(("one", "one", "two", "two", "two"), typed, strict=True):
        monkeypatch.setenv("ONTOFETCH_ROOT", str(tmp_path / machine))
        assert main([where.get(word, word) for word in shlex.split(line)]) == 0, line
        if line == "report latest":
            assert "obo/hp/2026-01-01" in capsys.readouterr().out
    assert tree_of(tmp_path / "one") == tree_of(tmp_path / "two")


def test_the_same_bytes_are_put_once(copies: Copies, tmp_path: Path) -> None:
    """A release whose files are all known brings no new content but its documents."""
    copies.join("a", "b")
    copies.pull("a", release(tmp_path, 1), "1")
    with psycopg.connect(copies.catalog) as connection:
        before = connection.execute("SELECT count(*), sum(size) FROM ontofetch.contents").fetchone()
        copies.pull("b", tmp_path / "release-1.zip", "2")
        after = connection.execute("SELECT count(*), sum(size) FROM ontofetch.contents").fetchone()
    assert before is not None
    assert after is not None
    # the same archive; two audits, LATEST.json, and the manifest after each of three boundaries
    assert after[0] - before[0] <= 6
    copies.check_same("a", "b")


def test_what_a_boundary_says_of_contents_is_not_hashed_again(
    copies: Copies, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is staged is read once, when it is put, and only the documents of a release are hashed for it."""
    copies.join("a", "b")
    hashed: list[str] = []
    monkeypatch.setattr(fsops, "hash_file", lambda path: hashed.append(str(path)) or hash_file(path))
    copies.pull("a", release(tmp_path, 1), "1", "--no-facts")
    assert hashed
    assert [path for path in hashed if "/staging/" in path] == []
    copies.check_same("a", "b")


def test_what_is_staged_is_looked_through_once(copies: Copies, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the check of a release's files has found is what others are told of their times and permissions."""
    copies.join("a", "b")
    walked: list[str] = []
    monkeypatch.setattr(fsops, "walk", lambda place: walked.append(str(place)) or walk(place))
    copies.pull("a", release(tmp_path, 1), "1", "--no-facts")
    assert len([path for path in walked if "/staging/" in path]) == 1
    copies.check_same("a", "b")


def test_what_was_put_early_is_used_by_its_boundary_alone(tmp_path: Path) -> None:
    """By the time of the next one others may have let go of it, and a sweep have freed it."""
    store = Store(tmp_path / "a", {"durability": "off"})
    objects = FolderObjects((tmp_path / "objects").as_uri(), mode=0o700, durable=False)
    objects.prepare()
    keys = []

    class KnowsNothing:
        def places(self, contents: Sequence[str]) -> dict[str, Place]:
            del contents
            return {}

    going = FilesGoing(store, cast(Log, KnowsNothing()), objects)
    for name in ("first", "second"):
        staged = tmp_path / "a" / STAGING / name / "x.txt"
        staged.parent.mkdir(parents=True)
        staged.write_text("the same")
        if name == "first":
            going.put_early([Brought(store.path(f"{STAGING}/{name}/x.txt"), hash_file(staged)[0])])
        draft = IntentDraft(store, uuid.uuid4().hex)
        draft.publish(f"{STAGING}/{name}/x.txt", f"s/o/1/{name}")
        (_, (place,)) = going.moves_of(draft.intent)
        keys.append(place.key)
    assert keys[0] != keys[1]


def test_other_bytes_than_a_boundary_says_are_not_put(copies: Copies, tmp_path: Path) -> None:
    """A staged file that changes after it was looked at is named, and nobody learns of its release."""
    copies.join("a", "b")

    def change(going: FilesGoing, brought: Sequence[Brought]) -> None:
        for one in brought:
            for path in sorted((tmp_path / "a" / one.place.relpath).rglob("same-*.nt"))[:1]:
                path.write_bytes(b"x" * path.stat().st_size)
        put_early(going, brought)

    put_early = FilesGoing.put_early
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(FilesGoing, "put_early", change)
        copies.pull("a", release(tmp_path, 1), "1", code=1)
    assert rows_of(tmp_path / "a")["extracted_files"] == []
    copies.pull("a", tmp_path / "release-1.zip", "1")
    copies.check_same("a", "b")


def test_a_machine_gets_back_what_it_lost(copies: Copies, tmp_path: Path) -> None:
    """Files, or the whole database, come back from the others; nothing is un-recorded for one machine's loss."""
    copies.join("a", "b")
    copies.pull("a", release(tmp_path, 1), "1")
    copies.run("b", "db", "versions")
    (tmp_path / "b/s/o/1/data/d/changed.ttl").unlink()
    (tmp_path / "b/s/o/1/data/d/same-1.nt").write_text("cut")
    copies.run("b", "db", "doctor", code=3)
    copies.run("b", "db", "recover")
    changed = tmp_path / "b/s/o/1/data/d/changed.ttl"
    assert changed.read_bytes() == (tmp_path / "a/s/o/1/data/d/changed.ttl").read_bytes()
    (tmp_path / "b/.catalog/ontofetch.duckdb").unlink()
    copies.run("b", "db", "versions", code=1)
    copies.run("b", "db", "rebuild")
    assert rows_of(tmp_path / "b") == rows_of(tmp_path / "a")
    copies.run("a", "db", "restore", str(tmp_path), code=1)


def test_a_copy_is_made_anew_beside_what_has_gone_and_come_back(copies: Copies, tmp_path: Path) -> None:
    """What is in quarantine and in its place again stays so, and what others have removed meanwhile goes."""

    def check_rebuilt() -> None:
        copies.run("b", "db", "rebuild")
        copies.run("b", "db", "doctor", code=(0, 3))
        # what lay where the log had something else in between is in a quarantine of this machine's own
        found = {path: one for path, one in tree_of(tmp_path / "b").items() if "/quarantine/copy-" not in path}
        assert found == tree_of(tmp_path / "a")
        assert rows_of(tmp_path / "b") == rows_of(tmp_path / "a")

    copies.join("a", "b")
    for number in (1, 2):
        copies.pull("a", release(tmp_path, number), str(number))
    copies.run("a", "rm", "s/o/1", "--yes")
    copies.pull("a", tmp_path / "release-1.zip", "1")
    copies.check_same("a", "b")
    check_rebuilt()
    for version in ("1", "2"):
        copies.run("a", "rm", f"s/o/{version}", "--yes")
    check_rebuilt()


def test_what_nobody_needs_is_freed_after_a_while(copies: Copies, tmp_path: Path) -> None:
    """A purge condemns; only a later sweep frees; what came back meanwhile is kept."""
    copies.join("a", "b")
    copies.pull("a", release(tmp_path, 1, large=LARGE), "1")
    copies.pull("a", release(tmp_path, 2, large=LARGE + 1), "2")
    copies.run("a", "rm", "s/o/1", "--yes")
    copies.run("a", "db", "sweep", "--grace", "1s")
    (plan,) = os.listdir(tmp_path / "a/.catalog/plans")
    copies.run("b", "db", "prune", "--purge", plan)
    objects = {place for place in (tmp_path / "objects").rglob("*") if place.is_file()}
    copies.run("b", "db", "sweep", "--grace", "1d")
    assert {place for place in (tmp_path / "objects").rglob("*") if place.is_file()} == objects
    with psycopg.connect(copies.catalog) as connection:
        connection.execute("UPDATE ontofetch.contents SET condemned_at = condemned_at - interval '2 days'")
    copies.run("b", "db", "sweep", "--grace", "1d")
    assert {place for place in (tmp_path / "objects").rglob("*") if place.is_file()} < objects
    copies.pull("a", release(tmp_path, 1, large=LARGE), "1")
    copies.check_same("a", "b")
    copies.join("c")
    copies.check_same("a", "c")


def test_a_foreign_store_names_no_server_that_we_would_ask(
    copies: Copies, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A store that says it is a copy is not believed before somebody on this machine agreed."""
    copies.join("a")
    stolen = tmp_path / "stolen/.catalog"
    stolen.mkdir(parents=True)
    stolen.joinpath("store.toml").write_text((tmp_path / "a/.catalog/store.toml").read_text())
    for words in (("db", "versions"), ("db", "recover"), ("pull", str(release(tmp_path, 1)))):
        more = ("--service", "s", "--ontology", "o", "--version", "1") if words[0] == "pull" else ()
        copies.run("stolen", *words, *more, code=2)
        said = capsys.readouterr().err
        assert "nobody on this machine has agreed" in said
    # who knows it types what is said, which has the name of the user in it
    assert main(shlex.split(said.rpartition("`ontofetch ")[2].rpartition("`")[0])) == 0
    copies.run("stolen", "db", "versions")
    # whoever types it without a look runs nothing of a stranger's
    hostile = "postgresql://h/db; touch $(echo pwned)`id`"
    stolen.joinpath("store.toml").write_text(
        f"catalog = '{hostile}'\nobjects = 'file:///x y'\nidentity = '{'0' * 32}'\n"
    )
    copies.run("stolen", "db", "versions", code=2)
    typed = capsys.readouterr().err.partition("If you know it: `")[2].rpartition("`")[0]
    assert shlex.split(typed)[-5:] == ["init", "--catalog", hostile, "--objects", "file:///x y"]
    for text in ("", "catalog = 1", "catalog = 'postgresql://x/y'\nobjects = 'file:///x'\nidentity = '../..'"):
        (tmp_path / "a/.catalog/store.toml").write_text(text)
        copies.run("a", "db", "versions", code=1)


@pytest.mark.parametrize(
    ("catalog", "objects", "word"),
    [
        ("mysql://x/y", "file:///tmp/x", "PostgreSQL"),
        ("postgresql://u:secret@h/db", "file:///tmp/x", "password"),
        ("postgresql://h/db?password=secret", "file:///tmp/x", "password"),
        ("postgresql://h/db", "ftp://x", "object store"),
        ("postgresql://h/db", "s3://key:secret@bucket/x", "Keys"),
        ("postgresql://h/db", "file:relative", "object store"),
    ],
)
def test_addresses_as_people_mistype_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], catalog: str, objects: str, word: str
) -> None:
    """Each gets a sentence, and no secret is repeated."""
    copies = Copies(tmp_path, catalog, objects)
    copies.run("a", "init", "--catalog", catalog, "--objects", objects, code=2)
    said = capsys.readouterr().err
    assert word in said
    assert "secret" not in said


def test_reading_needs_no_right_to_write(copies: Copies, tmp_path: Path, postgres_server: object) -> None:
    """A reader of the server may look at everything; writing is a sentence."""
    copies.join("a")
    copies.pull("a", release(tmp_path, 1), "1")
    with psycopg.connect(copies.catalog) as connection:
        connection.execute("DROP ROLE IF EXISTS visitor")
        connection.execute("CREATE ROLE visitor LOGIN PASSWORD 'visitor'")
        connection.execute("GRANT USAGE ON SCHEMA ontofetch TO visitor")
        connection.execute("GRANT SELECT ON ALL TABLES IN SCHEMA ontofetch TO visitor")
    visitor = Copies(tmp_path, "postgresql://visitor@" + copies.catalog.rpartition("@")[2], copies.objects)
    os.environ["PGPASSWORD"] = "visitor"
    visitor.join("v")
    visitor.run("v", "report", "latest")
    visitor.pull("v", release(tmp_path, 2), "2", code=2)
    assert "s/o/2" not in str(rows_of(tmp_path / "v")["versions"])


def test_a_local_store_imports_no_driver(tmp_path: Path) -> None:
    """Who shares nothing pays nothing."""
    code = (
        "import sys; from ontofetch_catalog.host.app import main\n"
        "assert main(['db', 'versions', '--root', sys.argv[1]]) == 1\n"
        "assert not {'psycopg', 'obstore'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
