"""The kinds of packed files, told by their first bytes: those that are read here, and those only known by name.

It looks at a few bytes and at a name, and never opens a file.
"""

from __future__ import annotations

import re

from ontofetch_hookspecs.light_dataclasses import dataclass

_READ = (
    (re.compile(rb"\x1f\x8b"), "gz"),
    (re.compile(rb"BZh[1-9](?:1AY&SY|\x17rE8P\x90)"), "bz2"),  # a text may begin with the first letters
    (re.compile(rb"\xfd7zXZ\0"), "xz"),
    (re.compile(rb"\x28\xb5\x2f\xfd"), "zst"),
)
_FIRST = b"\x1fB\xfd\x28"
_ENDINGS = {
    "gz": (".gz", ".tgz"),
    "bz2": (".bz2", ".tbz2", ".tbz", ".tb2", ".tz2"),
    "xz": (".xz", ".txz"),
    "zst": (".zst", ".zstd", ".tzst"),
}
_TARS = (".tar", ".tgz", ".tbz2", ".tbz", ".tb2", ".tz2", ".txz", ".tzst")
_ZIPS = (".zip", ".whl", ".jar")
ZIP, EMPTY_ZIP = b"PK\x03\x04", b"PK\x05\x06"  # how a zip begins, and how one without entries
SKIPPABLE = re.compile(rb"[\x50-\x5f]\x2a\x4d\x18")  # RFC 8878, 3.1.2; lz4 has the same


@dataclass(frozen=True, slots=True)
class Foreign:
    """A kind that can't be read here.

    Args:
        title: With its article, for sentences.
        tool: The command that unpacks it.
    """

    title: str
    tool: str


_SEVEN, _RAR, _Z = Foreign("a 7z archive", "7z x"), Foreign("a RAR archive", "unrar x"), Foreign("a .Z file", "gzip -d")
_LZIP, _LZ4 = Foreign("an lzip file", "lzip -d"), Foreign("an lz4 file", "lz4 -d")
_LZMA, _BROTLI = Foreign("an LZMA file of the old form", "xz -d"), Foreign("a brotli file", "brotli -d")
_CAB, _LZOP = Foreign("a cabinet (.cab)", "cabextract"), Foreign("an lzop file", "lzop -d")
_CPIO, _LHA, _ARJ = Foreign("a cpio archive", "cpio -id"), Foreign("an LHA archive", "lha x"), Foreign("ARJ", "arj x")
_AR, _RPM = Foreign("an ar archive (.a, .deb)", "ar x"), Foreign("an RPM package", "rpm2cpio")
_XAR, _LRZIP = Foreign("a xar archive (.xar, .pkg)", "xar -xf"), Foreign("an lrzip file", "lrzip -d")
_SNAPPY, _ZPAQ = Foreign("a snappy file", "snzip -d"), Foreign("a ZPAQ archive", "zpaq x")
_SQUASHFS = Foreign("a SquashFS image", "unsquashfs")
_OLD_ZSTD = Foreign("a zstd file of a version before 1.0", "zstd -d")
_PACK, _OLD_LZH = Foreign("a file of pack (.z)", "gzip -d"), Foreign("a file of compress -H (.Z)", "gzip -d")
_SPLIT = Foreign("a part of a zip that was split", "zip -s 0")
_ACE, _STUFFIT = Foreign("an ACE archive", "unace x"), Foreign("a StuffIt archive", "unar")
# what no text and no other file that somebody pulls begins with
_BY_START: tuple[tuple[tuple[bytes, ...] | re.Pattern[bytes], Foreign], ...] = (
    ((b"7z\xbc\xaf\x27\x1c",), _SEVEN),
    ((b"Rar!\x1a\x07",), _RAR),
    ((b"\x1f\x9d",), _Z),
    ((b"\x1f\xa0",), _OLD_LZH),
    ((b"\x1f\x1e",), _PACK),
    ((b"LZIP\x00", b"LZIP\x01"), _LZIP),
    ((b"\x04\x22\x4d\x18", b"\x02\x21\x4c\x18"), _LZ4),
    ((b"MSCF\0\0\0\0",), _CAB),
    ((b"\x89LZO\0\r\n\x1a\n",), _LZOP),
    (re.compile(rb"(?s)07070[127][0-9A-Fa-f]{70}"), _CPIO),
    (re.compile(rb"(?s)..-l[hz][0-9a-z]-.{13}[\0-\3]"), _LHA),
    (re.compile(rb"(?s)\x60\xea.[\x00-\x0a][\x0b-\x40].{5}\x02"), _ARJ),
    ((b"!<arch>\n",), _AR),
    ((b"\xed\xab\xee\xdb",), _RPM),
    ((b"xar!\0",), _XAR),
    ((b"LRZI\0",), _LRZIP),
    ((b"\xff\x06\0\0sNaPpY",), _SNAPPY),
    (re.compile(rb"(?s)7kSt\xa0\x31|zPQ[\x01\x02]\x01"), _ZPAQ),
    (re.compile(rb"(?s)hsqs.{24}\x04\0"), _SQUASHFS),
    (re.compile(rb"(?s)[\x1e\x22-\x27]\xb5\x2f\xfd"), _OLD_ZSTD),
    ((b"PK\x07\x08PK\x03\x04",), _SPLIT),
    (re.compile(rb"(?s).{7}\*\*ACE\*\*"), _ACE),
    (re.compile(rb"(?s)SIT!.{6}rLau|StuffIt \(c\)1997"), _STUFFIT),
    # properties of every encoder, a dictionary of a usual size, and a size that is unknown or below 256 GiB
    (re.compile(rb"(?s)\x5d\0\0(?:[\x01-\xff]\0|\0[\x01-\x40])(?:\xff{8}|.{5}\0\0\0)"), _LZMA),
)
# where the first bytes do not tell, or are damaged
_BY_ENDING = {
    ".7z": _SEVEN, ".rar": _RAR, ".z": _Z, ".taz": _Z, ".lz": _LZIP, ".tlz": _LZIP, ".lz4": _LZ4, ".lzma": _LZMA,
    ".br": _BROTLI, ".cab": _CAB, ".lzo": _LZOP, ".cpio": _CPIO, ".lzh": _LHA, ".lha": _LHA, ".arj": _ARJ,
    ".deb": _AR, ".rpm": _RPM, ".xar": _XAR, ".lrz": _LRZIP, ".sz": _SNAPPY, ".zpaq": _ZPAQ, ".squashfs": _SQUASHFS,
    ".ace": _ACE, ".sit": _STUFFIT, ".sitx": _STUFFIT,
}  # fmt: skip
_WITHOUT_START = (_BROTLI, _LZMA)  # whatever stands in such a file, nothing in it says what it is
_UNPRINTABLE = re.compile(rb"[\0-\x08\x0e-\x1f\x7f-\xff]")  # a text under such a name is none


