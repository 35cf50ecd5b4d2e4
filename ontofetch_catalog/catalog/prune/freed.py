"""How much room is free again once some entries are gone: a file's, with the last of its names; a shared part's, never.

Parts that files share (reflinks) are free with the last file that has them, and who that is nobody can say: what is
told is freed at least.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable

from ..connection import Store
from ..equal_files import extents, ways
from ..kept_folders import KeptFolders
from ..walk import Entry


def freed_of(store: Store, entries: Iterable[Entry]) -> int:
    """Return how many bytes are free once these entries are gone, all of them; of a file the size, not its blocks."""
    last: list[Entry] = []
    names: dict[tuple[int, int], list[Entry]] = defaultdict(list)
    for entry in entries:
        if entry.links < 2:
            last.append(entry)
        else:
            names[entry.device, entry.inode].append(entry)
    last += [found[0] for found in names.values() if len(found) >= max(entry.links for entry in found)]
    if not ways.can_clone(store):
        return sum(entry.size for entry in last)
    folders = KeptFolders(store.path(""))
    try:
        return sum(min(entry.size, _own_bytes(folders, entry)) for entry in last)
    finally:
        folders.close()


def _own_bytes(folders: KeptFolders, entry: Entry) -> int:
    """Return the bytes on the disk that only this file has; its size where the system does not say."""
    if entry.kind != "file":
        return entry.size
    try:
        descriptor = folders.open(entry.path)
    except OSError:
        return entry.size
    try:
        found = extents.extents_of(descriptor)
    finally:
        os.close(descriptor)
    return entry.size if found is None else found.own
