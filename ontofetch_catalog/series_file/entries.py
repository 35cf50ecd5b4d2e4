"""One table of a sources file: what may stand in it, and the series that it describes."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Mapping
from urllib.parse import urlsplit

from ontofetch_hookspecs.errors import EventError
from ontofetch_hookspecs.names import check_segment, check_sha256, quote, relpath_fault, unsafe_character

from ..errors import UsageError
from ..guesses import perhaps
from ..settings_file import WHENCE
from .series import MODES, VERSION, Part, Series

MOST_KEEP = 1_000_000
_KEYS = ("url", "source", "artifacts", "version", "keep", "name", "files", "include", "exclude", "strip")
_GROUP = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\((?!\?)", re.DOTALL)  # a class may have brackets of its own
_PART_KEYS = ("url", "name", "sha256")


def series_of(title: str, service: str, ontology: str, entry: Mapping[str, object]) -> Series:
    """Return the series that a table describes; `title` is what a sentence calls the table.

    Raises:
        UsageError: Something in it is unknown, missing or wrong.
    """
    _check_keys(title, entry, _KEYS)
    try:
        check_segment("service", service)
        check_segment("ontology", ontology)
    except EventError as error:
        raise UsageError(f"{title}: {error.message}", subject=title, hint=error.hint) from error
    given = [key for key in ("url", "source", "artifacts") if key in entry]
    if not given or ("artifacts" in given and len(given) > 1):
        raise UsageError(
            f"{title} says {'both ' + ' and '.join(given) if given else 'nothing of where its releases are'}.",
            subject=title,
            hint=f"Give it one of {', '.join(sorted(WHENCE))}.",
        )
    version = _text(title, entry, "version") or ""
    series = Series(
        service=service,
        ontology=ontology,
        parts=_parts(title, entry),
        source=_text(title, entry, "source") or "",
        version=version,
        keep=_keep(title, entry.get("keep")),
        files=_globs(title, entry, "files"),
        include=_globs(title, entry, "include"),
        exclude=_globs(title, entry, "exclude"),
        strip=_strip(title, entry.get("strip", "auto")),
    )
    _check_version(title, series)
    return series


def _check_version(title: str, series: Series) -> None:
    mode, _, pattern = series.version.partition(":")
    if series.source and mode in MODES and not series.parts:
        # the documents of a source may say it as well as those of an address
        mode = ""
    if mode == "from-url" and pattern:
        compile_pattern(title, pattern)
    elif mode and mode not in MODES:
        if mode.startswith("from-"):
            raise UsageError(
                f"{title}: its version is {quote(series.version)}, none of {', '.join(MODES)}.",
                subject=title,
                hint=perhaps(mode, MODES).strip(),
            )
        try:
            check_segment("version", series.version)
        except EventError as error:
            raise UsageError(
                f"{title}: its version is {quote(series.version)}, none of {', '.join(MODES)}, and no version.",
                subject=title,
                hint=f"{perhaps(mode, MODES)}{error.hint}".strip(),
            ) from error
    known = bool(series.source) or (bool(mode) and mode not in MODES)
    if not known and any(VERSION in part.url for part in series.parts):
        raise UsageError(
            f"{title} has {VERSION} in an address, and nothing says which versions there are.",
            subject=title,
            hint='Add a source, such as "github:owner/repository", or the version itself.',
        )


def compile_pattern(title: str, pattern: str) -> str:
    """Return a regular expression with one named group for the version, as RE2 takes it, whose time is bounded.

    Raises:
        UsageError: It is none, or has no group.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    named = pattern if "(?P<" in pattern else _with_named_group(pattern)
    try:
        fields = pc.extract_regex(pa.array([""]), named).type
    except pa.ArrowInvalid as error:
        raise UsageError(f"{title}: {quote(pattern)} is no regular expression.", subject=title) from error
    if fields.num_fields < 1 or "(?P<" not in named:
        raise UsageError(
            f"{title}: {quote(pattern)} has no group for the version.",
            subject=title,
            hint="Put it into round brackets: from-url:releases/([0-9-]+)/",
        )
    return named


def _with_named_group(pattern: str) -> str:
    """Return a pattern whose first group is the version's; the others only hold things together."""
    names = iter(["(?P<version>"])

    def name(found: re.Match[str]) -> str:
        return next(names, "(?:") if found[0] == "(" else found[0]

    return _GROUP.sub(name, pattern)


