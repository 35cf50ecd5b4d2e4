"""The bridge as that downloader loads it: a resolver that resolves nothing, and wraps around what tells of a pull.

It changes nothing of the downloader but these wraps, and an error of ours never fails its pull, unless a setting says
so.
What is recorded, and how, is not known here; the catalog is imported at the first release.
"""

from __future__ import annotations

import functools
import importlib
import logging
import os
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NoReturn

PACKAGE = "DocsToKG.OntologyDownload"
MOST_SERVICES = 10_000  # releases whose download began and did not come to an end
# class or none, name → what is lost where it is missing
_STREAM = ("planning", "", "download_stream")
_METHODS = (
    ("settings", "LocalStorageBackend", "finalize_version"),
    ("settings", "FsspecStorageBackend", "finalize_version"),
    ("settings", "LocalStorageBackend", "set_latest_version"),
)
_LOST = {
    "download_stream": "a release's service is the name of its resolver",
    "finalize_version": "nothing is recorded",
    "set_latest_version": "what its prune makes latest is not recorded",
}
_MARK = "__ontofetch_bridge__"
_log = logging.getLogger("ontofetch.bridge")


class Bridge:
    """The wraps around one downloader, in one process; its methods may be called from several threads at once."""

    NAME = "ontofetch-catalog"

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._told = False
        self._services: dict[str, str] = {}
        self._recording: Any = None
        if not any(path.startswith("settings.") for path in self.install()):
            self._install_late()

    def plan(self, *args: object, **kwargs: object) -> NoReturn:
        """Refuse: it is there to be loaded, not to find anything."""
        del args, kwargs
        raise LookupError(f"{self.NAME} is no resolver; it records what the others have found.")

    # --- wraps --------------------------------------------------------------------------------------------------------

    def install(self) -> list[str]:
        """Wrap what is there by now and not wrapped yet; return what is wrapped, sorted."""
        with self._lock:
            found = []
            for module, owner, name in (_STREAM, *_METHODS):
                target = sys.modules.get(f"{PACKAGE}.{module}")
                target = getattr(target, owner, None) if owner else target
                # a class that inherits a method does not have it; its parent's is wrapped
                original = vars(target).get(name) if target is not None else None
                if not callable(original):
                    continue
                if not hasattr(original, _MARK):
                    tell = {"download_stream": self._note_service, "finalize_version": self._record}
                    setattr(target, name, self._around(original, tell.get(name, self._set_latest)))
                found.append(".".join(part for part in (module, owner, name) if part))
            return sorted(found)

    def _install_late(self) -> None:
        """Wrap what is in a module that the downloader loads next."""
        with suppress(ImportError):  # it is another downloader, or a part of one
            importlib.import_module(f"{PACKAGE}.settings")
        if not self.install():
            _log.warning("nothing of %s was found that tells of a pull, so nothing is recorded", PACKAGE)

    def _tell(self) -> None:
        """Say once which names were found and which are missing; called when all of the downloader is loaded."""
        found = self.install()
        with self._lock:
            told, self._told = self._told, True
        if told:
            return
        _log.info("pulls are recorded; wrapped: %s", ", ".join(found))
        names = {path.rpartition(".")[2] for path in found}
        for name, lost in _LOST.items():
            if name not in names:
                _log.warning("%s of the downloader was not found, so %s", name, lost)

    def _around(self, original: Callable[..., Any], tell: Callable[..., None]) -> Callable[..., Any]:
        """Return a function of the downloader that tells of each call, once it has done its work."""

        @functools.wraps(original)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            result = original(*args, **kwargs)
            self._guarded(tell, args, kwargs)
            return result

        setattr(wrapped, _MARK, True)
        return wrapped

    def _guarded(self, act: Callable[..., None], *given: Any) -> None:
        """Do what is ours; what fails is said, and fails the pull only if a setting wants it."""
        try:
            act(*given)
        except (Exception, SystemExit) as error:  # whatever it is, it is not the downloader's
            _log.error("what was pulled is not recorded: %s", _sentence(error))
            if self._raises():
                raise

    def _raises(self) -> bool:
        # of settings that can't be read nobody knows what they want
        return self._recording is not None and bool(self._recording.raises)

    # --- what is told -------------------------------------------------------------------------------------------------

    def _note_service(self, _: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self._tell()
        destination, service = kwargs.get("destination"), kwargs.get("service")
        if destination is None or not isinstance(service, str):
            return
        with self._lock:
            while len(self._services) >= MOST_SERVICES:
                self._services.pop(next(iter(self._services)))
            # original/<file>, in the folder of the release
            self._services[os.path.dirname(os.path.dirname(os.path.abspath(destination)))] = service

    def _record(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self._tell()
        folder = os.path.abspath(kwargs["local_dir"] if "local_dir" in kwargs else args[3])
        with self._lock:
            service = self._services.pop(folder, "")
        self._recorder().record(folder, service)

    def _set_latest(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        storage = args[0]
        ontology = kwargs["ontology_id"] if "ontology_id" in kwargs else args[1]
        version = kwargs["version"] if "version" in kwargs else args[-1]
        self._recorder().set_latest(os.path.abspath(storage.version_path(ontology, version)))

    def _recorder(self) -> Any:
        with self._lock:
            if self._recording is None:
                from .recording import Recording

                self._recording = Recording()
            return self._recording


def _sentence(error: BaseException) -> str:
    from ontofetch_hookspecs.commands import describe

    message = getattr(error, "message", None)
    return str(message) if message else describe(error)
