"""Own every call that changes the disk or the database: the one seam between the catalog and what survives it.

Each function does one thing and lets the error of the system through; what the calls are for, and what to do when one
fails, is not known here. A test replaces the functions named in `SEAM`, numbers their calls and acts at the k-th.
"""

from __future__ import annotations

import ctypes
import errno
import hashlib
import os
import shutil
import stat
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

SEAM = (
    "create_file",
    "write",
    "write_at",
    "sync_file",
    "sync_folder",
    "sync_filesystem",
    "rename",
    "unlink",
    "make_folder",
    "remove_folder",
    "set_times",
    "set_mode",
    "open_database",
    "close_database",
    "execute",
    "begin",
    "commit",
    "rollback",
    "checkpoint",
)
CHUNK = 1 << 20

_durable = True


def set_durability(mode: str) -> None:
    """Switch the syncs of this process: `full`, or `off` for throw-away stores."""
    global _durable  # noqa: PLW0603 - one switch for the process, as ONTOFETCH_DURABILITY is
    _durable = mode != "off"


# --- files and folders ------------------------------------------------------------------------------------------------


def create_file(path: Path) -> int:
    """Create a new file and return its descriptor; FileExistsError if there is something, links are not followed."""
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)


def write(descriptor: int, data: bytes | memoryview) -> None:
    """Write all of `data`; a short write goes on where it stopped."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def write_at(descriptor: int, data: bytes, offset: int) -> None:
    """Write a few bytes at a place in an open file; used for the lock file's text only."""
    os.pwrite(descriptor, data, offset)


def sync_file(descriptor: int) -> None:
    """Make the bytes of an open file durable."""
    if not _durable:
        return
    if sys.platform == "darwin":
        import fcntl

        # fsync on macOS stops at the drive's cache, see fsync(2) there
        fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
    else:
        os.fsync(descriptor)


def sync_folder(path: Path) -> None:
    """Make the entries of a folder durable."""
    if not _durable:
        return
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_filesystem(path: Path) -> bool:
    """Make all of the file system below `path` durable in one call; False where the platform has no such call."""
    if not _durable:
        return True
    if not sys.platform.startswith("linux"):
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if libc.syncfs(descriptor) != 0:
            code = ctypes.get_errno()
            if code == errno.ENOSYS:
                return False
            raise OSError(code, os.strerror(code), str(path))
    finally:
        os.close(descriptor)
    return True


def rename(source: Path, target: Path, *, below: Path | None = None) -> None:
    """Rename within one file system; what `target` names is replaced only if it is a file or an empty folder.

    Args:
        source: What moves.
        target: Its new name.
        below: A folder that holds both: then no folder on the way from it may be a link, also if one takes the place of
            a folder at this moment.
    """
    if below is None:
        source.rename(target)
        return
    with _opened(below, source.parent) as from_folder, _opened(below, target.parent) as to_folder:
        os.rename(source.name, target.name, src_dir_fd=from_folder, dst_dir_fd=to_folder)


@contextmanager
def _opened(top: Path, folder: Path) -> Iterator[int]:
    descriptor = open_folder(top, folder.relative_to(top).as_posix())
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def unlink(path: Path, *, folder: int | None = None) -> None:
    """Remove one file; a link goes, not what it points to.

    Args:
        path: The file.
        folder: Descriptor of the folder that holds it: then only the name of `path` counts, wherever its folders lead
            by now.
    """
    if folder is None:
        path.unlink()
    else:
        os.unlink(path.name, dir_fd=folder)


def make_folder(path: Path) -> None:
    """Make one folder; FileExistsError if there is something."""
    path.mkdir()


def remove_folder(path: Path, *, folder: int | None = None) -> None:
    """Remove one empty folder; `folder` as for `unlink`."""
    if folder is None:
        path.rmdir()
    else:
        os.rmdir(path.name, dir_fd=folder)


