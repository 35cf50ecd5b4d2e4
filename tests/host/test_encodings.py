"""Content codings: what a server declares is undone, refused by name, or found to be the file's own; never a bomb."""

from __future__ import annotations

import gzip
import socket
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import brotli
import pytest
import zstandard

from ontofetch_catalog.errors import FetchError
from ontofetch_catalog.host.copies import Copy
from ontofetch_catalog.host.encodings import MOST_CODINGS
from ontofetch_catalog.host.fetch import fetch
from ontofetch_catalog.host.http_options import HttpOptions
from ontofetch_catalog.host.sources import parse_source
from tests.sites import Answer, Site, read_head

DOCUMENT = b"".join(b"<urn:a> <urn:p%d> <urn:o%d> .\n" % (number, number * 7919) for number in range(60_000))


def raw_deflate(data: bytes) -> bytes:
    """Compress without a header, as many servers do for `deflate`."""
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


PACKED: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "GZIP": gzip.compress,
    "deflate": zlib.compress,
    "Deflate": raw_deflate,
    "br": lambda data: brotli.compress(data, quality=3),
    "zstd": lambda data: zstandard.ZstdCompressor(write_content_size=False).compress(data),
    "gzip, gzip": lambda data: gzip.compress(gzip.compress(data)),
    "gzip , br": lambda data: brotli.compress(gzip.compress(data), quality=1),
    "br, deflate, zstd": lambda data: zstandard.compress(raw_deflate(brotli.compress(data, quality=1))),
    "identity, gzip": gzip.compress,
    "": bytes,
    "identity": bytes,
    "aws-chunked": bytes,
    "UTF-8": bytes,
}


@pytest.fixture
def take(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Copy]:
    """Return a function that fetches into a store; pauses between tries pass at once."""
    monkeypatch.setattr(time, "sleep", lambda _: None)

    def fetch_it(source: str, **changes: Any) -> Copy:
        options = HttpOptions(**{"timeout": 5.0, "retries": 1} | changes)
        copy = fetch(tmp_path / "store", parse_source(source), known=None, options=options, progress=lambda *_: None)
        assert copy.stage is not None
        copy.stage.close()
        return copy

    return fetch_it


@pytest.mark.parametrize("length", [-1, None])
@pytest.mark.parametrize("declared", PACKED)
def test_a_declared_coding_is_undone(site: Site, take: Callable[..., Copy], declared: str, length: int | None) -> None:
    """What is hashed and kept is the document, whatever it was packed in for the way."""
    site.answers["/a.nt"] = Answer(PACKED[declared](DOCUMENT), headers={"Content-Encoding": declared}, length=length)
    copy = take(site.url("/a.nt"))
    assert copy.path.read_bytes() == DOCUMENT
    assert copy.size_bytes == len(DOCUMENT)
    assert copy.length_known is (length is not None)


def test_several_headers_are_one_list(take: Callable[..., Copy], make_wire: Callable[..., Any]) -> None:
    """Codings may stand in headers of their own."""
    body = zlib.compress(gzip.compress(DOCUMENT))

    def script(connection: socket.socket) -> None:
        read_head(connection)
        head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Encoding: deflate\r\nContent-Length: %d\r\n\r\n"
        connection.sendall(head % len(body) + body)

    wire = make_wire(script)
    assert take(wire.url("/a.nt")).path.read_bytes() == DOCUMENT


@pytest.mark.parametrize("declared", ["compress", "x-compress", "gzip, lzma", "exi", "\tpack200-gzip", "x" * 5000])
def test_an_unknown_coding_is_refused_by_name(
    site: Site, tmp_path: Path, take: Callable[..., Copy], declared: str
) -> None:
    """What can't be undone is named before a byte of the body is read, and nothing is staged."""
    site.answers["/a.nt"] = Answer(b"x", headers={"Content-Encoding": declared})
    name = declared.rpartition(",")[2].strip()[:40]
    with pytest.raises(FetchError, match=f"Content-Encoding '{name}'.*can't be undone"):
        take(site.url("/a.nt"))
    assert not list((tmp_path / "store").rglob("*.nt"))
    assert len(site.seen) == 1


def test_codings_are_counted(site: Site, take: Callable[..., Copy]) -> None:
    """Nobody packs a document hundreds of times."""
    site.answers["/a.nt"] = Answer(b"x", headers={"Content-Encoding": "gzip, " * 500 + "gzip"})
    with pytest.raises(FetchError, match=f"501 codings of its answer, more than {MOST_CODINGS}"):
        take(site.url("/a.nt"))


