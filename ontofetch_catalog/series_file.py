"""The sources file: where the releases of each series come from, as a user wrote it down once.

`ROOT/ontofetch.toml` has a table `[service.ontology]` for each series. The settings file of a folder may be the same
file: its settings stand beside these tables. Nothing is fetched here.
"""

from __future__ import annotations

import difflib
import json
import os
import re
import stat
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from ontofetch_hookspecs.errors import EventError
from ontofetch_hookspecs.names import check_segment, check_sha256, quote, relpath_fault, unsafe_character
from ontofetch_hookspecs.store_paths import StorePath

from .errors import UsageError
from .settings import PLUGIN, SETTINGS
from .settings_file import CONFIG_FILE, WHENCE, parse_toml

MOST_BYTES = 4 << 20
MOST_KEEP = 1_000_000
MODES = ("from-document", "from-header", "from-url", "date")
VERSION = "{version}"  # stands in an address for the version
_KEYS = ("url", "source", "artifacts", "version", "keep", "name", "files", "include", "exclude", "strip")
_GROUP = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\((?!\?)", re.DOTALL)  # a class may have brackets of its own
_PART_KEYS = ("url", "name", "sha256")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One artifact of each release of a series.

    Args:
        url: Where it is; `{version}` in it stands for the version.
        name: What it is called; None: what its address or its server says.
        sha256: What its bytes must have, or None.
    """

    url: str = field(repr=False)
    name: str | None = None
    sha256: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One series and where its releases come from.

    Args:
        service, ontology: Its name.
        parts: Its artifacts; empty where `source` says them.
        source: What a scheme is asked for, e.g. `pypi:brickschema`; empty where there is none.
        version: How the version is found: one of MODES, `from-url:` with a regular expression, or the version itself;
            empty: as the source, else the document says.
        keep: How many releases prune leaves; None where the file does not say.
        files: Globs of the names of files that are taken where the source has several.
        include, exclude, strip: How the artifacts are unpacked, as for `pull`.
    """

    service: str
    ontology: str
    parts: tuple[Part, ...] = ()
    source: str = ""
    version: str = ""
    keep: int | None = None
    files: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    strip: str = "auto"

    @property
    def name(self) -> str:
        """Return `service/ontology`."""
        return f"{self.service}/{self.ontology}"


@dataclass(frozen=True, slots=True)
class SeriesFile:
    """A sources file that was read: its path as it is shown, and its series by name, in its order."""

    path: str
    series: Mapping[str, Series] = field(default_factory=dict)

    def choose(self, names: Iterable[str]) -> list[Series]:
        """Return the series that are named, `service/ontology` or one of its parts that only one has; all if none is.

        Raises:
            UsageError: There is no such series, or there are several.
        """
        chosen = {found.name: found for name in names for found in [self._find(name)]}
        return list(chosen.values()) if chosen else list(self.series.values())

    def _find(self, name: str) -> Series:
        wanted = name.strip().replace(".", "/", 1) if "/" not in name and name.count(".") == 1 else name.strip()
        if wanted in self.series:
            return self.series[wanted]
        alike = [one for one in self.series.values() if name in (one.ontology, one.service)]
        if len(alike) == 1:
            return alike[0]
        if alike:
            raise UsageError(
                f"{quote(name)} may be one of {_list(one.name for one in alike)}.",
                subject=name,
                hint="Name it whole.",
            )
        raise UsageError(
            f"{self.path} has no series {quote(name)}.",
            subject=name,
            hint=f"{guess(name.replace(' ', '/'), self.series)}There are: {_list(self.series)}.",
        )


def guess(word: str, known: Collection[str]) -> str:
    """Return `Did you mean …? ` for a word that is like a known one, else nothing."""
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.5) or [
        name for name in known if name.startswith(word) and word
    ]
    return f"Did you mean {close[0]}? " if close else ""


