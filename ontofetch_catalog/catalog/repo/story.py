"""The SQL behind `ontofetch log`: events as sentences, newest first.

What an event of a type says stands here alone; one of a type that is not listed is shown by its name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..connection import literal

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

# over event_id, type, version_id and the columns of `told` below
_SENTENCE = """
    CASE type
        WHEN 'download.done' THEN concat(
            artifact, ' (', size, ') ', if(status = 'cached', 'taken over from ', 'fetched from '),
            coalesce(source_url, 'an unknown place'), if(replaced, ', in the place of other bytes', '')
        )
        WHEN 'extract.done' THEN concat(
            format('{:,} ', files), if(files = 1, 'file', 'files'), ' (', size, ') unpacked from ', artifact,
            if(left_out > 0, format(', {:,} left out', left_out), '')
        )
        WHEN 'validate.done' THEN concat(
            format('{:,} ', passed), if(passed = 1, 'validation', 'validations'), ' passed',
            if(failed > 0, format(', {:,} failed', failed), ''),
            if(unjudged > 0, format(', {:,} not judged', unjudged), '')
        )
        WHEN 'latest.set' THEN concat('became latest', if(former IS NULL, '', concat(', after ', former)))
        WHEN 'prune.pinned' THEN 'pinned'
        WHEN 'prune.unpinned' THEN 'unpinned'
        WHEN 'prune.batch' THEN concat(size, ' moved to quarantine by plan ', plan)
        WHEN 'prune.restored' THEN concat(size, ' brought back from quarantine, of plan ', plan)
        WHEN 'prune.purged' THEN concat(size, ' removed for good, of plan ', plan)
        WHEN 'verify.done' THEN concat(
            format('{:,} ', files), if(files = 1, 'file', 'files'), ' (', size, ') verified, ',
            if(findings > 0, format('{:,} damaged or missing', findings), 'all as recorded')
        )
        WHEN 'doctor.fixed' THEN concat('doctor mended ', format('{:,} ', files), if(files = 1, 'finding', 'findings'))
        WHEN 'backup.done' THEN 'a backup was written'
        WHEN 'backup.restored' THEN 'a backup was restored'
        WHEN 'rebuild.done' THEN 'the catalog was made anew from the documents beside the releases'
        WHEN 'rebuild.adopted' THEN 'a release was taken in from the documents beside it'
        WHEN 'migrate.done' THEN 'the schema was brought up to date'
        WHEN 'recover.finished' THEN concat('recovery finished ', coalesce(kind, 'what a dead process left open'))
        WHEN 'recover.undone' THEN concat('recovery undid ', coalesce(kind, 'what a dead process left open'))
        WHEN 'refresh.done' THEN 'the sums of releases were stored'
        ELSE CASE
            WHEN ends_with(type, '.rolled_back')
                THEN concat(split_part(type, '.', 1), ' was refused or failed: ', coalesce(error, 'no reason was kept'))
            ELSE type
        END
    END
"""


def list_story(
    connection: duckdb.DuckDBPyConnection, version_id: str | None, slot: str | None, *, unchanged: bool
) -> pa.Table:
    """Return what happened, newest first: at (UTC), release, story (a sentence), type, event_id.

    Args:
        connection: An open connection.
        version_id: Only of this release.
        slot: Only of this series.
        unchanged: Whether commands that found nothing to do are there too.
    """
    conditions = ["type <> 'extract.start'"]
    conditions += [f"version_id = {literal(version_id)}"] if version_id else []
    conditions += [f"starts_with(version_id, {literal(slot + '/')})"] if slot else []
    conditions += [] if unchanged else ["NOT ends_with(type, '.unchanged')"]
    return connection.sql(
        f"""
        WITH told AS (
            SELECT event_id, ts, type, version_id, payload->>'artifact' AS artifact, payload->>'status' AS status,
                payload->>'source_url' AS source_url, payload->>'former' AS former, payload->>'plan' AS plan,
                payload->>'error' AS error, payload->>'kind' AS kind,
                coalesce(try_cast(payload->>'replaced' AS BOOLEAN), false) AS replaced,
                replace(format_bytes(coalesce(try_cast(payload->>'bytes' AS BIGINT), 0)), ' bytes', ' B') AS size,
                coalesce(try_cast(payload->>'rows' AS BIGINT), 0) AS files,
                coalesce(try_cast(payload->>'left_out' AS BIGINT), 0) AS left_out,
                coalesce(try_cast(payload->>'passed' AS BIGINT), 0) AS passed,
                coalesce(try_cast(payload->>'failed' AS BIGINT), 0) AS failed,
                coalesce(try_cast(payload->>'not_judged' AS BIGINT), 0) AS unjudged,
                coalesce(try_cast(payload->>'findings' AS BIGINT), 0) AS findings
            FROM events WHERE {" AND ".join(conditions)}
        )
        SELECT ts AS at, version_id AS release, {_SENTENCE} AS story, type, event_id
        FROM told ORDER BY event_id DESC
        """  # noqa: S608
    ).to_arrow_table()
