"""Every call that changes the disk or the database: the one seam between the catalog and what survives it.

Each function does one thing and lets the error of the system through; what the calls are for, and what to do when one
fails, is not known here. A test replaces the functions named in `FAULT_POINTS`, numbers their calls, acts at the k-th.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import hashlib
import os
import shutil
import stat
import struct
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ontofetch_hookspecs.beneath import open_beneath
from ontofetch_hookspecs.store_paths import StorePath, entries_of

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

    import duckdb
    import pyarrow as pa

Anywhere = StorePath | Path  # below a store; or where a user or a host says: a backup's target, an output, staged bytes

FAULT_POINTS = (
    "create_file",
    "write",
    "write_at",
    "sync_file",
    "sync_folder",
    "sync_filesystem",
    "rename",
    "link",
    "clone",
    "share_extents",
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
FICLONE, _FIDEDUPERANGE = 0x40049409, 0xC0189436  # of linux/fs.h: by them files share their room on the disk
_RANGE, _RANGE_TARGET = struct.Struct("=QQHHI"), struct.Struct("=qQQiI")
# what a database may not do, whatever it has in it: reach files, load code, look at our variables
CLOSED = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "enable_external_access": False,
    "python_enable_replacements": False,
}


# --- files and folders ------------------------------------------------------------------------------------------------


def create_file(path: Anywhere) -> int:
    """Create a new file and return its descriptor; FileExistsError if there is something, links are not followed."""
    if isinstance(path, StorePath):
        return path.create_file()
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
    _sync(descriptor)


def sync_folder(path: Anywhere) -> None:
    """Make the entries of a folder durable, unless its store does without."""
    if not is_durable(path):
        return
    descriptor = open_folder_of(path)
    try:
        _sync(descriptor)
    finally:
        os.close(descriptor)


def _sync(descriptor: int) -> None:
    """Have the drive write what it was given for an open file or folder."""
    if sys.platform == "darwin":
        import fcntl

        # fsync on macOS stops at the drive's cache, see fsync(2) there
        try:
            fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
        except OSError as error:
            # some file systems, of a network for instance, don't know the call: nothing was tried yet
            if error.errno not in (errno.ENOTSUP, errno.EINVAL, errno.ENOTTY):
                raise
        else:
            return
    os.fsync(descriptor)


def is_durable(path: Anywhere) -> bool:
    """Say whether what is written at a path is made durable: always, but where a store does without."""
    return not isinstance(path, StorePath) or path.durable


def sync_filesystem(path: Anywhere) -> bool:
    """Make all of the file system of the folder `path` durable in one call; False where there is no such call."""
    if not is_durable(path):
        return True
    if not sys.platform.startswith("linux"):
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    descriptor = open_folder_of(path)
    try:
        if libc.syncfs(descriptor) != 0:
            code = ctypes.get_errno()
            if code == errno.ENOSYS:
                return False
            raise OSError(code, os.strerror(code), str(path))
    finally:
        os.close(descriptor)
    return True


def rename(source: Anywhere, target: Anywhere, *, from_folder: int | None = None, to_folder: int | None = None) -> None:
    """Rename within one file system; what `target` names is replaced only if it is a file or an empty folder.

    Args:
        source: The name before.
        target: The name after.
        from_folder: Descriptor of the folder of `source`, as for `unlink`.
        to_folder: Likewise of `target`.
    """
    with _in_folder(source, from_folder) as (before, former), _in_folder(target, to_folder) as (after, name):
        os.rename(former, name, src_dir_fd=before, dst_dir_fd=after)


def link(source: Anywhere, target: Anywhere, *, from_folder: int | None = None, to_folder: int | None = None) -> None:
    """Give a file another name; FileExistsError if there is something, and a link gets the name, not what it points to.

    Args:
        source: The name that is there.
        target: The new one.
        from_folder: Descriptor of the folder of `source`, as for `unlink`.
        to_folder: Likewise of `target`.
    """
    with _in_folder(source, from_folder) as (before, former), _in_folder(target, to_folder) as (after, name):
        os.link(former, name, src_dir_fd=before, dst_dir_fd=after, follow_symlinks=False)


def clone(source: int, target: Anywhere, like: os.stat_result) -> None:
    """Make a new file of the bytes of an open one that shares its room on the disk until one of them is written.

    Nothing is left where that fails.

    Args:
        source: Descriptor of the file.
        target: The new name; FileExistsError if there is something.
        like: Says permissions and time of the new file.

    Raises:
        OSError: The file system can't (EOPNOTSUPP, EINVAL), they lie on two of them (EXDEV), or it refuses.
    """
    descriptor = create_file(target)
    try:
        fcntl.ioctl(descriptor, FICLONE, source)
        os.fchmod(descriptor, stat.S_IMODE(like.st_mode))
        os.utime(descriptor, ns=(like.st_mtime_ns, like.st_mtime_ns))
    except BaseException:
        with suppress(OSError):
            unlink(target)
        raise
    finally:
        os.close(descriptor)


def share_extents(source: int, target: int, size: int) -> bool:
    """Let two open files share their room on the disk, if the kernel finds their bytes equal; neither changes.

    Args:
        source: Descriptor of the one whose room is kept.
        target: Descriptor of the one whose room is freed; it belongs to us or can be written.
        size: Bytes that both have.

    Returns:
        Whether they are equal; where they are not, what comes before the difference may be shared.

    Raises:
        OSError: The file system can't (EOPNOTSUPP, EINVAL), they lie on two of them (EXDEV), or it refuses.
    """
    done = 0
    while done < size:
        asked = bytearray(_RANGE.pack(done, size - done, 1, 0, 0) + _RANGE_TARGET.pack(target, done, 0, 0, 0))
        fcntl.ioctl(source, _FIDEDUPERANGE, asked)
        _, _, shared, status, _ = _RANGE_TARGET.unpack_from(asked, _RANGE.size)
        if status < 0:
            raise OSError(-status, os.strerror(-status))
        if status or not shared:
            return False
        done += shared
    return True


def unlink(path: Anywhere, *, folder: int | None = None) -> None:
    """Remove one file; a link goes, not what it points to.

    Args:
        path: The file.
        folder: Descriptor of the folder that holds it: then only the name of `path` counts, wherever its folders lead
            by now.
    """
    with _in_folder(path, folder) as (inside, name):
        os.unlink(name, dir_fd=inside)


def make_folder(path: Anywhere, mode: int = 0o777) -> None:
    """Make one folder, with these permissions but for the umask's; FileExistsError if there is something."""
    with _in_folder(path) as (folder, name):
        os.mkdir(name, mode, dir_fd=folder)


