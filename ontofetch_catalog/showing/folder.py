"""The folder of a site: which files in it are the site's, and how it becomes what it should be by what differs alone.

A list in the folder names every file that is the site's or is about to be, and is written before any of them. Whoever
dies in between leaves files that the list has, so the next run knows them and ends the work.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from ontofetch_hookspecs.errors import step_at
from ontofetch_hookspecs.light_dataclasses import dataclass
from ontofetch_hookspecs.names import quote
from ontofetch_hookspecs.store_paths import StorePath

from ..catalog import fsops
from ..catalog.fsops import whole
from ..errors import EventError, OntofetchError, UsageError

LIST = ".ontofetch-site.json"
_FORMAT = 1
_MOST = 1 << 28  # bytes of a page: one that holds the search of a million releases


@dataclass(slots=True)
class Written:
    """What a run did: how many files it wrote, left as they were, and took away."""

    written: int = 0
    kept: int = 0
    removed: int = 0


def check(out: Path, store: Path) -> None:
    """Check that a site can be written to `out`; nothing is left of the attempt.

    Raises:
        UsageError: It is no folder, holds something else than a site, or lies in the store.
        OntofetchError: It can't be looked at or written.
    """
    with _explained(out):
        if out.resolve().is_relative_to(store.resolve()):
            raise UsageError(
                f"{quote(out)} lies in the store.",
                subject="--out",
                hint="Name a folder outside of it: a site is no part of it.",
            )
        top = StorePath(out.absolute(), "")
        if not os.path.lexists(out):
            whole.try_file(_first_that_is(out) / out.name)
            return
        if not out.is_dir():
            raise UsageError(f"{quote(out)} is no folder.", subject="--out", hint="Name a folder, new or of a site.")
        known = _known(top)
        stranger = next(_strangers(top, set(known or ())), None)
        if stranger is not None:
            raise UsageError(
                f"{quote(out)} holds other things than a site, for instance {quote(stranger)}.",
                subject="--out",
                hint="Name a new or empty folder; nothing was touched.",
            )
        whole.try_file(top / LIST)


def write(
    out: Path,
    names: Sequence[str],
    pages: Iterable[tuple[str, bytes]],
    progress: Callable[[int, int | None], None],
) -> Written:
    """Make the folder hold these pages and no others of a site; what is right already is not written.

    Raises:
        OntofetchError: It can't be written, or somebody else writes it now.
    """
    # one call makes everything durable at the end: a file that a power cut spoils is written by the next run
    top = StorePath(out.absolute(), "", durable=False)
    done = Written()
    with _explained(out):
        whole.make_root(top, 0o777)
        with _alone(top):
            before = _known(top) or []
            _note(top, sorted({*before, *names}))
            for number, (name, data) in enumerate(pages, 1):
                _put(top / name, data, done)
                progress(number, len(names))
            for name in sorted({*before} - {*names}, reverse=True):
                _remove(top / name, done)
            _note(top, sorted(names))
            if done.written or done.removed:
                fsops.sync_filesystem(StorePath(top.root, ""))
    return done


def _put(path: StorePath, data: bytes, done: Written) -> None:
    with suppress(FileNotFoundError, NotADirectoryError):
        if path.read_bytes(_MOST) == data:
            done.kept += 1
            return
    whole.make_folders(path.parent)
    whole.write_file(path, data)
    done.written += 1


def _remove(path: StorePath, done: Written) -> None:
    with suppress(FileNotFoundError, NotADirectoryError):
        fsops.unlink(path)
        done.removed += 1
    folder = path.parent
    while folder.relpath:
        try:
            fsops.remove_folder(folder)
        except OSError:
            # something else lies in it
            return
        folder = folder.parent


def _note(top: StorePath, names: Sequence[str]) -> None:
    data = json.dumps({"site": _FORMAT, "pages": names}, indent=0).encode()
    with suppress(FileNotFoundError):
        if (top / LIST).read_bytes(_MOST) == data:
            return
    whole.write_file(top / LIST, data)


def _known(top: StorePath) -> list[str] | None:
    """Return the files that the list of a site names, None where there is no list.

    Raises:
        UsageError: The list is none of ours.
    """
    try:
        document = (top / LIST).read_json(_MOST)
    except FileNotFoundError:
        return None
    except (EventError, ValueError) as error:
        raise _no_list(top) from error
    pages = document.get("pages") if isinstance(document, dict) and document.get("site") == _FORMAT else None
    if not isinstance(pages, list) or not all(isinstance(name, str) and _is_page(name) for name in pages):
        raise _no_list(top)
    return pages


def _no_list(top: StorePath) -> UsageError:
    return UsageError(
        f"The list {LIST} in {quote(top.root)} is not one of a site that this version can go on with.",
        subject="--out",
        hint="Name a new folder; nothing was touched.",
    )


def _is_page(name: str) -> bool:
    """Say whether a name of a list can be one of ours: whoever hands a folder on may have written anything there."""
    parts = name.split("/")
    return (
        all(part and not part.startswith(".") and "\0" not in part for part in parts)
        and (parts[0] == "series" or len(parts) == 1)
        and name.endswith((".html", ".xml"))
    )


def _strangers(top: StorePath, known: set[str]) -> Iterator[str]:
    """Yield the files that are no part of the site; what begins with a dot belongs to whoever publishes it."""
    folders = {name.rpartition("/")[0] for name in known}
    above = {"/".join(folder.split("/")[:depth]) for folder in folders for depth in range(1, folder.count("/") + 2)}
    waiting = [top]
    while waiting:
        folder = waiting.pop()
        for name in folder.names():
            path = folder / name
            if name.startswith("."):
                continue
            if path.relpath in above and path.is_dir():
                waiting.append(path)
            elif path.relpath not in known:
                yield path.relpath


def _first_that_is(path: Path) -> Path:
    """Return the closest folder above `path` that is there."""
    parent = path.absolute().parent
    while not parent.exists() and parent != parent.parent:
        parent = parent.parent
    return parent


@contextmanager
def _alone(top: StorePath) -> Iterator[None]:
    held = fsops.hold(top)
    if held is None:
        raise OntofetchError(
            f"Somebody else writes the site in {quote(top.root)} now.",
            subject=str(top.root),
            hint="Wait until it is done, and repeat the command.",
        )
    try:
        yield
    finally:
        os.close(held)


@contextmanager
def _explained(out: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, RuntimeError) as error:
        # before Python 3.13 links in a circle are a RuntimeError
        raise OntofetchError(
            f"The site in {quote(out)} can't be written: {getattr(error, 'strerror', None) or error}.",
            subject=str(out),
            hint=step_at(
                error, "Name a folder that you may write to; the same command goes on where this one stopped."
            ),
        ) from error
