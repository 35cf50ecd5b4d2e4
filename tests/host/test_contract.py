"""The contract as a pull speaks it: events of this run, answers of whoever answers, None where nobody does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ontofetch_catalog.host.contract import Contract
from ontofetch_catalog.host.manager import Plugins, load_plugins
from ontofetch_hookspecs import DownloadDone, EventError, HostInfo, PluginFailed, Veto
from ontofetch_hookspecs.hosting import now
from ontofetch_hookspecs.testing import sample_download_done
from tests.releases import sha256

Add = Callable[..., Path]
VOTE = """
from ontofetch_hookspecs import Veto
@hookimpl
def on_download_done(event):
    raise {error}
"""
WRAPPER = """
@hookimpl(wrapper=True)
def on_download_done(event):
    {body}
"""


@pytest.fixture
def loaded(request: pytest.FixtureRequest) -> Plugins:
    """Return the installed plugins but those named."""
    return load_plugins(getattr(request, "param", ()))


def contract_of(plugins: Plugins, root: Path) -> Contract:
    """Return the contract of a host that has told its plugins who it is."""
    settings = {"durability": "off"}
    host = HostInfo(name="t", manager=plugins.manager, root=root, run_id="run", config_hash="conf", settings=settings)
    plugins.ready(host)
    return Contract(host)


def download(contract: Contract, root: Path) -> DownloadDone:
    """Return the event of a file that is in place."""
    target = root / "s/o/1/src/a.nt"
    target.parent.mkdir(parents=True)
    target.write_bytes(b"x")
    names = {"service": "s", "ontology": "o", "version": "1", "artifact": "a.nt", "source_url": "http://e.org/a.nt"}
    return contract.make(DownloadDone, sha256=sha256(b"x"), size_bytes=1, fetched_at=now(), **names)


def test_events_are_of_this_run(loaded: Plugins, tmp_path: Path) -> None:
    """Root, run and settings come from the host; the fields are checked."""
    contract = contract_of(loaded, tmp_path)
    event = download(contract, tmp_path)
    assert (event.root, event.run_id, event.config_hash) == (tmp_path, "run", "conf")
    with pytest.raises(EventError, match="size_bytes"):
        contract.make(DownloadDone, **{**_fields(event), "size_bytes": -1})


def _fields(event: DownloadDone) -> dict[str, object]:
    names = ("service", "ontology", "version", "artifact", "source_url", "sha256", "fetched_at")
    return {name: getattr(event, name) for name in names}


def test_the_catalog_answers(loaded: Plugins, tmp_path: Path) -> None:
    """A receipt for an event, records for questions."""
    contract = contract_of(loaded, tmp_path)
    receipt = contract.send(download(contract, tmp_path))
    assert receipt is not None
    assert (receipt.type, receipt.version_id) == ("download.done", "s/o/1")
    found = contract.find_download("http://e.org/a.nt")
    assert found is not None
    assert found.version_id == "s/o/1"
    assert contract.find_version("s/o/1") is not None
    assert contract.find_results(["0" * 64], "v", "1") is not None


@pytest.mark.parametrize("loaded", [("catalog",)], indirect=True)
def test_nobody_answers(loaded: Plugins, tmp_path: Path) -> None:
    """Without a catalog there is no receipt and no record, and no error either."""
    contract = contract_of(loaded, tmp_path)
    assert contract.send(download(contract, tmp_path)) is None
    assert contract.find_download("http://e.org/a.nt") is None
    assert contract.find_version("s/o/1") is None
    assert contract.find_results([], "v", "1") is None


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (
            "Veto('Not today.', hint='Come back.')",
            Veto,
            "The plugin 'voter' refuses the download of {}: Not today. Come",
        ),
        ("Veto('Not today.')", Veto, "Not today. `--no-plugin voter` leaves the plugin out."),
        (
            "KeyError('x')",
            PluginFailed,
            "The plugin 'voter' failed in on_download_done for the download of {}: KeyError: 'x'. `--no-plugin voter`",
        ),
    ],
)
@pytest.mark.parametrize("body", ["", "return (yield)"])
@pytest.mark.parametrize("off", [(), ("catalog",)])
def test_who_refuses_is_named(
    add_plugin: Add, tmp_path: Path, *, error: str, kind: type[Exception], words: str, body: str, off: tuple[str, ...]
) -> None:
    """A veto and a failure carry the plugin's name, also behind a wrapper, the sentence, and the original error."""
    add_plugin("voter", VOTE.format(error=error))
    if body:
        add_plugin("wrapper", WRAPPER.format(body=body))
    contract = contract_of(load_plugins(off), tmp_path)
    event = download(contract, tmp_path)
    with pytest.raises(kind) as refused:
        contract.send(event)
    assert words.format(event.version_id) in str(refused.value)
    assert refused.value.__cause__ is not None


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (
            "raise KeyError('mine') if (yield) is None else KeyError('mine')",
            "The plugin 'wrapper' failed in on_download",
        ),
        ("yield; yield", "A plugin failed in on_download_done for the download of s/o/1: RuntimeError: "),
    ],
)
def test_what_a_wrapper_does_wrong_is_its_own(add_plugin: Add, tmp_path: Path, body: str, words: str) -> None:
    """What a wrapper raises after the votes names it; what pluggy alone can see names nobody."""
    add_plugin("wrapper", WRAPPER.format(body=body))
    contract = contract_of(load_plugins(("catalog",)), tmp_path)
    with pytest.raises(PluginFailed) as refused:
        contract.send(download(contract, tmp_path))
    assert words in str(refused.value)


def test_what_the_catalog_refuses_is_not_blamed_on_a_plugin(add_plugin: Add, tmp_path: Path) -> None:
    """An error of the catalog passes as it is, also through a plugin that wraps the same hook."""
    add_plugin("inside", WRAPPER.format(body="return (yield)"))
    contract = contract_of(load_plugins(()), tmp_path / "store")
    event = sample_download_done(tmp_path / "store", staged=tmp_path / "absent")
    with pytest.raises(Exception, match="absent") as refused:
        contract.send(event)
    assert "plugin" not in str(refused.value)


def test_a_vote_that_returns_false_is_named_without_a_catalog_too(
    add_plugin: Add, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """False is no veto, and whoever thinks so is told."""
    add_plugin("naysayer", "@hookimpl\ndef on_download_done(event): return False")
    contract = contract_of(load_plugins(("catalog",)), tmp_path)
    assert contract.send(download(contract, tmp_path)) is None
    assert "plugin 'naysayer' returned False from on_download_done" in caplog.text
