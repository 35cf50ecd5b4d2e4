"""Schemes: each kind of registry is read, what it answers is checked, and plugins add their own."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ontofetch_catalog.host.app import main
from ontofetch_hookspecs import EventError, SourceScheme, SourceVersion
from tests.host.registries import SCHEMES, fill, obo, serve, serve_json, settings_file
from tests.internet import Internet
from tests.sites import Answer, Site

pytestmark = pytest.mark.usefixtures("quick_databases")

Run = Callable[..., tuple[int, list[dict[str, Any]], str]]


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Run:
    """Return a function that runs the program in this process: words → exit code, rows, stderr."""

    def call(*words: str) -> tuple[int, list[dict[str, Any]], str]:
        code = main([*words, "--json"])
        out, err = capfd.readouterr()
        return code, json.loads(out)["rows"] if out else [], err

    return call


@pytest.fixture
def registry(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    """Return a server that is the registry of every scheme."""
    fill(site)
    monkeypatch.setenv("ONTOFETCH_CONFIG", str(settings_file(tmp_path, site)))
    return site


@pytest.mark.parametrize("name", SCHEMES)
def test_a_scheme_is_added_updated_and_found_unchanged(registry: Site, run: Run, name: str) -> None:
    """The newest final version is found and pulled, with its checksum; a second update finds nothing new."""
    code, rows, err = run("add", SCHEMES[name], "--service", "s", "--ontology", "o")
    assert code == 0, err
    assert rows[0]["source"] == SCHEMES[name]
    assert rows[0]["version"] in (("2.0", "2.0.0") if name not in ("obo", "ols") else (None,))
    code, rows, err = run("update")
    assert (code, rows[0]["status"]) == (0, "new"), err
    assert rows[0]["version_id"] == ("s/o/2.0.0" if name == "npm" else "s/o/2.0")
    assert rows[0]["latest"] is True
    code, rows, err = run("update", "--check", "--exit-code")
    assert (code, rows[0]["status"]) == (0, "unchanged"), err
    code, rows, err = run("update", "--exit-code")
    assert (code, rows[0]["status"]) == (0, "unchanged"), err
    fill(registry, "3.0")
    code, rows, err = run("update", "--check", "--exit-code")
    assert (code, rows[0]["status"]) == (5, "new"), err
    code, rows, err = run("update", "--exit-code")
    assert (code, rows[0]["status"], rows[0]["version_id"][:7]) == (5, "new", "s/o/3.0"), err


@pytest.mark.parametrize("name", ["pypi", "npm", "zenodo", "github"])
def test_other_bytes_than_the_registry_says_are_refused(registry: Site, run: Run, name: str) -> None:
    """Whatever algorithm its checksum has, nothing is recorded."""
    for ending in ("obo", "whl", "tgz"):
        serve(registry, f"/files/new.{ending}", obo("2.0") + b"! other\n")
    assert run("add", SCHEMES[name], "--service", "s", "--ontology", "o")[0] == 0
    code, rows, _ = run("update")
    assert (code, rows[0]["status"], rows[0]["version_id"]) == (1, "failed", None)
    assert f"as the registry of {SCHEMES[name]} says" in rows[0]["reason"]


def test_an_index_of_pages_is_read_as_well(registry: Site, run: Run) -> None:
    """A mirror with HTML alone, with links relative to the page, is an index of packages."""
    page = (
        '<a href="../../files/old.obo">sample_package-1.0.tar.gz</a>'
        '<a href="../../files/sample_package-2.0.tar.gz">x</a>'
        '<a data-yanked href="../../files/sample_package-3.0.tar.gz">x</a><a>none</a><b href="x">'
    )
    registry.answers["/pypi/sample-package/"] = Answer(page.encode(), headers={"Content-Type": "text/html"})
    code, rows, err = run("add", "pypi:Sample_Package")
    assert (code, rows[0]["series"], rows[0]["version"]) == (0, "pypi/Sample_Package", "2.0"), err
    assert [seen.path for seen in registry.seen] == ["/pypi/sample-package/"]


def test_templates_take_their_version_from_a_source(registry: Site, run: Run, tmp_path: Path) -> None:
    """A source says which versions there are, an address where they are."""
    serve(registry, "/by-version/2.0.obo", obo("2.0"))
    (tmp_path / "sources.toml").write_text(
        f'[s.o]\nsource = "github:owner/sample"\nurl = "{registry.url("/by-version/{version}.obo")}"\n'
    )
    code, rows, err = run("update", "--sources", str(tmp_path / "sources.toml"))
    assert (code, rows[0]["version_id"]) == (0, "s/o/2.0"), err


NESTED = b"[" * 200 + b"]" * 200


@pytest.mark.parametrize("name", SCHEMES)
@pytest.mark.parametrize(
    "body",
    [b"", b"<html>sorry</html>", b"{}", b"[]", b"null", b"7", b'"text"', b'{"a": NaN}', b"\xff\xfe", NESTED,
     b'{"files": [{"filename": 7}]}'],
    ids=range(11),
)  # fmt: skip
def test_any_answer_ends_in_a_sentence(registry: Site, run: Run, name: str, body: bytes) -> None:
    """No registry that answers with something else makes a traceback, or an entry."""
    for path in list(registry.answers):
        if path.startswith(f"/{name}/"):
            registry.answers[path] = Answer(body)
    code, rows, err = run("add", SCHEMES[name])
    assert (code, rows) == (1, [])
    assert err.startswith("error: ")
    assert "The plugin" not in err
    assert "should not happen" not in err
    assert "Traceback" not in err


def test_what_is_too_large_is_not_read(registry: Site, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer has a limit of its own, far below that of a download."""
    monkeypatch.setattr("ontofetch_catalog.host.updating.asking.MOST_ANSWER", 100_000)
    registry.answers["/ols/api/ontologies/hp"] = Answer(b"[" + b"1," * 100_000 + b"1]")
    code, _, err = run("add", "ols:hp")
    assert code == 1
    assert "is larger than the 100,000 bytes" in err


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("file:///etc/passwd", "lists no version"),
        ("ftp://example.org/a", "lists no version"),
        ("http://example.org:0/", "lists no version"),
        ("javascript:alert(1)", "lists no version"),
        ("x" * 5000, "lists no version"),
        (["http://example.org/"], "lists no version"),
    ],
)  # fmt: skip
def test_addresses_of_a_registry_are_those_of_a_network(registry: Site, run: Run, url: object, words: str) -> None:
    """What a registry names is http or https, or it names nothing."""
    serve_json(registry, "/ols/api/ontologies/hp", {"config": {"fileLocation": url}})
    code, _, err = run("add", "ols:hp")
    assert (code, words in err) == (1, True), err


