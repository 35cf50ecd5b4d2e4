"""A host in a few lines: a manager with everybody's plugins, events filled in, bytes published where nobody records.

What is downloaded, and from where, is the affair of whoever uses it. Nothing here needs the catalog.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import logging
import os
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pluggy

from . import specs
from .changes import ChangeReleases
from .commands import HostInfo, describe, refuse_without
from .errors import EventError
from .events import DownloadDone, Event, ExtractDone, SetLatest, ValidateDone
from .layout import find_layout, split_version_id
from .loading import AROUND, CATALOG, NO_HOOK, find_outside, has_hooks, leave_out_misspelled, register, wrong_groups
from .names import quote
from .notify import FAILURES, tell_ready
from .publishing import publish_without_catalog
from .receipts import Receipt, find_receipt
from .requirements import is_released_together
from .specs import ENTRY_POINT_GROUP, PROJECT, REQUIRED_GROUP
from .stages import Stage, StagedFile
from .store_paths import make_root
from .votes import Votes, explain_vote, subject_of

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

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
    from importlib.metadata import entry_points

    failed: dict[str, str] = {}
    installed = entry_points()
    for name, fault in wrong_groups(installed):
        _log.warning("plugin %s %s", quote(name), fault)
    points = sorted(
        installed.select(group=ENTRY_POINT_GROUP), key=lambda it: (it.name == CATALOG, it.name, not _is_ours(it))
    )
    loaded = set()
    for point in points:
        name = point.name
        if name in loaded:
            _log.error("plugin %s is left out: its name is taken (%s comes second)", quote(name), quote(point.value))
        if name in off or manager.has_plugin(name):
            continue
        loaded.add(name)
        reason = register(manager, point, partial(_log.warning, "plugin %s: %s", quote(name)))
        if reason:
            failed[name] = reason
        elif not has_hooks(manager, name):
            _log.warning("plugin %s: %s", quote(name), NO_HOOK)
    failed.update(leave_out_misspelled(manager))
    for name, reason in failed.items():
        _log.error("plugin %s is left out: %s", quote(name), reason)
    return failed


def _is_ours(point: EntryPoint) -> bool:
    """Say whether a plugin comes with its contract: then it is the one that keeps its name."""
    return is_released_together(point.dist)


def open_host(
    root: Path,
    *plugins: object,
    name: str = "host",
    settings: Mapping[str, object] | None = None,
    installed: bool = True,
    off: Collection[str] = (),
    required: Collection[str] = (),
) -> Host:
    """Return a host on a store, with its plugins loaded and told of it.

    Args:
        root: The store; it need not exist yet.
        *plugins: Plugins of the host's own.
        name: Name of the host program, for sentences and help.
        settings: Settings that plugins may read; the catalog knows those of docs/settings.md.
        installed: Whether to load the plugins of installed distributions.
        off: Names of installed plugins to leave out.
        required: Names of plugins without which nothing may be recorded, beside those that say it of themselves.

    Raises:
        StageError: The store's folder can't be made.
    """
    from importlib.metadata import entry_points

    root = Path(os.path.abspath(root))
    make_root(root)
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(specs)
    for plugin in plugins:
        manager.register(plugin, name=getattr(plugin, "PLUGIN_NAME", None))
    failed = load_plugins(manager, off) if installed else {}
    declared = {point.name for point in entry_points(group=REQUIRED_GROUP)} if installed else set()
    known = dict(settings or {})
    missing: dict[str, str] = {}
    info = HostInfo(
        name=name,
        manager=manager,
        root=root,
        run_id=os.urandom(16).hex(),
        config_hash=hashlib.sha256(json.dumps(known, sort_keys=True, default=str).encode()).hexdigest(),
        settings=known,
        missing_plugins=missing,
    )
    for plugin_name, error in tell_ready(manager, info).items():
        failed[plugin_name] = f"on_host_ready: {describe(error)}"
        _log.error("plugin %s is left out: %s", quote(plugin_name), failed[plugin_name])
    for plugin_name, hook in find_outside(manager).items():
        _log.warning("plugin %s wraps %s %s", quote(plugin_name), hook, AROUND)
    absent = {plugin_name: "it is not loaded" for plugin_name in required if not manager.has_plugin(plugin_name)}
    failed_ones = {plugin_name: failed[plugin_name] for plugin_name in {*declared, *required} & failed.keys()}
    missing.update({**absent, **failed_ones})
    return Host(info)


class Host:
    """A host on one store; may be called from several threads at once.

    Attributes:
        info: What its plugins were told of it.
        manager: Its plugin manager.

    Args:
        info: What its plugins were told of it.
        way_out: What a user may do where a vote fails and says nothing of that; `{}` stands for the plugin's name.
    """

    def __init__(self, info: HostInfo, *, way_out: str = "") -> None:
        self.info = info
        self._way_out = way_out
        self.manager = info.manager
        self._votes = Votes(info.manager, CATALOG)

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
        event = self.make(DownloadDone, **{"fetched_at": now(), "staged": staged, **fields})
        receipt = self._call("on_download_done", event)
        if receipt is None and event.staged is not None:
            layout = find_layout(event.layout)
            folder = layout.version_folder(event.service, event.ontology, event.version)
            target = event.root / folder / layout.source / event.artifact
            publish_without_catalog(event.root, event.staged, target, replace_existing=event.replace)
        return receipt

    def extract_done(self, *, layout: str = "native", **fields: Any) -> Receipt | None:
        """Record the files of an artifact, likewise; `layout` is that of the release, where there is no catalog."""
        event = self.make(ExtractDone, **{"started_at": now(), "finished_at": now(), **fields})
        receipt = self._call("on_extract_done", event)
        if receipt is None and event.staged is not None:
            found = find_layout(layout)
            folder = found.version_folder(*split_version_id(event.version_id))
            publish_without_catalog(event.root, event.staged, event.root / folder / found.data)
        return receipt

    def validate_done(self, **fields: Any) -> Receipt | None:
        """Record results of validators, likewise."""
        return self._call(
            "on_validate_done", self.make(ValidateDone, **{"started_at": now(), "finished_at": now(), **fields})
        )

    def set_latest(self, **fields: Any) -> Receipt | None:
        """Record a release as the latest of its series, likewise."""
        return self._call(
            "on_set_latest", self.make(SetLatest, **{"decided_at": now(), "updated_by": self.info.name, **fields})
        )

    def change_releases(self, **fields: Any) -> Receipt | None:
        """Change what is recorded already: remove, rename, take back; return the catalog's receipt.

        Args:
            **fields: Of ChangeReleases, but for root, run_id, config_hash and decided_at; where `name` is a release,
                `versions` may be left out.

        Raises:
            OntofetchError: A vote or the catalog refuses; nothing has changed.
        """
        name = fields.get("name")
        if isinstance(name, str) and name.count("/") == 2:
            fields = {"versions": (name,), **fields}
        return self._call(
            "on_change_releases",
            self.make(ChangeReleases, **{"decided_at": now(), "updated_by": self.info.name, **fields}),
        )

    def make(self, kind: type[Sent], /, **fields: Any) -> Sent:
        """Return an event of this host's run with `fields`; EventError where one is unknown or missing."""
        info = self.info
        given = {"root": info.root, "run_id": info.run_id, "config_hash": info.config_hash, **fields}
        names = {field.name for field in dataclasses.fields(kind)}
        missing = dataclasses.MISSING
        needed = {it.name for it in dataclasses.fields(kind) if it.default is missing and it.default_factory is missing}
        for word, wrong in (("an unknown field", given.keys() - names), ("no field", needed - given.keys())):
            for name in sorted(wrong):
                raise EventError(f"A {kind.__name__} has {word} {quote(name)}.", subject=name)
        return kind(**given)

    def _call(self, hook: str, event: Any) -> Receipt | None:
        # the catalog looks as well, where there is one
        refuse_without(self.info)
        with self._votes.asked(hook, tell=not self.manager.has_plugin(CATALOG)) as ballot:
            try:
                return find_receipt(getattr(self.manager.hook, hook)(event=event))
            except FAILURES as error:
                for raised in ballot.raised:
                    if raised.error is error:
                        hint = self._way_out.format(raised.plugin)
                        raise explain_vote(error, raised.plugin, hook, subject_of(hook, event), hint) from error
                raise


def now() -> datetime:
    """Return the time, with its zone."""
    return datetime.now(UTC)
