"""The files of a shared catalog that a machine's copy takes in: fetched first, and then published by renames.

What rows come with them is not known here.
"""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from ontofetch_hookspecs.light_dataclasses import dataclass
from ontofetch_hookspecs.names import quote
from ontofetch_hookspecs.open_folders import OpenFolders
from ontofetch_hookspecs.store_paths import StorePath

from ...errors import CatalogUnreadable
from .. import fsops, journal, moving
from ..connection import Store
from ..fsops import whole
from .fetching import fetch
from .log import Log
from .packs import Place
from .places import Fold, Put
from .telling import teller

if TYPE_CHECKING:
    from .object_store import Buffer, ObjectStore

_FEW = 8  # files that are synced one by one: the whole file system may have much else to write
BROUGHT_BACK = "back-"  # how intents begin that are no boundary and no catching up


@dataclass(frozen=True, slots=True)
class FilesComing:
    """What comes to a store from the objects of a shared catalog.

    Args:
        log: The log that it is a copy of.
    """

    store: Store
    log: Log
    objects: ObjectStore

    def plan(self, draft: journal.IntentDraft, fold: Fold) -> None:
        """Collect the renames of what is here, and those of what comes, which is fetched before."""
        for number, (source, target) in enumerate(fold.moves):
            origin = fold.origin(number)
            if origin is None or not self.store.path(origin).exists():
                # this machine never had it: it came and went while nobody looked
                continue
            if target is not None:
                # a copy that is made anew has moved it already, and has what came later in its place
                draft.displace(target, keep=False)
            draft.move_from(origin, source, target or draft.aside())
        for path in sorted(fold.passed.keys() - fold.puts.keys()):
            draft.displace(path, keep=not self._is_here(fold.passed[path]))
        places = self._places(fold.puts.values())
        coming = [
            put
            for put in fold.puts.values()
            # what lies there may be about to leave
            if put.sha256 in places and (draft.is_gone(put.path) or not self._is_here(put))
        ]
        for source, target in self.fetch(draft, coming, places):
            draft.publish(source, target)

    def _is_here(self, put: Put) -> bool:
        """Say whether a file is there as it should be: a copy that is made anew has most of them."""
        place = self.store.path(put.path)
        try:
            state = place.lstat()
            if not stat.S_ISREG(state.st_mode) or (state.st_size, state.st_mtime_ns) != (put.size, put.mtime_ns):
                return False
            return fsops.hash_file(place)[0] == put.sha256
        except OSError:
            return False

    def _places(self, puts: Iterable[Put]) -> dict[str, Place]:
        wanted = sorted({put.sha256 for put in puts})
        found = self.log.places(wanted)
        if len(found) < len(wanted):
            # what was freed since has gone with a later boundary, which follows
            now = {put.path: put.sha256 for put in self.log.all_paths()}
            lost = [put for put in puts if put.sha256 not in found and now.get(put.path) == put.sha256]
            if lost:
                raise CatalogUnreadable(
                    f"The shared catalog at {self.log.where} does not know where {quote(lost[0].path)} is.",
                    subject=lost[0].path,
                    hint="Bring the database back from its backup.",
                )
        return found

    def fetch(
        self,
        draft: journal.IntentDraft,
        puts: Sequence[Put],
        places: Mapping[str, Place],
        given: Iterable[tuple[Place, Iterator[Buffer]]] = (),
    ) -> Iterator[tuple[str, str]]:
        """Write files into the boundary's own folder, durably; yield what is to be renamed, and to which path.

        Args:
            places: sha256 → where it is among the objects.
            given: The contents that are not there, and their bytes.
        """
        if not puts:
            return
        coming = self.store.path(draft.folder) / "come"
        whole.make_folders(coming)
        tops: dict[str, str] = {}
        staged: dict[str, list[tuple[Put, str]]] = {}
        for number, put in enumerate(puts):
            top = _missing_top(draft, put.path)
            name = tops.setdefault(top or put.path, str(number))
            inside = f"{name}{put.path[len(top) :]}" if top else name
            staged.setdefault(put.sha256, []).append((put, inside))
        folders = OpenFolders(coming)

        alone = threading.Lock()  # the folders that are open are everybody's

        def write(place: Place, data: Iterator[Buffer]) -> None:
            (first, inside), *others = staged[place.sha256]
            with alone:
                _write(folders, first, inside, data)
                for put, other in others:
                    _write(folders, put, other, _read(coming / inside))
            tell(place.size)

        wanted = [places[sha256] for sha256 in staged if sha256 in places]
        tell = teller(self.store, sum(place.size for place in wanted))
        try:
            fetch(self.objects, wanted, write)
            for place, data in given:
                write(place, data)
        finally:
            folders.close()
        if len(puts) <= _FEW or not fsops.sync_filesystem(coming):
            _sync_tree(coming)
        for target, name in tops.items():
            yield f"{draft.folder}/come/{name}", target

    def lost_files(self) -> list[Put]:
        """Return the files that the log knows and that are not on this machine, or have another size."""
        found = []
        for put in self.log.all_paths():
            try:
                state = self.store.path(put.path).lstat()
            except (FileNotFoundError, NotADirectoryError):
                found.append(put)
                continue
            if not stat.S_ISREG(state.st_mode) or state.st_size != put.size:
                found.append(put)
        return found

    def bring_back(self, puts: Sequence[Put]) -> None:
        """Fetch files anew; what lies in their place goes into this machine's own quarantine."""
        if not puts:
            return
        draft = journal.IntentDraft(self.store, f"{BROUGHT_BACK}{os.urandom(8).hex()}")
        with moving.carrying_out(draft):
            for source, target in self.fetch(draft, puts, self._places(puts)):
                draft.publish(source, target)


def _missing_top(draft: journal.IntentDraft, path: str) -> str:
    """Return the outermost folder of a path that will not be there; empty if its folder will be."""
    top = ""
    for folder in journal.path_and_above(path.rpartition("/")[0]):
        if draft.will_be_folder(folder):
            break
        top = folder
    return top


def _write(folders: OpenFolders, put: Put, inside: str, data: Iterator[Buffer]) -> None:
    descriptor = folders.create_file(inside)
    try:
        for chunk in data:
            fsops.write(descriptor, chunk)
        fsops.finish_file(descriptor, put.mode, put.mtime_ns)
    finally:
        os.close(descriptor)


def _read(place: StorePath) -> Iterator[bytes]:
    descriptor = place.open_file()
    with os.fdopen(descriptor, "rb") as stream:
        while chunk := stream.read(1 << 20):
            yield chunk


def _sync_tree(place: StorePath) -> None:
    if place.is_dir():
        for name in place.names():
            _sync_tree(place / name)
        fsops.sync_folder(place)
        return
    descriptor = place.open_file()
    try:
        whole.sync_opened(place, descriptor)
    finally:
        os.close(descriptor)
