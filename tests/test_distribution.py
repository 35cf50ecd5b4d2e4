"""The wheel in another environment, from another folder; somebody else's plugin beside it; two DuckDBs on one store."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.environments import CHECKOUT, Environment, build_wheel, other_duckdb
from tests.releases import assert_consistent, query, snapshot

CURFEW = CHECKOUT / "tests/third_party/ontofetch-curfew"


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Build the wheels of this package, of its contract, and of somebody else's plugin."""
    folder = tmp_path_factory.mktemp("wheels")
    projects = {"ours": CHECKOUT, "contract": CHECKOUT / "hookspecs", "curfew": CURFEW}
    return {name: build_wheel(project, folder) for name, project in projects.items()}


@pytest.fixture(scope="module")
def installed(wheels: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """Return an environment with the wheels and nothing of the checkout."""
    environment = Environment(tmp_path_factory.mktemp("environment") / "venv")
    environment.install(wheels["ours"], wheels["contract"])
    return environment


@pytest.fixture(autouse=True)
def _no_sync(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave syncs out: what is looked at here is packaging."""
    monkeypatch.setenv("ONTOFETCH_DURABILITY", "off")


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Return a zip with one Turtle file and one text."""
    path = tmp_path / "release.zip"
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr(zipfile.ZipInfo("a.ttl", (2020, 1, 1, 0, 0, 0)), "<urn:a> <urn:b> <urn:c> .")
        packed.writestr(zipfile.ZipInfo("notes.txt", (2020, 1, 1, 0, 0, 0)), "a\tb")
    return path


def pull(environment: Environment, archive: Path, ontology: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Pull the archive as version 1 of an ontology into `store` beside it."""
    words = ("pull", str(archive), "--service", "s", "--ontology", ontology, "--version", "1", "--json")
    return environment.run(
        "ontofetch", *words, "--root", "store", cwd=archive.parent, environment={"CURFEW_ONTOLOGIES": "", **variables}
    )


def test_the_wheel_works_from_another_folder(installed: Environment, archive: Path) -> None:
    """The installed package is imported from its own environment, finds its SQL, and records a release."""
    where = installed.run(
        "python",
        "-c",
        "import ontofetch_catalog as c, ontofetch_hookspecs as h; print(c.__file__, h.__file__)",
        cwd=archive.parent,
    )
    for path in where.stdout.split():
        assert Path(path).is_relative_to(installed.site)
    done = pull(installed, archive, "o")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["rows"][0]["files"] == 2
    assert_consistent(archive.parent / "store")
    manual = (installed.folder / "share/man/man1/ontofetch.1").read_bytes()
    assert manual == (CHECKOUT / "docs/ontofetch.1").read_bytes()
    typed = [path.name for path in installed.site.glob("ontofetch_*/py.typed")]
    assert len(typed) == 2


def test_the_wheel_holds_the_package_and_nothing_else(wheels: dict[str, Path]) -> None:
    """Code, migrations and schemas are in the wheel, the contract in its own; tests and documents are in neither."""
    with zipfile.ZipFile(wheels["ours"]) as packed:
        names = packed.namelist()
    with zipfile.ZipFile(wheels["contract"]) as packed:
        contract = packed.namelist()
    for found, top in ((names, "ontofetch_catalog"), (contract, "ontofetch_hookspecs")):
        assert {name.partition("/")[0] for name in found if ".dist-info/" not in name and ".data/" not in name} == {top}
    shared = [name.partition(".data/")[2] for name in (*names, *contract) if ".data/" in name]
    assert shared == ["data/share/man/man1/ontofetch.1"]
    shipped = {Path(name).name for name in names if name.endswith(".sql")}
    assert shipped == {path.name for path in (CHECKOUT / "migrations").glob("*.sql")}
    schemas = {Path(name).name for name in names if name.startswith("ontofetch_catalog/schemas/")}
    assert schemas == {path.name for path in (CHECKOUT / "docs/schemas").glob("*.json")}


def test_the_contract_stands_alone(wheels: dict[str, Path], tmp_path: Path) -> None:
    """With pluggy alone beside it, a host opens a store, and a plugin's tests run."""
    where = tmp_path / "alone"
    for wheel in (wheels["contract"], *Path(find_spec("pluggy").origin).parents[:1]):  # type: ignore[union-attr, arg-type]
        if wheel.suffix == ".whl":
            zipfile.ZipFile(wheel).extractall(where)
        else:
            shutil.copytree(wheel, where / "pluggy")
    program = (
        "from pathlib import Path; from ontofetch_hookspecs import open_host; from ontofetch_hookspecs import testing;"
        " print(open_host(Path('store'), installed=False).info.root.name)"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"import sys; sys.path.append({str(where)!r}); {program}"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert (done.returncode, done.stdout) == (0, "store\n"), done.stderr


def test_both_are_released_together() -> None:
    """The versions of package and contract are one, and the package asks for just that contract."""
    ours, contract = (
        tomllib.loads((CHECKOUT / name / "pyproject.toml").read_text())["project"] for name in ("", "hookspecs")
    )
    assert ours["version"] == contract["version"]
    assert f"ontofetch-hookspecs=={contract['version']}" in ours["dependencies"]


def test_somebody_elses_plugin(installed: Environment, wheels: dict[str, Path], archive: Path) -> None:
    """It vetoes, observes, adds a command and a validator; its crash harms nobody; removed, all is as before."""
    installed.install(wheels["curfew"])
    store = archive.parent / "store"
    try:
        vetoed = pull(installed, archive, "night", CURFEW_ONTOLOGIES="night")
        assert vetoed.returncode == 1
        assert "night is under curfew. Come back in the morning." in vetoed.stderr
        assert not (store / "s").exists()
        assert query(store, "SELECT count(*) FROM versions") == [(0,)]

        notes = archive.parent / "notes"
        done = pull(installed, archive, "day", CURFEW_NOTES=str(notes))
        assert done.returncode == 3, done.stderr
        assert json.loads(done.stdout)["rows"][0]["failed"] == 1
        assert query(store, "SELECT relpath, passed FROM validations ORDER BY 1") == [
            ("a.ttl", True),
            ("notes.txt", False),
        ]
        assert [line.split()[0] for line in notes.read_text().splitlines()] == [
            "download.done",
            "extract.done",
            "validate.done",
        ]

        crashed = pull(installed, archive, "dusk", CURFEW_CRASHES="1")
        assert crashed.returncode == 3
        assert "curfew" in crashed.stderr
        assert_consistent(store)

        said = installed.run("ontofetch", "curfew", "today", "--root", "store", cwd=archive.parent)
        assert (said.returncode, said.stdout) == (0, "nothing under curfew below store today\n")
        listed = installed.run("ontofetch", "plugins", "--json", cwd=archive.parent)
        states = {row["name"]: (row["version"], row["state"]) for row in json.loads(listed.stdout)["rows"]}
        assert states["curfew"] == ("1.2.3", "active")
    finally:
        installed.uninstall("ontofetch-curfew")
    before = snapshot(store)
    done = pull(installed, archive, "night")
    assert done.returncode == 0, done.stderr
    assert_consistent(store)
    assert before.items() <= snapshot(store).items()


# the oldest that is allowed, unless the tests run with just that one
@pytest.mark.parametrize("requirement", ["==1.5.0" if version("duckdb") != "1.5.0" else ">=2,<3"])
def test_one_store_is_used_by_two_duckdbs(tmp_path: Path, archive: Path, requirement: str) -> None:
    """A store that one DuckDB has made is read and written by the other, in turn."""
    older = {"PYTHONPATH": os.pathsep.join([str(other_duckdb(requirement)), str(CHECKOUT)])}
    source = [str(archive), "--service", "s", "--ontology", "o", "--no-validate", "--version"]
    # three commands share a process: what takes the time is starting one
    script = (
        "import sys; from ontofetch_catalog.host.app import main\n"
        "for line in sys.argv[1:]:\n"
        "    if main([*line.split('\\n'), '--root', 'store', '--format', 'jsonl']): sys.exit(line)\n"
    )

    def run(environment: dict[str, str], *commands: list[str]) -> list[dict[str, object]]:
        done = subprocess.run(
            [sys.executable, "-c", script, *map("\n".join, commands)],
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
        )
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    versions = set()
    for number, environment in enumerate((older, {}, older, {})):
        commands = (["pull", *source, str(number)], ["report", "latest"], ["db", "status"])
        pulled, reported, status = run(environment, *commands)
        assert pulled["version_id"] == reported["version_id"] == f"s/o/{number}"
        versions.add(status["duckdb"])
    assert len(versions) == 2
    assert_consistent(tmp_path / "store")
