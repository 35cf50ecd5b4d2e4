"""The command `report` beyond rows: pages, Markdown, plots, lists joined to rows, every built-in report."""

from __future__ import annotations

import csv
import json
import os
import socket
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest

from ontofetch_catalog.cli.analytics_cmd import main
from ontofetch_catalog.errors import UsageError
from ontofetch_catalog.rendering import figures
from ontofetch_hookspecs import Report, hookimpl
from tests.cli.test_analytics_cmd import host_of, record

pytestmark = pytest.mark.usefixtures("quick_databases")

EVIL = "=cmd|'<script>alert(1)</script>\x1b[31m.nt"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a store with two releases of one series; one file has a hostile name."""
    root = tmp_path_factory.mktemp("store")
    manager = host_of(root).manager
    record(manager, root, "1.9", {"a/one.nt": b"1", "two.nt": b"22", "gone.nt": b"333"})
    record(manager, root, "1.10", {"a/one.nt": b"1", "two.nt": b"4444", "=cmd|'x.nt": b"55555"})
    return root


REPORTS = {
    "latest": (),
    "growth": (),
    "growth over a series": ("--series", "sample", "--last", "2"),
    "growth by month": ("--every", "month"),
    "validation": ("--against", "sample/previous", "--last", "2"),
    "hotspots": ("--by", "extension", "--metric", "files"),
    "duplicates": (),
}


@pytest.mark.parametrize("name", REPORTS)
@pytest.mark.parametrize("source", ["catalog", "audits"])
def test_every_report_has_every_format(
    store: Path, capsysbinary: pytest.CaptureFixture[bytes], name: str, source: str
) -> None:
    """Each built-in report runs from both sources and prints in each format; data twice are the same bytes."""
    for format_name in ("table", "json", "jsonl", "csv", "parquet", "markdown", "html"):
        outputs = set()
        for _ in range(2 if format_name in ("json", "jsonl", "parquet") else 1):
            words = [name.split(maxsplit=1)[0], *REPORTS[name], "--from", source, "--format", format_name]
            assert main(words, host_of(store)) == 0
            outputs.add(capsysbinary.readouterr().out)
        assert len(outputs) == 1
        # a release that nobody validated has no rows of results
        assert outputs.pop() or (name, format_name) == ("validation", "jsonl")


def test_a_page_holds_tables_and_plots(store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The suffix of the file says the format; the page has the chart inside and every row, unless `--top` says less."""
    path = tmp_path / "growth.html"
    assert main(["growth", "--out", str(path)], host_of(store)) == 0
    page = path.read_text()
    assert page.count("<svg") == 1
    assert "=cmd|&#x27;x.nt" in page
    assert "gone.nt" in page
    assert main(["growth", "--out", str(path), "--top", "1"], host_of(store)) == 0
    assert "… and 2 more" in path.read_text()
    assert capsys.readouterr().err.count("Wrote") == 2


def test_markdown_is_for_people(store: Path, tmp_path: Path) -> None:
    """Tables with human sizes, exact ones on demand."""
    path = tmp_path / "growth.md"
    assert main(["growth", "--out", str(path)], host_of(store)) == 0
    text = path.read_text()
    assert "| ADDED | `=cmd\\|'x.nt` |" in text
    assert "+5 B" in text


@pytest.mark.parametrize(("suffix", "start"), [("svg", b"<svg"), ("png", b"\x89PNG"), ("html", b"<!DOCTYPE html>")])
def test_plots_go_to_a_file_beside_the_rows(
    store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], suffix: str, start: bytes
) -> None:
    """`--plot` writes a picture and leaves the rows on stdout alone."""
    path = tmp_path / f"plot.{suffix}"
    assert main(["growth", "--plot", str(path), "--json"], host_of(store)) == 0
    assert json.loads(capsys.readouterr().out)["rows"]
    assert path.read_bytes().startswith(start)


def test_a_plot_of_another_kind_is_refused_before_the_report_runs(tmp_path: Path) -> None:
    """An unknown suffix is an error of usage, also where there is no catalog at all."""
    with pytest.raises(UsageError, match=r"\.svg, \.png, \.html"):
        main(["latest", "--plot", "x.pdf"], host_of(tmp_path))


