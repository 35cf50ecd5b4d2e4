"""The strategies of the fuzzing: bytes, values, archives, texts, answers and words that nobody honest sends.

What is done with them is not known here.
"""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import struct
from typing import Any

import zstandard
from hypothesis import strategies as st

from . import given_texts
from . import packing as p

NAMES = st.sampled_from(
    [
        *(b"a.ttl", b"b.obo", b"d/a.ttl", b"d/", b"./a.ttl", b"../x", b"/etc/x", b"..", b".", b""),
        *(b"a//b", b"a\0b", b"A.TTL", b"\xff\xfe", b"c\xcc\x81", b"\xc7\xa9", b"con", b"-rf"),
        *(b"d/../../x", b"x" * 300, b"d/" * 600 + b"x", b"\x1b[2J", b"manifest.json", b".catalog/x"),
        *(b"\xe2\x80\xae.ttl", b"\xe2\x80\x8b", b"a\\b", b"C:/x", b"~/x", b"$(x)"),
    ]
)
TURTLE = b'<http://example.org/a> <http://example.org/b> "c" .\n'
DATA = st.one_of(st.binary(max_size=60), st.just(TURTLE), st.integers(1, 40_000).map(bytes))
EDGES = st.sampled_from([0, 1, 2, 255, 256, 511, 512, 65_535, 65_536, 2**31 - 1, 2**31, 2**32 - 1])


@st.composite
def mangled(draw: st.DrawFn, source: st.SearchStrategy[bytes]) -> bytes:
    """Return bytes of `source` with some bytes changed, cut out, doubled or added."""
    data = bytearray(draw(source))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, max(len(data) - 1, 0)))
        match draw(st.integers(0, 5)):
            case 0 if data:
                data[at] ^= 1 << draw(st.integers(0, 7))
            case 1:
                del data[at:]
            case 2:
                data[at:at] = draw(st.binary(max_size=20))
            case 3:
                data[at : at + 4] = struct.pack("<I", draw(EDGES))
            case 4:
                end = at + draw(st.integers(0, 600))
                data[at:at] = data[at:end]
            case _:
                del data[at : at + draw(st.integers(0, 40))]
    return bytes(data)


# --- archives -------------------------------------------------------------------------------------------------------

