"""The carrying out of jobs: prepared side by side, recorded one after the other, one broken job stops no other.

How they are prepared, `hands` knows; whatever is recorded, the thread records that iterates.
"""

from __future__ import annotations

import logging
import queue
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, replace

from ontofetch_hookspecs import HostInfo, OntofetchError
from ontofetch_hookspecs.errors import EXIT_ERROR, EXIT_FINDINGS, EXIT_NEW, EXIT_OK
from ontofetch_hookspecs.light_dataclasses import dataclass
from ontofetch_hookspecs.names import quote

from ...errors import CatalogLocked
from ...rendering.progress import bar
from ..contract import Contract
from ..manager import Plugins
from ..pipeline import Pull
from ..pulling.state import Tools
from .dividing import Divided, InOrder
from .hands import Brought, Fetched, Hands, let_go
from .jobs import Job, Task

NEW = ("new", "changed")  # what `--exit-code` tells of
FAILED = ("failed", "differs")
_log = logging.getLogger("ontofetch.update")


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What became of a job: the row that is printed.

    Args:
        series: The series, or the release.
        status: `new` (a release that was not recorded), `changed` (other artifacts of a recorded one), `unchanged`,
            `unclear` (nobody can say without fetching it), `differs` (it is not what was asked for), or `failed`.
        version_id: The release; None where it is not known.
        files, bytes: Number of files of the release and the sum of their sizes; None where nobody looked.
        failing: Number of its files that fail validation; None where nobody looked.
        latest: Whether the release is the latest of its series now; None where nobody looked.
        reason: Why it failed, differs or is unclear, with what to do next; None where there is nothing to say.
        by: The other machine that did it; None where it was this one.
    """

    series: str
    status: str = "failed"
    version_id: str | None = None
    files: int | None = None
    bytes: int | None = None
    failing: int | None = None
    latest: bool | None = None
    reason: str | None = None
    by: str | None = None

    @classmethod
    def failure(cls, job: Job, error: OntofetchError | OSError) -> Outcome:
        """Return the row of a job that failed."""
        if isinstance(error, OntofetchError):
            reason = " ".join(part for part in (error.message, error.hint) if part)
        else:
            reason = f"The system refuses: {error.strerror or error}."
        return cls(series=job.title, reason=reason)


def run_jobs(
    host: HostInfo,
    plugins: Plugins,
    jobs: Sequence[Job],
    *,
    hands: int,
    check: bool = False,
    word: str = "update",
    work: str = "",
) -> list[Outcome]:
    """Carry out jobs and return their outcomes in the same order.

    Args:
        jobs: What is to be done.
        hands: How many artifacts are fetched side by side.
        check: Whether it is only looked what there is.
        word: What is going on, for the progress.
        work: What machines call it that share the catalog and divide the jobs; empty: each does all of its own.

    Raises:
        CatalogLocked: Another process holds the catalog for too long.
        CatalogUnavailable: Other machines go on with what this one was about to do.
    """
    found: dict[int, Outcome] = {}
    unit = "series" if word == "update" else "releases"
    with (
        Tools(host, plugins) as tools,
        tools.contract.dividing(work) as division,
        bar(word, unit=unit) as update,
    ):
        update(0, len(jobs))
        waiting = InOrder(jobs) if division is None else Divided(jobs, division)
        for number, outcome in _outcomes(tools, waiting, hands=hands, check=check):
            found[number] = outcome
            update(len(found), len(jobs))
            level = logging.WARNING if outcome.status in FAILED else logging.INFO
            _log.log(level, "%s", _sentence(outcome))
    return [found[number] for number in range(len(jobs))]


def _sentence(outcome: Outcome) -> str:
    about = {"new": "is new", "changed": "has changed"}.get(outcome.status, "")
    if outcome.status in NEW:
        # a job of a list or a lock file may be about one release, and has its name
        of_series = "" if outcome.version_id == outcome.series else f"{outcome.series}: "
        return f"{of_series}{outcome.version_id or 'a release'} {about}"
    if outcome.status in ("failed", "differs"):
        return f"{outcome.series} {'failed' if outcome.status == 'failed' else 'differs'}: {outcome.reason}"
    return f"{outcome.series} is {outcome.status}"


def _outcomes(tools: Tools, waiting: InOrder | Divided, *, hands: int, check: bool) -> Iterator[tuple[int, Outcome]]:
    threads = Hands(tools, check)
    under_way = 0
    done = False
    try:
        threads.start(min(hands, waiting.count))
        while under_way or not waiting.is_over:
            # what is fetched and not recorded yet is bounded, on disk and in open files
            while under_way < waiting.ahead * hands and (given := waiting.following()) is not None:
                threads.asked.put(given)
                under_way += 1
            if not under_way:
                # others do what is left, and may die of it
                waiting.pause()
                continue
            fetched = _wait(threads.brought)
            under_way -= 1
            try:
                waiting.require_held()
            except BaseException:
                let_go(fetched.copies)
                raise
            outcome = _outcome(tools, fetched)
            waiting.done(fetched.number, asdict(outcome))
            yield fetched.number, outcome
        for number, told in waiting.elsewhere():
            yield number, Outcome(series=waiting.jobs[number].title, **told)
        done = True
    finally:
        threads.stop(at_once=not done)


def _wait(brought: queue.SimpleQueue[Fetched]) -> Fetched:
    while True:
        try:
            # without an end no signal would be noticed on some systems
            return brought.get(timeout=1.0)
        except queue.Empty:
            continue


def _outcome(tools: Tools, fetched: Fetched) -> Outcome:
    if isinstance(fetched.error, OntofetchError | OSError):
        return Outcome.failure(fetched.job, fetched.error)
    if fetched.error is not None:
        raise fetched.error
    if fetched.seen is not None:
        return Outcome(series=fetched.job.title, **fetched.seen)
    try:
        return _finish(tools, fetched.job, fetched.task or Task(()), fetched.copies)
    except CatalogLocked:
        # it would be the same for all others, each after its wait
        raise
    except (OntofetchError, OSError) as error:
        return Outcome.failure(fetched.job, error)
    finally:
        let_go(fetched.copies)


def _finish(tools: Tools, job: Job, task: Task, copies: Sequence[Brought]) -> Outcome:
    version, status, summary = task.version, "unchanged", None
    for number, (request, brought) in enumerate(zip(task.requests, copies, strict=True)):
        is_last = number == len(copies) - 1
        wanted = replace(request, version=version or None, set_latest=request.set_latest and is_last, connections=None)
        pull = Pull(tools, wanted)
        summary = pull.finish(brought.copy, brought.ahead)
        version = summary.version_id.rpartition("/")[2]
        if number == 0 and not pull.was_recorded:
            status = "new"
        elif summary.status != "unchanged" and status != "new":
            status = "changed"
    if summary is None:
        return Outcome(series=job.title, reason="There is nothing to fetch.")
    outcome = Outcome(
        series=job.title,
        status=status,
        version_id=summary.version_id,
        files=summary.files,
        bytes=summary.bytes,
        failing=summary.failed,
        latest=summary.latest,
    )
    if job.complete:
        _compare(tools.contract, task, outcome)
    return outcome


def _compare(contract: Contract, task: Task, outcome: Outcome) -> None:
    """Say where a release has artifacts that were not asked for."""
    record = contract.find_version(str(outcome.version_id))
    wanted = {(request.source.name, request.sha256) for request in task.requests}
    others = [one.relpath for one in record.artifacts if (one.relpath, one.artifact_id) not in wanted] if record else []
    if others:
        outcome.status = "differs"
        outcome.reason = f"It also has {', '.join(map(quote, others[:3]))}, which the lock file does not name."


def exit_code(outcomes: Iterable[Outcome], *, tell_new: bool) -> int:
    """Return 1 if a job failed, 3 if files of what is new fail validation, 5 if something is new and that was asked."""
    found = list(outcomes)
    if any(one.status in FAILED for one in found):
        return EXIT_ERROR
    if any(one.status in NEW and one.failing for one in found):
        return EXIT_FINDINGS
    return EXIT_NEW if tell_new and any(one.status in NEW for one in found) else EXIT_OK
