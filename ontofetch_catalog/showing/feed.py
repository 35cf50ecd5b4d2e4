"""The feed of a series in Atom: an entry per release, the one recorded last first."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import cast
from xml.etree import ElementTree as ET

from ..rendering.text import human_size, utc_time
from .description import identifier
from .rows import Release
from .shell import address, feed_path, release_path, series_path

_ATOM = "http://www.w3.org/2005/Atom"
MOST = 100  # entries: what readers ask for again and again
_COUNTS = ("added", "removed", "modified", "renamed")


def make(series: str, releases: Sequence[Release], name: str, base: str) -> bytes:
    """Return the feed of a series.

    Args:
        releases: All of it.
        name: Of the site.
        base: Address of the site, with a `/` at its end; empty: addresses are relative.
    """
    newest = sorted(releases, key=lambda one: (_recorded(one), one.version_id), reverse=True)[:MOST]
    feed = ET.Element("feed", {"xmlns": _ATOM, "xml:lang": "en"})
    _add(feed, "id", identifier(series))
    _add(feed, "title", f"{series}: new releases")
    _add(feed, "updated", utc_time(_recorded(newest[0])))
    ET.SubElement(ET.SubElement(feed, "author"), "name").text = name
    path = feed_path(series)
    _link(feed, "self", _place(path, path, base))
    _link(feed, "alternate", _place(series_path(series), path, base))
    for release in newest:
        entry = ET.SubElement(feed, "entry")
        _add(entry, "id", identifier(release.version_id))
        _add(entry, "title", release.version_id)
        _add(entry, "updated", utc_time(_recorded(release)))
        if release.facts["released"]:
            _add(entry, "published", f"{release.facts['released']}T00:00:00Z")
        _link(entry, "alternate", _place(release_path(release.version_id), path, base))
        _add(entry, "summary", _summary(release))
    ET.indent(feed)
    return bytes(ET.tostring(feed, encoding="utf-8", xml_declaration=True)) + b"\n"


def _recorded(release: Release) -> datetime:
    return cast(datetime, release.facts["created_at"])


def _summary(release: Release) -> str:
    facts = release.facts
    words = f"{facts['files']:,} files, {human_size(int(str(facts['size_bytes'])))}"
    if facts["failed"]:
        words += f", {facts['failed']:,} failing"
    if release.previous is None:
        return f"{words}; the first release."
    sums = release.rows.get("sums")
    changed = sums.row(0, named=True) if sums is not None else {}
    counts = ", ".join(f"{changed[name]:,} {name}" for name in _COUNTS if changed.get(name))
    return f"{words}; against {release.previous.rpartition('/')[2]}: {counts or 'nothing changed'}."


def _place(target: str, source: str, base: str) -> str:
    return base + address(target) if base else address(target, source)


def _add(parent: ET.Element, name: str, text: str) -> None:
    ET.SubElement(parent, name).text = text


def _link(parent: ET.Element, rel: str, href: str) -> None:
    ET.SubElement(parent, "link", {"rel": rel, "href": href})
