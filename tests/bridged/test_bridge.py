"""A downloader beside us is recorded with nobody calling anything; the words that are not ours go to it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.programs import Program, forked
from tests.trees_of_others import ONTOLOGY, sha256

SMALL = Path(__file__).parents[1] / "third_party/small-downloader"
SCRIPT = Path(sys.executable).with_name("ontofetch")


class Beside:
    """The small downloader on the path of real processes, with a store of ours and sources of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root = folder / "store"
        self.tree = folder / "pystow/ontology-fetcher/ontologies"
        self.sources = folder / "sources"
        self.sources.mkdir()
        self.path = [SMALL]
        self.environment: dict[str, str] = {}
        self.starts = False  # the installed script, rather than a fork of a process that has imported the program

    def source(self, name: str, data: bytes = ONTOLOGY) -> str:
        """Make a source and return its URL."""
        (self.sources / name).write_bytes(data)
        return (self.sources / name).as_uri()

    def spec(self, ontology: str, version: str, url: str, service: str | None = "web") -> dict[str, Any]:
        """Return what is to be pulled."""
        return {"id": ontology, "version": version, "url": url, "resolver": "direct", "service": service}

    def run(
        self, *words: str | Path, root: Path | None = None, env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run `ontofetch` to its end."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("ONTOFETCH_")}
        ours = {
            "ONTOFETCH_ROOT": str(root or self.root),
            "ONTOFETCH_DURABILITY": "off",
            "ONTOFETCH_CONFIG": "",
            "PYSTOW_HOME": str(self.folder / "pystow"),
            "PYTHONPATH": os.pathsep.join(map(str, self.path)),
            "COLUMNS": "200",
        }
        environment = kept | ours | self.environment | dict(env or {})
        if not self.starts:
            return forked().run([*map(str, words)], environment)
        return subprocess.run(
            [SCRIPT, *map(str, words)], env=environment, capture_output=True, text=True, check=False, timeout=120
        )

    def pull(self, *specs: dict[str, Any], words: tuple[str, ...] = (), **how: Any) -> subprocess.CompletedProcess[str]:
        """Pull with the downloader."""
        listed = self.folder / "specs.json"
        listed.write_text(json.dumps(specs))
        return self.run("pull", listed, *words, **how)

    def ask(self, sql: str, root: Path | None = None) -> list[tuple[Any, ...]]:
        """Return what the catalog answers to a question, asked without the package."""
        database = (root or self.root) / ".catalog/ontofetch.duckdb"
        with duckdb.connect(str(database), read_only=True) as connection:
            return connection.execute(sql).fetchall()

    def is_clean(self, root: Path | None = None) -> bool:
        """Say whether doctor finds nothing, all contents hashed."""
        return Program(root or self.root).run("db", "doctor", "--hash", "-q").returncode == 0


@pytest.fixture
def beside(tmp_path: Path) -> Beside:
    """Return the two beside each other."""
    return Beside(tmp_path)


def test_pulls_are_recorded(beside: Beside) -> None:
    """Files, results, services and the latest pointers are those of the pull, in threads; doctor finds nothing."""
    beside.starts = True
    packed = beside.sources / "many.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        for number in range(5):
            archive.writestr(f"d/{number}.nt", f"# {number}\n")
    hp = beside.source("hp.owl")
    specs = [beside.spec("hp", f"2025-0{month}-01", hp) for month in range(1, 5)]
    specs += [beside.spec("many", "1.0", packed.as_uri()), beside.spec("bare", "1", hp, service=None)]
    done = beside.pull(*specs)
    assert (done.returncode, json.loads(done.stdout)) == (0, ["fresh"] * 6), done.stderr
    assert done.stderr.count("pulls are recorded; wrapped:") == 1
    versions = [row[0] for row in beside.ask("SELECT version_id FROM versions ORDER BY 1")]
    assert versions == ["direct/bare/1", *(f"web/hp/2025-0{m}-01" for m in range(1, 5)), "web/many/1.0"]
    files = beside.ask("SELECT relpath, file_id FROM extracted_files WHERE version_id = 'web/many/1.0' ORDER BY 1")
    assert files == [(f"d/{number}.nt", sha256(f"# {number}\n".encode())) for number in range(5)]
    results = beside.ask("SELECT version_id, validator, passed, details FROM validations ORDER BY 1")
    assert [row[:3] for row in results] == [(version, "rdflib", True) for version in versions[:-1]]
    # the validators' processes load the bridge, too, and nothing heavy with it
    assert {row[3] for row in results} == {'{"heavy": [], "resolvers": 1}'}
    assert beside.ask("SELECT slot, version_id FROM v_latest ORDER BY 1") == [
        ("direct/bare", "direct/bare/1"),
        ("web/hp", "web/hp/2025-04-01"),
    ]
    assert beside.is_clean()
    theirs = {path.name for path in beside.tree.rglob("*") if path.is_file()}
    assert not theirs & {".validation.audit.json", ".manifest.json", "LATEST.json"}


def test_again_and_anew(beside: Beside) -> None:
    """A cached pull records nothing more; bytes that the publisher changed take the place of the former ones."""
    url = beside.source("hp.owl")
    beside.pull(beside.spec("hp", "1", url))
    beside.pull(beside.spec("hp", "1", url))
    assert beside.ask("SELECT count(*) FROM events WHERE type LIKE '%.done' AND version_id IS NOT NULL") == [(3,)]
    beside.source("hp.owl", b"changed")
    done = beside.pull(beside.spec("hp", "1", url))
    assert json.loads(done.stdout) == ["updated"]
    assert beside.ask("SELECT artifact_id FROM artifacts") == [(sha256(b"changed"),)]
    assert beside.is_clean()


def test_a_failed_pull_is_not_recorded(beside: Beside) -> None:
    """Neither one whose download fails nor one that its validators refuse; accepted failures do not become latest."""
    bad = beside.spec("bad", "1", beside.source("bad.owl", b"broken"))
    assert beside.pull(beside.spec("gone", "1", "fail:/gone.owl")).returncode == 1
    assert beside.pull(bad).returncode == 1
    assert not (beside.root / ".catalog/ontofetch.duckdb").exists()
    assert beside.pull(bad, words=("--accept-failures",)).returncode == 0
    assert beside.ask("SELECT passed FROM validations") == [(False,)]
    assert beside.ask("SELECT * FROM latest_pointer") == []


def test_latest_by_setting_and_by_the_downloader(beside: Beside) -> None:
    """`bridge_latest = off` leaves latest alone; what the downloader itself makes latest is recorded."""
    url = beside.source("hp.owl")
    off = {"ONTOFETCH_BRIDGE_LATEST": "off"}
    beside.pull(beside.spec("hp", "1", url), env=off)
    beside.pull(beside.spec("hp", "2", url), env=off)
    assert beside.ask("SELECT * FROM latest_pointer") == []
    done = beside.run("latest", "hp", "1")
    assert done.returncode == 0, done.stderr
    assert beside.ask("SELECT version_id, updated_by FROM latest_pointer") == [("web/hp/1", "docstokg")]


def test_a_tree_that_is_a_folder_of_the_store_stays_where_it_lies(beside: Beside) -> None:
    """With the store above the tree nothing is copied, and the downloader's own manifest stays."""
    root = beside.tree.parent
    packed = beside.sources / "many.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.nt", "# a\n")
    url = beside.source("hp.owl")
    for links in (2, 1):
        done = beside.pull(beside.spec("hp", "1", url), beside.spec("many", "1", packed.as_uri()), root=root)
        assert done.returncode == 0, done.stderr
        # it puts a new file into the place of the old one, also if they are equal; the recorded one stays
        assert (beside.tree / "hp/1/extracted/hp.owl").stat().st_nlink == links
    assert beside.ask("SELECT version_id, layout FROM versions ORDER BY 1", root) == [
        ("ontologies/hp/1", "docstokg-tree"),
        ("ontologies/many/1", "docstokg-tree"),
    ]
    assert json.loads((beside.tree / "hp/1/manifest.json").read_text())["resolver"] == "direct"
    assert beside.is_clean(root)


