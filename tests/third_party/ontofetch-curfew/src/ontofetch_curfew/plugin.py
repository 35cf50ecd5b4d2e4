"""Veto downloads of ontologies that are under curfew, note every commit, add a command and a validator."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from ontofetch_hookspecs import CatalogCommitted, Command, DownloadDone, Validator, Veto, hookimpl


@hookimpl
def on_download_done(event: DownloadDone) -> None:
    """Veto what the environment names."""
    if event.ontology in os.environ.get("CURFEW_ONTOLOGIES", "").split(","):
        raise Veto(f"{event.ontology} is under curfew.", hint="Come back in the morning.")


@hookimpl
def on_catalog_committed(event: CatalogCommitted) -> None:
    """Note the commit, or fail, as the environment says."""
    if os.environ.get("CURFEW_CRASHES"):
        raise RuntimeError("the observer's own trouble")
    notes = os.environ.get("CURFEW_NOTES")
    if notes:
        with Path(notes).open("a", encoding="utf-8") as stream:
            stream.write(f"{event.type} {event.version_id}\n")


@hookimpl
def register_commands() -> Iterable[Command]:
    """Contribute `curfew`."""
    return [Command("curfew", "say what is under curfew", "ontofetch_curfew.command:main")]


@hookimpl
def register_validators() -> Iterable[Validator]:
    """Contribute a validator of text."""
    return [Validator("no-tabs", "1", ("text",), "ontofetch_curfew.command:check_tabs")]