def read_series_file(root: Path, named: str | None = None) -> SeriesFile:
    """Return what the sources file of a store says, or of a file that a user names; no series where the store has none.

    Raises:
        UsageError: It can't be read, anybody may have written it, or something in it is wrong.
    """
    shown = f"{root}/{CONFIG_FILE}" if named is None else named
    try:
        if named is None:
            data = _of_store(root)
        else:
            with os.fdopen(os.open(named, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as stream:
                data = stream.read(MOST_BYTES + 1)
        if len(data) > MOST_BYTES:
            raise UsageError(
                f"The sources file {quote(shown)} is larger than {MOST_BYTES:,} bytes.",
                subject=shown,
                hint="Name its parts one by one with --sources.",
            )
        values = parse_toml(data)
    except FileNotFoundError as error:
        if named is None:
            return SeriesFile(quote(shown))
        raise UsageError(f"There is no sources file {quote(shown)}.", subject=shown) from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"The sources file {quote(shown)} can't be read: {reason}.", subject=shown) from error
    return SeriesFile(quote(shown), {one.name: one for one in _all_series(quote(shown), values)})


def _of_store(root: Path) -> bytes:
    place = StorePath(root, CONFIG_FILE)
    with os.fdopen(place.open_file(), "rb") as stream:
        status, top = os.fstat(stream.fileno()), place.parent.lstat()
        if status.st_mode & stat.S_IWOTH or status.st_uid not in (os.geteuid(), 0, top.st_uid):
            raise UsageError(
                f"The sources file {quote(place)} can be written by everybody, or is that of another user.",
                subject=str(place),
                hint="If all in it is yours, type `chmod o-w` and its name, or copy it; --sources names another file.",
            )
        return stream.read(MOST_BYTES + 1)


def _all_series(path: str, values: Mapping[str, object]) -> Iterable[Series]:
    settings = {setting.name for setting in SETTINGS}
    for service, table in values.items():
        if service == PLUGIN or (service in settings and not isinstance(table, Mapping)):
            continue
        where = f"[{service}] of {path}"
        if not isinstance(table, Mapping):
            raise UsageError(
                f"{path} has {quote(service)}, which is neither a setting nor a table of series.",
                subject=service,
                hint=f"{guess(service, settings)}A series is a table: [obo.hp].",
            )
        if service in settings:
            raise UsageError(f"{where} is called like a setting.", subject=service, hint="Name the service otherwise.")
        for ontology, entry in table.items():
            title = f"[{service}.{ontology}] of {path}"
            if not isinstance(entry, Mapping):
                raise UsageError(
                    f"{where} has {quote(ontology)}, which is no table.",
                    subject=service,
                    hint=f"A series is called by its service and its ontology: [obo.{service}].",
                )
            yield _series(title, service, ontology, entry)


def _series(title: str, service: str, ontology: str, entry: Mapping[str, object]) -> Series:
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
        try:
            check_segment("version", series.version)
        except EventError as error:
            raise UsageError(
                f"{title}: its version is {quote(series.version)}, none of {', '.join(MODES)}, and no version.",
                subject=title,
                hint=f"{guess(mode, MODES)}{error.hint}".strip(),
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
            hint=f"{guess(unknown[0], known)}Known are: {', '.join(known)}.",
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


def _list(names: Iterable[str]) -> str:
    shown = list(names)
    return ", ".join(shown[:10]) + (f" and {len(shown) - 10:,} more" if len(shown) > 10 else "") if shown else "none"


def as_toml(series: Series) -> str:
    """Return the table of a series as it is written into a sources file."""
    lines = [f"[{_key(series.service)}.{_key(series.ontology)}]"]
    if series.source:
        lines.append(f"source = {_string(series.source)}")
    lines += [f"url = {_string(part.url)}" for part in series.parts]
    lines += [f"name = {_string(part.name)}" for part in series.parts if part.name]
    if series.version:
        lines.append(f"version = {_string(series.version)}")
    if series.keep is not None:
        lines.append(f"keep = {series.keep}")
    for key in ("files", "include", "exclude"):
        if globs := getattr(series, key):
            lines.append(f"{key} = [{', '.join(map(_string, globs))}]")
    return "\n".join(lines) + "\n"


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _string(name)


def _string(text: str) -> str:
    # a basic string of TOML is one of JSON but for DEL, which no text here has
    return json.dumps(text, ensure_ascii=False)