def remove_folder(path: Anywhere, *, folder: int | None = None) -> None:
    """Remove one empty folder; `folder` as for `unlink`."""
    with _in_folder(path, folder) as (inside, name):
        os.rmdir(name, dir_fd=inside)


def set_mode(path: Anywhere, mode: int) -> None:
    """Set the permissions of a file or folder, never of what a link points to."""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    if isinstance(path, StorePath) and not path.relpath:
        descriptor = open_folder_of(path)
    else:
        with _in_folder(path) as (folder, name):
            descriptor = os.open(name, flags, dir_fd=folder)
    try:
        os.fchmod(descriptor, mode)
    finally:
        os.close(descriptor)


def set_times(path: Anywhere, modified_ns: int) -> None:
    """Set the modification time of a file, nanoseconds since 1970 UTC."""
    with _in_folder(path) as (folder, name):
        os.utime(name, ns=(modified_ns, modified_ns), dir_fd=folder, follow_symlinks=False)


def finish_file(descriptor: int, mode: int, modified_ns: int) -> None:
    """Set the permissions and the modification time of an open file, nanoseconds since 1970 UTC."""
    os.fchmod(descriptor, mode)
    os.utime(descriptor, ns=(modified_ns, modified_ns))


@contextmanager
def _in_folder(path: Anywhere, folder: int | None = None) -> Iterator[tuple[int | None, str]]:
    """Give the folder's descriptor and the name in it that stand for a path; outside of a store the path itself."""
    if folder is not None:
        yield folder, path.name
    elif isinstance(path, StorePath):
        with path.in_folder() as found:
            yield found
    else:
        yield None, str(path)


def open_folder_of(path: Anywhere) -> int:
    """Return a descriptor of a folder, below a store or where a user or a host says."""
    if isinstance(path, StorePath):
        return path.open_folder()
    return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)


# --- made of the above ------------------------------------------------------------------------------------------------


def make_root(path: StorePath, mode: int) -> None:
    """Make the folder of a store where there is none, with these permissions, and those above it; durable."""
    missing = []
    folder = path.root
    while not folder.is_dir():
        missing.append(folder)
        folder = folder.parent
    for folder in reversed(missing):
        make_folder(folder, mode if folder == path.root else 0o777)
        if path.durable:
            sync_folder(folder.parent)


def sync_opened(path: Anywhere, descriptor: int) -> None:
    """Make the bytes of a file that is open durable, unless its store does without."""
    if is_durable(path):
        sync_file(descriptor)


def make_folders(path: StorePath) -> list[StorePath]:
    """Make `path` and the folders above it that are missing, durable; return those made, outermost first."""
    missing = []
    while path.relpath and not path.is_dir():
        missing.append(path)
        path = path.parent
    for folder in reversed(missing):
        if folder.exists():
            raise NotADirectoryError(errno.ENOTDIR, "a link or a file lies in the place of a folder", str(folder))
        make_folder(folder)
        sync_folder(folder.parent)
    return missing[::-1]


