"""Hold the yardsticks of the report `meaning`, frozen: one statement for two releases, one for a series.

They read the same tables of terms, put every term that is not the same on both sides into one category, and count the
statements that one side has more often. They do not follow the package when it changes.
"""

from __future__ import annotations

_CHANGE = """
    CASE WHEN a.iri IS NULL THEN 'added' WHEN b.iri IS NULL THEN 'removed'
        WHEN b.deprecated AND NOT a.deprecated THEN 'obsoleted' WHEN a.deprecated AND NOT b.deprecated THEN 'revived'
        WHEN a.label_digest IS DISTINCT FROM b.label_digest THEN 'relabelled'
        WHEN a.definition_digest IS DISTINCT FROM b.definition_digest THEN 'redefined'
        WHEN a.parents IS DISTINCT FROM b.parents THEN 'moved' ELSE 'other' END AS change
"""
# `a` and `b` are paths of Parquet
TWO = f"""
WITH changed AS MATERIALIZED (
    SELECT coalesce(b.iri, a.iri) AS iri, {_CHANGE}, a.label AS label_a, b.label AS label_b,
        a.definition AS definition_a, b.definition AS definition_b, a.parents AS parents_a, b.parents AS parents_b,
        b.replaced_by AS replaced_by, a.lines AS lines_a, b.lines AS lines_b
    FROM read_parquet('{{a}}') a FULL JOIN read_parquet('{{b}}') b ON a.iri = b.iri
    WHERE a.digest IS DISTINCT FROM b.digest
), lines AS (
    SELECT line, sum(n) AS n FROM (
        SELECT unnest(lines_a) AS line, -1 AS n FROM changed UNION ALL SELECT unnest(lines_b), 1 FROM changed
    ) GROUP BY line
)
SELECT iri, change, label_a, label_b, definition_a, definition_b, parents_a, parents_b, replaced_by,
    (SELECT sum(n) FILTER (n > 0) FROM lines)::BIGINT AS triples_added,
    (SELECT -sum(n) FILTER (n < 0) FROM lines)::BIGINT AS triples_removed
FROM changed
"""
# `tables` is a pattern of paths whose names end in the number of the release, of five digits
SERIES = f"""
WITH terms AS (
    SELECT *, parse_filename(filename, true)[-5:]::INTEGER AS n FROM read_parquet('{{tables}}', filename = true)
), changed AS MATERIALIZED (
    SELECT coalesce(a.n + 1, b.n) AS n, {_CHANGE}, a.lines AS lines_a, b.lines AS lines_b
    FROM (SELECT * FROM terms WHERE n < {{last}}) a FULL JOIN (SELECT * FROM terms WHERE n > 0) b
        ON a.n + 1 = b.n AND a.iri = b.iri
    WHERE a.digest IS DISTINCT FROM b.digest
), lines AS (
    SELECT n, sum(x) FILTER (x > 0) AS triples_added, -sum(x) FILTER (x < 0) AS triples_removed FROM (
        SELECT n, line, sum(x) AS x FROM (
            SELECT n, unnest(lines_a) AS line, -1 AS x FROM changed UNION ALL SELECT n, unnest(lines_b), 1 FROM changed
        ) GROUP BY n, line
    ) GROUP BY n
), counted AS (
    SELECT n, count(*) FILTER (change = 'added') AS added, count(*) FILTER (change = 'removed') AS removed,
        count(*) FILTER (change = 'obsoleted') AS obsoleted, count(*) FILTER (change = 'revived') AS revived,
        count(*) FILTER (change = 'relabelled') AS relabelled, count(*) FILTER (change = 'redefined') AS redefined,
        count(*) FILTER (change = 'moved') AS moved, count(*) FILTER (change = 'other') AS other
    FROM changed GROUP BY n
)
SELECT n, added, removed, obsoleted, revived, relabelled, redefined, moved, other,
    coalesce(triples_added, 0)::BIGINT AS triples_added, coalesce(triples_removed, 0)::BIGINT AS triples_removed
FROM counted LEFT JOIN lines USING (n) ORDER BY n
"""