def test_without_the_extra_a_page_has_tables_only(
    store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page is written and a sentence says what is missing; a plot is an error with the same sentence."""

    def missing(*_: Any) -> Any:
        raise figures.missing_extra(ImportError("no", name="vl_convert"))

    monkeypatch.setattr(figures, "_converter", missing)
    assert main(["growth", "--out", str(tmp_path / "x.html")], host_of(store)) == 0
    assert "ontofetch-catalog[plots]" in capsys.readouterr().err
    assert "<svg" not in (tmp_path / "x.html").read_text()
    with pytest.raises(UsageError, match="not installed"):
        main(["growth", "--plot", str(tmp_path / "x.svg")], host_of(store))


@pytest.mark.parametrize("comma", [",", ";", "\t"])
def test_a_list_is_joined_to_the_main_rows(
    store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], comma: str
) -> None:
    """Columns of a CSV stand beside the rows with the same path, in each format; rows without a partner stay."""
    path = tmp_path / "owners.csv"
    path.write_text("relpath,owner,since\ntwo.nt,Ada,2024\nnothing.nt,Bob,2023\n".replace(",", comma))
    assert main(["growth", "--join", str(path), "--json"], host_of(store)) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert {row["relpath"]: (row["owner"], row["since"]) for row in rows} == {
        "two.nt": ("Ada", "2024"),
        "gone.nt": (None, None),
        "=cmd|'x.nt": (None, None),
    }
    assert main(["growth", "--join", str(path)], host_of(store)) == 0
    assert "Ada" in capsys.readouterr().out


def test_labels_and_numbers_join_too(store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Categories and whole numbers are keys; what is no label of the report has no partner."""
    path = tmp_path / "kinds.csv"
    path.write_text('change,size_b,word\nADDED,5,"new, and ""big"""\nWHATEVER,1,x\n')
    assert main(["growth", "--join", str(path), "--json"], host_of(store)) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert [row["word"] for row in rows if row["word"]] == ['new, and "big"']


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("relpath,owner\nx\n", r"line 2: it has 1 fields, not 2"),
        ("relpath,owner\na,b\nx,y,z\n", r"line 3: it has 3 fields, not 2"),
        ("size_b,owner\n5,b\nmany,c\n", r"line 3: its size_b is no whole number"),
        ("path,owner\na,b\n", r"names no columns that fit.*relpath"),
        ("relpath,owner,owner\na,b,c\n", "two columns of one name"),
        ("relpath,size_delta\na,1\n", "names no columns that fit"),
    ],
)
def test_a_list_that_does_not_fit_is_named(store: Path, tmp_path: Path, text: str, fault: str) -> None:
    """The error names the file, the line and what is wrong, or the columns it could be joined on."""
    path = tmp_path / "list.csv"
    path.write_text(text)
    with pytest.raises(UsageError, match=fault):
        main(["growth", "--join", str(path)], host_of(store))


def test_a_list_that_is_not_there_is_a_sentence(store: Path, tmp_path: Path) -> None:
    """A missing file and one that is no UTF-8 are errors of usage."""
    bad = tmp_path / "latin.csv"
    bad.write_bytes(b"relpath,owner\na,\xe9\n")
    for path in (tmp_path / "nothing.csv", bad):
        with pytest.raises(UsageError, match="can't be read"):
            main(["growth", "--join", str(path)], host_of(store))


def bomb(path: Path) -> None:
    """Make a file of a TiB that takes no room."""
    path.touch()
    os.truncate(path, 1 << 40)


def listening(path: Path) -> None:
    """Make a socket."""
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(path))


SECRET = "root:x:0:0:hush:/root:/bin/sh"
HOSTILE_LISTS: list[tuple[Callable[[Path], object], str]] = [
    (os.mkfifo, "it is no regular file"),
    (Path.mkdir, "it is no regular file"),
    (lambda path: path.symlink_to("/dev/zero"), "it is no regular file"),
    (listening, "can't be read"),
    (bomb, "larger than 67,108,864 bytes"),
    (lambda path: path.write_text(f"{SECRET}\n" * 3), "names no columns that fit"),
    (lambda path: path.write_text(f"relpath,owner\n{SECRET}\n"), "line 2: it has 1 fields, not 2"),
    (lambda path: path.write_text(f"size_b,owner\n{SECRET},x\n"), "line 2: its size_b is no whole number"),
    (lambda path: path.write_text("size_b,owner\n\u0665,x\n"), "line 2: its size_b is no whole number"),
    (lambda path: path.write_text("size_b,owner\nNaN,x\n"), "line 2: its size_b is no whole number"),
    (lambda path: path.write_text("size_b,owner\n" + "9" * 100_000 + ",x\n"), "is no whole number"),
    (lambda path: path.write_text("relpath,owner\n" + "x" * 200_000 + ",x\n"), "a field is longer than 131,072"),
    (lambda path: path.write_text("," * 2_000_000), "a line is longer than"),
    (lambda path: path.write_text("relpath,owner\n" + '"\n",' * 500_000), "a line is longer than"),
    (lambda path: path.write_bytes(b"relpath,owner\n" + SECRET.encode() + b",\xff\n"), "it is no UTF-8"),
    (lambda path: path.write_text("[" * 1_000_000), "a field is longer than"),
    (lambda path: path.write_bytes(b"\0" * 10_000), "names no columns that fit"),
]


