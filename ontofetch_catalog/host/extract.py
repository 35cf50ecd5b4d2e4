"""The unpacking of an artifact into a stage, in a process with limits: what it is told, and what comes home.

What is refused is decided by `unpacker` and `content`; what becomes of the stage is not known here.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from ontofetch_hookspecs.names import quote
from ontofetch_hookspecs.remarks import Remark
from ontofetch_hookspecs.stages import Stage
from ontofetch_hookspecs.store_paths import StorePath

from ..children.limits import Allowance
from ..content.packed.plain import open_archive
from ..errors import ExtractError, StageError
from .alone import copy_alone
from .unpacked import DATA, Done, Extraction, Wanted, as_batch, as_table, without_top
from .unpacker_process import Unpacker

if TYPE_CHECKING:
    import pyarrow as pa

_ERRORS = {"ExtractError": ExtractError, "StageError": StageError}


class Begun:
    """The unpacking of an artifact that a process goes on with by itself.

    Args:
        wanted: What it was asked for.
        size: Bytes of the artifact.
    """

    def __init__(self, stage: Stage, process: Unpacker, wanted: Wanted, size: int) -> None:
        self._stage = stage
        self._process = process
        self._wanted = wanted
        self._size = size

    def finish(self, progress: Callable[[int, int], None] | None = None) -> Extraction:
        """Wait until all is unpacked; as `extract_artifact`. The process ends here."""
        with self._process:
            done = self._hear(progress)
        return _extraction(self._stage, done, self._wanted)

    def _hear(self, progress: Callable[[int, int], None] | None) -> Done:
        batches: list[pa.Table] = []
        for said in self._process.answers():
            match said:
                case ["files", list(columns), int(read)]:
                    batches += [as_batch(columns)] if columns else []
                    if progress is not None:
                        progress(read, self._size)
                case ["done", list(tops), int(skipped), list(remarks)]:
                    made = tuple(Remark(**remark | {"names": tuple(remark["names"])}) for remark in remarks)
                    return Done(as_table(batches), [str(top) for top in tops], skipped, made)
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
            f"The process that unpacks {quote(self._wanted.name)} ended before it was done ({cause}).",
            subject=self._wanted.name,
            hint="Nothing was published; run the same command again.",
        )

    def _too_much(self, reason: str) -> ExtractError:
        return ExtractError(
            f"The process that unpacks {quote(self._wanted.name)} {reason}.",
            subject=self._wanted.name,
            hint="Nothing was published. If you trust the archive, raise the setting.",
        )


def begin_extraction(
    archive: Path | StorePath, stage: Stage, process: Unpacker, wanted: Wanted, *, moves_to: StorePath | None = None
) -> Begun:
    """Have a process begin to unpack an artifact into a stage, and do not wait for it.

    Args:
        wanted: What of it, and how.
        moves_to: Where the artifact may be moved to before the process has opened it; both in one store.

    Raises:
        ExtractError: The artifact can't be read.
        StageError: The disk refuses.
    """
    stage.folder(DATA)
    size = _size(archive, wanted.name)
    process.ask(
        {
            "root": os.path.abspath(stage.place.root),
            "stage": stage.name,
            "archive": archive.relpath if isinstance(archive, StorePath) else os.path.abspath(archive),
            "in_store": isinstance(archive, StorePath),
            "moves_to": moves_to.relpath if moves_to is not None else "",
            "name": wanted.name,
            "content_type": wanted.content_type,
            "include": wanted.include,
            "exclude": wanted.exclude,
            "drop": wanted.drop,
            "portable": wanted.portable,
            "limits": asdict(wanted.limits),
            "allowance": asdict(process.allowance),
        }
    )
    return Begun(stage, process, wanted, size)


def extract_artifact(
    archive: Path | StorePath,
    stage: Stage,
    wanted: Wanted,
    allowance: Allowance | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Extraction:
    """Unpack an artifact into a stage, in a process that is started if one is needed; another file is copied as it is.

    Args:
        wanted: What of it, and how.
        allowance: What the process may take of the machine.
        progress: Called with the bytes of the archive that are read, and how many it has.

    Raises:
        ExtractError: The archive is damaged or has something that is refused, or it takes too much of the machine; the
            stage then holds no release.
        StageError: The disk refuses.
    """
    stage.folder(DATA)
    with _read(wanted.name):
        done = copy_alone(archive, stage, wanted)
    if done is not None:
        return _extraction(stage, done, wanted)
    with Unpacker(allowance) as process:
        return begin_extraction(archive, stage, process, wanted).finish(progress)


def _extraction(stage: Stage, done: Done, wanted: Wanted) -> Extraction:
    top = done.tops[0] if wanted.strip == "auto" and len(done.tops) == 1 else ""
    # the bytes lie where they are; only where the release begins moves
    return Extraction(
        files=without_top(done.files, top) if top else done.files,
        folder=stage.folder(f"{DATA}/{top}") if top else stage.path / DATA,
        strip=1 if top else wanted.drop,
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
            hint="Pull a good copy of it.",
        ) from error
