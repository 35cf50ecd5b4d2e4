"""The files of an artifact on their way into a stage, as the table that an ExtractDone carries.

A packed artifact is unpacked by the program that found it, if its audit says so and the files agree with it, else anew;
any other file is its release's one file.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ontofetch_hookspecs.columns import FILES_COLUMNS
from ontofetch_hookspecs.light_dataclasses import dataclass
from ontofetch_hookspecs.stages import Stage
from ontofetch_hookspecs.store_paths import StorePath
from ontofetch_hookspecs.taking import TakenFile, Taking, take_file

from ..children.limits import Allowance
from ..content.formats import format_of
from ..content.packed.archives import Limits
from ..host.extract import extract_artifact
from ..host.small_tables import schema_of
from ..host.unpacked import Wanted
from . import docstokg

if TYPE_CHECKING:
    import pyarrow as pa

DATA = "files"  # the folder in the stage
BATCH = 10_000  # rows of Python objects that are held at once
_LAST_TIME = 253_402_300_799_999_999  # microseconds since 1970: the end of the year 9999


@dataclass(slots=True)
class Files:
    """The files of an artifact, staged.

    Args:
        table: FILES_COLUMNS, sorted by path.
        folder: Where they are.
        strip: How many folders were taken off the names in the archive.
        started_at: When that began.
        messages: What was not as it should be, as sentences.
    """

    table: pa.Table
    folder: Path
    strip: int = 0
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    messages: list[str] = field(default_factory=list)


def stage_alone(stage: Stage, artifact: StorePath, name: str) -> Files:
    """Stage an artifact that is not packed as its own file: a second name of the same bytes, where that is possible."""
    taken = take_file(stage, artifact, f"{DATA}/{name}", link=True)
    return Files(
        table=as_table([TakenFile(name, taken.sha256, taken.size, taken.mtime_ns, taken.head)]),
        folder=stage.path / DATA,
    )


def stage_unpacked(stage: Stage, unpacked: StorePath, sha256: str, *, link: bool) -> Files | None:
    """Stage what another program has unpacked from an archive, as its audit says.

    Args:
        unpacked: Where that program unpacks archives of this name.
        sha256: Content of the archive.
        link: Whether files get a second name instead of a copy, where the file system can.

    Returns:
        None where it has not, or where files and audit disagree: then the stage is to be thrown away.
    """
    found = docstokg.find_unpacked(unpacked, sha256)
    if found is None:
        return None
    place, audit = found
    taking = Taking(stage, place, DATA, link=link, leave_out=frozenset({docstokg.AUDIT}))
    missing = dict(audit)
    differing = False

    def checked() -> Iterable[TakenFile]:
        nonlocal differing
        for taken in taking:
            size, sha = missing.pop(taken.relpath, (-1, ""))
            # an audit may have been told to leave the digests out
            differing = differing or size != taken.size or sha not in ("", taken.sha256)
            yield taken

    table = as_table(checked())
    if differing or missing or taking.left:
        return None
    return Files(table=table, folder=stage.path / DATA)


def stage_archive(stage: Stage, artifact: StorePath, name: str, settings: Mapping[str, object]) -> Files:
    """Unpack an artifact, in a process with limits where one is needed.

    Raises:
        ExtractError: It is damaged, has something that is refused, or takes too much of the machine.
    """
    started = datetime.now(UTC)
    wanted = Wanted(name=name, limits=Limits.from_settings(settings))
    done = extract_artifact(artifact, stage, wanted, allowance=Allowance.from_settings(settings))
    return Files(table=done.files, folder=done.folder, strip=done.strip, started_at=started)


def as_table(files: Iterable[TakenFile]) -> pa.Table:
    """Return FILES_COLUMNS of files, sorted by path; the objects of BATCH of them are held at once."""
    import pyarrow as pa

    batches, rows = [], []
    for taken in files:
        rows.append(
            (
                taken.relpath,
                taken.sha256,
                format_of(taken.relpath, taken.head),
                taken.size,
                min(max(taken.mtime_ns // 1000, -_LAST_TIME // 4), _LAST_TIME),
            )
        )
        if len(rows) >= BATCH:
            batches.append(_as_batch(rows))
            rows = []
    batches.append(_as_batch(rows))
    return pa.concat_tables(batches).sort_by("relpath").combine_chunks()


def _as_batch(rows: list[tuple[str, str, str, int, int]]) -> pa.Table:
    import pyarrow as pa

    schema = schema_of(FILES_COLUMNS)
    columns = zip(*rows, strict=True) if rows else [()] * len(schema)
    return pa.table([pa.array(column, kind) for column, kind in zip(columns, schema.types, strict=True)], schema=schema)
