"""The contract between a downloader of ontologies, its catalog and everybody's plugins.

Hosts and plugins need nothing else; it imports only pluggy and the standard library.
"""

from typing import TYPE_CHECKING

from .commands import (
    Command,
    HostInfo,
    Parameter,
    PluginSetting,
    Report,
    Validator,
    call_contribution,
    load_target,
    refuse_without,
)
from .common_options import add_common_options, take_common_options
from .errors import EventError, OntofetchError, PluginFailed, StageError, UsageError, Veto
from .later import names_later
from .notify import ObserverError, gather, notify
from .specs import ENTRY_POINT_GROUP, PROJECT, REQUIRED_GROUP, TRANSACTIONAL, RetiredArgument, hookimpl, hookspec

if TYPE_CHECKING:
    from .changes import ChangeReleases
    from .collecting import ask_contribution, collect
    from .columns import (
        FACTS_COLUMNS,
        FILES_COLUMNS,
        KNOWN_FACTS_COLUMNS,
        KNOWN_RESULTS_COLUMNS,
        RESULTS_COLUMNS,
        Column,
        Table,
    )
    from .events import (
        CatalogCommitted,
        CatalogRolledBack,
        DownloadDone,
        Event,
        ExtractDone,
        SetLatest,
        ValidateDone,
        staged_path,
    )
    from .extensions import RELEASES_COLUMNS, Exporter, ExportOptions, Finding, Look, Retention
    from .hosting import Host, load_plugins, open_host
    from .origins import SourceQuery, SourceScheme, SourceVersion
    from .receipts import Receipt, find_receipt
    from .records import ArtifactRecord, DownloadRecord, VersionRecord
    from .remarks import Remark
    from .stages import Stage
else:
    # a host that lists its commands needs no event, record or stage: each comes when somebody asks for it (PEP 562)
    _MODULES = {
        "changes": "ChangeReleases",
        "columns": (
            "FACTS_COLUMNS FILES_COLUMNS KNOWN_FACTS_COLUMNS KNOWN_RESULTS_COLUMNS RESULTS_COLUMNS Column Table"
        ),
        "events": (
            "CatalogCommitted CatalogRolledBack DownloadDone Event ExtractDone SetLatest ValidateDone staged_path"
        ),
        "collecting": "ask_contribution collect",
        "extensions": "RELEASES_COLUMNS Exporter ExportOptions Finding Look Retention",
        "hosting": "Host load_plugins open_host",
        "origins": "SourceQuery SourceScheme SourceVersion",
        "receipts": "Receipt find_receipt",
        "records": "ArtifactRecord DownloadRecord VersionRecord",
        "remarks": "Remark",
        "stages": "Stage",
    }
    __getattr__ = names_later(__name__, globals(), _MODULES)


__all__ = [
    "ENTRY_POINT_GROUP",
    "FACTS_COLUMNS",
    "FILES_COLUMNS",
    "KNOWN_FACTS_COLUMNS",
    "KNOWN_RESULTS_COLUMNS",
    "PROJECT",
    "RELEASES_COLUMNS",
    "REQUIRED_GROUP",
    "RESULTS_COLUMNS",
    "TRANSACTIONAL",
    "ArtifactRecord",
    "CatalogCommitted",
    "CatalogRolledBack",
    "ChangeReleases",
    "Column",
    "Command",
    "DownloadDone",
    "DownloadRecord",
    "Event",
    "EventError",
    "ExportOptions",
    "Exporter",
    "ExtractDone",
    "Finding",
    "Host",
    "HostInfo",
    "Look",
    "ObserverError",
    "OntofetchError",
    "Parameter",
    "PluginFailed",
    "PluginSetting",
    "Receipt",
    "Remark",
    "Report",
    "Retention",
    "RetiredArgument",
    "SetLatest",
    "SourceQuery",
    "SourceScheme",
    "SourceVersion",
    "Stage",
    "StageError",
    "Table",
    "UsageError",
    "ValidateDone",
    "Validator",
    "VersionRecord",
    "Veto",
    "add_common_options",
    "ask_contribution",
    "call_contribution",
    "collect",
    "find_receipt",
    "gather",
    "hookimpl",
    "hookspec",
    "load_plugins",
    "load_target",
    "notify",
    "open_host",
    "refuse_without",
    "staged_path",
    "take_common_options",
]
