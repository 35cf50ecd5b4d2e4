"""The traps about whole releases: what a policy takes, and what it never takes, whatever was asked for.

How a tree is judged is not known here.
"""

from __future__ import annotations

import os

from ontofetch_catalog.catalog.boundaries.engine import carry_out
from ontofetch_catalog.catalog.connection import Store
from ontofetch_catalog.catalog.prune.pins import Pin
from ontofetch_hookspecs import Stage
from ontofetch_hookspecs.store_paths import StorePath

from .tree import DAY, LATEST, MIDDLE, OLD, SERIES, Tree, copy

SETTINGS = {"durability": "off", "duckdb_threads": 1}


def keep_last(tree: Tree) -> None:
    """Ask for all but the last two of the series, where there may be a file that nobody recorded."""
    tree.asked = {"keep_last": 2}
    if tree.chance.random() < 0.5:
        tree.add("stray.ttl", orphan=False, folder=f"{OLD}/{tree.chance.choice(('data', 'data/new', 'src'))}")


def named(tree: Tree) -> None:
    """Ask for a release by name."""
    tree.asked = {"versions": (OLD,)}


def pinned(tree: Tree) -> None:
    """Ask for all but the latest; the one between is pinned."""
    store = Store(tree.root, SETTINGS)
    carry_out(store, Pin(store, MIDDLE))
    ways: tuple[dict[str, object], ...] = (
        {"keep_last": 1},
        {"keep_last": 0, "series": SERIES},
        {"older_than": 7 * DAY},
        {"keep_last": 1, "older_than": 7 * DAY},
    )
    tree.asked = tree.chance.choice(ways)


def protected(tree: Tree) -> None:
    """Ask by name for a release that may not go: the latest, or a pinned one."""
    version = tree.chance.choice((LATEST, MIDDLE))
    if version == MIDDLE:
        store = Store(tree.root, SETTINGS)
        carry_out(store, Pin(store, MIDDLE))
    tree.stopped = {"versions": (version,)}


def release_in_use(tree: Tree) -> None:
    """Ask for a release that a stage holds a file of, that was touched lately, or in which another store lives."""
    tree.asked, tree.old_stays = {"keep_last": 2}, True
    way = tree.chance.randrange(3)
    if way == 0:
        stage = Stage.create(tree.root)
        stage.link_file(StorePath(tree.root, f"{OLD}/data/a.ttl"), "src/held")
        tree.closing.append(stage.close)
    elif way == 1:
        os.utime(tree.root / OLD / "data/a.ttl", (2**33, 2**33))
    else:
        copy(str(tree.template / "second"), str(tree.root / OLD / "data/inner"))


POLICIES = (keep_last, named, pinned, protected, release_in_use)
