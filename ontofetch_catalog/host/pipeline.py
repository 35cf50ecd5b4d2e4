"""The pull of one artifact: fetch, unpack, validate, set latest, and after each step the hook that records it.

It knows the contract and not who answers: without a catalog it publishes by itself and says that nothing is recorded.
"""

from __future__ import annotations

import logging
from contextlib import ExitStack

import pyarrow as pa
import pyarrow.compute as pc

from ontofetch_hookspecs import HostInfo, OntofetchError
from ontofetch_hookspecs.hosting import now
from ontofetch_hookspecs.light_dataclasses import dataclass
from ontofetch_hookspecs.names import quote
from ontofetch_hookspecs.store_paths import StorePath, below_root

from ..content.packed.signatures import claims_archive
from .alone import is_alone
from .copies import Copy
from .manager import Plugins, others_hear
from .outcomes import doubt_about
from .pulling.download import fetch_artifact, record_download
from .pulling.extraction import (
    Started,
    Unpacked,
    finish_unpacking,
    is_unpacked,
    record_files,
    start_unpacking,
    unpack,
)
from .pulling.latest import set_latest
from .pulling.refusals import telling_what_is_left
from .pulling.state import State, Tools
from .pulling.validation import Examination, validate
from .request import Request, Summary
from .unpacked import Extraction
from .unpacker_process import Unpacker
from .versions import find_statement, version_by_date

_log = logging.getLogger("ontofetch.pull")


@dataclass(slots=True)
class Ahead:
    """What was done of a pull before its turn came to be recorded.

    Args:
        unpacked: What was unpacked; None once it was taken over.
        examination: Judgements and facts; None where nobody wants them.
        stack: Ends the latter.
    """

    unpacked: Unpacked | None
    examination: Examination | None
    stack: ExitStack

    def take(self) -> Unpacked | None:
        """Return what was unpacked; whoever takes it discards it."""
        unpacked, self.unpacked = self.unpacked, None
        return unpacked

    def close(self) -> None:
        """Let go of what nobody took."""
        unpacked = self.take()
        if unpacked is not None:
            unpacked.stage.discard()
        self.stack.close()


