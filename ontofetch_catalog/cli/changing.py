"""What the commands that change releases have in common: which name is meant, how it is done, what is shown of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ontofetch_hookspecs import Host, HostInfo
from ontofetch_hookspecs.names import quote
from ontofetch_hookspecs.processes import user_name

from ..console.output import OutputOptions, emit, say
from ..errors import AmbiguousVersion, OntofetchError, UsageError, VersionUnknown
from ..rendering.progress import bar
from .common import table_of

if TYPE_CHECKING:
    import duckdb

    from ..catalog.boundaries.boundary import MaintenanceBoundary
    from ..catalog.boundaries.engine import BoundaryResult
    from ..catalog.connection import Store
    from ..catalog.undoing.changes import Change


def find_named(connection: duckdb.DuckDBPyConnection, name: str, *, services: bool = False) -> str:
    """Return the whole name of what is meant: a release, a series, with `services` also a service.

    Raises:
        VersionUnknown: Nothing is called so.
        AmbiguousVersion: A release and a series are.
        UsageError: A service is, and none can be meant.
    """
    from ..catalog.repo import naming, releases

    if releases.list_below(connection, name):
        if name.count("/") or services:
            return name
        if not _means(naming.resolve_series, connection, name):
            raise UsageError(
                f"{quote(name)} is a service with all its series.", subject=name, hint="Name one of its series."
            )
    found, hints = [], []
    for resolve in (naming.resolve_version, naming.resolve_series) if name else ():
        try:
            found.append(resolve(connection, name))
        except VersionUnknown as error:
            hints.append(error.hint)
    if not found:
        # what is near to a release is looked for among series as well
        hint = hints[0] if hints else releases.LISTED
        raise VersionUnknown(f"No release and no series {quote(name)} is recorded.", subject=name, hint=hint)
    if len(found) > 1:
        raise AmbiguousVersion(
            f"{quote(name)} may be the release {found[0]} or the series {found[1]}.",
            subject=name,
            hint="Name one of them whole.",
        )
    return found[0]


def _means(
    resolve: Callable[[duckdb.DuckDBPyConnection, str], str], connection: duckdb.DuckDBPyConnection, name: str
) -> str | None:
    try:
        return resolve(connection, name)
    except VersionUnknown:
        return None


def host_of(host: HostInfo) -> Host:
    """Return what sends events for a command, and names the plugin that votes against one."""
    return Host(host, way_out="`--no-plugin {}` leaves the plugin out.")


def change(host: HostInfo, found: Change) -> BoundaryResult:
    """Ask plugins for their votes on a change of what is recorded already, and carry it out.

    Raises:
        OntofetchError: A plugin votes against it, or it can't be done; nothing has changed.
    """
    from ..catalog.undoing.changes import handing_over

    with bar(found.word, unit=found.unit) as update, handing_over(found):
        found.watch(update)
        host_of(host).change_releases(updated_by=user_name(), **found.fields)
    if found.outcome is None:
        raise OntofetchError("The catalog is not among the plugins of this host.", hint="Load it, and try it again.")
    return found.outcome


def carry_out(host: HostInfo, store: Store, boundary: MaintenanceBoundary) -> BoundaryResult:
    """Carry out a boundary, with a bar where it is about many releases, and tell the observers."""
    from ..catalog.boundaries import carry_out as carry_out_boundary
    from ..catalog.boundaries import notify_observers

    with bar(boundary.kind, unit="releases") as update:
        boundary.progress = update
        outcome = carry_out_boundary(store, boundary)
    notify_observers(host.manager, store, outcome)
    return outcome


def show_done(outcome: BoundaryResult, options: OutputOptions, *, hint: str = "") -> None:
    """Show what a boundary has done: a row of what its event says, and on stderr what to type next."""
    event, receipt = outcome.committed, outcome.receipt
    done = table_of(
        [(event.type, receipt.changed, event.version_id, receipt.rows, receipt.bytes, event.payload.get("message"))],
        {
            "type": "string",
            "changed": "bool",
            "version_id": "string",
            "rows": "int64",
            "size_bytes": "int64",
            "message": "string",
        },
    )
    emit({"done": done}, options=options, well=True)
    if receipt.changed and hint:
        say(hint)
