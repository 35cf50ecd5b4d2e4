"""Say where things lie below the root: the catalog's own files, the folder of a release, its sources and its data.

It computes paths and refuses to touch the disk.
"""

from __future__ import annotations

from .errors import EventError
from .light_dataclasses import dataclass
from .names import check_relpath, check_segment, quote

CATALOG = ".catalog"
DATABASE = f"{CATALOG}/ontofetch.duckdb"
GENERATION = f"{CATALOG}/generation.json"
LOCK = f"{CATALOG}/.duck.lock"
INTENTS = f"{CATALOG}/intents"
STAGING = f"{CATALOG}/staging"
QUARANTINE = f"{CATALOG}/quarantine"
BACKUPS = f"{CATALOG}/backups"
RESTORING = f"{CATALOG}/restoring"
SWAP = f"{CATALOG}/restore.json"
KEY = f"{CATALOG}/key"
PLANS = f"{CATALOG}/plans"
FACTS = f"{CATALOG}/facts"

EXTRACT_AUDIT = ".extract.audit.json"
VALIDATION_AUDIT = ".validation.audit.json"
MANIFEST = "manifest.json"
LATEST = "LATEST.json"


@dataclass(frozen=True, slots=True)
class Layout:
    """Name the folders of a release below the root.

    Args:
        name: What `versions.layout` records.
        source: The folder of the artifacts as downloaded, inside the release's folder.
        data: The folder of the extracted files, inside the release's folder.
        manifest: Name of the catalog's manifest, inside the release's folder.
        shared: Whether another program keeps its own files in these folders, too: what no row names there is not the
            catalog's, and a release goes only with that program's.
    """

    name: str
    source: str
    data: str
    manifest: str = MANIFEST
    shared: bool = False

    def __post_init__(self) -> None:
        check_segment("layout", self.name)
        check_relpath("source folder", self.source)
        check_relpath("data folder", self.data)
        check_relpath("manifest", self.manifest)

    @property
    def documents(self) -> tuple[str, ...]:
        """Return the names of the documents that the catalog writes beside a release."""
        return (EXTRACT_AUDIT, VALIDATION_AUDIT, self.manifest)

    def version_folder(self, service: str, ontology: str, version: str) -> str:
        """Return the root-relative folder of a release."""
        return f"{service}/{ontology}/{version}"


NATIVE = Layout("native", "src", "data")
DOCSTOKG = Layout("docstokg", "original", "extracted")
# a tree of that downloader, taken in where it lies: its own manifest.json stays
DOCSTOKG_TREE = Layout("docstokg-tree", "original", "extracted", manifest=".manifest.json", shared=True)
_LAYOUTS = {layout.name: layout for layout in (NATIVE, DOCSTOKG, DOCSTOKG_TREE)}


def register_layout(layout: Layout) -> None:
    """Make `layout` known to this process under its name.

    Raises:
        EventError: Another layout has that name.
    """
    if _LAYOUTS.setdefault(layout.name, layout) != layout:
        raise EventError(
            f"The layout {quote(layout.name)} is registered already, with other folders.", subject=layout.name
        )


def find_layout(name: str) -> Layout:
    """Return the layout of that name.

    Raises:
        EventError: No layout of that name is registered.
    """
    if not isinstance(name, str) or name not in _LAYOUTS:
        known = ", ".join(sorted(_LAYOUTS))
        raise EventError(f"The layout {quote(name)} is not known.", subject="layout", hint=f"Known are: {known}.")
    return _LAYOUTS[name]


def known_layouts() -> tuple[Layout, ...]:
    """Return all layouts that are registered, in the order in which they were."""
    return tuple(_LAYOUTS.values())


def manifest_of(name: str) -> str:
    """Return the name of the catalog's manifest in the layout of that name, the usual one if it is not known."""
    return _LAYOUTS.get(name, NATIVE).manifest


def documents_of(name: str) -> tuple[str, ...]:
    """Return the names of the catalog's documents in the layout of that name, the usual ones if it is not known."""
    return _LAYOUTS.get(name, NATIVE).documents


def manifest_names() -> tuple[str, ...]:
    """Return the names that a manifest of the catalog has in one of the layouts, the usual one last.

    Where another program has a manifest.json of its own, ours is looked at first.
    """
    return tuple(sorted({layout.manifest for layout in known_layouts()}, key=lambda name: (name == MANIFEST, name)))


def make_version_id(service: str, ontology: str, version: str) -> str:
    """Return `service/ontology/version` after a check of each part."""
    return "/".join(
        (check_segment("service", service), check_segment("ontology", ontology), check_segment("version", version))
    )


def split_version_id(version_id: str) -> tuple[str, str, str]:
    """Return (service, ontology, version) of a version_id.

    Raises:
        EventError: It is not three names joined by `/`.
    """
    parts = version_id.split("/") if isinstance(version_id, str) else []
    if len(parts) != 3:
        raise EventError(f"{quote(version_id)} is not service/ontology/version.", subject="version_id")
    service, ontology, version = parts
    make_version_id(service, ontology, version)
    return service, ontology, version


def series_of(version_id: str) -> str:
    """Return `service/ontology`, the slot of the latest pointer, of a version_id."""
    service, ontology, _ = split_version_id(version_id)
    return f"{service}/{ontology}"


def latest_file(slot: str) -> str:
    """Return the root-relative path of the LATEST.json of a series."""
    return f"{slot}/{LATEST}"