def _parts(title: str, entry: Mapping[str, object]) -> tuple[Part, ...]:
    if "url" in entry:
        url = _text(title, entry, "url") or ""
        return (_part(title, {"url": url} | ({"name": entry["name"]} if "name" in entry else {})),)
    given = entry.get("artifacts", ())
    if "name" in entry:
        raise UsageError(f"{title} has a name, but several artifacts.", subject=title, hint="Name each of them.")
    if not isinstance(given, list | tuple) or len(given) > 1000:
        raise UsageError(
            f"{title}: its artifacts are no list of addresses.",
            subject=title,
            hint='Write artifacts = ["https://example.org/rules.ttl"].',
        )
    if "artifacts" in entry and not given:
        raise UsageError(
            f"{title}: its list of artifacts is empty.",
            subject=title,
            hint='Write artifacts = ["https://example.org/rules.ttl"], or take the key out.',
        )
    return tuple(_part(title, {"url": one} if isinstance(one, str) else one) for one in given)


def _part(title: str, value: object) -> Part:
    if not isinstance(value, Mapping):
        raise UsageError(
            f"{title}: an artifact is neither an address nor a table.",
            subject=title,
            hint='Write "https://example.org/rules.ttl" or { url = "…", name = "rules.ttl" }.',
        )
    _check_keys(f"An artifact of {title}", value, _PART_KEYS)
    url = _text(title, value, "url")
    if not url:
        raise UsageError(
            f"{title}: an artifact has no url.", subject=title, hint='Write { url = "https://example.org/rules.ttl" }.'
        )
    try:
        scheme = urlsplit(url).scheme
    except ValueError as error:
        raise UsageError(f"{title}: an address can't be read.", subject=title) from error
    if scheme not in ("http", "https", "file") and not os.path.isabs(url):
        raise UsageError(
            f"{title}: an address is none of http, https, file and an absolute path.",
            subject=title,
            hint="What a scheme answers is a `source`, not a `url`." if re.match(r"[a-z]+:", url) else "",
        )
    name, digest = _text(title, value, "name"), _text(title, value, "sha256")
    if name is not None and ("/" in name or relpath_fault(name)):
        raise UsageError(
            f"{title}: {quote(name)} can't be the name of a file.",
            subject=title,
            hint='Write a plain one, such as name = "rules.ttl".',
        )
    try:
        sha256 = None if digest is None else check_sha256("sha256", digest.casefold().removeprefix("sha256:"))
    except EventError as error:
        raise UsageError(f"{title}: its {error.message}", subject=title) from error
    return Part(url=url, name=name, sha256=sha256)


def _check_keys(title: str, table: Mapping[str, object], known: Collection[str]) -> None:
    unknown = [key for key in table if key not in known]
    if unknown:
        raise UsageError(
            f"{title} has an unknown key {quote(unknown[0])}.",
            subject=unknown[0],
            hint=f"{perhaps(unknown[0], known)}Known are: {', '.join(known)}.",
        )


def _text(title: str, table: Mapping[str, object], key: str) -> str | None:
    value = table.get(key)
    if value is None:
        return None
    if not isinstance(value, str) or not value or len(value) > 4096 or unsafe_character(value) is not None:
        # an address may hold a secret
        raise UsageError(f"{title}: its {key} is no plain text.", subject=key, hint=f'Write it in quotes: {key} = "…".')
    return value


def _globs(title: str, table: Mapping[str, object], key: str) -> tuple[str, ...]:
    value = table.get(key, [])
    globs = [value] if isinstance(value, str) else value
    if not isinstance(globs, list) or not all(
        isinstance(one, str) and 0 < len(one) <= 4096 and unsafe_character(one) is None for one in globs
    ):
        raise UsageError(
            f"{title}: its {key} is no glob, and no list of globs.",
            subject=key,
            hint=f'Write {key} = "*.ttl", or a list of such.',
        )
    return tuple(sorted(set(globs)))


def _keep(title: str, value: object) -> int | None:
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= MOST_KEEP:
        raise UsageError(
            f"{title}: its keep is not a number of releases from 1 on.", subject="keep", hint="Write keep = 5."
        )
    return value


def _strip(title: str, value: object) -> str:
    text = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    if text == "auto" or (text.isascii() and text.isdigit() and int(text[:4]) <= 100):
        return text
    raise UsageError(
        f"{title}: its strip is neither auto nor a number from 0 to 100.", subject="strip", hint="Write strip = 1."
    )
