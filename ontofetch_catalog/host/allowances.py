"""What the settings let processes take, and come out of archives: for everything that unpacks or validates."""

from __future__ import annotations

from collections.abc import Mapping

from ..children.limits import Allowance
from .extract import ExtractLimits


def allowance_of(settings: Mapping[str, object]) -> Allowance:
    """Return what a process that looks at strangers' files may take of the machine; what is missing has its default."""
    usual = Allowance()
    return Allowance(
        max_memory=int(str(settings.get("max_memory", usual.max_memory))),
        max_cpu=float(str(settings.get("max_cpu", usual.max_cpu))),
        max_cpu_per_mb=float(str(settings.get("max_cpu_per_mb", usual.max_cpu_per_mb))),
    )


def limits_of(settings: Mapping[str, object]) -> ExtractLimits:
    """Return what may come out of archives and compressed files, likewise."""
    return ExtractLimits.of(settings)
