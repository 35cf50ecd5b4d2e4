"""The unpacking of an artifact into a stage, in a process with limits: what it is told, and what comes home.

What is refused is decided by `unpacker` and `content`; what becomes of the stage is not known here.
"""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

from ontofetch_hookspecs.light_dataclasses import dataclass
from ontofetch_hookspecs.names import quote
from ontofetch_hookspecs.remarks import Remark
from ontofetch_hookspecs.stages import Stage
from ontofetch_hookspecs.store_paths import StorePath

from ..children.limits import Allowance
from ..children.start import start_module
from ..content.archives import Limits as ExtractLimits
from ..content.archives import open_archive
from ..content.selection import Selection
from ..errors import ExtractError, StageError
from .alone import copy_alone
from .unpacked import as_batch, as_table, without_top

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["ExtractLimits", "Extraction", "Strip", "extract_artifact"]

Strip = int | Literal["auto"]
_DATA = "data"
_LINE = 4 << 20  # bytes of a line from the process: 500 files with the longest names take less
_ERRORS = {"ExtractError": ExtractError, "StageError": StageError}


@dataclass(frozen=True, slots=True, kw_only=True)
class Extraction:
    """What was unpacked.

    Args:
        files: One row per file, FILES_COLUMNS, sorted by path.
        folder: The staged folder that becomes the data folder.
        strip: How many leading folders were taken off.
        skipped: How many files were left out because their name is shorter than that.
        remarks: What was left out otherwise, and what is odd about the archive.
    """

    files: pa.Table
    folder: Path
    strip: int
    skipped: int
    remarks: tuple[Remark, ...] = ()


