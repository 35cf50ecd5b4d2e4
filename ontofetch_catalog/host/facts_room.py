"""Where the facts of a run are collected: which contents lack some, what workers wrote, and its way into a stage.

A worker has read what strangers made, so what it wrote is looked at before it is taken. How facts are found is not
known here.
"""

from __future__ import annotations

import logging
import os
import shutil
import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ontofetch_hookspecs import FACTS_COLUMNS, EventError, Stage, StageError, Table, Validator
from ontofetch_hookspecs.names import quote
from ontofetch_hookspecs.store_paths import StorePath

from ..content.facts import facts_version
from ..rendering.text import safe_text
from .small_tables import first_of_each, schema_of

if TYPE_CHECKING:
    import pyarrow as pa

Lookup = Callable[[Sequence[str], Sequence[str]], Table | None]
FOLDER = "facts"
UNUSABLE = "what the validator found can't be used"
_OWN = "ontofetch_catalog."
_log = logging.getLogger("ontofetch.validators")


def version_of(validator: Validator, format_name: str) -> str:
    """Return the version of the facts that a validator finds in a format; empty if it finds none."""
    if validator.facts is None or format_name not in validator.formats:
        return ""
    if validator.facts.startswith(_OWN):
        return facts_version(format_name)
    return f"{validator.name}-{validator.version}"


def finders_of(formats: Iterable[str], validators: Sequence[Validator]) -> dict[str, tuple[str, str]]:
    """Return who finds the facts of files in a format, the first that does, and their version; by format."""
    found = {}
    for name in formats:
        finder = next((validator for validator in validators if version_of(validator, name)), None)
        if finder is not None:
            found[name] = (finder.name, version_of(finder, name))
    return found


class FactsRoom:
    """The facts of one run; used as a context, at the end of which what is staged is gone unless it was recorded.

    Args:
        lookup: Answers which of some contents have facts of some versions.
        max_bytes: Of larger contents there are no facts.
        again: Whether those that once had none for a reason are looked at again.

    Attributes:
        max_bytes: As above.
    """

    def __init__(self, root: Path, lookup: Lookup, max_bytes: int, *, again: bool = False) -> None:
        self._root = root
        self._lookup = lookup
        self.max_bytes = max_bytes
        self._again = again
        self._stage: Stage | None = None
        self._rows: dict[str, dict[str, Any]] = {}
        self._by_content: dict[tuple[str, str], dict[str, Any]] = {}  # content_id, facts_version: first row
        self._lock = threading.Lock()
        self._asked_last: tuple[frozenset[str], tuple[str, ...]] | None = None
        self._told: set[tuple[str, str]] | None = None  # the answer
        self.contents = self.asked = self.too_large = 0

    def __enter__(self) -> FactsRoom:
        return self

    def __exit__(self, *raised: object) -> None:
        if self._stage is not None:
            self._stage.discard()

    def wanted(self, files: pa.Table, validators: Sequence[Validator]) -> dict[tuple[str, str], str]:
        """Return (validator, file_id) → version of the facts that are to be found: those that nobody knows yet.

        Args:
            files: With file_id and format.
            validators: All.
        """
        import pyarrow as pa
        import pyarrow.compute as pc

        by_format = finders_of(pc.unique(files["format"]).to_pylist(), validators)
        mine = files.filter(pc.is_in(files["format"], pa.array(list(by_format), pa.string())))
        if not len(mine):
            return {}
        versions = sorted({version for _, version in by_format.values()})
        known = self._known(pc.unique(mine["file_id"]).to_pylist(), versions)
        if known is None:
            return {}
        first = first_of_each(mine.sort_by("format"), "file_id")
        asked = {}
        for file_id, name in zip(first["file_id"].to_pylist(), first["format"].to_pylist(), strict=True):
            finder_name, version = by_format[name]
            if (file_id, version) not in known:
                asked[finder_name, file_id] = version
        self.contents, self.asked = len(first), len(asked)
        return asked

    def _known(self, file_ids: Sequence[str], versions: Sequence[str]) -> set[tuple[str, str]] | None:
        """Return (file_id, version) of facts that are known, None without a catalog; asked twice, as the first time."""
        import pyarrow as pa
        import pyarrow.compute as pc

        question = frozenset(file_ids), tuple(versions)
        # before the first boundary of a store there is no catalog to ask
        if self._told is None or question != self._asked_last:
            found = self._lookup(file_ids, versions)
            table = None if found is None else pa.table(found)
            if table is not None and self._again:
                table = table.filter(pc.is_null(table["reason"]))
            columns = ("file_id", "facts_version")
            self._told = (
                None if table is None else set(zip(*(table[name].to_pylist() for name in columns), strict=True))
            )
            self._asked_last = question
        return self._told

    def takes(self, size: int) -> bool:
        """Say whether there are to be facts of a content of `size` bytes."""
        if size <= self.max_bytes:
            return True
        with self._lock:
            self.too_large += 1
        return False

    def take(self, about: dict[str, Any], relpath: str, facts: dict[str, Any], table: str) -> None:
        """Check what a worker wrote and put it into the stage; if it can't be used, say so in its place.

        Args:
            about: file_id, content_id, facts_version.
            relpath: The file, for sentences.
            facts: The small facts.
            table: Where the worker wrote the table.
        """
        from ..content.facts.schema import encode
        from ..content.facts.sealed import facts_fault, read_sealed

        name = f"{about['file_id']}.parquet"
        try:
            place = StorePath(Path(table).parent, Path(table).name)
            with os.fdopen(place.open_file(), "rb") as stream:
                fault = facts_fault(facts) or (
                    "" if read_sealed(stream) == encode(facts) else "their table is another's"
                )
                if fault:
                    self.refuse(about, relpath, f"{UNUSABLE}: {fault}")
                    return
                stream.seek(0)
                sha256, size = self._stage_table(name, stream)
        except (OSError, ValueError, EventError, StageError) as error:
            told = error.strerror if isinstance(error, OSError) else error
            self.refuse(about, relpath, f"{UNUSABLE}: {told}")
            return
        row = {"facts": encode(facts).decode(), "table": name, "table_sha256": sha256, "table_bytes": size}
        with self._lock:
            # one content may be in files that are compressed in several ways
            same = self._by_content.setdefault((about["content_id"], about["facts_version"]), row)
            self._rows[about["file_id"]] = {**same, **about}

    def _stage_table(self, name: str, stream: Any) -> tuple[str, int]:
        with self._lock:
            if self._stage is None:
                self._stage = Stage.create(self._root)
        with self._stage.write_file(f"{FOLDER}/{name}") as file:
            shutil.copyfileobj(stream, file, 1 << 20)
        return file.sha256, file.size

    def refuse(self, about: dict[str, Any], relpath: str, reason: str) -> None:
        """Note why there are no facts of a content."""
        shown = safe_text(reason)[:500]
        _log.info("%s has no facts: %s", quote(relpath), shown)
        with self._lock:
            self._rows[about["file_id"]] = about | {"reason": shown}

    @property
    def found(self) -> pa.Table | None:
        """Return what was found, columns FACTS_COLUMNS; None if nobody looked."""
        import pyarrow as pa

        if not self._rows:
            return None
        return pa.Table.from_pylist([self._rows[key] for key in sorted(self._rows)], schema=schema_of(FACTS_COLUMNS))

    @property
    def staged(self) -> Path | None:
        """Return the folder with the tables of terms; None if there are none."""
        return None if self._stage is None else self._stage.path / FOLDER