_NUMBER = st.one_of(st.none(), EDGES)
_ZIP64 = st.builds(
    lambda length, values: struct.pack("<HH", 1, length) + b"".join(struct.pack("<Q", value) for value in values),
    st.sampled_from([0, 8, 16, 24, 28, 65_535]),
    st.lists(st.sampled_from([0, 1, 100, 2**40, 2**63 - 1, 2**64 - 1]), max_size=4),
)
_MEMBERS = st.builds(
    p.Member,
    name=NAMES,
    data=DATA,
    packed=st.one_of(st.none(), st.none(), st.binary(max_size=30)),
    method=st.sampled_from([0, 0, 8, 8, 12, 14, 1, 9, 93, 95, 98, 99, 65_535]),
    flags=st.sampled_from([0, 0, 0, 1, 8, 8, 0x800, 0x20, 0x40, 0x2000]),
    version=st.sampled_from([20, 10, 45, 46, 63, 255]),
    crc=st.one_of(st.none(), st.none(), st.just(7)),
    packed_size=_NUMBER,
    size=_NUMBER,
    extra=st.one_of(st.just(b""), _ZIP64, st.binary(max_size=12)),
    attributes=st.sampled_from(
        [
            *(0, 0o100644 << 16, 0o120777 << 16, 0o010644 << 16, 0o020666 << 16, 0o040755 << 16, 16),
        ]
    ),
    descriptor=st.sampled_from([b"", b"", b"PK\x07\x08" + bytes(12), b"PK\x07\x08" + bytes(20), bytes(12)]),
    offset=st.one_of(st.none(), st.none(), st.none(), EDGES),
    time=st.tuples(st.integers(0, 65_535), st.integers(0, 65_535)),
    local=st.one_of(
        st.just({}),
        st.fixed_dictionaries({}, optional={"name": NAMES, "method": st.sampled_from([0, 8, 12, 14]), "size": EDGES}),
        st.fixed_dictionaries({}, optional={"flags": st.sampled_from([0, 1, 8]), "packed": EDGES, "extra": _ZIP64}),
    ),
)
ZIPS = st.builds(
    lambda members, end, comment, before: p.zipped(*members, end=end, comment=comment, before=before),
    st.lists(_MEMBERS, min_size=1, max_size=4),
    st.fixed_dictionaries({}, optional={"count": EDGES, "size": EDGES, "offset": EDGES}) | st.just({}),
    st.sampled_from([b"", b"x", b"PK\x05\x06" + bytes(18)]),
    st.sampled_from([b"", b"", b"#!/bin/sh\n", b"PK\x03\x04"]),
)
_PAX_KEYS = st.sampled_from(
    [
        *(b"path", b"linkpath", b"size", b"mtime", b"atime", b"uid", b"gid", b"uname", b"hdrcharset"),
        *(b"comment", b"charset", b"GNU.sparse.major", b"GNU.sparse.minor", b"GNU.sparse.name"),
        *(b"GNU.sparse.realsize", b"GNU.sparse.size", b"GNU.sparse.map", b"GNU.sparse.numblocks"),
        *(b"GNU.sparse.offset", b"SCHILY.xattr.user.x", b"", b"\xff", b"a b"),
    ]
)
_PAX_VALUES = st.one_of(
    NAMES,
    st.sampled_from(
        [
            *(b"nan", b"inf", b"-1", b"0", b"1e999", b"9" * 30, b"9" * 5000, b"0x10", b"1_0", b" 5", b"0,1,x"),
        ]
    ),
    st.sampled_from([b"1", b"BINARY", b"0,5", b"5,5,5,5", b"\xd9\xa1", b"1.5", b"", b"-0", b"1e5"]),
)
_RECORDS = st.one_of(
    st.builds(p.pax_record, _PAX_KEYS, _PAX_VALUES),
    st.builds(p.pax_record, _PAX_KEYS, _PAX_VALUES),
    st.sampled_from(
        [
            *(b"7 a=b\n", b"99 a=b\n", b"0 a=b\n", b"-5 a=b\n", b"a=b\n", b"5 =\n", b"6 a=b"),
            *(b"9" * 5000 + b" a=b\n",),
        ]
    ),
)
_FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "kind": st.sampled_from(
        [
            *(b"0", b"0", b"0", b"5", b"1", b"2", b"3", b"4", b"6", b"7", b"S", b"D", b"V", b"\0", b"Z"),
        ]
    ),
    "magic": st.sampled_from([b"ustar\x0000", b"ustar  \0", b"", b"ustar\0\0\0", b"xstar\x0000"]),
    "mtime": st.sampled_from(
        [
            *(b"00000000000\0", b"77777777777\0", b"-1\0", b"\xff" * 12, b"\x80" + b"\xff" * 11, b"z", b""),
        ]
    ),
    "link": st.sampled_from([b"", b"../../outside", b"a.ttl"]),
    "prefix": st.sampled_from([b"", b"", b"d", b"..", b"/"]),
    "checksum": st.sampled_from([None, None, None, None, 5]),
}
_SIZES = st.sampled_from(
    [
        *(0, 1, 512, -1, -512, 8**11 - 1, 8**11, 2**63, 2**88 - 1, b"zzz", b"", b"99999999999", b" 7 "),
    ]
)
_BLOCKS = st.one_of(
    st.builds(lambda name, data, fields: p.tar_file(name, data, **fields), NAMES, DATA, st.fixed_dictionaries(_FIELDS)),
    st.builds(p.tar_file, NAMES, DATA),
    st.builds(lambda name, size, fields: p.header(name, size, **fields), NAMES, _SIZES, st.fixed_dictionaries(_FIELDS)),
    st.builds(
        lambda records, kind: p.pax(*records, kind=kind),
        st.lists(_RECORDS, max_size=4),
        st.sampled_from([b"x", b"x", b"g", b"X"]),
    ),
    st.builds(
        lambda name, kind: p.tar_file(b"././@LongLink", name + b"\0", kind=kind), NAMES, st.sampled_from([b"L", b"K"])
    ),
    st.sampled_from([bytes(512), b"\xff" * 512, p.END]),
)
TARS = st.builds(
    lambda blocks, end: b"".join(blocks) + end,
    st.lists(_BLOCKS, min_size=1, max_size=5),
    st.sampled_from([p.END, p.END, b"", bytes(512), p.END + b"trailing"]),
)
_PACKS = {
    "gz": lambda data: gzip.compress(data, mtime=0),
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zst": zstandard.compress,
}
_ENDS = st.sampled_from(
    [
        *(b"", b"", b"\0" * 512, b"garbage", b"\x50\x2a\x4d\x18\x05\0\0\0hello", b"\x1f\x8b"),
        *(b"\xfd7zXZ\0",),
    ]
)


