"""Own the unpacking of an artifact into a stage, in a process with limits: what it is told, and what comes home.

What is refused is decided by `unpacker` and `content`; what becomes of the stage is not known here.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal

from ontofetch_hookspecs.names import quote
from ontofetch_hookspecs.stages import Stage
from ontofetch_hookspecs.store_paths import StorePath

from ..children import start_module
from ..children.limits import Allowance
from ..content.archives import Limits as ExtractLimits
from ..content.archives import open_archive
from ..errors import ExtractError, StageError

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
    """

    files: pa.Table
    folder: Path
    strip: int
    skipped: int


def extract_artifact(
    archive: Path | StorePath,
    stage: Stage,
    *,
    name: str,
    include: tuple[str, ...] = (),
    strip: Strip = "auto",
    limits: ExtractLimits | None = None,
    allowance: Allowance | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Extraction:
    """Unpack an artifact into a stage; another file than an archive is copied as it is.

    Args:
        archive: The artifact.
        stage: Where to.
        name: The artifact's name.
        include: Globs over the names in the archive (`*` crosses `/`); empty: everything.
        strip: How many leading folders to take off; `auto` takes a single folder off that all entries share.
        limits: What is refused.
        allowance: What the process that unpacks may take of the machine.
        progress: Called with the number of files and of bytes so far.

    Raises:
        ExtractError: The archive is damaged or has something that is refused, or it takes too much of the machine; the
            stage then holds no release.
        StageError: The disk refuses.
    """
    stage.folder(_DATA)
    with _opened(archive, name) as stream:
        work = _Work(stream, name, allowance or Allowance())
        told = {
            "root": os.path.abspath(stage.place.root),
            "stage": stage.name,
            "name": name,
            "include": include,
            "drop": 0 if strip == "auto" else strip,
            "limits": asdict(limits or ExtractLimits()),
        }
        tops, skipped = work.run(told, progress)
    files = _as_table(work.batches)
    if strip != "auto" or len(tops) != 1 or not tops[0]:
        return Extraction(
            files=files, folder=stage.path / _DATA, strip=0 if strip == "auto" else strip, skipped=skipped
        )
    # the bytes lie where they are; only where the release begins moves
    return Extraction(
        files=_without_top(files, tops[0]), folder=stage.folder(f"{_DATA}/{tops[0]}"), strip=1, skipped=skipped
    )


def _opened(archive: Path | StorePath, name: str) -> IO[bytes]:
    try:
        return open_archive(archive)
    except OSError as error:
        raise ExtractError(
            f"The artifact {quote(name)} can't be read: {error.strerror}.",
            subject=name,
            hint="Pull a good copy of it with --replace.",
        ) from error


class _Work:
    """The process that unpacks one archive.

    Attributes:
        batches: The files that it told of, as columns: path, sha256, format, bytes, time.
    """

    def __init__(self, archive: IO[bytes], name: str, allowance: Allowance) -> None:
        self.batches: list[pa.Table] = []
        self._archive = archive
        self._name = name
        self._size = os.fstat(archive.fileno()).st_size
        self._allowance = allowance
        self._files = 0

    def run(self, told: dict[str, Any], progress: Callable[[int, int], None] | None) -> tuple[list[str], int]:
        """Unpack, and return the first folders of the names (two at most) and how many files were skipped."""
        descriptor = self._archive.fileno()
        told |= {"archive": descriptor, "cpu": self._allowance.cpu_for(self._size)}
        process = start_module(
            "ontofetch_catalog.host.unpacker",
            json.dumps(told),
            memory=self._allowance.max_memory,
            keep=(descriptor,),
        )
        try:
            return self._hear(process, progress)
        finally:
            # whatever ends this ends the process, before the stage is thrown away
            process.kill()
            process.wait()
            for stream in (process.stdin, process.stdout):
                with suppress(OSError):
                    if stream is not None:
                        stream.close()

    def _hear(
        self, process: subprocess.Popen[bytes], progress: Callable[[int, int], None] | None
    ) -> tuple[list[str], int]:
        while True:
            line = process.stdout.readline(_LINE) if process.stdout is not None else b""
            if not line.endswith(b"\n"):
                raise self._broken(process.wait() if len(line) < _LINE else 0)
            match json.loads(line):
                case ["files", list(rows), int(size)]:
                    self._files += len(rows)
                    if rows:
                        self.batches.append(_as_batch(rows))
                    if progress is not None:
                        progress(self._files, size)
                case ["done", list(tops), int(skipped)]:
                    return [str(top) for top in tops], skipped
                case ["refused", str(kind), str(message), str(subject), str(hint)] if kind in _ERRORS:
                    raise _ERRORS[kind](message, subject=subject, hint=hint)
                case ["memory"]:
                    raise self._too_much("needs " + self._allowance.memory_told())
                case _:
                    raise self._broken(0)

    def _broken(self, code: int) -> ExtractError:
        reason = self._allowance.reason(code, self._size)
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


def _as_batch(rows: list[list[Any]]) -> pa.Table:
    import pyarrow as pa

    relpaths, file_ids, formats, sizes, times = zip(*rows, strict=True)
    microseconds = pa.array([int(seconds) * 1_000_000 for seconds in times], pa.int64())
    return pa.table(
        {
            "relpath": pa.array(relpaths, pa.string()),
            "file_id": pa.array(file_ids, pa.string()),
            "format": pa.array(formats, pa.string()),
            "size_bytes": pa.array(sizes, pa.int64()),
            "mtime": microseconds.cast(pa.timestamp("us", "UTC")),
        }
    )


def _as_table(batches: list[pa.Table]) -> pa.Table:
    import pyarrow as pa

    none = pa.schema(
        [
            ("relpath", pa.string()),
            ("file_id", pa.string()),
            ("format", pa.string()),
            ("size_bytes", pa.int64()),
            ("mtime", pa.timestamp("us", "UTC")),
        ]
    ).empty_table()
    return pa.concat_tables([none, *batches]).sort_by("relpath").combine_chunks()


def _without_top(files: pa.Table, top: str) -> pa.Table:
    """Take a folder off the paths; their order stays."""
    import pyarrow.compute as pc

    return files.set_column(0, "relpath", pc.utf8_slice_codeunits(files["relpath"], start=len(top) + 1))
