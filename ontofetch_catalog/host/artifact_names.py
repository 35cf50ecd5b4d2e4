"""The name of an artifact: what the user says, else what the server says, else what the addresses and the type say.

Everything that a server says is made harmless first; it asks nobody and opens nothing.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from urllib.parse import parse_qsl, unquote_to_bytes, urlsplit

from ontofetch_hookspecs.names import DIRECTION_MARKS, relpath_fault
from ontofetch_hookspecs.redaction import REDACTED, redact_url

UNNAMED = "ontology"  # what is called by nobody; its type gives it an ending
MOST_NAME = 200  # bytes of a name that a server chose: some are left for what tools put beside it
_MOST_HEADER = 8192
_MOST_ENDING = 20
_AROUND = re.compile(r"^[\s.]+|[\s.]+\Z")
_UNSEEN = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
# an ending has a letter first: `1.0` has none, `.owl` and `.7z` do
_ENDING = re.compile(r"[^.].*\.([A-Za-z][A-Za-z0-9]{0,9}|7z)")
# programs that send a file, and words that say what to do with one: none of them is its name
_PROGRAMS = frozenset({"action", "asp", "aspx", "ashx", "cfm", "cgi", "do", "fcgi", "jsp", "jspx", "php", "pl"})
_VERBS = re.compile(
    "api|attachment|blob|content|data|document|download|downloads|export|fetch|file|files|get|getfile|latest|raw|rest"
    "|retrieve|serve|source|stream|submission|view|[0-9]+",
    re.IGNORECASE,
)
_QUERY_NAMES = ("filename", "file_name", "file", "name", "attachment", "path", "download", "dl")
_PARAMETER = re.compile(r';\s*([A-Za-z0-9!#$&+.^_`|~-]+\*?)\s*=\s*("(?:[^"\\]|\\.)*"|[^;]*)')
_EXTENDED = re.compile(r"([A-Za-z0-9!#$%&+^_`{}~-]+)'[^']*'(.*)", re.DOTALL)  # RFC 8187, 3.2.1
_CHARSETS = frozenset({"utf-8", "utf8", "iso-8859-1", "us-ascii", "windows-1252"})
_ENDINGS = {
    "text/turtle": "ttl", "application/turtle": "ttl", "application/x-turtle": "ttl", "text/n3": "n3",
    "text/rdf+n3": "n3", "application/n-triples": "nt", "application/n-quads": "nq", "text/x-nquads": "nq",
    "application/trig": "trig", "application/rdf+xml": "rdf", "application/owl+xml": "owx",
    "application/ld+json": "jsonld", "text/obo": "obo", "application/obo": "obo", "text/x-obo": "obo",
    "application/x-obo": "obo", "text/owl-functional": "ofn", "text/owl-manchester": "omn",
    "application/json": "json", "application/xml": "xml", "text/xml": "xml", "text/csv": "csv",
    "text/tab-separated-values": "tsv", "application/yaml": "yaml", "text/html": "html",
    "application/xhtml+xml": "html", "application/zip": "zip", "application/x-zip-compressed": "zip",
    "application/gzip": "gz", "application/x-gzip": "gz", "application/x-tar": "tar", "application/x-xz": "xz",
    "application/x-bzip2": "bz2", "application/zstd": "zst",
}  # fmt: skip


def name_of_answer(
    urls: Sequence[str], disposition: str | None, content_type: str | None, *, secrets: Sequence[str] = ()
) -> str:
    """Return what an artifact is called that a server sent.

    That is the name in Content-Disposition (RFC 6266); else that of the last URL which has one with an ending; else
    that of the first URL; else `ontology` with the ending that Content-Type says.

    Args:
        urls: What was asked for and what it redirected to, in order; values that are hidden in records are no names.
        disposition: The header Content-Disposition, or None.
        content_type: The header Content-Type, or None.
        secrets: What no name may repeat.
    """
    shown = [redact_url(url) for url in urls]
    told = name_in_disposition(disposition or "")
    last_ones = [name for name in map(name_in_url, reversed(shown)) if name and has_ending(name)]
    for name in (told, *last_ones):
        if name is not None and not any(secret in name for secret in secrets):
            return name
    first = name_in_url(shown[0]) if shown else None
    if first is not None and any(secret in first for secret in secrets):
        first = None
    ending = _ENDINGS.get((content_type or "").partition(";")[0].strip().casefold())
    if first is not None and not (_VERBS.fullmatch(first) or _is_program(first)):
        return first
    if ending is None:
        return first or UNNAMED
    return f"{UNNAMED}.{ending}"


def has_ending(name: str) -> bool:
    """Return whether a name ends like a file's: a dot and letters, and not those of a program that sends files."""
    return _ENDING.fullmatch(name) is not None and not _is_program(name)


