"""What of an URL may be shown: which names have values that are harmless, secret, or say who may fetch."""

from __future__ import annotations

import re
from urllib.parse import unquote_plus, urlsplit, urlunsplit

# query names whose values say which bytes are meant and are worth reading in a record; whatever else stands in a query
# may be a key of its publisher's own making, so this list and none of secrets decides what is kept
HARMLESS_NAMES = frozenset(
    {"acronym", "alt", "attachment", "branch", "commit", "compression", "dataset", "date", "dl", "download", "ext"}
    | {"extension", "file", "file_name", "filename", "fmt", "format", "graph", "id", "include", "inline", "iri", "lang"}
    | {"language", "limit", "locale", "mime", "month", "name", "offset", "ontology", "order", "output", "page", "path"}
    | {"per_page", "profile", "raw", "ref", "rel", "release", "rev", "revision", "sort", "tag", "type", "v", "ver"}
    | {"version", "versionid", "year"}
)
# names, letters only, whose values say who may fetch and never what: two URLs that differ in them alone are one
CREDENTIAL_NAMES = frozenset(
    {"accesskey", "accesstoken", "apikey", "apitoken", "authorization", "authtoken", "awsaccesskeyid", "clientsecret"}
    | {"expires", "googleaccessid", "jobtoken", "jsessionid", "jwt", "keypairid", "oauthtoken", "passwd", "password"}
    | {"phpsessid", "privatetoken", "pwd", "secret", "sessionid", "sig", "signature", "subscriptionkey", "token"}
    | {"xamzalgorithm", "xamzcredential", "xamzdate", "xamzexpires", "xamzsecuritytoken", "xamzsignature"}
    | {"xamzsignedheaders", "xapikey", "xgoogalgorithm", "xgoogcredential", "xgoogdate", "xgoogexpires"}
    | {"xgoogsignature", "xgoogsignedheaders"}
)
SECRET_WORDS = frozenset(
    {"auth", "bearer", "hmac", "jwe", "jws", "key", "keys", "otp", "pass", "passcode", "pw", "pwd", "saml", "sas"}
    | {"session", "sid", "sig", "ticket"}
)
SECRET_PARTS = re.compile(
    "token|secret|passw|passphrase|pwd|apikey|accesskey|authkey|licen[cs]ekey|privatekey|subscriptionkey|credential"
    "|signature|sessid|sessionid|jwt|authoriz|authent|cookie"
)
REDACTED = "REDACTED"
_MOST_VALUE = 128  # characters of a harmless value: more than any file's or version's name, fewer than most tokens
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.$\[\]~-]{0,39}")
_WORD = re.compile("[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_EQUALS = re.compile("=|%(?:25)*3D", re.IGNORECASE)
_DELIMITER = re.compile("([/;&,?]|%(?:25)*(?:2F|3B|26|2C|3F))", re.IGNORECASE)


def redact_url(url: str) -> str:
    """Return `url` as it may be recorded and told: without user, password and fragment, with harmless values only.

    A value stays where its name is one of HARMLESS_NAMES, in the query (`&` and `;` separate) and in parameters of the
    path; all others are replaced. An URL that can't be taken apart is replaced as a whole.
    """
    return _redact(url)[0]


def is_ambiguous(url: str) -> bool:
    """Say whether what `redact_url` returns may stand for other bytes as well: then it identifies no download.

    A value that was replaced says who may fetch if its name is one of CREDENTIAL_NAMES; any other may say what.
    """
    return any(_letters(name) not in CREDENTIAL_NAMES for name in _redact(url)[1])


def is_secret_name(name: str) -> bool:
    """Say whether a header, a field or a query value of this name is a secret, in any case, encoding and spelling."""
    words = [word.casefold() for word in _WORD.findall(_decode(name))]
    return not SECRET_WORDS.isdisjoint(words) or SECRET_PARTS.search("".join(words)) is not None


def _redact(url: str) -> tuple[str, list[str]]:
    """Return the URL as it may be shown, and the names whose values were replaced; an empty one where there is none."""
    try:
        parts = urlsplit(url)
        # what stands behind a colon and is no number is part of a password with a `/`, `?` or `#` in it
        _ = parts.port
    except ValueError:
        return REDACTED, [""]
    if parts.scheme in ("data", "javascript"):
        return f"{parts.scheme}:{REDACTED}", [""]
    misplaced = parts.scheme in ("http", "https") or ("@" in _decode(url) and not url.startswith("/"))
    if misplaced and not parts.netloc and parts.scheme != "file":
        # a slash is missing, so user and password stand where the path should
        return REDACTED, [""]
    netloc = _decode(parts.netloc) if "@" in _decode(parts.netloc) else parts.netloc
    replaced: list[str] = []
    path = parts.path if parts.scheme == "file" else _redact_path(parts.path, replaced)
    pieces = re.split("([&;])", parts.query)
    pieces[::2] = [_redact_pair(piece, replaced) for piece in pieces[::2]]
    return urlunsplit((parts.scheme, netloc.rpartition("@")[2], path, "".join(pieces), "")), replaced


def _redact_path(path: str, replaced: list[str]) -> str:
    pieces = _DELIMITER.split(path)
    for number in range(0, len(pieces), 2):
        before, piece = pieces[number - 1] if number else "/", pieces[number]
        name, *value = _EQUALS.split(piece, maxsplit=1)
        # RFC 3986, 3.3: only a plain `;` begins a parameter, but servers decode before they look
        parameter = before == ";" or (bool(value) and _decode(before) in (";", "?"))
        if parameter or (value and is_secret_name(name)):
            pieces[number] = _redact_pair(piece, replaced)
    return "".join(pieces)


def _redact_pair(pair: str, replaced: list[str]) -> str:
    name, *rest = _EQUALS.split(pair, maxsplit=1)
    value = rest[0] if rest else ""
    if not pair or (name.casefold() in HARMLESS_NAMES and _is_plain(value)):
        return pair
    replaced.append(name)
    if not value.strip("="):
        # a name without a value may be a key itself, the `=` its padding
        return REDACTED
    shown = _decode(name)
    return f"{shown if _NAME.fullmatch(shown) else REDACTED}={REDACTED}"


def _is_plain(value: str) -> bool:
    """Say whether a value is one thing, in which no further pair, URL or user hides."""
    text = _decode(value)
    return value != REDACTED and len(value) <= _MOST_VALUE and "//" not in text and not set(text) & set("=&;?@#%\\")


def _decode(text: str) -> str:
    for _ in range(5):
        plain = unquote_plus(text)
        if plain == text:
            break
        text = plain
    return text


def _letters(name: str) -> str:
    return "".join(_WORD.findall(_decode(name))).casefold()