@pytest.mark.parametrize(("make", "fault"), HOSTILE_LISTS, ids=[fault[:40] for _, fault in HOSTILE_LISTS])
def test_a_hostile_list_is_a_sentence_at_once(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Callable[[Path], object], fault: str
) -> None:
    """What is no small regular file is refused without a wait, and no sentence repeats what a file says."""
    monkeypatch.chdir(tmp_path)
    make(Path("x"))
    with pytest.raises(UsageError) as refused:
        main(["growth", "--join", "x"], host_of(store))
    assert fault in str(refused.value)
    assert "hush" not in str(refused.value)


@pytest.mark.parametrize("number", ["9223372036854775807", "9999999999999999999", "-9223372036854775809"])
def test_a_number_of_any_size_has_a_partner_or_none(
    store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], number: str
) -> None:
    """A whole number that is larger than the report's can be is no error: no row has it."""
    path = tmp_path / "list.csv"
    path.write_text(f"size_b,owner\n{number},x\n")
    assert main(["growth", "--join", str(path), "--json"], host_of(store)) == 0
    assert {row["owner"] for row in json.loads(capsys.readouterr().out)["rows"]} == {None}


@pytest.mark.parametrize("count", ["99999999999999999999", "9" * 5_000])
@pytest.mark.parametrize("source", ["catalog", "audits"])
def test_a_count_beyond_all_releases_is_all(
    store: Path, capsys: pytest.CaptureFixture[str], count: str, source: str
) -> None:
    """More releases or rows than there can be are those there are."""
    words = ("growth", "--series", "sample", "--last", count, "--top", count, "--from", source, "--json")
    assert main(list(words), host_of(store)) == 0
    assert len(json.loads(capsys.readouterr().out)["rows"]) == 2


def test_a_heading_of_a_list_is_harmless(store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The names of a list's columns are a stranger's words too: no formula, no escape sequence, nothing unseen."""
    _show_hostile_headings(store, tmp_path / "list.csv", capsys, "table", "csv", "markdown")


def test_a_heading_of_a_list_is_harmless_in_a_page(
    store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Likewise; apart, for the charts of a page need more address space than the runs with planted faults have."""
    _show_hostile_headings(store, tmp_path / "list.csv", capsys, "html")


def _show_hostile_headings(store: Path, path: Path, capsys: pytest.CaptureFixture[str], *kinds: str) -> None:
    path.write_text("relpath,=cmd|'x,a\x1b]0;b\x07,c\u200bd\ntwo.nt,1,2,3\n")
    for kind in kinds:
        assert main(["growth", "--join", str(path), "--format", kind], host_of(store)) == 0
        shown = capsys.readouterr().out
        assert not {"\x1b", "\x07", "\u200b"} & set(shown), kind
        assert "\n=cmd" not in shown.replace(",", "\n") or kind != "csv"


def test_hostile_names_reach_nobody(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A name that is a formula, a script and an escape sequence is harmless in every format that people open."""
    root = tmp_path / "store"
    manager = host_of(root).manager
    record(manager, root, "1", {"a.nt": b"1"})
    # the boundaries refuse control characters; a catalog of somebody else may hold them
    frame = pl.DataFrame({"relpath": [EVIL], "size_bytes": [5]})
    report = Report("evil", "names", f"{__name__}:unused")
    plugin = SimpleNamespace(register_reports=hookimpl(lambda: [report]), PLUGIN_NAME="evil")
    module = SimpleNamespace(unused=lambda catalog: {"files": frame})
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(__import__("sys").modules, __name__, module)
        for format_name in ("table", "json", "jsonl", "csv", "markdown", "html"):
            assert main(["evil", "--format", format_name], host_of(root, plugin)) == 0
            shown = capsys.readouterr().out
            assert "\x1b" not in shown or format_name == "csv"
            if format_name == "csv":
                assert next(iter(csv.DictReader(shown.splitlines())))["relpath"].startswith("'=cmd")
            if format_name == "html":
                assert "<script" not in shown


def test_reports_without_plots_say_so(
    store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A plugin's report has pages and lists like any other, but draws no plots."""
    module = SimpleNamespace(count=lambda catalog: {"counts": pl.DataFrame({"format": ["x"], "files": [3]})})
    monkeypatch.setitem(__import__("sys").modules, "other_reports", module)
    report = Report("counts", "count files", "other_reports:count")
    plugin = SimpleNamespace(register_reports=hookimpl(lambda: [report]), PLUGIN_NAME="other")
    (tmp_path / "l.csv").write_text("format,word\nx,y\n")
    words = ["counts", "--join", str(tmp_path / "l.csv"), "--format", "html"]
    assert main(words, host_of(store, plugin)) == 0
    assert "<h1>counts: count files</h1>" in capsys.readouterr().out
    with pytest.raises(UsageError, match="'counts' draws no plots"):
        main(["counts", "--plot", str(tmp_path / "x.svg")], host_of(store, plugin))