def _one_thread() -> ThreadPoolExecutor:
    from concurrent.futures import ThreadPoolExecutor

    return ThreadPoolExecutor(1)


def write_new(path: Anywhere, chunks: Iterable[bytes | memoryview]) -> tuple[str, int]:
    """Write `chunks` to a new file and make them durable; return sha256 in hex and size in bytes.

    Large chunks are hashed in one thread beside the writing. A file that can't be written whole is removed again.
    """
    digest = hashlib.sha256()
    size = 0
    descriptor = create_file(path)
    try:
        with ExitStack() as stack:
            pool = None
            for chunk in chunks:
                if len(chunk) >= CHUNK:
                    pool = pool or stack.enter_context(_one_thread())
                    hashed = pool.submit(digest.update, chunk)
                    write(descriptor, chunk)
                    hashed.result()
                else:
                    digest.update(chunk)
                    write(descriptor, chunk)
                size += len(chunk)
        sync_opened(path, descriptor)
    except BaseException:
        with suppress(OSError):
            unlink(path)
        raise
    finally:
        os.close(descriptor)
    return digest.hexdigest(), size


def write_file(path: Anywhere, data: bytes) -> None:
    """Put `data` under the name `path`, durable and whole or not at all: temp, fsync, rename, fsync folder."""
    temporary = _temporary(path)
    drop_unfinished(path)
    write_new(temporary, (data,))
    rename(temporary, path)
    sync_folder(path.parent)


def try_file(path: Anywhere) -> None:
    """Raise what `write_file` would raise about the name and the folder of `path`, before there is something to write.

    Nothing is left of it, and what lies there already is not touched.
    """
    # one that is there could be made: somebody died here, or is writing now
    with suppress(FileExistsError):
        os.close(create_file(_temporary(path)))
        drop_unfinished(path)


