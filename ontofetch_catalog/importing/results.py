"""What another program's validators said, as the table that a ValidateDone carries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .found import FoundArtifact

if TYPE_CHECKING:
    import pyarrow as pa


def results_table(found: FoundArtifact, file_id: str) -> pa.Table:
    """Return RESULTS_COLUMNS: a row per validator about the artifact as its release's one file.

    Args:
        found: The artifact.
        file_id: sha256 of its bytes.
    """
    import pyarrow as pa

    results = found.results
    count = len(results)
    return pa.table(
        {
            "relpath": pa.array([found.artifact] * count, pa.string()),
            "file_id": pa.array([file_id] * count, pa.string()),
            "validator": pa.array([result.validator for result in results], pa.string()),
            "validator_version": pa.array([found.validator_version] * count, pa.string()),
            "passed": pa.array([result.passed for result in results], pa.bool_()),
            "details": pa.array([result.details for result in results], pa.string()),
            "run_at": pa.array([found.fetched_at] * count, pa.timestamp("us", "UTC")),
            "reused_from": pa.array([None] * count, pa.string()),
        }
    )
