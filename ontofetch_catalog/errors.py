"""The errors of the package, each a sentence with the thing it is about and what to type next.

It imports the contract's base and knows no other module; where a foreign exception becomes one of these, the original
stays as `__cause__`.
"""

from __future__ import annotations

from ontofetch_hookspecs.errors import (
    EXIT_ERROR,
    EXIT_FINDINGS,
    EXIT_INTERRUPTED,
    EXIT_LOCKED,
    EXIT_NEW,
    EXIT_OK,
    EXIT_TERMINATED,
    EXIT_USAGE,
    EventError,
    OntofetchError,
    StageError,
    UsageError,
    Veto,
)

__all__ = [
    "EXIT_ERROR",
    "EXIT_FINDINGS",
    "EXIT_INTERRUPTED",
    "EXIT_LOCKED",
    "EXIT_NEW",
    "EXIT_OK",
    "EXIT_TERMINATED",
    "EXIT_USAGE",
    "AmbiguousVersion",
    "BackupRefused",
    "BoundaryFailed",
    "CatalogBehind",
    "CatalogLocked",
    "CatalogMissing",
    "CatalogUnavailable",
    "CatalogUnreadable",
    "CatalogUnwritable",
    "Conflict",
    "EventError",
    "ExecutorFailed",
    "ExtractError",
    "FetchError",
    "NestedBoundary",
    "ObjectDamaged",
    "ObjectMissing",
    "ObjectsRefused",
    "ObjectsUnavailable",
    "OntofetchError",
    "PreconditionFailed",
    "RecordUnreadable",
    "RecoveryFailed",
    "SchemaError",
    "StageError",
    "UsageError",
    "VersionUnknown",
    "Veto",
]


class CatalogMissing(OntofetchError):
    """There is no catalog below the root, or there was one and its file is gone."""


class CatalogUnreadable(OntofetchError):
    """The database file, its log or the record beside it is damaged, or something else lies in its place."""


class RecordUnreadable(CatalogUnreadable):
    """The generation record beside the catalog is damaged; the catalog itself may be sound."""


class CatalogUnavailable(OntofetchError):
    """The system or DuckDB refuses to open or read a catalog that may be sound."""


class CatalogBehind(OntofetchError):
    """The catalog has fewer or other events than its generation record: committed rows were lost."""


class CatalogUnwritable(OntofetchError):
    """The disk or DuckDB refuses what a command does before its own work: making, migrating, recovering."""


class ObjectsUnavailable(CatalogUnavailable):
    """An object store does not answer, or not in time; the same command may succeed later."""


class ObjectsRefused(CatalogUnavailable):
    """An object store refuses what is asked of it, or it is refused before that; trying again does not help."""


class ObjectMissing(ObjectsRefused):
    """An object is not there."""


class ObjectDamaged(ObjectsRefused):
    """The bytes of an object are others than those that are recorded."""


class CatalogLocked(OntofetchError):
    """Another process holds the catalog and did not let go in time."""

    exit_code = EXIT_LOCKED


class SchemaError(OntofetchError):
    """The schema of the catalog and the migrations of this package do not fit."""


class SchemaPending(SchemaError):
    """The schema is older than this package; whoever may write brings it up to date first."""


class NestedBoundary(OntofetchError):
    """A hook called back into a boundary."""


class PreconditionFailed(OntofetchError):
    """A boundary does not fit what is recorded; nothing happened."""


class Conflict(PreconditionFailed):
    """Other bytes are recorded under this name."""


class BoundaryFailed(OntofetchError):
    """A boundary could not be carried out; it was undone, and the staged bytes are still there."""


class RecoveryFailed(OntofetchError):
    """An open boundary could not be finished or undone; the next start tries again."""


class VersionUnknown(OntofetchError):
    """No recorded release has this name."""


class AmbiguousVersion(OntofetchError):
    """Several recorded releases have this name."""


class BackupRefused(OntofetchError):
    """A backup is incomplete, damaged, hostile or not signed by the given key; nothing was touched."""


class FetchError(OntofetchError):
    """A source can't be read."""


class ExtractError(OntofetchError):
    """An archive is refused or damaged."""


class ExecutorFailed(OntofetchError):
    """The engine that files are handed to does not answer, or not as it should; what it answered before is kept."""
