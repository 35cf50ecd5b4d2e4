"""A job and its answer as bytes: JSON, so that what comes from elsewhere is read and never run.

Who carries them, and where a job is done, is not known here.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from ontofetch_hookspecs import Validator
from ontofetch_hookspecs.light_dataclasses import dataclass

from ...children.limits import Allowance
from ...content.facts.sealed import MOST_FACTS, is_hex
from ...content.packed.bounds import Limits
from ..validator_process import Task
from ..worker import MOST_DETAILS

MOST_ANSWER = MOST_FACTS + 8 * MOST_DETAILS  # bytes of JSON


class BadAnswer(Exception):
    """What came back is no answer to a job."""


class WorkerDied(Exception):
    """The workers that had a job died."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One file for one validator, and all that a worker elsewhere has to know of it.

    Args:
        run: Names the run; what a worker tells of a job is told under this name.
        number: Names the job in its run.
        root, folder: Where the file lies, if the worker sees the same files: a store, and a folder below it.
        size: Of the file, in bytes.
        timeout: Seconds that a process is waited for.
        facts: Bytes of a content up to which facts are wanted; -1: none are.
        likeness: Name → version of what has to be the same there.
    """

    run: str
    number: int
    root: str
    folder: str
    task: Task
    size: int
    timeout: float
    allowance: Allowance
    limits: Limits
    facts: int
    likeness: Mapping[str, str]

    def to_bytes(self) -> bytes:
        """Return it as bytes."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> Job:
        """Return what `to_bytes` was called on."""
        told = json.loads(data)
        task = told.pop("task")
        validator = task.pop("validator")
        validator = Validator(**{**validator, "formats": tuple(validator["formats"])})
        allowance, limits = Allowance(**told.pop("allowance")), Limits(**told.pop("limits"))
        return cls(task=Task(validator=validator, **task), allowance=allowance, limits=limits, **told)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a worker says of a job.

    Args:
        at: Which worker.
        judged: The judgement, as a process of validators answers it: passed and details, unusable, or nothing.
        refused: Why there are no facts, if they were wanted and there are none.
        facts, content_id: The small facts, and of which content they are.
        too_large: Bytes of the content where it was too large for facts.
        unlike: What is another version there: name, ours, theirs.
        unseen: Whether the worker does not see the file.
    """

    at: str = ""
    judged: Mapping[str, Any] | None = None
    refused: str | None = None
    facts: Mapping[str, Any] | None = None
    content_id: str | None = None
    too_large: int | None = None
    unlike: tuple[str, str, str] | None = None
    unseen: bool = False

    def to_bytes(self) -> bytes:
        """Return it as bytes."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def from_bytes(cls, data: object) -> Answer:
        """Return what came back, every part of it looked at.

        Raises:
            BadAnswer: It is none.
        """
        if not isinstance(data, bytes) or len(data) > MOST_ANSWER:
            raise BadAnswer("it is no text, or too long")
        try:
            told = json.loads(data)
        except (ValueError, RecursionError) as error:
            raise BadAnswer("it is no JSON") from error
        if not isinstance(told, dict) or set(told) != set(cls.__dataclass_fields__):
            raise BadAnswer("it has other fields")
        if fault := next((name for name, right in _RIGHT.items() if not right(told[name])), None):
            raise BadAnswer(f"its {fault} can't be one")
        told["unlike"] = told["unlike"] and tuple(told["unlike"])
        return cls(**told)


def _is_text(value: object) -> bool:
    return isinstance(value, str) and len(value) <= 4096


def _is_judged(value: object) -> bool:
    """Say whether this is what a process of validators may answer, and no more."""
    match value:
        case {"unusable": str() as reason, **others} if not others:
            return _is_text(reason)
        case {"passed": passed, "details": dict() as details, **others} if not others:
            if len(json.dumps(details)) > 2 * MOST_DETAILS:
                return False
            return isinstance(passed, bool) or (passed is None and bool(details.get("not_judged")))
    return value is None or value == {}


_RIGHT: Mapping[str, Callable[[Any], bool]] = {
    "at": _is_text,
    "judged": _is_judged,
    "refused": lambda value: value is None or _is_text(value),
    "facts": lambda value: value is None or isinstance(value, dict),
    "content_id": lambda value: value is None or is_hex(value, 64),
    "too_large": lambda value: value is None or (type(value) is int and value >= 0),
    "unlike": lambda value: value is None or (isinstance(value, list) and [*map(_is_text, value)] == [True] * 3),
    "unseen": lambda value: isinstance(value, bool),
}
