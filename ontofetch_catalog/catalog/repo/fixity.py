"""The SQL of fixity: which recorded files were verified when, in pages to be hashed, and recording what was found.

A page says between which constants its releases are, so that DuckDB skips the row groups of the others.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ontofetch_hookspecs.layout import find_layout
from ontofetch_hookspecs.light_dataclasses import dataclass

from .. import fsops
from ..connection import fetch_one, fetch_text, literal, registered
from .bounds import bounds_of
from .facts import TABLE_PATH

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

_SAMPLE_PARTS = 1_000_000
_SAMPLES = 64  # rows by which the end of a page is found


@dataclass(frozen=True, slots=True)
class Scope:
    """Which recorded files.

    Args:
        version_id: One release; empty for more.
        slot: One series (`service/ontology`); empty for all.
        sample: The share of the files, chosen by `seed`; 1.0 is all of them.
        seed: Another seed chooses other files; the same seed the same files, on any machine.
    """

    version_id: str = ""
    slot: str = ""
    sample: float = 1.0
    seed: int = 0

    @property
    def condition(self) -> str:
        """Return it as SQL over version_id and relpath."""
        parts = ["true"]
        if self.version_id:
            parts.append(f"version_id = {literal(self.version_id)}")
        if self.slot:
            parts.append(f"starts_with(version_id, {literal(self.slot + '/')})")
        if self.sample < 1.0:
            kept = round(self.sample * _SAMPLE_PARTS)
            parts.append(
                f"md5_number_lower(concat({literal(f'{self.seed}:')}, version_id, '/', relpath))"
                f" % {_SAMPLE_PARTS} < {kept}"
            )
        return " AND ".join(parts)


# what lies beside the releases and is verified with all of them
TERMS = "terms"


def _recorded(columns: str, condition: str) -> str:
    """Return the SQL of artifacts and files: kind and the named columns, `content` being the sha256.

    Artifacts marked as failed are known to be damaged and are not looked at.
    """
    return (
        f"SELECT 'artifact' AS kind, {columns.replace('content', 'artifact_id AS content')} FROM artifacts"
        f" WHERE status <> 'failed' AND {condition} UNION ALL"
        f" SELECT 'file', {columns.replace('content', 'file_id')} FROM extracted_files WHERE {condition}"
    )


def plan_groups(connection: duckdb.DuckDBPyConnection, scope: Scope, done: Sequence[datetime] = ()) -> pa.Table:
    """Return what is to be verified, longest unverified first: verified_at, version_id, files, size_bytes.

    Args:
        done: Times of verification that count as done already.
    """
    skip = ", ".join(f"TIMESTAMP {literal(moment.isoformat(sep=' '))}" for moment in done)
    where = f"WHERE verified_at IS NULL OR verified_at NOT IN ({skip})" if skip else ""
    return connection.sql(f"""
        SELECT verified_at, version_id, count(*) AS files, sum(size_bytes)::BIGINT AS size_bytes
        FROM ({_recorded("verified_at, version_id, size_bytes", scope.condition)}) {where}
        GROUP BY verified_at, version_id ORDER BY verified_at NULLS FIRST, version_id
    """).to_arrow_table()


def read_page(
    connection: duckdb.DuckDBPyConnection,
    scope: Scope,
    group: tuple[datetime | None, Sequence[str]],
    *,
    after: tuple[str, str] = ("", ""),
    rows: int,
    many: bool = False,
) -> pa.Table:
    """Return the files of some releases that were verified at the same time.

    Args:
        group: The time of verification, and the releases.
        after: (kind, relpath) of the last file of the page before; only with a single release.
        rows: At most so many.
        many: There are several times as many: if it returns fewer than `rows`, others may still be left.

    Returns:
        kind (`artifact`, `file`), version_id, relpath, content (sha256), size_bytes, verified_at, path below the root;
        sorted.
    """
    verified_at, version_ids = group
    when = "IS NULL" if verified_at is None else f"= TIMESTAMP {literal(verified_at.isoformat(sep=' '))}"
    condition = f"{_among(version_ids)} AND verified_at {when} AND {scope.condition}"
    end = _end_of_page(connection, condition, after[1] if after[0] == "file" else "", rows) if many else None
    within = "" if end is None else f"AND (kind = 'artifact' OR relpath <= {literal(end)})"
    return connection.sql(f"""
        SELECT kind, version_id, relpath, content, size_bytes, verified_at,
            concat(fs_relpath, '/', CASE kind {_folders(connection, version_ids)} END, '/', relpath) AS path
        FROM (
            SELECT * FROM ({_recorded("version_id, relpath, content, size_bytes, verified_at", condition)})
            WHERE relpath IS NOT NULL AND content IS NOT NULL AND size_bytes IS NOT NULL AND (kind > {literal(after[0])}
                OR (kind = {literal(after[0])} AND relpath > {literal(after[1])})) {within}
            ORDER BY version_id, kind, relpath LIMIT {rows:d}
        )
        JOIN (SELECT version_id, fs_relpath, layout FROM versions) USING (version_id)
        ORDER BY version_id, kind, relpath
    """).to_arrow_table()


def _among(version_ids: Sequence[str]) -> str:
    """Return the condition on rows of some releases; of these alone DuckDB reads more than their names."""
    return f"{bounds_of(version_ids)} AND version_id IN ({', '.join(map(literal, version_ids))})"


def _end_of_page(connection: duckdb.DuckDBPyConnection, condition: str, after: str, rows: int) -> str | None:
    """Return a path up to which about `rows` files lie after another; None where no more than that are left.

    It is told by one row of many: to put all in order takes more memory than a page, and time for each page again.
    """
    step = max(rows // _SAMPLES, 1)
    return fetch_text(
        connection,
        f"SELECT relpath FROM extracted_files WHERE rowid % {step} = 0 AND {condition} AND relpath > {literal(after)}"
        f" AND file_id IS NOT NULL AND size_bytes IS NOT NULL ORDER BY relpath LIMIT 1 OFFSET {rows // step - 1}",
    )


def _folders(connection: duckdb.DuckDBPyConnection, version_ids: Sequence[str]) -> str:
    """Return the arms of a CASE over `kind`: the folder of a release's layout."""
    rows = connection.execute(
        f"SELECT DISTINCT layout FROM versions WHERE version_id IN ({', '.join(map(literal, version_ids))}) ORDER BY 1"
    ).fetchall()
    names = [str(row[0]) for row in rows]
    layouts = [find_layout(name) for name in names]
    return (
        " ".join(
            f"WHEN '{kind}' THEN CASE layout "
            + " ".join(f"WHEN {literal(layout.name)} THEN {literal(getattr(layout, folder))}" for layout in layouts)
            + " END"
            for kind, folder in (("artifact", "source"), ("file", "data"))
            if layouts
        )
        or "WHEN '' THEN ''"
    )