@pytest.mark.parametrize("declared", ["gzip", "deflate", "br", "zstd", "gzip, br"])
def test_bytes_of_another_kind_are_refused(
    site: Site, tmp_path: Path, take: Callable[..., Copy], declared: str
) -> None:
    """A document that was not packed as declared is refused with a sentence that says so."""
    site.answers["/a.nt"] = Answer(DOCUMENT, headers={"Content-Encoding": declared})
    with pytest.raises(FetchError, match=r"its bytes are damaged or are none|ends before its"):
        take(site.url("/a.nt"))
    assert list((tmp_path / "store/.catalog/staging").iterdir()) == []


@pytest.mark.parametrize("declared", ["gzip", "deflate", "Deflate", "br", "zstd", "gzip, gzip"])
def test_a_coding_without_its_end_is_tried_again(
    site: Site, tmp_path: Path, take: Callable[..., Copy], declared: str
) -> None:
    """Where no length was given, the coding itself tells that its end did not come."""
    whole = PACKED[declared](DOCUMENT)
    headers = {"Content-Encoding": declared}
    site.answers["/a.nt"] = lambda _, number: Answer(whole[: len(whole) // number], headers=headers, length=None)
    assert take(site.url("/a.nt")).size_bytes == len(DOCUMENT)
    site.answers["/a.nt"] = Answer(whole[: len(whole) // 2], headers=headers, length=None)
    with pytest.raises(FetchError, match="the answer ends before its"):
        take(site.url("/a.nt"))
    assert len(list((tmp_path / "store/.catalog/staging").iterdir())) == 1


def gzipped() -> bytes:
    """Return the document in gzip, the same each time."""
    return gzip.compress(DOCUMENT, mtime=0)


def zstandard_of_it() -> bytes:
    """Return the document in Zstandard."""
    return zstandard.compress(DOCUMENT)


# functions: every process of a run reads these tables, and one alone needs a case
Sent = Callable[[], bytes]
FILES: dict[str, tuple[str, str, str, Sent, Sent]] = {
    "a .gz that is declared": ("/a.nt.gz", "gzip", "text/plain", gzipped, gzipped),
    "a .tgz": ("/a.tgz", "x-gzip", "", gzipped, gzipped),
    "by its type": ("/get", "gzip", "application/gzip", gzipped, gzipped),
    "a .gz in a .gz": ("/a.nt.gz", "gzip", "", lambda: gzip.compress(gzipped()), gzipped),
    "a .zst": ("/a.nt.zst", "zstd", "", zstandard_of_it, zstandard_of_it),
    "a .zst on its way in gzip": (
        "/a.nt.zst", "gzip", "", lambda: gzip.compress(zstandard_of_it()), zstandard_of_it,
    ),
    "a declared .gz, packed for the way": (
        "/a.nt.gz", "gzip, br", "", lambda: brotli.compress(gzipped(), quality=1), gzipped,
    ),
    "a .gz that is plain on the way": ("/a.nt.gz", "identity", "", gzipped, gzipped),
}  # fmt: skip


@pytest.mark.parametrize("case", FILES.values(), ids=FILES)
def test_a_compressed_file_stays_one(
    site: Site, take: Callable[..., Copy], case: tuple[str, str, str, Sent, Sent]
) -> None:
    """A `.gz` that is declared as `gzip` is kept as it is, unless it was really packed twice."""
    path, declared, kind, sent, kept = case
    site.answers[path] = Answer(sent(), headers={"Content-Encoding": declared, "Content-Type": kind})
    found = take(site.url(path)).path.read_bytes()
    assert (len(found), found == kept()) == (len(kept()), True)


BOMBS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "deflate": raw_deflate,
    "br": lambda data: brotli.compress(data, quality=5),
    "zstd": zstandard.compress,
    "gzip, gzip": lambda data: gzip.compress(gzip.compress(data)),
    "br, gzip": lambda data: gzip.compress(brotli.compress(data, quality=5)),
}


@pytest.mark.parametrize("declared", BOMBS)
@pytest.mark.parametrize("most_bytes", [1_000_000, 0])
def test_a_bomb_in_a_content_encoding_is_refused(
    site: Site, tmp_path: Path, take: Callable[..., Copy], declared: str, most_bytes: int
) -> None:
    """What comes out is counted while it does: more bytes, or more for each that came, than may be are refused."""
    site.answers["/a.nt"] = Answer(BOMBS[declared](bytes(30_000_000)), headers={"Content-Encoding": declared})
    words = "larger than the 1,000,000 bytes" if most_bytes else "more than 200 times what it sends"
    with pytest.raises(FetchError, match=words):
        take(site.url("/a.nt"), most_bytes=most_bytes)
    assert list((tmp_path / "store/.catalog/staging").iterdir()) == []
    assert len(site.seen) == 1
