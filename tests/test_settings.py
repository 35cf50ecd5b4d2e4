"""Settings: one table, four places a value may come from, and a page of documentation that says the same."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ontofetch_catalog.errors import UsageError
from ontofetch_catalog.host.argv import split_common
from ontofetch_catalog.settings import Settings, read_settings
from ontofetch_catalog.settings_table import SETTINGS, Setting
from tests.environments import CHECKOUT

DEFAULTS = {setting.name: setting.default for setting in SETTINGS}
NAMES = [setting.name for setting in SETTINGS]


def read(environment: Mapping[str, str] | None = None, **flags: object) -> Settings:
    """Read the settings with no environment but this one; the root is named, so that no user's folder is."""
    return read_settings({"root": "/store", **flags}, environment or {})


def other_value(setting: Setting) -> str:
    """Return a value that is not the default, as text."""
    return {"int": "7", "float": "7.5", "names": "b,a", "choice": setting.choices[-1] if setting.choices else ""}.get(
        setting.kind, "other"
    )


def test_without_anything_the_defaults_hold() -> None:
    """Nothing said is the table's defaults, and each says so."""
    found = read()
    assert dict(found.values) == DEFAULTS | {"root": "/store"}
    assert set(found.sources.values()) == {"default", "--root"}


@pytest.mark.parametrize("setting", SETTINGS, ids=NAMES)
def test_flag_beats_environment_beats_file_beats_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, setting: Setting
) -> None:
    """Of several values the nearest to the command holds, and its place is told."""
    monkeypatch.chdir(tmp_path)
    value = other_value(setting)
    plain = json.dumps(value) if setting.kind in ("text", "choice", "names") else value
    (tmp_path / "ontofetch.toml").write_text(f"{setting.name} = {plain}\n")
    expected = {"int": 7, "float": 7.5, "names": ("a", "b")}.get(setting.kind, value)

    # who is believed is said by a file that was named
    in_file = read_settings({}, {"ONTOFETCH_CONFIG": "ontofetch.toml"} if setting.trusted else {})
    assert (in_file.values[setting.name], in_file.sources[setting.name]) == (expected, "ontofetch.toml")
    named = {setting.environment: value}
    (tmp_path / "ontofetch.toml").write_text("")
    by_name = read_settings({}, named)
    assert (by_name.values[setting.name], by_name.sources[setting.name]) == (expected, setting.environment)
    if setting.flag:
        again = "99" if setting.kind == "float" else "nearest"
        found = read_settings({setting.name: again}, named)
        assert found.sources[setting.name] == setting.flag
        assert found.values[setting.name] != expected


def test_the_store_is_an_absolute_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A relative root is below the current folder, `~` is the user's home, and without one it is the data folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    assert read(root="a/../b").root == tmp_path / "b"
    assert read(root="~/c").root == tmp_path / "home/c"
    assert read_settings({}, {}).root.is_relative_to(tmp_path / "home")


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"ONTOFETCH_WAIT": "soon"}, "a number from 0 on"),
        ({"ONTOFETCH_WAIT": "-1"}, "a number from 0 on"),
        ({"ONTOFETCH_WAIT": "nan"}, "a number from 0 on"),
        ({"ONTOFETCH_WAIT": "inf"}, "a number from 0 on"),
        ({"ONTOFETCH_HTTP_RETRIES": "1.5"}, "a whole number from 0 on"),
        ({"ONTOFETCH_DURABILITY": "maybe"}, "one of full, off"),
    ],
)
def test_a_value_of_the_wrong_kind_is_refused(environment: dict[str, str], words: str) -> None:
    """The sentence names the setting, where the value comes from, and what it may be."""
    with pytest.raises(UsageError) as refused:
        read(environment)
    (name,) = environment
    assert words in str(refused.value)
    assert name in str(refused.value)
    assert refused.value.subject == name.removeprefix("ONTOFETCH_").lower()


