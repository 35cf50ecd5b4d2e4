"""A file system whose files can share their room, for the tests that need one.

It is where tests put their files anyway, or one that is made in a file and mounted, where this process may do that:
`mkfs.xfs` or `mkfs.btrfs` in the PATH, the rights of root, and a kernel that knows them.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ontofetch_catalog.catalog.equal_files.extents import can_clone

KINDS = {"xfs": ("mkfs.xfs", "-q", "-m", "reflink=1"), "btrfs": ("mkfs.btrfs", "-q")}
_BYTES = 320 << 20  # the least that both take; the file has holes where nothing is


@contextmanager
def cloning_folder(folder: Path, kind: str) -> Iterator[Path | None]:
    """Give a folder on a file system of that kind where files share their room; None where there can be none.

    Args:
        folder: Where its file and the place of its mount go.
        kind: One of KINDS, or `here`: the file system of `folder`.
    """
    if kind == "here":
        yield folder if can_clone(folder) else None
        return
    make, *words = KINDS[kind]
    if os.geteuid() or shutil.which(make) is None:
        yield None
        return
    image, place = folder / f"{kind}.image", folder / kind
    place.mkdir()
    with image.open("wb") as stream:
        stream.truncate(_BYTES)
    made = all(
        not subprocess.run(line, capture_output=True, check=False).returncode
        for line in ([make, *words, str(image)], ["mount", "-o", "loop", str(image), str(place)])
    )
    try:
        yield place if made and can_clone(place) else None
    finally:
        if made:
            subprocess.run(["umount", str(place)], capture_output=True, check=True)
        image.unlink()
