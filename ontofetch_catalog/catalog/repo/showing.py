"""The SQL of what is shown to others: artifacts, the largest files, changes and failures of all releases at once.

Each is one statement, however many releases there are; where a release has many rows, it has the first of them by an
order that means something, and `total` says how many there are.
"""

from __future__ import annotations

from collections.abc import Sequence

from .queries import SOURCES
from .reports import REASON, Statement, of_pairs, of_releases
from .stats import INCOMPLETE
from .views import LATEST, SERIES_ORDER, VERSION_STATS

_FIRST = "QUALIFY row_number() OVER (PARTITION BY {group} ORDER BY {order}) <= {most}"


def select_artifacts(version_ids: Sequence[str] | None = None) -> Statement:
    """Return the SQL of artifacts of some releases or (None) all, by path.

    version_id, relpath, size_bytes, artifact_id, sources, content_type, incomplete, recorded_at, verified_at.
    """
    return of_releases(
        "SELECT version_id, relpath, size_bytes, artifact_id,"
        f" {SOURCES}, content_type, extraction IS NULL AS incomplete, recorded_at, verified_at"
        " FROM artifacts WHERE {scope} ORDER BY version_id, relpath",
        version_ids,
    )


def select_held(version_id: str) -> Statement:
    """Return the SQL of the files of a release, by path: relpath, file_id, format, size_bytes, artifact."""
    return of_releases(
        "SELECT f.relpath, f.file_id, f.format, f.size_bytes, a.relpath AS artifact"
        " FROM (SELECT * FROM extracted_files WHERE {scope}) f"
        " LEFT JOIN (SELECT artifact_id, min(relpath) AS relpath FROM artifacts WHERE {scope} GROUP BY 1) a"
        " USING (artifact_id) ORDER BY f.relpath",
        [version_id],
    )


def select_largest(most: int) -> Statement:
    """Return the SQL of the `most` largest files of each release: version_id, relpath, format, size_bytes."""
    first = _FIRST.format(group="version_id", order="size_bytes DESC, relpath", most=most)
    return Statement(
        f"SELECT version_id, relpath, format, size_bytes FROM extracted_files {first}"
        " ORDER BY version_id, size_bytes DESC, relpath"
    )


def select_failures(most: int) -> Statement:
    """Return the SQL of at most `most` failures of each release, by path.

    version_id, relpath, validator, reason (its first line), line, total.
    """
    first = _FIRST.format(group="version_id", order="relpath, validator", most=most)
    return Statement(
        "SELECT version_id, relpath, validator, reason, line, total FROM (SELECT version_id, relpath, validator,"
        f" {REASON}, count(*) OVER (PARTITION BY version_id) AS total FROM validations WHERE NOT passed {first})"
        " ORDER BY version_id, relpath, validator"
    )


def select_first_changes(pairs: Sequence[tuple[str, str]], most: int) -> Statement:
    """Return the SQL of at most `most` changes from A to B for each pair, those with the most bytes first.

    version_id (B), change, relpath, previous_relpath, format, size_a, size_b, total.
    """
    order = "abs(coalesce(size_b, 0) - coalesce(size_a, 0)) DESC, relpath, change"
    first = _FIRST.format(group="b", order=order, most=most)
    return of_pairs(
        "SELECT b AS version_id, change, relpath, previous_relpath, format, size_a, size_b,"
        " count(*) OVER (PARTITION BY b) AS total FROM {deltas} WHERE change <> 'UNCHANGED'"
        f" {first} ORDER BY version_id, {order}",
        pairs,
    )


def select_releases() -> Statement:
    """Return the SQL of all releases, each series in its order.

    version_id, slot, released, created_at, is_latest, latest_set_at, incomplete, pinned, artifacts, files, size_bytes,
    passed, failed, not_judged, not_validated, last_verified.
    """
    return Statement(
        "SELECT o.version_id, o.slot, v.released, v.created_at, o.is_latest,"
        " CASE WHEN o.is_latest THEN p.updated_at END AS latest_set_at, i.version_id IS NOT NULL AS incomplete,"
        " v.pinned_at IS NOT NULL AS pinned, s.artifacts, s.files, s.size_bytes, s.passed, s.failed, s.not_judged,"
        " s.not_validated, s.last_verified"
        f" FROM {SERIES_ORDER} o JOIN versions v USING (version_id) JOIN {VERSION_STATS} s USING (version_id)"
        f" LEFT JOIN ({INCOMPLETE}) i ON i.version_id = o.version_id LEFT JOIN {LATEST} p ON p.slot = o.slot"
        " ORDER BY o.slot, o.position"
    )


def select_stated(version_ids: Sequence[str] | None = None) -> Statement:
    """Return the SQL of what hosts said that documents state: version_id, title, licence, version_iri, the last words.

    A row per release of which something was said; what a download that was undone said is no event.
    """
    names = ("title", "licence", "version_iri")
    last = ", ".join(f"arg_max(payload->>'{name}', event_id) AS {name}" for name in names)
    return of_releases(
        f"SELECT version_id, {last} FROM events WHERE type = 'download.done' AND {{scope}} GROUP BY version_id",
        version_ids,
    )