def set_mode(path: Path, mode: int) -> None:
    """Set the permissions of a file or folder, never of what a link points to."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        os.fchmod(descriptor, mode)
    finally:
        os.close(descriptor)


def set_times(path: Path, modified_ns: int) -> None:
    """Set the modification time of a file, nanoseconds since 1970 UTC."""
    os.utime(path, ns=(modified_ns, modified_ns), follow_symlinks=False)


# --- made of the above ------------------------------------------------------------------------------------------------


def make_folders(path: Path) -> list[Path]:
    """Make `path` and the folders above it that are missing, durable; return those made, outermost first."""
    missing = []
    while not path.is_dir():
        missing.append(path)
        path = path.parent
    for folder in reversed(missing):
        make_folder(folder)
        sync_folder(folder.parent)
    return missing[::-1]


def write_new(path: Path, chunks: Iterable[bytes | memoryview]) -> tuple[str, int]:
    """Write `chunks` to a new file and make them durable; return sha256 in hex and size in bytes.

    A file that can't be written whole is removed again.
    """
    digest = hashlib.sha256()
    size = 0
    descriptor = create_file(path)
    try:
        for chunk in chunks:
            with _beside(digest.update, chunk):
                write(descriptor, chunk)
            size += len(chunk)
        sync_file(descriptor)
    except BaseException:
        with suppress(OSError):
            unlink(path)
        raise
    finally:
        os.close(descriptor)
    return digest.hexdigest(), size


@contextmanager
def _beside(work: Callable[[bytes | memoryview], object], chunk: bytes | memoryview) -> Iterator[None]:
    """Do `work` with a large chunk in a thread beside what is done here, else before it; raise its errors."""
    if len(chunk) < CHUNK:
        work(chunk)
        yield
        return
    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(work, chunk)
        yield
        done.result()


def write_file(path: Path, data: bytes) -> None:
    """Put `data` under the name `path`, durable and whole or not at all: temp, fsync, rename, fsync folder."""
    temporary = _temporary(path)
    drop_unfinished(path)
    write_new(temporary, (data,))
    rename(temporary, path)
    sync_folder(path.parent)


def drop_unfinished(path: Path) -> None:
    """Remove what a process left that died while it wrote `path` by `write_file`, if there is something."""
    with suppress(FileNotFoundError):
        unlink(_temporary(path))


def _temporary(path: Path) -> Path:
    return path.with_name(f".{path.name}.new")


def copy_file(source: Path, target: Path) -> tuple[str, int]:
    """Copy a file to a new name with its time, durable; return sha256 in hex and size in bytes. Follows no link."""
    descriptor = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb", buffering=0) as stream:
        found = write_new(target, iter(lambda: stream.read(CHUNK), b""))
        set_times(target, os.fstat(stream.fileno()).st_mtime_ns)
    return found


def copy_tree(source: Path, target: Path) -> None:
    """Copy a folder of files and folders to a new name, each file and folder durable. Follows no link."""
    make_folder(target)
    for entry in sorted(os.scandir(source), key=lambda found: found.name):
        if entry.is_dir(follow_symlinks=False):
            copy_tree(Path(entry.path), target / entry.name)
        else:
            copy_file(Path(entry.path), target / entry.name)
    sync_folder(target)


def remove_tree(path: Path) -> None:
    """Remove a folder with all that is in it, if it is there; leaves nothing half removed behind.

    The deepest go first, so that a kill on the way leaves a smaller tree of the same form. Every folder is opened below
    the descriptor of the one around it, so no link is ever followed, also if one takes the place of a folder meanwhile.
    """
    try:
        top = open_folder(path.parent, path.name)
    except FileNotFoundError:
        return
    stack = [(path, top, _names(top))]
    try:
        while stack:
            folder, descriptor, names = stack[-1]
            if not names:
                stack.pop()
                os.close(descriptor)
                remove_folder(folder, folder=stack[-1][1] if stack else None)
                continue
            name, is_folder = names.pop()
            if is_folder:
                inner = open_folder(descriptor, name)
                stack.append((folder / name, inner, _names(inner)))
            else:
                unlink(folder / name, folder=descriptor)
    finally:
        for _, descriptor, _ in stack:
            os.close(descriptor)


def _names(descriptor: int) -> list[tuple[str, bool]]:
    """Return (name, whether it is a folder) of what an open folder holds, last name first."""
    with os.scandir(descriptor) as entries:
        return sorted(((entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries), reverse=True)


def open_folder(top: Path | int, relpath: str) -> int:
    """Return a descriptor of the folder `relpath` below `top`, which may itself be reached by a link.

    Raises:
        OSError: One of its parts is missing, a link (ENOTDIR or ELOOP), or no folder.
    """
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    if isinstance(top, int) and "/" not in relpath:
        return os.open(relpath, flags, dir_fd=top)
    descriptor = os.dup(top) if isinstance(top, int) else os.open(top, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    for part in relpath.split("/") if relpath != "." else ():
        try:
            inner = os.open(part, flags, dir_fd=descriptor)
        finally:
            os.close(descriptor)
        descriptor = inner
    return descriptor


def walk(folder: Path) -> Iterator[tuple[str, os.stat_result]]:
    """Yield (POSIX path below `folder`, lstat) of everything below it that is no folder; an explicit stack, unsorted.

    Raises:
        OSError: A folder can't be read.
    """
    stack = [(os.fspath(folder), "")]
    while stack:
        path, prefix = stack.pop()
        with os.scandir(path) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    stack.append((entry.path, f"{prefix}{entry.name}/"))
                else:
                    yield prefix + entry.name, entry.stat(follow_symlinks=False)


def hash_file(path: Path) -> tuple[str, int]:
    """Return sha256 in hex and size in bytes of a regular file.

    Raises:
        OSError: It can't be read, is a link (ELOOP), or no regular file (EINVAL).
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb", buffering=0) as stream:
        found = os.fstat(stream.fileno())
        if not stat.S_ISREG(found.st_mode):
            raise OSError(errno.EINVAL, "not a regular file", str(path))
        return hashlib.file_digest(stream, "sha256").hexdigest(), found.st_size


