"""A host of ten lines says what is wrong with a plugin in the same sentences as the embedded one, and goes on."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import Distribution
from pathlib import Path

import pytest

from ontofetch_hookspecs import Host, PluginFailed, Receipt, Veto, loading, open_host, requirements, votes
from tests.programs import install

VOTE = "@hookimpl\ndef on_download_done(event):\n    {}\n"
CLASS = "class P:\n    @hookimpl\n    def on_download_done({}):\n        raise ValueError\nplugin = P()\n"
IMPORTS = "from ontofetch_hookspecs import Veto\n"
Open = Callable[..., Host]


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Iterator[Open]:
    """Return a function that installs a plugin and opens a host on a new store."""
    monkeypatch.syspath_prepend(tmp_path / "site")
    caplog.set_level(logging.WARNING)

    def opening(code: str, entry: str = "", requires: str = "", **given: object) -> Host:
        install(tmp_path / "site", "acme", IMPORTS + code, entry, requires)
        return open_host(tmp_path / "store", settings={"durability": "off"}, **given)  # type: ignore[arg-type]

    yield opening
    sys.modules.pop("acme", None)


def send(host: Host) -> Receipt | None:
    """Record a small artifact."""
    stage = host.stage()
    with stage.write_file("src/a.csv") as staged:
        staged.write(b"a,b\n")
    return host.download_done(
        staged=staged, artifact="a.csv", source_url="https://example.org/a.csv", service="s", ontology="o", version="1"
    )


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        (
            ("@hookimpl\ndef on_downlod_done(event): pass", "", ""),
            "unknown hook 'on_downlod_done', did you mean on_download_done?",
        ),
        (
            ("@hookimpl\ndef on_download_done(evnt): pass", "", ""),
            "its on_download_done wants an argument 'evnt': the hook takes event",
        ),
        (("@hookimpl\nasync def on_download_done(event): raise Veto('x')", "", ""), "its on_download_done is async"),
        ((VOTE.format("raise Veto('x')\n    yield"), "", ""), "its on_download_done has a `yield` and is no wrapper"),
        ((CLASS.format("event"), "acme = acme:plugin", ""), "write `def on_download_done(self, event)`"),
        ((CLASS.format("self, event"), "acme = acme:P", ""), "its entry point names the class 'P'"),
        (
            ("@hookimpl(wrapper=True)\ndef on_download_done(event): pass", "", ""),
            "'acme' is left out: PluginValidation",
        ),
        (
            ("", "acme = acme:nothing", ""),
            "'acme' is left out: AttributeError: module 'acme' has no attribute 'nothing'",
        ),
        (("import no_such_module", "", ""), "'acme' is left out: ModuleNotFoundError"),
        (("import sys\nsys.exit(3)", "", ""), "'acme' is left out: SystemExit: 3"),
        (("def on_download_done(event): pass", "", ""), "'acme': it implements no hook: mark its functions with"),
        ((VOTE.format("pass"), "[ontofetch.plugin]\nacme = acme", ""), "where nobody looks: the group is ontofetch"),
        ((VOTE.format("raise Veto('x')"), "", "ontofetch-hookspecs>=99"), "this is 0.1.0: upgrade ontofetch-catalog"),
        ((VOTE.format("raise Veto('x')"), "", "ontofetch-hookspecs<0.1"), "install a newer release of the plugin"),
        ((VOTE.format("return False"), "", ""), "'acme' returned False from on_download_done, which is no veto"),
        (
            ("@hookimpl(wrapper=True, tryfirst=True)\ndef on_download_done(event): return (yield)", "", ""),
            "'acme' wraps on_download_done outside of the catalog",
        ),
        ((VOTE.format("pass"), "catalog = acme", ""), "'catalog' is left out: its name is taken ('acme' comes second)"),
        (("@hookimpl\ndef on_catalog_committed(event): raise KeyError('x')", "", ""), "failed in on_catalog_committed"),
    ],
)
def test_a_mistake_is_answered_and_everything_else_goes_on(
    opened: Open, caplog: pytest.LogCaptureFixture, written: tuple[str, str, str], sentence: str
) -> None:
    """The sentence names plugin, hook and fix; the release is recorded."""
    assert send(opened(*written)) is not None
    assert sentence in caplog.text
    assert "plugin 'acme'" in caplog.text or "plugin acme" in caplog.text or "'acme' comes second" in caplog.text


def test_slow_votes_and_imports_are_named(
    opened: Open, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once each, whether the catalog is there or not."""
    monkeypatch.setattr(loading, "SLOW_SECONDS", 0.02)
    monkeypatch.setattr(votes, "SLOW_MILLISECONDS", 20.0)
    host = opened("import time\ntime.sleep(0.05)\n" + VOTE.format("time.sleep(0.05)"))
    assert send(host) is not None
    assert caplog.text.count("plugin 'acme': it takes 0.") == 1
    assert caplog.text.count("plugin 'acme' took 0.") == 1
    caplog.clear()
    open_host(host.info.root, settings={"durability": "off"}, off=("catalog",)).set_latest(version_id="s/o/1")
    assert "took" not in caplog.text


