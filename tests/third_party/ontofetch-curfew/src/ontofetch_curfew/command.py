"""The command and the validator; imported only when they run."""

from __future__ import annotations

import os
from pathlib import Path

from ontofetch_hookspecs import HostInfo


def main(argv: list[str], host: HostInfo) -> int:
    """Print the ontologies under curfew and the store of the host."""
    print(f"{os.environ.get('CURFEW_ONTOLOGIES', 'nothing')} under curfew below {host.root.name}", *argv)
    return 0


def check_tabs(path: str, format: str) -> tuple[bool, dict[str, object]]:  # noqa: A002
    """Fail a text with tabs."""
    tabs = Path(path).read_text(encoding="utf-8").count("\t")
    return tabs == 0, {"tabs": tabs, "format": format} | ({"error": f"{tabs} tabs"} if tabs else {})
