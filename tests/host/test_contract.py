"""The contract as a pull speaks it: events of this run, answers of whoever answers, None where nobody does."""

from __future__ import annotations

from pathlib import Path

import pytest

from ontofetch_catalog.host.contract import Contract, now
from ontofetch_catalog.host.manager import Plugins, load_plugins
from ontofetch_hookspecs import DownloadDone, EventError, HostInfo
from tests.releases import sha256


@pytest.fixture
def loaded(request: pytest.FixtureRequest) -> Plugins:
    """Return the installed plugins but those named."""
    return load_plugins(getattr(request, "param", ()))


def contract_of(plugins: Plugins, root: Path) -> Contract:
    """Return the contract of a host that has told its plugins who it is."""
    settings = {"durability": "off"}
    host = HostInfo(name="t", manager=plugins.manager, root=root, run_id="run", config_hash="conf", settings=settings)
    plugins.ready(host)
    return Contract(host, plugins)


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
    receipt = contract.download_done(download(contract, tmp_path))
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
    assert contract.download_done(download(contract, tmp_path)) is None
    assert contract.find_download("http://e.org/a.nt") is None
    assert contract.find_version("s/o/1") is None
    assert contract.find_results([], "v", "1") is None
