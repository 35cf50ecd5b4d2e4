"""The recording of facts, as SQL in bulk: what was known of the same contents gives way, and all their files agree.

What is asked of recorded facts stands in `facts`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .. import fsops
from ..connection import fetch_number, registered
from .facts import SMALL, TABLE_PATH, are_unknown

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa


def insert_facts(
    connection: duckdb.DuckDBPyConnection, facts: pa.Table, heads: pa.Table, *, sound: Sequence[str] = ()
) -> int:
    """Record facts in bulk, in the place of what is known of the same contents and versions; return how many.

    Args:
        connection: A connection that writes.
        facts: Columns as in `file_facts`.
        heads: Columns as in `ontology_heads`, all headers of the contents that `facts` has.
        sound: Paths of tables that stay as they are: what is recorded of their contents holds for all their files.
    """
    if not sound and _are_new(connection, facts):
        return _insert_new(connection, facts, heads)
    return _replace(connection, facts, heads, sound)


def _replace(connection: duckdb.DuckDBPyConnection, facts: pa.Table, heads: pa.Table, sound: Sequence[str]) -> int:
    import pyarrow as pa

    given = {
        "given_facts": facts,
        "given_heads": heads,
        "sound": pa.table({"table_path": pa.array(list(sound), pa.string())}),
    }
    small = ", ".join(f"{name} = m.{name}" for name in (*SMALL.split(", "), "table_sha256", "table_bytes"))
    for name, source in (("known", "file_facts"), ("made", "given_facts")):
        is_sound = f"{TABLE_PATH} {'IN' if name == 'known' else 'NOT IN'} (SELECT table_path FROM sound)"
        chosen = (
            f"SELECT * FROM {source} WHERE table_sha256 IS NOT NULL AND {is_sound}"
            " QUALIFY row_number() OVER (PARTITION BY content_id, facts_version ORDER BY file_id) = 1"
        )
        fsops.execute(connection, f"CREATE OR REPLACE TEMP TABLE facts_{name} AS {chosen}", tables=given)
    fsops.execute(
        connection,
        "DELETE FROM ontology_heads WHERE (content_id, facts_version) IN"
        " (SELECT (content_id, facts_version) FROM facts_made)",
    )
    fsops.execute(
        connection,
        "INSERT INTO ontology_heads BY NAME SELECT DISTINCT * FROM given_heads"
        " SEMI JOIN facts_made USING (content_id, facts_version)",
        tables=given,
    )
    fsops.execute(
        connection,
        "DELETE FROM file_facts WHERE (file_id, facts_version) IN (SELECT (file_id, facts_version) FROM given_facts)",
        tables=given,
    )
    count = fsops.execute(connection, "INSERT INTO file_facts BY NAME SELECT * FROM given_facts", tables=given)
    for name in ("known", "made"):
        fsops.execute(
            connection,
            f"UPDATE file_facts f SET {small} FROM facts_{name} m"
            " WHERE f.content_id = m.content_id AND f.facts_version = m.facts_version AND f.table_sha256 IS NOT NULL",
        )
        fsops.execute(connection, f"DROP TABLE facts_{name}")
    return count


def _are_new(connection: duckdb.DuckDBPyConnection, facts: pa.Table) -> bool:
    """Say whether nothing is recorded of these contents and files, and each stands there once."""
    import pyarrow.compute as pc

    contents = pc.binary_join_element_wise(facts["content_id"], facts["facts_version"], "/")
    if facts["content_id"].null_count or pc.count_distinct(contents).as_py() < len(facts):
        return False
    if are_unknown(connection, facts):
        return True
    with registered(connection, given_facts=facts):
        found = fetch_number(
            connection,
            " UNION ALL ".join(
                f"SELECT count(*) AS n FROM {table} SEMI JOIN given_facts USING ({key}, facts_version)"
                for table, key in (
                    ("file_facts", "file_id"),
                    ("file_facts", "content_id"),
                    ("ontology_heads", "content_id"),
                )
            ).join(("SELECT sum(n) FROM (", ")")),
        )
    return found == 0


def _insert_new(connection: duckdb.DuckDBPyConnection, facts: pa.Table, heads: pa.Table) -> int:
    """Record facts of which nothing has to be brought in line with what is known: two statements instead of ten."""
    given = {"given_facts": facts}
    if len(heads):
        fsops.execute(
            connection,
            "INSERT INTO ontology_heads BY NAME SELECT DISTINCT * FROM given_heads SEMI JOIN"
            " (SELECT * FROM given_facts WHERE table_sha256 IS NOT NULL) USING (content_id, facts_version)",
            tables=given | {"given_heads": heads},
        )
    return fsops.execute(connection, "INSERT INTO file_facts BY NAME SELECT * FROM given_facts", tables=given)
