"""Objects as files in a folder that several machines see, for instance by NFS: no locks, no inodes, one name each.

A new object is written under a name of its own in `tmp`, made durable, and then given its key by a hard link, which
never replaces anything. Below the folder everything is opened through no link.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import unquote, urlsplit

from ontofetch_hookspecs.errors import next_step
from ontofetch_hookspecs.names import quote, shell_word
from ontofetch_hookspecs.store_paths import StorePath

from ...errors import ObjectsRefused, ObjectsUnavailable, UsageError
from .. import fsops
from ..fsops import whole
from .object_store import MAX_AGE, UNFINISHED, Buffer, ObjectStore, Stored
from .signs import MOST, POINTERS, Sign

MARK = "ontofetch-objects"  # a file without which the folder is another one: an empty mount point, for instance
_REFUSALS = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ELOOP, errno.ENOTDIR, errno.EINVAL, errno.EXDEV)


class FolderObjects(ObjectStore):
    """Objects in a folder.

    Args:
        address: `file:///absolute/folder`.
        mode: Permissions of the folder when it is made; those below it have the ones that it has.
        durable: Whether what is put outlasts a power cut.

    Raises:
        UsageError: The address names no folder of this machine.
    """

    scheme = "file"

    def __init__(self, address: str, *, mode: int, durable: bool = True) -> None:
        super().__init__(address)
        parts = urlsplit(address)
        path = unquote(parts.path)
        if parts.netloc or parts.query or parts.fragment or not path.strip("/") or {".", ".."} & set(path.split("/")):
            raise UsageError(
                f"{quote(address)} names no folder.",
                subject="objects",
                hint="Write three slashes and the whole path: file:///mnt/shared/objects.",
            )
        self._top = StorePath(Path(path), "", durable=durable)
        self._mode = mode

    def prepare(self) -> None:
        """Make the folder and its mark where they are missing."""
        with self._explained("be made"):
            whole.make_root(self._top, self._mode)
            self._make_folder(self._top / UNFINISHED)
            if not (self._top / MARK).exists():
                self._publish(iter((b"The objects of a shared catalog.\n",)), self._top / MARK)
                fsops.sync_folder(self._top)

    def sweep(self, older_than: float = MAX_AGE) -> int:
        """Remove files in `tmp` that are older."""
        gone = 0
        with self._explained("be swept"):
            self._check_mark()
            for name in (self._top / UNFINISHED).names():
                place = self._top / UNFINISHED / name
                # another machine may sweep, too
                with suppress(FileNotFoundError):
                    if place.lstat().st_mtime < time.time() - older_than:
                        fsops.unlink(place)
                        gone += 1
        return gone

    def _put(self, key: str, chunks: Iterator[Buffer], sha256: str, size: int) -> None:
        target = self._place(key)
        with self._explained(f"take {size:,} bytes"):
            self._check_mark()
            self._make_folder(target.parent)
            if not self._publish(chunks, target) and not self.matches(key, sha256, size):
                raise self.occupied(key)
            # also of what is there already: who wrote it may have died before
            fsops.sync_folder(target.parent)

    def _publish(self, chunks: Iterator[Buffer], target: StorePath) -> bool:
        """Write a file whole and durable under a new name; say whether it was new. The name is not durable yet."""
        temporary = self._top / UNFINISHED / uuid.uuid4().hex
        whole.write_new(temporary, chunks)
        try:
            fsops.link(temporary, target)
        except FileExistsError:
            return False
        except OSError as error:
            if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.ENOSYS):
                raise
            raise ObjectsRefused(
                f"The file system of {self._top} makes no hard links, by which new objects get their names.",
                subject=self.address,
                hint="Name a folder on another file system, of NFS for instance, or a bucket: s3://bucket/prefix.",
            ) from error
        finally:
            with suppress(FileNotFoundError):
                fsops.unlink(temporary)
        return True

    def _get(self, key: str, offset: int, length: int) -> bytes:
        with self._explained("be read"):
            try:
                descriptor = self._place(key).open_file()
            except FileNotFoundError:
                self._check_mark()
                raise self.missing(key) from None
            try:
                return os.pread(descriptor, length, offset)
            finally:
                os.close(descriptor)

    def _stat(self, key: str) -> int | None:
        with self._explained("be read"):
            try:
                found = self._place(key).lstat()
            except FileNotFoundError:
                self._check_mark()
                return None
            return found.st_size if stat.S_ISREG(found.st_mode) else None

    def _delete(self, keys: Sequence[str]) -> None:
        with self._explained("be written"):
            self._check_mark()
            folders = set()
            for key in keys:
                place = self._place(key)
                with suppress(FileNotFoundError):
                    fsops.unlink(place)
                    folders.add(place.parent)
            for folder in folders:
                fsops.sync_folder(folder)

    def _list(self, prefix: str) -> Iterator[Stored]:
        above = "pack/" if prefix.startswith("pack") else ""
        with self._explained("be read"):
            self._check_mark()
            folders = [(name, self._top / name) for name in self._top.names() if len(name) == 2]
            packs = [(f"pack/{name}", self._top / "pack" / name) for name in (self._top / "pack").names()]
        for name, folder in folders + packs:
            # one folder at a time, which has about a 256th of all objects
            if name.startswith(prefix[: len(above) + 2]):
                yield from self._stored(folder, "pack/" if name.startswith("pack/") else "")

    def _stored(self, folder: StorePath, before: str) -> Iterator[Stored]:
        with self._explained("be read"):
            names = folder.names()
        for name in names:
            with self._explained("be read"):
                try:
                    found = (folder / name).lstat()
                except FileNotFoundError:
                    continue
            if stat.S_ISREG(found.st_mode):
                yield Stored(before + name, found.st_size, datetime.fromtimestamp(found.st_mtime, UTC))

    def _pointers(self) -> list[str]:
        with self._explained("be read"):
            self._check_mark()
            place = self._top / POINTERS
            return [path for path, _ in fsops.walk(place)] if place.is_dir() else []

    def _sign(self, name: str) -> Sign | None:
        with self._explained("be read"):
            try:
                descriptor = (self._top / name).open_file()
            except FileNotFoundError:
                self._check_mark()
                return None
            with os.fdopen(descriptor, "rb") as stream:
                data = stream.read(MOST)
                return data, f"{hashlib.sha256(data).hexdigest()} {os.fstat(stream.fileno()).st_mtime_ns}"

    def _set_sign(self, name: str, data: bytes, former: str | None) -> bool:
        """Claim, by a link, to say what follows on what was seen, and give that its name if nothing else has followed.

        What somebody claimed who died then is what follows: whoever comes upon it goes on from there.
        """
        target = self._top / name
        with self._explained(f"take {len(data):,} bytes"):
            self._check_mark()
            self._make_folder(target.parent)
            if former is None:
                is_first = self._publish(iter((data,)), target)
                fsops.sync_folder(target.parent)
                return is_first
            claim = self._top / UNFINISHED / hashlib.sha256(f"{name} {former}".encode()).hexdigest()
            is_ours = self._publish(iter((data,)), claim)
            found = self._sign(name)
            # another may have gone on with it
            with suppress(FileNotFoundError):
                if found is not None and found[1] == former:
                    fsops.rename(claim, target)
                    fsops.sync_folder(target.parent)
                    return is_ours
                fsops.unlink(claim)
            return False

    def _place(self, key: str) -> StorePath:
        """Return where a key lies: in one of 256 folders, for some file systems are slow with many names in one."""
        above, _, name = key.rpartition("/")
        return self._top / (f"{above}/{name[:2]}/{name}" if above else f"{name[:2]}/{name}")

    def _make_folder(self, folder: StorePath) -> None:
        """Make a folder and those above it, with the permissions of the top: who may write there may here."""
        if folder.is_dir():
            return
        self._make_folder(folder.parent)
        with suppress(FileExistsError):
            fsops.make_folder(folder)
            fsops.set_mode(folder, stat.S_IMODE(self._top.lstat().st_mode))
            fsops.sync_folder(folder.parent)

    def _check_mark(self) -> None:
        if not (self._top / MARK).is_file():
            raise ObjectsUnavailable(
                f"The folder {self._top} is not that of a shared catalog's objects: it has no file {MARK}.",
                subject=self.address,
                hint=f"Is it mounted? `ls {shell_word(str(self._top))}` shows what is there;"
                " then run the same command again.",
            )

    @contextmanager
    def _explained(self, what: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            kind = ObjectsRefused if error.errno in _REFUSALS else ObjectsUnavailable
            reason = error.strerror or type(error).__name__
            raise kind(
                f"The folder of objects {self._top} can't {what}: {reason}.",
                subject=self.address,
                hint=next_step(error.errno),
            ) from error
