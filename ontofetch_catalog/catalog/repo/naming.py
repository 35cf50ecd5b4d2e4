"""The SQL of names: which release, or which series, somebody means who types less than all of its name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ontofetch_hookspecs.layout import series_of
from ontofetch_hookspecs.names import quote

from ...errors import AmbiguousVersion, UsageError, VersionUnknown
from ...guesses import close_names, did_you_mean, listed
from ..connection import fetch_one
from .releases import LISTED
from .views import LATEST, SERIES_ORDER

if TYPE_CHECKING:
    import duckdb

_SERIES = "SELECT DISTINCT service || '/' || ontology FROM versions"
_EVERY = f"SELECT version_id FROM versions UNION ALL {_SERIES}"
_CALLED = "(version_id = $1 OR ends_with(version_id, '/' || $1))"
NEAREST = 50  # names that are looked at for what somebody may have meant


def resolve_version(connection: duckdb.DuckDBPyConnection, name: str) -> str:
    """Return the version_id that `name` means: the id, a whole-segment end of it, `SERIES/latest`, `SERIES/previous`.

    `latest` is what the pointer names, `previous` the release before that in the order of the series.

    Raises:
        VersionUnknown: Nothing recorded has this name.
        AmbiguousVersion: Several have it; the sentence lists them.
    """
    head, _, last = name.rpartition("/")
    if last in ("latest", "previous"):
        slot = resolve_series(connection, head)
        column = "version_id" if last == "latest" else "previous_version_id"
        found = fetch_one(
            connection,
            f"SELECT o.{column} FROM {SERIES_ORDER} o JOIN {LATEST} l USING (version_id) WHERE o.slot = ?",
            [slot],
        )
        if found is None or found[0] is None:
            raise VersionUnknown(
                f"The series {slot} has no {last} release.",
                subject=name,
                hint=f"`ontofetch db versions {slot}` lists its releases.",
            )
        return str(found[0])
    release = _find_only(connection, f"SELECT version_id FROM versions WHERE {_CALLED} ORDER BY 1", name)
    if release is None:
        _refuse_series(connection, name)
        raise _unknown(connection, "release", name, _EVERY, _listing(connection, head))
    return release


def near_names(connection: duckdb.DuckDBPyConnection, name: str) -> list[str]:
    """Return the releases and series that somebody may have meant by a name that nothing has, best first."""
    return close_names(name, _nearest(connection, name, _EVERY))


def _refuse_series(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    """Refuse the name of a series where a release is asked for.

    Raises:
        VersionUnknown: It is one.
    """
    found = fetch_one(
        connection,
        f"""
        SELECT o.slot, coalesce(any_value(l.version_id), arg_max(o.version_id, o.position))
        FROM {SERIES_ORDER} o LEFT JOIN {LATEST} l USING (version_id)
        WHERE $1 IN (o.slot, split_part(o.slot, '/', 2)) GROUP BY o.slot ORDER BY o.slot LIMIT 1
        """,
        [name],
    )
    if found is not None:
        raise VersionUnknown(
            f"{found[0]} is a series, and a release is asked for.",
            subject=name,
            hint=f"Name one of it, such as {found[1]}; `ontofetch db versions {found[0]}` lists them.",
        )


def resolve_series(connection: duckdb.DuckDBPyConnection, name: str) -> str:
    """Return the series (`service/ontology`) that `name` means: itself or its ontology; empty if there is only one.

    Raises:
        VersionUnknown: Nothing recorded has this name.
        AmbiguousVersion: Several have it; the sentence lists them.
    """
    called = "$1 IN ('', service || '/' || ontology, ontology)"
    series = _find_only(connection, f"{_SERIES} WHERE {called} ORDER BY 1", name)
    if series is None:
        raise _unknown(connection, "series", name, _SERIES, LISTED)
    return series


def resolve_release_or_series(connection: duckdb.DuckDBPyConnection, name: str) -> tuple[str, str]:
    """Return ("", series) or (version_id, ""), whichever `name` means; what may be both is the series.

    Raises:
        VersionUnknown: Nothing recorded has this name.
        AmbiguousVersion: Several have it; the sentence lists them.
    """
    try:
        return "", resolve_series(connection, name)
    except VersionUnknown:
        pass
    try:
        return resolve_version(connection, name), ""
    except VersionUnknown as error:
        if name.rpartition("/")[2] in ("latest", "previous"):
            raise
        sentence = f"No release and no series {quote(name)} is recorded."
        raise VersionUnknown(sentence, subject=name, hint=error.hint) from error


def resolve_told(connection: duckdb.DuckDBPyConnection, name: str) -> tuple[str, str] | None:
    """Return ("", series) or (version_id, "") of what events tell and is recorded no more; None: nothing is so called.

    Raises:
        AmbiguousVersion: Several were; the sentence lists them.
    """
    parts = r"regexp_extract(version_id, '^(([^/]+)/([^/]+))/[^/]+$', ['slot', 'service', 'ontology'])"
    told = f"SELECT DISTINCT version_id, unnest({parts}) FROM events WHERE version_id <> ''"
    called = "slot <> '' AND $1 IN (slot, ontology)"
    series = _find_only(connection, f"SELECT DISTINCT slot FROM ({told}) WHERE {called} ORDER BY 1", name)
    if series is not None:
        return "", series
    release = _find_only(connection, f"SELECT version_id FROM ({told}) WHERE {_CALLED} ORDER BY 1", name)
    return None if release is None else (release, "")


def refuse_two_series(earlier: str, later: str, *, anyway: bool) -> None:
    """Refuse to compare releases of two series, unless somebody said that this is meant.

    Raises:
        UsageError: They are.
    """
    if series_of(earlier) != series_of(later) and not anyway:
        raise UsageError(
            f"{earlier} and {later} are releases of two series.",
            subject=later,
            hint="Add --anyway to compare them all the same.",
        )


def _unknown(connection: duckdb.DuckDBPyConnection, what: str, name: str, every: str, otherwise: str) -> VersionUnknown:
    """Return the error of a name that nothing has: what may be meant, else `otherwise`."""
    hint = did_you_mean(name, _nearest(connection, name, every), otherwise)
    return VersionUnknown(f"No {what} {quote(name)} is recorded.", subject=name, hint=hint)


def _nearest(connection: duckdb.DuckDBPyConnection, name: str, every: str) -> list[str]:
    """Return the nearest of any number, by the database: what is near enough is for `close_names` to say."""
    end = "list_aggregate(list_transform([1, 2, 3], lambda n: levenshtein($1, array_to_string("
    end += "string_split(name, '/')[n:], '/'))), 'min')"
    near = connection.execute(
        f"SELECT name FROM ({every}) given(name) ORDER BY starts_with(name, $1) DESC, {end}, name LIMIT {NEAREST}",
        ["/".join(name.split())],
    ).fetchall()
    return [str(row[0]) for row in near]


def _listing(connection: duckdb.DuckDBPyConnection, series: str) -> str:
    """Return what lists the releases of a series, or all of them where there is no such series."""
    found = fetch_one(
        connection,
        f"SELECT min(name) FROM ({_SERIES}) given(name) WHERE $1 IN (name, split_part(name, '/', 2))",
        [series],
    )
    return f"`ontofetch db versions {found[0]}` lists the releases of {found[0]}." if found and found[0] else LISTED


def _find_only(connection: duckdb.DuckDBPyConnection, names: str, name: str) -> str | None:
    """Return the only one of those that a query finds by `name`; None if there is none."""
    found = [str(row[0]) for row in connection.execute(names, [name]).fetchall()]
    if len(found) < 2:
        return found[0] if found else None
    shown = listed(found)
    if not name:
        hint = f"Say which is meant, such as {found[0]}; --help shows how."
        raise AmbiguousVersion(f"There are several series: {shown}.", subject="series", hint=hint)
    raise AmbiguousVersion(
        f"{quote(name)} may be {shown}.", subject=name, hint="Name one of them whole, or by more of its end."
    )
