"""The names that were unpacked so far: which are there again, and which meet where case and normal forms are folded.

Whether the file system folds them is asked of whoever writes; nothing is opened here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn

from ontofetch_hookspecs.names import path_key, quote

from ..content.packed.bounds import Budget
from ..content.packed.remarks import FOLDED
from ..errors import ExtractError


class Names:
    """The files of one archive and their folders.

    Args:
        budget: What they may be, and where it is remarked that two of them meet.
        drop: How many leading folders are taken off each name.
        portable: Whether names that meet are refused wherever they do.
        is_there: Says whether a path is on the disk already.
    """

    def __init__(self, budget: Budget, drop: int, is_there: Callable[[str], bool], *, portable: bool) -> None:
        self._budget = budget
        self._drop = drop
        self._is_there = is_there
        self._portable = portable
        # folded path → name in the archive, or of several path → name; a million of them have to fit into memory
        self._files: dict[str, str | dict[str, str]] = {}
        self._folders: dict[str, str | dict[str, str]] = {}

    def add(self, name: str, path: str) -> bool:
        """Take a file in, and say whether it was there already.

        Args:
            name: Its name in the archive.
            path: What is left of it without the leading folders.

        Raises:
            ExtractError: It meets another one, or lies in too many folders.
        """
        self._budget.check_depth(path.count("/"))
        # most files lie in the folder of the one before
        end = path.rfind("/")
        if end > 0 and not self._has_folder(path[:end]):
            self._add_folders(path)
        key = path_key(path)
        met = self._folders.get(key)
        if met is not None:
            self._check_met(path, met if isinstance(met, dict) else {met: met})
        found = self._files.get(key)
        if found is None:
            self._files[path if key == path else key] = name
            return False
        return self._add_again(key, name, path, self._spellings(found))

    def holds(self, name: str) -> str | None:
        """Return the path of a file that was taken in under this name of the archive, None if none was."""
        path = name.split("/", self._drop)[-1]
        found = self._files.get(path_key(path))
        return path if found is not None and self._spellings(found).get(path) == name else None

    def _add_again(self, key: str, name: str, path: str, spelled: dict[str, str]) -> bool:
        other = spelled.get(path)
        if other is not None and other != name:
            raise ExtractError(
                f"The entry {quote(name)} meets {quote(other)}: without {self._drop} leading folders both are"
                f" {quote(path)}.",
                subject=name,
                hint="Nothing was published. Take fewer folders off with --strip, or leave one out with --exclude.",
            )
        if other is None:
            self._check_folded(path, next(iter(spelled)))
            spelled[path] = name
            self._files[key] = spelled
        return other is not None

    def _spellings(self, found: str | dict[str, str]) -> dict[str, str]:
        return {found.split("/", self._drop)[-1]: found} if isinstance(found, str) else found

    def _has_folder(self, folder: str) -> bool:
        found = self._folders.get(path_key(folder))
        return found == folder if not isinstance(found, dict) else folder in found

    def _add_folders(self, path: str) -> None:
        end = path.find("/")
        while end > 0:
            folder = path[:end]
            key = path_key(folder)
            met = self._files.get(key)
            if met is not None:
                self._check_met(folder, self._spellings(met))
            found = self._folders.get(key)
            if found is None:
                self._budget.make_folder(folder)
                self._folders[folder if key == folder else key] = folder
            elif not self._has_folder(folder):
                spelled = found if isinstance(found, dict) else {found: found}
                self._check_folded(folder, next(iter(spelled)))
                self._budget.make_folder(folder)
                spelled[folder] = folder
                self._folders[key] = spelled
            end = path.find("/", end + 1)

    def _check_met(self, path: str, spelled: dict[str, str]) -> None:
        """Check that a path which is a folder for one entry and a file for another is not the same."""
        if path in spelled:
            raise ExtractError(
                f"The entry {quote(self._budget.entry)} meets another one: {quote(path)} is a file and a folder.",
                subject=path,
                hint="Nothing was published. Leave one out with --exclude.",
            )
        self._check_folded(path, next(iter(spelled)))

    def _check_folded(self, path: str, other: str) -> None:
        if self._portable:
            self._refuse_folded(path, other, "for --portable they must not be")
        if self._is_there(path):
            self._refuse_folded(path, other, "this file system does it")
        self._budget.remarks.add(FOLDED, path)

    def _refuse_folded(self, path: str, other: str, why: str) -> NoReturn:
        raise ExtractError(
            f"The entry {quote(path)} meets {quote(other)}: they are one where case and normal forms are folded, and"
            f" {why}.",
            subject=path,
            hint="Nothing was published. Leave one out with --exclude.",
        )
