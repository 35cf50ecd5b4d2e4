"""The validation of files: which contents need a judgement, who gives it, results as a table.

What a validator checks, and how it is asked, is not known here.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from ontofetch_hookspecs import RESULTS_COLUMNS, Table, Validator
from ontofetch_hookspecs.store_paths import StorePath

from ..children.limits import Allowance
from ..content.packed.bounds import Limits
from .empty_files import content_of, known_contents, sha256_of, with_contents, without_formats
from .facts_room import FactsRoom
from .judging import Judging
from .small_tables import first_of_each, join_one, schema_of
from .unjudged import judge_by_name
from .validator_process import UNFINISHED, Task
from .workers import Pool, Workers

if TYPE_CHECKING:
    import pyarrow as pa

Lookup = Callable[[Sequence[str], str, str], Table | None]


def run_validators(
    files: Table,
    folder: StorePath,
    validators: Sequence[Validator],
    lookup: Lookup,
    *,
    version_id: str,
    timeout: float = 600.0,
    workers: int = 0,
    allowance: Allowance | None = None,
    limits: Limits | None = None,
    pool: Pool | None = None,
    facts: FactsRoom | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> pa.Table:
    """Validate the files of a release and return RESULTS_COLUMNS, sorted by path and validator.

    A content that a validator of this version has judged before, anywhere, is not judged again; one that is there
    several times is judged once. Where a validator came to no judgement, because it took too long or its process died
    (twice), the file fails here, with `unfinished` in the details, but the next release does not inherit that. A file
    in a syntax that no validator looks at is not judged, and one that is something else than its name says fails.

    Args:
        files: With relpath, file_id and format; size_bytes is for the progress.
        folder: The folder the paths are below.
        validators: Which validators; each looks at the formats it names.
        lookup: Answers with known results for contents, a validator and its version.
        version_id: The release, for `reused_from`.
        timeout: Seconds one validator may take for one file.
        workers: Processes at a time; 0: one per core.
        allowance: What each of them may take of the machine for one file.
        limits: What may come out of a compressed file.
        pool: Who is asked in the place of such processes, which end with this.
        facts: Collects what the files say, where that is not known; None: nobody wants to know.
        progress: Called with the bytes of the contents done and of all; at the start, too.
    """
    with (
        nullcontext(pool) if pool is not None else Workers(workers, allowance, limits) as asked,
        Judging(asked, timeout=timeout, facts=facts) as judging,
    ):
        validation = Validation(validators, lookup, judging)
        validation.look(files, folder)
        return validation.results(version_id, progress)


class Validation:
    """The validation of the files of one release, or of some of them before the others are known.

    Args:
        validators: Which validators; each looks at the formats it names.
        lookup: Answers with known results for contents, a validator and its version.
        judging: Who judges what is not known.
    """

    def __init__(self, validators: Sequence[Validator], lookup: Lookup, judging: Judging) -> None:
        self._validators = validators
        self._lookup = lookup
        self.judging = judging
        self._table: pa.Table = None
        self._parts: list[tuple[Validator, pa.Table, pa.Table]] = []
        self._answers: dict[tuple[str, frozenset[str]], pa.Table] = {}  # what was said to a question

    def look(self, files: Table, folder: StorePath) -> None:
        """Begin to judge what nobody has judged; what was begun with other files before is not judged again.

        Args:
            files: With relpath, file_id and format; size_bytes is for the progress.
            folder: The folder the paths are below, from now on.
        """
        import pyarrow as pa
        import pyarrow.compute as pc

        held = pa.table(files)
        if "size_bytes" not in held.column_names:
            held = held.append_column("size_bytes", pa.array([0] * len(held), pa.int64()))
        table = self._table = held.select(["relpath", "file_id", "format"])
        self._parts = []
        of_contents = with_contents(held)
        facts = self.judging.facts
        wanted = {} if facts is None else facts.wanted(table, self._validators)
        tasks: list[Task] = []
        for validator in self._validators:
            judges = pc.is_in(table["format"], pa.array(list(validator.formats), pa.string()))
            asked = pc.unique(table["file_id"].filter(judges)).to_pylist()
            if not asked:
                continue
            mine, known = of_contents.filter(judges), self._known(validator, asked)
            self._parts.append((validator, mine.select(table.column_names), known))
            tasks += _tasks_of(validator, mine, known, wanted)
        self.judging.ask(tasks, folder)

    def _known(self, validator: Validator, file_ids: Sequence[str]) -> pa.Table:
        """Return what is known of contents; asked twice, as of the first time: what is judged since counts once."""
        import pyarrow as pa

        question = validator.name, frozenset(file_ids)
        if question not in self._answers:
            found = self._lookup(file_ids, validator.name, validator.version)
            self._answers[question] = _results() if found is None else _judged(pa.table(found))
        return self._answers[question]

    def results(self, version_id: str, progress: Callable[[int, int], None] | None = None) -> pa.Table:
        """Wait for the judgements of the files that were looked at last; return RESULTS_COLUMNS.

        Args:
            version_id: The release, for `reused_from`.
            progress: Called with the bytes of the contents done and of all; at the start, too.
        """
        import pyarrow as pa

        self.judging.wait(progress)
        judged = {
            key: row | {"reused_from": f"{version_id}#{row['relpath']}"} for key, row in self.judging.judged.items()
        }
        tables = [
            _as_table(self._parts, judged, version_id),
            judge_by_name(self._table, self._validators, schema_of(RESULTS_COLUMNS)),
        ]
        return without_formats(pa.concat_tables(tables)).sort_by([("relpath", "ascending"), ("validator", "ascending")])


def _results(rows: Sequence[dict[str, Any]] = ()) -> pa.Table:
    """Return results of contents as a table: file_id, passed, details, run_at, reused_from."""
    import pyarrow as pa

    text, moment = pa.string(), pa.timestamp("us", "UTC")
    columns = {"file_id": text, "passed": pa.bool_(), "details": text, "run_at": moment, "reused_from": text}
    return pa.Table.from_pylist(list(rows), schema=pa.schema(list(columns.items())))


def _judged(found: pa.Table) -> pa.Table:
    """Return those of the known results that are judgements, one per content."""
    import pyarrow as pa
    import pyarrow.compute as pc

    schema = _results().schema
    table = known_contents(found.select(schema.names).cast(schema))
    if not len(table):
        return table
    doubtful = pc.and_(
        pc.equal(table["passed"].fill_null(True), False), pc.match_substring(table["details"], f'"{UNFINISHED}"')
    )
    details = pc.unique(table["details"].filter(doubtful)).to_pylist()
    unfinished = pa.array([text for text in details if json.loads(text).get(UNFINISHED)], pa.string())
    table = table.filter(pc.invert(pc.and_(doubtful, pc.is_in(table["details"], value_set=unfinished))))
    latest_first = table.take(pa.array(range(len(table) - 1, -1, -1), pa.int64()))
    return first_of_each(latest_first, "file_id")


def _tasks_of(
    validator: Validator, files: pa.Table, known: pa.Table, wanted: Mapping[tuple[str, str], str]
) -> list[Task]:
    """Return what is to be asked: of contents that are not judged, and of those of which facts are wanted."""
    import pyarrow as pa
    import pyarrow.compute as pc

    judged = pc.is_in(files["file_id"], known["file_id"].combine_chunks())
    # an empty file says the same in every syntax in which it is valid: once is enough
    lacking = {content_of(key[1], "turtle"): version for key, version in wanted.items() if key[0] == validator.name}
    # what failed once says nothing, also when it is asked again
    failed = known["file_id"].filter(pc.invert(known["passed"].fill_null(False))).combine_chunks()
    fine = pc.invert(pc.is_in(files["file_id"], failed))
    facts = pc.and_(fine, pc.is_in(files["file_id"], pa.array(list(lacking), pa.string())))
    asked = files.append_column("judged", judged).filter(pc.or_(facts, pc.invert(judged)))
    first = first_of_each(asked.sort_by("relpath"), "file_id")
    columns = (first[name].to_pylist() for name in ("file_id", "relpath", "format", "size_bytes", "judged"))
    return [
        Task(validator, sha256_of(content), relpath, name, size, lacking.get(content, ""), is_judged)
        for content, relpath, name, size, is_judged in zip(*columns, strict=True)
    ]


def _as_table(
    parts: Sequence[tuple[Validator, pa.Table, pa.Table]],
    judged: dict[tuple[str, str], dict[str, Any]],
    version_id: str,
) -> pa.Table:
    """Join the files of each validator with what was known of their contents and what was found now."""
    import pyarrow as pa
    import pyarrow.compute as pc

    schema = schema_of(RESULTS_COLUMNS)
    tables = [schema.empty_table()]
    for validator, files, known in parts:
        mine = [row for (name, _), row in judged.items() if name == validator.name]
        found = _results(mine)
        # what was judged here, and meanwhile elsewhere too, counts once
        others = pc.invert(pc.is_in(known["file_id"], found["file_id"].combine_chunks()))
        right = pa.concat_tables([known.filter(others), found])
        if not len(right):
            continue
        joined = _named(join_one(files, right, "file_id"), validator, version_id)
        tables.append(joined.select(schema.names).cast(schema))
    return pa.concat_tables(tables)


def _named(joined: pa.Table, validator: Validator, version_id: str) -> pa.Table:
    """Add the validator, and clear `reused_from` where it would name the row itself."""
    import pyarrow as pa
    import pyarrow.compute as pc

    own = pc.binary_join_element_wise(pa.scalar(version_id), joined["relpath"], "#")
    reused = pc.if_else(pc.equal(joined["reused_from"], own), pa.scalar(None, pa.string()), joined["reused_from"])
    joined = joined.set_column(joined.schema.get_field_index("reused_from"), "reused_from", reused)
    for name, value in (("validator", validator.name), ("validator_version", validator.version)):
        joined = joined.append_column(name, pa.array([value] * len(joined), pa.string()))
    return joined
