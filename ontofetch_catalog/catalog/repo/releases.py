"""The SQL of releases and their artifacts: looking one up, recording and changing one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from ontofetch_hookspecs.layout import find_layout, manifest_of
from ontofetch_hookspecs.light_dataclasses import dataclass, fields_of
from ontofetch_hookspecs.names import path_key as key_of

from ...errors import VersionUnknown
from .. import fsops
from ..connection import fetch_one, literal
from ..remembering import ask, note, note_table, read_ahead, recall_table
from .origins import Origin, delete_origins, insert_origins
from .views import SERIES_ORDER

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

LISTED = "`ontofetch db versions` lists what there is."


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionRow:
    """One row of `versions`, columns as there; times UTC without zone."""

    version_id: str
    service: str
    ontology: str
    version: str
    released: date | None
    fs_relpath: str
    layout: str
    created_at: datetime
    plan_hash: str | None
    run_id: str
    extract_audit: str | None = None
    validation_audit: str | None = None
    pinned_at: datetime | None = None

    @property
    def source_folder(self) -> str:
        """Return the folder of its artifacts, below the root; raises as `find_layout`."""
        return f"{self.fs_relpath}/{find_layout(self.layout).source}"

    @property
    def data_folder(self) -> str:
        """Return the folder of its extracted files, below the root; raises as `find_layout`."""
        return f"{self.fs_relpath}/{find_layout(self.layout).data}"

    @property
    def manifest(self) -> str:
        """Return the path of its manifest below the root."""
        return f"{self.fs_relpath}/{manifest_of(self.layout)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtifactRow:
    """One row of `artifacts`, columns as there; times UTC without zone."""

    artifact_id: str
    version_id: str
    relpath: str
    source_url: str
    etag: str | None
    last_modified: str | None
    content_type: str | None
    size_bytes: int
    status: str
    recorded_at: datetime
    verified_at: datetime | None = None
    extraction: str | None = None


def _all_of_artifact(origin: str = "a") -> str:
    columns = (f"{origin if field.name in _OF_ORIGIN else 'a'}.{field.name}" for field in fields(ArtifactRow))
    return f"SELECT {', '.join(columns)} FROM artifacts a"


_OF_ORIGIN = ("source_url", "etag", "last_modified", "content_type")
_ALL_OF_VERSION = f"SELECT {', '.join(f'v.{field.name}' for field in fields(VersionRow))} FROM versions v"
_ALL_OF_ARTIFACT = _all_of_artifact()
_OF_ONE = "WHERE v.version_id = ?"
_OF_RELEASE = "WHERE a.version_id = ? ORDER BY a.relpath"


def _versions(connection: duckdb.DuckDBPyConnection, rest: str, parameters: Sequence[Any] = ()) -> list[VersionRow]:
    """Return the rows of `versions v` that what stands behind it in the statement chooses."""
    rows = ask(connection, f"{_ALL_OF_VERSION} {rest}", parameters, of=("versions",))
    return [VersionRow(**dict(zip(VersionRow.__dataclass_fields__, row, strict=True))) for row in rows]


def _artifacts(
    connection: duckdb.DuckDBPyConnection, rest: str, parameters: Sequence[Any], *, origin: str = "a"
) -> list[ArtifactRow]:
    """Return the rows of `artifacts a` that what stands behind it chooses; with their origins from another table."""
    columns = _ALL_OF_ARTIFACT if origin == "a" else _all_of_artifact(origin)
    rows = ask(connection, f"{columns} {rest}", parameters, of=("artifacts", "origins"))
    return [ArtifactRow(**dict(zip(ArtifactRow.__dataclass_fields__, row, strict=True))) for row in rows]


def origin_of(row: ArtifactRow) -> Origin:
    """Return the origin that an artifact's own row tells of."""
    told = {name: getattr(row, name) for name in _OF_ORIGIN}
    return Origin(**told, recorded_at=row.recorded_at, told_at=row.recorded_at)


def find_version(connection: duckdb.DuckDBPyConnection, version_id: str) -> VersionRow | None:
    """Return the row of a release; None if it is not recorded."""
    return next(iter(_versions(connection, _OF_ONE, [version_id])), None)


