"""The answer to one question: why is this path kept, or an orphan?

It asks the same selection that makes plans, so that the two can't disagree.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ontofetch_hookspecs import layout as layouts
from ontofetch_hookspecs.light_dataclasses import dataclass
from ontofetch_hookspecs.names import quote

from .. import sessions
from ..connection import Store
from ..repo import listing
from ..walk import as_text
from . import planning
from .policy import Policy
from .selection import Selection, select

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a path is kept or would be pruned.

    Args:
        path: Below the root, or as given if it is not below it; as on disk.
        verdict: `kept`, `orphan` or `absent`.
        reason: Why, as the end of a sentence that begins with the path.
    """

    path: str
    verdict: str
    reason: str


def explain_path(store: Store, given: str, policy: Policy) -> Explanation:
    """Say why a path is kept or an orphan; writes nothing.

    Args:
        given: Absolute, or below the current folder, or below the root.
        policy: From which age on orphans are taken.
    """
    path = _below_root(store, given)
    if path is None:
        return Explanation(given, "kept", "it is not below the root of this store")
    if not store.path(path).exists():
        return Explanation(path, "absent", "nothing is there")
    if path == layouts.CATALOG or path.startswith(f"{layouts.CATALOG}/"):
        return Explanation(path, "kept", "it is the catalog's own")
    with sessions.reading(store) as connection:
        chosen = select(store, connection, policy, now=planning.clock(), within=path)
        return _judge(store, connection, chosen, path)


def _judge(store: Store, connection: duckdb.DuckDBPyConnection, chosen: Selection, path: str) -> Explanation:
    for why, orphans in chosen.orphans.items():
        if any(entry.path == path for entry in orphans):
            return Explanation(path, "orphan", why)
    for kept in chosen.kept:
        if kept.path == path:
            return Explanation(path, "kept", kept.reason)
    reason = _why_known(store, connection, chosen, path)
    return Explanation(path, "kept", reason)


def _why_known(store: Store, connection: duckdb.DuckDBPyConnection, chosen: Selection, path: str) -> str:
    """Say why a path that is no candidate at all is kept."""
    native = chosen.scan.native_path(path)
    version_id = listing.find_recorded(connection, as_text(native)) if native else None
    if version_id is not None:
        return f"it is recorded as a file of {version_id}"
    place = next((place for place in chosen.scan.places if f"{path}/".startswith(f"{place.folder}/")), None)
    if store.path(path).is_dir():
        return "it is a folder; only files are pruned, and releases as a whole"
    for blocked, reason in (*chosen.scan.skipped, *chosen.scan.obstacles.unreadable):
        if f"{path}/".startswith(f"{blocked}/"):
            return f"nobody looked into {quote(blocked)}: {reason.rstrip('.')}"
    if place is None:
        return "it is below no folder whose layout is known: no release is recorded there and no manifest is ours"
    inside = path.removeprefix(f"{place.folder}/")
    if inside in place.layout.documents and place.version_id:
        return f"it is a document of {place.version_id}"
    anothers = "its release was imported where it lies, and what is not recorded there is another program's"
    strange = "it is in neither the sources nor the data of its release, so the catalog did not write it"
    return anothers if place.layout.shared else strange


def _below_root(store: Store, given: str) -> str | None:
    """Return the path below the root that `given` means; its last part is not followed if it is a link."""
    here = os.path.lexists(given) and not os.path.lexists(store.root / given)
    absolute = os.path.abspath(given if here else store.root / given)
    real = os.path.join(os.path.realpath(os.path.dirname(absolute)), os.path.basename(absolute))
    for top, path in ((str(store.root), absolute), (os.path.realpath(store.root), real)):
        if path.startswith(top.rstrip("/") + "/"):
            return os.path.relpath(path, top)
    return None
