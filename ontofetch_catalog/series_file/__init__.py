"""The sources file: where the releases of each series come from, as a user wrote it down once.

`ROOT/ontofetch.toml` has a table `[service.ontology]` for each series. The settings file of a folder may be the same
file: its settings stand beside these tables. Nothing is fetched here.
"""

from .entries import compile_pattern
from .file import SeriesFile, read_series_file
from .series import MODES, VERSION, Part, Series, as_toml

__all__ = ["MODES", "VERSION", "Part", "Series", "SeriesFile", "as_toml", "compile_pattern", "read_series_file"]