def test_a_public_registry_leads_to_no_private_address(
    internet: Internet, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, site: Site
) -> None:
    """An address that a registry names is under the rule of redirects: not from public to private ones."""
    internet.name("registry.example.org", ["93.184.216.34"])
    port = site.url("/").rstrip("/").rpartition(":")[2]
    serve_json(site, "/api/ontologies/hp", {"config": {"fileLocation": f"http://10.0.0.7:{port}/hp.obo"}})
    serve(site, "/hp.obo", obo("1"))
    settings = tmp_path / "settings.toml"
    settings.write_text(f'http_retries = 0\n[plugin.sources]\nols = "http://registry.example.org:{port}"\n')
    settings.chmod(0o600)
    monkeypatch.setenv("ONTOFETCH_CONFIG", str(settings))
    assert run("add", "ols:hp")[0] == 0
    code, rows, _ = run("update")
    assert code == 1
    assert "whose address is not public (private)" in rows[0]["reason"]


def test_a_mistyped_scheme_or_name_is_guessed(registry: Site, run: Run) -> None:
    """The sentence says what was meant, and lists what there is."""
    code, _, err = run("add", "pipy:sample")
    assert (code, "There is no scheme 'pipy'. Did you mean pypi? There are: " in err) == (2, True)
    code, _, err = run("add", "obo:hpp")
    assert (code, "The OBO registry has no ontology 'hpp'. Did you mean obo:hp?" in err) == (1, True)
    code, _, err = run("add", "github:own er")
    assert (code, "'own er' is not of the form owner/repository." in err) == (2, True)
    assert run("add", "npm:../../etc")[0] == 2


