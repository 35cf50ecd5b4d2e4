"""Say in SQL which paths are legal and which are the same file, as `names` says it in Python; find those that are."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from ontofetch_hookspecs.names import (
    MAX_PART_BYTES,
    MAX_PATH_BYTES,
    NO_PART,
    UNSAFE_CLASS,
    folded_apart,
)

from ..connection import fetch_number, literal

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

_SHAPE = f"(^|/){NO_PART}(/|$)"
_DOTTED_I = ("\u0130", "i\u0307")  # the only letter that DuckDB makes another lower-case letter of than Python


def leads_elsewhere(column: str) -> str:
    """Return the condition that a path is absolute, empty, or has an empty part, `.` or `..`."""
    return f"regexp_matches({column}, {literal(_SHAPE)})"


def is_illegal(column: str) -> str:
    """Return the condition that `names.relpath_fault` finds a fault in a path; NULL for NULL."""
    long_part = f"len(list_filter(string_split({column}, '/'), lambda part: strlen(part) > {MAX_PART_BYTES})) > 0"
    return (
        f"(regexp_matches({column}, {literal(f'{_SHAPE}|{UNSAFE_CLASS}')}) OR (strlen({column}) > {MAX_PART_BYTES}"
        f" AND (strlen({column}) > {MAX_PATH_BYTES} OR {long_part})))"
    )


def path_key(column: str) -> str:
    """Return the expression of `names.path_key` of a path.

    DuckDB knows lower case and no folding. Where they are the same, which costs least to see in plain ASCII, lower case
    is all; else the letters that folding makes something else of are replaced.
    """
    characters, before, after = _folding()
    lowered = f"lower(replace(nfc_normalize({column}), {before}))"
    return (
        f"CASE WHEN strlen({column}) = length({column}) THEN lower({column})"
        f" WHEN NOT regexp_matches({lowered}, {characters}) THEN nfc_normalize({lowered})"
        f" ELSE nfc_normalize({after.format(lowered)}) END"
    )


@lru_cache(maxsize=1)
def _folding() -> tuple[str, str, str]:
    """Return as SQL: the class of letters to be replaced, what is replaced before, and around, lowering."""
    folds = folded_apart()
    single = {letter: fold for letter, fold in folds.items() if len(fold) == 1}
    around = f"translate({{}}, {literal(''.join(single))}, {literal(''.join(single.values()))})"
    for letter, fold in folds.items():
        if letter not in single:
            around = f"replace({around}, {literal(letter)}, {literal(fold)})"
    return literal(f"[{''.join(folds)}]"), ", ".join(map(literal, _DOTTED_I)), around


_NOT_ASCII = """
    SELECT count(*) FROM (
        SELECT concat(service, ontology, version) AS name FROM versions
        UNION ALL SELECT relpath FROM artifacts UNION ALL SELECT relpath FROM extracted_files
    ) WHERE strlen(name) <> length(name)"""
# things → what they lie in and how they are spelled there; `hashed` has the files with the hash of release and key
_SPELLED = {
    "services": "SELECT DISTINCT '' AS inside, service AS spelled FROM versions",
    "ontologies": "SELECT DISTINCT service AS inside, ontology AS spelled FROM versions",
    "versions": "SELECT DISTINCT service || '/' || ontology AS inside, version AS spelled FROM versions",
    "artifacts": "SELECT DISTINCT version_id AS inside, relpath AS spelled FROM artifacts",
    "folders": """
        SELECT DISTINCT version_id AS inside, array_to_string(parts[1:unnest(range(1, len(parts) + 1))], '/') AS spelled
        FROM (
            SELECT DISTINCT version_id, string_split(parse_dirpath(relpath, 'forward_slash'), '/') AS parts
            FROM extracted_files WHERE contains(relpath, '/')
        )""",
    "files": """
        SELECT DISTINCT version_id AS inside, relpath AS spelled FROM hashed
        WHERE hash IN (SELECT hash FROM hashed GROUP BY 1 HAVING count(*) > 1)""",
}


def find_folded(connection: duckdb.DuckDBPyConnection) -> pa.Table:
    """Return a finding for all names that are one file or one folder where case and normal forms are folded."""
    # the expression of a key is long, and planning takes longer than a small store: it stands here as seldom as can be,
    # and not at all where all names are ASCII
    key = path_key if fetch_number(connection, _NOT_ASCII) else "lower({})".format
    spelled = " UNION ALL ".join(f"SELECT '{things}' AS things, * FROM ({rows})" for things, rows in _SPELLED.items())
    return connection.sql(
        f"""
        WITH hashed AS NOT MATERIALIZED (
            SELECT version_id, relpath, hash(version_id, {key("relpath")}) AS hash FROM extracted_files
        )
        SELECT things || ': ' || concat_ws('/', nullif(inside, ''), names[2]) AS subject,
            CASE WHEN things IN ('artifacts', 'folders', 'files') THEN inside END AS version_id,
            concat('The ', things, ' ', array_to_string(names, ', '), ' of ' || nullif(inside, ''),
                ' are one where case and normal forms are folded.') AS message,
            NULL AS fix, NULL AS unsafe_fixes
        FROM (
            SELECT things, inside, list_sort(list(spelled)) AS names FROM ({spelled})
            GROUP BY things, inside, {key("spelled")} HAVING count(*) > 1
        )"""
    ).to_arrow_table()
