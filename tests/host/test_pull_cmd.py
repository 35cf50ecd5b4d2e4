"""The options of a pull: what is off is told before anything is fetched."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ontofetch_catalog.host.app import main
from ontofetch_catalog.plugins.catalog import CatalogPlugin
from ontofetch_hookspecs import hookimpl
from tests.releases import sha256
from tests.sites import Site

RELEASE = {"--service": "s", "--ontology": "o", "--version": "1"}


def words(site: Site, **changes: str) -> list[str]:
    """Return the words of a pull with some options set, `_` for `-`."""
    options = RELEASE | {"--" + name.replace("_", "-"): value for name, value in changes.items()}
    return ["pull", site.url("/a.owl"), *(f"{name}={value}" for name, value in options.items())]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"service": "a/b"}, "The service 'a/b' is not a name"),
        ({"version": "latest"}, "may not be called 'latest'"),
        ({"ontology": "\x1b[31m"}, "'\\x1b[31m'"),
        ({"released": "2025-13-01"}, "not a date. Write it as 2025-09-15."),
        ({"released": "20250901"}, "not a date"),
        ({"released": "2025-W01-1"}, "not a date"),
        ({"sha256": "12"}, "not 64 hex digits"),
        ({"sha256": "g" * 64}, "not 64 hex digits"),
        ({"strip": "-1"}, "neither auto nor a number of folders from 0 to 100"),
        ({"strip": "101"}, "neither auto nor a number"),
        ({"strip": "9" * 5000}, "neither auto nor a number"),
        ({"include": ""}, "--include is empty"),
        ({"exclude": "a\nb"}, "--exclude is 'a"),
        ({"header": "no colon"}, "not of the form 'Name: value'"),
        ({"header": "X: \x07hush"}, "not of the form 'Name: value'"),
        ({"header": "Bad Name: hush"}, "not of the form 'Name: value'"),
        ({"format": "xml"}, "kgcl, not 'xml'"),
        ({"top": "0"}, "not a whole number from 1 on"),
        ({"wait": "soon"}, "a number from 0 on"),
        ({"no-plugin": "nope"}, "no plugin 'nope'"),
        ({"nope": "1"}, "has no option '--nope'"),
    ],
)
def test_what_is_off_is_told_before_anything_is_asked(
    site: Site, capsys: pytest.CaptureFixture[str], changes: dict[str, str], sentence: str
) -> None:
    """Wrong usage is exit code 2 and one printable line, without the value of a header; no request is made."""
    assert main(words(site, **changes)) == 2
    shown = capsys.readouterr().err
    assert sentence in shown
    assert shown.removesuffix("\n").isprintable()
    assert "hush" not in shown
    assert site.seen == []


def test_a_name_is_needed(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    """A release without a name is refused with what is missing."""
    assert main(["pull", site.url("/a.owl")]) == 2
    assert "--service and --ontology" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["sha256:{}", " {} ", "{}"])
def test_a_checksum_is_taken_as_publishers_write_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    """With a prefix, in capitals, or with spaces around it."""
    (tmp_path / "a.txt").write_bytes(b"x")
    line = ["pull", str(tmp_path / "a.txt"), *(f"{name}={value}" for name, value in RELEASE.items())]
    assert main([*line, "--sha256", text.format(sha256(b"x").upper())]) == 0


def test_a_catalog_that_does_not_work_is_not_passed_over(
    tmp_path: Path, add_plugin: Callable[..., Path], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A release must not go unrecorded by accident: a broken catalog stops the pull, leaving it out is a decision."""

    def fail(self: object, host: object) -> None:
        raise RuntimeError("no memory")

    monkeypatch.setattr(CatalogPlugin, "on_host_ready", fail)
    hookimpl(fail)
    (tmp_path / "a.txt").write_bytes(b"x")
    line = ["pull", str(tmp_path / "a.txt"), *(f"{name}={value}" for name, value in RELEASE.items())]
    monkeypatch.setattr("ontofetch_catalog.plugins.catalog.plugin", CatalogPlugin())
    assert main(line) == 1
    assert "catalog is installed but does not work: on_host_ready: RuntimeError: no memory" in capsys.readouterr().err
    assert not (tmp_path / "store/s").exists()
    assert main([*line, "--no-plugin", "catalog"]) == 0
