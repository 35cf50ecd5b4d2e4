"""Rules of retention that plugins contribute: chosen by name, together, and never past what is protected."""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from ontofetch_catalog.catalog.boundaries.engine import carry_out
from ontofetch_catalog.catalog.connection import Store
from ontofetch_catalog.catalog.prune import planning
from ontofetch_catalog.catalog.prune.pins import Pin
from ontofetch_catalog.host.app import main
from ontofetch_hookspecs import RELEASES_COLUMNS
from tests.releases import Releases

pytestmark = pytest.mark.usefixtures("quick_databases")

FAST = {"durability": "off"}
Add = Callable[..., Path]
RULE = """
import sys
import pyarrow as pa
import pyarrow.compute as pc
from ontofetch_hookspecs import Retention, UsageError
@hookimpl
def register_retention():
    return [Retention("mine", "what I choose", "acme:mine", {metavar!r})]
def mine(releases, value):
    {body}
"""


@pytest.fixture(autouse=True)
def later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let plans be made in two days: the ctime of a file can't be set."""
    monkeypatch.setattr(planning, "clock", lambda: time.time_ns() + 2 * 86_400 * 10**9)


class Pruner:
    """A store with four releases, the last one latest and the second pinned, and a plugin made on the spot."""

    def __init__(self, add: Add, capsys: pytest.CaptureFixture[str]) -> None:
        self._add = add
        self._capsys = capsys

    def rule(self, body: str, metavar: str = "") -> None:
        """Install a plugin with the rule `mine`."""
        self._add("acme", RULE.format(body=body, metavar=metavar))

    def plan(self, *words: str) -> tuple[int, str, dict[str, Any]]:
        """Look what a plan would take; return the code, what was told, and what was printed."""
        code = main(["db", "prune", "--dry-run", "--json", "--override", "large-plan", *words])
        shown = self._capsys.readouterr()
        return code, shown.err, json.loads(shown.out) if shown.out else {}

    def taken(self, *words: str) -> list[str]:
        """Return the versions that a plan would take."""
        code, err, shown = self.plan(*words)
        assert code == 0, err
        found: Sequence[str] = shown["parameters"]["totals"]["releases"]
        return [version_id.rpartition("/")[2] for version_id in found]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the store that each test gets a copy of."""
    releases = Releases(tmp_path_factory.mktemp("made") / "store", settings=FAST)
    for number in range(1, 5):
        releases.pull(str(number), {"a.ttl": f"text {number}"})
    carry_out(Store(releases.root, FAST), Pin(Store(releases.root, FAST), "example/sample/2"))
    return releases.root


@pytest.fixture
def pruner(made: Path, tmp_path: Path, add_plugin: Add, capsys: pytest.CaptureFixture[str]) -> Pruner:
    """Return it."""
    shutil.copytree(made, tmp_path / "store")
    return Pruner(add_plugin, capsys)


def test_built_in_rules_go_the_way_of_all_rules(pruner: Pruner) -> None:
    """`--keep-last 1` is `--retention keep-last=1`, and several rules take what all of them choose."""
    assert pruner.taken("--retention", "keep-last=1") == pruner.taken("--keep-last", "1") == ["1", "3"]
    assert pruner.taken("--retention", "keep-last=2", "--retention", "older-than=1d") == ["1"]
    assert pruner.taken("--keep-last", "2", "--older-than", "1d") == ["1"]
    assert pruner.taken("--keep-last", "2", "--older-than", "3d") == []
    assert pruner.taken("--keep-last", "1", "--keep-last", "3") == ["1"]


@pytest.mark.parametrize(
    ("body", "taken"),
    [
        ("return releases['version_id']", ["1", "3"]),
        ("return releases['version_id'].combine_chunks()", ["1", "3"]),
        ("return releases['version_id'].combine_chunks().dictionary_encode()", ["1", "3"]),
        ("import polars; return polars.Series(['example/sample/1', 'example/sample/1'])", ["1"]),
        ("return ('example/sample/4', 'example/sample/3', 'example/sample/2')", ["3"]),
        ("return {'example/sample/1'}", ["1"]),
        ("return (one for one in ['example/sample/1'])", ["1"]),
        ("return []", []),
        ("return releases.filter(pc.field('size_bytes') > 10**9)['version_id']", []),
        ("print('MINE'); return ['example/sample/1']", ["1"]),
    ],
)
def test_a_rule_names_releases_in_any_usual_way(pruner: Pruner, body: str, taken: list[str]) -> None:
    """Columns, arrays, sequences, generators; what is latest, pinned or the last stays whatever it says."""
    pruner.rule(body)
    assert pruner.taken("--retention", "mine") == taken
    assert pruner.taken("--retention", "mine", "--keep-last", "3") == [one for one in taken if one == "1"]


def test_the_sources_file_says_what_is_kept(pruner: Pruner, tmp_path: Path) -> None:
    """Its `keep` counts where nothing else is asked for, for its own series alone, and the plan says so."""
    assert pruner.taken() == []
    assert pruner.taken("--retention", "keep-by-series=example/sample:1,a/b:1") == ["1", "3"]
    assert pruner.taken("--retention", "keep-by-series=a/b:1") == []
    entry = "[{}.sample]\nsource = 'obo:sample'\nkeep = {}\n"
    sources = tmp_path / "store/ontofetch.toml"
    sources.write_text(entry.format("example", 1))
    code, err, shown = pruner.plan()
    assert code == 0, err
    assert shown["parameters"]["totals"]["releases"] == ["example/sample/1", "example/sample/3"]
    assert "says how many releases of 1 series are kept." in err
    assert shown["parameters"]["policy"]["retentions"] == [
        {"plugin": "catalog", "name": "keep-by-series", "value": "example/sample:1"}
    ]
    assert pruner.taken("--keep-last", "3") == ["1"]
    assert pruner.taken("--version", "1") == ["1"]
    sources.write_text(entry.format("other", 1))
    assert pruner.taken() == []
    (tmp_path / "s.toml").write_text(entry.format("example", 3))
    assert pruner.taken("--sources", str(tmp_path / "s.toml")) == ["1"]


def test_what_is_protected_is_kept_with_its_reason(pruner: Pruner) -> None:
    """The plan says so, and which rules were asked."""
    pruner.rule("return releases['version_id']", "VALUE")
    _, _, shown = pruner.plan("--retention", "mine=a=b", "--series", "sample")
    assert {row["version_id"]: row["reason"] for row in shown["sections"]["kept"]} == {
        "example/sample/2": "it is pinned",
        "example/sample/4": "it is the latest release of its series",
    }
    policy = shown["parameters"]["policy"]
    assert policy["retentions"] == [{"plugin": "acme", "name": "mine", "value": "a=b"}]
    assert policy["series"] == "example/sample"


def test_a_rule_sees_the_columns_of_the_contract(pruner: Pruner, made: Path) -> None:
    """Names, types and order are those of RELEASES_COLUMNS, the numbers those of the store."""
    pruner.rule(
        "print('TYPES', *(f'{one.name}:{one.type}'.replace(' tz=', '') for one in releases.schema))\n"
        "    print('ROWS', [(r['position'], r['newer'], r['is_latest'], r['pinned'], r['age_seconds'] // 86_400,"
        " r['files'], r['size_bytes']) for r in releases.to_pylist()], value)\n    return []"
    )
    _, err, _ = pruner.plan("--retention", "mine")
    lines = err.splitlines()
    types = " ".join(f"{column.name}:{column.type}".replace(" ", "") for column in RELEASES_COLUMNS)
    assert f"TYPES {types}" in lines
    sizes = [
        sum(path.stat().st_size for part in ("src", "data") for path in (made / f"example/sample/{n}" / part).iterdir())
        for n in range(1, 5)
    ]
    rows = [(n, 4 - n, n == 4, n == 2, 2, 1, sizes[n - 1]) for n in range(1, 5)]
    assert f"ROWS {rows} None" in lines, lines


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("return {}['x']", "The plugin 'acme' failed in its retention mine: KeyError: 'x'."),
        ("sys.exit(7)", "The plugin 'acme' failed in its retention mine: it called sys.exit(7)."),
        ("return (sys.exit(7) for _ in 'x')", "it called sys.exit(7)."),
        ("return None", "failed in its retention mine: TypeError: a NoneType was returned, not version_ids."),
        ("return 'example/sample/1'", "failed in its retention mine: TypeError: a str was returned, not version_ids."),
        ("return [7]", "The plugin 'acme' failed in its retention mine: ArrowTypeError"),
        ("return releases", "The plugin 'acme' failed in its retention mine: TypeError: a Table was returned"),
        ("return iter(int, 1)", "The plugin 'acme' failed in its retention mine: "),
        ("return iter(lambda: 'example/sample/1', 0)", "more version_ids were returned than the 4 releases"),
        ("return ['example/sample/9\\x1b[31m']", r"chose 'example/sample/9\x1b[31m' by its retention mine, which is"),
        ("return [None]", "'acme' chose 'None' by its retention mine, which is none of the releases"),
        ("raise UsageError('Not on a Monday.')", "error: Not on a Monday."),
    ],
)  # fmt: skip
def test_a_rule_that_fails_names_its_plugin(pruner: Pruner, body: str, sentence: str) -> None:
    """Nothing is planned, and the sentence says whose rule it was."""
    pruner.rule(body)
    code, err, _ = pruner.plan("--retention", "mine")
    assert sentence in err
    assert code == (2 if "UsageError" in body else 1)
    assert "should not happen" not in err
    assert "\x1b" not in err


def test_a_series_that_no_release_has_is_told(pruner: Pruner, tmp_path: Path) -> None:
    """A slip in a rule's series is said with what is near; a series may be named by its ontology, as everywhere."""
    code, err, shown = pruner.plan("--retention", "keep-by-series=example/smaple:1,sample:2")
    assert (code, shown["parameters"]["totals"]["releases"]) == (0, ["example/sample/1"])
    assert "No series 'example/smaple' is recorded. Did you mean example/sample?" in err
    (asked,) = shown["parameters"]["policy"]["retentions"]
    assert asked["value"] == "example/smaple:1,example/sample:2"
    # the sources file may name what has never been pulled
    (tmp_path / "store/ontofetch.toml").write_text("[other.sample]\nsource = 'obo:sample'\nkeep = 1\n")
    assert "is recorded" not in pruner.plan()[1]