@st.composite
def archives(draw: st.DrawFn) -> tuple[str, bytes]:
    """Return a file's name and its bytes: a zip, a tar, or a compressed stream of a tar, of text or of nothing."""
    if draw(st.booleans()):
        return "a.zip", draw(mangled(ZIPS) | ZIPS)
    data = draw(mangled(TARS) | TARS)
    ending = draw(st.sampled_from(["", *_PACKS]))
    if not ending:
        return "a.tar", data
    name = "a.tar." + ending
    if draw(st.booleans()):
        name, data = f"a.ttl.{ending}", draw(DATA)
    packed = _PACKS[ending](data) + draw(_ENDS)
    return name, draw(mangled(st.just(packed))) if draw(st.booleans()) else packed


# --- documents ------------------------------------------------------------------------------------------------------

VALUES = st.one_of(
    st.sampled_from(
        [
            *("../x", "../../outside/secret.txt", "/etc/passwd", "", ".", "..", "a\0b", "\ud800", "\u202e"),
            *("~",),
        ]
    ),
    st.sampled_from(
        [
            *("s/o/1", "s/o/1/../../../../outside", "lnk/x", ".catalog", "9" * 5000, "\x1b[2J", "NaN"),
            *("latest",),
        ]
    ),
    st.sampled_from(
        [
            *(None, True, -1, 0, 2**63, 2**64, 10**400, 1e308, float("nan"), float("inf"), [], {}, [[[]]]),
            *({"a": 1},),
        ]
    ),
    st.sampled_from(
        [
            *(["../x"], [None], "2025-13-45T99:99:99Z", "0000-00-00T00:00:00Z", "infinity", "0" * 64),
            *("f" * 64,),
        ]
    ),
)


@st.composite
def changed(draw: st.DrawFn, document: Any) -> Any:
    """Return a document with one value, key or item changed, wherever in it."""
    match document:
        case dict() if document and draw(st.integers(0, 5)):
            key = draw(st.sampled_from(sorted(document)))
            if not draw(st.integers(0, 6)):
                return {name: value for name, value in document.items() if name != key}
            return document | {key: draw(changed(document[key]))}
        case list() if document and draw(st.integers(0, 5)):
            at = draw(st.integers(0, len(document) - 1))
            if not draw(st.integers(0, 6)):
                return document + document
            return [*document[:at], draw(changed(document[at])), *document[at + 1 :]]
        case _:
            return draw(VALUES)


@st.composite
def documents(draw: st.DrawFn, data: bytes) -> bytes:
    """Return the bytes of a JSON document, or of lines of them, with something wrong."""
    if not draw(st.integers(0, 3)):
        return draw(mangled(st.just(data)))
    try:
        lines = [json.loads(data)]
    except ValueError:
        lines = [json.loads(line) for line in data.splitlines()]
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(lines) - 1))
        lines[at] = draw(changed(lines[at]))
    return "\n".join(json.dumps(line) for line in lines).encode() + b"\n"


# --- texts ----------------------------------------------------------------------------------------------------------

