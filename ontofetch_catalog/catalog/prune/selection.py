"""The choice: which orphans and releases a plan takes, which it keeps, and why, for every one of them.

It reads catalog and disk and never writes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import field
from typing import TYPE_CHECKING

from ontofetch_hookspecs import layout as layouts
from ontofetch_hookspecs.light_dataclasses import dataclass

from ...errors import EventError
from ..connection import Store
from ..journal import path_and_above
from ..repo import listing, pruning
from ..scan import Place, Scan, scan
from ..walk import Entry, as_path, list_below, stat_paths
from .policy import Policy, PruneStopped, format_age
from .references import References, read_references, staged_inodes
from .retention import choose_by_rules

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Kept:
    """What is not taken: a path below the root or a release, and why."""

    path: str
    reason: str
    version_id: str | None = None


@dataclass(frozen=True, slots=True)
class Release:
    """A release that is taken, or what is taken of it: its folder, what moves whole, and every entry of that."""

    version_id: str
    folder: str
    parts: tuple[str, ...]
    entries: list[Entry]


@dataclass(slots=True)
class Selection:
    """What a plan takes and keeps.

    Args:
        scan: What was looked at.
        references: What is referred to by open intents.
        known: Files in the catalog.
        found: Of these, files on disk.
        orphans: Reason → orphans that are taken.
        releases: Releases that are taken.
        kept: What is not taken.
    """

    scan: Scan
    references: References
    known: int
    found: int = 0
    orphans: dict[str, list[Entry]] = field(default_factory=dict)
    releases: list[Release] = field(default_factory=list)
    kept: list[Kept] = field(default_factory=list)

    @property
    def taken(self) -> int:
        """Return how many entries are taken."""
        return sum(map(len, self.orphans.values())) + sum(len(release.entries) for release in self.releases)


def select(
    store: Store,
    connection: duckdb.DuckDBPyConnection,
    policy: Policy,
    *,
    now: int,
    within: str | None = None,
    progress: Callable[[int], None] | None = None,
) -> Selection:
    """Look at the store and choose.

    Args:
        store: The store; the caller holds its gate.
        now: Nanoseconds since 1970.
        within: Only what lies in the release that holds this path below the root.
        progress: Called with the number of entries looked at.

    Raises:
        PruneStopped: A release that was named may not go.
        PluginFailed: A rule of retention failed.
    """
    # what a rule refuses, it refuses before the disk is looked at
    releases = _choose_releases(connection, policy, now) if within is None else []
    found = scan(store, connection, within=within, sizes=False, adopted=policy.adopted, progress=progress)
    chosen = Selection(found, read_references(store), listing.count_recorded(connection))
    judge = _Judge(store, policy, chosen, now)
    for release in releases:
        judge.check_release(*release)
    orphans = listing.list_orphans(connection)
    chosen.found = listing.count_listed_files(connection) - orphans["kind"].to_pylist().count("file")
    judge.check_orphans(orphans)
    return chosen


def _choose_releases(
    connection: duckdb.DuckDBPyConnection, policy: Policy, now: int
) -> list[tuple[str, str, str, str | None]]:
    ruled: Sequence[str] = ()
    if policy.retentions:
        ruled = choose_by_rules(pruning.list_releases(connection, series=policy.series, now=now), policy.retentions)
    return pruning.choose_releases(connection, policy.versions, ruled)


class _Judge:
    """Decide about one thing after the other; what is decided goes into the selection."""

    def __init__(self, store: Store, policy: Policy, chosen: Selection, now: int) -> None:
        self._store = store
        self._policy = policy
        self._chosen = chosen
        self._now = now
        self._foreign = frozenset(chosen.scan.obstacles.foreign)
        self._staged: frozenset[tuple[int, int]] | None = None

    # --- releases -----------------------------------------------------------------------------------------------------

    def check_release(self, version_id: str, folder: str, layout: str, protected: str | None) -> None:
        """Take a release with all that lies in its folders, or keep it and say why."""
        reason = protected
        entries: list[Entry] = []
        if reason is None:
            try:
                place = Place(folder, layouts.find_layout(layout), version_id)
                entries = part_entries(self._store, release_parts(self._store, place))
                reason = self._why_anothers(place) or self._why_keep_release(folder, entries)
            except (EventError, OSError) as error:
                reason = f"its folder can't be taken: {getattr(error, 'strerror', None) or error}"
        if reason is None:
            self._chosen.releases.append(Release(version_id, folder, release_parts(self._store, place), entries))
            return
        if version_id in self._policy.versions:
            raise PruneStopped(
                f"{version_id} can't be pruned: {reason}.",
                subject=version_id,
                hint="`ontofetch rm` removes it all the same, and `ontofetch undo` brings it back; unpin a pinned one"
                f" with `ontofetch db pin --remove {version_id}`.",
            )
        self._chosen.kept.append(Kept(folder, reason, version_id))

    def _why_anothers(self, place: Place) -> str | None:
        if not place.layout.shared or self._policy.adopted:
            return None
        return "it was imported where it lies, and another program keeps it, too; --adopted takes it"

    def _why_keep_release(self, folder: str, entries: list[Entry]) -> str | None:
        if self._chosen.references.holds(folder):
            return "an open boundary refers to it"
        for path in self._chosen.scan.obstacles.foreign:
            if f"{path}/".startswith(f"{folder}/"):
                return "another catalog lives inside it"
            if folder.startswith(f"{path}/"):
                return "it lies inside another catalog's store"
        if any(self._is_staged(entry) for entry in entries):
            return "a stage holds one of its files"
        return self._why_young(max(map(_touched_itself, entries))) if entries else None

    # --- orphans ------------------------------------------------------------------------------------------------------

    def check_orphans(self, orphans: pa.Table) -> None:
        """Take each orphan, or keep it and say why."""
        taken = {release.folder for release in self._chosen.releases}
        unrecorded = {place.folder for place in self._chosen.scan.places if not place.version_id}
        paths = [as_path(path) for path in orphans["path"].to_pylist()]
        entries = stat_paths(self._store, paths)
        for path, respelled, entry in zip(paths, orphans["respelled"].to_pylist(), entries, strict=True):
            if entry is None or not taken.isdisjoint(path_and_above(path)):
                # gone since the scan, or taken with its release
                continue
            reason = self._why_keep(entry, respelled=respelled)
            if reason is not None:
                self._chosen.kept.append(Kept(path, reason))
                continue
            recorded = unrecorded.isdisjoint(path_and_above(path))
            why = "it is not recorded in its release" if recorded else "its release is not recorded"
            self._chosen.orphans.setdefault(why, []).append(entry)

    def _why_keep(self, entry: Entry, *, respelled: bool) -> str | None:
        if entry.kind != "file":
            what = "a symbolic link" if entry.kind == "link" else "no regular file"
            return f"it is {what}, which the catalog never wrote"
        if respelled:
            return "a recorded file is missing whose path differs only in case or normal form"
        if not self._foreign.isdisjoint(path_and_above(entry.path)):
            return "it belongs to another catalog inside this store"
        if self._chosen.references.holds(entry.path):
            return "an open boundary refers to it"
        if self._is_staged(entry):
            return "a stage holds it"
        return self._why_young(entry.touched)

    def _why_young(self, touched: int) -> str | None:
        age = self._now - touched
        if age >= self._policy.min_age:
            return None
        told = "in the future" if age < 0 else f"{format_age(age)} ago"
        return f"it was touched {told}, and the least age is {format_age(self._policy.min_age)}"

    def _is_staged(self, entry: Entry) -> bool:
        if entry.links < 2:
            return False
        if self._staged is None:
            self._staged = staged_inodes(self._store)
        return (entry.device, entry.inode) in self._staged


def _touched_itself(entry: Entry) -> int:
    """Return when an entry of a release was touched, nanoseconds since 1970.

    A file of several names is touched whenever another release comes to have it, or is pruned; its release's documents
    have a name each.
    """
    return entry.mtime if entry.links > 1 else entry.touched


def release_parts(store: Store, place: Place) -> tuple[str, ...]:
    """Return what of a release is there to be moved: the folders of sources and data, the catalog's documents."""
    names = (place.layout.source, place.layout.data, *place.layout.documents)
    paths = (f"{place.folder}/{name}" for name in names)
    return tuple(path for path in paths if store.path(path).exists())


def part_entries(store: Store, parts: Sequence[str]) -> list[Entry]:
    """Return every entry of some parts of a release: a document, or whatever lies below a folder.

    Raises:
        OSError: A folder can't be read or is a link.
    """
    return look_at_parts(store, parts)[1]


def look_at_parts(store: Store, parts: Sequence[str]) -> tuple[list[str], list[Entry]]:
    """Return those of some parts of a release that are there, and every entry of them; raises as `part_entries`."""
    there: list[str] = []
    found: list[Entry] = []
    for part, document in zip(parts, stat_paths(store, parts), strict=True):
        if document is not None:
            there.append(part)
            found.append(document)
        elif store.path(part).exists():
            there.append(part)
            found += list_below(store, part)
    return there, found
