from __future__ import annotations

import hashlib
import io
import json
import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest

from ontofetch_catalog.analytics import Catalog, contributed
from ontofetch_catalog.cli.analytics_cmd import main
from ontofetch_catalog.errors import OntofetchError, UsageError, VersionUnknown
from ontofetch_catalog.plugins import analytics
from ontofetch_catalog.plugins.catalog import CatalogPlugin
from ontofetch_hookspecs import HostInfo, Parameter, Report, collect, hookimpl
from ontofetch_hookspecs.testing import make_manager, sample_download_done, sample_extract_done, sample_set_latest

pytestmark = pytest.mark.usefixtures("quick_databases")

NOW = datetime(2026, 1, 2, tzinfo=UTC)


def record(manager: Any, root: Path, version: str, files: Mapping[str, bytes]) -> None:
    """Record a release through the hooks, its files in place."""
    folder = root / "example" / "sample" / version
    (folder / "src").mkdir(parents=True)
    archive = b"".join(files.values())
    (folder / "src" / "sample.nt").write_bytes(archive)
    sha256 = hashlib.sha256(archive).hexdigest()
    manager.hook.on_download_done(
        event=sample_download_done(root, version=version, sha256=sha256, size_bytes=len(archive))
    )
    for path, content in files.items():
        (folder / "data" / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / "data" / path).write_bytes(content)
    rows = {
        "relpath": list(files),
        "file_id": [hashlib.sha256(content).hexdigest() for content in files.values()],
        "format": ["ntriples"] * len(files),
        "size_bytes": [len(content) for content in files.values()],
        "mtime": [datetime.fromtimestamp((folder / "data" / path).stat().st_mtime, UTC) for path in files],
    }
    table = pl.DataFrame(rows, schema_overrides={"mtime": pl.Datetime("us", "UTC")}).to_arrow()
    version_id = f"example/sample/{version}"
    manager.hook.on_extract_done(event=sample_extract_done(root, table, version_id=version_id, artifact_id=sha256))
    manager.hook.on_set_latest(event=sample_set_latest(root, version_id=version_id))


def host_of(root: Path, *plugins: object) -> HostInfo:
    """Return a host with the analytics, the catalog and `plugins`."""
    manager = make_manager(*plugins, analytics, CatalogPlugin(), root=root, settings={"durability": "off"})
    return HostInfo(
        name="ontofetch",
        manager=manager,
        root=root,
        run_id="run-1",
        config_hash="config-1",
        settings={"durability": "off"},
    )


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a store with two releases of one series."""
    root = tmp_path_factory.mktemp("store")
    manager = host_of(root).manager
    record(manager, root, "1.9", {"a/one.nt": b"1", "two.nt": b"22", "gone.nt": b"333"})
    record(manager, root, "1.10", {"a/one.nt": b"1", "two.nt": b"4444", "new.nt": b"55555"})
    return root


def run(root: Path, capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    """Run a report and return its json."""
    assert main([*words, "--json"], host_of(root)) == 0
    return json.loads(capsys.readouterr().out)


def test_latest_as_json(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The main rows are the releases, the sections have the documented names, the parameters say what was asked."""
    found = run(store, capsys, "latest", "--as-of", "2026-01-03")
    assert [(row["version_id"], row["files"], row["size_bytes"]) for row in found["rows"]] == [
        ("example/sample/1.10", 3, 10)
    ]
    assert list(found["sections"]) == ["summary", "formats", "largest", "growth"]
    assert found["parameters"]["report"] == "latest"
    assert found["parameters"]["as_of"] == "2026-01-03"


