"""Trees as other programs leave them, made on the spot: one of DocsToKG's downloader, and hostile changes to it."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ONTOLOGY = b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"/>'


def sha256(data: bytes) -> str:
    """Return the sha256 of some bytes."""
    return hashlib.sha256(data).hexdigest()


def add_release(
    tree: Path, ontology: str, version: str, *, name: str = "", data: bytes = ONTOLOGY, ok: bool = True, **told: Any
) -> Path:
    """Add a release with one plain file, and return its folder.

    Args:
        tree: The tree.
        ontology: Of which ontology.
        version: Which one.
        name: Name of the file.
        data: Its bytes.
        ok: Whether its validator accepted it.
        **told: What the manifest says otherwise.
    """
    folder = tree / ontology / version
    for part in ("original", "normalized", "validation"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    name = name or f"{ontology}.owl"
    (folder / "original" / name).write_bytes(data)
    (folder / "normalized" / "whole.ttl").write_text("# normalized\n")
    (folder / "validation" / "rdflib_parse.json").write_text("{}")
    details: dict[str, Any] = {} if ok else {"error": "line 1: it is broken"}
    manifest = {
        "schema_version": "1.0",
        "id": ontology,
        "resolver": "obo",
        "url": f"https://example.org/{name}?apikey=abc",
        "filename": name,
        "version": version,
        "status": "fresh",
        "sha256": sha256(data),
        "etag": '"1"',
        "last_modified": None,
        "content_type": "application/rdf+xml",
        "content_length": len(data),
        "downloaded_at": "2025-03-04T05:06:07Z",
        "target_formats": ["owl"],
        "artifacts": ["/etc/passwd", str(folder / "original" / name)],
        "validation": {"rdflib": {"ok": ok, "details": details, "output_files": ["/etc/passwd"]}},
        "resolver_attempts": [],
    }
    (folder / "manifest.json").write_text(json.dumps(manifest | told))
    return folder


def add_archive(tree: Path, ontology: str, version: str, files: Mapping[str, bytes], *, unpack: bool = True) -> Path:
    """Add a release with a zip, unpacked as that downloader does it, and return its folder."""
    packed = tree.parent / "packed.zip"
    tree.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(packed, "w") as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
    data = packed.read_bytes()
    packed.unlink()
    folder = add_release(tree, ontology, version, name=f"{ontology}.zip", data=data, validation={})
    if unpack:
        place = folder / "original" / f"{ontology}_extracted" / f"{sha256(data)[:12]}.d"
        entries = []
        for index, (name, content) in enumerate(files.items()):
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            (place / name).write_bytes(content)
            entry = {"path_rel": name, "path_original": name, "scan_index": index, "size": len(content)}
            entries.append({**entry, "sha256": sha256(content)})
        audit = {"archive_sha256": sha256(data), "archive_size_bytes": len(data), "entries": entries}
        (place / ".extract.audit.json").write_text(json.dumps(audit))
    return folder


def picture(tree: Path) -> dict[str, tuple[int, str]]:
    """Return path → (mode, content or target of the link) of all that lies in a tree."""
    found = {}
    for path in sorted(tree.rglob("*")):
        if path.is_symlink():
            found[str(path.relative_to(tree))] = (0, str(path.readlink()))
        elif path.is_file():
            found[str(path.relative_to(tree))] = (path.stat().st_mode, sha256(path.read_bytes()))
    return found
