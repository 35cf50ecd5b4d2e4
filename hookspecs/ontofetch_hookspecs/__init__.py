"""The contract between a downloader of ontologies, its catalog and everybody's plugins.

Hosts and plugins need nothing else; it imports only pluggy and the standard library.
"""

from .commands import Command, HostInfo, Parameter, Report, Validator, add_common_options, load_target
from .errors import EventError, OntofetchError, StageError, UsageError, Veto
from .events import (
    FILES_COLUMNS,
    KNOWN_RESULTS_COLUMNS,
    RESULTS_COLUMNS,
    CatalogCommitted,
    Column,
    DownloadDone,
    Event,
    ExtractDone,
    Receipt,
    SetLatest,
    Table,
    ValidateDone,
    find_receipt,
)
from .notify import ObserverError, gather, notify
from .records import ArtifactRecord, DownloadRecord, VersionRecord
from .specs import ENTRY_POINT_GROUP, PROJECT, TRANSACTIONAL, hookimpl, hookspec
from .stages import Stage

__all__ = [
    "ENTRY_POINT_GROUP",
    "FILES_COLUMNS",
    "KNOWN_RESULTS_COLUMNS",
    "PROJECT",
    "RESULTS_COLUMNS",
    "TRANSACTIONAL",
    "ArtifactRecord",
    "CatalogCommitted",
    "Column",
    "Command",
    "DownloadDone",
    "DownloadRecord",
    "Event",
    "EventError",
    "ExtractDone",
    "HostInfo",
    "ObserverError",
    "OntofetchError",
    "Parameter",
    "Receipt",
    "Report",
    "SetLatest",
    "Stage",
    "StageError",
    "Table",
    "UsageError",
    "ValidateDone",
    "Validator",
    "VersionRecord",
    "Veto",
    "add_common_options",
    "find_receipt",
    "gather",
    "hookimpl",
    "hookspec",
    "load_target",
    "notify",
]
