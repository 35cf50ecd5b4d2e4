"""Which way equal files of a store are stored once: what the setting says, and what the file system can."""

from __future__ import annotations

from ontofetch_hookspecs.layout import known_layouts

from ..connection import Store
from . import extents

REFLINK, HARDLINK, OFF = "reflink", "hardlink", "off"
_can_clone: dict[int, bool] = {}  # device → whether its files can share their room


def way_of(store: Store) -> str:
    """Return how equal files of a store are stored once: what the setting says, `off` where the file system can't."""
    way = str(store.settings.get("store_share", REFLINK))
    return OFF if way == REFLINK and not can_clone(store) else way


def can_clone(store: Store) -> bool:
    """Say whether files of a store can share their room and stay two files; each file system is asked once."""
    try:
        device = store.path("").lstat().st_dev
    except OSError:
        return False
    if device not in _can_clone:
        _can_clone[device] = extents.can_clone(store.path(""))
    return _can_clone[device]


def usable_layouts(way: str) -> list[tuple[str, str, str]]:
    """Return (name, folder of sources, folder of data) of the layouts whose files may be stored once in this way.

    Where another program keeps the files too, it may write to them, which a file of several names must never meet.
    """
    return [
        (layout.name, layout.source, layout.data) for layout in known_layouts() if way == REFLINK or not layout.shared
    ]


def by_kind(way: str) -> bool:
    """Say whether artifacts and what came out of them stay apart.

    An artifact is what a damaged file comes back from; by one more name both would be damaged at once.
    """
    return way == HARDLINK
