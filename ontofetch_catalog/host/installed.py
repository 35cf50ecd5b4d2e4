"""The entry points of what is installed, read from their files alone: a tenth of the time of `importlib.metadata`.

That module, which takes as long to import as all of our own that a start needs, is asked where something is installed
in another way than in folders: in archives, as eggs, by finders of somebody's own.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import reduce
from importlib import import_module
from importlib.machinery import PathFinder
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.metadata import Distribution as Whole

_INFO = (".dist-info", ".egg-info")
_TARGET = re.compile(r"(\w+(?:\.\w+)*)(?::(\w+(?:\.\w+)*))?")


class Distribution:
    """A distribution; what is more than its name is looked up when it is asked for.

    Args:
        name: Its name, as its folder has it.
        folder: The folder that tells of it, empty where there is none.
        whole: What is known of it already.
    """

    def __init__(self, name: str, folder: str, whole: Whole | None = None) -> None:
        self.name = name
        self._folder = folder
        self._whole = whole

    @property
    def told(self) -> tuple[str, str]:
        """Return name and version as it tells them."""
        found = self._read()
        return found.name, found.version

    @property
    def requires(self) -> list[str] | None:
        """Return what it requires."""
        return self._read().requires

    def _read(self) -> Whole:
        if self._whole is None:
            from importlib.metadata import Distribution as Reader

            self._whole = Reader.at(self._folder)
        return self._whole


class Point:
    """An entry point."""

    def __init__(self, name: str, value: str, group: str, dist: Distribution | None) -> None:
        self.name = name
        self.value = value
        self.group = group
        self.dist = dist

    @property
    def module(self) -> str:
        """Return the module that it names."""
        found = _TARGET.match(self.value)
        return found[1] if found else ""

    def load(self) -> object:
        """Import and return what it names; may raise anything."""
        found = _TARGET.fullmatch(self.value)
        if found is None:
            from importlib.metadata import EntryPoint

            return EntryPoint(self.name, self.value, self.group).load()
        return reduce(getattr, filter(None, (found[2] or "").split(".")), import_module(found[1]))


class Points:
    """All entry points."""

    def __init__(self, points: Sequence[Point]) -> None:
        self._points = points

    @property
    def groups(self) -> set[str]:
        """Return the names of their groups."""
        return {point.group for point in self._points}

    def select(self, *, group: str) -> list[Point]:
        """Return those of a group."""
        return [point for point in self._points if point.group == group]


def entry_points() -> Points:
    """Return the entry points of all distributions on the path; of two of one name the first counts."""
    points = _from_folders()
    return Points(points if points is not None else list(_from_library()))


def _from_folders() -> list[Point] | None:
    """Return them as the files of folders tell them; None where there are other things than folders."""
    finders = (finder for finder in sys.meta_path if finder is not PathFinder)
    if any(hasattr(finder, "find_distributions") for finder in finders):
        return None
    found: list[Point] = []
    seen: set[str] = set()
    for entry in sys.path:
        try:
            names = os.listdir(entry or ".")
        except (FileNotFoundError, PermissionError):
            continue
        except OSError:
            # an archive
            return None
        if entry.rstrip("/").endswith(".egg") or any(name.endswith(".egg") for name in names):
            return None
        for name in names:
            if not name.lower().endswith(_INFO):
                continue
            title = name.rpartition(".")[0].partition("-")[0]
            key = re.sub(r"[-_.]+", "_", title).lower()
            if key not in seen:
                seen.add(key)
                found += _read(title, os.path.join(entry or os.getcwd(), name))
    return found


def _read(title: str, folder: str) -> Iterator[Point]:
    text, group = "", ""
    with (
        suppress(FileNotFoundError, NotADirectoryError, IsADirectoryError, PermissionError),
        open(os.path.join(folder, "entry_points.txt"), encoding="utf-8") as file,
    ):
        text = file.read()
    for line in map(str.strip, text.splitlines()):
        if line.startswith("[") and line.endswith("]"):
            group = line[1:-1]
        elif "=" in line and not line.startswith("#"):
            name, _, value = line.partition("=")
            yield Point(name.strip(), value.strip(), group, Distribution(title, folder))


def _from_library() -> Iterator[Point]:
    from importlib.metadata import distributions

    seen: set[str] = set()
    for distribution in distributions():
        key = distribution.name or ""
        if key not in seen:
            seen.add(key)
            for point in distribution.entry_points:
                yield Point(point.name, point.value, point.group, Distribution(key, "", distribution))