def _is_program(name: str) -> bool:
    return ending_of(name) in _PROGRAMS


def ending_of(name: str) -> str:
    """Return the ending of a name in small letters, without its dot; empty where it has none like a file's."""
    found = _ENDING.fullmatch(name)
    return found[1].casefold() if found else ""


def name_in_url(url: str) -> str | None:
    """Return the name that an URL has, None if it has none that a file can have.

    It is the last part of the path, without parameters; where that has no ending, a value of the query that has one.
    """
    parts = urlsplit(url)
    last = _decoded(parts.path.rpartition("/")[2].partition(";")[0])
    usable = last and relpath_fault(last) is None and "/" not in last and REDACTED not in last
    name = last if usable else None
    if name is not None and has_ending(name):
        return name
    pairs = dict(parse_qsl(parts.query, max_num_fields=None))
    for key in _QUERY_NAMES:
        value = harmless_name(pairs.get(key, ""))
        if value is not None and has_ending(value):
            return value
    return name


def _decoded(segment: str) -> str:
    return unquote_to_bytes(segment).decode(errors="surrogateescape")


# --- Content-Disposition ----------------------------------------------------------------------------------------------


def name_in_disposition(header: str) -> str | None:
    """Return the harmless name in a Content-Disposition header, None if it has none.

    `filename*` goes before `filename` (RFC 6266, 4.3), if it can be decoded (RFC 8187).
    """
    found: dict[str, str] = {}
    # servers leave the first word away
    for parameter in _PARAMETER.finditer(";" + header[:_MOST_HEADER]):
        found.setdefault(parameter[1].casefold(), parameter[2].strip())
    extended = _extended(_unquoted(found.get("filename*", "")))
    return harmless_name(extended) or harmless_name(_encoded_word(_unquoted(found.get("filename", ""))))


def _unquoted(value: str) -> str:
    if len(value) < 2 or not (value.startswith('"') and value.endswith('"')):
        return value.removeprefix('"')
    # a backslash before another character is one of a path, whatever the grammar says
    return re.sub(r'\\(["\\])', r"\1", value[1:-1])


def _extended(value: str) -> str:
    found = _EXTENDED.fullmatch(value)
    if found is None or found[1].casefold() not in _CHARSETS:
        return ""
    try:
        return unquote_to_bytes(found[2]).decode(found[1])
    except UnicodeDecodeError:
        return ""


def _encoded_word(value: str) -> str:
    """Decode what is written as in a mail (RFC 2047), which is no part of RFC 6266 but common."""
    if not (value.startswith("=?") and value.endswith("?=")):
        return value
    from email.errors import HeaderParseError
    from email.header import decode_header, make_header

    try:
        return str(make_header(decode_header(value)))
    except (HeaderParseError, LookupError, ValueError):
        return value


def harmless_name(text: str) -> str | None:
    """Return the name of a file that a stranger's text means, None if nothing is left of it.

    Folders before it, characters that can't be seen or turn the direction of text, and dots and blanks around it are
    taken away; a long one is cut before its ending.
    """
    last = text.replace("\\", "/").rpartition("/")[2]
    seen = "".join(ch for ch in last if unicodedata.category(ch) not in _UNSEEN and ch not in DIRECTION_MARKS)
    name = _AROUND.sub("", seen)
    if len(name.encode()) > MOST_NAME:
        stem, dot, ending = name.rpartition(".")
        tail = dot + ending if stem and len(ending.encode()) <= _MOST_ENDING else ""
        name = name.encode()[: MOST_NAME - len(tail.encode())].decode(errors="ignore")
        name = _AROUND.sub("", name) + tail
    return name if name and relpath_fault(name) is None else None
