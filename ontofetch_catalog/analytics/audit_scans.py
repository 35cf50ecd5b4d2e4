"""Scans of the audits of releases: which files they are, the queries over them, and which line does not fit.

What a report makes of the rows is known to `audits`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl

from ontofetch_hookspecs import layout
from ontofetch_hookspecs.names import quote
from ontofetch_hookspecs.store_paths import StorePath

from ..errors import CatalogUnreadable, OntofetchError
from . import io
from .collect import Teller, collect
from .manifests import Manifest


class Audits:
    """The audits of some releases.

    Args:
        root: The store, for sentences.
        manifests: version_id → manifest, each series in its order.
        tell: Prints plans and times; None for none.
    """

    def __init__(self, root: Path, manifests: Mapping[str, Manifest], tell: Teller | None) -> None:
        self._root = root
        self._manifests = manifests
        self._tell = tell

    def settled(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """Return `frame` read, as the catalog reads its statements: a plan over scans is not run again by each use."""
        return collect({"audits": frame}, self._tell, self._find_fault)["audits"].lazy()

    def _find_fault(self) -> OntofetchError:
        """Return the first line of an audit that does not fit; if all do by themselves, they do not together."""
        extracted = io.find_fault(self.paths(layout.EXTRACT_AUDIT, None), io.EXTRACT_AUDIT)
        return (
            extracted
            or io.find_fault(self.paths(layout.VALIDATION_AUDIT, None), io.VALIDATION_AUDIT)
            or CatalogUnreadable(
                f"What the audits below {quote(self._root)} say can't be added up.",
                subject=str(self._root),
                hint="Without --from the catalog is read; -v shows the cause.",
            )
        )

    def extracted(self, version_ids: Sequence[str] | None) -> pl.LazyFrame:
        """Return the lines about the files of some releases, or of all."""
        return io.scan_audits(self.paths(layout.EXTRACT_AUDIT, version_ids), io.EXTRACT_AUDIT)

    def validations(self, version_ids: Sequence[str] | None) -> pl.LazyFrame:
        """Return the lines about what validators said."""
        return io.scan_audits(self.paths(layout.VALIDATION_AUDIT, version_ids), io.VALIDATION_AUDIT)

    def paths(self, name: str, version_ids: Sequence[str] | None) -> list[StorePath]:
        """Return the audits of a name that have lines."""
        chosen = self._manifests if version_ids is None else dict.fromkeys(version_ids)
        paths = [self._manifests[version_id].folder / name for version_id in chosen]
        return [path for path in paths if io.holds_lines(path)]
