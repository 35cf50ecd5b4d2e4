"""A store with orphans, a clock that is a month ahead, and a recount of everything, for the tests of prune."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import duckdb

from ontofetch_catalog.catalog.connection import Store
from ontofetch_catalog.catalog.prune import planning, steps
from tests.releases import Releases, snapshot
from tests.retentions import policy_of

FAST = {"durability": "off"}
MONTH = 30 * 86_400 * 10**9
ANY_SHARE = ("large-plan",)
TEXTS = {f"d{number % 7}/{number}.ttl": f"text {number}" for number in range(40)}
DATA = "example/sample/1.0/data"
TABLES = ("versions", "artifacts", "extracted_files", "validations", "latest_pointer")
HOSTILE = (b"line\nend", b"esc\x1b[31m", b"not-utf8-\xff", b"'\"\\", b" ", b"\xc3\xa9")


def make_store(root: Path, *versions: str) -> Releases:
    """Return a host whose store has these releases, the last one latest."""
    releases = Releases(root, settings=FAST)
    for version in versions or ("1.0",):
        releases.pull(version, {**TEXTS, "version.ttl": version})
    return releases


def add_orphans(root: Path, *names: str | bytes, folder: str = DATA) -> list[str]:
    """Write files that nobody recorded and return their paths below the root."""
    paths = []
    for name in names:
        path = root / folder / os.fsdecode(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"orphan " + os.fsencode(name))
        paths.append(path.relative_to(root).as_posix())
    return paths


def propose(root: Path, **policy: Any) -> planning.Proposal:
    """Return what a plan would take."""
    return planning.propose(Store(root, FAST), policy_of(**policy))


def plan(root: Path, **policy: Any) -> str:
    """Write a plan, however large, and return its id."""
    store, wanted = Store(root, FAST), policy_of(**{"overrides": ANY_SHARE, **policy})
    return planning.write_proposal(store, wanted, planning.propose(store, wanted)).plan_id


def carry_out(root: Path, step: str, plan_id: str) -> steps.Done:
    """Apply, restore or purge a plan."""
    function = {"apply": steps.apply_plan, "restore": steps.restore_plan, "purge": steps.purge_plan}[step]
    return function(Store(root, FAST), plan_id, tell=lambda _: None, progress=lambda *_: None)


def taken(proposal: planning.Proposal) -> dict[str, str]:
    """Return path → reason of what a plan would take."""
    from ontofetch_catalog.catalog.walk import as_path

    return {as_path(row["path"]): row["reason"] for row in proposal.entries.to_pylist()}


def kept(proposal: planning.Proposal) -> dict[str, str]:
    """Return path → reason of what a plan would keep."""
    return {item.path: item.reason for item in proposal.selection.kept}


def count_all(root: Path) -> dict[str, Any]:
    """Return every file outside of `.catalog` and every row but the events', from scratch."""
    connection = duckdb.connect(str(root / ".catalog/ontofetch.duckdb"), read_only=True)
    try:
        rows = {table: connection.execute(f"SELECT * FROM {table} ORDER BY ALL").fetchall() for table in TABLES}
    finally:
        connection.close()
    return {"files": snapshot(root), **rows}


def quarantined(root: Path) -> int:
    """Return how many files lie in quarantine."""
    return sum(1 for path in (root / ".catalog/quarantine").rglob("*") if not path.is_dir() or path.is_symlink())
