"""The page on the hooks says what the contract says, and its examples run."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import json
import re
from pathlib import Path

import pytest

import ontofetch_hookspecs
from ontofetch_hookspecs import (
    TRANSACTIONAL,
    changes,
    columns,
    commands,
    events,
    extensions,
    layout,
    origins,
    receipts,
    records,
    remarks,
    specs,
)
from tests.environments import CHECKOUT
from tests.programs import Program, install
from tests.releases import query

PAGE = (CHECKOUT / "docs/hooks.md").read_text(encoding="utf-8")
HOOKS = {name: hook for name, hook in vars(specs).items() if hasattr(hook, "ontofetch_spec")}
VALUES = [
    *(events.DownloadDone, events.ExtractDone, events.ValidateDone, events.SetLatest, events.CatalogCommitted),
    changes.ChangeReleases,
    events.CatalogRolledBack,
    *(remarks.Remark, receipts.Receipt, records.ArtifactRecord, records.DownloadRecord, records.VersionRecord),
    *(commands.HostInfo, commands.Command, commands.Parameter, commands.Report, commands.Validator),
    *(
        commands.PluginSetting,
        extensions.Finding,
        extensions.Exporter,
        extensions.ExportOptions,
        extensions.Look,
        extensions.Retention,
        origins.SourceScheme,
        origins.SourceQuery,
        origins.SourceVersion,
    ),
]
COLUMNS = {
    "FILES_COLUMNS": columns.FILES_COLUMNS,
    "FACTS_COLUMNS": columns.FACTS_COLUMNS,
    "KNOWN_FACTS_COLUMNS": columns.KNOWN_FACTS_COLUMNS,
    "RESULTS_COLUMNS": columns.RESULTS_COLUMNS,
    "KNOWN_RESULTS_COLUMNS": columns.KNOWN_RESULTS_COLUMNS,
    "RELEASES_COLUMNS": extensions.RELEASES_COLUMNS,
}


def sections(level: str) -> dict[str, str]:
    """Return heading → text of the page's sections of a level."""
    parts = re.split(rf"^{level} (.+)$", PAGE, flags=re.MULTILINE)[1:]
    return {
        heading: re.split(r"^#", text, flags=re.MULTILINE)[0]
        for heading, text in zip(parts[::2], parts[1::2], strict=True)
    }


def table(text: str) -> list[list[str]]:
    """Return the cells of the rows that begin with code."""
    return [
        [cell.strip().strip("`") for cell in line.strip("|").split(" | ")]
        for line in text.splitlines()
        if line.startswith("| `")
    ]


def code(heading: str, language: str) -> str:
    """Return the first block of code of a language in a section."""
    return sections("##")[heading].partition(f"```{language}\n")[2].partition("```")[0]


def signature(name: str) -> str:
    """Return the signature of a hook, as its heading has it."""
    return f"`{name}{inspect.signature(HOOKS[name])}`".replace("'", "")


def test_every_hook_has_a_section_with_its_signature() -> None:
    """The headings are the exact signatures, in the order of the specifications, and there are no others."""
    found = [heading for heading in sections("###") if re.match(r"`\w+\(", heading)]
    assert found == [signature(name) for name in HOOKS]
    assert len(HOOKS) == 21


@pytest.mark.parametrize("name", HOOKS)
def test_the_section_says_what_kind_of_hook_it_is(name: str) -> None:
    """Whether it votes, whether the first answer counts, whether latecomers are told: the section says it."""
    text = " ".join(sections("###")[signature(name)].split())
    options = HOOKS[name].ontofetch_spec
    assert ("veto" in text) is (name in TRANSACTIONAL)
    assert ("firstresult" in text) is bool(options["firstresult"])
    assert ("historic" in text) is bool(options["historic"])
    assert len(text) > 60


def spelled(default: object) -> str:
    """Return a default as the page writes it."""
    if default is dataclasses.MISSING:
        return ""
    if isinstance(default, str):
        return json.dumps(default)
    if isinstance(default, type):
        return default.__name__
    return f"{type(default).__name__}()" if dataclasses.is_dataclass(default) else str(default)


@pytest.mark.parametrize("value", VALUES, ids=lambda value: value.__name__)
def test_every_value_is_described_field_by_field(value: type) -> None:
    """Names, types and defaults of events, records and contributions stand in a table, in their order."""
    rows = table(sections("###")[f"`{value.__name__}`"])
    expected = []
    for field in dataclasses.fields(value):
        default = field.default
        if field.default_factory is not dataclasses.MISSING:
            default = field.default_factory()
        expected.append([field.name, str(field.type).replace("|", "or"), spelled(default)])
    assert [row[:3] for row in rows] == expected
    assert all(len(row) == 4 and row[3] for row in rows)


