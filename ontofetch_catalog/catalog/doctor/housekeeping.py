"""The checks around the catalog: intents, stages, quarantine, permissions, wrappers; no database is needed."""

from __future__ import annotations

import re
import stat
import time
from collections.abc import Iterator, Sequence

import pluggy

from ontofetch_hookspecs import layout
from ontofetch_hookspecs.loading import AROUND, find_outside
from ontofetch_hookspecs.names import quote, relpath_fault
from ontofetch_hookspecs.stage_records import LOCK, RECORD, is_held
from ontofetch_hookspecs.store_paths import StorePath

from .. import intents
from ..connection import Store
from ..walk import as_text
from .findings import Findings

DAY = 86_400
_TEMPORARY = r"|\..*\.new"
# folder → the names that the catalog gives in it; in quarantine and among the backups there may be anything
_OWN_NAMES = {
    layout.CATALOG: re.compile(
        r"(ontofetch|new)\.duckdb(\.(wal|tmp).*)?|generation\.json|\.duck\.lock(\.desk)?|restore\.json|key|store\.toml"
        r"|intents|staging|quarantine|backups|restoring|plans|facts" + _TEMPORARY,
        re.DOTALL,
    ),
    layout.INTENTS: re.compile(rf".*(\.json|{re.escape(intents.UNREADABLE)})" + _TEMPORARY, re.DOTALL),
    layout.STAGING: re.compile("[0-9a-f]{32}"),
    layout.PLANS: re.compile(r"[0-9]{8}T[0-9]{6}Z-[0-9a-f]{6}" + _TEMPORARY, re.DOTALL),
}


def check_intents(store: Store, findings: Findings) -> list[str]:
    """Look at what dead processes left open; return the paths that open boundaries may still move."""
    covered: set[str] = set()
    for path in store.open_intents:
        intent = intents.read_intent(path)
        name = path.relpath
        if intent is None:
            message = f"The intent {name} is unreadable: what its boundary had moved is not known."
            findings.add("CAT002", name, message, unsafe=["quarantine"])
            continue
        covered |= {place for move in intent.moves for place in (move.source, move.target)} | set(intent.stages)
        moves = len(intent.moves)
        message = f"The boundary {intent.boundary_id} is open, with {moves:,} moves; `ontofetch db recover` ends it."
        findings.add("CAT001", name, message)
    for name in store.intents.names():
        if not name.endswith(intents.UNREADABLE):
            continue
        name = (store.intents / name).relpath  # noqa: PLW2901 - from here on as findings name it
        message = f"The intent {name} was unreadable and is set aside: what its boundary had moved is not known."
        findings.add("CAT002", name, message, unsafe=["quarantine"])
    return sorted(covered)


def check_leftovers(store: Store, findings: Findings, covered: Sequence[str]) -> None:
    """Look for stages that nobody holds and for quarantine, each beyond its keep time."""
    now = time.time()
    for name, age in _aged(store, layout.STAGING, now, "stage_days"):
        if not _is_staged_for(name, covered) and not is_stage_held(store.path(name)):
            message = f"The stage {name} is {age} days old and nobody holds it."
            findings.add("CAT022", name, message, unsafe=["quarantine"])
    for name, age in _aged(store, layout.QUARANTINE, now, "quarantine_days"):
        message = f"{name} was put into quarantine {age} days ago."
        findings.add("CAT023", name, message, unsafe=["purge"])


