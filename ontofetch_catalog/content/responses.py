"""What servers send in the place of a document: web pages, error messages, pointers to files that lie elsewhere.

It looks at the first bytes of a body and its size, and says what the body is instead; who asked for what, and what
becomes of it, is not known here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from ontofetch_hookspecs.light_dataclasses import dataclass

HEAD = 256 << 10  # bytes that are looked at; an error message with its traces is shorter
_MOST_POINTER = 1024
_MOST_WORDS = 120
_BOMS = (
    (b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe\0\0", "utf-32-le"), (b"\0\0\xfe\xff", "utf-32-be"),
    (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"),
)  # fmt: skip
_LFS = re.compile(r"version https?://(git-lfs\.github\.com/spec|hawser\.github\.com/spec|git-media\.io)/v\d+\s")
_ANNEX = re.compile(r"(\.\./)*/?(\.git/)?annex/objects/\S+\s*\Z")
# a line or two in plain words, as proxies and small services write them
_PLAIN_ERROR = re.compile(
    r"\"?(error[:\s]|(http[/ ]?[\d.]*\s*)?[45]\d\d[:\s]\s*[A-Za-z ]+|(page |file |object |resource )?not found\b"
    r"|access denied|forbidden|unauthori[sz]ed|bad (gateway|request)|service unavailable|gateway time-?out"
    r"|internal server error|too many requests|(api )?rate limit|permission denied|method not allowed"
    r"|upstream (connect|request) )[^\n<]{0,300}(\n[^\n<]{0,300}){0,2}\s*\Z",
    re.IGNORECASE,
)
# what may stand before the root of a document: each ends where the next begins, so that nothing is read twice
_BEFORE_ROOT = re.compile(r"\s+|<!--.*?-->|<\?.*?\?>", re.DOTALL)
_DOCTYPE = re.compile(r"<!DOCTYPE\s+([^\s>\[]+)[^>\[]*", re.IGNORECASE)
# what may hide the end of an internal subset, and what ends it in turn
_SUBSET_STOP = re.compile(r"<!--|<\?|[\"'\]]")
_CLOSED_BY = {"<!--": "-->", "<?": "?>", '"': '"', "'": "'"}
_TAG = re.compile(r"<([A-Za-z_][\w.-]*:)?([A-Za-z_][\w.-]*)(?=([\s/>]))")
# pieces of web pages (WHATWG MIME Sniffing, 7.1) that are no `<html>`; an IRI of Turtle may look like one of them
_PIECES = frozenset(
    {"body", "br", "center", "div", "font", "form", "frameset", "h1", "h2", "head", "iframe", "img", "link", "main"}
    | {"meta", "noscript", "script", "section", "span", "style", "table", "title"}
)  # fmt: skip
_IRI = r"<[^<>\"{}|^`\\\s]*>"
_TRIPLE = re.compile(rf"{_IRI}\s+({_IRI}|a|[\w-]*:[\w-]+)\s+(<|\"|'|_:|\[|[\w-]*:)")
_TITLE = re.compile(r"<title[^>]{0,200}>([^<]{1,400})", re.IGNORECASE)
_ERRORS = frozenset(
    {"apierror", "error", "errordocument", "errormessage", "errorresponse", "errors", "exception", "exceptionreport"}
    | {"fault", "httperror", "problem", "serviceexceptionreport"}
)
_ANSWERS = frozenset({"envelope", "oai-pmh", "response", "result"})  # these may hold an error, and else something
_INNER_ERROR = re.compile(r"<([\w.-]+:)?(fault|errors?)[\s>]", re.IGNORECASE)
_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_OWN_KEYS = frozenset({"@context", "@graph", "@id", "@type", "@value", "graphs"})  # of JSON-LD and OBO graphs
_BESIDE_MESSAGE = frozenset(
    {"code", "documentation_url", "error_code", "errorcode", "exception", "instance", "path", "request_id", "requestid"}
    | {"status", "statuscode", "status_code", "timestamp", "title", "trace", "type"}
)
_SAID = ("title", "reason", "body", "description", "statusmessage", "status_message", "status")  # beside a status
_MESSAGES = ("message", "error_description", "error", "errors", "detail", "fault", "msg", *_SAID)


@dataclass(frozen=True, slots=True)
class Instead:
    """What a body is instead of a document.

    Args:
        kind: With its article, as it stands in a sentence: `a web page`.
        words: The first words of what it says, as it says them; may be hostile.
        hint: What to do about it; empty where nothing special helps.
    """

    kind: str
    words: str = ""
    hint: str = ""

    @property
    def is_pointer(self) -> bool:
        """Return whether it only names a file."""
        return self.kind in (_LFS_POINTER, _ANNEX_POINTER)

    @property
    def is_page(self) -> bool:
        """Return whether it is a web page, which somebody may want."""
        return self.kind == _PAGE


_PAGE = "a web page"
_LFS_POINTER = "a git-lfs pointer, which names a file and is none"
_LFS_HINT = (
    "Get the file itself: `git lfs pull` where it is checked out; at GitHub media.githubusercontent.com/media/… "
    "in the place of raw.githubusercontent.com/…."
)
_ANNEX_POINTER = "a git-annex pointer, which names a file and is none"


def find_instead(head: bytes, size: int) -> Instead | None:
    """Return what a body is instead of a document, None where it may be one.

    Args:
        head: Its first bytes, HEAD of them or all there are.
        size: How many there are.
    """
    if size <= len(head) and not head.strip():
        return Instead("an empty document" if not size else "nothing but blanks")
    text = _text_of(head)
    if text is None:
        return None
    start = text.lstrip()
    if start.startswith("<"):
        return _find_in_markup(start)
    if start[:1] in ("{", "[") and size <= len(head):
        return _find_in_json(start)
    return _find_in_words(start) if size <= _MOST_POINTER else None


def _text_of(head: bytes) -> str | None:
    for mark, encoding in _BOMS:
        if head.startswith(mark):
            return head[len(mark) :].decode(encoding, errors="replace")
    # UTF-16 without its mark, as some servers of Windows write it
    if head[:4:2] == b"\0\0" or head[1:4:2] == b"\0\0":
        return head.decode("utf-16-be" if head[0] == 0 else "utf-16-le", errors="replace")
    return None if b"\0" in head[:1024] else head.decode("utf-8", errors="replace")


def _find_in_words(text: str) -> Instead | None:
    if _LFS.match(text):
        return Instead(_LFS_POINTER, hint=_LFS_HINT)
    if _ANNEX.match(text):
        return Instead(_ANNEX_POINTER, hint="Run `git annex get` where it is checked out.")
    if _PLAIN_ERROR.match(text):
        return Instead("an error message", _short(text.strip().strip('"')))
    return None


# --- markup -----------------------------------------------------------------------------------------------------------


def _find_in_markup(text: str) -> Instead | None:
    place, doctype = _root_place(text)
    found = _TAG.match(text, place)
    if _is_page(text, place, found, doctype):
        title = _TITLE.search(text)
        return Instead(_PAGE, _short(title[1]) if title else _words_of_markup(text))
    if found is None or _RDF in text or _reads_as_triple(text, place):
        return None
    name = found[2].casefold()
    if name in _ERRORS or (name in _ANSWERS and _INNER_ERROR.search(text, place, place + 65_536)):
        return Instead("an error message in XML", _words_of_markup(text[place:]))
    return None


def _is_page(text: str, place: int, root: re.Match[str] | None, doctype: str) -> bool:
    if root is None:
        return doctype == "html"
    name = root[2].casefold()
    if name == "html":
        return not _reads_as_triple(text, place)
    if root[1] or _RDF in text:
        return False
    # both tags of `<html>` may be left away
    return doctype == "html" or (name in _PIECES and _is_piece(text, place, name))


def _root_place(text: str) -> tuple[int, str]:
    """Return where the root of a document may stand, and the name in its DOCTYPE, in small letters."""
    place, doctype = 0, ""
    while True:
        passed = _BEFORE_ROOT.match(text, place)
        if passed is not None:
            place = passed.end()
            continue
        declared = _DOCTYPE.match(text, place)
        if declared is None:
            return place, doctype
        doctype = declared[1].casefold()
        place = declared.end()
        if text.startswith("[", place):
            place = _subset_end(text, place + 1)
        elif text.startswith(">", place):
            place += 1


def _subset_end(text: str, place: int) -> int:
    """Return where an internal subset ends; what is not closed hides all that follows, so nothing is read twice."""
    while (found := _SUBSET_STOP.search(text, place)) is not None:
        if found[0] == "]":
            end = text.find(">", found.end())
            return end + 1 if end >= 0 else len(text)
        closing = _CLOSED_BY[found[0]]
        end = text.find(closing, found.end())
        if end < 0:
            break
        place = end + len(closing)
    return len(text)


def _reads_as_triple(text: str, place: int) -> bool:
    """Say whether Turtle begins there: `<error> <code> "x" .` has relative IRIs that look like tags."""
    return _TRIPLE.match(text, place) is not None


def _is_piece(text: str, place: int, name: str) -> bool:
    end = text.find(">", place)
    if text.startswith("<?xml") or "xmlns" in text[place:end]:
        # a vocabulary of its own
        return False
    # no IRI has a blank in it, and no Turtle the end of an element
    return " " in text[place:end] or text[end - 1] == "/" or f"</{name}" in text.casefold()


def _words_of_markup(text: str) -> str:
    words = re.sub(
        r"<!--.*?-->|<(script|style)\b.*?</\1\s*>|<[^>]*>", " ", text[:8192], flags=re.DOTALL | re.IGNORECASE
    )
    return _short(words)


def _short(words: str) -> str:
    plain = " ".join(words.split())
    return plain if len(plain) <= _MOST_WORDS else plain[:_MOST_WORDS] + "…"


# --- JSON -------------------------------------------------------------------------------------------------------------


def _find_in_json(text: str) -> Instead | None:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    items = found if isinstance(found, list) else [found]
    if not items or not all(isinstance(item, dict) and _is_error(item) for item in items[:100]):
        return None
    return Instead("an error message in JSON", _short(" ".join(_messages(items[0]))))


def _is_error(found: dict[str, Any]) -> bool:
    keys = {key.casefold(): value for key, value in found.items()}
    if _OWN_KEYS & keys.keys():
        return False
    if any(keys.get(key) for key in ("error", "errors", "fault", "exception", "error_description")):
        # an answer that has both says what it is about
        return not any(isinstance(keys.get(key), dict | list) and keys[key] for key in ("data", "result", "results"))
    status = keys.get("status", keys.get("statuscode", keys.get("code")))
    failed = _is_failure(status) or keys.get("success") is False or keys.get("ok") is False
    for name in ("message", "msg", "detail"):
        if isinstance(keys.get(name), str | list | dict):
            # it stands alone, or with what goes along with errors
            return failed or not keys.keys() - _BESIDE_MESSAGE - {name}
    return failed and len(keys) <= 8 and any(isinstance(keys.get(key), str) for key in _SAID)


def _is_failure(status: object) -> bool:
    text = str(status).casefold() if isinstance(status, int | str) and not isinstance(status, bool) else ""
    return text in ("error", "fail", "failed", "failure") or bool(re.fullmatch(r"[45]\d\d", text[:5]))


def _messages(found: object, depth: int = 0) -> Iterator[str]:
    """Yield what an error says, its own words first."""
    if isinstance(found, str | int):
        yield str(found)[:400]
    elif isinstance(found, list) and depth < 4:
        for item in found[:3]:
            yield from _messages(item, depth + 1)
    elif isinstance(found, dict) and depth < 4:
        keys = {key.casefold(): value for key, value in found.items()}
        for key in _MESSAGES:
            if keys.get(key):
                yield from _messages(keys[key], depth + 1)
                return
