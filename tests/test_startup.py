"""Starting is light: what the help and the plugins' tables need, and nothing of the machinery behind them."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

HEAVY = (
    "duckdb",
    "polars",
    "pyarrow",
    "structlog",
    "rich",
    "httpx",
    "pyoxigraph",
    "fastobo",
    "xxhash",
    "zstandard",
    "hypothesis",
    # what the standard library has is not free either
    "email",
    "importlib.metadata",
    "zipfile",
    "uuid",
    "platform",
    "difflib",
    "socket",
    "subprocess",
    "tempfile",
    "json",
    "concurrent",
)
SCRIPT = """
import sys
from ontofetch_catalog.host.app import main
sys.argv[0] = "ontofetch"
try:
    code = main({words!r})
except SystemExit as error:
    code = error.code
print("MODULES", code, *sorted(sys.modules))
"""
# classes of ours that `dataclasses` has compiled comparisons for
COMPILED = """
print("COMPILED", *sorted(
    f"{name}.{cls.__name__}"
    for name, module in sys.modules.items() if name.startswith("ontofetch_")
    for cls in vars(module).values()
    if isinstance(cls, type) and cls.__module__ == name and "__dataclass_fields__" in vars(cls)
    if getattr(cls.__eq__, "__code__", print).co_filename == "<string>"
))
"""


NEEDED = {
    # the version of a distribution is known to its metadata alone
    "--version": {"importlib.metadata", "email", "zipfile", "tempfile", "socket", "json"},
    # what formats there are is contributed
    "db": {"json", "difflib", "uuid", "platform", "socket", "subprocess", "tempfile", "concurrent"},
    "report": {"json", "difflib", "uuid", "platform", "socket", "subprocess", "tempfile", "concurrent"},
}


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["db", "--help"], ["report", "--help"]])
def test_help_imports_nothing_heavy(words: list[str]) -> None:
    """Help is shown without any of the heavy libraries, also that of the commands."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(words=words)], capture_output=True, text=True, check=True
    )
    printed, _, modules = done.stdout.rpartition("MODULES")
    code, *names = modules.split()
    assert code in ("0", "None")
    assert printed.strip()
    roots = {name.partition(".")[0] for name in names} | ({"importlib.metadata"} & set(names))
    assert roots & set(HEAVY) - NEEDED.get(words[0], set()) == set()


def test_the_check_can_fail() -> None:
    """A command that needs the catalog does import DuckDB, so the check above sees imports."""
    script = SCRIPT.format(words=["db", "versions", "--root", "/nowhere/at/all"]) + "\nimport duckdb"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "MODULES 1" in done.stdout


def test_what_is_seldom_needed_is_not_imported(tmp_path: Path) -> None:
    """A quiet pull and the table of what there is need neither Polars, nor structlog, nor Arrow's engine."""
    source = tmp_path / "small.ttl"
    source.write_text("@prefix : <http://example.org/> .\n:a :b :c .\n")
    store = ["--root", str(tmp_path / "store")]
    pull = [
        "pull",
        str(source),
        "--service",
        "a",
        "--ontology",
        "b",
        "--version",
        "1",
        "-q",
        "--format",
        "table",
        *store,
    ]
    for words in (pull, store):
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT.format(words=words) + COMPILED], capture_output=True, text=True, check=True
        )
        printed, _, modules = done.stdout.rpartition("MODULES")
        modules, _, compiled = modules.rpartition("COMPILED")
        # `light_dataclasses` makes one in a fifteenth of the time; the table of settings imports nothing at all
        assert set(compiled.split()) <= {"ontofetch_catalog.settings_table.Setting"}
        assert "a/b" in printed
        code, *names = modules.split()
        assert code == "0"
        # what DuckDB before 2 takes for Arrow
        seldom = {"polars", "structlog", "pyarrow.acero", *(("pyarrow.dataset",) if version("duckdb") >= "2" else ())}
        assert seldom & set(names) == set()
        if words is store:
            # a table of what there is needs DuckDB's core, neither Arrow nor what draws colours
            assert "_duckdb" in names
            assert {"duckdb", "pyarrow", "rich.console", "httpx", "ontofetch_catalog.host.pipeline"} & set(
                names
            ) == set()


def test_a_pull_of_a_local_file_needs_no_library_of_http() -> None:
    """What asks servers is imported when a server is asked."""
    script = (
        "import sys, ontofetch_catalog.host.pipeline\nprint({'httpx', 'httpcore', 'httpx_retries'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
