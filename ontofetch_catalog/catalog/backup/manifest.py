"""What a backup says of itself: its manifest, the list of its files, which paths it may hold.

    store/…        files under their root-relative paths: database, generation record, tables of terms, documents, with
                  data all files
    schemas/…      the JSON schemas of the documents
    files.jsonl    a line per file above, in the order in which they stand: path, size_bytes, sha256
    backup.json    the manifest, with the sha256 of files.jsonl
    backup.json.sig  an Ed25519 signature of backup.json, if it was signed

Nothing is read or written here.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from ontofetch_hookspecs.json_documents import parse_json
from ontofetch_hookspecs.layout import CATALOG, DATABASE, FACTS, GENERATION
from ontofetch_hookspecs.light_dataclasses import dataclass
from ontofetch_hookspecs.names import path_key, quote, relpath_fault

from ...errors import BackupRefused

FORMAT = 1
STORE = "store/"
SCHEMAS = "schemas/"
FILES = "files.jsonl"
MANIFEST = "backup.json"
SIGNATURE = "backup.json.sig"
MOST_MANIFEST_BYTES = 1 << 16
MOST_LINE_BYTES = 1 << 15  # of files.jsonl: a path of 4,096 bytes, each of them escaped, and what stands beside it
# tables of terms, which no other file of the catalog's can be called like
_TERMS = re.compile(rf"{re.escape(FACTS)}/[0-9a-f]{{2}}/[0-9a-f]{{64}}\.[0-9a-f]{{12}}\.parquet")
_REQUIRED = (STORE + DATABASE, STORE + GENERATION)


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What backup.json says; sizes in bytes.

    Args:
        created_at: When, UTC, ISO 8601.
        package: Version of the package that made it.
        duckdb: Version of DuckDB that wrote the database.
        schema_version: Newest migration of the catalog.
        events: Number of events, which is how far the catalog had come.
        digest: Digest of the newest event.
        include_data: Whether artifacts and extracted files are in it.
        files: Number of files.
        size_bytes: Their sizes in all.
        files_sha256: sha256 of files.jsonl, and through it of every file.
    """

    created_at: str
    package: str
    duckdb: str
    schema_version: int
    events: int
    digest: str
    include_data: bool
    files: int
    size_bytes: int
    files_sha256: str

    def encode(self) -> bytes:
        """Return backup.json."""
        return (json.dumps({"format": FORMAT, **asdict(self)}, indent=1) + "\n").encode()


def decode(data: bytes) -> Manifest:
    """Return what backup.json says.

    Raises:
        BackupRefused: It says something else.
    """
    try:
        found: Any = parse_json(data)
        if found.pop("format") != FORMAT:
            raise BackupRefused(
                "The backup has a format that this installation does not know.",
                subject=MANIFEST,
                hint="Upgrade with `pip install -U ontofetch-catalog`.",
            )
        manifest = Manifest(**found)
        fine = all(type(value) is _type_of(name) for name, value in asdict(manifest).items())
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise BackupRefused(
            f"The manifest {MANIFEST} of the backup can't be read: {error}.", subject=MANIFEST
        ) from error
    if not fine:
        raise BackupRefused(f"The {MANIFEST} of the backup has a value of a wrong kind.", subject=MANIFEST)
    return manifest


def _type_of(name: str) -> type:
    numbers = ("schema_version", "events", "files", "size_bytes")
    return bool if name == "include_data" else int if name in numbers else str


class FileList:
    """The list of files of a backup as it grows: its lines, their digest, number and sizes."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()
        self._required = set(_REQUIRED)
        self.files = 0
        self.size_bytes = 0

    def add(self, path: str, sha256: str, size: int) -> bytes:
        """Count a file and return its line."""
        line = line_of(path, sha256, size)
        self._digest.update(line)
        self._required.discard(path)
        self.files += 1
        self.size_bytes += size
        return line

    @property
    def sha256(self) -> str:
        """Return the sha256 of all lines so far."""
        return self._digest.hexdigest()

    @property
    def missing(self) -> list[str]:
        """Return what every backup has and this one has not."""
        return sorted(self._required)


def line_of(path: str, sha256: str, size: int) -> bytes:
    """Return the line of files.jsonl for one file; the same file has always the same line."""
    return json.dumps({"path": path, "sha256": sha256, "size_bytes": size}, ensure_ascii=False).encode() + b"\n"


def read_line(line: bytes) -> Mapping[str, Any]:
    """Return what a line of files.jsonl says, its path checked.

    Raises:
        BackupRefused: It says something else.
    """
    try:
        found: Any = parse_json(line)
        path = found["path"]
        fine = line_of(path, found["sha256"], found["size_bytes"]) == line
    except (ValueError, TypeError, KeyError) as error:
        raise BackupRefused(f"A line of {FILES} in the backup can't be read: {error}.", subject=FILES) from error
    if not fine:
        raise BackupRefused(f"A line of {FILES} in the backup says more or less than it should.", subject=FILES)
    check_path(path)
    return dict(found)


def check_path(path: object) -> str:
    """Return the path of a file in a backup if it may be there.

    Raises:
        BackupRefused: It leads elsewhere, or into what belongs to the catalog of the moment.
    """
    fault = relpath_fault(path) if isinstance(path, str) else "is no text"
    if fault is None and isinstance(path, str):
        inside = path.removeprefix(STORE)
        if not path.startswith((STORE, SCHEMAS)):
            fault = f"is neither below {STORE} nor below {SCHEMAS}"
        elif (
            path.startswith(STORE)
            and path_key(inside).split("/")[0] == CATALOG
            and path not in _REQUIRED
            and not _TERMS.fullmatch(inside)
        ):
            fault = "is a file of the catalog that no backup holds"
        else:
            return path
    raise BackupRefused(
        f"The backup has an entry {quote(path)} that {fault}.",
        subject=str(path),
        hint="Nothing was touched. No backup of this program has such an entry: do not trust where it came from.",
    )
