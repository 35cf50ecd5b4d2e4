"""How a file is compressed, and what can't be read here: kinds of their own, and one kind packed into another."""

from __future__ import annotations

from typing import IO

from ontofetch_hookspecs.names import quote

from ...errors import ExtractError
from . import signatures, zips


def compression_at(stream: IO[bytes], head: bytes, name: str) -> tuple[str, bytes]:
    """Return how a file is compressed and the bytes that tell it, and leave its place at the beginning."""
    found = signatures.compression_of(head, name)
    place = 0
    while not found and signatures.SKIPPABLE.match(head):
        # frames of somebody else's data; what they stand before tells whose (pzstd writes some)
        place += 8 + int.from_bytes(head[4:8], "little")
        stream.seek(place)
        head = stream.read(8)
        found = signatures.compression_of(head, name)
        if not head and signatures.claims_compression(name):
            found = "zst"
    stream.seek(0)
    return found, head


def refuse_foreign(head: bytes, start: bytes, compression: str, name: str) -> None:
    """Name what can't be read here: a kind of its own, or one kind packed into another.

    Raises:
        ExtractError: It is of such a kind.
    """
    foreign = signatures.foreign_of(head, name)
    if foreign is not None:
        raise _not_read(name, f"is {foreign.title}", foreign.tool)
    if not compression:
        return
    single = signatures.without_ending(name, compression)
    foreign = signatures.foreign_of(start, single)
    if foreign is not None:
        raise _not_read(name, f"is {foreign.title} inside of {compression}", foreign.tool)
    inner = signatures.compression_of(start, single)
    if inner:
        raise _not_read(name, f"is compressed twice, by {inner} and then by {compression}", f"{_TOOLS[compression]} -d")
    if start.startswith(signatures.ZIP) and not zips.is_named_document(single):
        raise _not_read(name, f"is a zip inside of {compression}", f"{_TOOLS[compression]} -d")


_TOOLS = {"gz": "gzip", "bz2": "bzip2", "xz": "xz", "zst": "zstd"}


def _not_read(name: str, what: str, tool: str) -> ExtractError:
    return ExtractError(
        f"{quote(name)} {what}, which can't be read here.",
        subject=name,
        hint=f"Nothing was unpacked. Unpack it with `{tool}` and pull what comes out, several files as a zip or a tar.",
    )
