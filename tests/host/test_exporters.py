"""Formats that plugins contribute: every command knows them by name and ending, none can harm a terminal."""

from __future__ import annotations

import json
import os
import pty
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from ontofetch_catalog.host.app import main
from ontofetch_catalog.plugins import formats
from tests.programs import SCRIPT, Program

pytestmark = pytest.mark.usefixtures("quick_databases")

Add = Callable[..., Path]
EXPORTER = """
import sys
from ontofetch_hookspecs import Exporter, UsageError
@hookimpl
def register_exporters():
    return [Exporter("tsv", (".tsv",), "acme:tsv", "tabs" {more})]
def tsv(sections, options):
    {body}
"""
TABS = """import polars as pl
    frame = pl.DataFrame(next(iter(sections.values())))
    print("TOLD", sorted(sections), options.top, dict(options.totals), options.exact, options.colour)
    return frame.write_csv(separator="\\t").encode()"""
RAW = """return 'row \\x1b[31mred\\x1b[0m \\x1b]0;title\\x07 \\x9b2J\\n'.encode()"""
PULL = ("--service", "s", "--ontology", "o", "--version", "1.0")


class Rows:
    """A file to pull, plugins made on the spot, and what was printed."""

    def __init__(self, folder: Path, add: Add, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
        self.folder = folder
        self.source = folder / "good.csv"
        self.source.write_text("a,b\n1,2\n")
        self._add = add
        self._capsys = capsysbinary

    def exporter(self, body: str, more: str = "") -> None:
        """Install a plugin with the format `tsv`."""
        self._add("acme", EXPORTER.format(body=body, more=more))

    def run(self, *words: str) -> tuple[int, str, str]:
        """Run the program; return code, stdout and stderr."""
        try:
            code = main([*words])
        except SystemExit as ended:
            code = int(str(ended.code))
        out, err = self._capsys.readouterr()
        return code, out.decode(), err.decode()


@pytest.fixture
def rows(tmp_path: Path, add_plugin: Add, capsysbinary: pytest.CaptureFixture[bytes]) -> Rows:
    """Return it."""
    return Rows(tmp_path, add_plugin, capsysbinary)


def test_every_command_knows_a_format_of_a_plugin(rows: Rows) -> None:
    """By its name and by its ending: pull, db, report, plugins, and the program without a command."""
    rows.exporter(TABS)
    commands: list[tuple[str, tuple[str, ...]]] = [
        ("version_id", ("pull", str(rows.source), *PULL)),
        ("name", ("plugins",)),
        ("slot", ("db", "latest")),
        ("version_id", ("db", "versions")),
        ("slot", ()),
        ("service", ("report", "hotspots")),
    ]
    for column, words in commands:
        code, out, err = rows.run(*words, "--format", "tsv")
        assert code == 0, err
        assert column in out.splitlines()[0].split("\t")
        assert "TOLD" in err
        assert "TOLD" not in out
        target = rows.folder / "rows.TSV"
        code, printed, err = rows.run(*words, "--out", str(target))
        assert (code, printed) == (0, ""), err
        assert target.read_text().splitlines()[0] == out.splitlines()[0]


def test_a_format_is_told_what_was_asked(rows: Rows) -> None:
    """Sections are cut to --top already, and the options say how many rows there were."""
    rows.exporter(TABS)
    assert rows.run("pull", str(rows.source), *PULL, "-q")[0] == 0
    code, out, err = rows.run("db", "events", "--top", "2", "--bytes", "--format", "tsv")
    assert code == 0, err
    assert len(out.splitlines()) == 3
    events = len(rows.run("db", "events", "--format", "jsonl")[1].splitlines())
    assert f"TOLD ['events'] 2 {{'events': {events}}} True False" in err


def test_the_built_in_formats_come_the_same_way(rows: Rows) -> None:
    """All of them are contributed by a plugin; without any plugin that has formats, rows are printed all the same."""
    assert [one.name for one in formats.register_exporters()] == [
        *("table", "json", "jsonl", "csv", "parquet", "markdown", "html", "kgcl"),
    ]
    code, out, _ = rows.run("plugins", "--json", "--no-plugin", "formats")
    assert code == 0
    assert {row["name"]: row["state"] for row in json.loads(out)["rows"]}["formats"] == "off"
    rows.exporter(TABS)
    code, out, _ = rows.run("plugins", "--json")
    contributes = {row["name"]: row["contributes"] for row in json.loads(out)["rows"]}
    assert contributes["acme"] == "exporter tsv"
    assert contributes["formats"].startswith("exporter csv, exporter html")


@pytest.mark.parametrize("words", [("plugins",), ("db", "versions"), ("report", "latest"), ()])
def test_a_format_of_nobody_is_a_sentence_that_lists_them(rows: Rows, words: tuple[str, ...]) -> None:
    """The same one in every command, before any work is done; an ending of nobody too."""
    rows.exporter(TABS)
    code, out, err = rows.run(*words, "--format", "xlsx\x1b[31m")
    assert (code, out) == (2, "")
    assert "--format is one of table, json, jsonl, csv, parquet, markdown, html, kgcl, tsv, not 'xlsx\\x1b[31m'." in err
    code, out, err = rows.run(*words, "--out", "x.xlsx")
    assert (code, out) == (2, "")
    assert ".tsv" in err


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("return {}['x']", "The plugin 'acme' failed in its format tsv: KeyError: 'x'."),
        ("sys.exit(7)", "The plugin 'acme' failed in its format tsv: it called sys.exit(7)."),
        ("return None", "The plugin 'acme' failed in its format tsv: TypeError: a NoneType was returned, not bytes."),
        ("return 'text'", "failed in its format tsv: TypeError: a str was returned, not bytes."),
        ("options.top = 7", "The plugin 'acme' failed in its format tsv: FrozenInstanceError"),
        ("raise UsageError('Not this.')", "error: Not this."),
    ],
)
def test_a_format_that_fails_names_its_plugin(rows: Rows, body: str, sentence: str) -> None:
    """Nothing is printed, and the file of --out stays as it was."""
    rows.exporter(body)
    target = rows.folder / "rows.tsv"
    target.write_text("before")
    for words in ((), ("--out", str(target))):
        code, out, err = rows.run("plugins", "--format", "tsv", *words)
        assert (code, out) == (2 if "Usage" in body else 1, "")
        assert sentence in err
        assert "should not happen" not in err
    assert target.read_text() == "before"


