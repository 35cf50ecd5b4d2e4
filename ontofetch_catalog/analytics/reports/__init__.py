"""Make the built-in reports: which rows each one reads and which frames it makes of them, one module per report."""

from .growth import growth
from .latest import latest

__all__ = ["growth", "latest"]