def require_version(connection: duckdb.DuckDBPyConnection, version_id: str) -> VersionRow:
    """Return the row of a release.

    Raises:
        VersionUnknown: It is not recorded.
    """
    row = find_version(connection, version_id)
    if row is None:
        raise VersionUnknown(f"No release {version_id} is recorded.", subject=version_id, hint=LISTED)
    return row


def list_versions(connection: duckdb.DuckDBPyConnection) -> list[VersionRow]:
    """Return the rows of all releases, sorted."""
    return _versions(connection, "ORDER BY v.version_id")


def find_folded(
    connection: duckdb.DuckDBPyConnection, version_id: str, *, leaving: str | None = None
) -> tuple[str, str] | None:
    """Return what would be the same folder as a new one of this release where case is folded, None if there is nothing.

    Folders that are recorded as they are spelled here are not new, whatever else there is. What `leaving` names, a
    release, a series or a service, does not count: it gets another name.

    Returns:
        The first folder that would be new, and the recorded one: both a service, a series or a version_id.
    """
    key = key_of(version_id)
    if not _is_spelled_otherwise(connection, version_id, key):
        return None
    # the names of releases are plain ASCII, where to fold case is to make it lower
    found = fetch_one(
        connection,
        """
        SELECT array_to_string(string_split($1, '/')[1:depth], '/'), min(folder) FROM (
            SELECT depth, array_to_string(string_split(version_id, '/')[1:depth], '/') AS folder
            FROM versions, (VALUES (1), (2), (3)) depths(depth)
            WHERE $3 IS NULL OR NOT (version_id = $3 OR starts_with(version_id, $3 || '/'))
        )
        WHERE lower(folder) = array_to_string(string_split($2, '/')[1:depth], '/')
        GROUP BY depth HAVING NOT bool_or(folder = array_to_string(string_split($1, '/')[1:depth], '/'))
        ORDER BY depth LIMIT 1
        """,
        [version_id, key, leaving],
    )
    return (str(found[0]), str(found[1])) if found else None


def _is_spelled_otherwise(connection: duckdb.DuckDBPyConnection, version_id: str, key: str) -> bool:
    """Say whether any service, series or release has this one's name in another case; seen in a quarter of the time."""
    names, keys = version_id.split("/"), key.split("/")
    found = fetch_one(
        connection,
        "SELECT 1 FROM versions WHERE lower(service) = $1 AND (service <> $4 OR lower(ontology) = $2"
        " AND (ontology <> $5 OR lower(version) = $3 AND version <> $6)) LIMIT 1",
        [*keys, *names],
    )
    return found is not None


def list_below(connection: duckdb.DuckDBPyConnection, name: str) -> list[VersionRow]:
    """Return the releases of a service or a series, or the one release, in the order of their series."""
    return _versions(
        connection,
        f"JOIN {SERIES_ORDER} o ON o.version_id = v.version_id"
        " WHERE v.version_id = $1 OR starts_with(v.version_id, $1 || '/') ORDER BY o.slot, o.position",
        [name],
    )


def find_artifacts(connection: duckdb.DuckDBPyConnection, version_id: str) -> list[ArtifactRow]:
    """Return the artifacts of a release, sorted by path."""
    return _artifacts(connection, _OF_RELEASE, [version_id])


def read_artifacts_ahead(connection: duckdb.DuckDBPyConnection, version_ids: Sequence[str]) -> None:
    """Read what `find_artifacts` is about to be asked for some releases, where the connection remembers it."""
    read_ahead(
        connection,
        f"{_ALL_OF_ARTIFACT} {_OF_RELEASE}",
        version_ids,
        f"{_ALL_OF_ARTIFACT.replace('SELECT ', 'SELECT a.version_id, ', 1)}"
        " WHERE a.version_id IN (SELECT unnest(?)) ORDER BY a.version_id, a.relpath",
        of=("artifacts", "origins"),
    )


def find_copies(connection: duckdb.DuckDBPyConnection, artifact_id: str) -> list[ArtifactRow]:
    """Return the artifacts of all releases that have this content and did not fail, sorted."""
    rest = "WHERE a.artifact_id = ? AND a.status <> 'failed' ORDER BY a.version_id, a.relpath"
    return _artifacts(connection, rest, [artifact_id])