def mark_verified(connection: duckdb.DuckDBPyConnection, verified: pa.Table, moment: datetime | None) -> int:
    """Record when files were verified, those that are still recorded with this content; return how many.

    Args:
        connection: Inside a transaction.
        verified: kind, version_id, relpath, content.
        moment: UTC without zone; None: they are not intact.
    """
    import pyarrow.compute as pc

    named = ", ".join(map(literal, pc.unique(verified["version_id"]).to_pylist()))
    changed = 0
    for kind, table, content in (("artifact", "artifacts", "artifact_id"), ("file", "extracted_files", "file_id")):
        mine = verified.filter(pc.equal(verified["kind"], kind))
        if len(mine):
            changed += fsops.execute(
                connection,
                f"UPDATE {table} SET verified_at = $moment FROM verified_now n WHERE {table}.version_id IN ({named})"
                f" AND {table}.version_id = n.version_id AND {table}.relpath = n.relpath"
                f" AND {table}.{content} = n.content",
                {"moment": moment},
                {"verified_now": mine},
            )
    return changed


def still_recorded(connection: duckdb.DuckDBPyConnection, found: pa.Table) -> pa.Table:
    """Return the rows of `found` (kind, version_id, relpath, content …) that are recorded with that content."""
    import pyarrow.compute as pc

    versions = ", ".join(map(literal, pc.unique(found["version_id"]).to_pylist()))
    with registered(connection, found_now=found):
        return connection.sql(
            f"SELECT f.* FROM found_now f SEMI JOIN ("
            f"{_recorded('version_id, relpath, content', f'version_id IN ({versions})')}"
            f" UNION ALL SELECT '{TERMS}', '', {TABLE_PATH}, table_sha256 FROM file_facts)"
            " USING (kind, version_id, relpath, content) ORDER BY path"
        ).to_arrow_table()


def sum_recent(connection: duckdb.DuckDBPyConnection, scope: Scope, since: datetime) -> tuple[int, int, int]:
    """Return files, their bytes, and the bytes verified since then."""
    found = fetch_one(
        connection,
        "SELECT count(*), coalesce(sum(size_bytes), 0)::BIGINT,"
        " coalesce(sum(size_bytes) FILTER (verified_at >= $1), 0)::BIGINT"
        f" FROM ({_recorded('verified_at, size_bytes', scope.condition)})",
        [since],
    )
    return (int(found[0]), int(found[1]), int(found[2])) if found else (0, 0, 0)


def list_suspects(connection: duckdb.DuckDBPyConnection) -> pa.Table:
    """Return the files that some verification found with other bytes: path below the root; sorted."""
    return connection.sql("""
        SELECT DISTINCT f->>'path' AS path FROM (
            SELECT unnest((payload->'found')::JSON[]) AS f FROM events WHERE type = 'verify.done'
        ) WHERE (f->>'outcome') IN ('damaged', 'unreadable') ORDER BY 1
    """).to_arrow_table()


def list_terms(connection: duckdb.DuckDBPyConnection) -> pa.Table:
    """Return the tables of terms as `read_page` returns files: of the kind `terms` and no release; sorted."""
    return connection.sql(f"""
        SELECT DISTINCT '{TERMS}' AS kind, '' AS version_id, path AS relpath, table_sha256 AS content,
            table_bytes AS size_bytes, NULL::TIMESTAMP AS verified_at, path
        FROM (SELECT {TABLE_PATH} AS path, table_sha256, table_bytes FROM file_facts)
        WHERE path IS NOT NULL AND table_bytes IS NOT NULL ORDER BY path
    """).to_arrow_table()


def last_run(connection: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """Return what the events of the newest verification tell, oldest first; empty if there was none."""
    rows = connection.execute(
        "SELECT payload::VARCHAR FROM events WHERE type = 'verify.done' AND (payload->>'started_at') = ("
        "SELECT (payload->>'started_at') FROM events WHERE type = 'verify.done' ORDER BY event_id DESC LIMIT 1)"
        " ORDER BY event_id"
    ).fetchall()
    return [json.loads(row[0]) for row in rows]