def test_growth_between_latest_and_previous(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Releases are named as everywhere; `--top` cuts the rows and leaves the sums alone."""
    found = run(store, capsys, "growth", "--a", "sample/previous", "--b", "sample/latest", "--top", "2")
    assert [(row["change"], row["relpath"], row["size_delta"]) for row in found["rows"]] == [
        ("ADDED", "new.nt", 5),
        ("REMOVED", "gone.nt", -3),
    ]
    assert len(found["sections"]["kinds"]) == 6
    assert found["sections"]["summary"][0]["net_bytes"] == 4
    assert found["sections"]["summary"][0]["churn_bytes"] == 4
    assert found["parameters"] == {
        "report": "growth",
        "a": "example/sample/1.9",
        "b": "example/sample/1.10",
        "by": "path",
        "all": False,
    }


def test_unchanged_files_only_with_all(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Files that did not change are listed on demand."""
    assert len(run(store, capsys, "growth")["rows"]) == 3
    assert len(run(store, capsys, "growth", "--all")["rows"]) == 4


def test_growth_by_folder_is_the_main_frame(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`--by` says what the main rows are about."""
    found = run(store, capsys, "growth", "--by", "folder")
    assert [(row["folder"], row["net_bytes"]) for row in found["rows"]] == [(".", 4), ("a", 0)]


def test_tables_are_for_people(
    store: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A table fits 80 columns, has a heading per section, human sizes, and exact ones on demand."""
    monkeypatch.setenv("COLUMNS", "80")
    assert main(["growth"], host_of(store)) == 0
    drawn = capsys.readouterr().out
    assert drawn.startswith("growth from example/sample/1.9 to example/sample/1.10\n")
    assert "changed files" in drawn
    assert max(map(len, drawn.splitlines())) <= 80
    assert main(["latest"], host_of(store)) == 0
    assert "largest files" in capsys.readouterr().out


@pytest.mark.parametrize("format_name", ["json", "jsonl", "csv", "parquet"])
def test_the_same_catalog_gives_the_same_bytes(
    store: Path, capsysbinary: pytest.CaptureFixture[bytes], format_name: str
) -> None:
    """Running a report twice gives the same output byte for byte."""
    outputs = set()
    for _ in range(2):
        assert main(["growth", "--format", format_name], host_of(store)) == 0
        outputs.add(capsysbinary.readouterr().out)
    assert len(outputs) == 1
    assert outputs.pop()


def test_parquet_has_the_documented_dtypes(store: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    """What comes back from Parquet has the dtypes of the report."""
    assert main(["growth", "--format", "parquet"], host_of(store)) == 0
    frame = pl.scan_parquet(io.BytesIO(capsysbinary.readouterr().out)).collect()
    assert frame.schema["size_delta"] == pl.Int64
    assert frame.schema["format"] == pl.Categorical
    assert isinstance(frame.schema["change"], pl.Enum)


def test_profile_tells_the_plans(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`--profile` prints DuckDB's and Polars' plans with timings to stderr and leaves stdout alone."""
    assert main(["growth", "--profile", "--json"], host_of(store)) == 0
    captured = capsys.readouterr()
    json.loads(captured.out)
    assert "-- duckdb:" in captured.err
    assert "SELECT DISTINCT a, b FROM given_pairs" in captured.err
    assert "-- polars" in captured.err
    assert " ms" in captured.err


def test_help_lists_reports_and_shows_examples(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a name the reports are listed; the help of each has its options and examples."""
    assert main([], host_of(store)) == 0
    listed = capsys.readouterr().out
    with pytest.raises(SystemExit) as stopped:
        main(["growth", "--help"], host_of(store))
    assert stopped.value.code == 0
    shown = capsys.readouterr().out
    assert "  growth " in listed
    assert "--by {path,format,folder}" in shown
    assert "ontofetch report growth --a hp/previous --b hp/latest" in shown


def test_wrong_words_are_sentences(store: Path) -> None:
    """An unknown report lists those there are; an unknown release is an error of its own."""
    with pytest.raises(UsageError, match=r"'nothing'.*growth.*latest"):
        main(["nothing"], host_of(store))
    with pytest.raises(VersionUnknown):
        main(["growth", "--b", "9"], host_of(store))


def count_files(catalog: Any, *, limit: str, deep: bool = False) -> dict[str, pl.DataFrame]:
    """Be a report of somebody else's plugin."""
    frame = catalog.latest()["formats"].select("format", "files")
    return {"counts": frame.with_columns(pl.lit(limit).alias("limit"), pl.lit(deep).alias("deep"))}


def say_nothing(catalog: Any) -> str:
    """Be a report that breaks its promise."""
    return "nothing"


def plugin_of(*reports: object) -> object:
    """Return somebody else's plugin with `reports`; the target's module is this one."""
    return SimpleNamespace(register_reports=hookimpl(lambda: reports), PLUGIN_NAME="other")


def test_reports_of_other_plugins_run(
    store: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A report that a plugin contributes has its options, its help and all formats."""
    monkeypatch.setitem(__import__("sys").modules, "other_reports", SimpleNamespace(count_files=count_files))
    parameters = (Parameter("limit", "how many", required=True), Parameter("deep", "look deeper", flag=True))
    plugin = plugin_of(Report("counts", "count files", "other_reports:count_files", parameters))
    assert main(["counts", "--limit", "5", "--deep", "--json"], host_of(store, plugin)) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["rows"] == [{"format": "ntriples", "files": 3, "limit": "5", "deep": True}]
    assert found["parameters"] == {"report": "counts", "limit": "5", "deep": True}
    with pytest.raises(UsageError, match="needs --limit"):
        main(["counts"], host_of(store, plugin))


def test_reports_of_installed_plugins_are_there_in_python(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its options are parameters; a wrong or missing one is a sentence, and a notebook shows its tables."""
    monkeypatch.setitem(__import__("sys").modules, "other_reports", SimpleNamespace(count_files=count_files))
    parameters = (Parameter("limit", "how many", required=True), Parameter("deep", "look deeper", flag=True))
    report = Report("counts", "count files", "other_reports:count_files", parameters)
    monkeypatch.setattr(contributed, "installed_reports", lambda: {"counts": ("other", report)})
    catalog = Catalog.open(store)
    found = catalog.report("counts", limit="5")
    assert found.main.rows() == [("ntriples", 3, "5", False)]
    assert (str(found), repr(found)) == (found.as_table(), "<Report, rows: counts 1; print() shows them>")
    shown = found._repr_html_()
    assert "ntriples" in shown
    assert "<html" not in shown
    assert "<table" in catalog.latest()._repr_html_()
    with pytest.raises(UsageError, match="needs limit"):
        catalog.report("counts")
    with pytest.raises(UsageError, match=r"no parameter 'limt'.*Did you mean limit"):
        catalog.report("counts", limt="5")
    with pytest.raises(UsageError, match=r"no report 'count'.*Did you mean counts"):
        catalog.report("count")


def test_reports_of_installed_plugins_are_found() -> None:
    """The built-in reports are among those that installed plugins contribute."""
    assert {"latest", "growth"} <= contributed.installed_reports().keys()


def test_a_report_that_returns_no_tables_is_an_error(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A plugin's report that breaks the contract ends with a sentence that names it."""
    monkeypatch.setitem(__import__("sys").modules, "other_reports", SimpleNamespace(say_nothing=say_nothing))
    with pytest.raises(OntofetchError, match="'other' returned str from its report broken"):
        main(["broken"], host_of(store, plugin_of(Report("broken", "", "other_reports:say_nothing"))))


def test_an_option_taken_twice_is_an_error(store: Path) -> None:
    """A plugin's option that collides with one of output is refused by name."""
    plugin = plugin_of(Report("clash", "", "other_reports:x", (Parameter("format", ""),)))
    with pytest.raises(OntofetchError, match="--format"):
        main(["clash"], host_of(store, plugin))


def test_names_taken_twice_and_broken_plugins_are_reported(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The built-in report keeps its name, a thing that is no report is left out, a plugin that raises harms nobody."""

    @hookimpl
    def register_reports() -> list[Report]:
        raise RuntimeError("out of order")

    raising = SimpleNamespace(register_reports=register_reports, PLUGIN_NAME="raising")
    other = plugin_of(Report("latest", "mine", "x:y"), "no report", Report("mine", "", "x:y"))
    with caplog.at_level(logging.WARNING):
        reports = collect(host_of(tmp_path, raising, other).manager, "register_reports", Report)
    assert reports["latest"][1].target == "ontofetch_catalog.analytics.reports.latest:latest"
    assert "mine" in reports
    messages = " ".join(record.getMessage() for record in caplog.records)
    assert "plugin 'other': its report 'latest' is left out: the name is analytics's" in messages
    assert "plugin 'other' contributes a report that is a str" in messages
    assert "plugin raising failed in register_reports: RuntimeError: out of order" in messages
