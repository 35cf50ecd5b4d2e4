"""Trees that follow a pattern such as `{ontology}/{version}/*`: which file is which artifact of which release.

A pattern is matched part by part, so that nobody looks into folders that can't match; no file is opened.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import field
from datetime import UTC, datetime
from pathlib import Path

from ontofetch_hookspecs.errors import EventError, UsageError
from ontofetch_hookspecs.light_dataclasses import dataclass
from ontofetch_hookspecs.names import check_relpath, check_segment, quote
from ontofetch_hookspecs.store_paths import StorePath

from .found import FoundArtifact, Left

FIELDS = ("service", "ontology", "version")
CANDIDATES = (
    "{ontology}/{version}/*",
    "{ontology}-{version}.*",
    "{ontology}/{ontology}-{version}.*",
    "{service}/{ontology}/{version}/*",
)
UNFINISHED = (".part", ".partial", ".tmp", ".crdownload", ".lock")
MOST_PARTS = 20
MOST_FREE = 4  # fields and stars of a part: a name that nearly fits is tried in so many places
_TOKEN = re.compile(r"\{([a-z]+)\}|(\*\*|\*)|([^{}*]+)|([{}])")
_NAME = r"[A-Za-z0-9][A-Za-z0-9._+~-]*?"
# where a name and a version meet without a slash, a version begins with a digit
_VERSION = r"v?[0-9][A-Za-z0-9._+~-]*?"


@dataclass(slots=True)
class Pattern:
    """A pattern over the paths of a tree: `{service}`, `{ontology}`, `{version}`, `*` in a part, `**` for any folders.

    Args:
        text: As the user wrote it.
        passed_over: How many files of the tree did not match, of those that were seen.

    Raises:
        UsageError: It lacks an ontology or a version, or has something else in braces.
    """

    text: str
    passed_over: int = 0
    _parts: list[re.Pattern[str]] = field(default_factory=list)
    _own: int = 0  # the part at which an artifact's own path begins
    _deep: bool = False

    def __post_init__(self) -> None:
        parts = self.text.split("/")
        if not self.text or "" in parts or ".." in parts or "." in parts or len(parts) > MOST_PARTS:
            raise self._refused("it is no path below the tree")
        self._deep = parts[-1] == "**"
        if "**" in parts[:-1]:
            raise self._refused("`**` can only be its last part")
        names = [name for part in parts for name in re.findall(r"\{([a-z]*)\}", part)]
        missing = [name for name in ("ontology", "version") if name not in names]
        if missing:
            raise self._refused(f"it has no {{{missing[0]}}}")
        self._parts = [self._compile(part) for part in parts]
        last = max(number for number, part in enumerate(parts) if "{" in part)
        self._own = min(last + 1, len(parts) - 1)

    @property
    def fields(self) -> frozenset[str]:
        """Return which of FIELDS it has."""
        return frozenset(name for name in FIELDS if f"{{{name}}}" in self.text)

    def _refused(self, why: str) -> UsageError:
        return UsageError(
            f"The pattern {quote(self.text)} can't be used: {why}.",
            subject=self.text,
            hint="Write e.g. --pattern '{ontology}/{version}/*'; {service}, {ontology}, {version}, * and ** are known.",
        )

    def _compile(self, part: str) -> re.Pattern[str]:
        if part == "**":
            return re.compile(".+", re.DOTALL)
        found, seen, free = "", set(), 0
        for name, star, literal, odd in _TOKEN.findall(part):
            if odd or (name and name not in FIELDS) or star == "**":
                raise self._refused(f"{quote(odd or star or '{' + name + '}')} means nothing in it")
            if name in seen:
                found += f"(?P={name})"
            elif name:
                seen.add(name)
                beside = name == "version" and part != "{version}"
                found += f"(?P<{name}>{_VERSION if beside else _NAME})"
            else:
                found += "[^/]*" if star else re.escape(literal)
            free += bool(name or star)
        if free > MOST_FREE:
            raise self._refused(f"{quote(part)} has more than {MOST_FREE} fields and stars")
        return re.compile(found, re.DOTALL)

    def matches(self, tree: StorePath) -> Iterator[tuple[StorePath, dict[str, str]]]:
        """Yield (file, field → text) of the files below a tree that match, sorted by path."""
        self.passed_over = 0
        yield from self._walk(tree, 0, {})

    def _walk(
        self, folder: StorePath, number: int, known: Mapping[str, str]
    ) -> Iterator[tuple[StorePath, dict[str, str]]]:
        is_last = number == len(self._parts) - 1
        try:
            entries = folder.entries()
        except OSError:
            return
        for name, kind in entries:
            if name.startswith("."):
                continue
            below = is_last and self._deep and kind == stat.S_IFDIR
            match = None if below else self._parts[number].fullmatch(name)
            fields = {**known, **(match.groupdict() if match else {})}
            fits = match is not None and all(fields[key] == value for key, value in known.items())
            if below:
                # as deep as a path of the catalog goes
                if folder.relpath.count("/") < MOST_PARTS + 100:
                    yield from self._walk(folder / name, number, known)
            elif fits and not is_last and kind == stat.S_IFDIR:
                yield from self._walk(folder / name, number + 1, fields)
            elif fits and is_last and kind != stat.S_IFDIR:
                yield folder / name, fields
            elif kind == stat.S_IFREG:
                self.passed_over += 1

    def own_path(self, file: StorePath) -> str:
        """Return the path of a file as its release has it."""
        return "/".join(file.relpath.split("/")[self._own :])


def find_artifacts(tree: StorePath, pattern: Pattern, service: str = "") -> Iterator[FoundArtifact | Left]:
    """Yield what matches a pattern, sorted by path.

    Args:
        tree: Its folder, as the root of its paths.
        pattern: Which file is what.
        service: Service of the releases whose path names none.
    """
    for file, fields in pattern.matches(tree):
        try:
            state = file.lstat()
            if not stat.S_ISREG(state.st_mode):
                what = "a symbolic link" if stat.S_ISLNK(state.st_mode) else "no regular file"
                yield Left(file.relpath, f"It is {what}.")
            elif file.name.casefold().endswith(UNFINISHED):
                yield Left(file.relpath, "It is a download that did not come to an end.")
            else:
                yield _found(file, {"service": service, **fields}, pattern.own_path(file), state.st_mtime)
        except EventError as error:
            yield Left(file.relpath, error.message)
        except OSError as error:
            yield Left(file.relpath, f"It can't be read: {error.strerror}.")


def _found(file: StorePath, fields: Mapping[str, str], own_path: str, mtime: float) -> FoundArtifact:
    return FoundArtifact(
        service=check_segment("service", fields["service"]),
        ontology=check_segment("ontology", fields["ontology"]),
        version=check_segment("version", fields["version"]),
        file=file,
        name=check_relpath("artifact", own_path),
        source_url=Path(str(file)).as_uri(),
        fetched_at=datetime.fromtimestamp(min(max(mtime, 0), 253_402_300_799), UTC),
    )


def count_candidates(tree: StorePath) -> dict[str, int]:
    """Return pattern → number of files that match it, of some usual patterns, most first, those with none left out."""
    counted = {text: sum(1 for _ in Pattern(text).matches(tree)) for text in CANDIDATES}
    return {text: count for text, count in sorted(counted.items(), key=lambda item: -item[1]) if count}