_ENTITIES = st.builds(
    lambda levels, fan, place: given_texts.rdf(given_texts.laughs(levels, fan, first="x" * 20), place % f"&l{levels};"),
    st.integers(0, 6),
    st.integers(0, 12),
    st.sampled_from(
        [given_texts.thing("%s"), '<rdf:Description rdf:about="%s"/>', '<rdf:Description xmlns:x="%s" x:p="1"/>', "%s"]
    ),
)
_PIECES = st.sampled_from(
    [
        *("<a:s>", "<a:p>", "[", "]", "(", ")", "{", "}", "<<", ">>", '"x"', "'", '"""', ".", ";", ","),
        *("@prefix", "a", "_:b", "^^", "@en", "\\u0041", "\\U00110000", "\\uD800", "# x\n", "\0"),
        *("\ufeff", "1e9999", "-", "true", "@base", "!", "^", "GRAPH", "=>", "{|", "|}", "<", ">", "\\"),
        *("\n", "\r", "[Term]\n", "id: A:1\n", "is_a: ", "format-version: 1.4\n", "xref: "),
        *('def: "x" []\n', "{a=b}", "<?xml", "<!DOCTYPE x [", "<!ENTITY a '&a;'>", "&a;", "&#0;"),
        *("&#x110000;", "<rdf:RDF>", "</rdf:RDF>", "<![CDATA[", "]]>", '"@context":', '"@id":'),
        *('"@graph":', ":", "null", "@forAll", "?x"),
    ]
)
_SOUP = st.builds(
    lambda pieces, times: (" ".join(pieces) * times).encode("utf-8", "surrogatepass"),
    st.lists(_PIECES, min_size=1, max_size=12),
    st.sampled_from([1, 1, 1, 2, 100, 20_000]),
)
TEXT_NAMES = st.sampled_from(
    [
        *("a.ttl", "a.nt", "a.nq", "a.trig", "a.rdf", "a.owl", "a.jsonld", "a.n3", "a.obo", "a.ofn"),
    ]
)
TEXTS = st.tuples(TEXT_NAMES, st.one_of(_SOUP, mangled(_ENTITIES), mangled(_SOUP)))

# --- answers --------------------------------------------------------------------------------------------------------

_STATUS = st.builds(
    lambda version, code, reason: b" ".join([version, code, reason]),
    st.sampled_from([b"HTTP/1.1", b"HTTP/1.1", b"HTTP/1.0", b"HTTP/2", b"HTTP/0.9", b"ICY", b"http/1.1", b""]),
    st.sampled_from(
        [
            *[b"200"] * 5,
            *(b"100", b"103", b"204", b"206", b"301", b"302", b"304", b"307", b"404", b"429", b"500"),
        ]
    )
    | st.sampled_from([b"-1", b"0", b"1e3", b"\xd9\xa2", b"99999"]),
    st.sampled_from([b"OK", b"", b"\x1b[2J", b"x" * 9000, b"\0", b"\xff"]),
)
_LOCATIONS = st.sampled_from(
    [
        *(b"/x.nt", b"", b"//", b"http://", b"http:///", b"data:x", b"file:///etc/passwd", b"http://[::1"),
        *(b"http://a:b/", b"\xff", b"http://127.0.0.1:0/", b"javascript:x", b"http://\0/", b"?", b"#"),
        *(b"http://..", b"http://xn--0/", b"HTTP://%00/", b"http://[v1.x]/", b"http://1.1/"),
        *(b"http://0x7f.1:1/", b"http://2130706433:1/", b"http://a@127.0.0.1:1/", b"\\\\x"),
    ]
)
_HEADERS = st.one_of(
    _LOCATIONS.map(lambda value: b"Location: " + value),
    st.sampled_from(
        [b"Content-Length: " + value for value in (b"0", b"5", b"20", b"-1", b"x", b"9" * 30, b"+5", b"5, 5")]
    ),
    st.sampled_from(
        [b"Transfer-Encoding: " + value for value in (b"chunked", b"gzip, chunked", b"identity", b"chunked, x")]
    ),
    st.sampled_from(
        [b"Content-Encoding: " + value for value in (b"gzip", b"br", b"deflate", b"zstd", b"x", b"gzip,gzip")]
    ),
    st.sampled_from(
        [b"Retry-After: " + value for value in (b"-1", b"nan", b"inf", b"1e9", b"Fri, 99 Foo", b"9" * 400)]
    ),
    st.sampled_from(
        [
            *(b'ETag: "x"', b"ETag: W/", b"ETag: \xff", b"Last-Modified: x", b"Content-Type: ;;;=", b": x"),
            *(b"x",),
        ]
    ),
    st.sampled_from(
        [b"Connection: close", b"Connection: upgrade", b"Set-Cookie: a=b; Domain=x", b"Content-Range: bytes 1-"]
    ),
)
_CHUNKS = st.builds(
    lambda size, data, end: size + b"\r\n" + data + end,
    st.sampled_from([b"5", b"0", b"ffff", b"-1", b"0x5", b"5;x=y", b"5 ", b"", b"\xff", b"1" * 40]),
    st.sampled_from([b"hello", TURTLE, b""]),
    st.sampled_from([b"\r\n", b"", b"\n"]),
)
ANSWERS = mangled(
    st.builds(
        lambda status, headers, bodies: b"\r\n".join([status, *headers]) + b"\r\n\r\n" + b"".join(bodies),
        _STATUS,
        st.lists(_HEADERS, max_size=4),
        st.lists(_CHUNKS | st.just(TURTLE) | st.binary(max_size=40), max_size=4),
    )
)

