"""The files of intents: written before anything moves, and read again by whoever ends what a dead process left open.

What an intent says is checked as strictly as what arrives: it may be somebody else's.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator
from json.encoder import encode_basestring_ascii as quoted

from ontofetch_hookspecs.json_documents import check_values
from ontofetch_hookspecs.layout import STAGING
from ontofetch_hookspecs.light_dataclasses import fields_of
from ontofetch_hookspecs.names import quote
from ontofetch_hookspecs.store_paths import MAX_DOCUMENT, StorePath

from ..errors import EventError, PreconditionFailed
from . import fsops
from .connection import Store
from .fsops import whole
from .journal import Intent, Move

FORMAT = 1
UNREADABLE = ".unreadable"
_log = logging.getLogger("ontofetch.catalog.journal")


def write_intent(store: Store, intent: Intent) -> None:
    """Make the intent durable: temp, fsync, rename, fsync folder; and the folder of new documents with it."""
    whole.make_folders(store.intents)
    prepared = store.intents / intent.boundary_id
    if prepared.is_dir():
        fsops.sync_folder(prepared)
    data = _as_json(intent)
    _check_readable(intent, data)
    whole.write_file(intent_path(store, intent.boundary_id), data)


def _as_json(intent: Intent) -> bytes:
    """Return an intent as JSON; a move at a time, as text: as objects they would take several times as long."""
    rest = {"format": FORMAT, **{name: value for name, value in fields_of(intent).items() if name != "moves"}}
    moves = ", ".join(
        f'{{"source": {quoted(source)}, "target": {quoted(target)}, "inode": {inode},'
        f' "size": {"null" if size is None else size}}}'
        for source, target, inode, size in intent.moves
    )
    return f'{json.dumps(rest)[:-1]}, "moves": [{moves}]}}'.encode()


def _check_readable(intent: Intent, data: bytes) -> None:
    """Check that recovery will be able to read an intent.

    Raises:
        PreconditionFailed: It is too large.
    """
    try:
        check_values(data)
        if len(data) <= MAX_DOCUMENT:
            return
    except ValueError:
        # said below, with what to do
        pass
    raise PreconditionFailed(
        f"{len(intent.moves):,} files would have to be moved one by one, more than one boundary can take back.",
        subject=intent.boundary_id,
        hint="Nothing was changed. Leave some out with --include, or record them under another --version.",
    )


def set_aside(path: StorePath) -> None:
    """Rename an intent that can't be read, so that recovery goes on; doctor reports it."""
    aside = path.with_name(path.name.removesuffix(".json") + UNREADABLE)
    if path.is_dir():
        # a folder can't take the place of a former one that is not empty
        whole.remove_tree(aside)
    fsops.rename(path, aside)
    fsops.sync_folder(path.parent)
    _log.error("an intent was unreadable and is set aside as %s; `ontofetch db doctor` looks further", aside.name)


def read_intent(path: StorePath) -> Intent | None:
    """Return what an intent's file says; None if it is unreadable or says what no boundary wrote."""
    try:
        found = path.read_json()
        if not isinstance(found, dict) or found.pop("format") != FORMAT:
            return None
        intent = Intent(**{**found, "moves": [Move(**move) for move in found["moves"]]})
        _check_intent(intent, path)
    except (OSError, ValueError, KeyError, TypeError, EventError):
        return None
    return intent


def _check_intent(intent: Intent, path: StorePath) -> None:
    """Check what an intent says as strictly as what arrives: it may be somebody else's.

    Raises:
        EventError: A path leads out of the store, a stage is none, or a number is none.
    """
    if intent.boundary_id != path.name.removesuffix(".json"):
        raise EventError("The intent is of another boundary.", subject=path.name)
    for named in named_paths(intent):
        # a file that nobody recorded may have any name that a disk allows, so only the way is checked
        if not isinstance(named, str) or not named:
            raise EventError("An intent names no path.", subject=path.name)
        StorePath(path.root, named)
    for stage in intent.stages:
        if os.path.dirname(stage) != STAGING:
            raise EventError(f"An intent retires {quote(stage)}, which is no stage.", subject=path.name)
    for move in intent.moves:
        move.check_numbers()


def named_paths(intent: Intent) -> Iterator[str]:
    """Yield every path below the root that an intent names."""
    yield from intent.folders
    yield from intent.stages
    for move in intent.moves:
        yield move.source
        yield move.target


def intent_path(store: Store, boundary_id: str) -> StorePath:
    """Return the file of a boundary's intent."""
    return store.intents / f"{boundary_id}.json"