def test_an_empty_root_is_refused() -> None:
    """`--root ""`, as an unset variable of a shell makes it, does not stand for the user's own store."""
    with pytest.raises(UsageError, match="--root is empty"):
        read_settings({"root": ""}, {})
    assert read({"ONTOFETCH_DUCKDB_MEMORY": ""}).values["duckdb_memory"] == ""


def test_a_file_with_a_mistake_is_refused(tmp_path: Path) -> None:
    """A key that is no setting, a value of the wrong kind, bad TOML and a named file that is missing are errors."""
    path = tmp_path / "my.toml"
    for text, words in (
        ("rot = 'x'", "unknown setting 'rot'"),
        ("no_plugins = [1]", "names separated by commas"),
        ("wait = true", "a number from 0 on"),
        ("wait = ", "can't be read"),
    ):
        path.write_text(text)
        with pytest.raises(UsageError, match=words):
            read({"ONTOFETCH_CONFIG": str(path)})
    path.write_bytes(b"\xff")
    with pytest.raises(UsageError, match="can't be read"):
        read({"ONTOFETCH_CONFIG": str(path)})
    with pytest.raises(UsageError, match="can't be read"):
        read({"ONTOFETCH_CONFIG": str(tmp_path / "absent.toml")})


def test_the_hash_is_that_of_the_normal_form() -> None:
    """However values are written and wherever they stand, equal settings have one hash; the root is not part of it."""
    by_name = read({"ONTOFETCH_WAIT": "60", "ONTOFETCH_NO_PLUGINS": " b,a ,a"}, root="/elsewhere")
    assert by_name.config_hash == read(no_plugins="a,b", wait="60.0").config_hash
    assert by_name.config_hash != read(no_plugins="a,b", wait="61").config_hash


@given(st.sampled_from(SETTINGS), st.text(min_size=1))
def test_any_text_is_a_value_or_a_usage_error(setting: Setting, text: str) -> None:
    """Whatever stands in the environment is a value of the right type or refused with a sentence."""
    try:
        value = read({setting.environment: text, "ONTOFETCH_CONFIG": ""}).values[setting.name]
    except UsageError as error:
        subject = error.subject
    else:
        subject = setting.name
        assert isinstance(value, type(setting.default))
    assert subject == setting.name


def test_every_flag_is_an_option_of_every_command() -> None:
    """The flags of the table are read from the command line, and the table names all of them."""
    for setting in SETTINGS:
        if setting.flag:
            found, rest = split_common("ontofetch", ["db", setting.flag, "1"])
            assert (rest, "1" in str(vars(found))) == (["db"], True)
    assert {setting.name for setting in SETTINGS if setting.flag} == {"root", "wait", "no_plugins"}


def test_the_page_says_what_the_table_says() -> None:
    """docs/settings.md has one row per setting with name, flag, environment, key, default and meaning."""
    lines = (CHECKOUT / "docs/settings.md").read_text(encoding="utf-8").splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines if line.startswith("| `")]
    assert rows == [table_row(setting) for setting in SETTINGS]


def table_row(setting: Setting) -> list[str]:
    """Return the row of a setting as the page has it."""
    default = setting.default
    shown = ", ".join(default) if isinstance(default, tuple) else f"{default:,}" if setting.kind == "int" else default
    return [
        f"`{setting.name}`",
        f"`{setting.flag}`" if setting.flag else "-",
        f"`{setting.environment}`",
        f"`{setting.name}`",
        f"`{shown}`" if shown != "" else "empty",
        setting.meaning,
    ]


def test_the_example_of_the_page_is_a_settings_file(tmp_path: Path) -> None:
    """The settings file that the page shows is read as it stands."""
    text = (CHECKOUT / "docs/settings.md").read_text(encoding="utf-8")
    (tmp_path / "example.toml").write_text(text.partition("```toml\n")[2].partition("```")[0])
    found = read_settings({}, {"ONTOFETCH_CONFIG": str(tmp_path / "example.toml")})
    assert str(tmp_path / "example.toml") in found.sources.values()
