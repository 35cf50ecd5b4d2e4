"""Own the reading of archives: one stream of entries from zip, tar and compressed single files, nothing unpacked.

What may be unpacked, and where to, is not known here; names and sizes are handed on as the archive says them.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import IO, Any, Protocol, cast

from ontofetch_hookspecs.names import quote

from ..errors import ExtractError

_MAGIC = ((b"\x1f\x8b", "gz"), (b"BZh", "bz2"), (b"\xfd7zXZ\x00", "xz"), (b"\x28\xb5\x2f\xfd", "zst"))
_ENDINGS = {"gz": (".gz", ".tgz"), "bz2": (".bz2", ".tbz2"), "xz": (".xz", ".txz"), "zst": (".zst", ".zstd")}
_ARCHIVES = (".zip", ".whl", ".jar", ".tar", ".tgz", ".tbz2", ".txz")
_DAMAGE = (
    EOFError,
    OSError,
    lzma.LZMAError,
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    NotImplementedError,
    RuntimeError,
    UnicodeError,
    ValueError,
)


class Readable(Protocol):
    """What an entry's bytes are read from."""

    def read(self, size: int = -1, /) -> bytes:
        """Return at most `size` bytes, none at the end."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of an archive.

    Args:
        name: As the archive says it; may be hostile.
        kind: `file`, `folder`, or in words what else it is, e.g. `a symbolic link`.
        mtime: Seconds since 1970 UTC, as the archive says it.
        open: Opens a stream of its bytes; to be read and closed before the next entry.
    """

    name: str
    kind: str
    mtime: float
    open: Callable[[], AbstractContextManager[Readable]]


@contextmanager
def damage_named(name: str) -> Iterator[None]:
    """Turn what the decompressors raise for a damaged archive into an ExtractError."""
    try:
        yield
    except _DAMAGE as error:
        reason = str(error) or type(error).__name__
        raise ExtractError(
            f"The archive {quote(name)} is damaged or truncated: {reason}.",
            subject=name,
            hint="Nothing was unpacked; pull a good copy of it with --replace.",
        ) from error


def read_entries(archive: Path, name: str, stack: ExitStack) -> Iterator[Entry]:
    """Yield the entries of an archive in its own order; another file is one entry under its own name.

    Args:
        archive: The file.
        name: Its name, which may say how a single file is compressed.
        stack: Closes what was opened.

    Raises:
        ExtractError: It is damaged, truncated or encrypted, or no archive although its name says so.
    """
    with archive.open("rb") as stream:
        head = stream.read(512)
    # a zip without its directory, which stands at the end, is one that was cut; a program may stand before a zip
    if head.startswith(b"PK\x03\x04") or (zipfile.is_zipfile(archive) and _claims_archive(name)):
        yield from _zip_entries(archive, name, stack)
        return
    compression = next((kind for magic, kind in _MAGIC if head.startswith(magic)), "")
    with _decompressed(archive, compression) as stream, damage_named(name):
        start = stream.read(512) if compression else head
    if _is_tar(start, name):
        yield from _tar_entries(archive, compression, name, stack)
        return
    single = _without_ending(name, compression)
    if _claims_archive(name) or _claims_archive(single) or (not compression and _claims_compression(name)):
        raise ExtractError(
            f"{quote(name)} is named like an archive, but its bytes are none.",
            subject=name,
            hint="Look at what was downloaded: servers send error pages, too. Pull a good copy of it with --replace.",
        )
    mtime = archive.stat().st_mtime
    yield Entry(single, "file", mtime, lambda: _decompressed(archive, compression))


def _is_tar(start: bytes, name: str) -> bool:
    # POSIX.1-1988 and later carry `ustar` at 257; a checksum that fits tells the older form
    if len(start) < 512:
        return False
    if start[257:262] == b"ustar":
        return True
    if not start.strip(b"\0"):
        # a tar without entries is nothing but zeros, and so may be any other file
        return name.casefold().endswith((".tar", ".tgz", ".tbz2", ".txz")) or ".tar." in name.casefold()
    try:
        return tarfile.nti(start[148:156]) in tarfile.calc_chksums(start)  # type: ignore[attr-defined]
    except tarfile.HeaderError:
        return False


def _without_ending(name: str, compression: str) -> str:
    for ending in _ENDINGS.get(compression, ()):
        if name.casefold().endswith(ending) and len(name) > len(ending):
            return name[: -len(ending)]
    return name


def _claims_archive(name: str) -> bool:
    return name.casefold().endswith(_ARCHIVES)


def _claims_compression(name: str) -> bool:
    return name.casefold().endswith(tuple(ending for endings in _ENDINGS.values() for ending in endings))