def test_a_mirrored_tree_is_recorded_once(beside: Beside) -> None:
    """The other backend of the downloader finishes a release in its own way."""
    beside.environment["ONTOFETCH_STORAGE_URL"] = str(beside.folder / "mirror")
    done = beside.pull(beside.spec("hp", "1", beside.source("hp.owl")))
    assert done.returncode == 0, done.stderr
    assert beside.ask("SELECT count(*) FROM events WHERE type = 'download.done'") == [(1,)]
    assert (beside.folder / "mirror/hp/1/manifest.json").exists()


# --- errors of ours ---------------------------------------------------------------------------------------------------


def _break(beside: Beside, how: str) -> None:
    if how == "store is a file":
        beside.root.write_text("")
    elif how == "settings":
        beside.environment["ONTOFETCH_WAIT"] = "soon"
    else:
        (beside.root / ".catalog").mkdir(parents=True)
        (beside.root / ".catalog/ontofetch.duckdb").write_bytes(b"no database" * 1000)


@pytest.mark.parametrize("how", ["store is a file", "database"])
def test_an_error_of_ours_fails_no_pull(beside: Beside, how: str) -> None:
    """It is said in a sentence, and the pull goes on; with `bridge_errors = raise` it fails the pull."""
    _break(beside, how)
    spec = beside.spec("hp", "1", beside.source("hp.owl"))
    done = beside.pull(spec)
    assert (done.returncode, json.loads(done.stdout)) == (0, ["fresh"]), done.stderr
    assert "what was pulled is not recorded" in done.stderr
    assert "Traceback" not in done.stderr
    assert (beside.tree / "hp/1/manifest.json").exists()
    if how == "database":
        assert beside.pull(spec, env={"ONTOFETCH_BRIDGE_ERRORS": "raise"}).returncode == 1


