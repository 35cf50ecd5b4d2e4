"""Content codings as servers declare them: undone, named, damaged, bombs, and the file's own compression."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import brotli
import zstandard

from ..sites import Answer
from .case import Case
from .pulling import UNJUDGED, pull
from .serving import TURTLE, serving

KIND = "content codings"


def _raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


_PACKED: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "deflate": zlib.compress,
    "DEFLATE": _raw_deflate,
    "br": brotli.compress,
    "zstd": zstandard.compress,
    "gzip, gzip": lambda data: gzip.compress(gzip.compress(data)),
    "deflate, br": lambda data: brotli.compress(zlib.compress(data)),
    "br, zstd": lambda data: zstandard.compress(brotli.compress(data)),
    "identity": bytes,
    "utf-8": bytes,
}


def _is_undone(folder: Path, declared: str, length: int | None) -> None:
    body = _PACKED[declared](TURTLE)
    with serving({"/a.ttl": Answer(body, headers={"Content-Encoding": declared}, length=length)}) as site:
        found = pull(folder, site.url("/a.ttl"), *UNJUDGED)
    assert found.code == 0, found.said
    assert found.data == {"a.ttl": TURTLE}


def _is_refused(folder: Path, body: bytes, declared: str, words: str) -> None:
    with serving({"/a.ttl": Answer(body, headers={"Content-Encoding": declared})}) as site:
        pull(folder, site.url("/a.ttl")).refused(words)


def _is_a_bomb(folder: Path, declared: str) -> None:
    bomb = _PACKED[declared](bytes(20_000_000))
    _is_refused(folder, bomb, declared, "more than 200 times what it sends")


def _stays_compressed(folder: Path, sent: bytes) -> None:
    with serving({"/a.ttl.gz": Answer(sent, headers={"Content-Encoding": "gzip"})}) as site:
        found = pull(folder, site.url("/a.ttl.gz"))
    assert found.code == 0, found.said
    assert (found.row["artifact"], found.data) == ("a.ttl.gz", {"a.ttl": TURTLE})


def _cases() -> Iterator[Case]:
    for declared in _PACKED:
        yield Case(KIND, declared, partial(_is_undone, declared=declared, length=-1))
        yield Case(KIND, f"{declared}, no length", partial(_is_undone, declared=declared, length=None))
    for declared in ("compress", "exi", "gzip, pack200-gzip"):
        words = f"Content-Encoding '{declared.rpartition(' ')[2]}'"
        tried = partial(_is_refused, body=b"x", declared=declared, words=words)
        yield Case(KIND, f"{declared} is named", tried)
    for declared in ("gzip", "deflate", "br"):
        tried = partial(_is_refused, body=TURTLE, declared=declared, words="damaged or are none")
        yield Case(KIND, f"{declared} that is none", tried)
        tried = partial(_is_a_bomb, declared=declared)
        yield Case(KIND, f"a bomb in {declared}", tried)
    packed = gzip.compress(TURTLE, mtime=0)
    yield Case(KIND, "a .gz that is declared", partial(_stays_compressed, sent=packed))
    yield Case(KIND, "a .gz that is packed twice", partial(_stays_compressed, sent=gzip.compress(packed)))


CASES = tuple(_cases())
