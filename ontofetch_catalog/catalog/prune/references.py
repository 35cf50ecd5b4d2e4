"""What open boundaries and stages refer to, so that nothing of it is ever pruned, at any age.

It reads intents and stages and decides nothing else.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import field

from ontofetch_hookspecs.layout import STAGING
from ontofetch_hookspecs.light_dataclasses import dataclass

from .. import fsops, intents
from ..connection import Store
from ..journal import path_and_above
from ..walk import ScanErrors, lstat, walk_folder

_UNPACKED = "data"  # the folder of a stage where a host unpacks what an extraction publishes


@dataclass(frozen=True, slots=True)
class References:
    """What is referred to.

    Args:
        paths: Paths below the root that open intents name.
        unreadable: Files of intents that can't be read: what they refer to is not known.
    """

    paths: frozenset[str]
    unreadable: tuple[str, ...]
    _holding: frozenset[str] = field(init=False, repr=False, compare=False)  # the folders that hold those paths

    def __post_init__(self) -> None:
        holding = frozenset(above for path in self.paths for above in path_and_above(path))
        object.__setattr__(self, "_holding", holding)

    def holds(self, path: str) -> bool:
        """Say whether an intent names this path, something below it, or a folder that holds it."""
        return path in self._holding or not self.paths.isdisjoint(path_and_above(path))


def read_references(store: Store) -> References:
    """Return what the open intents refer to; never writes."""
    named: set[str] = set()
    unreadable = [name for name in store.intents.names() if name.endswith(intents.UNREADABLE)]
    for path in store.open_intents:
        intent = intents.read_intent(path)
        if intent is None:
            unreadable.append(path.name)
        else:
            named.update(intents.named_paths(intent))
    return References(frozenset(named), tuple(unreadable))


def staged_inodes(store: Store) -> frozenset[tuple[int, int]]:
    """Return (device, inode) of every file in a stage: a stage may hold a release's file as a hard link.

    What is unpacked into one is left out: by `store_share = "hardlink"` it has names in common with releases, and loses
    nothing when these go.
    """
    return frozenset(_staged(store))


def _staged(store: Store) -> Iterator[tuple[int, int]]:
    root = fsops.open_root(store.root)
    try:
        for path, state in walk_folder(root, STAGING, ScanErrors(), lstat):
            if path.split("/")[1:2] != [_UNPACKED]:
                yield state.st_dev, state.st_ino
    finally:
        os.close(root)