def test_settings_that_cannot_be_read_fail_no_pull(beside: Beside) -> None:
    """The downloader, called in its own way, goes on."""
    beside.environment |= {"ONTOFETCH_WAIT": "soon"}
    listed = beside.folder / "specs.json"
    listed.write_text(json.dumps([beside.spec("hp", "1", beside.source("hp.owl"))]))
    done = subprocess.run(
        [sys.executable, "-c", "from DocsToKG.OntologyDownload.cli import cli_main; cli_main()", "pull", listed],
        env=os.environ | {"PYTHONPATH": str(SMALL), "PYSTOW_HOME": str(beside.folder), "ONTOFETCH_WAIT": "soon"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, '["fresh"]\n'), done.stderr
    assert "The setting wait" in done.stderr


@pytest.mark.parametrize("missing", ["download_stream", "finalize_version", "set_latest_version"])
def test_what_is_not_there_is_said_once(beside: Beside, missing: str) -> None:
    """A downloader that names something otherwise goes on; a line says what is lost by that."""
    own = beside.folder / "other"
    for path in sorted(SMALL.rglob("*.py")):
        target = own / path.relative_to(SMALL)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(path.read_text().replace(missing, f"{missing}_anew"))
    beside.path = [own]
    url = beside.source("hp.owl")
    done = beside.pull(beside.spec("hp", "1", url), beside.spec("hp", "2", url))
    assert (done.returncode, json.loads(done.stdout)) == (0, ["fresh", "fresh"]), done.stderr
    assert done.stderr.count(f"{missing} of the downloader was not found") == 1
    recorded = (beside.root / ".catalog/ontofetch.duckdb").exists()
    assert recorded == (missing != "finalize_version")
    if missing == "download_stream":
        assert beside.ask("SELECT DISTINCT service FROM versions") == [("direct",)]


# --- commands beside each other ---------------------------------------------------------------------------------------


def test_words_that_are_ours_and_theirs(beside: Beside) -> None:
    """`db`, `report`, `plugins` and no word at all are ours, every other word is theirs, with its own exit code."""
    beside.starts = True
    beside.pull(beside.spec("hp", "1", beside.source("hp.owl")))
    assert "web/hp" in beside.run().stdout
    assert beside.run("db", "versions", "--json").returncode == 0
    assert beside.run("report", "latest").returncode == 0
    assert "catalog" in beside.run("plugins").stdout
    done = beside.run("plan", "hp", "--spec", "x y")
    assert (done.returncode, json.loads(done.stdout)) == (7, ["theirs", "plan", "hp", "--spec", "x y"])
    assert "goes to DocsToKG.OntologyDownload.cli:cli_main" in beside.run("--help").stdout


def test_the_store_that_is_named_is_the_one_that_is_recorded(beside: Beside) -> None:
    """`--root` before or after a word of theirs reaches the bridge."""
    listed = beside.folder / "specs.json"
    listed.write_text(json.dumps([beside.spec("hp", "1", beside.source("hp.owl"))]))
    named = beside.folder / "named"
    assert beside.run("--root", named, "pull", listed).returncode == 0
    assert beside.ask("SELECT version_id FROM versions", named) == [("web/hp/1",)]
    assert not beside.root.exists()


def test_without_it_the_words_are_the_embedded_host_s(beside: Beside) -> None:
    """A folder of that name that holds no such downloader is none; a setting turns the words back."""
    path = beside.sources / "hp.owl"
    beside.source("hp.owl")
    words = ("pull", path, "--service", "s", "--ontology", "hp", "--version", "1")
    assert beside.run(*words, env={"ONTOFETCH_BRIDGE_COMMANDS": "off"}).returncode == 0
    (beside.folder / "none/DocsToKG").mkdir(parents=True)
    beside.path = [beside.folder / "none"]
    assert beside.run(*words).returncode == 0
    assert "There is no `ontofetch plan`" in beside.run("plan").stderr


def test_a_downloader_that_cannot_be_loaded(beside: Beside) -> None:
    """A sentence names it and the way out; what is ours goes on."""
    package = beside.folder / "broken/DocsToKG/OntologyDownload"
    package.mkdir(parents=True)
    for folder in (package.parent, package):
        (folder / "__init__.py").write_text("")
    (package / "cli.py").write_text("import nowhere_to_be_found\n")
    beside.path = [package.parents[1]]
    done = beside.run("pull", "x")
    assert done.returncode == 1
    assert "can't be loaded" in done.stderr
    assert "ONTOFETCH_BRIDGE_COMMANDS=off" in done.stderr
    assert beside.run("plugins").returncode == 0


def test_a_console_script_of_the_same_name_is_found(beside: Beside) -> None:
    """Where the other distribution names its command line itself, that is the one that is called."""
    info = beside.folder / "scripts/other-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: other\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[console_scripts]\nontofetch = other_words:main\n")
    (info.parent / "other_words.py").write_text("import sys\ndef main():\n    print('other', sys.argv)\n    return 5\n")
    beside.path = [info.parent]
    done = beside.run("pull", "x")
    assert (done.returncode, done.stdout) == (5, "other ['ontofetch', 'pull', 'x']\n"), done.stderr


def test_loading_the_bridge_is_light() -> None:
    """The downloader loads it in each of its processes: no catalog, no pluggy, nothing but the standard library."""
    code = (
        "import sys; from importlib.metadata import entry_points; before = set(sys.modules);"
        "(point,) = entry_points(group='docstokg.ontofetch.resolver', name='ontofetch-catalog');found = point.load()();"
        "assert hasattr(found, 'plan');"
        "print(sorted(m for m in set(sys.modules) - before if m.partition('.')[0] not in sys.stdlib_module_names))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (
        done.stdout.strip() == "['ontofetch_catalog', 'ontofetch_catalog.bridge', 'ontofetch_catalog.bridge.docstokg']"
    )
