"""The swap of a restore or a rebuild: which files leave, which take their place, how one cut short is finished.

Its plan is durable before the first rename, and from then on there is only forward: everything was checked before.
It knows paths and inodes, nothing of backups.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from typing import Any

from ontofetch_hookspecs.errors import SYSTEM_CODES
from ontofetch_hookspecs.layout import RESTORING, SWAP
from ontofetch_hookspecs.light_dataclasses import dataclass
from ontofetch_hookspecs.names import MAX_ROOTED_BYTES, check_relpath, quote
from ontofetch_hookspecs.store_paths import StorePath

from ..errors import CatalogUnreadable, EventError, RecoveryFailed
from . import fsops
from .connection import Store
from .failures import explaining
from .fsops import whole
from .journal import Move, identity

FORMAT = 1
RESTORE, REBUILD = "restore", "rebuild"
EITHER = "restore or rebuild"  # of a plan that does not say


@dataclass(frozen=True, slots=True)
class Swap:
    """The renames of one restore or rebuild, in order; their folders are made on the way."""

    moves: Sequence[Move]
    operation: str


def make_move(store: Store, source: str, target: str) -> Move:
    """Return the move of what is at `source` now; `target` may still be occupied by what an earlier move takes away."""
    return Move(source, target, *identity(store.path(source).lstat()))


def begin(store: Store, swap: Swap) -> None:
    """Make the plan durable; what it moves is durable already."""
    # whose record it was to be leaves, and nobody else would write that one again
    whole.drop_unfinished(store.generation)
    content = {f"moves of format {FORMAT}": [move._asdict() for move in swap.moves], "operation": swap.operation}
    whole.write_file(store.path(SWAP), json.dumps(content, indent=1).encode())


def finish(store: Store) -> str:
    """Carry out whatever is left of an open swap; the caller writes alone.

    Returns:
        What was interrupted, as sentences name it: RESTORE, REBUILD or EITHER; empty if nothing was open.

    Raises:
        RecoveryFailed: The plan can't be read, something else lies where its files should be, or the disk refuses.
    """
    path, beside = store.path(SWAP), store.path(RESTORING)
    if not path.exists():
        if beside.exists():
            # a restore died before it had a plan
            whole.remove_tree(beside)
        return ""
    swap = _read(path)
    with explaining(
        f"The {swap.operation} below {store.root} can't be finished",
        database=store.database,
        kind=RecoveryFailed,
        subject=str(store.root),
        state="The next command that writes, or `ontofetch db recover`, finishes it.",
    ):
        for move in swap.moves:
            _carry_out(store, swap, move)
        for folder in _touched(swap):
            if store.path(folder).is_dir():
                fsops.sync_folder(store.path(folder))
        whole.remove_tree(beside)
        fsops.unlink(path)
        fsops.sync_folder(path.parent)
    return swap.operation


def refuse_open(store: Store) -> None:
    """Refuse to read a store whose restore or rebuild was cut short: its files may be halves of two catalogs.

    Raises:
        CatalogUnreadable: It was.
    """
    path = store.path(SWAP)
    if path.exists():
        raise CatalogUnreadable(
            f"A {_read(path).operation} of the catalog below {store.root} was interrupted.",
            subject=str(store.root),
            hint="`ontofetch db recover` finishes it.",
        )


def _carry_out(store: Store, swap: Swap, move: Move) -> None:
    source, target = store.path(move.source), store.path(move.target)
    if move.is_at(source):
        whole.make_folders(target.parent)
        fsops.rename(source, target)
    elif not move.is_at(target):
        raise RecoveryFailed(
            f"The {swap.operation} below {store.root} can't be finished: neither {quote(move.source)} nor"
            f" {quote(move.target)} is what it was to move.",
            subject=move.source,
            hint="`ontofetch db doctor` shows what is where; run the same command again when that is clear.",
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


def _read(path: StorePath) -> Swap:
    try:
        found: Any = path.read_json()
        moves = [Move(**move) for move in found[f"moves of format {FORMAT}"]]
        swap = Swap(moves, found["operation"] if found.get("operation") in (RESTORE, REBUILD) else EITHER)
        for move in swap.moves:
            check_relpath("path", move.source, most=MAX_ROOTED_BYTES)
            check_relpath("path", move.target, most=MAX_ROOTED_BYTES)
            move.check_numbers()
    except (OSError, ValueError, KeyError, TypeError, AttributeError, EventError) as error:
        if isinstance(error, OSError) and error.errno in SYSTEM_CODES:
            raise
        raise RecoveryFailed(
            f"The plan of the interrupted {EITHER}, {path}, can't be read: {error}.",
            subject=str(path),
            hint="Remove it and run the same command again.",
        ) from error
    return swap
