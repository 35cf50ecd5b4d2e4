"""A host in a few lines: a manager with everybody's plugins, events filled in, bytes published where nobody records.

What is downloaded, and from where, is the affair of whoever uses it. Nothing here needs the catalog.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import logging
import os
import uuid
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, TypeVar

import pluggy

from . import specs
from .commands import HostInfo, describe, refuse_without
from .errors import EventError
from .events import DownloadDone, Event, ExtractDone, Receipt, SetLatest, ValidateDone, find_receipt
from .layout import find_layout, split_version_id
from .loading import CATALOG, leave_out_misspelled, register
from .names import quote
from .notify import tell_ready
from .publishing import publish_without_catalog
from .specs import ENTRY_POINT_GROUP, PROJECT, REQUIRED_GROUP
from .stages import Stage, StagedFile
from .store_paths import make_root

Sent = TypeVar("Sent", bound=Event)
_log = logging.getLogger("ontofetch.hosting")


def load_plugins(manager: pluggy.PluginManager, off: Collection[str] = ()) -> dict[str, str]:
    """Register the plugins of all installed distributions; one that is broken is logged and left out.

    Args:
        manager: With the contract's hooks; whoever is registered keeps its name.
        off: Names of plugins to leave out.

    Returns:
        Name → reason of those that could not be loaded.
    """
    failed: dict[str, str] = {}
    points = sorted(entry_points(group=ENTRY_POINT_GROUP), key=lambda point: (point.name == CATALOG, point.name))
    for point in points:
        if point.name in off or manager.has_plugin(point.name):
            continue
        reason = register(manager, point, partial(_log.warning, "plugin %s: %s", quote(point.name)))
        if reason:
            failed[point.name] = reason
    failed.update(leave_out_misspelled(manager))
    for name, reason in failed.items():
        _log.error("plugin %s is left out: %s", quote(name), reason)
    return failed


def open_host(
    root: Path,
    *plugins: object,
    name: str = "host",
    settings: Mapping[str, object] | None = None,
    installed: bool = True,
    off: Collection[str] = (),
) -> Host:
    """Return a host on a store, with its plugins loaded and told of it.

    Args:
        root: The store; it need not exist yet.
        *plugins: Plugins of the host's own.
        name: Name of the host program, for sentences and help.
        settings: Settings that plugins may read; the catalog knows those of docs/settings.md.
        installed: Whether to load the plugins of installed distributions.
        off: Names of installed plugins to leave out.

    Raises:
        StageError: The store's folder can't be made.
    """
    root = Path(os.path.abspath(root))
    make_root(root)
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(specs)
    for plugin in plugins:
        manager.register(plugin, name=getattr(plugin, "PLUGIN_NAME", None))
    failed = load_plugins(manager, off) if installed else {}
    required = {point.name for point in entry_points(group=REQUIRED_GROUP)} if installed else set()
    known = dict(settings or {})
    missing: dict[str, str] = {}
    info = HostInfo(
        name=name,
        manager=manager,
        root=root,
        run_id=uuid.uuid4().hex,
        config_hash=hashlib.sha256(json.dumps(known, sort_keys=True, default=str).encode()).hexdigest(),
        settings=known,
        missing_plugins=missing,
    )
    for plugin_name, error in tell_ready(manager, info).items():
        failed[plugin_name] = f"on_host_ready: {describe(error)}"
        _log.error("plugin %s is left out: %s", quote(plugin_name), failed[plugin_name])
    missing.update({plugin_name: reason for plugin_name, reason in failed.items() if plugin_name in required})
    return Host(info)


class Host:
    """A host on one store; may be called from several threads at once.

    Attributes:
        info: What its plugins were told of it.
        manager: Its plugin manager.
    """

    def __init__(self, info: HostInfo) -> None:
        self.info = info
        self.manager = info.manager

    def stage(self, url: str | None = None) -> Stage:
        """Return a new stage to write bytes into; call its `discard` when they are recorded."""
        return Stage.create(self.info.root, url=url)

    def download_done(self, *, staged: StagedFile | Path | None = None, **fields: Any) -> Receipt | None:
        """Record an artifact, or publish it where there is no catalog; return the catalog's receipt.

        Args:
            staged: The file as it was written into a stage, or its path; None if it lies in its place.
            **fields: Of DownloadDone, but for root, run_id, config_hash and fetched_at; for a file written into a stage
                also without sha256 and size_bytes.

        Raises:
            OntofetchError: A vote or the catalog refuses; nothing is recorded.
        """
        if isinstance(staged, StagedFile):
            fields = {"sha256": staged.sha256, "size_bytes": staged.size, **fields}
            staged = staged.path
        event = self._make(DownloadDone, {"fetched_at": now(), "staged": staged, **fields})
        receipt = self._call("on_download_done", event)
        if receipt is None and event.staged is not None:
            layout = find_layout(event.layout)
            folder = layout.version_folder(event.service, event.ontology, event.version)
            target = event.root / folder / layout.source / event.artifact
            publish_without_catalog(event.root, event.staged, target, replace_existing=event.replace)
        return receipt

    def extract_done(self, *, layout: str = "native", **fields: Any) -> Receipt | None:
        """Record the files of an artifact, likewise; `layout` is that of the release, where there is no catalog."""
        event = self._make(ExtractDone, {"started_at": now(), "finished_at": now(), **fields})
        receipt = self._call("on_extract_done", event)
        if receipt is None and event.staged is not None:
            found = find_layout(layout)
            folder = found.version_folder(*split_version_id(event.version_id))
            publish_without_catalog(event.root, event.staged, event.root / folder / found.data)
        return receipt

    def validate_done(self, **fields: Any) -> Receipt | None:
        """Record results of validators, likewise."""
        return self._call(
            "on_validate_done", self._make(ValidateDone, {"started_at": now(), "finished_at": now(), **fields})
        )

    def set_latest(self, **fields: Any) -> Receipt | None:
        """Record a release as the latest of its series, likewise."""
        return self._call(
            "on_set_latest", self._make(SetLatest, {"decided_at": now(), "updated_by": self.info.name, **fields})
        )

    def _make(self, kind: type[Sent], fields: Mapping[str, Any]) -> Sent:
        info = self.info
        given = {"root": info.root, "run_id": info.run_id, "config_hash": info.config_hash, **fields}
        names = {field.name for field in dataclasses.fields(kind)}
        needed = {field.name for field in dataclasses.fields(kind) if _has_no_default(field)}
        for word, wrong in (("an unknown field", given.keys() - names), ("no field", needed - given.keys())):
            for name in sorted(wrong):
                raise EventError(f"A {kind.__name__} has {word} {quote(name)}.", subject=name)
        return kind(**given)

    def _call(self, hook: str, event: object) -> Receipt | None:
        # the catalog looks as well, where there is one
        refuse_without(self.info)
        return find_receipt(getattr(self.manager.hook, hook)(event=event))


def _has_no_default(field: dataclasses.Field[Any]) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def now() -> datetime:
    """Return the time, with its zone."""
    return datetime.now(UTC)