@contextmanager
def opened_special(path: Path | int) -> Iterator[int]:
    """Give a descriptor for writing to a pipe or a device, or a copy of one that is open; a pipe waits for a reader."""
    descriptor = os.dup(path) if isinstance(path, int) else os.open(path, os.O_WRONLY | os.O_NOCTTY | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def drop_unfinished(path: Anywhere) -> None:
    """Remove what a process left that died while it wrote `path` by `write_file`, if there is something."""
    with suppress(FileNotFoundError):
        unlink(_temporary(path))


def _temporary(path: Anywhere) -> Anywhere:
    return path.with_name(f".{path.name}.new")


def open_file(path: Anywhere) -> int:
    """Open a regular file for reading and return its descriptor; follows no link and waits for nothing.

    Raises:
        OSError: It can't be read, is a link (ELOOP), or no regular file (EINVAL).
    """
    if isinstance(path, StorePath):
        return path.open_file()
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is no regular file", str(path))
    return descriptor


def copy_file(source: Anywhere, target: Anywhere) -> tuple[str, int]:
    """Copy a file to a new name with its time, durable; return sha256 in hex and size in bytes. Follows no link."""
    with os.fdopen(open_file(source), "rb", buffering=0) as stream:
        found = write_new(target, iter(lambda: stream.read(CHUNK), b""))
        set_times(target, os.fstat(stream.fileno()).st_mtime_ns)
    return found


def copy_tree(source: Anywhere, target: StorePath) -> None:
    """Copy a folder of files and folders to a new name, each file and folder durable. Follows no link."""
    make_folder(target)
    folder = open_folder_of(source)
    try:
        found = entries_of(folder)
    finally:
        os.close(folder)
    for name, kind in found:
        if kind == stat.S_IFDIR:
            copy_tree(source / name, target / name)
        else:
            copy_file(source / name, target / name)
    sync_folder(target)


def remove_tree(path: Anywhere) -> None:
    """Remove a folder with all that is in it, or a file, if it is there; leaves nothing half removed behind.

    The deepest go first, so that a kill on the way leaves a smaller tree of the same form. Every folder is opened below
    the descriptor of the one around it, so no link is ever followed, also if one takes the place of a folder meanwhile.
    """
    try:
        top = path.open_folder() if isinstance(path, StorePath) else open_folder(path.parent, path.name)
    except FileNotFoundError:
        return
    except OSError as error:
        if error.errno not in (errno.ENOTDIR, errno.ELOOP):
            raise
        unlink(path)
        return
    stack = [(path, top, entries_of(top)[::-1])]
    try:
        while stack:
            folder, descriptor, names = stack[-1]
            if not names:
                stack.pop()
                os.close(descriptor)
                remove_folder(folder, folder=stack[-1][1] if stack else None)
                continue
            name, kind = names.pop()
            if kind == stat.S_IFDIR:
                inner = open_folder(descriptor, name)
                stack.append((folder / name, inner, entries_of(inner)[::-1]))
            else:
                unlink(folder / name, folder=descriptor)
    finally:
        for _, descriptor, _ in stack:
            os.close(descriptor)


def open_folder(top: Path | int, relpath: str) -> int:
    """Return a descriptor of the folder `relpath` below `top`, which may itself be reached by a link.

    Raises:
        OSError: One of its parts is missing, a link (ENOTDIR or ELOOP), or no folder.
    """
    if isinstance(top, int):
        return os.dup(top) if relpath in ("", ".") else open_beneath(top, relpath, os.O_RDONLY | os.O_DIRECTORY)
    return StorePath(top, "" if relpath == "." else relpath).open_folder()


def open_root(root: Path) -> int:
    """Return a descriptor of a store's root, for what is opened below it."""
    return StorePath(root, "").open_folder()


def list_names(folder: Anywhere) -> list[str]:
    """Return the names in a folder, sorted."""
    descriptor = open_folder_of(folder)
    try:
        return [name for name, _ in entries_of(descriptor)]
    finally:
        os.close(descriptor)


def walk(folder: Anywhere) -> Iterator[tuple[str, os.stat_result]]:
    """Yield (POSIX path below `folder`, lstat) of everything below it that is no folder; explicit stack, unsorted.

    Every folder is opened below the one around it, never through a link.

    Raises:
        OSError: A folder can't be read.
    """
    stack = [(open_folder_of(folder), "")]
    try:
        while stack:
            descriptor, prefix = stack.pop()
            try:
                with os.scandir(descriptor) as entries:
                    for entry in entries:
                        if entry.is_dir(follow_symlinks=False):
                            stack.append((open_folder(descriptor, entry.name), f"{prefix}{entry.name}/"))
                        else:
                            yield prefix + entry.name, entry.stat(follow_symlinks=False)
            finally:
                os.close(descriptor)
    finally:
        for descriptor, _ in stack:
            os.close(descriptor)


def hash_file(path: Anywhere) -> tuple[str, int]:
    """Return sha256 in hex and size in bytes of a regular file.

    Raises:
        OSError: As `open_file`.
    """
    with os.fdopen(open_file(path), "rb", buffering=0) as stream:
        size = os.fstat(stream.fileno()).st_size
        return hashlib.file_digest(stream, "sha256").hexdigest(), size


def hold(path: Anywhere) -> int | None:
    """Lock a file or folder until the returned descriptor is closed; None if it is gone or somebody else holds it."""
    try:
        found = open_folder_of(path) if path.is_dir() else open_file(path)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(found, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(found)
        return None
    return found


def free_bytes(path: Path) -> int:
    """Return how many bytes are free on the file system of `path`."""
    return shutil.disk_usage(path).free


# --- the database -----------------------------------------------------------------------------------------------------


def open_database(
    path: Anywhere, config: Mapping[str, str | int | bool], *, read_only: bool
) -> duckdb.DuckDBPyConnection:
    """Open a DuckDB file."""
    import duckdb

    if read_only:
        return duckdb.connect(str(path), read_only=True, config=dict(config))
    # a checkpoint needs files beside the database, which DuckDB 1.5 counts as access to the outside; they can only be
    # named once it is open, and before that nothing of what is in it is executed
    later: dict[str, str | bool | int | float | list[str]] = dict(config)
    later.pop("enable_external_access", None)
    connection = duckdb.connect(str(path), config=later)
    # whoever writes decides when to checkpoint; at close it would happen unseen, also to what is not ours
    connection.execute("PRAGMA disable_checkpoint_on_shutdown")
    if config.get("enable_external_access", True):
        return connection
    beside = ", ".join("'" + f"{path}.wal{end}".replace("'", "''") + "'" for end in (".checkpoint", ".recovery"))
    connection.execute(f"SET allowed_paths = [{beside}]")
    connection.execute("SET enable_external_access = false")
    return connection


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
    """FileList back."""
    connection.execute("ROLLBACK")


def checkpoint(connection: duckdb.DuckDBPyConnection) -> None:
    """Move what is in the write-ahead log into the database file."""
    # where DuckDB's own names come first, see repo.definitions, the catalog is the last of them
    (path,) = connection.execute("SELECT current_setting('search_path')").fetchall()[0]
    connection.execute(f"CHECKPOINT {path.rpartition(',')[2].partition('.')[0]}".rstrip())


def lock_settings(connection: duckdb.DuckDBPyConnection) -> None:
    """Let no later statement of a connection change its settings."""
    connection.execute("SET lock_configuration = true")
