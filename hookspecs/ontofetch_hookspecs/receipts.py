"""What the catalog answers with: the receipt of a boundary, and how it is found among the answers of all plugins."""

from __future__ import annotations

from .light_dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What the catalog hands back through a transactional hook.

    Args:
        boundary_id: Names the boundary.
        type: Type of the recorded event: `download.done`, `download.unchanged` …
        version_id: The release, or None where there is none.
        changed: False if identical content was recorded already.
        rows: Number of rows the boundary recorded.
        bytes: Sum of the sizes of those rows.
        milliseconds: From entering the catalog to the commit.
    """

    boundary_id: str
    type: str
    version_id: str | None
    changed: bool
    rows: int
    bytes: int
    milliseconds: float


def find_receipt(results: object) -> Receipt | None:
    """Return the catalog's receipt among what a transactional hook returned, None if no catalog answered."""
    if not isinstance(results, list):
        return None
    return next((item for item in results if isinstance(item, Receipt)), None)
