"""Help the tests of hosts and plugins: a manager with the contract's hooks, sample events, fixtures of pytest.

It imports no catalog, so a plugin's tests run where only the contract is installed. Where pytest is, the distribution
registers it as a plugin (entry point `pytest11`), and the fixtures at its end are there without an import.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import Any

import pluggy

from . import specs
from .changes import ChangeReleases
from .commands import HostInfo
from .conformance import check_plugin
from .events import CatalogCommitted, CatalogRolledBack, DownloadDone, ExtractDone, SetLatest, ValidateDone
from .hosting import Host, open_host
from .light_dataclasses import dataclass
from .receipts import Receipt
from .samples import (
    SAMPLE_BYTES,
    SAMPLE_SHA256,
    SAMPLE_TIME,
    sample_change_releases,
    sample_committed,
    sample_download_done,
    sample_events,
    sample_extract_done,
    sample_rolled_back,
    sample_set_latest,
    sample_tables,
    sample_validate_done,
)
from .specs import hookimpl

__all__ = [
    "SAMPLE_BYTES",
    "SAMPLE_SHA256",
    "SAMPLE_TIME",
    "Bench",
    "Recorder",
    "check_plugin",
    "make_bench",
    "make_manager",
    "sample_change_releases",
    "sample_committed",
    "sample_download_done",
    "sample_events",
    "sample_extract_done",
    "sample_rolled_back",
    "sample_set_latest",
    "sample_tables",
    "sample_validate_done",
]


def make_manager(
    *plugins: object, root: Path | None = None, settings: Mapping[str, object] | None = None
) -> pluggy.PluginManager:
    """Return a manager with the contract's hooks and `plugins`, the last one outermost.

    With `root` it also calls `on_host_ready`, as a host does when everything is loaded.
    """
    manager = pluggy.PluginManager(specs.PROJECT)
    manager.add_hookspecs(specs)
    for plugin in plugins:
        manager.register(plugin, name=getattr(plugin, "PLUGIN_NAME", None))
    manager.check_pending()
    if root is not None:
        host = HostInfo(
            name="testing",
            manager=manager,
            root=root,
            run_id="run-1",
            config_hash="config-1",
            settings=dict(settings or {}),
        )
        manager.hook.on_host_ready.call_historic(kwargs={"host": host})
    return manager


class Recorder:
    """A plugin that votes for everything and remembers what it was called with, in order.

    Attributes:
        calls: (hook, event) of each call.
    """

    PLUGIN_NAME = "recorder"

    def __init__(self) -> None:
        self.calls: list[tuple[str, object]] = []

    def called(self, hook: str) -> list[Any]:
        """Return the events with which a hook was called."""
        return [event for name, event in self.calls if name == hook]

    @hookimpl
    def on_download_done(self, event: DownloadDone) -> None:
        """Remember."""
        self.calls.append(("on_download_done", event))

    @hookimpl
    def on_extract_done(self, event: ExtractDone) -> None:
        """Remember."""
        self.calls.append(("on_extract_done", event))

    @hookimpl
    def on_validate_done(self, event: ValidateDone) -> None:
        """Remember."""
        self.calls.append(("on_validate_done", event))

    @hookimpl
    def on_set_latest(self, event: SetLatest) -> None:
        """Remember."""
        self.calls.append(("on_set_latest", event))

    @hookimpl
    def on_change_releases(self, event: ChangeReleases) -> None:
        """Remember."""
        self.calls.append(("on_change_releases", event))

    @hookimpl
    def on_catalog_committed(self, event: CatalogCommitted) -> None:
        """Remember."""
        self.calls.append(("on_catalog_committed", event))

    @hookimpl
    def on_boundary_failed(self, event: CatalogRolledBack) -> None:
        """Remember."""
        self.calls.append(("on_boundary_failed", event))


@dataclass(slots=True)
class Bench:
    """A host on a store of its own, with the plugins under test.

    Attributes:
        host: The host.
        recorder: Remembers what was called.
        receipts: Hook → the catalog's receipt, of the last pull.
    """

    host: Host
    recorder: Recorder
    receipts: dict[str, Receipt | None] = field(default_factory=dict)

    @property
    def root(self) -> Path:
        """Return the store."""
        return self.host.info.root

    def pull(self, version: str = "1.0", texts: Mapping[str, str] | None = None) -> dict[str, Receipt | None]:
        """Carry a small release through all four steps, and return the receipts. Needs pyarrow.

        Args:
            version: Which release of `example/sample`.
            texts: Name → content of its files; None: one file of N-Triples.

        Raises:
            OntofetchError: A vote or the catalog refuses a step; those before it are done.
        """
        import pyarrow as pa

        named = {"sample.nt": SAMPLE_BYTES.decode()} if texts is None else dict(texts)
        version_id = f"example/sample/{version}"
        stage = self.host.stage()
        with stage.write_file("src/sample.tar") as staged:
            staged.write("".join(named.values()).encode())
        release = {"service": "example", "ontology": "sample", "version": version, "artifact": "sample.tar"}
        receipts = self.receipts = {}
        receipts["on_download_done"] = self.host.download_done(
            staged=staged, source_url="https://example.org/sample.tar", **release
        )
        stage.discard()
        stage = self.host.stage()
        tables = []
        for name, text in named.items():
            with stage.write_file(f"data/{name}", mtime=SAMPLE_TIME.timestamp()) as file:
                file.write(text.encode())
            tables.append(sample_tables(relpath=name, file_id=file.sha256, size_bytes=file.size))
        receipts["on_extract_done"] = self.host.extract_done(
            version_id=version_id, artifact="sample.tar", artifact_id=staged.sha256, staged=stage.folder("data"),
            files=pa.concat_tables([table.files for table in tables]),
        )  # fmt: skip
        stage.discard()
        receipts["on_validate_done"] = self.host.validate_done(
            version_id=version_id, results=pa.concat_tables([table.results for table in tables])
        )
        receipts["on_set_latest"] = self.host.set_latest(version_id=version_id)
        return receipts


def make_bench(root: Path, *plugins: object, catalog: bool = True) -> Bench:
    """Return a host with plugins and a recorder and, with `catalog`, the catalog if it is installed."""
    loaded = [*plugins]
    if catalog:
        from importlib.metadata import entry_points

        loaded += [point.load() for point in entry_points(group=specs.ENTRY_POINT_GROUP, name="catalog")]
    recorder = next((plugin for plugin in plugins if isinstance(plugin, Recorder)), None)
    if recorder is None:
        recorder = Recorder()
        loaded.insert(0, recorder)
    host = open_host(root, *loaded, name="bench", settings={"durability": "off"}, installed=False)
    return Bench(host, recorder)


try:
    import pytest
except ImportError:
    # the samples above need no pytest
    pass
else:

    @pytest.fixture
    def ontofetch_bench(tmp_path: Path) -> Any:
        """Return a function: plugins → a Bench with them, the catalog loaded, on a store below tmp_path."""
        return lambda *plugins: make_bench(tmp_path / "store", *plugins)

    @pytest.fixture
    def ontofetch_recorder() -> Recorder:
        """Return a plugin that remembers what it was called with."""
        return Recorder()

    @pytest.fixture
    def ontofetch_events(tmp_path: Path) -> dict[str, object]:
        """Return hook → a valid event for each hook that takes one; `dataclasses.replace` varies it."""
        return sample_events(tmp_path / "store")