def test_names_and_endings_that_are_taken_stay(rows: Rows, add_plugin: Add) -> None:
    """The format or ending that was there first is used, and the other plugin is named."""
    add_plugin(
        "thief",
        "from ontofetch_hookspecs import Exporter\n@hookimpl\ndef register_exporters():\n"
        "    return [Exporter('json', (), 'thief:it', 'x'), Exporter('mine', ('.csv', '.mine'), 'thief:it', 'x'), 7]\n"
        "def it(sections, options): return b'STOLEN'\n",
    )
    code, out, err = rows.run("plugins", "--json")
    assert code == 0
    found = {row["name"]: row for row in json.loads(out)["rows"]}["thief"]
    assert (found["state"], found["contributes"]) == ("partial", "exporter mine")
    assert "plugin 'thief': its exporter 'json' is left out: the name is formats's" in err
    assert "plugin 'thief': .csv does not mean its format mine: it means csv" in err
    rows.run("plugins", "--out", str(rows.folder / "x.csv"))
    rows.run("plugins", "--out", str(rows.folder / "x.mine"))
    assert (rows.folder / "x.csv").read_text().startswith("name,")
    assert (rows.folder / "x.mine").read_text() == "STOLEN"


@pytest.mark.parametrize(
    ("item", "sentence"),
    [
        ("Exporter('has space', (), 'a:b', 'x')", "The name of an exporter is 'has space'"),
        ("Exporter('x', '.x', 'a:b', 'x')", "not a tuple of names"),
        ("Exporter('x', ('x',), 'a:b', 'x')", "The ending 'x' of the exporter x is not of the form"),
        ("Exporter('x', ('.X',), 'a:b', 'x')", "in small letters"),
        ("Exporter('x', ('.tar.gz',), 'a:b', 'x')", "is not of the form"),
        ("Exporter('x', (), 'a.b', 'x')", "The target of the exporter x is 'a.b'"),
        ("Exporter('x', (), 'a:b', 'two\\nlines')", "not plain text"),
    ],
)
def test_a_format_is_checked_when_it_is_made(rows: Rows, add_plugin: Add, item: str, sentence: str) -> None:
    """The plugin is partial, with a sentence; every command goes on."""
    add_plugin(
        "acme",
        "from ontofetch_hookspecs import Exporter\n@hookimpl\ndef register_exporters():\n" + f"    return [{item}]\n",
    )
    code, out, _ = rows.run("plugins", "--json")
    found = {row["name"]: row for row in json.loads(out)["rows"]}["acme"]
    assert (code, found["state"]) == (0, "partial")
    assert sentence in found["reason"]


def on_terminal(program: Program, *words: str) -> tuple[int, str, str]:
    """Run the program with a real pseudo-terminal as stdout; return code, what it got, and stderr."""
    leader, follower = pty.openpty()
    environment = {**program.environment, "TERM": "xterm"}
    with subprocess.Popen([SCRIPT, *words], stdout=follower, stderr=subprocess.PIPE, env=environment) as process:
        os.close(follower)
        data = b""
        while True:
            try:
                more = os.read(leader, 65536)
            except OSError:  # EIO: the other end is closed
                break
            if not more:
                break
            data += more
        assert process.stderr is not None
        err = process.stderr.read().decode()
    os.close(leader)
    return process.returncode, data.decode(), err


@pytest.mark.parametrize(("more", "colours"), [("", False), (", colours=True", True)])
def test_a_terminal_gets_colours_at_most(program: Program, add_plugin: Add, more: str, colours: bool) -> None:
    """Of what a terminal obeys only colours come through, and only from a format that says it has some."""
    add_plugin("acme", EXPORTER.format(body=RAW, more=more))
    code, written, err = on_terminal(program, "plugins", "--format", "tsv")
    assert code == 0, err
    assert ("\x1b[31mred\x1b[0m" in written) is colours
    assert "\x1b]" not in written
    assert "\x07" not in written
    assert "\x9b" not in written
    assert r"\x1b]0;title\x07" in written
    # a pipe gets what the plugin wrote
    assert program.run("plugins", "--format", "tsv").returncode == 0


def test_what_is_binary_is_not_for_terminals(program: Program, add_plugin: Add) -> None:
    """It is refused before the format is asked, with an ending to use."""
    add_plugin("acme", EXPORTER.format(body="raise ValueError", more=", binary=True"))
    code, written, err = on_terminal(program, "plugins", "--format", "tsv")
    assert (code, written) == (2, "")
    assert "Tsv is binary and this is a terminal. Add --out FILE.tsv." in err
