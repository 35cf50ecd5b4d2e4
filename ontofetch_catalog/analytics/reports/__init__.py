"""Make the built-in reports: which rows each one reads and which frames it makes of them, one module per report.

Its function is called as its module is, which is imported when somebody asks for the report.
"""

NAMES = frozenset(
    {"duplicates", "growth", "hotspots", "impact", "imports", "latest", "meaning", "quality", "validation"}
)
