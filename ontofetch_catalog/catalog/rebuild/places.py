"""Where releases lie below a root: folders service/ontology/version that look like one of the known layouts.

It looks at names and kinds, and into a manifest only for whose it is; what it says is read elsewhere.
"""

from __future__ import annotations

import stat
from collections.abc import Iterator

from ontofetch_hookspecs.errors import EventError
from ontofetch_hookspecs.layout import DATABASE, MANIFEST, Layout, known_layouts, manifest_names
from ontofetch_hookspecs.light_dataclasses import dataclass
from ontofetch_hookspecs.names import check_segment
from ontofetch_hookspecs.store_paths import StorePath

from ..connection import Store

# what only the other program makes in a release of its own
_THEIRS = ("normalized", "validation")
_UNPACKED = "_extracted"


@dataclass(frozen=True, slots=True)
class ReleaseFolder:
    """One folder that holds a release.

    Args:
        path: Below the root; also its version_id.
        layout: The first known layout whose folders are there, among layouts with the same folders the one that
            another program shares, where that program has been; None if only a manifest is.
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
        versions = [version for ontology in _folders(service) for version in _folders(ontology)]
        # a tree is one program's: where the traces in one release are lost, those in the others tell
        theirs: bool | None = None
        for version in versions:
            layout = next((known for known in known_layouts() if _has_part(version, known)), None)
            manifest = next((name for name in manifest_names() if (version / name).is_file()), "")
            shared = None if layout is None else _shared_like(layout)
            if shared is not None:
                theirs = any(map(_has_another_program, versions)) if theirs is None else theirs
                layout = shared if theirs else layout
            if layout is not None or manifest:
                yield ReleaseFolder(version.relpath, layout, manifest)


def _shared_like(layout: Layout) -> Layout | None:
    """Return the layout with the same folders that another program keeps its own files in, None if there is none."""
    same = (known for known in known_layouts() if known.shared)
    return next((known for known in same if (known.source, known.data) == (layout.source, layout.data)), None)


def _has_another_program(version: StorePath) -> bool:
    """Say whether the folder of a release bears traces of a program that keeps its own files there.

    What looks like that is never taken for the catalog's own: prune would propose the other program's files.
    """
    if any((version / name).is_dir() for name in _THEIRS):
        return True
    for layout in known_layouts():
        if layout.shared and ((version / layout.manifest).exists() or _has_unpacked(version / layout.source)):
            return True
    return (version / MANIFEST).exists() and not _is_ours(version / MANIFEST)


def _has_unpacked(source: StorePath) -> bool:
    return any(folder.name.endswith(_UNPACKED) for folder in _folders(source))


def _is_ours(manifest: StorePath) -> bool:
    """Say whether a manifest may be one that the catalog wrote; a damaged one may be."""
    try:
        told = manifest.read_json()
    except (OSError, ValueError):
        return True
    return isinstance(told, dict) and "format" in told and "version_id" in told


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
