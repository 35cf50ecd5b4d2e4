"""Be a worker process: take one file after the other from standard input, validate it, answer on standard output.

One line of JSON each way. It ends when its parent does; it keeps a validator's own output from mixing with the answers.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from ontofetch_hookspecs.commands import load_target

from ..children.limits import limit_cpu, limit_data, limit_file, limit_memory, live_with

MOST_DETAILS = 16_384  # bytes of JSON
MOST_REASON = 500  # characters
MOST_FACTS = 16 << 20  # bytes of JSON of the small facts
_REASONS = ("error", "not_judged")  # of the details: what is shown to people
# of the loader of libraries (dl-load.c), where a mapping or a thread's room is refused
_NO_ROOM = ("failed to map segment", "cannot allocate memory", "Cannot allocate memory")


def main(parent: str) -> int:
    """Serve until standard input ends; `parent` is the number of the process that started this one."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if not live_with(int(parent)):
        return 0
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    for line in sys.stdin:
        task = json.loads(line)
        limit_memory(task["memory"])
        limit_data(task["data"])
        limit_cpu(task["cpu"])
        limit_file(task["file"])
        answers.write(json.dumps(_serve(task)) + "\n")
        answers.flush()
    return 0


def _serve(task: dict[str, Any]) -> dict[str, object]:
    if "inflate" in task:
        return inflate(task)
    if "table" in task:
        return answer_with_facts(task)
    return answer(task["target"], task["path"], task["format"])


def inflate(task: dict[str, Any]) -> dict[str, object]:
    """Write what is inside a compressed file and return {"inflated": bytes, "content_id": sha256}.

    A failed result if it can't be read.
    """
    from ..errors import ExtractError
    from .inside_copies import write_copy

    try:
        size = write_copy(task)
        with open(task["copy"], "rb") as stream:
            return {"inflated": size, "content_id": hashlib.file_digest(stream, "sha256").hexdigest()}
    except MemoryError:
        return {"memory": True}
    except ExtractError as error:
        return {"passed": False, "details": {"error": _printable(error.message)}}
    except OSError as error:
        return {"passed": False, "details": {"error": f"it can't be unpacked: {error.strerror}", "unfinished": True}}


def answer(target: str, path: str, format_name: str) -> dict[str, object]:
    """Return {"passed": …, "details": …}, or {"unusable": reason} if the validator itself can't be used.

    {"memory": True} says that there was not enough of it.
    """
    try:
        check = load_target(target)
    except Exception as error:  # noqa: BLE001 - somebody else's module may raise anything; the host reports it once
        return {"memory": True} if _lacks_memory(error) else {"unusable": _reason(error)}
    try:
        return _judge(check, path, format_name)
    except RecursionError:
        why = "it is nested too deeply for this validator"
    except Exception as error:  # noqa: BLE001 - a validator that raises has failed this file, not the run
        if _lacks_memory(error):
            return {"memory": True}
        why = f"the validator failed: {_reason(error)}"
    return {"passed": False, "details": {"error": why}}


def answer_with_facts(task: dict[str, Any]) -> dict[str, object]:
    """Return what `answer` would, and under "facts" the small facts, or under "no_facts" why there are none.

    The table of terms stands at the path that the task names under `table`. Where only "no_facts" is answered, nobody
    has judged the file.
    """
    from ..content.facts.sealed import seal

    raw = task["table"] + ".found"
    try:
        found = load_target(task["facts"])(task["path"], task["format"], raw)  # type: ignore[operator]
        passed, details, facts = found
        judged = _told(passed, details)
        if facts is None or "unusable" in judged:
            return judged | {"no_facts": _reason_of(judged)}
        facts = {**facts, "facts_version": task["facts_version"]}
        seal(raw, task["table"], facts)
        if len(json.dumps(facts)) > MOST_FACTS:
            return judged | {"no_facts": f"there are more than {MOST_FACTS:,} bytes of them beside the table of terms"}
        return judged | {"facts": facts}
    except MemoryError:
        return {"no_facts": "there was not enough memory"}
    except RecursionError:
        return {"no_facts": "it is nested too deeply"}
    except Exception as error:  # noqa: BLE001 - as for `answer`; the file is then judged without
        return {"no_facts": f"the validator failed at them: {_reason(error)}"}


def _lacks_memory(error: Exception) -> bool:
    """Say whether there was not enough of it, also for a library that is imported late."""
    return isinstance(error, MemoryError) or (
        isinstance(error, ImportError) and any(words in str(error) for words in _NO_ROOM)
    )


def _reason_of(judged: dict[str, Any]) -> str:
    """Return why a file that was judged so has no facts."""
    details = judged.get("details", {})
    told = next((details[name] for name in _REASONS if isinstance(details.get(name), str)), "")
    return told or "the validator has nothing to say of it"


def _judge(check: object, path: str, format_name: str) -> dict[str, object]:
    if not isinstance(check, Callable):  # type: ignore[arg-type]
        return {"unusable": "it can't be called"}
    found = check(path, format_name)  # type: ignore[operator]
    return _told(*found) if isinstance(found, tuple) and len(found) == 2 else _told(None, None)


def _told(passed: object, details: Any) -> dict[str, object]:
    """Return a judgement as it is answered."""
    match (passed, details):
        case (bool() as passed, dict() as details):
            pass
        case (None as passed, {"not_judged": str(why)} as details) if why:
            pass
        case _:
            return {"unusable": "it did not return (bool, dict), or (None, dict) with a reason under not_judged"}
    told = {name: _printable(details[name]) for name in _REASONS if isinstance(details.get(name), str)}
    details = {**details, **told}
    # what no reader of JSON takes, NaN and half a letter, is an error of the validator: it may not stop the release
    text = json.dumps(details, sort_keys=True, allow_nan=False)
    if "\\ud" in text:
        json.dumps(details, ensure_ascii=False).encode()
    if len(text) > MOST_DETAILS:
        why = "not_judged" if passed is None else "error"
        details = {why: f"the validator's details are larger than {MOST_DETAILS:,} bytes"}
    return {"passed": passed, "details": details}


def _reason(error: BaseException) -> str:
    return _printable(f"{type(error).__name__}: {error}")


def _printable(text: str) -> str:
    shown = "".join(ch if ch.isprintable() else " " for ch in text)
    return shown if len(shown) <= MOST_REASON else shown[: MOST_REASON - 1] + "…"