# --- words ----------------------------------------------------------------------------------------------------------

_COMMANDS = st.sampled_from(
    [
        *(["pull"], ["db"], ["report", "latest"], ["report", "growth"], ["report", "duplicates"]),
        *(["plugins"], ["home"], []),
    ]
    + [["db", verb] for verb in ("status", "versions", "files", "stats", "find", "delta", "events", "latest", "backup")]
    + [
        ["db", verb]
        for verb in ("restore", "verify", "share", "refresh", "prune", "pin", "migrate", "doctor", "rebuild", "recover")
    ]
)
_OPTIONS = st.sampled_from(
    [
        *("--service", "--ontology", "--version", "--released", "--sha256", "--include", "--strip"),
        *("--header", "--replace", "--format", "--json", "--out", "--top", "--bytes", "--profile"),
        *("--wait", "--no-plugin", "-v", "-q", "--min-age", "--keep-last", "--older-than", "--yes"),
        *("--apply", "--plans", "--explain", "--sample", "--seed", "--max-duration", "--workers"),
        *("--resume", "--hash", "--fix", "--prefer", "--to", "--include-data", "--list", "--a", "--b"),
        *("--by", "--join", "--all", "--verify-key", "--sign", "--dry-run", "--source", "--root"),
        *("--profile-out",),
    ]
)
_WORDS = st.sampled_from(
    [
        *("s", "o", "1", "s/o", "s/o/1", "s/o/latest", "../x", "", "-", "--", "0", "-1", "9" * 400),
        *("1e308", "nan", "inf", "0s", "%", "100%", "0%", "-5%", "1e-320%", "9999999999d", "1h1h"),
        *("\ud800", "\u202e", "\x1b[2J", "a\nb", "*", "[", "[!", "{", "x" * 5000, "http://"),
        *("http://127.0.0.1:1/x", "http://[", "file:", "file://host/x", "data:x", "given.nt", "K:V", "K:"),
        *("K:\r\nX", "json", "csv", "html", "markdown", "parquet", "latest", "get", "set", "0" * 64),
        *("'; DROP TABLE x; --", "\u0661", "2025-09-15", "2025-02-30", "99999-01-01", "latest.json", "~"),
        *("$HOME", "given-1/", "format", "version_id", "catalog"),
    ]
)
WORDS = st.builds(
    lambda command, words: [*command, *words],
    _COMMANDS,
    st.lists(st.one_of(_OPTIONS, _WORDS, _WORDS), max_size=7),
)
