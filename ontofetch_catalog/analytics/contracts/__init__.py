"""Describe what the built-in reports return: one module per report, the shared columns in `fields`."""

from .growth import GROWTH
from .latest import LATEST
from .shape import Contract, Field, Section, conform, dtype_of

CONTRACTS = {contract.name: contract for contract in (LATEST, GROWTH)}

__all__ = ["CONTRACTS", "GROWTH", "LATEST", "Contract", "Field", "Section", "conform", "dtype_of"]
