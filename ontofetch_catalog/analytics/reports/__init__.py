"""Make the built-in reports: which rows each one reads and which frames it makes of them, one module per report."""

from .duplicates import duplicates
from .growth import growth
from .hotspots import hotspots
from .impact import impact
from .imports import imports
from .latest import latest
from .meaning import meaning
from .quality import quality
from .validation import validation

__all__ = [
    "duplicates",
    "growth",
    "hotspots",
    "impact",
    "imports",
    "latest",
    "meaning",
    "quality",
    "validation",
]
