"""A pull from its source to the latest pointer: rows and files agree, whatever is asked for and whoever interferes."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import time
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from ontofetch_catalog.catalog import lookups
from ontofetch_catalog.errors import CatalogUnwritable
from ontofetch_catalog.host import pipeline
from ontofetch_catalog.host.app import main
from ontofetch_catalog.host.pulling.download import record_download
from tests.programs import Program
from tests.releases import assert_consistent, query, snapshot
from tests.sites import Answer, Site, validated

pytestmark = pytest.mark.usefixtures("quick_databases")

TURTLE = "<urn:a> <urn:b> <urn:c> .\n"
OBO = "format-version: 1.4\n\n[Term]\nid: A:1\nname: x\n"
RELEASE = {"hp-1/hp.ttl": TURTLE, "hp-1/sub/hp.obo": OBO, "hp-1/README.txt": "read me"}
# everything but the events and the order in which pointers were set
TABLES = ("versions", "artifacts", "extracted_files", "validations", "latest_pointer", "schema_version")


def pack(path: Path, files: Mapping[str, str]) -> Path:
    """Write a zip."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(zipfile.ZipInfo(name, (2024, 1, 2, 3, 4, 6)), text)
    return path


class Pulling:
    """Pulls into one store, in this process."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self.root = folder / "store"
        self._capsys = capsys
        self.err = ""

    def __call__(self, source: object, version: str = "1", *words: str, code: int = 0) -> dict[str, Any]:
        """Pull, check the exit code, and return the row that was printed."""
        self._capsys.readouterr()
        line = ["pull", str(source), "--service", "obo", "--ontology", "hp", "--version", version, "--json", *words]
        found = main(line)
        out, self.err = self._capsys.readouterr()
        assert found == code, self.err
        return dict(json.loads(out)["rows"][0]) if out else {}

    def archive(self, name: str, files: Mapping[str, str] = RELEASE) -> Path:
        """Write a zip beside the store."""
        return pack(self.folder / name, files)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Query the catalog."""
        return query(self.root, sql)

    def everything(self) -> dict[str, list[tuple[Any, ...]]]:
        """Return all rows but the events'."""
        return {name: self.rows(f"SELECT * FROM {name} ORDER BY ALL") for name in TABLES}

    def data(self, version: str = "1") -> dict[str, str]:
        """Return path → text of the data of a release."""
        folder = self.root / "obo/hp" / version / "data"
        return {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()}

    def stages(self) -> list[Path]:
        """Return what is staged."""
        folder = self.root / ".catalog/staging"
        return sorted(folder.iterdir()) if folder.is_dir() else []


