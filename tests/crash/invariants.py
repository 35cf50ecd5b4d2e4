"""The invariants: their names, whether breaking one would lose data, and how a state is judged by them.

It compares recounts and answers of children; how these were come by is not known here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from .variant import Variant

MUST = "MUST"
SHOULD = "SHOULD"
# name → (MUST: it would lose data, or SHOULD: it can be repaired; what holds)
INVARIANTS: dict[str, tuple[str, str]] = {
    "rows-have-files": (MUST, "every row's file exists with that size and sha256"),
    "files-have-rows": (SHOULD, "every file below src/ and data/ has a row"),
    "rows-have-releases": (MUST, "every row belongs to a recorded release"),
    "results-have-files": (SHOULD, "every result is about a recorded file with that content"),
    "facts-have-tables": (SHOULD, "facts that are recorded have their table of terms, with that size and sha256"),
    "tables-have-facts": (SHOULD, "every table of terms has its rows"),
    "keys-are-unique": (MUST, "no key of a table occurs twice"),
    "latest-equals-pointer": (SHOULD, "LATEST.json says what the newest pointer says"),
    "documents-agree": (SHOULD, "manifests and audits say what the rows say"),
    "committed-survives": (MUST, "what was committed, or acknowledged, is there after the next start"),
    "uncommitted-is-undone": (MUST, "what was not committed never happened: rows and files are those from before"),
    "whole-or-nothing": (MUST, "rows and files are those from before the operation or those from after it"),
    "readers-see-whole": (MUST, "a reader, before any recovery, sees the rows from before or from after"),
    "staged-bytes-survive": (MUST, "staged bytes are there as long as they are not published"),
    "displaced-bytes-survive": (MUST, "bytes that a committed operation replaced are in quarantine"),
    "no-trace": (SHOULD, "what did not happen leaves no file, folder, intent or event but its rolled-back event"),
    "recovery-ends": (MUST, "the next start ends every open boundary and can be repeated"),
    "catalog-is-readable": (MUST, "the database opens"),
    "events-are-chained": (MUST, "no event is missing or changed"),
    "generation-is-not-ahead": (MUST, "generation.json names an event that is there"),
    "generation-is-current": (SHOULD, "after the next start generation.json names the last event"),
    "told-once": (MUST, "one event says that it happened, and only if it did"),
    "can-be-done-again": (MUST, "the same command again leads to what an undisturbed one leads to"),
    "sentence": (SHOULD, "the user sees a sentence with what to do next, never a traceback"),
    "sentence-is-true": (SHOULD, "an error that says that nothing was changed is right"),
    "catalog-is-closed": (SHOULD, "an operation that fails closes the catalog and every query in it"),
}
ODD_EVENTS = ("recover.", "migrate.")


@dataclass(frozen=True, slots=True)
class Expected:
    """The recounts of a variant before and after an undisturbed run, and the names of that run's calls."""

    before: dict[str, Any]
    after: dict[str, Any]
    calls: list[str]


@dataclass(slots=True)
class Findings:
    """The invariants that a state breaks, each with what was seen."""

    broken: list[tuple[str, str]] = field(default_factory=list)

    def add(self, invariant: str, seen: str) -> None:
        """Note one."""
        assert invariant in INVARIANTS, invariant
        self.broken.append((invariant, seen))