@pytest.mark.parametrize("off", [(), ("catalog",)])
@pytest.mark.parametrize(
    ("raised", "kind", "sentence"),
    [
        ("raise Veto('No licence')", Veto, "The plugin 'acme' refuses the download of s/o/1: No licence."),
        ("{}['x']", PluginFailed, "The plugin 'acme' failed in on_download_done for the download of s/o/1: KeyError"),
        ("import sys; sys.exit(7)", PluginFailed, "'acme' failed in on_download_done for the download of s/o/1: Sys"),
    ],
)
def test_a_vote_against_it_is_named(
    opened: Open, raised: str, kind: type[Exception], sentence: str, off: tuple[str, ...]
) -> None:
    """Whatever it raises, an exit too, a host gets an error of ours; with a catalog and without one."""
    host = opened(VOTE.format(raised), off=off)
    with pytest.raises(kind, match="acme") as caught:
        send(host)
    assert sentence in str(caught.value)
    assert not (host.info.root / "s").exists()


def test_a_host_may_require_plugins(opened: Open) -> None:
    """One that is not installed, and one that is left out, keep everything out."""
    host = opened(VOTE.format("pass"), required=("nope",))
    with pytest.raises(PluginFailed, match="'nope' must be loaded and is not: it is not loaded"):
        send(host)
    host = open_host(host.info.root, off=("acme",), required=("acme",))
    with pytest.raises(PluginFailed, match="'acme' must be loaded and is not"):
        send(host)
    assert send(open_host(host.info.root, settings={"durability": "off"}, required=("acme",))) is not None


class _Installed(Distribution):
    """A distribution that requires something."""

    def __init__(self, requires: str) -> None:
        self._requires = requires

    def read_text(self, filename: str) -> str | None:
        """Return its metadata."""
        told = f"Metadata-Version: 2.1\nName: acme\nVersion: 1\nRequires-Dist: {self._requires}\n"
        return told if filename == "METADATA" else None

    def locate_file(self, path: object) -> Path:
        """Return where a file of it lies."""
        return Path(str(path))


@pytest.mark.parametrize(
    ("requires", "here", "fits"),
    [
        ("ontofetch-hookspecs", "1.4", True),
        ("ontofetch_hookspecs (>=1,<2)", "1.4", True),
        ("OntoFetch.HookSpecs[x]>=1, <1.4", "1.4", False),
        ("ontofetch-hookspecs~=1.2", "1.4.1", True),
        ("ontofetch-hookspecs~=1.2.0", "1.4", False),
        ("ontofetch-hookspecs==1.*", "1.4", True),
        ("ontofetch-hookspecs==1", "1.0.0", True),
        ("ontofetch-hookspecs!=1.4", "1.4.0", False),
        ("ontofetch-hookspecs>1.4", "1.4", False),
        ("ontofetch-hookspecs>=1.10", "1.9", False),
        ("ontofetch-hookspecs>=1.10 ; python_version >= '3'", "1.9", False),
        ("ontofetch-hookspecs>=9 ; extra == 'test'", "1.9", True),
        ("ontofetch-hookspecs-extra>=9", "1.9", True),
        ("ontofetch-hookspecs @ file:///x", "1.9", True),
    ],
)
def test_requirements_are_read(monkeypatch: pytest.MonkeyPatch, requires: str, here: str, fits: bool) -> None:
    """As pip reads them, for versions that are plain numbers; what can't be read fits."""
    monkeypatch.setattr("importlib.metadata.version", lambda name: here)
    assert (requirements.contract_fault(_Installed(requires)) == "") is fits