def find_download(connection: duckdb.DuckDBPyConnection, source_url: str) -> ArtifactRow | None:
    """Return the artifact that came last from this URL, with what was said of it there; None if none came."""
    came = "SELECT 1 FROM origins WHERE source_url = ? LIMIT 1"
    if not ask(connection, came, [source_url], of=("origins.source_url",)):
        # of a new one, as most are, that takes half of the time
        return None
    rest = (
        "JOIN origins o ON a.version_id = o.version_id AND a.relpath = o.relpath"
        " WHERE o.source_url = ? AND a.status <> 'failed' ORDER BY o.told_at DESC, a.version_id DESC LIMIT 1"
    )
    return next(iter(_artifacts(connection, rest, [source_url], origin="o")), None)


def insert_version(connection: duckdb.DuckDBPyConnection, row: VersionRow) -> None:
    """Record a release, with the key by which it is sorted."""
    from ontofetch_hookspecs.version_keys import version_key

    _insert(connection, "versions", {**fields_of(row), "version_key": version_key(row.version)})
    _note_version(connection, row)


def insert_artifact(
    connection: duckdb.DuckDBPyConnection, row: ArtifactRow, origins: Sequence[Origin] | None = None
) -> None:
    """Record an artifact and its origins; without any the one that its row tells of."""
    insert_origins(connection, row.version_id, row.relpath, origins or [origin_of(row)])
    _insert(connection, "artifacts", fields_of(row))


def update_version(connection: duckdb.DuckDBPyConnection, version_id: str, changes: Mapping[str, Any]) -> None:
    """Change the named columns of a release."""
    before, row = find_version(connection, version_id), recall_table(connection, row_of(version_id))
    _update(connection, "versions", changes, {"version_id": version_id})
    if before is not None:
        _note_version(connection, replace(before, **changes))
    if row is not None:
        note_table(connection, row_of(version_id), _changed(row, changes), of=("versions",))


def row_of(version_id: str) -> str:
    """Return the statement that reads the row of a release as other machines get it."""
    return f"SELECT * FROM versions WHERE version_id = {literal(version_id)}"


def _changed(row: pa.Table, changes: Mapping[str, Any]) -> pa.Table:
    import pyarrow as pa

    for name, value in changes.items():
        field = row.schema.field(name)
        row = row.set_column(row.schema.get_field_index(name), field, pa.array([value] * len(row), field.type))
    return row


def _note_version(connection: duckdb.DuckDBPyConnection, row: VersionRow) -> None:
    values = tuple(fields_of(row).values())
    note(connection, f"{_ALL_OF_VERSION} {_OF_ONE}", [row.version_id], [values], of=("versions",))


def delete_artifact(connection: duckdb.DuckDBPyConnection, version_id: str, relpath: str) -> None:
    """Un-record an artifact and its origins."""
    delete_origins(connection, version_id, relpath)
    fsops.execute(connection, "DELETE FROM artifacts WHERE version_id = ? AND relpath = ?", [version_id, relpath])


def update_artifact(
    connection: duckdb.DuckDBPyConnection, version_id: str, relpath: str, changes: Mapping[str, Any]
) -> None:
    """Change the named columns of an artifact."""
    before = find_artifacts(connection, version_id)
    _update(connection, "artifacts", changes, {"version_id": version_id, "relpath": relpath})
    after = [replace(row, **changes) if row.relpath == relpath else row for row in before]
    values = [tuple(fields_of(row).values()) for row in after]
    note(connection, f"{_ALL_OF_ARTIFACT} {_OF_RELEASE}", [version_id], values, of=("artifacts", "origins"))


def _insert(connection: duckdb.DuckDBPyConnection, table: str, values: Mapping[str, Any]) -> None:
    names = ", ".join(values)
    marks = ", ".join("?" for _ in values)
    fsops.execute(connection, f"INSERT INTO {table} ({names}) VALUES ({marks})", list(values.values()))


def _update(
    connection: duckdb.DuckDBPyConnection, table: str, changes: Mapping[str, Any], key: Mapping[str, str]
) -> None:
    assignments, where = ", ".join(f"{name} = ?" for name in changes), " AND ".join(f"{name} = ?" for name in key)
    fsops.execute(connection, f"UPDATE {table} SET {assignments} WHERE {where}", [*changes.values(), *key.values()])