class Judge:
    """Judge one state of a variant, step by step as it goes on."""

    def __init__(self, variant: Variant, expected: Expected) -> None:
        self._variant = variant
        self._expected = expected
        self.found = Findings()
        self.happened: bool | None = None
        self.settled = True  # whether what the host had written was durable when power failed

    def reader(self, seen: dict[str, Any]) -> None:
        """Judge what a reader sees before any recovery."""
        for invariant, text in seen["faults"]:
            if invariant == "catalog-is-readable":
                self.found.add(invariant, f"before recovery: {text}")
                return
        if self._variant.stepwise:
            return
        rows = [_content(state["rows"]) for state in (seen, self._expected.before, self._expected.after)]
        if rows[0] and rows[0] not in rows[1:]:
            self.found.add("readers-see-whole", _difference(rows[0], rows[1]))

    def answer(self, answer: dict[str, Any], stderr: str, *, where: str) -> None:
        """Judge how a command ended in the eyes of its user."""
        if "Traceback (most recent call last)" in stderr or "This should not happen" in stderr:
            self.found.add("sentence", f"{where}: {stderr[-600:]}")
        elif not answer.get("ok") and not answer.get("sentence"):
            self.found.add("sentence", f"{where}: {answer.get('error')}: {answer.get('text')}")

    def closed(self, answer: dict[str, Any]) -> None:
        """Judge what an operation left open whose one failing call was not the closing."""
        if answer.get("unclosed"):
            self.found.add("catalog-is-closed", f"{answer.get('error')}: {answer.get('text')}")

    def recovered(self, seen: dict[str, Any], *, committed: bool | None, truth: str | None = None) -> None:
        """Judge the store after a recovery.

        Args:
            seen: Its recount.
            committed: Whether the operation must be found to have happened; None if either is right.
            truth: What the operation's error told its user, if it told something.
        """
        new = self._new_events(seen)
        done = self._variant.done
        if done:
            self.happened = new[done] > 0
        else:
            self.happened = False
        picture = self._expected.after if self.happened else self._expected.before
        if committed is True and not self.happened:
            self.found.add("committed-survives", f"no {done} among {dict(new)}")
        if committed is False and self.happened and done:
            self.found.add("uncommitted-is-undone", f"{dict(new)}")
        if truth and "Nothing was changed" in truth and self.happened and not self._is_nothing():
            self.found.add("sentence-is-true", truth)
        self._compare(seen, picture, "whole-or-nothing")
        self._events(new)
        self._intents(seen)

    def finished(self, seen: dict[str, Any]) -> None:
        """Judge the store after the same command was run again to its end."""
        self._compare(seen, self._expected.after, "can-be-done-again")
        new = self._new_events(seen)
        done = self._variant.done
        if done and not self._is_nothing() and new[done] != 1:
            self.found.add("told-once", f"{dict(new)}")
        self._intents(seen)

    def _is_nothing(self) -> bool:
        """Say whether what happened is that nothing was changed."""
        return self._variant.done.endswith((".unchanged", ".rolled_back"))

    def _intents(self, seen: dict[str, Any]) -> None:
        """Look for open boundaries; an intent that was unreadable and set aside before is none."""
        left = [name for name in seen["intents"] if name not in self._expected.before["intents"]]
        if left:
            self.found.add("recovery-ends", f"left: {left}")

    def _new_events(self, seen: dict[str, Any]) -> Counter[str]:
        known = len(self._expected.before["events"])
        return Counter(kind for kind, _ in seen["events"][known:])

    def _events(self, new: Counter[str]) -> None:
        done = self._variant.done
        if not done:
            return
        expected = Counter(kind for kind, _ in self._expected.after["events"][len(self._expected.before["events"]) :])
        expected = expected if self.happened else Counter()
        for kind, count in new.items():
            if kind.startswith(ODD_EVENTS) or (kind.endswith(".rolled_back") and not self.happened):
                continue
            if count != expected[kind]:
                self.found.add("told-once", f"{count} x {kind}, expected {expected[kind]}")

    def _compare(self, seen: dict[str, Any], picture: dict[str, Any], otherwise: str) -> None:
        states = (self._expected.before, self._expected.after) if self._variant.stepwise else (picture,)
        allowed = {tuple(fault) for state in states for fault in state["faults"]}
        for invariant, text in seen["faults"]:
            if (invariant, text) not in allowed:
                self.found.add(invariant, text)
        if self._variant.stepwise and picture is not self._expected.after:
            return
        was, expected = _content(seen["rows"]), _content(picture["rows"])
        if was != expected:
            self.found.add(otherwise, _difference(was, expected))
        for part, invariant in (
            ("files", otherwise),
            ("staged", "staged-bytes-survive"),
            ("kept", "displaced-bytes-survive"),
            ("documents", "no-trace"),
            ("folders", "no-trace"),
            ("odd", "no-trace"),
        ):
            was, expected = self._plain(part, seen[part]), self._plain(part, picture[part])
            if self._variant.stepwise and part in ("staged", "kept"):
                continue
            if was != expected and not self._is_hosts(part, was, expected, seen, picture):
                self.found.add(invariant, f"{part}: {_difference(was, expected)}")

    def _is_hosts(self, part: str, was: Any, expected: Any, seen: dict[str, Any], picture: dict[str, Any]) -> bool:
        """Say whether a difference is the host's affair: bytes it had not settled, or a stage it goes on with."""
        if part == "staged":
            return self._is_hosts_stage(was, picture)
        if part == "odd" and seen["rows"] is None:
            # what a creation left that did not come to its end goes with the next one
            return set(was) <= {".catalog/new.duckdb", ".catalog/new.duckdb.wal"}
        young = tuple(path.removeprefix("store/") for path in self._variant.volatile)
        if self.settled or picture is not self._expected.before or part not in ("files", "folders"):
            return False
        pairs = (set(value.items()) if part == "files" else {(path, "") for path in value} for value in (was, expected))
        differing = next(pairs) ^ next(pairs)
        return all(f"{path}/".startswith(tuple(f"{name}/" for name in young)) for path, _ in differing)

    def _is_hosts_stage(self, was: dict[str, str], picture: dict[str, Any]) -> bool:
        if self._variant.refused:
            return not self.settled
        stages = {path.partition("/")[0] for path in self._expected.before["staged"]}
        # after the end it may have staged anew; the former stage is resumed or removed another time
        ended = picture is self._expected.after
        return (ended or not self.settled) and all(path.partition("/")[0] in stages for path in was)

    def _plain(self, part: str, value: Any) -> Any:
        if part == "staged" and self._variant.copies:
            return {path: digest for path, digest in value.items() if not path.startswith("copy-")}
        return value


def _content(rows: dict[str, Any] | None) -> dict[str, Any]:
    """Return the tables that hold something about releases: a catalog that is empty says no more than none."""
    return {name: found for name, found in (rows or {}).items() if found and name != "schema_version"}


def _difference(seen: Any, expected: Any) -> str:
    """Say in a line how two pictures differ."""
    return "; ".join(_differences(seen, expected))[:800]


def _differences(seen: Any, expected: Any) -> Iterator[str]:
    if isinstance(seen, dict) and isinstance(expected, dict):
        for key in sorted(seen.keys() | expected.keys()):
            if seen.get(key) != expected.get(key):
                yield f"{key}: " + _difference(seen.get(key), expected.get(key))
    elif isinstance(seen, list) and isinstance(expected, list):
        yield f"too much {[item for item in seen if item not in expected]},"
        yield f"missing {[item for item in expected if item not in seen]}"
    else:
        yield f"{seen!r} instead of {expected!r}"
