"""Where releases lie below a root: folders service/ontology/version that look like one of the known layouts.

It looks at names and kinds alone; what the documents in them say is read elsewhere.
"""

from __future__ import annotations

import stat
from collections.abc import Iterator
from dataclasses import dataclass

from ontofetch_hookspecs.errors import EventError
from ontofetch_hookspecs.layout import DATABASE, Layout, known_layouts, manifest_names
from ontofetch_hookspecs.names import check_segment
from ontofetch_hookspecs.store_paths import StorePath

from ..connection import Store


@dataclass(frozen=True, slots=True)
class ReleaseFolder:
    """One folder that holds a release.

    Args:
        path: Below the root; also its version_id.
        layout: The first known layout whose folders are there; None if only a manifest is.
        manifest: Name of its manifest; empty if it has none.
    """

    path: str
    layout: Layout | None
    manifest: str


def find_folders(store: Store) -> Iterator[ReleaseFolder]:
    """Yield the folders below the root that hold a release, sorted; never follows a link."""
    for service in _folders(store.path("")):
        # another store inside this one is none of our business
        if (service / DATABASE).is_file():
            continue
        for ontology in _folders(service):
            for version in _folders(ontology):
                layout = next((known for known in known_layouts() if _has_part(version, known)), None)
                manifest = next((name for name in manifest_names() if (version / name).is_file()), "")
                if layout is not None or manifest:
                    yield ReleaseFolder(version.relpath, layout, manifest)


def _folders(path: StorePath) -> list[StorePath]:
    try:
        entries = path.entries()
    except OSError:
        return []
    return [path / name for name, kind in entries if kind == stat.S_IFDIR and _is_segment(name)]


def _is_segment(name: str) -> bool:
    try:
        check_segment("folder", name)
    except EventError:
        return False
    return True


def _has_part(folder: StorePath, layout: Layout) -> bool:
    return any((folder / part).is_dir() for part in (layout.source, layout.data))
