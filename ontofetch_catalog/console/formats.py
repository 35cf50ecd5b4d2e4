"""Which formats there are: those that plugins contribute, by name and by the ending of a file.

How rows are written in one is not known here.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING

from ontofetch_hookspecs import collect
from ontofetch_hookspecs.light_dataclasses import dataclass
from ontofetch_hookspecs.names import quote

from ..errors import UsageError
from ..guesses import did_you_mean
from ..rendering.text import safe_text

if TYPE_CHECKING:
    import pluggy

    from ontofetch_hookspecs import Exporter

BUILT_IN = "formats"  # the plugin with the formats of this package
DEFAULT = "table"
_log = logging.getLogger("ontofetch.report")


@dataclass(frozen=True, slots=True)
class Formats:
    """The formats that there are.

    Args:
        exporters: Name → (plugin, exporter).
        endings: Ending of a file, such as `.md` → name.
    """

    exporters: Mapping[str, tuple[str, Exporter]] = field(default_factory=dict)
    endings: Mapping[str, str] = field(default_factory=dict)

    def find(self, name: str) -> tuple[str, Exporter]:
        """Return the plugin and the exporter of a format.

        Raises:
            UsageError: Nobody contributes it.
        """
        if name not in self.exporters:
            raise UsageError(
                f"--format is one of {', '.join(self.exporters)}, not {quote(name)}.",
                subject="--format",
                hint=did_you_mean(name, self.exporters, "--format table is what is printed without it."),
            )
        return self.exporters[name]

    def of_ending(self, out: Path) -> str | None:
        """Return the format that the ending of a file says, None where it has none.

        Raises:
            UsageError: It is the ending of no format.
        """
        ending = out.suffix.casefold()
        if ending and ending not in self.endings:
            raise UsageError(
                f"{safe_text(out)} ends in {safe_text(ending)}, and no format is written under that ending.",
                subject=str(out),
                hint=f"End it in one of {', '.join(sorted(self.endings))}, or choose by --format.",
            )
        return self.endings.get(ending)


def find_formats(manager: pluggy.PluginManager | None) -> Formats:
    """Return the formats that a host's plugins contribute; where none does, those of this package.

    An ending that two of them want stays with the first, and the second one's loss is logged.
    """
    exporters: dict[str, tuple[str, Exporter]] = {}
    if manager is not None:
        from ontofetch_hookspecs import Exporter

        exporters = collect(manager, "register_exporters", Exporter)
    if not exporters:
        from ..rendering.exporters import built_in

        exporters = {exporter.name: (BUILT_IN, exporter) for exporter in built_in()}
    endings: dict[str, str] = {}
    for name, (plugin, exporter) in exporters.items():
        for ending in exporter.endings:
            holder = endings.setdefault(ending, name)
            if holder != name:
                _log.warning(
                    "plugin %s: %s does not mean its format %s: it means %s", quote(plugin), ending, name, holder
                )
    return Formats(exporters, endings)
