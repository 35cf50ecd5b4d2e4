"""The formats as a plugin: contributes those in which every command can write its rows.

It imports no library before rows are written; other plugins add their own formats in the same way.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ontofetch_hookspecs import hookimpl

if TYPE_CHECKING:
    from ontofetch_hookspecs import Exporter

PLUGIN_NAME = "formats"


@hookimpl
def register_exporters() -> Iterable[Exporter]:
    """Contribute table, json, jsonl, csv, parquet, markdown and html."""
    from ontofetch_catalog.rendering.exporters import built_in

    return built_in()
