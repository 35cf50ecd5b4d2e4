"""The third step of a pull: the files are judged and what they say is found, beside other steps; both are recorded."""

from __future__ import annotations

import logging
from contextlib import ExitStack
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from ontofetch_hookspecs import ValidateDone
from ontofetch_hookspecs.hosting import now
from ontofetch_hookspecs.names import quote
from ontofetch_hookspecs.store_paths import below_root

from ...rendering.progress import bar
from ..facts_room import FactsRoom
from ..judging import Judging
from ..outcomes import told_of
from ..request import Request
from ..validators import Validation
from .state import State, Tools

_log = logging.getLogger("ontofetch.pull")


class Examination:
    """The judging of the files of one pull, from the moment on when their contents are known.

    Args:
        tools: What the run shares.
        request: Says whether facts are wanted.
        stack: At its end, what is not judged yet is given up, and what was staged and not recorded is gone.

    Attributes:
        judging: Who is asked; whoever moves the files tells it of that before.
    """

    def __init__(self, tools: Tools, request: Request, stack: ExitStack) -> None:
        settings = tools.host.settings
        self.started = now()
        self._tools = tools
        self._room: FactsRoom | None = None
        self._validation: Validation | None = None
        if request.facts and settings.get("facts", "on") == "on":
            most = int(str(settings["facts_max_bytes"]))
            self._room = stack.enter_context(FactsRoom(tools.host.root, tools.contract.find_facts, most))
        timeout = float(str(settings["validate_timeout"]))
        self.judging = stack.enter_context(Judging(tools.workers, timeout=timeout, facts=self._room))

    def begin(self, files: pa.Table, folder: Path) -> Validation:
        """Begin to judge what nobody has judged; the files lie below `folder` from now on."""
        if self._validation is None:
            tools = self._tools
            self._validation = Validation(tools.validators, tools.contract.find_results, self.judging)
        self._validation.look(files, below_root(self._tools.host.root, folder))
        return self._validation

    def record(self, pull: State, files: pa.Table) -> pa.Table:
        """Judge what is left of a release, and record the judgements and what its files say."""
        validation = self.begin(files, pull.data)
        with bar("validate") as update:
            results = validation.results(pull.version_id, update)
        event = pull.contract.make(
            ValidateDone,
            version_id=pull.version_id,
            results=results,
            started_at=self.started,
            finished_at=now(),
            facts=None if self._room is None else self._room.found,
            staged=None if self._room is None else self._room.staged,
        )
        pull.contract.send(event)
        return results


def validate(pull: State, files: pa.Table, examination: Examination) -> None:
    """Judge the files of a release as far as nobody has, record that, and say what is wrong with them."""
    results = examination.record(pull, files)
    pull.summary.count(results)
    for line in told_of(results):
        _log.warning("%s", line)
    if not pull.length_known and _fails(pull, files, results.filter(pc.equal(results["passed"], False))):
        _log.warning("%s may have ended early: the server gave no length; the document may be cut", quote(pull.name))


def _fails(pull: State, files: pa.Table, failures: pa.Table) -> bool:
    """Return whether one of the files that fail came out of this artifact."""
    if "artifact_id" in files.column_names:
        files = files.filter(pc.equal(files["artifact_id"], pull.summary.sha256))
    return bool(pc.any(pc.is_in(failures["relpath"], value_set=files["relpath"].combine_chunks())).as_py())