@pytest.mark.parametrize(
    ("word", "sentence"),
    [
        ("keep-lst=1", "There is no retention 'keep-lst'. Did you mean keep-last? There are: keep-last, "),
        ("yours", "There is no retention 'yours'. There are: keep-last, keep-by-series, older-than, mine."),
        ("mine=1", "The retention mine takes no value."),
        ("keep-last", "The retention keep-last needs a value: keep-last=N."),
        ("keep-last=-1", "'-1' is not a whole number from 0 on."),
        ("keep-last=\u0663", "is not a whole number from 0 on."),
        ("older-than=soon", "'soon' is not an age."),
        ("keep-by-series=hp", "'hp' is not a series with a number."),
    ],
)
def test_words_that_name_no_rule_are_usage_errors(pruner: Pruner, word: str, sentence: str) -> None:
    """The sentence lists what there is, or says what the value should be."""
    pruner.rule("return []")
    code, err, _ = pruner.plan("--retention", word)
    assert code == 2
    assert sentence in err


def test_a_name_that_is_taken_and_a_bad_rule_are_reported(
    add_plugin: Add, pruner: Pruner, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody takes `keep-last`; what is no rule is left out; `plugins` says both and lists the others."""
    add_plugin(
        "thief",
        "from ontofetch_hookspecs import Retention\n@hookimpl\ndef register_retention():\n"
        "    return [Retention('keep-last', 'all', 'thief:all_of_it', 'N'), 'rule',"
        " Retention('none', 'nothing', 'thief:none', '')]\n"
        "def all_of_it(releases, value): return releases['version_id']\n"
        "def none(releases, value): return []\n",
    )
    add_plugin(
        "bad",
        "from ontofetch_hookspecs import Retention\n@hookimpl\ndef register_retention():\n"
        "    return [Retention('has space', 'x', 'a:b')]\n",
    )
    assert pruner.taken("--keep-last", "2") == ["1"]
    _, err, _ = pruner.plan("--keep-last", "2")
    assert "plugin 'thief': its retention 'keep-last' is left out: the name is catalog's" in err
    assert main(["db", "prune", "--help"]) == 0
    assert re.search("keep-last=N +releases before the last N of their series\n", capsys.readouterr().out)
    assert main(["plugins", "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)["rows"]}
    assert "retention keep-last" in rows["catalog"]["contributes"]
    assert rows["thief"]["contributes"] == "retention none"
    assert rows["thief"]["state"] == rows["bad"]["state"] == "partial"
    assert "The name of a retention is 'has space'" in rows["bad"]["reason"]