class Unpacker:
    """The process that unpacks one archive; a context. It gets ready while others still prepare what it is to unpack.

    Args:
        allowance: What it may take of the machine.
    """

    def __init__(self, allowance: Allowance | None = None) -> None:
        self.allowance = allowance or Allowance()
        self._process = start_module("ontofetch_catalog.host.unpacker", memory=self.allowance.max_memory, bare=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        # whatever ends this ends the process, before the stage is thrown away
        self._process.kill()
        self._process.wait()
        if self._process.stdout is not None and not self._process.stdout.closed:
            # processes that write for it hold that pipe too: its end comes when the last of them is gone
            while self._process.stdout.read(_LINE):
                pass
        for stream in (self._process.stdin, self._process.stdout):
            with suppress(OSError):
                if stream is not None:
                    stream.close()

    def ask(self, told: dict[str, Any]) -> Iterator[Any]:
        """Yield what it says to a task, until it says nothing more."""
        process = self._process
        if process.stdin is None or process.stdout is None:
            return
        with suppress(BrokenPipeError):
            process.stdin.write(json.dumps(told).encode() + b"\n")
            process.stdin.flush()
        while (line := process.stdout.readline(_LINE)).endswith(b"\n"):
            yield json.loads(line)

    def end(self) -> int:
        """Wait for its end, and say how it ended, as `Popen.returncode` does."""
        return self._process.wait()


def extract_artifact(
    archive: Path | StorePath,
    stage: Stage,
    *,
    name: str,
    content_type: str | None = None,
    include: tuple[str, ...] = (),
    exclude: tuple[str, ...] = (),
    strip: Strip = "auto",
    portable: bool = False,
    limits: ExtractLimits | None = None,
    unpacker: Unpacker | None = None,
    allowance: Allowance | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Extraction:
    """Unpack an artifact into a stage; another file than an archive is copied as it is.

    Args:
        archive: The artifact.
        stage: Where to.
        name: The artifact's name.
        content_type: What the server said of it.
        include: Globs over the names in the archive (`*` crosses `/`); empty: everything.
        exclude: Globs of what is left out of that again.
        strip: How many leading folders to take off; `auto` takes a single folder off that all entries share.
        portable: Whether names that meet where case and normal forms are folded are refused.
        limits: What is refused.
        unpacker: The process that unpacks; None: one is started, if one is needed. It ends here.
        allowance: What a process that is started may take of the machine.
        progress: Called with the bytes of the archive that are read, and how many it has.

    Raises:
        ExtractError: The archive is damaged or has something that is refused, or it takes too much of the machine; the
            stage then holds no release.
        StageError: The disk refuses.
    """
    stage.folder(_DATA)
    drop = 0 if strip == "auto" else strip
    limits = limits or ExtractLimits()
    if unpacker is None:
        chosen, said = Selection(include, exclude), content_type
        with _read(name):
            copied = copy_alone(archive, stage, chosen, limits, name=name, said=said, drop=drop, portable=portable)
        if copied is not None:
            batches = [as_batch(copied.rows)] if copied.rows else []
            done = _Done(as_table(batches), copied.tops, copied.skipped, copied.remarks)
            return _extraction(stage, done, strip, drop)
    with unpacker or Unpacker(allowance) as process:
        told = {
            "root": os.path.abspath(stage.place.root),
            "stage": stage.name,
            "archive": archive.relpath if isinstance(archive, StorePath) else os.path.abspath(archive),
            "in_store": isinstance(archive, StorePath),
            "name": name,
            "content_type": content_type,
            "include": include,
            "exclude": exclude,
            "drop": drop,
            "portable": portable,
            "limits": asdict(limits),
            "allowance": asdict(process.allowance),
        }
        done = _Work(process, name, _size(archive, name), progress).run(told)
    return _extraction(stage, done, strip, drop)


def _extraction(stage: Stage, done: _Done, strip: Strip, drop: int) -> Extraction:
    top = done.tops[0] if strip == "auto" and len(done.tops) == 1 else ""
    # the bytes lie where they are; only where the release begins moves
    return Extraction(
        files=without_top(done.files, top) if top else done.files,
        folder=stage.folder(f"{_DATA}/{top}") if top else stage.path / _DATA,
        strip=1 if top else drop,
        skipped=done.skipped,
        remarks=done.remarks,
    )


def _size(archive: Path | StorePath, name: str) -> int:
    with _read(name), open_archive(archive) as stream:
        return os.fstat(stream.fileno()).st_size


@contextmanager
def _read(name: str) -> Iterator[None]:
    """Say of an artifact that the system does not let us read what to do about it."""
    try:
        yield
    except OSError as error:
        raise ExtractError(
            f"The artifact {quote(name)} can't be read: {error.strerror}.",
            subject=name,
            hint="Pull a good copy of it with --replace.",
        ) from error


@dataclass(frozen=True, slots=True)
class _Done:
    """What the process says at its end: files, first folders of the names (two at most), files skipped, remarks."""

    files: pa.Table
    tops: list[str]
    skipped: int
    remarks: tuple[Remark, ...]


class _Work:
    """What comes home from the process that unpacks one archive."""

    def __init__(self, process: Unpacker, name: str, size: int, progress: Callable[[int, int], None] | None) -> None:
        self._process = process
        self._name = name
        self._size = size
        self._progress = progress

    def run(self, told: dict[str, Any]) -> _Done:
        """Return what came of it."""
        batches: list[pa.Table] = []
        for said in self._process.ask(told):
            match said:
                case ["files", list(rows), int(read)]:
                    batches += [as_batch(rows)] if rows else []
                    if self._progress is not None:
                        self._progress(read, self._size)
                case ["done", list(tops), int(skipped), list(remarks)]:
                    made = tuple(Remark(**remark | {"names": tuple(remark["names"])}) for remark in remarks)
                    return _Done(as_table(batches), [str(top) for top in tops], skipped, made)
                case ["refused", str(kind), str(message), str(subject), str(hint)]:
                    raise _ERRORS.get(kind, ExtractError)(message, subject=subject, hint=hint)
                case ["memory"]:
                    raise self._too_much("needs " + self._process.allowance.memory_limit_text())
        raise self._ended(self._process.end())

    def _ended(self, code: int) -> ExtractError:
        reason = self._process.allowance.reason(code, self._size)
        if reason is not None:
            return self._too_much(reason)
        cause = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        return ExtractError(
            f"The process that unpacks {quote(self._name)} ended before it was done ({cause}).",
            subject=self._name,
            hint="Nothing was published; run the same command again.",
        )

    def _too_much(self, reason: str) -> ExtractError:
        return ExtractError(
            f"The process that unpacks {quote(self._name)} {reason}.",
            subject=self._name,
            hint="Nothing was published. If you trust the archive, raise the setting.",
        )
