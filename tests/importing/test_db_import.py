"""`db import` takes in what other programs have put on disk: whole, again and again, and harmlessly."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ontofetch_catalog.host.app import main
from tests.trees_of_others import add_archive, add_release, picture, sha256

pytestmark = pytest.mark.usefixtures("quick_databases")

FILES = {"d/a.ttl": b"# a\n", "d/b.nt": b"# b\n", "c.obo": b"format-version: 1.2\n"}
Import = Callable[..., tuple[int, dict[str, dict[str, Any]], str]]


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return where a store will be."""
    monkeypatch.setenv("ONTOFETCH_DURABILITY", "off")
    monkeypatch.setenv("COLUMNS", "200")
    return tmp_path / "store"


@pytest.fixture
def tree(root: Path) -> Path:
    """Return a tree of that downloader, a folder of the store: a good release, a broken one, one of a zip."""
    tree = root / "ontologies"
    add_release(tree, "hp", "2025-01-01")
    add_release(tree, "hp", "2025-02-01", data=b"broken", ok=False)
    add_archive(tree, "many", "1.0", FILES)
    (tree / "hp" / "latest").symlink_to("2025-01-01")
    return tree


@pytest.fixture
def take(root: Path, capfd: pytest.CaptureFixture[str]) -> Import:
    """Return a function that imports: words → exit code, path → row, stderr."""

    def call(*words: str | Path, root: Path = root) -> tuple[int, dict[str, dict[str, Any]], str]:
        code = main(["db", "import", *map(str, words), "-q", "--json", "--root", str(root)])
        out, err = capfd.readouterr()
        rows = json.loads(out)["rows"] if out else []
        return code, {row["path"]: row for row in rows}, err

    return call


