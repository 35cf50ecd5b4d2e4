"""The download list of kghub-downloader, `download.yaml`: what it would fetch, as sources.

Nothing is fetched and nothing is recorded; what a source means to whoever reads it is not known here.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from ontofetch_hookspecs.errors import UsageError
from ontofetch_hookspecs.light_dataclasses import dataclass
from ontofetch_hookspecs.names import SEGMENT, quote, unsafe_character
from ontofetch_hookspecs.redaction import redact_url
from ontofetch_hookspecs.store_paths import StorePath

from .found import ImportRefused, Left

MOST_BYTES = 4 << 20
_MOST_DEPTH = 20  # of an entry, which is a mapping of texts
_ENDINGS = (".gz", ".bz2", ".xz", ".zst", ".zip", ".tar", ".tgz")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One entry of a list.

    Args:
        name: What it could be called: the name of its file without endings; empty where that is no name.
        url: Where it is, credentials replaced.
        local_name: What the list calls its file; None if it says nothing.
        tag: What the list tags it with.
        api: The program that answers there, e.g. `elasticsearch`; None for a plain download.
    """

    name: str
    url: str
    local_name: str | None
    tag: str | None
    api: str | None


def is_list(path: StorePath) -> bool:
    """Say whether a file is called like such a list."""
    return path.name.casefold().endswith((".yaml", ".yml"))


def read_sources(path: StorePath) -> list[Source | Left]:
    """Return the entries of a list in its order.

    Raises:
        ImportRefused: It can't be read, or is no such list.
        UsageError: What reads YAML is not installed.
    """
    try:
        import yaml
    except ModuleNotFoundError as error:
        raise UsageError(
            "A download list is YAML, and what reads that is not installed.",
            subject=path.name,
            hint='Install it with `pip install "ontofetch-catalog[lists]"`.',
        ) from error
    try:
        raw = path.read_bytes(MOST_BYTES)
    except OSError as error:
        raise ImportRefused(f"The list {quote(path)} can't be read: {error.strerror}.") from error
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        _refuse_aliases_and_depth(yaml.parse(raw, Loader=loader), path)
        told = yaml.load(raw, Loader=loader)  # noqa: S506 - one of the two safe loaders
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ImportRefused(f"The list {quote(path)} is no YAML that can be read: {quote(error)}.") from error
    if not isinstance(told, list):
        raise ImportRefused(f"{quote(path)} is no download list: it has no entries at its top.")
    return [_read_entry(number, entry) for number, entry in enumerate(told, start=1)]


def _refuse_aliases_and_depth(events: Iterable[Any], path: StorePath) -> None:
    """Refuse what no list has: an alias can stand for lists of lists of itself, and depth costs its square."""
    import yaml

    depth = 0
    for event in events:
        if isinstance(event, yaml.AliasEvent):
            raise ImportRefused(f"The list {quote(path)} has aliases, and is not taken for a download list.")
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _MOST_DEPTH:
            raise ImportRefused(f"{quote(path)} is no download list: the nesting of its entries is too deep.")


def _read_entry(number: int, entry: Any) -> Source | Left:
    where = f"entry {number}"
    if not isinstance(entry, dict) or not isinstance(entry.get("url"), str):
        return Left(where, "It has no url.")
    texts = {name: entry.get(name) for name in ("url", "local_name", "tag", "api")}
    for name, text in texts.items():
        if text is not None and (not isinstance(text, str) or len(text) > 4096 or unsafe_character(text)):
            return Left(where, f"Its {name} is {quote(text)}, no plain text.")
    local_name = texts["local_name"]
    return Source(
        name=_name_of(local_name or urlsplit(entry["url"]).path),
        url=redact_url(entry["url"]),
        local_name=local_name,
        tag=texts["tag"],
        api=texts["api"],
    )


def _name_of(path: str) -> str:
    stem = PurePosixPath(path).name
    while stem.casefold().endswith(_ENDINGS):
        stem = stem.rpartition(".")[0]
    name = stem.rpartition(".")[0] or stem
    return name if SEGMENT.fullmatch(name) else ""
