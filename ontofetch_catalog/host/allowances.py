"""What the settings let processes take, and come out of archives: for everything that unpacks or validates."""

from __future__ import annotations

from collections.abc import Mapping

from ..children.limits import Allowance
from .extract import ExtractLimits


def allowance_of(settings: Mapping[str, object]) -> Allowance:
    """Return what a process that looks at strangers' files may take of the machine."""
    return Allowance(
        max_memory=int(str(settings["max_memory"])),
        max_cpu=float(str(settings["max_cpu"])),
        max_cpu_per_mb=float(str(settings["max_cpu_per_mb"])),
    )


def limits_of(settings: Mapping[str, object]) -> ExtractLimits:
    """Return what may come out of archives and compressed files."""
    return ExtractLimits(
        max_entries=int(str(settings["max_entries"])),
        max_bytes=int(str(settings["max_bytes"])),
        max_ratio=float(str(settings["max_ratio"])),
        max_depth=int(str(settings["max_depth"])),
    )
