"""Files and folders that are made, copied or removed whole, each by several calls of `fsops` in an order that lasts.

What is cut off in the middle leaves what a repeat, or who comes next, knows how to clear away.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING

from ontofetch_hookspecs.beneath import entries_of
from ontofetch_hookspecs.store_paths import StorePath

from .. import fsops

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor


def make_root(path: StorePath, mode: int) -> None:
    """Make the folder of a store where there is none, with these permissions, and those above it; durable."""
    missing = []
    folder = path.root
    while not folder.is_dir():
        missing.append(folder)
        folder = folder.parent
    for folder in reversed(missing):
        fsops.make_folder(folder, mode if folder == path.root else 0o777)
        if path.durable:
            fsops.sync_folder(folder.parent)


def make_folders(path: StorePath) -> list[StorePath]:
    """Make `path` and the folders above it that are missing, durable; return those made, outermost first."""
    missing = []
    while path.relpath and not path.is_dir():
        missing.append(path)
        path = path.parent
    for folder in reversed(missing):
        if folder.exists():
            raise NotADirectoryError(errno.ENOTDIR, "a link or a file lies in the place of a folder", str(folder))
        fsops.make_folder(folder)
        fsops.sync_folder(folder.parent)
    return missing[::-1]


def _one_thread() -> ThreadPoolExecutor:
    from concurrent.futures import ThreadPoolExecutor

    return ThreadPoolExecutor(1)


def write_new(path: fsops.Anywhere, chunks: Iterable[bytes | memoryview]) -> tuple[str, int]:
    """Write `chunks` to a new file and make them durable; return sha256 in hex and size in bytes.

    Large chunks are hashed in one thread beside the writing. A file that can't be written whole is removed again.
    """
    digest = hashlib.sha256()
    size = 0
    with _new_file(path) as descriptor, ExitStack() as stack:
        pool = None
        for chunk in chunks:
            if len(chunk) >= fsops.CHUNK:
                pool = pool or stack.enter_context(_one_thread())
                hashed = pool.submit(digest.update, chunk)
                fsops.write(descriptor, chunk)
                hashed.result()
            else:
                digest.update(chunk)
                fsops.write(descriptor, chunk)
            size += len(chunk)
    return digest.hexdigest(), size


@contextmanager
def _new_file(path: fsops.Anywhere, *, durable: bool = True) -> Iterator[int]:
    """Give the descriptor of a new file, which is made durable at the end, or removed where that can't be reached."""
    descriptor = fsops.create_file(path)
    try:
        yield descriptor
        if durable:
            sync_opened(path, descriptor)
    except BaseException:
        with suppress(OSError):
            fsops.unlink(path)
        raise
    finally:
        os.close(descriptor)


def sync_opened(path: fsops.Anywhere, descriptor: int) -> None:
    """Make the bytes of a file that is open durable, unless its store does without."""
    if fsops.is_durable(path):
        fsops.sync_file(descriptor)


def write_file(path: fsops.Anywhere, data: bytes) -> None:
    """Put `data` under the name `path`, durable and whole or not at all: temp, fsync, rename, fsync folder."""
    temporary = _temporary(path)
    drop_unfinished(path)
    with _new_file(temporary) as descriptor:
        fsops.write(descriptor, data)
    fsops.rename(temporary, path)
    fsops.sync_folder(path.parent)


def try_file(path: fsops.Anywhere) -> None:
    """Raise what `write_file` would raise about the name and the folder of `path`, before there is something to write.

    Nothing is left of it, and what lies there already is not touched.
    """
    # one that is there could be made: somebody died here, or is writing now
    with suppress(FileExistsError):
        os.close(fsops.create_file(_temporary(path)))
        drop_unfinished(path)


def drop_unfinished(path: fsops.Anywhere) -> None:
    """Remove what a process left that died while it wrote `path` by `write_file`, if there is something."""
    with suppress(FileNotFoundError):
        fsops.unlink(_temporary(path))


def _temporary(path: fsops.Anywhere) -> fsops.Anywhere:
    return path.with_name(f".{path.name}.new")


def copy_file(source: fsops.Anywhere, target: fsops.Anywhere) -> tuple[str, int]:
    """Copy a file to a new name with its time, durable; return sha256 in hex and size in bytes. Follows no link."""
    with os.fdopen(fsops.open_file(source), "rb", buffering=0) as stream:
        found = write_new(target, iter(lambda: stream.read(fsops.CHUNK), b""))
        fsops.set_times(target, os.fstat(stream.fileno()).st_mtime_ns)
    return found


def clone_file(source: int, target: fsops.Anywhere, like: os.stat_result) -> None:
    """Make a new file of the bytes of an open one that shares its room on the disk until one of them is written.

    Nothing is left where that fails.

    Args:
        source: Descriptor of the file.
        target: The new name; FileExistsError if there is something.
        like: Says permissions and time of the new file.

    Raises:
        OSError: As `fsops.clone`.
    """
    with _new_file(target, durable=False) as descriptor:
        fsops.clone(source, descriptor)
        fsops.finish_file(descriptor, stat.S_IMODE(like.st_mode), like.st_mtime_ns)


def copy_tree(source: fsops.Anywhere, target: StorePath) -> None:
    """Copy a folder of files and folders to a new name, each file and folder durable. Follows no link."""
    fsops.make_folder(target)
    folder = fsops.open_folder_of(source)
    try:
        found = entries_of(folder)
    finally:
        os.close(folder)
    for name, kind in found:
        if kind == stat.S_IFDIR:
            copy_tree(source / name, target / name)
        else:
            copy_file(source / name, target / name)
    fsops.sync_folder(target)


def remove_tree(path: fsops.Anywhere) -> None:
    """Remove a folder with all that is in it, or a file, if it is there; leaves nothing half removed behind.

    The deepest go first, so that a kill on the way leaves a smaller tree of the same form. Every folder is opened below
    the descriptor of the one around it, so no link is ever followed, also if one takes the place of a folder meanwhile.
    """
    try:
        top = path.open_folder() if isinstance(path, StorePath) else fsops.open_folder(path.parent, path.name)
    except FileNotFoundError:
        return
    except OSError as error:
        if error.errno not in (errno.ENOTDIR, errno.ELOOP):
            raise
        fsops.unlink(path)
        return
    stack = [(path, top, entries_of(top)[::-1])]
    try:
        while stack:
            folder, descriptor, names = stack[-1]
            if not names:
                stack.pop()
                os.close(descriptor)
                fsops.remove_folder(folder, folder=stack[-1][1] if stack else None)
                continue
            name, kind = names.pop()
            if kind == stat.S_IFDIR:
                inner = fsops.open_folder(descriptor, name)
                stack.append((folder / name, inner, entries_of(inner)[::-1]))
            else:
                fsops.unlink(folder / name, folder=descriptor)
    finally:
        for _, descriptor, _ in stack:
            os.close(descriptor)