def compression_of(head: bytes, name: str = "") -> str:
    """Return what a file that starts like this is compressed with: gz, bz2, xz, zst; nothing where it is not."""
    if head[:1] not in _FIRST:
        # most files begin otherwise, and there may be 50,000 of them
        return ""
    if head.startswith(b"BZh") and name.casefold().endswith(_ENDINGS["bz2"]):
        return "bz2"
    return next((kind for starts, kind in _READ if starts.match(head)), "")


def without_ending(name: str, compression: str) -> str:
    """Return a name without the ending of a compression, if it has it."""
    for ending in _ENDINGS.get(compression, ()):
        if name.casefold().endswith(ending) and len(name) > len(ending):
            return name[: -len(ending)]
    return name


def claims_tar(name: str) -> bool:
    """Say whether a name has an ending of tars, compressed or not."""
    return name.casefold().endswith(_TARS) or ".tar." in name.casefold()


def claims_archive(name: str) -> bool:
    """Say whether a name has an ending of archives, of those that are read and of the others."""
    return name.casefold().endswith((*_ZIPS, *_TARS)) or _ending_of(name) is not None


def claims_compression(name: str) -> bool:
    """Say whether a name has the ending of a compression that is read."""
    return name.casefold().endswith(tuple(ending for endings in _ENDINGS.values() for ending in endings))


def foreign_of(head: bytes, name: str) -> Foreign | None:
    """Return which kind a file is that can't be read here: by its first bytes, else by an ending that is believed."""
    for begins, foreign in _BY_START:
        if head.startswith(begins) if isinstance(begins, tuple) else begins.match(head):
            return foreign
    by_ending = _ending_of(name)
    return by_ending if by_ending in _WITHOUT_START and _UNPRINTABLE.search(head) else None


def _ending_of(name: str) -> Foreign | None:
    stem, dot, ending = name.rpartition(".")
    return _BY_ENDING.get(f".{ending.casefold()}") if stem and dot else None