@pytest.fixture
def pull(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Pulling:
    """Return a function that pulls into a store of its own."""
    return Pulling(tmp_path, capsys)


# --- the whole way ----------------------------------------------------------------------------------------------------


def test_a_release_is_fetched_unpacked_validated_and_recorded(pull: Pulling) -> None:
    """One command records artifact, files, results and pointer, in step with the disk, and leaves nothing staged."""
    archive = pull.archive("hp.zip")
    row = pull(archive, "1", "--released", "2024-01-02")
    assert row == {
        "version_id": "obo/hp/1", "artifact": "hp.zip", "sha256": hashlib.sha256(archive.read_bytes()).hexdigest(),
        "status": "fresh", "files": 3, "bytes": sum(map(len, RELEASE.values())), "passed": 2, "failed": 0,
        "not_judged": 0, "latest": True,
    }  # fmt: skip
    assert pull.data() == {name.removeprefix("hp-1/"): text for name, text in RELEASE.items()}
    assert_consistent(pull.root)
    assert pull.rows("SELECT relpath, validator, passed, reused_from FROM validations ORDER BY 1") == [
        ("hp.ttl", "rdf-syntax", True, None),
        ("sub/hp.obo", "obo-syntax", True, None),
    ]
    assert pull.rows("SELECT CAST(released AS VARCHAR) FROM versions") == [("2024-01-02",)]
    assert [kind for (kind,) in pull.rows("SELECT type FROM events ORDER BY event_id")][-5:] == [
        "download.done", "extract.start", "extract.done", "validate.done", "latest.set",
    ]  # fmt: skip
    assert pull.stages() == []
    told = [json.loads(line) for line in pull.err.splitlines()]
    done = {line["event"].partition(" ")[0]: line for line in told if line.get("outcome") == "commit"}
    assert [(name, line["rows"]) for name, line in done.items()] == [
        ("download.done", 1), ("extract.done", 3), ("validate.done", 2), ("latest.set", 1),
    ]  # fmt: skip
    assert all(len(line["boundary_id"]) == 32 and line["milliseconds"] >= 0 for line in done.values())


def test_pulling_again_changes_no_file_and_no_row(pull: Pulling) -> None:
    """The second time every file keeps its inode, size, time and hash, and every row but the events' stays."""
    archive = pull.archive("hp.zip")
    first = pull(archive)
    files, rows = snapshot(pull.root), pull.everything()
    assert pull(archive) == first | {"status": "unchanged"}
    assert (snapshot(pull.root), pull.everything()) == (files, rows)
    assert pull.rows("SELECT count(*) FROM events WHERE type LIKE '%.unchanged'") == [(3,)]
    assert pull.stages() == []


def test_a_version_may_have_several_artifacts(pull: Pulling) -> None:
    """Each is pulled by itself; files of both lie in one data folder, and pulling one again leaves the other alone."""
    (pull.folder / "hp-base.obo").write_text(OBO)
    pull(pull.archive("hp.zip"))
    row = pull(pull.folder / "hp-base.obo")
    assert (row["status"], row["files"], row["passed"]) == ("fresh", 4, 3)
    assert pull.rows("SELECT relpath FROM artifacts ORDER BY 1") == [("hp-base.obo",), ("hp.zip",)]
    assert pull.data()["hp-base.obo"] == OBO
    assert_consistent(pull.root)
    files, rows = snapshot(pull.root), pull.everything()
    assert pull(pull.folder / "hp.zip")["status"] == "unchanged"
    assert (snapshot(pull.root), pull.everything()) == (files, rows)


def test_a_path_of_another_artifact_is_refused(pull: Pulling) -> None:
    """Two artifacts that both bring a path end in a sentence, and the first keeps its file."""
    pull(pull.archive("hp.zip", {"a.ttl": TURTLE}))
    pull(pull.archive("more.zip", {"a.ttl": TURTLE + TURTLE}), code=1)
    assert "a.ttl" in pull.err
    assert pull.data() == {"a.ttl": TURTLE}
    assert_consistent(pull.root)


# --- options ----------------------------------------------------------------------------------------------------------


def test_other_bytes_under_a_version_need_replace(pull: Pulling) -> None:
    """Without --replace they are refused with both hashes; with it the old files and rows are gone."""
    pull(pull.archive("hp.zip"))
    old, files = hashlib.sha256((pull.folder / "hp.zip").read_bytes()).hexdigest(), snapshot(pull.root)
    newer = pull.archive("hp.zip", {"hp-1/hp.ttl": TURTLE * 2, "hp-1/new.ttl": TURTLE})
    pull(newer, code=1)
    assert old in pull.err
    assert "--replace" in pull.err
    assert snapshot(pull.root) == files
    assert pull(newer, "1", "--replace")["status"] == "fresh"
    assert pull.data() == {"hp.ttl": TURTLE * 2, "new.ttl": TURTLE}
    assert_consistent(pull.root)
    assert pull.rows("SELECT DISTINCT relpath FROM validations ORDER BY 1") == [("hp.ttl",), ("new.ttl",)]


def test_include_and_strip_shape_the_release(pull: Pulling) -> None:
    """What is narrowed or stripped otherwise is unpacked anew; the same wish changes nothing."""
    archive = pull.archive("hp.zip")
    assert pull(archive, "1", "--include", "*.ttl", "--include", "*.obo", "--strip", "0")["files"] == 2
    assert sorted(pull.data()) == ["hp-1/hp.ttl", "hp-1/sub/hp.obo"]
    rows = pull.everything()
    pull(archive, "1", "--include", "*.obo", "--include", "*.ttl", "--strip", "0")
    assert pull.everything() == rows
    assert pull(archive, "1", "--strip", "2")["files"] == 1
    assert "2 files out" in pull.err
    assert sorted(pull.data()) == ["hp.obo"]
    audit = (pull.root / "obo/hp/1/.extract.audit.json").read_text().splitlines()
    assert [json.loads(line)["strip"] for line in audit] == [2]
    assert_consistent(pull.root)
    pull(archive, "1", "--include", "*.nope", code=1)
    assert "'*.nope'" in pull.err
    assert sorted(pull.data()) == ["hp.obo"]


def test_a_failing_file_is_a_result(pull: Pulling) -> None:
    """The pull ends with 3, the release is recorded and does not become latest unless failures are accepted."""
    pull(pull.archive("hp.zip"))
    bad = pull.archive("bad.zip", {f"{number}.ttl": "<urn:a> oops" for number in range(7)} | {"ok.ttl": TURTLE})
    row = pull(bad, "2", code=3)
    assert (row["passed"], row["failed"], row["latest"]) == (1, 7, False)
    assert "0.ttl fails rdf-syntax" in pull.err
    assert "and 2 more" in pull.err
    assert "--accept-failures" in pull.err
    assert json.loads((pull.root / "obo/hp/LATEST.json").read_bytes())["version"] == "1"
    assert pull(bad, "2", "--accept-failures", code=3)["latest"] is True
    assert json.loads((pull.root / "obo/hp/LATEST.json").read_bytes())["version"] == "2"
    assert_consistent(pull.root)


def test_steps_can_be_left_out(pull: Pulling) -> None:
    """Without validation nobody counts passes; without set-latest the pointer stays."""
    row = pull(pull.archive("hp.zip"), "1", "--no-validate", "--no-set-latest")
    assert (row["passed"], row["failed"], row["latest"]) == (None, 0, False)
    assert pull.rows("SELECT count(*) FROM validations") == [(0,)]
    assert not (pull.root / "obo/hp/LATEST.json").exists()


def test_an_older_release_does_not_become_latest(pull: Pulling) -> None:
    """Natural order decides, and the sentence says how to set it all the same."""
    pull(pull.archive("hp.zip"), "1.10")
    assert pull(pull.folder / "hp.zip", "1.9")["latest"] is False
    assert "obo/hp/1.10 stays latest" in pull.err
    assert "db latest set obo/hp/1.9" in pull.err


def test_results_are_reused_by_content(pull: Pulling) -> None:
    """A content that the same validator judged before is not judged again; the row says where."""
    pull(pull.archive("hp.zip", {"a.ttl": TURTLE, "b.ttl": "<urn:a> oops"}), "1", code=3)
    pull(pull.archive("hp2.zip", {"c.ttl": TURTLE, "d.ttl": "<urn:a> oops", "e.ttl": TURTLE * 2}), "2", code=3)
    rows = pull.rows(
        "SELECT relpath, passed, reused_from FROM validations WHERE version_id = 'obo/hp/2' ORDER BY relpath"
    )
    assert rows == [("c.ttl", True, "obo/hp/1#a.ttl"), ("d.ttl", False, "obo/hp/1#b.ttl"), ("e.ttl", True, None)]


def test_an_archive_that_is_damaged_can_be_replaced(pull: Pulling) -> None:
    """Its download stays recorded, nothing is unpacked or staged, and a good copy takes its place."""
    archive = pull.archive("hp.zip")
    whole = archive.read_bytes()
    archive.write_bytes(whole[:-30])
    pull(archive, "1", code=1)
    assert "damaged or truncated" in pull.err
    # which needs no option, as nothing of the first one was published
    assert "--replace" not in pull.err
    assert (pull.data(), pull.stages()) == ({}, [])
    assert_consistent(pull.root)
    archive.write_bytes(whole)
    assert pull(archive, "1")["files"] == 3
    assert_consistent(pull.root)


def test_a_layout_of_the_settings_is_used(pull: Pulling, monkeypatch: pytest.MonkeyPatch) -> None:
    """New releases lie where the layout says; a recorded one keeps its own."""
    pull(pull.archive("hp.zip"), "1")
    monkeypatch.setenv("ONTOFETCH_LAYOUT", "docstokg")
    pull(pull.folder / "hp.zip", "2")
    assert pull(pull.folder / "hp.zip", "1")["status"] == "unchanged"
    assert (pull.root / "obo/hp/2/original/hp.zip").is_file()
    assert (pull.root / "obo/hp/2/extracted/hp.ttl").is_file()
    assert not (pull.root / "obo/hp/1/original").exists()


# --- servers ----------------------------------------------------------------------------------------------------------


def test_not_modified_and_the_same_version_is_unchanged(pull: Pulling, site: Site) -> None:
    """The second request is conditional, no byte comes, and nothing changes."""
    site.answers["/hp.zip"] = validated(pull.archive("hp.zip").read_bytes(), ETag='"1"')
    assert pull(site.url("/hp.zip"))["status"] == "fresh"
    files, rows = snapshot(pull.root), pull.everything()
    assert pull(site.url("/hp.zip"))["status"] == "unchanged"
    assert [seen.headers.get("if-none-match") for seen in site.seen] == [None, '"1"']
    assert (snapshot(pull.root), pull.everything()) == (files, rows)


def test_not_modified_and_another_version_is_a_hard_link(pull: Pulling, site: Site) -> None:
    """The known artifact is linked, recorded as cached, unpacked and validated by reuse."""
    site.answers["/hp.zip"] = validated(pull.archive("hp.zip").read_bytes(), ETag='"1"')
    pull(site.url("/hp.zip"), "1")
    row = pull(site.url("/hp.zip"), "2")
    assert (row["status"], row["files"], row["latest"]) == ("cached", 3, True)
    one, two = (pull.root / f"obo/hp/{version}/src/hp.zip" for version in "12")
    assert one.stat().st_ino == two.stat().st_ino
    assert pull.rows("SELECT version_id, status, etag FROM artifacts ORDER BY 1") == [
        ("obo/hp/1", "fresh", '"1"'), ("obo/hp/2", "cached", '"1"'),
    ]  # fmt: skip
    assert pull.rows("SELECT count(*) FROM validations WHERE reused_from IS NOT NULL") == [(2,)]
    assert_consistent(pull.root)
    assert pull.stages() == []


def test_no_secret_reaches_the_disk_or_the_log(pull: Pulling, site: Site) -> None:
    """Password, key, token and header are in no byte of the store and in no line, with -vv either, and still sent."""
    site.answers["/hp.zip"] = Answer(pull.archive("hp.zip").read_bytes(), headers={"ETag": '"1"'})
    source = site.url("/hp.zip?apikey=s3same&v=1", "jo:s3same")
    words = ("-vv", "--header", "X-Token: s3same")
    pull(source, "1", *words)
    told = pull.err
    site.answers["/hp.zip"] = Answer(b"no", 403)
    pull(source, "2", *words, code=1)
    assert site.seen[0].headers["x-token"] == "s3same"
    assert "s3same" in site.seen[0].path
    assert "s3same" not in told + pull.err
    stored = [path for path in pull.root.rglob("*") if path.is_file()]
    assert not [path for path in stored if b"s3same" in path.read_bytes()]
    assert pull.rows("SELECT source_url FROM artifacts") == [(site.url("/hp.zip?apikey=REDACTED&v=1"),)]


# --- plugins ----------------------------------------------------------------------------------------------------------


def test_a_veto_leaves_no_row_and_no_file_and_keeps_the_bytes(
    pull: Pulling, site: Site, add_plugin: Callable[..., Path], plugins_folder: Path
) -> None:
    """The plugin is named; the bytes stay staged, and once it agrees they are not sent again."""
    add_plugin(
        "voter",
        "import os\nfrom ontofetch_hookspecs import Veto\n"
        "@hookimpl\ndef on_download_done(event):\n"
        "    if os.environ.get('VOTE') == 'no': raise Veto('Not today.')\n",
    )
    site.answers["/hp.zip"] = validated(pull.archive("hp.zip").read_bytes(), ETag='"1"')
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VOTE", "no")
        pull(site.url("/hp.zip"), code=1)
    assert "The plugin 'voter' refuses the download of obo/hp/1: Not today." in pull.err
    (told,) = [line for line in map(json.loads, pull.err.splitlines()[:-1]) if line.get("outcome") == "rollback"]
    assert (told["version_id"], told["rows"], told["bytes"]) == ("obo/hp/1", 0, 0)
    assert {"boundary_id", "run_id", "milliseconds"} <= set(told)
    assert not (pull.root / "obo").exists()
    assert pull.rows("SELECT count(*) FROM versions") == [(0,)]
    assert pull.rows("SELECT type, level FROM events WHERE type LIKE 'download%'") == [
        ("download.rolled_back", "error")
    ]
    (stage,) = pull.stages()
    assert (stage / "src/hp.zip").is_file()
    assert pull(site.url("/hp.zip"))["files"] == 3
    assert site.seen[-1].headers["if-none-match"] == '"1"'
    assert pull.stages() == []
    assert_consistent(pull.root)


@pytest.mark.parametrize("refused", [False, True])
def test_a_new_archive_is_unpacked_while_it_is_recorded(
    pull: Pulling, monkeypatch: pytest.MonkeyPatch, refused: bool
) -> None:
    """Files are staged before the record is there; where that is refused they go, and the artifact stays staged."""

    def record(*given: Any) -> None:
        end = time.monotonic() + 60
        while not list(pull.root.glob(".catalog/staging/*/data/hp-1/sub/hp.obo")):
            assert time.monotonic() < end
            time.sleep(0.01)
        if refused:
            raise CatalogUnwritable("Not now.")
        record_download(*given)

    monkeypatch.setattr(pipeline, "record_download", record)
    pull(pull.archive("hp.zip"), code=1 if refused else 0)
    if refused:
        (stage,) = pull.stages()
        assert os.listdir(stage / "src") == ["hp.zip"]
    else:
        assert pull.stages() == []
        assert_consistent(pull.root)


def test_nothing_is_unpacked_that_others_may_refuse(pull: Pulling, add_plugin: Callable[..., Path]) -> None:
    """Where a plugin votes, only the artifact is staged until it has."""
    add_plugin(
        "looker",
        "import glob, os, time\n@hookimpl\ndef on_download_done(event):\n"
        "    time.sleep(0.3)\n"
        "    assert not glob.glob(f'{event.root}/.catalog/staging/*/data', include_hidden=True)\n",
    )
    assert pull(pull.archive("hp.zip"))["files"] == 3


def test_a_crash_after_the_download_is_resumed(program: Program, site: Site, add_plugin: Callable[..., Path]) -> None:
    """A process that is killed between download and record leaves a stage; the next one does not fetch again."""
    add_plugin(
        "killer",
        "import os, signal\n@hookimpl\ndef on_download_done(event):\n"
        "    if os.environ.get('KILL'): os.kill(os.getpid(), signal.SIGKILL)\n",
    )
    body = pack(program.root.parent / "hp.zip", RELEASE).read_bytes()
    site.answers["/hp.zip"] = validated(body, ETag='"1"')
    words = ("pull", site.url("/hp.zip"), "--service", "obo", "--ontology", "hp", "--version", "1")
    assert program.run(*words, env={"KILL": "1"}).returncode == -signal.SIGKILL
    done = program.run(*words)
    assert done.returncode == 0, done.stderr
    assert [seen.headers.get("if-none-match") for seen in site.seen] == [None, '"1"']
    assert_consistent(program.root)
    assert not os.listdir(program.root / ".catalog/staging")


def test_without_the_catalog_a_release_is_published_unrecorded(pull: Pulling) -> None:
    """Files come to the same places, nothing is recorded and a line says so; --replace is needed for others."""
    archive, off = pull.archive("hp.zip"), ("--no-plugin", "catalog")
    row = pull(archive, "1", *off)
    assert (row["status"], row["files"], row["passed"], row["latest"]) == ("fresh", 3, 2, False)
    assert "nothing is recorded" in pull.err
    assert pull.data() == {name.removeprefix("hp-1/"): text for name, text in RELEASE.items()}
    assert not (pull.root / ".catalog/ontofetch.duckdb").exists()
    files = snapshot(pull.root)
    assert pull(archive, "1", *off)["status"] == "unchanged"
    assert snapshot(pull.root) == files
    pull.archive("hp.zip", {"hp-1/hp.ttl": TURTLE * 2})
    pull(archive, "1", *off, code=1)
    assert "--replace" in pull.err
    pull(archive, "1", *off, "--replace")
    assert pull.data() == {"hp.ttl": TURTLE * 2}
    assert pull.stages() == []


# --- what somebody tampered with --------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["changed", "cut", "gone"])
def test_an_artifact_that_changed_on_disk_is_fetched_anew(pull: Pulling, fault: str) -> None:
    """The recorded copy is no source any more: the same release is mended, another one does not inherit the fault."""
    archive = pull.archive("hp.zip")
    pull(archive, "1")
    rows = pull.rows("SELECT * FROM extracted_files ORDER BY ALL")
    target, whole = pull.root / "obo/hp/1/src/hp.zip", archive.read_bytes()
    changes = {"changed": b"x" + whole[1:], "cut": whole[:-1]}
    for version in ("1", "2"):
        if fault == "gone":
            target.unlink()
        else:
            target.write_bytes(changes[fault])
        assert pull(archive, version)["status"] == "fresh"
        assert (pull.root / f"obo/hp/{version}/src/hp.zip").read_bytes() == whole
    pull(archive, "1")
    assert pull.rows("SELECT * FROM extracted_files WHERE version_id = 'obo/hp/1' ORDER BY ALL") == rows
    assert_consistent(pull.root)


@pytest.mark.parametrize("fault", ["cut", "gone", "folder gone"])
def test_files_that_are_gone_are_unpacked_anew(pull: Pulling, fault: str) -> None:
    """Pulling a release again brings lost files back, and says which one was missed."""
    archive = pull.archive("hp.zip")
    pull(archive)
    (pull.folder / "more.obo").write_text(OBO)
    pull(pull.folder / "more.obo")
    folder = pull.root / "obo/hp/1/data/sub"
    if fault == "cut":
        (folder / "hp.obo").write_text("x")
    else:
        (folder / "hp.obo").unlink()
        if fault == "folder gone":
            folder.rmdir()
    assert pull(archive)["files"] == 4
    assert "unpacked anew" in pull.err
    assert pull.data()["sub/hp.obo"] == OBO
    assert_consistent(pull.root)
    assert pull(archive)["status"] == "unchanged"
    assert "anew" not in pull.err


def test_the_files_of_a_release_are_read_only_where_they_are_needed(
    pull: Pulling, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pull looks its release up three times; a million rows of files are wanted by few of them."""
    read: list[int] = []
    list_files = lookups.files.list_files

    def counting(connection: Any, version_id: str) -> Any:
        found = list_files(connection, version_id)
        read.append(len(found))
        return found

    monkeypatch.setattr(lookups.files, "list_files", counting)
    first, second = pull.archive("hp.zip"), pull.archive("more.zip", {"more/x.ttl": TURTLE, "more/y.ttl": TURTLE})
    for source, words, files, expected in (
        (first, (), 3, []),  # what was just unpacked is all there is
        (first, (), 3, [3]),  # what is there is compared with the disk, and validated
        (second, (), 5, [5]),  # files of both are validated
    ):
        read.clear()
        assert pull(source, "1", *words)["files"] == files
        assert read == expected
    pull.archive("hp.zip", {"hp-1/hp.ttl": TURTLE + TURTLE.replace("c", "d")})
    read.clear()
    assert pull(first, "1", "--replace")["files"] == 3
    assert read == [3]
