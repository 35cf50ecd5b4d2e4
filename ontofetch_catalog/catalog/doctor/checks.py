"""All checks that are built in, in the order in which they are made: around the catalog, and inside it.

What a check looks at is its own affair. One may tell the next what it need not look at.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field
from typing import TYPE_CHECKING

from ontofetch_hookspecs.layout import SWAP, known_layouts
from ontofetch_hookspecs.light_dataclasses import dataclass

from ...errors import CatalogUnavailable, CatalogUnreadable
from .. import sessions
from ..connection import Store
from ..failures import is_refusal
from ..repo import lookup_keys, origins, paths, releases, row_checks, row_keys, version_keys
from . import contents, database, documents, housekeeping, of_plugins, on_disk, terms_tables, unrecorded
from .findings import Findings, Progress

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

_NOT_AS_RECORDED = ("CAT014", "CAT015", "CAT017")


@dataclass(slots=True)
class Scene:
    """What checks are given, and what one leaves for the next.

    Args:
        manager: The host's pluggy.PluginManager, if there is one.
        plugins: The checks of plugins.
        hashing: Whether the contents of all files are hashed.
        progress: Called with the number of files looked at.
        hashed: Called with the bytes that are hashed.
        covered: Paths that open boundaries may still move.
        at_fault: Releases whose rows are at fault.
        folders: The folders of the other releases.
        entries: How many files on disk were looked at.
        unhashed: What is still to be hashed.
        behind: Whether the generation record is behind the catalog.
        readable: Whether the tables are what the schema says.
    """

    store: Store
    manager: object = None
    plugins: of_plugins.PluginChecks | None = None
    hashing: bool = False
    progress: Progress | None = None
    hashed: Progress | None = None
    findings: Findings = field(default_factory=Findings)
    covered: list[str] = field(default_factory=list)
    at_fault: frozenset[str] = frozenset()
    folders: Sequence[str] = ()
    entries: int = 0
    unhashed: contents.Unhashed | None = None
    behind: bool = False
    readable: bool = False


def check_all(scene: Scene) -> None:
    """Make all checks.

    Raises:
        CatalogLocked: Somebody writes and did not let go in time.
        CatalogUnavailable: The system refuses to read the catalog.
    """
    store, findings = scene.store, scene.findings
    housekeeping.check_wrappers(scene.manager, findings)
    housekeeping.check_places(store, findings)
    housekeeping.check_strangers(store, findings)
    scene.covered += housekeeping.check_intents(store, findings)
    housekeeping.check_leftovers(store, findings, scene.covered)
    check_database(scene)
    if scene.plugins is not None and scene.readable:
        of_plugins.check_all(scene.plugins, findings)
    housekeeping.check_permissions(store, findings, scene.folders)


def check_database(scene: Scene) -> None:
    """Open the catalog, if it can be opened, and make the checks inside it.

    Raises:
        CatalogLocked, CatalogUnavailable: As `check_all`.
    """
    store, findings = scene.store, scene.findings
    if store.path(SWAP).exists():
        message = "A restore or a rebuild was interrupted; `ontofetch db recover` finishes it."
        findings.add("CAT001", SWAP, message)
        return
    if not store.database.is_file():
        why = ", although there was one" if store.generation.exists() else ", but there are releases"
        findings.add("CAT003", store.database.relpath, f"The catalog {store.database} is gone{why}.")
        return
    bounded = store.bounded()
    try:
        with sessions.inspecting(bounded) as connection:
            scene.readable = database.check_schema(connection, findings)
            if scene.readable:
                check_inside(scene, connection)
        if scene.unhashed is not None:
            # while others may read and write
            known = _subjects(findings, _NOT_AS_RECORDED)
            scene.covered += contents.check_contents(
                store, scene.unhashed, findings, at_fault=known, progress=scene.hashed
            )
    except CatalogUnreadable as error:
        scene.readable = False
        findings.add("CAT004", store.database.relpath, error.message)
    except CatalogUnavailable as error:
        if is_refusal(error.__cause__):
            raise
        # tables that are not ours answer none of our questions
        scene.readable = False
        findings.add("CAT004", store.database.relpath, error.message)


def check_inside(scene: Scene, connection: duckdb.DuckDBPyConnection) -> None:
    """Make the checks inside a catalog whose schema is that of this package; note what is to be hashed."""
    store, findings = scene.store, scene.findings
    scene.behind = database.check_record(store, connection, findings)
    database.check_chain(connection, findings)
    check_rows(scene, connection)
    findings.add_table("CAT031", version_keys.find_wrong_keys(connection))
    findings.add_table("CAT038", lookup_keys.find_wrong_keys(connection))
    findings.add_table("CAT030", paths.find_folded(connection))
    bounded = store.bounded()
    scene.entries = on_disk.check_files(bounded, connection, findings, scene.progress)
    scene.unhashed = (
        contents.plan_all(bounded, connection) if scene.hashing else contents.plan_suspects(store, connection)
    )
    documents.check_latest(store, connection, findings)
    documents.check_releases(store, connection, findings, scene.at_fault)
    unrecorded.check_releases(store, connection, findings)
    terms_tables.check_tables(store, connection, findings, hashing=scene.hashing)


def check_rows(scene: Scene, connection: duckdb.DuckDBPyConnection) -> None:
    """Look whether the rows keep to the rules that they have among themselves."""
    faulty = Findings()
    faulty.add_table("CAT011", row_keys.find_duplicates(connection))
    faulty.add_table("CAT012", row_keys.find_dangling(connection))
    faulty.add_table("CAT027", row_checks.find_invalid(connection))
    faulty.add_table("CAT032", origins.find_without_origin(connection))
    known = [layout.name for layout in known_layouts()]
    faulty.add_table("CAT026", row_checks.find_unknown_layouts(connection, known))
    found = faulty.table()
    scene.findings.extend(found)
    # documents follow the rows: as long as these are at fault, what they would write says nothing
    scene.at_fault = frozenset(version_id for version_id in found["version_id"].to_pylist() if version_id)
    all_rows = releases.list_versions(connection)
    scene.folders = [row.fs_relpath for row in all_rows if row.version_id not in scene.at_fault]


def _subjects(findings: Findings, codes: Sequence[str]) -> pa.Array:
    """Return what the findings of some codes are about."""
    import pyarrow as pa
    import pyarrow.compute as pc

    found = findings.table()
    wanted = pa.array(list(codes), pa.string())
    return found["subject"].filter(pc.is_in(found["code"], value_set=wanted)).combine_chunks()
