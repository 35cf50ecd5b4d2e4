"""The checks that are built in, in the order in which they are made; every code names one of them.

What a check looks at is its own affair. They share a scene, for one tells the next what it need not look at.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
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


Inside = Callable[[Scene, "duckdb.DuckDBPyConnection"], None]


# --- around the catalog -----------------------------------------------------------------------------------------------


def wrappers(scene: Scene) -> None:
    """Look for plugins whose wrappers enclose the catalog's."""
    housekeeping.check_wrappers(scene.manager, scene.findings)


def places(scene: Scene) -> None:
    """Look for links and other things in the places of the catalog's own folders and files."""
    housekeeping.check_places(scene.store, scene.findings)


def strangers(scene: Scene) -> None:
    """Look for what the catalog did not put into its own folder."""
    housekeeping.check_strangers(scene.store, scene.findings)


def intents(scene: Scene) -> None:
    """Look at what dead processes left open."""
    scene.covered += housekeeping.check_intents(scene.store, scene.findings)


def leftovers(scene: Scene) -> None:
    """Look for stages and quarantine beyond their keep time."""
    housekeeping.check_leftovers(scene.store, scene.findings, scene.covered)


def opening(scene: Scene) -> None:
    """Open the catalog, if it can be opened, and make the checks inside it.

    Raises:
        CatalogLocked: Somebody writes and did not let go in time.
        CatalogUnavailable: The system refuses to read the catalog.
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
            schema(scene, connection)
            for check in INSIDE if scene.readable else ():
                check(scene, connection)
        contents_of_files(scene)
    except CatalogUnreadable as error:
        scene.readable = False
        findings.add("CAT004", store.database.relpath, error.message)
    except CatalogUnavailable as error:
        if is_refusal(error.__cause__):
            raise
        # tables that are not ours answer none of our questions
        scene.readable = False
        findings.add("CAT004", store.database.relpath, error.message)


def those_of_plugins(scene: Scene) -> None:
    """Make the checks of plugins, where the catalog can be read."""
    if scene.plugins is not None and scene.readable:
        of_plugins.check_all(scene.plugins, scene.findings)


def permissions(scene: Scene) -> None:
    """Look for parts of the store that others may change."""
    housekeeping.check_permissions(scene.store, scene.findings, scene.folders)


# --- inside the catalog -----------------------------------------------------------------------------------------------


def schema(scene: Scene, connection: duckdb.DuckDBPyConnection) -> None:
    """Look whether the schema is that of this package; without it nothing else inside is looked at."""
    scene.readable = database.check_schema(connection, scene.findings)


def record(scene: Scene, connection: duckdb.DuckDBPyConnection) -> None:
    """Look whether the catalog has come as far as its generation record says."""
    scene.behind = database.check_record(scene.store, connection, scene.findings)


def chain(scene: Scene, connection: duckdb.DuckDBPyConnection) -> None:
    """Look whether each event follows from the one before it."""
    database.check_chain(connection, scene.findings)


def rows(scene: Scene, connection: duckdb.DuckDBPyConnection) -> None:
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


def keys(scene: Scene, connection: duckdb.DuckDBPyConnection) -> None:
    """Look whether releases are sorted by the key of their version, and files found by the numbers that are theirs."""
    scene.findings.add_table("CAT031", version_keys.find_wrong_keys(connection))
    scene.findings.add_table("CAT038", lookup_keys.find_wrong_keys(connection))


def folded(scene: Scene, connection: duckdb.DuckDBPyConnection) -> None:
    """Look for names that differ only in case or normal form."""
    scene.findings.add_table("CAT030", paths.find_folded(connection))


def files(scene: Scene, connection: duckdb.DuckDBPyConnection) -> None:
    """Compare what lies on disk with the rows, and note what is to be hashed."""
    store = scene.store.bounded()
    scene.entries = on_disk.check_files(store, connection, scene.findings, scene.progress)
    scene.unhashed = (
        contents.plan_all(store, connection) if scene.hashing else contents.plan_suspects(scene.store, connection)
    )


def latest(scene: Scene, connection: duckdb.DuckDBPyConnection) -> None:
    """Compare each LATEST.json with the latest pointer."""
    documents.check_latest(scene.store, connection, scene.findings)


def release_documents(scene: Scene, connection: duckdb.DuckDBPyConnection) -> None:
    """Compare manifests and audits with the rows."""
    documents.check_releases(scene.store, connection, scene.findings, scene.at_fault)


def terms(scene: Scene, connection: duckdb.DuckDBPyConnection) -> None:
    """Compare the tables of terms with the rows."""
    terms_tables.check_tables(scene.store, connection, scene.findings, hashing=scene.hashing)


def unrecorded_releases(scene: Scene, connection: duckdb.DuckDBPyConnection) -> None:
    """Look for releases that are not recorded."""
    unrecorded.check_releases(scene.store, connection, scene.findings)


def contents_of_files(scene: Scene) -> None:
    """Hash what is to be hashed, while others may read and write."""
    if scene.unhashed is not None:
        known = _subjects(scene.findings, _NOT_AS_RECORDED)
        scene.covered += contents.check_contents(
            scene.store, scene.unhashed, scene.findings, at_fault=known, progress=scene.hashed
        )


AROUND: tuple[Callable[[Scene], None], ...] = (
    *(wrappers, places, strangers, intents, leftovers),
    *(opening, those_of_plugins, permissions),
)
INSIDE: tuple[Inside, ...] = (
    *(record, chain, rows, keys, folded),
    *(files, latest, release_documents, unrecorded_releases, terms),
)


def _subjects(findings: Findings, codes: Sequence[str]) -> pa.Array:
    """Return what the findings of some codes are about."""
    import pyarrow as pa
    import pyarrow.compute as pc

    found = findings.table()
    wanted = pa.array(list(codes), pa.string())
    return found["subject"].filter(pc.is_in(found["code"], value_set=wanted)).combine_chunks()
