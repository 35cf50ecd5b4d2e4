"""Own a folder as it was when a process had died in it: kept, and brought back as often as somebody goes on from there.

It knows that open intents name inodes, which no copy keeps; what died, and where, is not known here.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path

_INTENTS = "store/.catalog/intents"
_INODE = re.compile(rb'("inode": ?)(\d+)')


def freeze(home: Path, kept: Path) -> None:
    """Keep a copy of `home` below `kept`, and which inode each entry had."""
    shutil.rmtree(kept, ignore_errors=True)
    kept.mkdir(parents=True)
    (kept / "inodes").write_text(json.dumps(_inodes(home)))
    shutil.copytree(home, kept / "home", symlinks=True)


def thaw(kept: Path, home: Path) -> None:
    """Bring back as `home` what is kept below `kept`; its open intents name the inodes of now."""
    shutil.copytree(kept / "home", home, symlinks=True)
    intents = home / _INTENTS
    if not intents.is_dir():
        return
    now = _inodes(home)
    then = json.loads((kept / "inodes").read_text())
    renamed = {str(inode).encode(): str(now[path]).encode() for path, inode in then.items()}
    for path in intents.iterdir():
        if path.is_file():
            # as bytes: a process may have died while it wrote it
            told = path.read_bytes()
            path.write_bytes(_INODE.sub(lambda found: found[1] + renamed.get(found[2], found[2]), told))


def _inodes(home: Path) -> dict[str, int]:
    """Return relative path → inode of every entry."""
    found = {}
    prefix = len(str(home)) + 1
    for folder, names, files in os.walk(home):
        for name in (*names, *files):
            path = f"{folder}/{name}"
            found[path[prefix:]] = os.lstat(path).st_ino
    return found