class Pull:
    """One pull; `run` carries it out, once.

    Args:
        tools: What it shares with the other pulls of its run.
        request: What is asked for.
    """

    def __init__(self, tools: Tools, request: Request) -> None:
        self._tools = tools
        self._request = request
        self._state = State(tools, request)
        self._early: Unpacked | None = None  # what was unpacked before the download is recorded
        self._begun: Started | None = None  # what is unpacked while it is recorded
        self._decides = False  # whether it decides if the artifact fits beside others
        self._examination: Examination | None = None

    @property
    def was_recorded(self) -> bool:
        """Return whether the release was recorded, and nothing of it lacked, before this pull."""
        return self._state.was_recorded

    @classmethod
    def run(cls, host: HostInfo, plugins: Plugins, request: Request) -> Summary:
        """Fetch, unpack, validate, set latest; each step is recorded before the next one begins.

        Raises:
            OntofetchError: A step failed or was refused; what was recorded before it stays.
        """
        with Tools(host, plugins) as tools, ExitStack() as stack:
            pull = cls(tools, request)
            unpacker = None
            if pull.is_news and claims_archive(pull._state.name):
                # it gets ready during the fetch
                unpacker = stack.enter_context(Unpacker(tools.allowance))
            copy = pull.fetch()
            if request.validate and pull.is_news:
                # what nobody has pulled, nobody has judged: a process is ready by the time that it is unpacked
                tools.workers.get_ready()
            return pull.finish(copy, unpacker=unpacker)

    @property
    def is_news(self) -> bool:
        """Return whether neither the release nor the address of the artifact was recorded when this pull began."""
        return self._request.version is not None and self._state.record is None and self._state.known is None

    def fetch(self) -> Copy:
        """Fetch the artifact and nothing else; may run beside other pulls, in a thread of its own.

        Raises:
            OntofetchError: It can't be fetched; nothing is staged then.
        """
        return fetch_artifact(self._state)

    def go_ahead(self, copy: Copy) -> Ahead | None:
        """Unpack and judge what was fetched, beside other pulls; None where that is better done in its turn.

        Nothing is recorded, and what is refused here is refused again in its turn, with what is to be said of it.
        """
        if copy.record is not None:
            return None
        self._state.note_copy(copy)
        ahead = Ahead(None, None, ExitStack())
        try:
            unpacked = ahead.unpacked = unpack(self._state, self._artifact(copy), None)
            ahead.examination = self._examine(ahead.stack)
            if ahead.examination is not None:
                ahead.examination.begin(unpacked.extraction.files, unpacked.extraction.folder)
                ahead.examination.judging.wait()
        except OntofetchError as error:
            ahead.close()
            _log.debug("%s is unpacked in its turn: %s", quote(self._state.name), error)
            return None
        except BaseException:
            ahead.close()
            raise
        return ahead

    def _artifact(self, copy: Copy) -> StorePath:
        return below_root(self._tools.host.root, copy.path)

    def _examine(self, stack: ExitStack) -> Examination | None:
        if not self._request.validate:
            return None
        return Examination(self._tools, self._request, stack)

    def finish(self, copy: Copy, ahead: Ahead | None = None, unpacker: Unpacker | None = None) -> Summary:
        """Do what comes after the fetch, with the copy that came of it and what was done with that ahead.

        Args:
            ahead: What was done.
            unpacker: A process that may unpack it; None: one is started, if one is needed.
        """
        pull = self._state
        pull.note_copy(copy)
        with ExitStack() as stack:
            # a process unpacks while the download is recorded, or is ready to by then
            needed = copy.record is None and ahead is None and not is_alone(self._artifact(copy), pull.name)
            # what it fills goes after it has ended
            stack.callback(self._forget_early)
            unpacker = stack.enter_context(unpacker or Unpacker(self._tools.allowance)) if needed else None
            if ahead is not None:
                self._early, self._examination = ahead.take(), ahead.examination
            else:
                self._examination = self._examine(stack)
            unpacker = self._prepare(copy, unpacker)
            if unpacker is not None and self.is_news and not others_hear(self._tools.host.manager):
                # where others vote, nothing is unpacked that they may refuse
                place = below_root(self._tools.host.root, pull.place)
                self._begun = start_unpacking(pull, self._artifact(copy), unpacker, moves_to=place)
            record_download(pull, copy, self._early.extraction.files if self._early and self._decides else None)
            with telling_what_is_left(pull):
                self._go_on(unpacker)
        return pull.summary

    def _go_on(self, unpacker: Unpacker | None) -> None:
        """Do what comes after the download is recorded."""
        pull = self._state
        files = self._unpack(unpacker)
        pull.summary.files = len(files)
        pull.summary.bytes = pc.sum(files["size_bytes"]).as_py() or 0
        if self._examination is not None:
            validate(pull, files, self._examination)
        elif pull.record is not None:
            pull.summary.failed = pull.record.failed
        set_latest(pull, doubt_about(files, pull.summary))

    # --- what must be known before anything is recorded ---------------------------------------------------------------

    def _prepare(self, copy: Copy, unpacker: Unpacker | None) -> Unpacker | None:
        """Learn the version where it was not given, and unpack early where that decides; return an unused unpacker.

        On a refusal nothing is recorded, and the bytes stay staged.
        """
        try:
            if self._request.version is None:
                self._learn_version(copy, unpacker)
            elif self._joins_others(copy):
                self._unpack_early(copy, unpacker)
        except BaseException:
            if copy.stage is not None:
                copy.stage.close()
            raise
        return unpacker if self._early is None else None

    def _learn_version(self, copy: Copy, unpacker: Unpacker | None) -> None:
        """Take the version of the same bytes from the same place, else what the document states, else a date."""
        request, pull = self._request, self._state
        last = pull.contract.find_download(request.recorded_url)
        known = last.version_id.split("/") if last and last.artifact.artifact_id == copy.sha256 else []
        if known[:2] == [request.service, request.ontology]:
            pull.find_release(known[2])
            pull.note_copy(copy)
            _log.info("%s is recorded as %s already", quote(pull.name), pull.version_id)
            return
        if request.name_version is not None:
            pull.find_release(request.name_version(copy))
            pull.note_copy(copy)
            return
        extraction = self._unpack_early(copy, unpacker)
        found = find_statement(extraction.files, below_root(pull.host.root, extraction.folder), request.ontology)
        if found is not None:
            version, origin = found.stated.version, f"{found.stated.where} of {quote(found.relpath)}"
        else:
            version, origin = version_by_date(copy.last_modified, now())
        pull.find_release(version)
        pull.note_copy(copy)
        _log.info("the version is %s, from %s; --version gives it another one", version, origin)

    def _joins_others(self, copy: Copy) -> bool:
        """Return whether the artifact is another one beside those of a recorded release."""
        artifacts, name = self._state.record.artifacts if self._state.record else (), self._state.name
        same = any((found.relpath, found.artifact_id) == (name, copy.sha256) for found in artifacts)
        return not same and any(found.relpath != name for found in artifacts)

    def _unpack_early(self, copy: Copy, unpacker: Unpacker | None) -> Extraction:
        if self._early is None:
            self._early = unpack(self._state, self._artifact(copy), unpacker)
        self._decides = True
        return self._early.extraction

    def _forget_early(self) -> None:
        for left in (self._early, self._begun):
            if left is not None:
                left.stage.discard()

    # --- the steps ----------------------------------------------------------------------------------------------------

    def _unpack(self, unpacker: Unpacker | None) -> pa.Table:
        """Unpack the artifact, unless the record says that it was unpacked in the same way; return all files."""
        pull = self._state
        if is_unpacked(pull) and pull.record is not None:
            return pa.table(pull.record.files)
        unpacked, begun = self._early, self._begun
        self._early = self._begun = None
        if unpacked is None:
            source = below_root(self._tools.host.root, pull.place)
            unpacked = finish_unpacking(pull, begun or start_unpacking(pull, source, unpacker))
        if self._examination is None:
            return record_files(pull, unpacked, None)
        # what is judged while the files are recorded, nobody waits for afterwards
        self._examination.begin(unpacked.extraction.files, unpacked.extraction.folder)
        return record_files(pull, unpacked, self._examination.judging)
