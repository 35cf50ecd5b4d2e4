"""`npm:@scope/package`: a registry of npm."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator

from ontofetch_hookspecs import SourceQuery, SourceVersion

from . import answers


def list_versions(query: SourceQuery) -> Iterator[SourceVersion]:
    """Yield the final versions of a package that are not deprecated.

    Raises:
        FetchError: The registry can't be read.
    """
    name = answers.checked_name(
        query, r"(@[a-z0-9~-][a-z0-9._~-]*/)?[a-z0-9~-][a-z0-9._~-]*", "package or @scope/package"
    )
    told = answers.ask_json(query, answers.address(query.base, name))
    found = answers.find(told, "versions")
    candidates = []
    for version, entry in found.items() if isinstance(found, dict) else ():
        if "-" in version.partition("+")[0] or answers.find(entry, "deprecated"):
            continue
        url = answers.text(entry, "dist", "tarball")
        candidates.append(
            {
                "version": version,
                "url": url,
                "released": answers.day(answers.text(told, "time", version)),
                "checksum": _checksum(answers.text(entry, "dist", "integrity"), answers.text(entry, "dist", "shasum")),
                "name": (url or "").partition("?")[0].rpartition("/")[2] or None,
            }
        )
    yield from answers.versions(candidates)


def _checksum(integrity: str | None, shasum: str | None) -> str | None:
    # W3C, Subresource Integrity: the algorithm, and the digest in base64; several stand side by side
    for word in (integrity or "").split():
        algorithm, _, digest = word.partition("-")
        try:
            plain = base64.b64decode(digest.partition("?")[0], validate=True).hex()
        except (binascii.Error, ValueError):
            continue
        if algorithm in ("sha512", "sha256"):
            return f"{algorithm}:{plain}"
    return f"sha1:{shasum.lower()}" if shasum else None
