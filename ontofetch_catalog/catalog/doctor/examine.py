"""The examination of a store: all checks in their order, whatever state the catalog is in; never writes.

What a check looks at is its own affair; what is mended, and how, is not known here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ontofetch_hookspecs.layout import CATALOG
from ontofetch_hookspecs.light_dataclasses import dataclass

from ...errors import CatalogMissing
from ..connection import Store
from ..rebuild.places import find_folders
from .checks import Scene, check_all
from .codes import NOTE
from .findings import Progress
from .of_plugins import PluginChecks

if TYPE_CHECKING:
    import pyarrow as pa

# what an open boundary may be about to move: not looked at before the boundary is ended
_ON_DISK = ("CAT013", "CAT014", "CAT015", "CAT016", "CAT017", "CAT018", "CAT019", "CAT020", "CAT021", "CAT028")


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
    plugins: PluginChecks | None = None,
    hashing: bool = False,
    progress: Progress | None = None,
    hashed: Progress | None = None,
) -> Examination:
    """Look at the whole store.

    Args:
        manager: The host's pluggy.PluginManager, if there is one, whose wrappers are looked at too.
        plugins: The checks of plugins, if there are any.
        hashing: Whether the contents of all files are hashed, or only of those that a verification found damaged.
        progress: Called with the number of files looked at, and how many there are as far as it is known.
        hashed: Called, while files are hashed after that, with the bytes read and how many there are.

    Raises:
        CatalogMissing: There is no store.
        CatalogLocked: Somebody writes and did not let go in time.
        CatalogUnavailable: The system refuses to read the catalog.
    """
    # a link is no folder of ours, and what is behind it is not looked at
    in_the_way = store.path(CATALOG).exists() and not store.path(CATALOG).is_dir()
    if not (in_the_way or store.database.exists() or store.generation.exists() or any(find_folders(store))):
        raise CatalogMissing(
            f"There is no catalog below {store.root} yet.",
            subject=str(store.root),
            hint="The first `ontofetch pull` makes one; --root names another store.",
        )
    scene = Scene(store, manager, plugins, hashing, progress, hashed)
    check_all(scene)
    settled = _settled(scene.findings.table(), scene.covered)
    return Examination(findings=settled, entries=scene.entries, record_behind=scene.behind)


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


def _array(values: Sequence[str]) -> pa.Array:
    import pyarrow as pa

    return pa.array(list(values), pa.string())
