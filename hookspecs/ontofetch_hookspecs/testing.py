"""Help the tests of hosts and plugins: a manager with the contract's hooks, and sample events.

It imports no catalog, so a plugin's tests run where only the contract is installed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pluggy

from . import specs
from .commands import HostInfo
from .events import CatalogCommitted, DownloadDone, ExtractDone, SetLatest, Table, ValidateDone

SAMPLE_TIME = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
SAMPLE_BYTES = b"<urn:example:a> <urn:example:b> <urn:example:c> .\n"
SAMPLE_SHA256 = hashlib.sha256(SAMPLE_BYTES).hexdigest()


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


def sample_download_done(root: Path, **changes: object) -> DownloadDone:
    """Return a DownloadDone of one N-Triples file that lies in place; `changes` replace its fields."""
    values: dict[str, object] = {
        "root": root,
        "run_id": "run-1",
        "config_hash": "config-1",
        "service": "example",
        "ontology": "sample",
        "version": "1.0",
        "artifact": "sample.nt",
        "sha256": SAMPLE_SHA256,
        "size_bytes": len(SAMPLE_BYTES),
        "source_url": "https://example.org/sample.nt",
        "fetched_at": SAMPLE_TIME,
    }
    return DownloadDone(**(values | changes))  # type: ignore[arg-type]


def sample_extract_done(root: Path, files: Table, **changes: object) -> ExtractDone:
    """Return an ExtractDone of the sample artifact with `files` (FILES_COLUMNS); `changes` replace its fields."""
    values: dict[str, object] = {
        "root": root,
        "run_id": "run-1",
        "config_hash": "config-1",
        "version_id": "example/sample/1.0",
        "artifact": "sample.nt",
        "artifact_id": SAMPLE_SHA256,
        "files": files,
        "started_at": SAMPLE_TIME,
        "finished_at": SAMPLE_TIME,
    }
    return ExtractDone(**(values | changes))  # type: ignore[arg-type]


def sample_validate_done(root: Path, results: Table, **changes: object) -> ValidateDone:
    """Return a ValidateDone with `results` (columns RESULTS_COLUMNS); `changes` replace its fields."""
    values: dict[str, object] = {
        "root": root,
        "run_id": "run-1",
        "config_hash": "config-1",
        "version_id": "example/sample/1.0",
        "results": results,
        "started_at": SAMPLE_TIME,
        "finished_at": SAMPLE_TIME,
    }
    return ValidateDone(**(values | changes))  # type: ignore[arg-type]


def sample_set_latest(root: Path, **changes: object) -> SetLatest:
    """Return a SetLatest of the sample release; `changes` replace its fields."""
    values: dict[str, object] = {
        "root": root,
        "run_id": "run-1",
        "config_hash": "config-1",
        "version_id": "example/sample/1.0",
        "updated_by": "curator",
        "decided_at": SAMPLE_TIME,
    }
    return SetLatest(**(values | changes))  # type: ignore[arg-type]


def sample_committed(root: Path, **changes: object) -> CatalogCommitted:
    """Return a CatalogCommitted of the sample download; `changes` replace its fields."""
    values: dict[str, object] = {
        "root": root,
        "run_id": "run-1",
        "config_hash": "config-1",
        "boundary_id": "0" * 32,
        "type": "download.done",
        "version_id": "example/sample/1.0",
        "committed_at": SAMPLE_TIME,
    }
    return CatalogCommitted(**(values | changes))  # type: ignore[arg-type]
