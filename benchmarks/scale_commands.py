"""Which commands are run along which axis of growth, and which of them may not grow at all.

How they are measured is not known here.
"""

from __future__ import annotations

from collections.abc import Mapping

Words = tuple[str, ...]
# {series}, {release}, {content} …: what a store has; {number}: which round it is
HOME: Mapping[str, Words] = {
    "--help": ("--help",),
    "home": (),
    "show SERIES": ("show", "{series}"),
    "show RELEASE": ("show", "{release}"),
    "show TERM": ("show", "urn:t:c1"),
    "log --top 20": ("log", "--top", "20"),
    "undo --list": ("undo", "--list", "--top", "20"),
    "db find CONTENT": ("db", "find", "{content}"),
    "db find PATH": ("db", "find", "terms.ttl"),
    "db latest get": ("db", "latest", "get", "{series}"),
    "db versions SERIES": ("db", "versions", "{series}"),
    "db versions": ("db", "versions"),
}
REPORTS: Mapping[str, Words] = {
    "report latest": ("report", "latest", "--top", "20"),
    "report growth": ("report", "growth", "--b", "{release}"),
    "report growth --series": ("report", "growth", "--series", "{series}"),
    "report meaning": ("report", "meaning", "--a", "t/meant/1", "--b", "t/meant/2"),
    "report meaning --series": ("report", "meaning", "--series", "t/meant"),
    "report impact": ("report", "impact", "--mine", "{room}/mine.txt", "--a", "t/meant/1", "--b", "t/meant/2"),
    "report quality": ("report", "quality", "--version", "t/meant/2"),
    "report imports": ("report", "imports", "--version", "t/meant/2"),
    "report validation": ("report", "validation", "--version", "{release}"),
    "report hotspots": ("report", "hotspots"),
    "report duplicates": ("report", "duplicates", "--top", "20"),
}
CARE: Mapping[str, Words] = {
    "db doctor": ("db", "doctor"),
    "db verify --sample 5%": ("db", "verify", "--sample", "5%", "--seed", "1"),
    "db prune": ("db", "prune", "--keep-last", "5", "--min-age", "0s", "--override", "large-plan", "--dry-run"),
    "db share": ("db", "share", "--dry-run", "--by", "hardlink"),
    "db backup": ("db", "backup", "--to", "{room}/backup-{number}"),
    "db rebuild": ("db", "rebuild", "--replace"),
}
PULLS: Mapping[str, Words] = {
    "update": ("update",),
    "pull": ("pull", "{room}/new-{number}.nt", "--service", "t", "--ontology", "new", "--version", "{number}"),
    "pull, sharing": (*("pull", "{room}/more-{number}.zip", "--service", "t", "--ontology", "more"),
                      *("--version", "{number}", "--no-validate")),
}  # fmt: skip
AXES: Mapping[str, Mapping[str, Words]] = {
    # ten series of ever more releases of five files, all on disk
    "releases": {**HOME, **REPORTS, **CARE, **PULLS},
    # a hundred releases of ever more files, which only the catalog has
    "rows": {**HOME, **REPORTS, "db backup": CARE["db backup"], **PULLS},
    # one release of ever more files on disk, for what looks at these
    "files": CARE,
}
SHARING = {"pull, sharing"}  # runs with store_share = "hardlink"
_NEVER = {"--help", "home", "show TERM", "log --top 20", "undo --list", "db find CONTENT", "db find PATH",
          "db latest get", "report meaning", "report meaning --series", "report impact",
          *PULLS}  # fmt: skip
# what must not grow with what it does not touch; everything else may grow as its size does
FLAT: Mapping[str, set[str]] = {
    "releases": _NEVER | {"show RELEASE", "report latest", "report growth", "report validation"},
    "rows": _NEVER | {"show SERIES", "db versions SERIES", "db versions"},
    "files": set(),
}
FLAT_MOST, MOST = 0.1, 1.0
MEMORY, MEMORY_OF_CARE = 1_000_000_000, 300_000_000


def most_of(axis: str, command: str) -> float:
    """Return the exponent that a command may have."""
    return FLAT_MOST if command in FLAT[axis] else MOST


def memory_of(command: str) -> int:
    """Return how many bytes a command may hold at its peak."""
    return MEMORY_OF_CARE if command in CARE else MEMORY
