"""How far a process has read a file, as its system tells it: nobody has to be asked who is busy reading.

What the file is and who shows it is not known here.
"""

from __future__ import annotations

import os
from pathlib import Path


def bytes_read(process: int, path: str) -> int | None:
    """Return the place of the descriptor that a process has of the file at `path`, in bytes from its beginning.

    None where the process has none, has ended, or the system does not say (all but Linux).
    """
    try:
        wanted = os.stat(path)
        descriptors = os.listdir(f"/proc/{process}/fd")
    except OSError:
        return None
    places = [place for name in descriptors if (place := _place(process, name, wanted)) is not None]
    return max(places, default=None)


def _place(process: int, descriptor: str, wanted: os.stat_result) -> int | None:
    try:
        if not os.path.samestat(os.stat(f"/proc/{process}/fd/{descriptor}"), wanted):
            return None
        told = Path(f"/proc/{process}/fdinfo/{descriptor}").read_text(encoding="ascii")
    except OSError:
        # closed in the meantime
        return None
    name, _, place = told.partition("\n")[0].partition(":")
    return int(place) if name == "pos" else None