def free_bytes(path: Path) -> int:
    """Return how many bytes are free on the file system of `path`."""
    return shutil.disk_usage(path).free


# --- the database -----------------------------------------------------------------------------------------------------


def open_database(path: Path, config: Mapping[str, str | int | bool], *, read_only: bool) -> duckdb.DuckDBPyConnection:
    """Open a DuckDB file."""
    import duckdb

    return duckdb.connect(str(path), read_only=read_only, config=dict(config))


def close_database(connection: duckdb.DuckDBPyConnection) -> None:
    """Close a connection and with it the file."""
    connection.close()


def execute(
    connection: duckdb.DuckDBPyConnection,
    sql: str,
    parameters: Sequence[Any] | Mapping[str, Any] | None = None,
    tables: Mapping[str, pa.Table] | None = None,
) -> int:
    """Run statements that change rows or schema and return the number of rows changed by the last.

    Args:
        connection: An open connection.
        sql: The statements; values go in as parameters.
        parameters: Their parameters.
        tables: Arrow tables that the statements name, visible only to them.
    """
    for name, table in (tables or {}).items():
        connection.register(name, table)
    try:
        result = connection.execute(sql, parameters) if parameters is not None else connection.execute(sql)
        # DuckDB 2 refuses the next statement as long as a result is not read to its end
        changed = result.fetchall() if result.description else []
        return changed[0][0] if changed and isinstance(changed[0][0], int) else 0
    finally:
        for name in tables or {}:
            connection.unregister(name)


def begin(connection: duckdb.DuckDBPyConnection) -> None:
    """Begin a transaction."""
    connection.execute("BEGIN TRANSACTION")


def commit(connection: duckdb.DuckDBPyConnection) -> None:
    """Commit; when it fails the outcome is unknown and the connection may not be used again."""
    connection.execute("COMMIT")


def rollback(connection: duckdb.DuckDBPyConnection) -> None:
    """Roll back."""
    connection.execute("ROLLBACK")


def checkpoint(connection: duckdb.DuckDBPyConnection) -> None:
    """Move what is in the write-ahead log into the database file."""
    connection.execute("CHECKPOINT")