def _zip_entries(archive: Path, name: str, stack: ExitStack) -> Iterator[Entry]:
    with damage_named(name):
        zipped = stack.enter_context(zipfile.ZipFile(archive))
    for info in zipped.infolist():
        if info.flag_bits & 0x1:
            raise ExtractError(
                f"The entry {quote(info.filename)} of {quote(name)} is encrypted.",
                subject=info.filename,
                hint="Decrypt the archive first.",
            )
        mode = info.external_attr >> 16
        # zipfile cuts a name at a NUL; the name as it stands is what must be judged
        yield Entry(
            info.orig_filename if "\0" in info.orig_filename else info.filename,
            "folder" if info.is_dir() else _kind_of(mode) if mode and stat.S_IFMT(mode) else "file",
            _zip_time(info),
            partial(zipped.open, info),
        )


def _kind_of(mode: int) -> str:
    kinds = {
        stat.S_IFREG: "file",
        stat.S_IFDIR: "folder",
        stat.S_IFLNK: "a symbolic link",
        stat.S_IFIFO: "a pipe",
        stat.S_IFSOCK: "a socket",
        stat.S_IFBLK: "a device",
        stat.S_IFCHR: "a device",
    }
    return kinds.get(stat.S_IFMT(mode), "no regular file")


def _zip_time(info: zipfile.ZipInfo) -> float:
    try:
        return datetime(*info.date_time, tzinfo=UTC).timestamp()
    except ValueError:
        return 0.0


class _Tail:
    """Hand on a stream and remember its last bytes: a tar that was cut between two entries lacks its end."""

    def __init__(self, stream: Readable) -> None:
        self._stream = stream
        self.tail = b""

    def read(self, size: int = -1, /) -> bytes:
        data = self._stream.read(size)
        if data:
            self.tail = (self.tail + data)[-512:]
        return data


def _tar_entries(archive: Path, compression: str, name: str, stack: ExitStack) -> Iterator[Entry]:
    with damage_named(name):
        source = _Tail(stack.enter_context(_decompressed(archive, compression)))
        # read as a stream, a tar needs no more of its source than read()
        opened: Any = tarfile.open(fileobj=cast("Any", source), mode="r|", encoding="utf-8")  # noqa: SIM115 - closed below
        unpacked = stack.enter_context(opened)
    while True:
        with damage_named(name):
            member = unpacked.next()
        if member is None:
            break
        # a tar opened as a stream keeps every member it has seen
        unpacked.members = []
        yield Entry(member.name, _tar_kind(member), float(member.mtime), partial(unpacked.extractfile, member))
    with damage_named(name):
        while source.read(1 << 20):
            # reading on to the end lets the decompressor check its checksum
            pass
        if source.tail.strip(b"\0"):
            raise EOFError("its end is missing")


def _tar_kind(member: tarfile.TarInfo) -> str:
    if member.issparse():
        return "a sparse file"
    if member.isdir():
        return "folder"
    if member.isreg():
        return "file"
    if member.issym():
        return "a symbolic link"
    if member.islnk():
        return "a hard link"
    return "a device or a pipe" if member.isdev() else "no regular file"


@contextmanager
def _decompressed(archive: Path, compression: str) -> Iterator[Readable]:
    if compression == "zst":
        with archive.open("rb") as raw:
            yield _Zstandard(raw)
        return
    openers: dict[str, Callable[[Path], Any]] = {"gz": gzip.open, "bz2": bz2.open, "xz": lzma.open}
    with openers.get(compression, partial(Path.open, mode="rb"))(archive) as stream:
        yield stream


class _Zstandard:
    """Read zstandard frames and notice a missing end, which zstandard's own reader does not.

    It is fed in small bites: one block of four bytes may stand for 128 KiB (RFC 8878, 3.1.1.2).
    """

    _BITE = 4096

    def __init__(self, raw: IO[bytes]) -> None:
        import zstandard

        self._raw = raw
        self._make = zstandard.ZstdDecompressor().decompressobj
        self._frame = self._make()
        self._begun = False
        self._left = memoryview(b"")

    def read(self, size: int = -1, /) -> bytes:
        found: list[bytes] = []
        missing = size if size >= 0 else -1
        while missing:
            if not self._left and not self._fill():
                break
            part = self._left[:missing] if missing > 0 else self._left
            self._left = self._left[len(part) :]
            found.append(bytes(part))
            missing -= len(part) if missing > 0 else 0
        return b"".join(found)

    def _fill(self) -> bool:
        """Decompress until there is something to read; False at the end."""
        import zstandard

        while not self._left:
            data = self._raw.read(self._BITE)
            if not data:
                if self._begun and not self._frame.eof:
                    raise EOFError("its end is missing")
                return False
            try:
                self._left = memoryview(self._feed(data))
            except zstandard.ZstdError as error:
                raise EOFError(str(error)) from error
        return True

    def _feed(self, data: bytes) -> bytes:
        found = []
        while data:
            if self._frame.eof:
                self._frame = self._make()
            self._begun = True
            found.append(self._frame.decompress(data))
            data = self._frame.unused_data if self._frame.eof else b""
        return b"".join(found)
