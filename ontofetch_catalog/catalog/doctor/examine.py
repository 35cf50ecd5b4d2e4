"""The examination of a store: all checks in their order, whatever state the catalog is in; never writes.

What a check looks at is its own affair; what is mended, and how, is not known here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ontofetch_hookspecs.layout import CATALOG, SWAP, known_layouts

from ...errors import CatalogMissing, CatalogUnavailable, CatalogUnreadable
from .. import sessions
from ..connection import Store
from ..failures import is_refusal
from ..rebuild.places import find_folders
from ..repo import comparison, origins, paths, releases, row_checks, version_keys
from ..scan import scan
from . import contents, database, documents, housekeeping, unrecorded
from .codes import NOTE
from .findings import Findings

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

# what an open boundary may be about to move: not looked at before the boundary is ended
_ON_DISK = ("CAT013", "CAT014", "CAT015", "CAT016", "CAT017", "CAT018", "CAT019", "CAT020", "CAT021", "CAT028")
_NOT_AS_RECORDED = ("CAT014", "CAT015", "CAT017")
_FINDERS: dict[str, Callable[[duckdb.DuckDBPyConnection], pa.Table]] = {
    "CAT013": lambda connection: comparison.find_unrecorded(connection, usable=True),
    "CAT014": comparison.find_missing,
    "CAT015": comparison.find_resized,
    "CAT017": comparison.find_irregular,
    "CAT018": lambda connection: comparison.find_unrecorded(connection, usable=False),
}
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """What was found.

    Args:
        findings: One row per finding, columns COLUMNS of `findings`.
        entries: How many files on disk were looked at.
        record_behind: Whether a process died between its COMMIT and the generation record; no finding, the next
            writer makes the record anew.
    """

    findings: pa.Table
    entries: int
    record_behind: bool = False

    def count(self, severity: str) -> int:
        """Return the number of findings of a severity."""
        import pyarrow.compute as pc

        return int(pc.sum(pc.equal(self.findings["severity"], severity)).as_py() or 0)

    @property
    def needs_a_hand(self) -> bool:
        """Say whether anything is found but notes that nothing mends and that may stay as they are."""
        import pyarrow.compute as pc

        found = self.findings
        unmended = pc.and_(pc.is_null(found["fix"]), pc.is_null(found["unsafe_fixes"]))
        return not pc.all(pc.and_(pc.equal(found["severity"], NOTE), unmended), min_count=0).as_py()


def examine(
    store: Store,
    *,
    manager: object = None,
    hashing: bool = False,
    progress: Progress | None = None,
    hashed: Progress | None = None,
) -> Examination:
    """Look at the whole store.

    Args:
        store: Which one.
        manager: The host's pluggy.PluginManager, if there is one, whose wrappers are looked at too.
        hashing: Whether the contents of all files are hashed, or only of those that a verification found damaged.
        progress: Called with the number of files looked at, and how many there are as far as it is known.
        hashed: Called, while files are hashed after that, with the bytes read and how many there are.

    Raises:
        CatalogMissing: There is no store.
        CatalogLocked: Somebody writes and did not let go in time.
        CatalogUnavailable: The system refuses to read the catalog.
    """
    findings = Findings()
    # a link is no folder of ours, and what is behind it is not looked at
    in_the_way = store.path(CATALOG).exists() and not store.path(CATALOG).is_dir()
    if not (in_the_way or store.database.exists() or store.generation.exists() or any(find_folders(store))):
        raise CatalogMissing(
            f"There is no catalog below {store.root} yet.",
            subject=str(store.root),
            hint="The first `ontofetch pull` makes one; --root names another store.",
        )
    housekeeping.check_wrappers(manager, findings)
    housekeeping.check_places(store, findings)
    covered = housekeeping.check_intents(store, findings)
    housekeeping.check_leftovers(store, findings, covered)
    inside = _Inside()
    if store.path(SWAP).exists():
        message = "A restore or a rebuild was interrupted; `ontofetch db recover` finishes it."
        findings.add("CAT001", SWAP, message)
    elif not store.database.is_file():
        why = ", although there was one" if store.generation.exists() else ", but there are releases"
        findings.add("CAT003", store.database.relpath, f"The catalog {store.database} is gone{why}.")
    else:
        try:
            bounded = store.bounded()
            with sessions.inspecting(bounded) as connection:
                inside = _examine_inside(bounded, connection, findings, hashing=hashing, progress=progress)
            if inside.unhashed is not None:
                # others read and write meanwhile
                known = _subjects(findings, _NOT_AS_RECORDED)
                covered += contents.check_contents(bounded, inside.unhashed, findings, at_fault=known, progress=hashed)
        except CatalogUnreadable as error:
            findings.add("CAT004", store.database.relpath, error.message)
        except CatalogUnavailable as error:
            if is_refusal(error.__cause__):
                raise
            # tables that are not ours answer none of our questions
            findings.add("CAT004", store.database.relpath, error.message)
    housekeeping.check_permissions(store, findings, inside.folders)
    settled = _settled(findings.table(), covered)
    return Examination(findings=settled, entries=inside.entries, record_behind=inside.behind)


@dataclass(frozen=True, slots=True)
class _Inside:
    """What the checks inside the catalog found beside their findings.

    Args:
        folders: The releases' folders.
        entries: How many files on disk were looked at.
        unhashed: What is still to be hashed.
        behind: Whether the generation record is behind the catalog.
    """

    folders: Sequence[str] = ()
    entries: int = 0
    unhashed: contents.Unhashed | None = None
    behind: bool = False


def _examine_inside(
    store: Store,
    connection: duckdb.DuckDBPyConnection,
    findings: Findings,
    *,
    hashing: bool,
    progress: Progress | None,
) -> _Inside:
    """Carry out the checks that need the database, but for contents."""
    if not database.check_schema(connection, findings):
        return _Inside()
    behind = database.check_record(store, connection, findings)
    database.check_chain(connection, findings)
    in_rows = Findings()
    in_rows.add_table("CAT011", row_checks.find_duplicates(connection))
    in_rows.add_table("CAT012", row_checks.find_dangling(connection))
    in_rows.add_table("CAT027", row_checks.find_invalid(connection))
    in_rows.add_table("CAT032", origins.find_without_origin(connection))
    known = [layout.name for layout in known_layouts()]
    in_rows.add_table("CAT026", row_checks.find_unknown_layouts(connection, known))
    faulty = in_rows.table()
    findings.extend(faulty)
    findings.add_table("CAT031", version_keys.find_wrong_keys(connection))
    findings.add_table("CAT030", paths.find_folded(connection))
    entries = check_files(store, connection, findings, progress)
    unhashed = contents.plan_all(store, connection) if hashing else contents.plan_suspects(connection)
    documents.check_latest(store, connection, findings)
    # documents follow the rows: as long as these are at fault, what they would write says nothing
    at_fault = frozenset(version_id for version_id in faulty["version_id"].to_pylist() if version_id)
    documents.check_releases(store, connection, findings, at_fault)
    unrecorded.check_releases(store, connection, findings)
    folders = [row.fs_relpath for row in releases.list_versions(connection) if row.version_id not in at_fault]
    return _Inside(folders, entries, unhashed, behind)


def check_files(
    store: Store,
    connection: duckdb.DuckDBPyConnection,
    findings: Findings,
    progress: Progress | None = None,
    *,
    within: str | None = None,
    only: str | None = None,
) -> int:
    """Compare what lies on disk with the rows; return how many files were found.

    Args:
        store: The store.
        connection: Its catalog.
        findings: Collects.
        progress: Called with the number of files found so far.
        within: Only this release's folder.
        only: Only this code's findings; one that contents tell needs none of them.
    """
    report = None if progress is None else lambda done: progress(done, done)
    found = scan(store, connection, within=within, progress=report)
    comparison.compare(connection, contents.layouts_table(), within)
    for code, find in _FINDERS.items():
        if only in (None, code):
            findings.add_table(code, find(connection))
    return found.entries


def _settled(found: pa.Table, covered: Sequence[str]) -> pa.Table:
    """Leave out what an open boundary may be about to move, and its release's documents with it."""
    import pyarrow.compute as pc

    if not covered or not len(found):
        return found
    places = _array(covered)
    above, moving = found["subject"], pc.is_in(found["subject"], value_set=places)
    # one folder up at a time
    while pc.any(pc.match_substring(above, "/")).as_py():
        above = pc.replace_substring_regex(above, "/?[^/]*$", "", max_replacements=1)
        moving = pc.or_(moving, pc.is_in(above, value_set=places))
    wrong = pc.is_in(found["code"], value_set=_array(_ON_DISK))
    return found.filter(pc.invert(pc.and_(wrong, moving)))


def _subjects(findings: Findings, codes: Sequence[str]) -> pa.Array:
    """Return what the findings of some codes are about."""
    import pyarrow.compute as pc

    found = findings.table()
    return found["subject"].filter(pc.is_in(found["code"], value_set=_array(codes))).combine_chunks()


def _array(values: Sequence[str]) -> pa.Array:
    import pyarrow as pa

    return pa.array(list(values), pa.string())
