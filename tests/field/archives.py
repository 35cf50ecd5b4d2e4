"""Archives and compressed streams as the field has them."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

from .case import Case
from .pulling import pull

TURTLE = b"<urn:a> <urn:b> <urn:c> .\n"


def zipped(*members: tuple[str, bytes]) -> bytes:
    """Return a zip of these members."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members:
            archive.writestr(zipfile.ZipInfo(name, (2024, 1, 2, 3, 4, 6)), data, zipfile.ZIP_DEFLATED)
    return stream.getvalue()


def _plain(folder: Path) -> None:
    path = folder / "a.zip"
    path.write_bytes(zipped(("pkg/a.ttl", TURTLE)))
    found = pull(folder, path)
    assert found.code == 0, found.said
    assert found.data == {"a.ttl": TURTLE}


CASES = (Case("archive", "a plain zip", _plain),)
