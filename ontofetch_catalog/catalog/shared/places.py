"""What a boundary does to the files of a store, as other machines repeat it: files that come, move and go.

It reads no disk and knows no server.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import field
from typing import NamedTuple

from ontofetch_hookspecs.light_dataclasses import dataclass
from ontofetch_hookspecs.names import check_relpath, check_sha256, check_size

from ...errors import EventError


class Put(NamedTuple):
    """A file that is new at a path: its content, size in bytes, nanoseconds of its time, permission bits."""

    path: str
    sha256: str
    size: int
    mtime_ns: int
    mode: int


class Move(NamedTuple):
    """A file or folder that has another path now."""

    source: str
    target: str


class Drop(NamedTuple):
    """A file or folder that is gone for good."""

    path: str


Op = Put | Move | Drop
_KINDS = {Put: "put", Move: "move", Drop: "drop"}


def dump_ops(ops: Sequence[Op]) -> str:
    """Return operations as JSON."""
    rows = [(_KINDS[type(op)], *op) for op in ops]
    return json.dumps(rows, separators=(",", ":"), ensure_ascii=False)


def parse_ops(text: str) -> list[Op]:
    """Return the operations that `dump_ops` wrote, each checked: a log may be somebody else's.

    Raises:
        EventError: It says what no boundary does.
    """
    try:
        return [_parse(*row) for row in json.loads(text)]
    except (ValueError, TypeError, RecursionError, EventError) as error:
        raise EventError("The shared catalog has a boundary that moves files as no boundary does.") from error


def _parse(kind: str, *fields: object) -> Op:
    if kind == "put":
        path, sha256, size, mtime_ns, mode = fields
        digest = check_sha256("sha256", sha256)
        return Put(_path(path), digest, _number(size), _number(mtime_ns, signed=True), _number(mode) & 0o777)
    if kind == "move":
        source, target = fields
        return Move(_path(source), _path(target))
    if kind == "drop":
        (path,) = fields
        return Drop(_path(path))
    raise ValueError(kind)


def _path(given: object) -> str:
    return check_relpath("path", given)


def _number(given: object, *, signed: bool = False) -> int:
    check_size("number", abs(given) if signed and isinstance(given, int) else given)
    return int(str(given))


@dataclass(slots=True)
class Fold:
    """Operations of neighbouring boundaries as what a copy has to do: renames of what it has, files that it needs.

    Attributes:
        moves: Renames in order, (source, target) each; without a target it goes for good.
        puts: What comes after them, by path.
        passed: Files that came and went again, each by itself, and where: a copy that is made anew may have them.
    """

    moves: list[tuple[str, str | None]] = field(default_factory=list)
    puts: dict[str, Put] = field(default_factory=dict)
    passed: dict[str, Put] = field(default_factory=dict)
    _gone: set[str] = field(default_factory=set)

    def takes(self, ops: Sequence[Op]) -> bool:
        """Say whether operations can be added: nothing comes into a folder that had to leave, or onto what moved.

        Nor leaves a folder into which something moved: it need not be there before the first of the moves.
        """
        gone = set(self._gone)
        moved = {target for _, target in self.moves if target is not None}
        around = {folder for target in moved for folder in _above(target)}
        for op in ops:
            if not isinstance(op, Put) and (op.source if isinstance(op, Move) else op.path) in around:
                return False
            if isinstance(op, Put) and op.path in moved:
                return False
            target = op.path if isinstance(op, Put) else op.target if isinstance(op, Move) else ""
            if any(folder in gone for folder in _above(target)):
                return False
            if not isinstance(op, Put):
                gone.add(op.source if isinstance(op, Move) else op.path)
        return True

    def add(self, ops: Sequence[Op]) -> None:
        """Add operations."""
        for op in ops:
            if isinstance(op, Put):
                self.puts[op.path] = op
            elif isinstance(op, Move):
                self._relocate(op.source, op.target)
            else:
                self._relocate(op.path, None)

    def origin(self, number: int) -> str | None:
        """Return where the source of a move lies before the first of them; None if it does not come from there."""
        path = self.moves[number][0]
        for source, target in reversed(self.moves[:number]):
            if target is not None and _is_in(path, target):
                path = source + path[len(target) :]
            elif _is_in(path, source):
                return None
        return path

    def _relocate(self, source: str, target: str | None) -> None:
        alone = source in self.puts
        for path in [source] if alone else [found for found in self.puts if _is_in(found, source)]:
            put = self.puts.pop(path)
            if target is not None:
                moved = target + path[len(source) :]
                self.puts[moved] = put._replace(path=moved)
        if alone:
            # a file that came and went again was never anywhere else
            self.passed[source] = put
        else:
            self.moves.append((source, target))
            self._gone.add(source)


def _is_in(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder + "/")


def _above(path: str) -> Iterator[str]:
    while path := path.rpartition("/")[0]:
        yield path
