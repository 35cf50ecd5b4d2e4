"""Own the swap of a restore: which files leave, which take their place, and how a swap that was cut short is finished.

Its plan is durable before the first rename, and from then on there is only forward: everything was checked before.
It knows paths and inodes, nothing of backups.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any

from ontofetch_hookspecs.layout import RESTORING, SWAP
from ontofetch_hookspecs.names import MAX_ROOTED_BYTES, check_relpath, check_size
from ontofetch_hookspecs.store_paths import StorePath

from ..errors import CatalogUnreadable, EventError, RecoveryFailed
from . import effects
from .connection import Store
from .journal import Move

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Swap:
    """The renames of one restore, in order; their folders are made on the way."""

    moves: Sequence[Move]


def make_move(store: Store, source: str, target: str) -> Move:
    """Return the move of what is at `source` now; `target` may still be occupied by what an earlier move takes away."""
    found = store.path(source).lstat()
    return Move(source, target, found.st_ino, None if stat.S_ISDIR(found.st_mode) else found.st_size)


def begin(store: Store, swap: Swap) -> None:
    """Make the plan durable; what it moves is durable already."""
    # whose record it was to be leaves, and nobody else would write that one again
    effects.drop_unfinished(store.generation)
    content = {f"moves of format {FORMAT}": [asdict(move) for move in swap.moves]}
    effects.write_file(store.path(SWAP), json.dumps(content, indent=1).encode())


def finish(store: Store) -> bool:
    """Carry out whatever is left of an open swap; the caller writes alone. Return whether one was open.

    Raises:
        RecoveryFailed: The plan can't be read, something else lies where its files should be, or the disk refuses.
    """
    path, beside = store.path(SWAP), store.path(RESTORING)
    if not path.exists():
        if beside.exists():
            # a restore died before it had a plan
            effects.remove_tree(beside)
        return False
    swap = _read(path)
    try:
        for move in swap.moves:
            _carry_out(store, move)
        for folder in _touched(swap):
            if store.path(folder).is_dir():
                effects.sync_folder(store.path(folder))
        effects.remove_tree(beside)
        effects.unlink(path)
        effects.sync_folder(path.parent)
    except OSError as error:
        raise RecoveryFailed(
            f"The restore below {store.root} can't be finished: {error.strerror or error}.",
            subject=str(store.root),
            hint="Mend the disk; the next command that writes, or `ontofetch db recover`, finishes it.",
        ) from error
    return True


def refuse_open(store: Store) -> None:
    """Refuse to read a store whose restore was cut short: its files may be half of one catalog and half of another.

    Raises:
        CatalogUnreadable: It was.
    """
    if store.path(SWAP).exists():
        raise CatalogUnreadable(
            f"A restore of the catalog below {store.root} was interrupted.",
            subject=str(store.root),
            hint="`ontofetch db recover` finishes it.",
        )


def _carry_out(store: Store, move: Move) -> None:
    source, target = store.path(move.source), store.path(move.target)
    if _is_what_moves(move, source):
        effects.make_folders(target.parent)
        effects.rename(source, target)
    elif not _is_what_moves(move, target):
        raise RecoveryFailed(
            f"The restore below {store.root} can't be finished: neither {move.source!r} nor {move.target!r} is what it"
            " was to move.",
            subject=move.source,
            hint="`ontofetch db doctor` shows what is where; restore once more when that is clear.",
        )


def _touched(swap: Swap) -> list[str]:
    """Return every folder that got or lost an entry, those above new folders too; the deepest first."""
    touched = set()
    for move in swap.moves:
        for folder in (os.path.dirname(move.source), os.path.dirname(move.target)):
            while folder not in touched:
                touched.add(folder)
                folder = os.path.dirname(folder)  # noqa: PLW2901 - on to the one above
    return sorted(touched, reverse=True)


def _is_what_moves(move: Move, path: StorePath) -> bool:
    with suppress(OSError):
        found = path.lstat()
        size = None if stat.S_ISDIR(found.st_mode) else found.st_size
        return (found.st_ino, size) == (move.inode, move.size)
    return False


def _read(path: StorePath) -> Swap:
    try:
        found: Any = path.read_json()
        swap = Swap([Move(**move) for move in found[f"moves of format {FORMAT}"]])
        for move in swap.moves:
            check_relpath("path", move.source, most=MAX_ROOTED_BYTES)
            check_relpath("path", move.target, most=MAX_ROOTED_BYTES)
            check_size("inode", move.inode)
            if move.size is not None:
                check_size("size", move.size)
    except (OSError, ValueError, KeyError, TypeError, EventError) as error:
        raise RecoveryFailed(
            f"The plan of the interrupted restore, {path}, can't be read: {error}.",
            subject=str(path),
            hint="Remove it and restore once more.",
        ) from error
    return swap