def _aged(store: Store, folder: str, now: float, setting: str) -> Iterator[tuple[str, int]]:
    """Yield (path, age in days) of what is in a folder for longer than a setting says."""
    days = float(str(store.settings.get(setting, 30)))
    path = store.path(folder)
    for name in path.names():
        age = now - (path / name).lstat().st_mtime
        if age > days * DAY:
            yield f"{folder}/{name}", int(age // DAY)


def _is_staged_for(name: str, covered: Sequence[str]) -> bool:
    return any(path == name or path.startswith(f"{name}/") for path in covered)


def is_stage_held(path: StorePath) -> bool:
    """Say whether a living process holds a stage; never writes."""
    # asking for the lock would make the file that a stage without a lock does not have
    return (path / LOCK).exists() and is_held(path)


def check_places(store: Store, findings: Findings) -> None:
    """Look for links, pipes and other things in the places of the catalog's own folders and files."""
    folders = [layout.CATALOG, layout.INTENTS, layout.STAGING, layout.QUARANTINE, layout.BACKUPS, layout.RESTORING]
    folders += [layout.PLANS, layout.FACTS]
    files = [layout.DATABASE, f"{layout.DATABASE}.wal", layout.GENERATION, layout.LOCK, layout.SWAP, layout.KEY]
    wanted = dict.fromkeys(folders, stat.S_IFDIR) | dict.fromkeys(files, stat.S_IFREG)
    for name in store.path(layout.STAGING).names():
        wanted[f"{layout.STAGING}/{name}"] = stat.S_IFDIR
        wanted |= dict.fromkeys((f"{layout.STAGING}/{name}/{inner}" for inner in (RECORD, LOCK)), stat.S_IFREG)
    for name, kind in wanted.items():
        try:
            found = stat.S_IFMT(store.path(name).lstat().st_mode)
        except OSError:
            # missing, or behind a link that is found itself
            continue
        if found != kind:
            what = "a link" if stat.S_ISLNK(found) else "something else"
            where = "folder" if kind == stat.S_IFDIR else "file"
            findings.add("CAT029", name, f"{name} is {what} in the place of a {where} of the catalog's own.")


def check_strangers(store: Store, findings: Findings) -> None:
    """Look for what the catalog did not put into its own folder, nor into those below it that are its own alone."""
    for folder, own in _OWN_NAMES.items():
        for name, kind in store.path(folder).entries():
            if own.fullmatch(name) or name.startswith(".nfs"):
                # the latter stands for a file that is removed and still open on another machine
                continue
            if folder == layout.INTENTS and kind == stat.S_IFDIR:
                # whoever writes next takes it for what a dead boundary left, and removes it
                continue
            path = f"{folder}/{name}"
            movable = relpath_fault(path) is None
            message = f"{quote(path)[1:-1]} lies in the catalog's own folder, and the catalog did not put it there."
            findings.add("CAT033", as_text(path), message, unsafe=["quarantine"] if movable else ())


def check_permissions(store: Store, findings: Findings, folders: Sequence[str]) -> None:
    """Look for parts of the store that others may change: the root, the catalog's own files, the releases' folders."""
    paths = ["", layout.CATALOG, *(f"{layout.CATALOG}/{name}" for name in store.path(layout.CATALOG).names())]
    for folder in folders:
        parts = folder.split("/")
        paths += ["/".join(parts[:end]) for end in range(1, len(parts) + 1)]
    try:
        owner = store.path("").lstat().st_uid
    except OSError:
        return
    for name in dict.fromkeys(paths):
        try:
            found = store.path(name).lstat()
        except OSError:
            continue
        fault = permission_fault(found.st_mode, found.st_uid, owner)
        if fault:
            fix = "chmod" if found.st_mode & stat.S_IWOTH and not stat.S_ISLNK(found.st_mode) else None
            findings.add("CAT024", name or ".", f"{name or 'The root'} {fault}.", fix=fix)


def permission_fault(mode: int, uid: int, owner: int) -> str:
    """Return what is unsafe about a part of the store, as the end of a sentence; empty if nothing is."""
    if stat.S_ISLNK(mode):
        return ""
    if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
        return "may be changed by everybody on this machine"
    if uid not in (owner, 0):
        return f"belongs to another user ({uid}) than the root of the store ({owner})"
    return ""


def check_wrappers(manager: object, findings: Findings) -> None:
    """Look for plugins whose wrappers enclose the catalog's.

    Args:
        manager: The host's pluggy.PluginManager; None where there is no host.
    """
    if not isinstance(manager, pluggy.PluginManager):
        return
    for plugin, hook in find_outside(manager).items():
        findings.add("CAT025", plugin, f"The plugin {quote(plugin)} wraps {hook} {AROUND}.")
