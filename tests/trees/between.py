"""The traps that spring between plan and apply: what the plan looked at is no more what it was.

How a tree is judged is not known here.
"""

from __future__ import annotations

import json
import shutil

from ontofetch_catalog.catalog.boundaries.engine import carry_out
from ontofetch_catalog.catalog.connection import Store
from ontofetch_catalog.catalog.prune.pins import Pin

from .tree import DATA, LATEST, OLD, Tree

SETTINGS = {"durability": "off", "duckdb_threads": 1}
STALE = "PlanUnusable"


def changed(tree: Tree) -> None:
    """Let somebody write to an orphan after the plan."""
    path = tree.root / tree.add("changed.ttl")

    def change() -> None:
        path.write_bytes(b"precious now")

    tree.between, tree.refused = change, STALE


def replaced(tree: Tree) -> None:
    """Let somebody put another file of the same size and time in an orphan's place after the plan."""
    path = tree.root / tree.add("replaced.ttl")

    def replace() -> None:
        other = path.with_name("other")
        shutil.copy2(path, other)
        other.replace(path)

    tree.between, tree.refused = replace, STALE


def appearing(tree: Tree) -> None:
    """Let a file appear after the plan; the plan does not know it and leaves it."""

    def appear() -> None:
        tree.add("new.ttl", orphan=False)

    tree.between = appear


def vanishing(tree: Tree) -> None:
    """Let an orphan vanish after the plan."""
    relpath = tree.add("gone.ttl")

    def vanish() -> None:
        (tree.root / relpath).unlink()
        tree.orphans.discard(relpath)

    tree.between, tree.refused = vanish, STALE


def swapped_folder(tree: Tree) -> None:
    """Let an orphan's folder become a link to where it was moved, outside of the store, after the plan."""
    relpath = tree.add("swap/inside.ttl")

    def swap() -> None:
        folder = tree.root / DATA / "swap"
        folder.rename(tree.outside / "swap")
        folder.symlink_to(tree.outside / "swap")
        tree.orphans.discard(relpath)

    tree.between, tree.refused = swap, STALE


def release_changed(tree: Tree) -> None:
    """Let a file come into a release that the plan takes whole; the orphans are moved by then."""
    tree.asked = {"keep_last": 2}

    def come() -> None:
        tree.add("come.ttl", orphan=False, folder=f"{OLD}/data")

    tree.between = come
    if not tree.old_stays:
        tree.refused, tree.partly = STALE, True


def recorded_since(tree: Tree) -> None:
    """Let the catalog move on after the plan."""

    def pin() -> None:
        store = Store(tree.root, SETTINGS)
        carry_out(store, Pin(store, LATEST))

    tree.between, tree.refused = pin, STALE


def died_since(tree: Tree) -> None:
    """Let a process die inside a boundary after the plan; its end takes back what it had moved, and nothing else."""
    target, source = f"{DATA}/published.ttl", ".catalog/staging/died/published"

    def die() -> None:
        tree.add("published.ttl", orphan=False)
        tree.undone.add(target)
        _write_intent(tree, source, target, (tree.root / target).stat().st_ino, (tree.root / target).stat().st_size)

    tree.between = die


def entangled_since(tree: Tree) -> None:
    """Let an intent claim after the plan that an orphan is what it moved, which it is not; nobody can end that one."""
    target = tree.add("claimed.ttl")

    def claim() -> None:
        _write_intent(tree, ".catalog/staging/died/claimed", target, 1, 1)

    def mend() -> None:
        (tree.root / ".catalog/intents" / f"{BOUNDARY}.json").unlink()

    tree.between, tree.refused, tree.mend = claim, "RecoveryFailed", mend


def _write_intent(tree: Tree, source: str, target: str, inode: int, size: int) -> None:
    move = {"source": source, "target": target, "inode": inode, "size": size}
    path = tree.root / ".catalog/intents" / f"{BOUNDARY}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({"format": 1, "boundary_id": BOUNDARY, "folders": [], "moves": [move], "stages": []}))


BOUNDARY = "b" * 32
BETWEEN = (
    changed,
    replaced,
    appearing,
    vanishing,
    swapped_folder,
    release_changed,
    recorded_since,
    died_since,
    entangled_since,
)
