"""The content codings of an answer (RFC 9110, 8.4): undone step by step, or refused by name.

What is undone is bounded while it is undone: so many bytes, so many for each that came. What becomes of the bytes is
not known here.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence

import httpx

from ontofetch_hookspecs.names import quote

from ..content.packed.bounds import RATIO_FROM, STEP
from ..content.packed.inflating import Deflate, Inflated, NotRead, Readable
from ..content.packed.streams import open_inflated
from ..errors import FetchError

MOST_CODINGS = 5  # nobody needs two
# what stands in the header and is no coding of the bytes: charsets, codings of mails, what a storage was told
_NO_CODINGS = frozenset(
    {"", "identity", "none", "binary", "7bit", "8bit", "utf-8", "utf8", "iso-8859-1", "us-ascii", "aws-chunked"}
)
_SAME = {"x-gzip": "gzip", "x-deflate": "deflate", "x-zstd": "zstd", "x-br": "br", "brotli": "br"}
_KNOWN = ("gzip", "deflate", "br", "zstd")
# a coding, the endings of names that say the same of a file, and how such a file begins
_ALSO_FILES = {
    "gzip": ((".gz", ".tgz"), b"\x1f\x8b", ("application/gzip", "application/x-gzip", "application/x-gunzip")),
    "zstd": ((".zst", ".zstd"), b"\x28\xb5\x2f\xfd", ("application/zstd",)),
}
_BITE = 1 << 16
_HEAD = 1 << 18  # bytes that are looked into: more than one block of zstandard takes


def codings_of(headers: httpx.Headers, shown: str) -> list[str]:
    """Return the codings that an answer declares, in the order in which they were applied; empty for none.

    Raises:
        FetchError: One of them can't be undone, or they are too many.
    """
    told = [word.strip().casefold() for word in headers.get("content-encoding", "").split(",")]
    codings = [_SAME.get(word, word) for word in told if word not in _NO_CODINGS]
    if len(codings) > MOST_CODINGS:
        raise FetchError(
            f"{quote(shown)} declares {len(codings):,} codings of its answer, more than {MOST_CODINGS}.",
            subject=shown,
            hint="That is no working server; check the address.",
        )
    for coding in codings:
        if coding not in _KNOWN:
            raise FetchError(
                f"{quote(shown)} answers in the Content-Encoding {quote(coding[:40])}, which can't be undone here.",
                subject=shown,
                hint=f"Known are {', '.join(_KNOWN)}. Fetch it with another program and pull the file.",
            )
    return codings


class Decoded:
    """The document that an answer stands for, in pieces; iterate once.

    Args:
        pieces: The bytes as they came.
        codings: In the order in which they were applied.
        name, content_type: Of the artifact: a `.gz` that a server declares as `gzip` may be meant as it is.
        shown: The URL of the download as it may be told.
        check: Is told how many bytes came out so far; raises where they are too many or take too long.
        most_ratio: Most bytes out for each that came, looked at from RATIO_FROM on.
    """

    def __init__(
        self,
        pieces: Iterable[bytes],
        codings: Sequence[str],
        *,
        name: str,
        content_type: str | None,
        shown: str,
        check: Callable[[int], None],
        most_ratio: float,
    ) -> None:
        self._raw = _Pieces(pieces)
        self._codings = list(codings)
        self._name = name
        self._type = (content_type or "").partition(";")[0].strip().casefold()
        self._shown = shown
        self._check = check
        self._most_ratio = most_ratio

    @property
    def is_coded(self) -> bool:
        """Return whether other bytes come out than arrive."""
        return bool(self._codings)

    def __iter__(self) -> Iterator[bytes]:
        head = self._raw.peek(_HEAD) if self._codings else b""
        if not self._codings or not head:
            yield from self._raw
            return
        if self._is_file_of_its_own(head):
            del self._codings[0]
        size = 0
        stream = self._undone(self._raw)
        while chunk := self._read(stream):
            size += len(chunk)
            self._check(size)
            if size > RATIO_FROM and size > self._most_ratio * self._raw.count:
                raise self._refused(
                    f"unpacks to more than {self._most_ratio:g} times what it sends",
                    "If you trust it, raise the setting max_ratio (ONTOFETCH_MAX_RATIO).",
                )
            yield chunk

    def _is_file_of_its_own(self, head: bytes) -> bool:
        """Say whether the first coding is the artifact's own compression, declared as if it were the transport's.

        Servers declare `gzip` for files that are called `.gz` (Apache's AddEncoding); browsers then keep the file. Only
        where what is undone begins like such a file once more, was it really packed twice.
        """
        endings, magic, types = _ALSO_FILES.get(self._codings[0], ((), b"", ()))
        if not (self._name.casefold().endswith(endings) or self._type in types) or not endings:
            return False
        try:
            start = _read_some(self._undone(_Pieces([head])), len(magic))
        except (_Broken, EOFError, NotRead):
            return False
        return not start.startswith(magic)

    def _undone(self, raw: Readable) -> Readable:
        stream = raw
        for coding in reversed(self._codings):
            stream = _Guarded(stream, coding)
        return stream

    def _read(self, stream: Readable) -> bytes:
        try:
            return stream.read(STEP)
        except NotRead as error:
            raise self._refused(f"{error}", "Fetch it with another program and pull the file.") from error
        except EOFError as error:
            # to be tried again, as a body that breaks off is
            raise httpx.RemoteProtocolError(f"the answer ends before its {self._told} does") from error
        except _Broken as error:
            raise FetchError(
                f"{quote(self._shown)} declares its answer as {self._told}, but its bytes are damaged or are none.",
                subject=self._shown,
                hint="Fetch it with another program and pull the file, or ask the publisher.",
            ) from error

    @property
    def _told(self) -> str:
        return " in ".join(self._codings)

    def _refused(self, fault: str, hint: str) -> FetchError:
        return FetchError(
            f"The answer of {quote(self._shown)}, declared as {self._told}, {fault}.", subject=self._shown, hint=hint
        )


class _Broken(Exception):
    """A decompressor says that its bytes are none of its kind."""


class _Pieces:
    """Pieces of bytes as a stream that can be looked into; `count` are the bytes that came."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._rest = b""
        self.count = 0

    def peek(self, size: int) -> bytes:
        """Return the first bytes, at least `size` if there are so many, and leave them there."""
        while len(self._rest) < size and (piece := next(self._pieces, None)) is not None:
            self.count += len(piece)
            self._rest += piece
        return self._rest

    def read(self, size: int = -1, /) -> bytes:
        if not self._rest:
            self._rest = next(self._pieces, b"")
            self.count += len(self._rest)
        most = len(self._rest) if size < 0 else size
        found, self._rest = self._rest[:most], self._rest[most:]
        return found

    def __iter__(self) -> Iterator[bytes]:
        if self._rest:
            yield self._rest
        yield from self._pieces


class _Guarded:
    """A coding that is undone; its damage has one name, whichever decompressor finds it."""

    def __init__(self, raw: Readable, coding: str) -> None:
        self._raw = raw
        self._coding = coding
        self._stream: Readable | None = None
        self._broken: tuple[type[Exception], ...] = (zlib.error, OSError, ValueError)
        if coding == "br":
            import brotli

            self._broken += (brotli.error,)

    def read(self, size: int = -1, /) -> bytes:
        try:
            if self._stream is None:
                self._stream = _open(self._raw, self._coding)
            return self._stream.read(size)
        except self._broken as error:
            raise _Broken(str(error)) from error


def _open(raw: Readable, coding: str) -> Readable:
    """Return the stream of what a coded one stands for."""
    if coding == "br":
        return Inflated(raw, _Brotli)
    start = _Pieces(iter(lambda: raw.read(_BITE), b""))
    if coding in _ALSO_FILES:
        if not start.peek(4).startswith(_ALSO_FILES[coding][1]):
            raise _Broken("it begins otherwise")
        return open_inflated(start, {"gzip": "gz", "zstd": "zst"}[coding])
    # RFC 9110, 8.4.1.2: with a zlib header; many send the bare stream
    return Inflated(start, lambda: Deflate(15 if _is_zlib(start.peek(_BITE)) else -15))


def _is_zlib(head: bytes) -> bool:
    try:
        zlib.decompressobj(15).decompress(head, 1)
    except zlib.error:
        return False
    return True


class _Brotli:
    """Give brotli the shape of the other decompressors; its window is at most 16 MiB (RFC 7932)."""

    unused_data = b""

    def __init__(self) -> None:
        import brotli

        self._inner = brotli.Decompressor()

    @property
    def eof(self) -> bool:
        """Say whether its end was read."""
        return bool(self._inner.is_finished())

    @property
    def needs_input(self) -> bool:
        """Say whether it can't go on without more."""
        return bool(self._inner.can_accept_more_data())

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        """Return at most about `max_length` bytes."""
        found: bytes = self._inner.process(data, output_buffer_limit=max(max_length, 1))
        return found


def _read_some(stream: Readable, size: int) -> bytes:
    found = b""
    while len(found) < size and (more := stream.read(size - len(found))):
        found += more
    return found