def ask(root: Path, sql: str) -> list[tuple[Any, ...]]:
    """Return what the catalog answers to a question, asked without the package."""
    with duckdb.connect(str(root / ".catalog/ontofetch.duckdb"), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def doctor(root: Path, capfd: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """Return the findings of doctor, all contents hashed."""
    main(["db", "doctor", "--hash", "--json", "-q", "--root", str(root)])
    out, err = capfd.readouterr()
    assert out, err
    told = json.loads(out)
    found: list[dict[str, Any]] = told["rows"] if "rows" in told else told["sections"]["findings"]
    return found


@pytest.mark.parametrize("copy", [False, True])
def test_a_tree_equals_a_recount(
    root: Path, tree: Path, take: Import, capfd: pytest.CaptureFixture[str], copy: bool
) -> None:
    """Rows, files, results and the latest pointer are those of the tree; doctor finds nothing, the tree stays."""
    before = picture(tree)
    store = root if not copy else root.parent / "other"
    code, rows, err = take(tree, *(["--copy", "--service", "obo"] if copy else []), root=store)
    assert (code, {row["state"] for row in rows.values()}) == (0, {"recorded"}), err
    service, layout = ("obo", "native") if copy else ("ontologies", "docstokg-tree")
    assert ask(store, "SELECT version_id, layout FROM versions ORDER BY 1") == [
        (f"{service}/hp/2025-01-01", layout),
        (f"{service}/hp/2025-02-01", layout),
        (f"{service}/many/1.0", layout),
    ]
    found = ask(store, "SELECT version_id, relpath, file_id, size_bytes FROM extracted_files ORDER BY 1, 2")
    own = [("hp/2025-01-01", "hp.owl", (tree / "hp/2025-01-01/original/hp.owl").read_bytes())]
    own += [("hp/2025-02-01", "hp.owl", b"broken")]
    own += [("many/1.0", name, data) for name, data in sorted(FILES.items())]
    assert found == [(f"{service}/{v}", name, sha256(data), len(data)) for v, name, data in own]
    assert ask(store, "SELECT version_id, validator, validator_version, passed FROM validations ORDER BY 1") == [
        (f"{service}/hp/2025-01-01", "rdflib", "docstokg-1.0", True),
        (f"{service}/hp/2025-02-01", "rdflib", "docstokg-1.0", False),
    ]
    assert ask(store, "SELECT version_id FROM latest_pointer") == [(f"{service}/hp/2025-01-01",)]
    ((url, etag, status),) = ask(
        store, "SELECT DISTINCT source_url, etag, status FROM artifacts WHERE relpath = 'hp.owl'"
    )
    assert (url, etag, status) == ("https://example.org/hp.owl?apikey=REDACTED", '"1"', "fresh")
    assert doctor(store, capfd) == []
    after = picture(tree)
    assert {path: after.get(path) for path in before} == before
    if copy:
        assert after == before
    else:
        added = {path.split("/", 2)[2].split("/")[0] for path in after.keys() - before.keys() if path.count("/") > 1}
        assert added == {"extracted", ".manifest.json", ".extract.audit.json", ".validation.audit.json"}


@pytest.mark.parametrize("copy", [False, True])
def test_again_is_nothing(root: Path, tree: Path, take: Import, copy: bool) -> None:
    """A second import leaves everything as it is and says so; a release that came since is the only one recorded."""
    words = [tree, *(["--copy"] if copy else [])]
    store = root.parent / "other" if copy else root
    take(*words, root=store)
    events = ask(store, "SELECT max(event_id) FROM events")
    code, rows, _ = take(*words, root=store)
    assert (code, {row["state"] for row in rows.values()}) == (0, {"unchanged"})
    assert rows["many/1.0/original/many.zip"]["files"] == 3
    assert ask(store, "SELECT max(event_id) FROM events") == events
    add_release(tree, "hp", "2025-03-01", data=b"new")
    _, rows, _ = take(*words, root=store)
    assert [path for path, row in rows.items() if row["state"] == "recorded"] == ["hp/2025-03-01/original/hp.owl"]


def test_in_place_copies_nothing(root: Path, tree: Path, take: Import) -> None:
    """Files that stay where they lie get a second name; no byte is there twice."""
    take(tree)
    for place, name in (("hp/2025-01-01", "hp.owl"), ("many/1.0", "d/a.ttl")):
        kept = tree / place / "extracted" / name
        assert kept.stat().st_nlink == 2
    assert not any((root / ".catalog/staging").iterdir())


def test_a_dry_run_writes_nothing(root: Path, tree: Path, take: Import) -> None:
    """It shows what would be taken in, and makes no store."""
    before = picture(root)
    code, rows, _ = take(tree, "--dry-run")
    assert (code, {row["state"] for row in rows.values()}) == (0, {"planned"})
    assert picture(root) == before


def test_what_cannot_stay_where_it_lies(root: Path, tree: Path, take: Import, tmp_path: Path) -> None:
    """A tree elsewhere is refused with both ways out; so is another service, and a link to the tree."""
    code, _, err = take(tree, root=tmp_path / "elsewhere")
    assert code == 2
    assert "--copy copies it" in err
    assert "makes the folder above it the store" in err
    code, _, err = take(tree, "--service", "obo")
    assert code == 2
    assert "the name of its folder" in err
    (root / "alias").symlink_to(tree)
    assert take(root / "alias")[0] == 2


def test_prune_leaves_what_another_program_keeps(
    root: Path, tree: Path, take: Import, capfd: pytest.CaptureFixture[str]
) -> None:
    """Neither the downloader's own files nor such a release are proposed, unless --adopted says so."""
    add_release(tree, "hp", "2024-01-01", data=b"older")
    take(tree)

    def plan(*words: str) -> dict[str, Any]:
        common = ["--dry-run", "--min-age", "0s", "--override", "large-plan", "--json", "--root", str(root)]
        assert main(["db", "prune", *words, *common]) in (0, 1)
        out, err = capfd.readouterr()
        return {"err": err, "rows": json.loads(out) if out else {}}

    assert "nothing to prune" in plan()["err"]
    refused = plan("--version", "hp/2024-01-01")["err"]
    assert "another program keeps it" in refused
    assert "--adopted" in refused
    taken = json.dumps(plan("--version", "hp/2024-01-01", "--adopted")["rows"])
    assert "hp/2024-01-01/original/hp.owl" in taken
    assert ".extract.audit.json" in taken
    assert "ontologies/hp/2024-01-01/manifest.json" not in taken
    theirs = next((tree / "many/1.0/original/many_extracted").rglob("a.ttl")).relative_to(root)
    main(["db", "prune", "--explain", str(theirs), "--root", str(root), "--json", "-q"])
    assert "another program's" in capfd.readouterr().out


def test_a_rebuild_reads_what_was_imported(
    root: Path, tree: Path, take: Import, capfd: pytest.CaptureFixture[str]
) -> None:
    """The documents beside an imported release say what the rows said, and prune still leaves it alone."""
    take(tree)
    before = ask(root, "SELECT * FROM extracted_files ORDER BY ALL"), ask(root, "SELECT * FROM versions ORDER BY ALL")
    (root / ".catalog/ontofetch.duckdb").unlink()
    assert main(["db", "rebuild", "--json", "-q", "--root", str(root)]) == 0
    assert {row["source"] for row in json.loads(capfd.readouterr().out)["rows"]} == {"documents"}
    after = ask(root, "SELECT * FROM extracted_files ORDER BY ALL"), ask(root, "SELECT * FROM versions ORDER BY ALL")
    assert after == before
    assert doctor(root, capfd) == []


@pytest.mark.parametrize(
    "lost",
    [
        ["hp/2025-01-01/.manifest.json"],
        ["hp/2025-01-01/.manifest.json", "many/1.0/.manifest.json", "hp/2025-02-01/.manifest.json"],
        ["hp/2025-01-01/.manifest.json", "hp/2025-01-01/manifest.json"],
        ["many/1.0/.manifest.json", "many/1.0/manifest.json", "many/1.0/extracted/d/a.ttl"],
    ],
    ids=["ours", "all of ours", "both", "both of an archive"],
)
def test_a_lost_manifest_gives_nothing_of_the_other_program_away(
    root: Path, tree: Path, take: Import, capfd: pytest.CaptureFixture[str], lost: list[str]
) -> None:
    """A rebuild knows the tree for another program's all the same: nothing of it moves, prune proposes nothing."""
    take(tree)
    for name in lost:
        (tree / name).unlink()
    (root / ".catalog/ontofetch.duckdb").unlink()
    before = picture(tree)
    assert main(["db", "rebuild", "--json", "-q", "--root", str(root)]) == 0
    assert {row["source"] for row in json.loads(capfd.readouterr().out)["rows"]} >= {"hashed"}
    assert {layout for (layout,) in ask(root, "SELECT DISTINCT layout FROM versions")} == {"docstokg-tree"}
    own = {path: row for path, row in before.items() if "/." not in path and "/extracted/" not in path}
    assert {path: picture(tree).get(path) for path in own} == own
    names = {name for (name,) in ask(root, "SELECT relpath FROM artifacts")}
    assert names == {"hp.owl", "many.zip"}
    assert main(["db", "prune", "--dry-run", "--min-age", "0s", "--json", "-q", "--root", str(root)]) == 0
    assert not json.loads(capfd.readouterr().out or '{"rows": []}')["rows"]
    assert main(
        ["db", "prune", "--dry-run", "--keep-last", "1", "--min-age", "0s", "--json", "-q", "--root", str(root)]
    ) in (0, 1)
    assert "original/" not in capfd.readouterr().out


def test_doctor_moves_no_release_that_another_program_keeps(
    root: Path, tree: Path, take: Import, capfd: pytest.CaptureFixture[str]
) -> None:
    """A release that came since the import may be recorded, never put aside."""
    take(tree)
    add_release(tree, "hp", "2025-03-01", data=b"new")
    (finding,) = [finding for finding in doctor(root, capfd) if finding["code"] == "CAT028"]
    assert finding["unsafe_fixes"] == "adopt"
    assert main(["db", "doctor", "--fix", "CAT028=quarantine", "-q", "--root", str(root)]) != 0
    assert (tree / "hp/2025-03-01/original/hp.owl").read_bytes() == b"new"
    main(["db", "doctor", "--fix", "CAT028=adopt", "--yes", "-q", "--root", str(root)])
    capfd.readouterr()
    assert ask(root, "SELECT layout FROM versions WHERE version = '2025-03-01'") == [("docstokg-tree",)]
    assert (tree / "hp/2025-03-01/manifest.json").is_file()


def test_reports_from_audits_are_those_from_the_catalog(
    root: Path, tree: Path, take: Import, capfd: pytest.CaptureFixture[str]
) -> None:
    """The manifest beside the other program's is the one that is read."""
    take(tree)
    told = []
    for way in ([], ["--from", "audits"]):
        assert main(["report", "hotspots", "--by", "format", "--json", "-q", "--root", str(root), *way]) == 0
        found = json.loads(capfd.readouterr().out)
        told.append(found["rows"] if "rows" in found else found["sections"])
    assert told[0] == told[1]


def test_a_backup_carries_the_documents_of_an_imported_release(
    root: Path, tree: Path, take: Import, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """What comes back from a backup is clean again."""
    take(tree)
    assert main(["db", "backup", "--to", str(tmp_path / "backup"), "-q", "--root", str(root)]) == 0
    kept = {str(path.relative_to(tmp_path / "backup")) for path in (tmp_path / "backup").rglob("*")}
    assert any(path.endswith("hp/2025-01-01/.manifest.json") for path in kept)
    assert not any(path.endswith("hp/2025-01-01/manifest.json") for path in kept)
    (tree / "hp/2025-01-01/.manifest.json").unlink()
    capfd.readouterr()
    assert main(["db", "restore", str(tmp_path / "backup"), "-q", "--root", str(root)]) == 0
    capfd.readouterr()
    assert doctor(root, capfd) == []


# --- what can't be read -----------------------------------------------------------------------------------------------


def _hostile(tree: Path) -> dict[str, str]:
    """Add releases that can't be taken in; return path → what its row says."""
    folder = add_release(tree, "link", "1")
    (folder / "original/link.owl").unlink()
    (folder / "original/link.owl").symlink_to("/etc/passwd")
    folder = add_release(tree, "fifo", "1")
    (folder / "original/fifo.owl").unlink()
    os.mkfifo(folder / "original/fifo.owl")
    folder = add_release(tree, "gone", "1")
    (folder / "original/gone.owl").unlink()
    add_release(tree, "changed", "1")
    (tree / "changed/1/original/changed.owl").write_bytes(b"other")
    add_release(tree, "absolute", "1", filename="/etc/passwd")
    add_release(tree, "above", "1", filename="../../../escape.owl")
    add_release(tree, "inner", "1", filename="sub/x.owl")
    add_release(tree, "typed", "1", filename=["x"], sha256=7)
    add_release(tree, "sha", "1", sha256="0" * 63)
    add_release(tree, "escape", "1", url="https://x/\x1b[31m")
    add_release(tree, "nojson", "1")
    (tree / "nojson/1/manifest.json").write_text("{")
    add_release(tree, "deep", "1")
    (tree / "deep/1/manifest.json").write_text("[" * 100_000)
    add_release(tree, "huge", "1")
    with (tree / "huge/1/manifest.json").open("wb") as stream:
        stream.truncate(1 << 40)
    add_release(tree, "pipe", "1")
    (tree / "pipe/1/manifest.json").unlink()
    os.mkfifo(tree / "pipe/1/manifest.json")
    add_release(tree, "linked", "1")
    (tree / "linked/1/manifest.json").unlink()
    (tree / "linked/1/manifest.json").symlink_to(tree / "deep/1/manifest.json")
    add_release(tree, "bad name", "1")
    add_release(tree, "odd", "la test")
    add_release(tree, "unfinished", "1")
    (tree / "unfinished/1/manifest.json").unlink()
    return {
        "link": "can't be read",
        "fifo": "can't be read",
        "gone": "can't be read",
        "changed": "its tree says",
        "absolute": "is absolute",
        "above": "'..'",
        "inner": "no name",
        "typed": "not text",
        "sha": "not a sha256",
        "escape": "not plain text",
        "nojson": "can't be read",
        "deep": "nested",
        "huge": "larger",
        "pipe": "no regular file",
        "linked": "can't be read",
        "bad name": "not a name",
        "odd": "not a name",
        "unfinished": "did not come to an end",
    }


@pytest.mark.parametrize("copy", [False, True])
def test_hostile_trees_are_harmless(
    root: Path, tree: Path, take: Import, capfd: pytest.CaptureFixture[str], copy: bool
) -> None:
    """What can't be taken in is named with its reason and exit code 3; nothing else is touched, the rest recorded."""
    expected = _hostile(tree)
    store = root.parent / "other" if copy else root
    code, rows, err = take(tree, *(["--copy"] if copy else []), root=store)
    assert code == 3
    assert "\x1b" not in err
    said = {path.split("/")[0]: row for path, row in rows.items() if row["state"] == "left"}
    assert set(said) == set(expected)
    for name, reason in expected.items():
        assert reason in said[name]["message"], name
    assert {row["state"] for row in rows.values()} == {"recorded", "left"}
    assert len(ask(store, "SELECT * FROM versions")) == 3
    found = [finding for finding in doctor(store, capfd) if finding["code"] != "CAT028"]
    assert found == []


@pytest.mark.parametrize("change", ["content", "size", "missing", "more", "link", "audit", "no audit", "fifo"])
def test_an_extraction_that_is_not_as_its_audit_says(
    root: Path, tree: Path, take: Import, capfd: pytest.CaptureFixture[str], change: str
) -> None:
    """It is not believed: the archive is unpacked anew, and the row says so."""
    place = next((tree / "many/1.0/original/many_extracted").iterdir())
    victim = place / "d/a.ttl"
    if change == "content":
        victim.write_bytes(b"# x\n")
    elif change == "size":
        victim.write_bytes(b"# longer\n")
    elif change == "missing":
        victim.unlink()
    elif change == "more":
        (place / "stray.ttl").write_bytes(b"# more\n")
    elif change == "link":
        victim.unlink()
        victim.symlink_to("/etc/passwd")
    elif change == "fifo":
        victim.unlink()
        os.mkfifo(victim)
    elif change == "audit":
        (place / ".extract.audit.json").write_text("[1, 2")
    else:
        (place / ".extract.audit.json").unlink()
    code, rows, _ = take(tree)
    row = rows["many/1.0/original/many.zip"]
    assert (code, row["state"], row["files"]) == (3, "recorded", 3)
    assert "unpacked anew" in row["message"]
    found = ask(root, "SELECT relpath, file_id FROM extracted_files WHERE version_id LIKE '%many%' ORDER BY 1")
    assert found == [(name, sha256(data)) for name, data in sorted(FILES.items())]
    assert doctor(root, capfd) == []


def test_an_archive_that_nobody_unpacked(root: Path, take: Import, capfd: pytest.CaptureFixture[str]) -> None:
    """It is unpacked within the limits of a pull; a bomb is recorded as an artifact and its files are not."""
    add_archive(root / "trees", "plain", "1", FILES, unpack=False)
    add_archive(root / "trees", "bomb", "1", {"zeros.ttl": bytes(200_000_000)}, unpack=False)
    add_release(root / "trees", "cut", "1", name="cut.zip", data=b"PK\x03\x04 it ends here", validation={})
    code, rows, _ = take(root / "trees")
    assert code == 3
    assert rows["plain/1/original/plain.zip"]["files"] == 3
    assert ask(root, "SELECT count(*) FROM artifacts") == [(3,)]
    for name, reason in (("cut", "damaged"), ("bomb", "200 times")):
        row = rows[f"{name}/1/original/{name}.zip"]
        assert (row["state"], row["files"]) == ("recorded", 0)
        assert reason in row["message"]
    assert [finding for finding in doctor(root, capfd) if finding["severity"] == "error"] == []


def test_a_veto_counts(root: Path, tree: Path, tmp_path: Path) -> None:
    """A plugin that refuses a download refuses its import, and the others are recorded."""
    from tests.programs import Program, install

    code = (
        "@hookimpl\ndef on_download_done(event):\n    if event.ontology == 'hp':\n        raise ValueError('no hp')\n"
    )
    program = Program(root, install(tmp_path / "plugins", "no-hp", code))
    done = program.run("db", "import", str(tree), "--json")
    rows = {row["path"]: row for row in json.loads(done.stdout)["rows"]}
    assert done.returncode == 3, done.stderr
    assert rows["hp/2025-01-01/original/hp.owl"]["state"] == "left"
    assert "no hp" in rows["hp/2025-01-01/original/hp.owl"]["message"]
    assert rows["many/1.0/original/many.zip"]["state"] == "recorded"


def test_other_bytes_under_a_recorded_name(root: Path, tree: Path, take: Import, tmp_path: Path) -> None:
    """They are refused, and taken with --replace; the former ones are kept in the quarantine."""
    store = tmp_path / "other"
    take(tree, "--copy", root=store)
    add_release(tree, "hp", "2025-01-01", data=b"taken anew")
    code, rows, _ = take(tree, "--copy", root=store)
    assert code == 3
    assert "is recorded with" in rows["hp/2025-01-01/original/hp.owl"]["message"]
    code, rows, err = take(tree, "--copy", "--replace", root=store)
    assert (code, rows["hp/2025-01-01/original/hp.owl"]["state"]) == (0, "recorded"), err
    assert list((store / ".catalog/quarantine").rglob("hp.owl"))


def test_an_import_with_nothing_left_to_do_ends_what_one_that_died_left(root: Path, tree: Path, take: Import) -> None:
    """The record beside the catalog is behind where a process died before it was written; the next one writes it."""
    take(tree)
    record = root / ".catalog/generation.json"
    newest = json.loads(record.read_text())
    events = ask(root, "SELECT event_id, digest FROM events ORDER BY event_id")
    number, digest = events[-2]
    record.write_text(json.dumps({**newest, "events": number, "digest": digest}))
    assert {row["state"] for row in take(tree)[1].values()} == {"unchanged"}
    assert json.loads(record.read_text())["events"] == newest["events"]