def test_a_bare_prefix_is_looked_up(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """With the Bioregistry installed its document is known, and called as its publisher calls it."""
    pytest.importorskip("bioregistry")
    code, rows, err = run("add", "hp", "--dry-run")
    assert (code, rows[0]["series"], rows[0]["source"]) == (0, "obo/hp", "bioregistry:hp"), err
    code, _, err = run("add", "hpnosuch")
    assert (code, "The Bioregistry knows no prefix 'hpnosuch'." in err) == (1, True)
    monkeypatch.setitem(__import__("sys").modules, "bioregistry", None)
    code, _, err = run("add", "hp", "--dry-run")
    assert (code, 'pip install "ontofetch-catalog[bioregistry]"' in err) == (2, True)


SCHEME = """
from ontofetch_hookspecs import SourceScheme, SourceVersion
@hookimpl
def register_sources():
    return [SourceScheme("acme", "what acme has", "acme:versions", "tool", "http://acme.example.org")]
@hookimpl
def register_settings():
    from ontofetch_hookspecs import PluginSetting
    return [PluginSetting("acme", "text", "", "address of acme")]
def versions(query):
    {body}
"""


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("return None", "failed in its scheme acme: TypeError: a NoneType was returned, not versions."),
        ("return 'text'", "failed in its scheme acme: TypeError: a str was returned, not versions."),
        ("return [7]", "failed in its scheme acme: TypeError: a int was returned, not a SourceVersion."),
        ("raise KeyError('x')", "The plugin 'acme' failed in its scheme acme: KeyError: 'x'."),
        ("yield from (1 // 0 for _ in 'x')", "failed in its scheme acme: ZeroDivisionError"),
        ("import sys; sys.exit(3)", "it called sys.exit(3)."),
        ("return iter(lambda: SourceVersion(version='1', url='http://a.b/c'), 0)", "more than 100,000 versions"),
        ("return [SourceVersion(version='a b', url='http://a.b/c')]", "The version 'a b' is not a name"),
        ("return []", "The scheme acme: lists no version that can be had."),
    ],
)
def test_a_scheme_of_a_plugin_that_fails_names_it(
    add_plugin: Callable[..., Path], run: Run, body: str, sentence: str
) -> None:
    """Whatever is wrong there, the sentence says whose scheme it was."""
    add_plugin("acme", SCHEME.format(body=body))
    code, _, err = run("add", "acme:tool")
    assert (code, sentence in err) == (1, True), err


def test_a_scheme_of_a_plugin_is_one_like_all(
    add_plugin: Callable[..., Path], run: Run, site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It asks in the host's way, its setting replaces its address, its headers go to its server and nowhere else."""
    body = (
        "told = query.read_json(query.fetch(query.base + '/list'))\n    return [SourceVersion(version=v, url=query.base"
        " + '/' + v, name='a.obo', headers={'X-Acme': 'sesame-5'}) for v in told]"
    )
    add_plugin("acme", SCHEME.format(body=body))
    settings = tmp_path / "settings.toml"
    settings.write_text(f'[plugin.acme]\nacme = "{site.url("")}"\n')
    settings.chmod(0o600)
    monkeypatch.setenv("ONTOFETCH_CONFIG", str(settings))
    serve_json(site, "/list", ["1.9", "1.10"])
    serve(site, "/1.10", obo("1.10"))
    assert run("add", "acme:tool")[0] == 0
    code, rows, err = run("update")
    assert (code, rows[0]["version_id"]) == (0, "acme/tool/1.10"), err
    assert site.seen[-1].headers["x-acme"] == "sesame-5"
    assert "sesame-5" not in err
    assert b"sesame-5" not in b"".join(path.read_bytes() for path in (tmp_path / "store").rglob("*") if path.is_file())
    code, rows, _ = run("plugins")
    told = {row["name"]: row["contributes"] for row in rows}
    assert told["acme"] == "source scheme acme"
    assert "source scheme obo" in told["sources"]


@pytest.mark.parametrize(
    "fields",
    [
        {"version": "a/b"}, {"url": "file:///a"}, {"released": "2025-01-01"}, {"checksum": "sha256:abc"},
        {"name": "a/b"},
        {"checksum": "crc:00"}, {"headers": {"A B": "c"}}, {"headers": {"A": "c\r\nd"}}, {"headers": []}, {"url": None},
    ],
)  # fmt: skip
def test_a_version_is_checked_when_it_is_made(fields: dict[str, object]) -> None:
    """A plugin learns at once what is wrong, and no value of a header is repeated."""
    with pytest.raises(EventError) as caught:
        SourceVersion(**({"version": "1", "url": "https://example.org/a"} | fields))  # type: ignore[arg-type]
    assert "c\r\nd" not in str(caught.value)


@pytest.mark.parametrize("name", ["http", "file", "A", "a b", "", "x" * 50])
def test_a_scheme_has_a_name_of_its_own(name: str) -> None:
    """What means something already is no scheme."""
    with pytest.raises(EventError):
        SourceScheme(name, "help", "a:b", "x")
