"""The recording of what DocsToKG's downloader has pulled: a host on the user's store, a release as its manifest says.

The store, its plugins and how they are set are those of `ontofetch`; of the downloader only a folder is known here.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path

from ontofetch_hookspecs.names import SEGMENT
from ontofetch_hookspecs.store_paths import StorePath

from ..host.contract import Contract
from ..host.opening import open_installed
from ..importing.docstokg import read_release
from ..importing.found import LEFT, FoundArtifact, ImportRefused
from ..importing.record import Recorder, Way
from ..settings import read_settings

TOLD_BY = "docstokg"
_log = logging.getLogger("ontofetch.bridge")


class Recording:
    """Records releases of one store; may be called from several threads at once.

    Attributes:
        raises: Whether an error of ours is to fail the pull.
    """

    def __init__(self) -> None:
        settings = read_settings({})
        self.raises = settings.values["bridge_errors"] == "raise"
        self._latest = settings.values["bridge_latest"] == "on"
        self._root = settings.root
        info, _ = open_installed(settings)
        self._contract = Contract(info)
        layout = str(settings.values["layout"])
        # what the downloader has taken anew under a name is what it has; the former bytes go to the quarantine
        self._copying = Recorder(info, Way(replace=True, layout=layout))
        self._in_place = Recorder(info, Way(in_place=True, replace=True))

    def record(self, folder: str, service: str) -> None:
        """Record the release in a folder `<id>/<version>` of the downloader's tree.

        Raises:
            OntofetchError: It can't be recorded, or not all of it.
        """
        found, recorder = self._read(folder, service)
        outcome = recorder.take(found)
        if outcome.state == LEFT:
            raise ImportRefused(" ".join(outcome.messages), subject=found.version_id)
        for message in outcome.messages:
            _log.warning("%s", message)
        if self._latest and found.accepted:
            recorder.set_latest(found.version_id, TOLD_BY, only_forward=True)
        _log.info("%s is %s: %d files, %d bytes", found.version_id, outcome.state, outcome.files, outcome.bytes)

    def set_latest(self, folder: str) -> None:
        """Record that the downloader has made the release in a folder its latest.

        Raises:
            OntofetchError: It is refused.
        """
        found, recorder = self._read(folder, "")
        # the manifest names the resolver, the record has the service; the URL is the same, maybe of another version
        known = self._contract.find_download(found.source_url)
        service, ontology = known.version_id.split("/")[:2] if known is not None else ("", "")
        services = [service, found.service] if ontology == found.ontology else [found.service]
        ids = [f"{service}/{found.ontology}/{found.version}" for service in services]
        if not any(recorder.set_latest(version_id, TOLD_BY) for version_id in ids):
            _log.warning("%s/%s is not latest: it is not recorded, or files of it fail", found.ontology, found.version)

    def _read(self, folder: str, service: str) -> tuple[FoundArtifact, Recorder]:
        path = Path(folder)
        tree = path.parent.parent
        in_place = os.path.realpath(tree.parent) == os.path.realpath(self._root)
        if in_place:
            tree, service = self._root / tree.name, tree.name
        found = read_release(
            StorePath(tree, f"{path.parent.name}/{path.name}"), service if SEGMENT.fullmatch(service) else ""
        )
        return found, self._in_place if in_place else self._copying
