"""What is known of one pull while it goes on: the request, the release, what was found out; and what all pulls share.

It asks the catalog and changes nothing.
"""

from __future__ import annotations

from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from typing import Self

from ontofetch_hookspecs import DownloadRecord, HostInfo, Validator, VersionRecord, refuse_without
from ontofetch_hookspecs.layout import Layout, find_layout

from ...children.limits import Allowance
from ...content.packed.bounds import Limits
from ..checks import builtin_validators
from ..contract import Contract
from ..copies import Copy, name_of_copy
from ..manager import Plugins
from ..opening import refuse_broken_catalog
from ..pools import open_pool
from ..request import Request, Summary


class Tools:
    """What the pulls of one run share; a context, at the end of which its processes end.

    The events that its thread sends share what the catalog needs to record them, where nobody else hears of them.

    Raises:
        OntofetchError: A plugin without which nothing may be recorded does not work.

    Attributes:
        allowance: What a process that looks at strangers' files may take of the machine.
        limits: What may come out of an archive.
    """

    def __init__(self, host: HostInfo, plugins: Plugins) -> None:
        refuse_broken_catalog(plugins)
        refuse_without(host)
        self.host = host
        self.plugins = plugins
        self.contract = Contract(host)
        self.workers = open_pool(host.settings)
        self.allowance = Allowance.from_settings(host.settings)
        self.limits = Limits.from_settings(host.settings)
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        self._stack.callback(self.workers.__exit__)
        self._stack.enter_context(self.contract.recording())
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @cached_property
    def validators(self) -> list[Validator]:
        """Return all validators, ours first."""
        return self.plugins.contributions("register_validators", Validator, builtin_validators())


class State:
    """What is known of one pull.

    Attributes:
        name: How the artifact is called, as far as that is known.
        version, version_id, layout, folder: The release, once it is known.
        record: What is recorded of it, None if nothing is.
        known: The last record of the artifact's URL.
        was_recorded: Whether the release was recorded, and nothing of it lacked, before this pull.
        is_recorded: Whether somebody hands out receipts.
        length_known: Whether all of the artifact has come for certain.
        content_type: What the server said of it.
        summary: What is told of the pull at its end.
    """

    version: str
    version_id: str
    layout: Layout
    folder: Path

    def __init__(self, tools: Tools, request: Request) -> None:
        self.tools = tools
        self.host = tools.host
        self.contract = tools.contract
        self.request = request
        self.name = request.source.label
        self.length_known = True
        self.content_type: str | None = None
        self.record: VersionRecord | None = None
        self.known: DownloadRecord | None = None
        self.summary = Summary(version_id="", artifact=self.name)
        self.was_recorded = False
        self.is_recorded = True
        if request.version is not None:
            self.find_release(request.version)

    def find_release(self, version: str) -> None:
        """Find what is recorded of the release, and where it lies; all else about it follows from its version."""
        request, host = self.request, self.host
        self.version = version
        self.version_id = request.version_id(version)
        self.summary = Summary(version_id=self.version_id, artifact=self.name)
        self.record, self.known = self.contract.find_release(self.version_id, request.recorded_url)
        self.was_recorded = self.record is not None and all(one.strip is not None for one in self.record.artifacts)
        self.layout = find_layout(self.record.layout if self.record else str(host.settings["layout"]))
        folder = self.layout.version_folder(request.service, request.ontology, version)
        self.folder = host.root / (self.record.fs_relpath if self.record else folder)

    def find_again(self) -> None:
        """Find what is recorded of the release by now."""
        self.record = self.contract.find_version(self.version_id)

    def note_copy(self, copy: Copy) -> None:
        """Note what only the fetch could tell: how the artifact is called, and whether all of it has come."""
        self.name = name_of_copy(copy, self.request.source, self.record)
        self.summary.artifact = self.name
        self.length_known = copy.length_known
        self.content_type = copy.content_type

    def is_incomplete(self, sha256: str | None = None) -> bool:
        """Return whether the artifact is recorded and nothing of it was published: then other bytes take its place.

        Args:
            sha256: Of the bytes that it has; None: of any.
        """
        artifacts = self.record.artifacts if self.record else ()
        found = next((one for one in artifacts if one.relpath == self.name and one.strip is None), None)
        return found is not None and sha256 in (None, found.artifact_id)

    @property
    def place(self) -> Path:
        """Return where the artifact lies once it is published."""
        return self.folder / self.layout.source / self.name

    @property
    def data(self) -> Path:
        """Return the folder of the files of the release."""
        return self.folder / self.layout.data
