"""The part of a verification that is this machine's, where several divide it: whole releases, a few at a time.

How files are hashed and recorded is not known here.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

from ontofetch_hookspecs.dividing import Division, Shares, read_outcome

from .pages import HashList, Pages, Planned, as_lists

if TYPE_CHECKING:
    import pyarrow as pa

    from .pool import Pool
    from .recording import Recording

TERMS = "tables of terms"  # an item beside the releases, which no release can be called
_PORTIONS = 16  # of the whole, at least: the last ones are small enough that nobody waits long for others
_MOST_BYTES, _MOST_FILES = 4 << 30, 100_000  # of one portion, where it is not a single release
_log = logging.getLogger("ontofetch.verify")


class Parts:
    """A verification that machines divide.

    Args:
        division: The share of this machine.
        planned: What all of them verify.
    """

    def __init__(self, division: Division, planned: Planned) -> None:
        self._division = division
        self._groups, self._terms = groups, terms = planned
        self._sizes: dict[str, tuple[int, int]] = {}
        for group in groups.to_pylist():
            files, size = self._sizes.get(group["version_id"], (0, 0))
            self._sizes[group["version_id"]] = files + group["files"], size + group["size_bytes"]
        if len(terms):
            self._sizes[TERMS] = len(terms), sum(terms["size_bytes"].to_pylist())
        self._shares = Shares(division, self._sizes)
        self._here: dict[str, Mapping[str, int]] = {}
        self.elsewhere_files = 0

    def carry_out(self, run: Recording, pool: Pool[pa.Table], pages: Pages, stop: Callable[[], bool]) -> None:
        """Verify what nobody else does, record it, and wait for the others, until everything is done or `stop` says so.

        Raises:
            CatalogUnavailable: This machine was silent for too long, and others go on with what it had.
        """
        for items in self._shares.portions(self._portion, stop):
            files, size, findings = run.counts
            for answer in pool.run(self._lists(items, pages), stop):
                run.take(answer)
            run.record(last=False)
            new = run.counts[0] - files
            wanted = sum(self._sizes[item][0] for item in items)
            if stop() and new < wanted:
                # what is not whole is given back
                break
            # a machine that is gone may have recorded some of it
            self.elsewhere_files += wanted - new
            self._note(items, new, run.counts[1] - size, run.counts[2] - findings)
        self.elsewhere_files += sum(self._sizes[item][0] for item in self._shares.elsewhere)

    def _note(self, items: Sequence[str], files: int, size: int, findings: int) -> None:
        """Tell others what was done; which of several releases has findings, only the rows of this machine say."""
        sums = {"files": files, "bytes": size, "findings": findings}
        for item in items:
            self._here[item] = sums if len(items) == 1 else self._counted(item, items, sums)
        self._division.done({item: json.dumps(self._here[item]) for item in items})
        _log.info("verified %d of %d releases here", len(self._here), len(self._sizes))

    def _counted(self, item: str, items: Sequence[str], sums: Mapping[str, int]) -> Mapping[str, int]:
        files, size = self._sizes[item]
        return {"files": files, "bytes": size, "findings": sums["findings"] if item == items[0] else 0}

    def _portion(self, following: Sequence[str]) -> int:
        """Return how many of the next items make one portion."""
        files, size = (sum(column) for column in zip(*self._sizes.values(), strict=True))
        most_files, most_bytes = min(files // _PORTIONS, _MOST_FILES), min(size // _PORTIONS, _MOST_BYTES)
        count = 0
        for item in following:
            most_files -= self._sizes[item][0]
            most_bytes -= self._sizes[item][1]
            if count and (most_files < 0 or most_bytes < 0):
                break
            count += 1
        return max(count, 1)

    def _lists(self, items: Sequence[str], pages: Pages) -> Iterator[HashList]:
        import pyarrow as pa
        import pyarrow.compute as pc

        chosen = self._groups.filter(pc.is_in(self._groups["version_id"], pa.array(items, pa.string())))
        yield from chain(pages.lists(chosen), as_lists(self._terms) if TERMS in items else ())

    def table(self) -> pa.Table:
        """Return who has done, or is doing, what: item, state, who, files, bytes, findings; a row per item."""
        import pyarrow as pa

        rows: list[dict[str, Any]] = []
        for item in self._sizes:
            row: dict[str, Any] = {"item": item}
            if item in self._here:
                row |= {"state": "here", "who": self._division.who, **self._here[item]}
            elif (held := self._shares.elsewhere.get(item)) is not None:
                row |= {"state": "done", "who": held.who, **_numbers(read_outcome(held))}
            elif (held := self._shares.held.get(item)) is not None:
                row |= {"state": "held", "who": held.who}
            else:
                row |= {"state": "left"}
            rows.append(row)
        texts = [(name, pa.string()) for name in ("item", "state", "who")]
        return pa.Table.from_pylist(
            rows, pa.schema([*texts, *((name, pa.int64()) for name in ("files", "bytes", "findings"))])
        )


def _numbers(outcome: Mapping[str, object]) -> dict[str, int]:
    """Return what another machine counted, where these are numbers that it can have counted."""
    found = {name: outcome.get(name) for name in ("files", "bytes", "findings")}
    return {name: value for name, value in found.items() if type(value) is int and 0 <= value < 1 << 62}
