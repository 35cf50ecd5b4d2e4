"""The lock file: releases, each artifact with its origin, place and sha256, so that another machine has the same.

It comes from anywhere, so everything in it is checked before it is used. Nothing is fetched or looked up here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

from ontofetch_hookspecs.errors import EventError
from ontofetch_hookspecs.json_documents import parse_json
from ontofetch_hookspecs.layout import make_version_id
from ontofetch_hookspecs.light_dataclasses import dataclass
from ontofetch_hookspecs.names import check_relpath, check_sha256, check_size, check_text, quote
from ontofetch_hookspecs.redaction import redact_url

from .errors import UsageError
from .named_files import open_named

LOCK_FILE = "ontofetch.lock"
FORM = 1
MOST_BYTES = 256 << 20
MOST_STRIP = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedArtifact:
    """One artifact of a release.

    Args:
        name: What it is called in the release.
        url: Where it came from, without credentials.
        sha256, size_bytes: Of its bytes.
        path: Where it lies below the root of the store that was locked.
        include, exclude, strip: How it was unpacked.
    """

    name: str
    url: str
    sha256: str
    size_bytes: int
    path: str
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    strip: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LockedRelease:
    """One release: its version_id, its release date or None, whether it was the latest of its series, its artifacts."""

    version_id: str
    released: date | None = None
    latest: bool = False
    artifacts: tuple[LockedArtifact, ...] = ()


def encode(releases: Sequence[LockedRelease]) -> bytes:
    """Return what is written: JSON with a line per value, sorted, so that two of them can be compared line by line."""
    ordered = sorted(releases, key=lambda release: release.version_id)
    plain = [asdict(release) | {"released": release.released and release.released.isoformat()} for release in ordered]
    return (json.dumps({"lock": FORM, "releases": plain}, indent=1, ensure_ascii=False) + "\n").encode()


def read_lock_file(path: Path) -> list[LockedRelease]:
    """Return what a lock file says.

    Raises:
        UsageError: It can't be read, or something in it is wrong.
    """
    shown = str(path)
    try:
        with open_named(path) as stream:
            data = stream.read(MOST_BYTES + 1)
        return decode(parse_json(data) if len(data) <= MOST_BYTES else None)
    except OSError as error:
        raise UsageError(
            f"The lock file {quote(shown)} can't be read: {error.strerror}.",
            subject=shown,
            hint="`ontofetch lock` writes one.",
        ) from error
    except (ValueError, RecursionError) as error:
        raise UsageError(
            f"The lock file {quote(shown)} is none: {str(error)[:300]}.",
            subject=shown,
            hint="`ontofetch lock` writes one.",
        ) from error
    except EventError as error:
        raise UsageError(
            f"The lock file {quote(shown)} is not sound: {error.message}", subject=shown, hint=error.hint
        ) from error


def decode(told: object) -> list[LockedRelease]:
    """Return the releases that a document names.

    Raises:
        EventError: Something in it can't be.
        ValueError: It is another kind of document.
    """
    if not isinstance(told, dict) or told.get("lock") != FORM or not isinstance(told.get("releases"), list):
        raise ValueError(f"it has no `lock` of the form {FORM}, or no `releases`")
    releases = [_release(_table(one, {"version_id", "artifacts"})) for one in told["releases"]]
    if len({one.version_id for one in releases}) < len(releases):
        raise ValueError("it names a release twice")
    return releases


def _table(value: object, needed: set[str]) -> Mapping[str, Any]:
    if not isinstance(value, dict) or not needed <= set(value):
        raise ValueError(f"something in it is no object with {', '.join(sorted(needed))}")
    return value


def _release(told: Mapping[str, Any]) -> LockedRelease:
    parts = str(told["version_id"]).split("/")
    if len(parts) != 3:
        raise ValueError(f"{quote(told['version_id'])} is no version_id")
    released = told.get("released")
    artifacts = told["artifacts"]
    if not isinstance(artifacts, list) or not artifacts:
        raise ValueError(f"{quote(told['version_id'])} has no artifacts")
    return LockedRelease(
        version_id=make_version_id(*parts),
        released=None if released is None else date.fromisoformat(str(released)),
        latest=told.get("latest") is True,
        artifacts=tuple(_artifact(_table(one, {"name", "url", "sha256", "size_bytes", "path"})) for one in artifacts),
    )


def _artifact(told: Mapping[str, Any]) -> LockedArtifact:
    strip = told.get("strip", 0)
    if not isinstance(strip, int) or isinstance(strip, bool) or not 0 <= strip <= MOST_STRIP:
        raise ValueError("a `strip` is no number of folders")
    return LockedArtifact(
        name=check_relpath("name", told["name"]),
        url=redact_url(check_text("url", told["url"], optional=False) or ""),
        sha256=check_sha256("sha256", told["sha256"]),
        size_bytes=check_size("size_bytes", told["size_bytes"]),
        path=check_relpath("path", told["path"], most=4096),
        include=_globs(told.get("include", [])),
        exclude=_globs(told.get("exclude", [])),
        strip=strip,
    )


def _globs(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise ValueError("a list of globs is none")  # noqa: TRY004 - the document is wrong, not the program
    return tuple(str(check_text("glob", one, optional=False)) for one in value)
