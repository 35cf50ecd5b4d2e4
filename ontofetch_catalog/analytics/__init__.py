"""Answer questions about the catalog with lazy Polars pipelines; `Catalog.open(root)` is the way in from Python."""

from .catalog import Catalog
from .results import ReportResult

__all__ = ["Catalog", "ReportResult"]
