"""Describe what the built-in reports return: one module per report, the shared columns in `fields`."""

from .duplicates import DUPLICATES
from .growth import GROWTH
from .hotspots import HOTSPOTS
from .latest import LATEST
from .shape import Contract, Field, Section, conform, dtype_of
from .tables import TABLES
from .timeline import TIMELINE
from .validation import VALIDATION

CONTRACTS = (LATEST, GROWTH, TIMELINE, VALIDATION, HOTSPOTS, DUPLICATES)

__all__ = [
    "CONTRACTS",
    "DUPLICATES",
    "GROWTH",
    "HOTSPOTS",
    "LATEST",
    "TABLES",
    "TIMELINE",
    "VALIDATION",
    "Contract",
    "Field",
    "Section",
    "conform",
    "dtype_of",
]
