"""A folder as it was at one time, kept, and brought back as often as somebody goes on from there.

It knows that open intents and plans name inodes, which no copy keeps; what happened in it is not known here.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
import shutil
import stat
from pathlib import Path

_INTENTS = "store/.catalog/intents"
_PLANS = "store/.catalog/plans"
_INODE = re.compile(rb'("inode": ?)(\d+)')


def freeze(home: Path, kept: Path) -> None:
    """Keep a copy of `home` below `kept`, and which inode each entry had."""
    shutil.rmtree(kept, ignore_errors=True)
    kept.mkdir(parents=True)
    note_inodes(home, kept)
    _copy_all(home, kept / "home")


def note_inodes(home: Path, kept: Path) -> None:
    """Note below `kept` which inode each entry of `home` has."""
    (kept / "inodes").write_text(json.dumps(_inodes(home)))


def thaw(kept: Path, home: Path, *, once: bool = False) -> None:
    """Bring back as `home` what is kept below `kept`, for the last time if `once`.

    Its open intents and its plans name the inodes of now.
    """
    if once:
        (kept / "home").rename(home)
    else:
        _copy_all(kept / "home", home)
    intents = [path for path in _entries(home / _INTENTS) if path.is_file()]
    plans = [path for path in _entries(home / _PLANS) if (path / "plan.json").is_file()]
    if not intents and not plans:
        return
    now = _inodes(home)
    then = json.loads((kept / "inodes").read_text())
    renamed = {str(inode).encode(): str(now[path]).encode() for path, inode in then.items() if path in now}
    for path in intents:
        _rename(path, renamed)
    for plan in plans:
        _rename(plan / "entries.jsonl", renamed)
        _seal(plan)


def _copy_all(source: Path, target: Path) -> None:
    shutil.copytree(source, target, symlinks=True, copy_function=_copy_file)


def _copy_file(source: str, target: str) -> None:
    """Copy a small file with its mode and times; `shutil.copy2` would ask for its extended attributes, too."""
    with open(source, "rb", buffering=0) as old, open(target, "wb", buffering=0) as new:
        seen = os.fstat(old.fileno())
        content = old.read()
        assert new.write(content) == len(content), target
        os.fchmod(new.fileno(), stat.S_IMODE(seen.st_mode))
        os.utime(new.fileno(), ns=(seen.st_atime_ns, seen.st_mtime_ns))


def _rename(path: Path, renamed: dict[bytes, bytes]) -> None:
    """Put the inodes of now into a document; as bytes, since a process may have died while it wrote it."""
    told = path.read_bytes()
    path.write_bytes(_INODE.sub(lambda found: found[1] + renamed.get(found[2], found[2]), told))


def _seal(plan: Path) -> None:
    """Let a plan prove its entries again; nothing of it may have been carried out, for events name its digest."""
    content = json.loads((plan / "plan.json").read_text())
    del content["digest"]
    content["entries"]["sha256"] = hashlib.sha256((plan / "entries.jsonl").read_bytes()).hexdigest()
    key = (plan.parents[1] / "key").read_bytes()
    content["digest"] = hmac.digest(key, json.dumps(content, sort_keys=True).encode(), "sha256").hex()
    (plan / "plan.json").write_text(json.dumps(content, indent=2) + "\n")


def _entries(folder: Path) -> list[Path]:
    return list(folder.iterdir()) if folder.is_dir() else []


def _inodes(home: Path) -> dict[str, int]:
    """Return relative path → inode of every entry."""
    found = {}
    prefix = len(str(home)) + 1
    for folder, names, files in os.walk(home):
        for name in (*names, *files):
            path = f"{folder}/{name}"
            found[path[prefix:]] = os.lstat(path).st_ino
    return found
