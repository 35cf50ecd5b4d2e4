"""The lines of an audit are the same, whether all files are put in order at once or some at a time."""

from __future__ import annotations

from pathlib import Path

import pytest

from ontofetch_catalog.catalog import sessions
from ontofetch_catalog.catalog.connection import Store
from ontofetch_catalog.catalog.repo import audit_lines
from tests.releases import Releases

NAMES = ["a", "a/b", "a'b", 'a"b', "ä", "Z", "\U0001d518", "\ufffd", *(f"d/{number:02d}" for number in range(40))]


@pytest.mark.parametrize("at_once", [1, 3, 1000])
def test_parts_make_the_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: int) -> None:
    """Wherever the bounds of parts lie, every file has its line, in the order of all."""
    releases = Releases(tmp_path / "store", settings={"durability": "off"})
    releases.pull("1.0", {f"{name}.ttl": name for name in NAMES})
    releases.pull("2.0", {"a.ttl": "other"})
    version_id = "example/sample/1.0"
    monkeypatch.setattr(audit_lines, "_IN_PART", at_once)
    monkeypatch.setattr(audit_lines, "_SAMPLED", 20)
    with sessions.reading(Store(releases.root, {"durability": "off"})) as connection:
        whole = b"".join(audit_lines.audit_lines(connection, version_id))
        parts = [bytes(part) for part in audit_lines.audit_lines_in_parts(connection, version_id)]
        assert audit_lines.find_large(connection) == ({version_id} if at_once < len(NAMES) // 2 else set())
    assert b"".join(parts) == whole
    assert whole.count(b"\n") == len(NAMES)
    assert (len(parts) > 1) == (at_once < len(NAMES))
