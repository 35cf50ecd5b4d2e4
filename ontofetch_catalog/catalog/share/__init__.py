"""The storing once of what releases that are there have in common: which files are equal, and what comes of them."""

from .run import Result, share

__all__ = ["Result", "share"]