@pytest.mark.parametrize("name", COLUMNS)
def test_every_column_is_described(name: str) -> None:
    """Names, Arrow types, whether null is allowed, and meanings are those of the contract, word by word."""
    rows = table(sections("###")[f"`{name}`"])
    assert [" | ".join(row).replace("`", "") for row in rows] == [
        f"{column.name} | {column.type} | {'yes' if column.nullable else 'no'} | {column.meaning}".replace("`", "")
        for column in COLUMNS[name]
    ]


def test_layouts_and_exit_codes_are_those_of_the_code() -> None:
    """The folders of each layout and the number of each exit code are told as they are."""
    assert table(sections("##")["Where things lie"]) == [
        [found.name, f"{found.source}/", f"{found.data}/"]
        for found in (layout.NATIVE, layout.DOCSTOKG, layout.DOCSTOKG_TREE)
    ]
    exits = {name: value for name, value in vars(ontofetch_hookspecs.errors).items() if name.startswith("EXIT_")}
    assert {row[0]: int(row[1]) for row in table(sections("##")["Errors and exit codes"])} == exits


def test_every_name_of_the_contract_is_mentioned() -> None:
    """What hosts and plugins may import is on the page."""
    assert [name for name in ontofetch_hookspecs.__all__ if not re.search(rf"\b{name}\b", PAGE)] == []


def test_every_block_of_python_is_python() -> None:
    """Examples can at least be parsed."""
    blocks = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    assert len(blocks) >= 4
    for block in blocks:
        ast.parse(block)


def test_the_plugin_of_the_page_runs(tmp_path: Path) -> None:
    """Ten lines veto a draft and tell of a commit, installed under the entry point that the page shows."""
    plugin = code("A plugin in ten lines", "python")
    assert len([line for line in plugin.splitlines() if line.strip()]) <= 10
    assert '[project.entry-points.ontofetch]\nno-drafts = "no_drafts"' in code("A plugin in ten lines", "toml")
    program = Program(tmp_path / "store", install(tmp_path / "site-packages", "no-drafts", plugin))
    source = program.root.parent / "hp.ttl"
    source.write_text("<urn:a> <urn:b> <urn:c> .")
    words = ("pull", str(source), "--service", "obo", "--ontology", "hp", "--version")
    refused = program.run(*words, "1.0-draft")
    assert refused.returncode == 1
    assert "The plugin 'no-drafts' refuses the download of obo/hp/1.0-draft: Drafts stay out." in refused.stderr
    assert query(program.root, "SELECT count(*) FROM versions") == [(0,)]
    done = program.run(*words, "1.0")
    assert done.returncode == 0, done.stderr
    told = [line for line in done.stderr.splitlines() if line.startswith("committed")]
    assert told[0] == "committed download.done obo/hp/1.0"
    assert len(told) == 4


def test_the_contributions_of_the_page_run(tmp_path: Path) -> None:
    """The command is run, the validator judges, the report prints."""
    program = Program(
        tmp_path / "store", install(tmp_path / "site-packages", "labels", code("Contributions", "python"))
    )
    source = program.root.parent / "hp.txt"
    source.write_text("no label")
    done = program.run("pull", str(source), "--service", "obo", "--ontology", "hp", "--version", "1")
    assert done.returncode == 3, done.stderr
    assert "hp.txt fails has-label: no line begins with label:" in done.stderr
    assert program.run("greet", "you").stdout == "hello you, this is ontofetch\n"
    shown = program.run("report", "label-failures", "--format", "csv")
    assert (shown.returncode, shown.stdout.splitlines()[1]) == (0, "obo/hp/1,hp.txt"), shown.stderr


def test_the_host_of_the_page_runs(tmp_path: Path) -> None:
    """A host of some lines stages a file, sends its event and gets the receipt."""
    space: dict[str, object] = {"root": tmp_path / "store"}
    exec(compile(code("A host in some lines", "python"), "hooks.md", "exec"), space)
    receipt = space["receipt"]
    assert isinstance(receipt, receipts.Receipt)
    assert (receipt.type, receipt.changed) == ("download.done", True)
    assert (tmp_path / "store/example/greetings/1.0/src/hello.nt").is_file()
