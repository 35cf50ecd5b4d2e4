"""What a host asks right after a boundary, read while the database is still open: an opening less for each question.

An answer holds as long as the database is what that boundary left behind; whoever else writes makes it void. What is
asked otherwise is not known here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ontofetch_hookspecs.light_dataclasses import dataclass

if TYPE_CHECKING:
    import pyarrow as pa

    from ontofetch_hookspecs.records import VersionRecord

MOST_FILES = 10_000  # of a release whose known results are kept: more are worth an opening of their own
State = tuple[tuple[int, int, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What was read for the host.

    Args:
        record: The release as the boundary left it.
        contents: The sha256 of its files.
        results: What is known of these contents, of every validator; None: it was not read.
        facts: Which facts of these contents are known, of every version; None: it was not read.
        oddities: What is odd about the meaning of its files; None: it was not read.
    """

    record: VersionRecord
    contents: frozenset[str] = frozenset()
    results: pa.Table | None = None
    facts: pa.Table | None = None
    oddities: pa.Table | None = None

    def known_results(self, file_ids: Sequence[str], validator: str, validator_version: str) -> pa.Table | None:
        """Return what is known of these contents, as `repo.validations.known_results`; None if it was not read."""
        import pyarrow as pa
        import pyarrow.compute as pc

        if self.results is None or not self.contents.issuperset(file_ids):
            return None
        of_both = pc.and_(
            pc.equal(self.results["validator"], validator),
            pc.equal(self.results["validator_version"], validator_version),
        )
        asked = pc.is_in(self.results["file_id"], value_set=pa.array(list(file_ids), pa.string()))
        return self.results.filter(pc.and_(of_both, asked)).drop_columns(["validator", "validator_version"])

    def known_facts(self, file_ids: Sequence[str], facts_versions: Sequence[str]) -> pa.Table | None:
        """Return which facts of these contents are known, as `repo.facts.known_facts`; None if it was not read."""
        import pyarrow as pa
        import pyarrow.compute as pc

        if self.facts is None or not self.contents.issuperset(file_ids):
            return None
        asked = pc.is_in(self.facts["file_id"], value_set=pa.array(list(file_ids), pa.string()))
        known = pc.is_in(self.facts["facts_version"], value_set=pa.array(list(facts_versions), pa.string()))
        return self.facts.filter(pc.and_(asked, known))


_kept: dict[Path, tuple[State, Answers]] = {}  # root → the state in which a boundary left the database, its answers
_unasked: dict[Path, int] = {}  # root → how many answers in a row were kept for it of which nobody asked anything
_LET_LIE = 3  # answers in a row that a host which asks may let lie: one pull has so many boundaries


def keep(root: Path, state: State, answers: Answers | None) -> None:
    """Keep the answers of a boundary that has just ended in a store, as long as its files have this state."""
    if answers is None:
        _kept.pop(root, None)
    else:
        _kept[root] = (state, answers)
        _unasked[root] = _unasked.get(root, 0) + 1


def are_wanted(root: Path) -> bool:
    """Say whether the host asks: where it let some answers lie, nothing is read ahead until it asks again."""
    return _unasked.get(root, 0) < _LET_LIE


def find(root: Path, state: Callable[[], State]) -> Answers | None:
    """Return the answers that hold for a store in the state that it has."""
    _unasked.pop(root, None)
    kept = _kept.get(root)
    return kept[1] if kept is not None and kept[0] == state() else None
