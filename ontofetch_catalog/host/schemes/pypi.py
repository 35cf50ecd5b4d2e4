"""`pypi:brickschema`: a Python package index by its simple API, in JSON (PEP 691) or HTML (PEP 503), also a mirror."""

from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any
from urllib.parse import unquote, urldefrag, urljoin

from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    canonicalize_name,
    parse_sdist_filename,
    parse_wheel_filename,
)
from packaging.version import InvalidVersion, Version

from ontofetch_hookspecs import SourceQuery, SourceVersion

from . import answers

MOST_LINKS = 100_000
_ACCEPT = {"Accept": "application/vnd.pypi.simple.v1+json, text/html;q=0.5"}


def list_versions(query: SourceQuery) -> Iterator[SourceVersion]:
    """Yield the final versions of a package that are not yanked: the wheel of each, else its source archive.

    Raises:
        FetchError: The index can't be read.
    """
    name = canonicalize_name(answers.checked_name(query, r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?", "brickschema"))
    url = answers.address(query.base, name) + "/"
    data = query.fetch(url, _ACCEPT)
    is_json = data.lstrip()[:1] == b"{"
    files = answers.objects(answers.read_json(query, url, data), "files") if is_json else _links(data)
    best: dict[Version, tuple[int, dict[str, Any]]] = {}
    for file in files:
        version, rank = _read_name(answers.text(file, "filename") or "")
        link = answers.text(file, "url")
        if version is None or link is None or version.is_prerelease or file.get("yanked"):
            continue
        if version not in best or rank < best[version][0]:
            digest = answers.text(file, "hashes", "sha256")
            best[version] = (
                rank,
                {
                    "version": answers.version_of(str(version)),
                    "url": urldefrag(urljoin(url, link)).url,
                    "released": answers.day(answers.text(file, "upload-time")),
                    "checksum": f"sha256:{digest.lower()}" if digest else None,
                    "name": answers.text(file, "filename"),
                },
            )
    yield from answers.versions([fields for _, fields in best.values()])


def _read_name(name: str) -> tuple[Version | None, int]:
    """Return the version in the name of a file, and how much it is wanted: least for one of a platform."""
    try:
        if name.endswith(".whl"):
            _, version, _, tags = parse_wheel_filename(name)
            return version, 0 if any(tag.platform == "any" for tag in tags) else 2
        return parse_sdist_filename(name)[1], 1
    except (InvalidWheelFilename, InvalidSdistFilename, InvalidVersion):
        return None, 3


def _links(data: bytes) -> list[dict[str, Any]]:
    reader = _Links()
    reader.feed(data.decode("utf-8", "replace"))
    return reader.files


class _Links(HTMLParser):
    """The links of a page of files."""

    def __init__(self) -> None:
        super().__init__()
        self.files: list[dict[str, Any]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take the link of an `a`."""
        told = dict(attrs)
        link = told.get("href")
        if tag != "a" or not link or len(self.files) >= MOST_LINKS:
            return
        plain, fragment = urldefrag(link)
        digest = fragment.removeprefix("sha256=") if fragment.startswith("sha256=") else ""
        self.files.append(
            {
                "filename": unquote(plain.partition("?")[0].rpartition("/")[2]),
                "url": link,
                "hashes": {"sha256": digest},
                "yanked": "data-yanked" in told,
            }
        )
